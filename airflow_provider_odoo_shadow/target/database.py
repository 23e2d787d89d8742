"""The connection to the shadow database: one transaction at a time, nothing kept in the session.

So everything works through a transaction pooler (Supabase's port 6543, PgBouncer): no server-side prepared statements,
no session settings, no session locks, temporary tables only within a transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import LiteralString, Self, TypeAlias

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow

from airflow_provider_odoo_shadow.target.errors import connect_error, statement_error
from airflow_provider_odoo_shadow.text.log import logger
from airflow_provider_odoo_shadow.text.redaction import protect_url

log = logger(__name__)

DEFAULT_SCHEMA = "odoo_shadow"

KEEPALIVES = {
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""libpq's parameters that find out within about a minute that the other side is gone; unset, a run hangs for hours."""

# Moments are read as psycopg can, whatever the database or the role has set. A writer that vanishes in a transaction
# gives its locks back before its lease ends, and nobody waits for a lock without a word.
_SETTINGS = (
    "SET LOCAL datestyle TO 'ISO'; SET LOCAL timezone TO 'UTC'; SET LOCAL lock_timeout TO '30s';"
    " SET LOCAL idle_in_transaction_session_timeout TO '60s'; SET LOCAL tcp_keepalives_idle TO 30;"
    " SET LOCAL tcp_keepalives_interval TO 10; SET LOCAL tcp_keepalives_count TO 3"
)

PgConnection: TypeAlias = psycopg.Connection[TupleRow]
Connect: TypeAlias = Callable[[], PgConnection]


@dataclass(frozen=True)
class Transaction:
    """An open transaction on the shadow database.

    :param schema: the mirror's schema.
    """

    cursor: psycopg.Cursor[TupleRow]
    schema: str

    def run(self, template: LiteralString, **parts: object) -> list[TupleRow]:
        """Run one statement and return its rows.

        :param parts: what stands in the template's braces: `sql.Composable` as it is, anything else as a quoted value.
            Values never travel as parameters, since a `%` in an identifier would then count as a placeholder.
        """
        self.cursor.execute(sql.SQL(template).format(**parts))
        return self.cursor.fetchall() if self.cursor.description else []

    def run_all(self, statements: Sequence[sql.Composed]) -> None:
        """Run statements that return nothing, in one go: each way to the server and back takes its time."""
        if statements:
            self.cursor.execute(sql.SQL(";\n").join(statements))

    def own(self, table: str) -> sql.Identifier:
        """Return the qualified name of a table or function in the mirror's schema."""
        return sql.Identifier(self.schema, table)


class ShadowDatabase:
    """A PostgreSQL database that holds a mirror's schema.

    :param connect: opens a psycopg 3 connection.
    :param name: how messages call it: the Airflow connection id, or where the address came from.
    """

    def __init__(self, connect: Connect, *, schema: str = DEFAULT_SCHEMA, name: str = "shadow") -> None:
        self._connect = connect
        self._connection: PgConnection | None = None
        self.schema = schema
        self.name = name

    @classmethod
    def from_url(cls, url: str, *, schema: str = DEFAULT_SCHEMA, name: str = "SUPABASE_DB_URL") -> Self:
        """Use a PostgreSQL URL or conninfo string."""
        protect_url(url)

        def connect() -> PgConnection:
            own = {"application_name": "odoo-shadow", "connect_timeout": "10", **KEEPALIVES}
            return psycopg.connect(make_conninfo("", **{**own, **conninfo_to_dict(url)}))

        return cls(connect, schema=schema, name=name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a transaction; commit it at the end, or roll it back. Raises a `ShadowError`."""
        connection = self._opened()
        role = connection.info.user
        try:
            with connection.transaction(), connection.cursor() as cursor:
                cursor.execute(_SETTINGS)
                yield Transaction(cursor, self.schema)
        except psycopg.Error as error:
            if connection.closed or connection.broken:
                self._connection = None
            raise statement_error(self.name, role, error) from None

    @contextmanager
    def trial(self) -> Iterator[Transaction]:
        """Open a transaction that leaves no trace: it is always rolled back. Raises a `ShadowError`."""
        with self.transaction() as tx:
            yield tx
            raise psycopg.Rollback

    def _opened(self) -> PgConnection:
        if self._connection is None:
            try:
                self._connection = self._connect()
            except psycopg.Error as error:
                raise connect_error(self.name, error) from None
            self._connection.prepare_threshold = None
        return self._connection
