"""Keeps tables from being written anew while they are read.

TRUNCATE and those ALTER TABLE that write a table anew are not MVCC-safe: whoever has taken a snapshot before, and reads
the table after, finds it empty (PostgreSQL 15 to 18, "Caveats" of its chapter on concurrency). A read that waits for
the upgrade of a module would be such a one. So the lock of reading, which every SELECT takes, is taken before the
snapshot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

AT_ONCE = timedelta(seconds=0.5)
"""How long a transaction waits for a lock before it lets go of all that it has, and begins anew. Whoever waits for
longer than `deadlock_timeout`, by default a second, looks for a deadlock, and ends if there is one: that must never be
the upgrade, as it would be if it met one who waits as well."""

PARTS: LiteralString = (
    "WITH RECURSIVE part (oid) AS (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = {schema} AND c.relname = ANY({names}::name[])"
    " UNION SELECT i.inhrelid FROM pg_inherits i JOIN part ON i.inhparent = part.oid) "
)
"""The beginning of a statement on tables with their partitions and heirs."""

_OLDER: LiteralString = (
    "SELECT (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = {schema} AND c.relname = ANY({names}::name[])) < {number} OR EXISTS ("
    "SELECT FROM part JOIN pg_class c USING (oid) WHERE c.relkind IN ('r', 'm') AND c.relfilenode <> 0"
    " AND c.relfilenode IS DISTINCT FROM pg_relation_filenode(c.oid))"
)


@dataclass(frozen=True)
class Relations:
    """Tables and views that are read together.

    :param tables: what can be locked.
    :param has_views: whether some of these are views, of which PostgreSQL does not tell what they read.
    """

    tables: tuple[str, ...] = ()
    has_views: bool = False


NOTHING = Relations()


def lock(cursor: psycopg.Cursor[TupleRow], schema: str, relations: Relations) -> None:
    """Take the lock of reading. Raises `LockNotAvailable` after `AT_ONCE`."""
    if relations.tables:
        names = sql.SQL(", ").join(sql.Identifier(schema, name) for name in relations.tables)
        cursor.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(names))


def are_newer_than_snapshot(cursor: psycopg.Cursor[TupleRow], schema: str, names: Sequence[str]) -> bool:
    """Say whether locked tables were made, or written anew, since the transaction's snapshot was taken."""
    if not names:
        return False
    query = sql.SQL(PARTS + _OLDER).format(schema=schema, names=list(names), number=len(set(names)))
    return bool(cursor.execute(query).fetchall()[0][0])
