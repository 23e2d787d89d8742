"""Sends statements to PostgreSQL and waits no longer than agreed, even if neither it nor the network ends them."""

from __future__ import annotations

import os
import select
import socket
import time
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from psycopg import pq

from odoo_shadow.knowledge.mcp.errors import RefusedError
from odoo_shadow.knowledge.mcp.limits import Limits

_CANCELLED = b"57014"
"""How PostgreSQL reports that a statement was cancelled, or that its time was up."""

_GRACE = 3.0
"""Seconds in which a cancelled statement has to end, before the connection is cut off."""


@dataclass
class Exchange:
    """Statements on one connection, all within one time.

    :param connection: used for nothing else meanwhile; whoever opened it closes it.
    :param ends_at: by `time.monotonic`.
    """

    connection: psycopg.Connection[tuple[object, ...]]
    limits: Limits
    ends_at: float

    @classmethod
    def begin(cls, connection: psycopg.Connection[tuple[object, ...]], limits: Limits) -> Exchange:
        """Begin: the time runs."""
        return cls(connection, limits, time.monotonic() + limits.seconds)

    def prepare(self, statement: str) -> pq.abc.PGresult:
        """Let PostgreSQL parse one statement without running it, and return the description of its columns.

        :raises psycopg.Error: it cannot be parsed, or is more than one.
        :raises RefusedError: it took too long.
        """
        pgconn = self.connection.pgconn
        pgconn.send_prepare(b"", statement.encode())
        self._receive()
        pgconn.send_describe_prepared(b"")
        return self._receive()

    def run(self, statement: str) -> pq.abc.PGresult:
        """Run one statement, and return what it answers as text.

        :raises psycopg.Error: PostgreSQL refuses it.
        :raises RefusedError: it took too long.
        """
        # With parameters, even none: only then PostgreSQL takes no second statement.
        self.connection.pgconn.send_query_params(statement.encode(), None)
        return self._receive()

    def _receive(self) -> pq.abc.PGresult:
        pgconn, ends_at, is_cancelled = self.connection.pgconn, self.ends_at, False
        results: list[pq.abc.PGresult] = []
        pgconn.flush()
        while True:
            while not pgconn.is_busy():
                result = pgconn.get_result()
                if result is None:
                    return self._checked(results[-1], is_cancelled=is_cancelled)
                results.append(result)
            left = ends_at - time.monotonic()
            if left > 0:
                if select.select([pgconn.socket], [], [], left)[0]:
                    pgconn.consume_input()
            elif is_cancelled:
                self._cut_off()
            else:
                is_cancelled, ends_at = True, time.monotonic() + _GRACE
                with suppress(psycopg.Error):  # then it is cut off
                    self.connection.cancel_safe(timeout=_GRACE)

    def _checked(self, result: pq.abc.PGresult, *, is_cancelled: bool) -> pq.abc.PGresult:
        if result.status in {pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE}:
            if is_cancelled or result.error_field(pq.DiagnosticField.SQLSTATE) == _CANCELLED:
                raise RefusedError(_too_slow(self.limits))
            if result.error_field(pq.DiagnosticField.SQLSTATE) is None:  # libpq's own, not the server's
                raise psycopg.OperationalError("it broke off while a statement ran")
            raise psycopg.errors.error_from_result(result, encoding="utf-8")
        return result

    def _cut_off(self) -> None:
        with socket.socket(fileno=os.dup(self.connection.pgconn.socket)) as beside:
            beside.shutdown(socket.SHUT_RDWR)
        self.connection.pgconn.finish()
        raise RefusedError(_too_slow(self.limits))


def _too_slow(limits: Limits) -> str:
    return (
        f"The statement took longer than {limits.seconds:g} seconds: ask a mart, filter by indexed columns (id, "
        "_odoo_write_date), or aggregate fewer rows."
    )
