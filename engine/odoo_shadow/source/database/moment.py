"""One snapshot for many transactions, so that an invoice and its lines are of the same moment.

PostgreSQL keeps it as long as the transaction that exported it is open. Meanwhile VACUUM cannot remove what the
snapshot still sees, in no table: so it ends by itself after `LONGEST`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import psycopg

from odoo_shadow.source.database.connection import PgConnection
from odoo_shadow.text.log import logger

log = logger(__name__)

LONGEST = timedelta(minutes=10)

_BEGIN = (
    "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;"
    " SET LOCAL idle_in_transaction_session_timeout TO 0; SET LOCAL statement_timeout TO 0;"
    " SET LOCAL client_encoding TO 'UTF8'"  # in that of SQL_ASCII, texts would arrive as bytes
)


@dataclass
class Moment:
    """An exported snapshot.

    :param at: whatever was committed before that is seen.
    :param snapshot: its name in PostgreSQL.
    """

    at: datetime
    snapshot: str
    connection: PgConnection
    ends: float = field(default_factory=lambda: time.monotonic() + LONGEST.total_seconds())

    @property
    def is_over(self) -> bool:
        """Whether it has lasted long enough, or the server has ended it."""
        return time.monotonic() > self.ends or self.connection.closed or self.connection.broken

    def end(self) -> None:
        """Let go of the snapshot."""
        self.connection.close()


def begin_moment(connection: PgConnection, at: datetime) -> Moment | None:
    """Export a snapshot; None, and the connection closed, where the server, or a pooler before it, does not let it.

    :param at: read from the server before this.
    """
    try:
        connection.autocommit = True  # the transaction begins and ends as written here
        connection.execute(_BEGIN)
        rows = connection.execute("SELECT pg_export_snapshot()").fetchall()
    except psycopg.Error as error:
        connection.close()
        log.info(
            "Tables are not read as of one moment, since the server exports no snapshot (%s).", type(error).__name__
        )
        return None
    return Moment(at, str(rows[0][0]), connection)
