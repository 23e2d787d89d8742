"""The connection to the shadow database: one transaction at a time, nothing kept in the session.

Every transaction sets what it relies on itself, above all the search path: functions that others created in `public`
must not be called with the sync's rights.

So everything works through a transaction pooler (Supabase's port 6543, PgBouncer): no server-side prepared statements,
no session settings, no session locks, temporary tables only within a transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import LiteralString, Self, TypeAlias

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from odoo_shadow.postgres.address import read_address
from odoo_shadow.postgres.errors import connect_error
from odoo_shadow.postgres.transport import KEEPALIVES, protected
from odoo_shadow.shadow.connection.circumstances import check_server, explained_by_server
from odoo_shadow.shadow.errors import ShadowConfigurationError, shadow_called, statement_error
from odoo_shadow.shadow.names import INTERNAL_ENDING, LONGEST_NAME, as_stored, internal_schema
from odoo_shadow.shadow.trust import NOBODY_ELSE, Trust
from odoo_shadow.text.log import logger
from odoo_shadow.text.redaction import protect_url

log = logger(__name__)

DEFAULT_SCHEMA = "odoo_shadow"

SEARCH_PATH = "pg_catalog, pg_temp"
"""Where unqualified names are looked up: PostgreSQL's own, and last this transaction's staging table."""

LOCK_TIMEOUT = "30s"
"""How long a statement waits for a lock."""

_BEGINNINGS = 5
"""How often a transaction is begun before it is given up."""

_SETTINGS = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; " + "; ".join(
    f"SET LOCAL {setting} TO {value}"
    for setting, value in {
        # An index or a changed column of a large table takes its time; keepalives detect a lost connection. First,
        # since until then a limit counts that somebody else may have left in a pooler's session.
        "statement_timeout": "0",
        "search_path": SEARCH_PATH,
        "client_encoding": "'UTF8'",
        # How values are written as text, whatever the database or the role has set.
        "datestyle": "'ISO'",
        "timezone": "'UTC'",
        "intervalstyle": "'postgres'",
        "bytea_output": "'hex'",
        "extra_float_digits": "1",
        "quote_all_identifiers": "off",
        "standard_conforming_strings": "on",
        "transform_null_equals": "off",
        "array_nulls": "on",
        # Rows are upserted, which tables with another access method, such as columnar ones, do not support.
        "default_table_access_method": "heap",
        # Compiling a statement over a hundred columns takes longer than it saves.
        "jit": "off",
        # A writer that vanishes in a transaction releases its locks before its lease ends, and no wait for a lock goes
        # unreported.
        "lock_timeout": f"'{LOCK_TIMEOUT}'",
        "idle_in_transaction_session_timeout": "'60s'",
        "tcp_keepalives_idle": "30",
        "tcp_keepalives_interval": "10",
        "tcp_keepalives_count": "3",
    }.items()
)

# A table whose rows a policy hides from the sync's role is an error, not a smaller table. Readers see what policies let
# them see: those are the roles that may not use the internal schema.
_ROW_SECURITY: LiteralString = (
    "; SELECT set_config('row_security', CASE WHEN EXISTS (SELECT FROM pg_namespace"
    " WHERE nspname = {internal} AND NOT has_schema_privilege(oid, 'USAGE')) THEN 'on' ELSE 'off' END, true)"
)
_FROM_17_ON = "; SET LOCAL transaction_timeout TO 0"
_WITH_TRANSACTION_TIMEOUT = 170000

PgConnection: TypeAlias = psycopg.Connection[TupleRow]
Connect: TypeAlias = Callable[[], PgConnection]


@dataclass(frozen=True)
class Place:
    """Where a database is.

    :param host: a folder if the connection goes through a socket there.
    """

    host: str
    port: int
    database: str


@dataclass(frozen=True)
class Transaction:
    """An open transaction on the shadow database.

    :param schema: the mirror's schema.
    :param trust: whose objects may be used, in addition to the role's own.
    """

    cursor: psycopg.Cursor[TupleRow]
    schema: str
    trust: Trust = NOBODY_ELSE
    _last: dict[str, sql.Composed] = field(default_factory=dict, repr=False)

    def run(self, template: LiteralString, **parts: object) -> list[TupleRow]:
        """Run one statement and return its rows.

        :param parts: what replaces the template's braces: `sql.Composable` as it is, anything else as a quoted value.
            Values are never sent as parameters, since a `%` in an identifier would then count as a placeholder.
        """
        self.cursor.execute(sql.SQL(template).format(**parts))
        return self.cursor.fetchall() if self.cursor.description else []

    def run_all(self, statements: Sequence[sql.Composed]) -> None:
        """Run statements that return nothing, in one round trip."""
        if statements:
            self.cursor.execute(sql.SQL(";\n").join(statements))

    def run_last(self, key: str, statement: sql.Composed) -> None:
        """Run a statement at the end, once per key: it locks what others wait for no longer than needed.

        All transactions run such statements in the order of their keys, so that there is no deadlock.
        """
        self._last[key] = statement

    def run_all_last(self) -> None:
        """Run what is to be run at the end."""
        self.run_all([self._last[key] for key in sorted(self._last)])

    def own(self, table: str) -> sql.Identifier:
        """Return the qualified name of a table or function in the mirror's schema."""
        return sql.Identifier(self.schema, table)

    def internal(self, table: str) -> sql.Identifier:
        """Return the qualified name of a table that only the sync's role may use."""
        return sql.Identifier(internal_schema(self.schema), table)


