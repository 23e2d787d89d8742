"""A shadow database that notes what it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.trust import NOBODY_ELSE, Trust


@contextmanager
def noting(url: str, trust: Trust = NOBODY_ELSE) -> Iterator[tuple[ShadowDatabase, list[str]]]:
    """Yield a shadow database, and the statements that it is asked, without those that set up a transaction."""
    noted: list[str] = []

    class NotingCursor(psycopg.Cursor[TupleRow]):
        def execute(self, query: Any, *arguments: Any, **named: Any) -> Self:
            text = query.as_string(self) if isinstance(query, sql.Composable) else str(query)
            if not text.startswith("SET TRANSACTION"):
                noted.append(text)
            return super().execute(query, *arguments, **named)

    with ShadowDatabase(lambda: psycopg.connect(url, cursor_factory=NotingCursor), trust=trust) as shadow:
        yield shadow, noted
