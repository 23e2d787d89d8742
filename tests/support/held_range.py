"""Stops a worker of a first load between two pages of its part, so that nothing depends on how fast it reads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

SECONDS_TO_GET_THERE = 240


@dataclass(frozen=True)
class HeldRange:
    """A range whose worker waits for this test: `after_id < id <= up_to_id`, read up to `last_id`."""

    after_id: int
    last_id: int
    up_to_id: int

    @property
    def left(self) -> int:
        """How many ids have not been read."""
        return self.up_to_id - self.last_id


@contextmanager
def held_range(shadow_url: str, schema: str, part: int, *, share: float) -> Iterator[HeldRange]:
    """Wait until a share of a part's ids has been read, then let its worker wait, until the block ends.

    :param share: such as 0.4, which leaves several pages unread.
    """
    deadline = time.monotonic() + SECONDS_TO_GET_THERE
    with psycopg.connect(shadow_url) as connection:
        while time.monotonic() < deadline:
            found = _lock(connection, schema, part)
            if found is not None and share <= 1 - found.left / (found.up_to_id - found.after_id) < 1:
                yield found
                return
            connection.rollback()
            time.sleep(0.01)
    raise AssertionError(f"part {part} has not got so far, or further")


def _lock(connection: psycopg.Connection[tuple[int, ...]], schema: str, part: int) -> HeldRange | None:
    place = sql.Identifier(f"{schema}_internal", "scan_range")
    ((known,),) = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [place.as_string()]).fetchall()
    if not known:
        return None
    asked = sql.SQL("SELECT coalesce(after_id, 0), coalesce(last_id, 0), up_to_id FROM {} WHERE part = %s FOR UPDATE")
    rows = connection.execute(asked.format(place), [part]).fetchall()
    return HeldRange(*rows[0]) if rows else None
