"""Transactions on Odoo's own database: read-only, each with one snapshot, nothing kept in the session.

They take no lock beyond that of reading and write nothing, not even temporary tables: so they work on a replica, and
through a transaction pooler.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from select import select
from typing import LiteralString

import psycopg
from psycopg import errors as pg
from psycopg import sql
from psycopg.rows import TupleRow

from odoo_shadow.postgres.errors import connect_error, is_of_connection
from odoo_shadow.source.database.connection import OdooDatabase, PgConnection
from odoo_shadow.source.database.faults import fault_of
from odoo_shadow.source.database.locks import AT_ONCE, NOTHING, Relations, are_newer_than_snapshot, lock
from odoo_shadow.source.database.moment import Moment, begin_moment
from odoo_shadow.source.errors import OdooError, OdooServerError
from odoo_shadow.text.log import logger

log = logger(__name__)

_LEVEL = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; "
_SETTINGS = "; ".join(
    f"SET LOCAL {setting} TO {value}"
    for setting, value in {
        # First, since until then a limit counts that somebody else may have left in a pooler's session.
        "statement_timeout": "0",
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
        # Compiling a statement over a hundred columns takes longer than it saves: 0.4 s in each session.
        "jit": "off",
        "lock_timeout": f"'{AT_ONCE.total_seconds():g}s'",
        "idle_in_transaction_session_timeout": "'10min'",
    }.items()
)
LONGEST_WAIT = timedelta(seconds=30)
"""For whoever changes a table's columns, before a model is given up in this run."""
_PAUSE = 0.1
SHARED_WITHIN = timedelta(seconds=5)
"""For a second session to see what the first does."""

_PASSING = (pg.LockNotAvailable, pg.QueryCanceled)
"""What keeps a transaction from being begun for a while: a change of columns, a limit left in a pooler's session."""
_MOMENT_IS_OVER = (pg.InvalidParameterValue, pg.UndefinedObject, pg.ObjectNotInPrerequisiteState)
"""What PostgreSQL says of a snapshot whose exporter has ended."""