def check_schema(schema: object) -> None:
    """Check the name of a schema that a person chose for a mirror.

    :raises ShadowConfigurationError: it cannot be the schema of a mirror.
    """
    if not isinstance(schema, str) or not schema.strip():
        raise ShadowConfigurationError(f"A schema must have a name: choose one, such as {DEFAULT_SCHEMA}.")
    stored, reason = as_stored(schema), None
    if stored != schema:
        reason = f"its name is longer than {LONGEST_NAME} bytes, which PostgreSQL would cut"
    elif not schema.isprintable():
        reason = "its name contains invisible characters"
    elif stored.startswith("pg_") or stored == "information_schema":
        reason = "PostgreSQL reserves this name"
    elif stored.endswith(INTERNAL_ENDING):
        reason = f"names that end in {INTERNAL_ENDING} are reserved for the schemas that only the sync's role may see"
    if reason is not None:
        raise ShadowConfigurationError(f"Schema '{schema}' cannot hold a mirror: {reason}.")


class ShadowDatabase:
    """A PostgreSQL database that holds a mirror's schema.

    :param connect: opens a psycopg 3 connection.
    :param name: how messages call it: the Airflow connection id, or where the address came from.
    :param trust: whose objects may be used, in addition to the role's own.
    :ivar place: where the newest connection led to; None before the first.
    """

    place: Place | None = None

    def __init__(
        self, connect: Connect, *, schema: str = DEFAULT_SCHEMA, name: str = "shadow", trust: Trust = NOBODY_ELSE
    ) -> None:
        self._connect = connect
        self._connection: PgConnection | None = None
        check_schema(schema)
        self.schema = as_stored(schema)
        self.name = name
        self.trust = trust

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        schema: str = DEFAULT_SCHEMA,
        name: str = "SUPABASE_DB_URL",
        trust: Trust = NOBODY_ELSE,
    ) -> Self:
        """Use a PostgreSQL URL or conninfo string; TLS is demanded of other machines, unless it says otherwise."""
        protect_url(url)
        called = shadow_called(name)

        def connect() -> PgConnection:
            own = {"application_name": "odoo-shadow", "connect_timeout": "10", **KEEPALIVES}
            given = read_address(called, url, schema)
            return psycopg.connect(make_conninfo("", **{**own, **protected(called, given)}))

        return cls(connect, schema=schema, name=name, trust=trust)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def another(self) -> ShadowDatabase:
        """Return the same database with a connection of its own, for another thread."""
        return ShadowDatabase(self._connect, schema=self.schema, name=self.name, trust=self.trust)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a transaction; commit it at the end, or roll it back. Raises a `ShadowError`."""
        role = self._opened().info.user
        try:
            with self._begun() as cursor:
                tx = Transaction(cursor, self.schema, self.trust)
                yield tx
                tx.run_all_last()
        except psycopg.Error as error:
            connection = self._connection
            if connection is not None and (connection.closed or connection.broken):
                self._connection = connection = None
            explained = connection and explained_by_server(self.name, connection, self.schema, error)
            raise explained or statement_error(self.name, role, error) from None

    @contextmanager
    def _begun(self) -> Iterator[psycopg.Cursor[TupleRow]]:
        """Begin a transaction with its settings; once more if the server cancels that, since nothing has run by then.

        Until they are set, a limit of time counts that somebody else left in a pooler's session. A connection that was
        lost is an error instead: another server may answer next time, which lacks what this one had.
        """
        with ExitStack() as opened:
            for left in reversed(range(_BEGINNINGS)):
                connection = self._opened()
                try:
                    with ExitStack() as beginning:
                        beginning.enter_context(connection.transaction())
                        cursor = beginning.enter_context(connection.cursor())
                        cursor.execute(_settings(connection.info.server_version, self.schema))
                        opened.enter_context(beginning.pop_all())
                        break
                except errors.QueryCanceled:
                    self.close()  # psycopg still counts a transaction whose BEGIN was cancelled
                    if not left:
                        raise
            yield cursor

    @contextmanager
    def trial(self) -> Iterator[Transaction]:
        """Open a transaction that leaves no trace: it is always rolled back. Raises a `ShadowError`."""
        with self.transaction() as tx:
            yield tx
            raise psycopg.Rollback

    def _opened(self) -> PgConnection:
        if self._connection is None:
            try:
                connection = self._connect()
            except psycopg.Error as error:
                raise connect_error(shadow_called(self.name), error) from None
            try:
                check_server(self.name, connection)
            except ShadowConfigurationError:
                connection.close()
                raise
            connection.prepare_threshold = None
            self._connection = connection
            self.place = Place(connection.info.host, connection.info.port, connection.info.dbname)
        return self._connection


def _settings(version: int, schema: str) -> str:
    row_security = sql.SQL(_ROW_SECURITY).format(internal=internal_schema(schema)).as_string()
    return _SETTINGS + row_security + (_FROM_17_ON if version >= _WITH_TRANSACTION_TIMEOUT else "")
