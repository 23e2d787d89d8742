"""Connections to the Odoo database, one transaction at a time each."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from odoo_stand_in.orm import values


class Pool:
    """Connections that are opened when needed and kept for the next call."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._idle: list[psycopg.Connection[Any]] = []
        self._lock = threading.Lock()
        self._closed = False

    def _connect(self) -> psycopg.Connection[Any]:
        connection = psycopg.connect(self.dsn, prepare_threshold=None)
        # Odoo works in this isolation as well, its clients see concurrent updates retried.
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        values.adapt(connection)
        return connection

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection in a transaction: committed at the end, rolled back on any error."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        connection = connection or self._connect()
        try:
            with connection.transaction():
                yield connection
        except psycopg.OperationalError:
            if connection.broken:
                connection.close()
            raise
        finally:
            with self._lock:
                keep = not self._closed and not connection.closed
                if keep:
                    self._idle.append(connection)
            if not keep:
                connection.close()

    def close(self) -> None:
        """Close idle connections now and the others when they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def reopen(self) -> None:
        """Work again after `close`."""
        self._closed = False