_POSITION: LiteralString = (
    "SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END"
    " - '0/0'::pg_lsn)::bigint"
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


class _BehindError(pg.LockNotAvailable):
    """The server is a replica that lacks what this run has seen of another one."""


@dataclass(frozen=True)
class _Lent:
    """A connection that is in use.

    :param role: as whom; once a connection is closed, it does not tell.
    """

    connection: PgConnection
    role: str
    was_idle: bool


class Sessions:
    """Connections to Odoo's database, opened when needed and kept for the next transaction. Safe for threads."""

    def __init__(self, database: OdooDatabase) -> None:
        self.database = database
        self._idle: list[PgConnection] = []
        self._lock = threading.Lock()
        self._moment: Moment | None = None
        self._reached = 0

    def read_no_earlier(self, position: int) -> None:
        """Take no server from now on that has not come so far in its log, as another replica behind a pooler may.

        What was told of the records must be true of what is read then.
        """
        with self._lock:
            self._reached = max(self._reached, position)

    @contextmanager
    def transaction(self, model: str | None = None, reads: Relations = NOTHING) -> Iterator[Transaction]:
        """Open a transaction. Raises an `OdooError`.

        :param model: whom messages name.
        :param reads: the tables whose rows are read, which nobody may write anew meanwhile.
        """
        asked = str(self.database) if model is None else f"{self.database}: {model}"
        lent = self._begun(asked, reads)
        try:
            with lent.connection.cursor() as cursor:
                yield Transaction(cursor, self.database.schema)
        except psycopg.Error as error:
            raise fault_of(asked, lent.role, error) from None
        finally:
            self._put_back(lent.connection)

    def _begun(self, asked: str, reads: Relations) -> _Lent:
        """Return a connection in a transaction; see `transaction`."""
        until = time.monotonic() + LONGEST_WAIT.total_seconds()
        while True:
            lent = self._taken()
            # What views read may have been written anew since the moment, and PostgreSQL does not tell.
            moment = None if reads.has_views else self.moment
            try:
                if self._begin(lent.connection, moment, reads):
                    return lent
                error = None
            except psycopg.Error as failed:
                error = failed
            self._put_back(lent.connection)
            if error is None or (moment is not None and isinstance(error, _MOMENT_IS_OVER)):
                self._end_moment()
            elif is_of_connection(error) and lent.was_idle:
                continue  # the server has ended it while nobody used it
            elif isinstance(error, _PASSING) and time.monotonic() < until:
                time.sleep(_PAUSE)
            elif isinstance(error, _BehindError):
                raise OdooServerError(
                    f"{asked}: the server at this address lacks what another one there had already: several "
                    "replicas, of which one lags: give the address of a single one."
                )
            else:
                raise fault_of(asked, lent.role, error) from None

    def _begin(self, connection: PgConnection, moment: Moment | None, reads: Relations) -> bool:
        """Begin a transaction; say whether tables can be read as of the moment."""
        with connection.cursor() as cursor:
            cursor.execute(_settings(connection.info.server_version, moment.snapshot if moment else None))
            lock(cursor, self.database.schema, reads)
            if moment is None and self._reached and position_in_log(cursor) < self._reached:
                raise _BehindError
            return moment is None or not are_newer_than_snapshot(cursor, self.database.schema, reads.tables)

    @property
    def moment(self) -> Moment | None:
        """The moment as of which everything is read; None for the present."""
        with self._lock:
            moment = self._moment
        if moment is not None and (moment.is_over or _has_ended(moment.connection)):
            self._end_moment()
            return None
        return moment

    def _end_moment(self) -> None:
        with self._lock:
            moment, self._moment = self._moment, None
        if moment is not None:
            log.info("%s: what is read from now on is of a later moment than what was read before.", self.database)
            moment.end()

    @contextmanager
    def one_moment(self, at: datetime) -> Iterator[None]:
        """Read everything in the block as of one moment, if the server allows it, and for as long as is harmless."""
        moment = begin_moment(self._taken().connection, at)
        if moment is not None and not self._is_shared(moment):
            log.info("%s: tables are not read as of one moment: a pooler has no second session for it.", self.database)
            moment.end()
            moment = None
        with self._lock:
            self._moment = moment
        try:
            yield
        finally:
            with self._lock:
                moment, self._moment = self._moment, None
            if moment is not None:
                moment.end()

    def _is_shared(self, moment: Moment) -> bool:
        """Find out whether a second session gets into a moment: a pooler with too few would let it wait for minutes."""
        is_in = threading.Event()

        def enter() -> None:
            with suppress(psycopg.Error, OdooError):
                lent = self._taken()
                try:
                    self._begin(lent.connection, moment, NOTHING)
                    is_in.set()
                finally:
                    self._put_back(lent.connection)

        thread = threading.Thread(target=enter, daemon=True)
        thread.start()
        thread.join(SHARED_WITHIN.total_seconds())  # who still waits then gets the session that the moment gives back
        return is_in.is_set()

    def close(self) -> None:
        """Close the connections that are not in use."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _taken(self) -> _Lent:
        while (idle := self._pop()) is not None:
            if not _has_ended(idle):
                return _Lent(idle, idle.info.user, was_idle=True)
            idle.close()
        try:
            connection = self.database.connect()
        except psycopg.Error as error:
            raise connect_error(self.database.subject, error) from None
        connection.prepare_threshold = None
        return _Lent(connection, connection.info.user, was_idle=False)

    def _pop(self) -> PgConnection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _put_back(self, connection: PgConnection) -> None:
        """End the transaction, whatever has come of it, and keep the connection if it is of use."""
        with suppress(psycopg.Error):
            connection.rollback()
        status = psycopg.pq.TransactionStatus.IDLE
        if connection.closed or connection.broken or connection.info.transaction_status != status:
            connection.close()
            return
        with self._lock:
            self._idle.append(connection)


def position_in_log(cursor: psycopg.Cursor[TupleRow]) -> int:
    """Return how far the server is in its log."""
    return int(cursor.execute(_POSITION).fetchall()[0][0] or 0)


def _has_ended(connection: PgConnection) -> bool:
    """Say whether the server has ended an idle connection: it sends nothing else without being asked."""
    if connection.closed:
        return True
    readable, _, _ = select([connection.fileno()], [], [], 0)
    return bool(readable)


def _settings(version: int, snapshot: str | None) -> str:
    import_it = f"SET TRANSACTION SNAPSHOT {sql.Literal(snapshot).as_string()}; " if snapshot else ""
    return _LEVEL + import_it + _SETTINGS + (_FROM_17_ON if version >= _WITH_TRANSACTION_TIMEOUT else "")
