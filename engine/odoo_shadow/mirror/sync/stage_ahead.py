"""Copies the next page of text into the shadow while the one before it is hashed and written.

The two steps take PostgreSQL about the same time, and one connection does one after the other. So each page but the
first is staged in a transaction of its own, on one of two further connections, and that transaction writes the page,
too, when its turn comes: after the page before it was committed. Whatever ends a run, pages are committed in their
order, each with its checkpoint.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import psycopg

from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.shadow.tables.staging import CopyText, Staged, stage
from odoo_shadow.source.pages import CopyPage, Page
from odoo_shadow.text.log import logger

log = logger(__name__)

_PATIENCE = "5min"
"""How long a staged page waits for the one before it, which may have to be written row by row."""
_HANDS = 2
"""Connections: one has the page that is written, the other the next."""


@dataclass(frozen=True)
class StagedPage:
    """A page whose rows are in the staging table of an open transaction."""

    page: CopyPage
    tx: Transaction
    rows: Staged
    _open: ExitStack = field(repr=False)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Go on with the transaction; commit it at the end, or roll it back. Raises a `ShadowError`."""
        with self._open:
            yield self.tx

    def discard(self) -> None:
        """Roll the transaction back, if it has not ended."""
        with suppress(ShadowError, psycopg.Rollback), self._open:
            raise psycopg.Rollback


class StageAhead:
    """Stages pages of text for one table. What is not written when it is left, is rolled back.

    :param columns: of the text, `id` first.
    """

    def __init__(self, shadow: ShadowDatabase, table: str, columns: Sequence[str]) -> None:
        self._table = table
        self._columns = columns
        self._shadows = deque([shadow.another() for _ in range(_HANDS)])
        self._staged: deque[StagedPage] = deque(maxlen=_HANDS)
        self._is_possible = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for staged in self._staged:
            staged.discard()
        for shadow in self._shadows:
            shadow.close()

    def staged(self, pages: Iterable[Page | CopyPage]) -> Iterator[Page | CopyPage | StagedPage]:
        """Yield pages, all but the first staged. One may be asked for when the one before the last is committed."""
        is_first = True
        for page in pages:
            if is_first or not isinstance(page, CopyPage) or not page.text:
                yield page
            else:
                yield self._stage(page)
            is_first = False

    def _stage(self, page: CopyPage) -> StagedPage | CopyPage:
        """Stage a page; return it as it is where that is not possible: then whoever writes it meets the reason."""
        if not self._is_possible:
            return page
        self._shadows.rotate()
        try:
            with ExitStack() as opened:
                tx = opened.enter_context(self._shadows[0].transaction())
                tx.run("SET LOCAL idle_in_transaction_session_timeout TO {patience}", patience=_PATIENCE)
                rows = stage(tx, self._table, self._columns, CopyText(page.text))
                staged = StagedPage(page, tx, rows, opened.pop_all())
        except ShadowError as error:  # such as a role that may not open as many connections
            log.info("%s: pages are copied one after the other: %s", self._table, error)
            self._is_possible = False
            return page
        self._staged.append(staged)
        return staged
