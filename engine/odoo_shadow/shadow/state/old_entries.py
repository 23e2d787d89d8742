"""Removes old entries of the run log, the schema log and the verifications, but never what is read later.

These stay, whatever their age:

- each table's last log entry, by which `verify` knows a model that is not installed, its last good one, the last one of
  a run that mirrored it, by which it is fresh or not, and the last one that wrote rows, which may still have to be
  announced;
- each table's last verification of each kind, which `status` tells, and its last change;
- all of a run that is under way, or that was at a time of which everything is kept: its end reads its own entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import MIRROR, SCHEMA_LOG, SYNC_DETAIL, SYNC_LOG, VERIFICATION
from odoo_shadow.shadow.state.announced import HAS_WRITTEN
from odoo_shadow.shadow.state.sync_log import CLOSING

# The oldest entries are looked at in the order of their index, so many at once: what stays of them is found by indexes,
# too, and is passed over by the next look.
_OLDEST: LiteralString = """oldest AS MATERIALIZED (
    SELECT id, {moment} AS moment, {columns} FROM {table}
    WHERE {moment} < now() - {age} AND ({moment}, id) > ({after}, {after_id}) ORDER BY {moment}, id LIMIT {most}
)"""
_ALIVE: LiteralString = """EXISTS (SELECT FROM {log} r WHERE r.sync_run_id = o.run
    AND (r.status = 'running' OR r.started_at >= now() - {age} OR r.completed_at >= now() - {age}))"""

_LOG: LiteralString = """WITH {oldest},
alive AS MATERIALIZED (SELECT run FROM (SELECT DISTINCT run FROM oldest) AS o WHERE {alive}),
last AS MATERIALIZED (
    SELECT n.id FROM (SELECT DISTINCT table_name FROM oldest) AS o CROSS JOIN LATERAL
    (SELECT id FROM {log} l WHERE l.table_name = o.table_name ORDER BY id DESC LIMIT 1) n
    UNION ALL
    SELECT n.id FROM (SELECT DISTINCT table_name FROM oldest) AS o CROSS JOIN LATERAL
    (SELECT id FROM {log} l WHERE l.table_name = o.table_name AND l.status = 'success' ORDER BY id DESC LIMIT 1) n
    UNION ALL
    SELECT n.id FROM (SELECT DISTINCT table_name FROM oldest) AS o CROSS JOIN LATERAL
    (SELECT id FROM {log} l WHERE l.table_name = o.table_name AND ({written}) ORDER BY id DESC LIMIT 1) n
    UNION ALL
    SELECT n.id FROM (SELECT DISTINCT table_name FROM oldest) AS o CROSS JOIN LATERAL
    (SELECT id FROM {log} l WHERE l.table_name = o.table_name AND NOT l.metadata ? {closing}
    AND l.status IN ('success', 'error') ORDER BY id DESC LIMIT 1) n
),
gone AS MATERIALIZED (
    SELECT l.id FROM {log} l JOIN oldest o ON o.id = l.id WHERE l.status <> 'running'
    AND l.id NOT IN (SELECT id FROM last) AND o.run NOT IN (SELECT run FROM alive) FOR UPDATE OF l SKIP LOCKED
),
details AS (DELETE FROM {detail} WHERE log_id IN (SELECT id FROM gone)),
removed AS (DELETE FROM {log} WHERE id IN (SELECT id FROM gone) RETURNING id)
"""

_CHANGES: LiteralString = """WITH {oldest},
last AS MATERIALIZED (
    SELECT n.id FROM (SELECT DISTINCT table_name FROM oldest) AS o CROSS JOIN LATERAL
    (SELECT id FROM {changes} c WHERE c.table_name = o.table_name ORDER BY id DESC LIMIT 1) n
),
gone AS MATERIALIZED (
    SELECT c.id FROM {changes} c JOIN oldest o ON o.id = c.id
    WHERE c.id NOT IN (SELECT id FROM last) FOR UPDATE OF c SKIP LOCKED
),
removed AS (DELETE FROM {changes} WHERE id IN (SELECT id FROM gone) RETURNING id)
"""

_VERIFICATIONS: LiteralString = """WITH {oldest},
alive AS MATERIALIZED (
    SELECT run FROM (SELECT DISTINCT run FROM oldest) AS o WHERE {alive}
    OR EXISTS (SELECT FROM {found} r WHERE r.run_id = o.run AND r.completed_at >= now() - {age})
),
last AS MATERIALIZED (
    SELECT n.id FROM (SELECT DISTINCT table_name, kind FROM oldest) AS o CROSS JOIN LATERAL
    (SELECT id FROM {found} v WHERE v.table_name = o.table_name AND v.kind = o.kind ORDER BY id DESC LIMIT 1) n
),
gone AS MATERIALIZED (
    SELECT v.id FROM {found} v JOIN oldest o ON o.id = v.id
    WHERE v.id NOT IN (SELECT id FROM last) AND o.run NOT IN (SELECT run FROM alive) FOR UPDATE OF v SKIP LOCKED
),
removed AS (DELETE FROM {found} WHERE id IN (SELECT id FROM gone) RETURNING id)
"""

_LOOKED: LiteralString = """SELECT (SELECT count(*) FROM removed), count(*), max(moment),
    (array_agg(id ORDER BY moment DESC, id DESC))[1] FROM oldest"""


@dataclass(frozen=True)
class _Grows:
    """A control table that only grows.

    :param moment: the column that says how old an entry is.
    :param columns: what else decides whether it stays.
    """

    statement: LiteralString
    moment: LiteralString
    columns: LiteralString


_TABLES = {
    SYNC_LOG: _Grows(_LOG, "started_at", "table_name, sync_run_id AS run"),
    SCHEMA_LOG: _Grows(_CHANGES, "changed_at", "table_name"),
    VERIFICATION: _Grows(_VERIFICATIONS, "started_at", "table_name, kind, run_id AS run"),
}

TABLES = tuple(_TABLES)
"""The control tables that only grow."""


@dataclass(frozen=True)
class Looked:
    """How far the entries of a table have been looked at.

    :param removed: how many of the last ones were removed.
    :param is_end: whether there are no others that are old.
    """

    after: datetime
    after_id: int
    removed: int = 0
    is_end: bool = False


BEGINNING = Looked(datetime(1, 1, 2, tzinfo=UTC), 0)


def kept_days(tx: Transaction, given: int | None, otherwise: int) -> int:
    """Return how many days the logs are kept.

    :param given: what the mirrors file says; kept for runs that do not read it, for which it is None.
    :param otherwise: if no mirrors file has said so yet.
    """
    if given is None:
        ((kept,),) = tx.run("SELECT keep_log_days FROM {mirror}", mirror=tx.internal(MIRROR))
        return otherwise if kept is None else int(kept)
    tx.run(
        "UPDATE {mirror} SET keep_log_days = {given} WHERE keep_log_days IS DISTINCT FROM {given}",
        mirror=tx.internal(MIRROR),
        given=given,
    )
    return given


def remove_old(tx: Transaction, table: str, age: timedelta, looked: Looked, most: int) -> Looked:
    """Look at the next of the oldest entries of one of `TABLES`, and remove those of them that need not stay.

    :param age: entries that are not older are not looked at.
    :param looked: how far the look before has got.
    :param most: look at so many.
    """
    grows = _TABLES[table]
    parts: dict[str, sql.Composable] = {
        "log": tx.own(SYNC_LOG),
        "detail": tx.internal(SYNC_DETAIL),
        "changes": tx.own(SCHEMA_LOG),
        "found": tx.own(VERIFICATION),
        "age": sql.Literal(age),
        "written": sql.SQL(HAS_WRITTEN),
        "closing": sql.Literal(CLOSING),
    }
    oldest = sql.SQL(_OLDEST).format(
        table=tx.own(table),
        moment=sql.SQL(grows.moment),
        columns=sql.SQL(grows.columns),
        age=age,
        after=looked.after,
        after_id=looked.after_id,
        most=most,
    )
    statement = sql.SQL(grows.statement).format(**parts, oldest=oldest, alive=sql.SQL(_ALIVE).format(**parts))
    ((removed, number, moment, last_id),) = tx.run("{statement} {looked}", statement=statement, looked=sql.SQL(_LOOKED))
    if number < most:
        return Looked(looked.after, looked.after_id, removed, is_end=True)
    return Looked(moment, last_id, removed)
