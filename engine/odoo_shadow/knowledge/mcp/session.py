"""A connection for each request, in transactions that read only: nothing stays of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from psycopg import sql

from odoo_shadow.knowledge.mcp.limits import Limits
from odoo_shadow.knowledge.mcp.role import check_role
from odoo_shadow.shadow.access.reading import check_may_read
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.errors import ShadowPermissionError
from odoo_shadow.shadow.relations import CONTROL_TABLES, STORED_DOCUMENT

_CHECKED_FOR = 60.0
"""Seconds for which it counts that the role can only read."""

_SETTINGS = {
    "statement_timeout": "{milliseconds}",
    "lock_timeout": "2000",
    "idle_in_transaction_session_timeout": "{milliseconds}",
    "work_mem": "16MB",
    "hash_mem_multiplier": "1",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "row_security": "on",
    "timezone": "UTC",
    "datestyle": "ISO",
    "intervalstyle": "iso_8601",
    "bytea_output": "hex",
}


class ReadOnlyDatabase(ShadowDatabase):
    """A shadow in whose transactions nothing can be written, and no statement takes long."""

    limits = Limits()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a transaction that can only read. Raises a `ShadowError`."""
        with super().transaction() as tx:
            tx.run("SET TRANSACTION READ ONLY")
            tx.run_all(list(_settings(self.limits)))
            yield tx


class Sessions:
    """Opens a connection per request.

    :param shadow: makes what one request uses; called for each.
    """

    def __init__(self, shadow: Callable[[], ReadOnlyDatabase], limits: Limits) -> None:
        self._shadow = shadow
        self.limits = limits
        self._lock = threading.Lock()
        self._checked_at: float | None = None

    @contextmanager
    def database(self) -> Iterator[ReadOnlyDatabase]:
        """Open the shadow for one request.

        :raises ShadowPermissionError: the role could do more than read, or may not read the mirror any more.
        :raises ShadowError: the database cannot be reached.
        """
        with self._shadow() as shadow:
            shadow.limits = self.limits
            self._check(shadow)
            try:
                yield shadow
            except ShadowPermissionError:
                with shadow.trial() as tx:  # what it says is for a role that writes; this names what a reader needs
                    check_may_read(tx, (*CONTROL_TABLES, STORED_DOCUMENT), must_be_there=True)
                raise

    @contextmanager
    def open(self) -> Iterator[Transaction]:
        """Open a transaction that can only read, and is rolled back.

        :raises ShadowPermissionError: the role could do more.
        :raises ShadowError: the database cannot be reached, or a statement fails.
        """
        with self.database() as shadow, shadow.trial() as tx:
            yield tx

    def _check(self, shadow: ReadOnlyDatabase) -> None:
        now = time.monotonic()
        with self._lock:
            is_known = self._checked_at is not None and now - self._checked_at < _CHECKED_FOR
        if not is_known:
            with shadow.trial() as tx:
                check_role(tx)
            with self._lock:
                self._checked_at = now


def _settings(limits: Limits) -> Iterator[sql.Composed]:
    for name, value in _SETTINGS.items():
        text = value.format(milliseconds=round(limits.seconds * 1000))
        yield sql.SQL("SET LOCAL {} TO {}").format(sql.Identifier(name), sql.Literal(text))
