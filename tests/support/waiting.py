"""Two sessions that meet: wait until PostgreSQL says that one stands behind the other."""

from __future__ import annotations

import time

import psycopg


def wait_until_blocked(url: str, count: int = 1, *, seconds: int = 10) -> None:
    """Return when so many sessions of this database wait for a lock."""
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(seconds * 100):
            ((waiting,),) = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"
            ).fetchall()
            if waiting >= count:
                return
            time.sleep(0.01)
    raise AssertionError(f"{count} sessions should have come to wait for a lock")
