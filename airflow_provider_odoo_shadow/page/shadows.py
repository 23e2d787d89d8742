"""Reads shadow databases for the page, within bounds: none of them, dead or slow, may hold up Airflow's API server.

A read runs in a thread of its own, one of a few. A connection has some of them to itself, so that one that does not
answer leaves the others alone. When time is up, the socket is shut down under the thread, since a server that has
accepted a connection and says nothing is beyond any timeout of PostgreSQL.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, TypeVar

from airflow_provider_odoo_shadow.hooks.shadow import shadow_database
from airflow_provider_odoo_shadow.page.mirrors import FoundMirror
from odoo_shadow.postgres.transport import KEEPALIVES
from odoo_shadow.shadow.connection.database import PgConnection, Transaction
from odoo_shadow.shadow.errors import ShadowConfigurationError, ShadowUnreachableError
from odoo_shadow.text.errors import ShownError, class_of

LANES = 8
"""Groups of threads; further connections share them."""
THREADS_PER_LANE = 2
CONNECT_SECONDS = 3
STATEMENT_SECONDS = 5
SECONDS = 6.0
"""For all of a read, waiting for its turn included."""

_PARAMETERS = {**KEEPALIVES, "connect_timeout": str(CONNECT_SECONDS)}
_SETTINGS = (
    "SET TRANSACTION READ ONLY; "
    f"SET LOCAL statement_timeout TO '{STATEMENT_SECONDS}s'; SET LOCAL lock_timeout TO '{CONNECT_SECONDS}s'"
)

T = TypeVar("T")


class ShadowReaders:
    """The threads that read shadow databases for one application."""

    def __init__(self) -> None:
        self._lanes = [
            ThreadPoolExecutor(THREADS_PER_LANE, thread_name_prefix=f"odoo-shadow-page-{lane}") for lane in range(LANES)
        ]
        self._lane_of: dict[str, int] = {}

    async def read(self, mirror: FoundMirror, work: Callable[[Transaction], T]) -> T:
        """Return what `work` reads in a transaction that cannot write.

        :raises ShownError: why it cannot be read, in one sentence.
        """
        reading = _Reading(mirror, work)
        lane = self._lane_of.setdefault(mirror.postgres_conn_id, len(self._lane_of) % LANES)
        try:
            async with asyncio.timeout(SECONDS):
                return await asyncio.wrap_future(self._lanes[lane].submit(reading.run))
        except TimeoutError:
            reading.break_off()
            raise ShadowUnreachableError(
                f"Shadow database '{mirror.postgres_conn_id}' has not answered within {SECONDS:.0f} seconds: check "
                "whether it is up and reachable from Airflow's API server."
            ) from None


class _Reading(Generic[T]):
    """One read, which another thread may break off."""

    def __init__(self, mirror: FoundMirror, work: Callable[[Transaction], T]) -> None:
        self._mirror = mirror
        self._work = work
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_broken_off = False

    def run(self) -> T:
        """Read; in a thread of its own."""
        mirror = self._mirror
        try:
            database = shadow_database(
                mirror.postgres_conn_id, mirror.schema, mirror.trust, parameters=_PARAMETERS, opened=self._opened
            )
            with database, database.transaction() as tx:
                tx.cursor.execute(_SETTINGS)
                return self._work(tx)
        except ShownError:
            raise
        except Exception as error:
            if self._socket is not None:
                raise
            # Airflow's lookup of connections and its secrets backends: their messages may contain anything.
            raise ShadowConfigurationError(
                f"Airflow connection '{mirror.postgres_conn_id}' cannot be used ({class_of(error)}): look at it under "
                "Admin > Connections."
            ) from error
        finally:
            self._closed()

    def break_off(self) -> None:
        """End the connection under whatever waits for it."""
        with self._lock:
            self._is_broken_off = True
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def _opened(self, connection: PgConnection) -> None:
        with self._lock:
            self._socket = socket.socket(fileno=os.dup(connection.fileno()))
        if self._is_broken_off:
            self.break_off()

    def _closed(self) -> None:
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None
