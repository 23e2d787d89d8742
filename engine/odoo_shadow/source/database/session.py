"""Transactions on Odoo's own database: read-only, each with one snapshot, nothing kept in the session.

They take no lock beyond that of reading and write nothing, not even temporary tables: so they work on a replica, and
through a transaction pooler.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from select import select
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from odoo_shadow.postgres.errors import connect_error
from odoo_shadow.source.database.connection import OdooDatabase, PgConnection
from odoo_shadow.source.database.faults import fault_of
from odoo_shadow.source.database.moment import Moment, begin_moment
from odoo_shadow.text.log import logger

log = logger(__name__)

_LEVEL = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; "
_SETTINGS = "; ".join(
    f"SET LOCAL {setting} TO {value}"
    for setting, value in {
        # Odoo's tables are named with their schema, so that nobody else's functions are called.
        "search_path": "pg_catalog, pg_temp",
        "client_encoding": "'UTF8'",
        "datestyle": "'ISO'",
        "timezone": "'UTC'",
        "intervalstyle": "'postgres'",
        "bytea_output": "'hex'",
        "extra_float_digits": "1",
        "standard_conforming_strings": "on",
        "transform_null_equals": "off",
        # Rows that a policy hides are an error, not a smaller table.
        "row_security": "off",
        "statement_timeout": "0",
        "lock_timeout": "'30s'",
        "idle_in_transaction_session_timeout": "'10min'",
    }.items()
)
_FROM_17_ON = "; SET LOCAL transaction_timeout TO 0"
_WITH_TRANSACTION_TIMEOUT = 170000


@dataclass(frozen=True)
class Transaction:
    """An open transaction on Odoo's database."""

    cursor: psycopg.Cursor[TupleRow]
    schema: str

    def run(self, template: LiteralString, **parts: object) -> list[TupleRow]:
        """Run one statement and return its rows.

        :param parts: what replaces the template's braces: `sql.Composable` as it is, anything else as a quoted value.
        """
        self.cursor.execute(sql.SQL(template).format(**parts))
        return self.cursor.fetchall()

    def odoos(self, table: str) -> sql.Identifier:
        """Return the qualified name of one of Odoo's tables."""
        return sql.Identifier(self.schema, table)


class Sessions:
    """Connections to Odoo's database, opened when needed and kept for the next transaction. Safe for threads."""

    def __init__(self, database: OdooDatabase) -> None:
        self.database = database
        self._idle: list[PgConnection] = []
        self._lock = threading.Lock()
        self._moment: Moment | None = None

    @contextmanager
    def transaction(self, model: str | None = None) -> Iterator[Transaction]:
        """Open a transaction. Raises an `OdooError`.

        :param model: whom messages name.
        """
        asked = str(self.database) if model is None else f"{self.database}: {model}"
        connection = self._taken()
        try:
            with connection.transaction(), connection.cursor() as cursor:
                moment = self.moment
                cursor.execute(_settings(connection.info.server_version, moment.snapshot if moment else None))
                yield Transaction(cursor, self.database.schema)
        except psycopg.Error as error:
            raise fault_of(asked, connection.info.user, error) from None
        finally:
            self._put_back(connection)

    @property
    def moment(self) -> Moment | None:
        """The moment as of which everything is read; None for the present."""
        with self._lock:
            moment = self._moment
            if moment is not None and (moment.is_over or _has_ended(moment.connection)):
                log.info("%s: what is read from now on is of a later moment than what was read before.", self.database)
                moment.end()
                self._moment = moment = None
        return moment

    @contextmanager
    def one_moment(self, at: datetime) -> Iterator[None]:
        """Read everything in the block as of one moment, if the server allows it, and for as long as is harmless."""
        moment = begin_moment(self._taken(), at)
        with self._lock:
            self._moment = moment
        try:
            yield
        finally:
            with self._lock:
                moment, self._moment = self._moment, None
            if moment is not None:
                moment.end()

    def close(self) -> None:
        """Close the connections that are not in use."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _taken(self) -> PgConnection:
        while (idle := self._pop()) is not None:
            if not _has_ended(idle):
                return idle
            idle.close()
        try:
            connection = self.database.connect()
        except psycopg.Error as error:
            raise connect_error(self.database.subject, error) from None
        connection.prepare_threshold = None
        return connection

    def _pop(self) -> PgConnection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _put_back(self, connection: PgConnection) -> None:
        status = psycopg.pq.TransactionStatus.IDLE
        if connection.closed or connection.broken or connection.info.transaction_status != status:
            connection.close()
            return
        with self._lock:
            self._idle.append(connection)


def _has_ended(connection: PgConnection) -> bool:
    """Say whether the server has ended an idle connection: it sends nothing else without being asked."""
    if connection.closed:
        return True
    readable, _, _ = select([connection.fileno()], [], [], 0)
    return bool(readable)


def _settings(version: int, snapshot: str | None) -> str:
    import_it = f"SET TRANSACTION SNAPSHOT {sql.Literal(snapshot).as_string()}; " if snapshot else ""
    return _LEVEL + import_it + _SETTINGS + (_FROM_17_ON if version >= _WITH_TRANSACTION_TIMEOUT else "")
