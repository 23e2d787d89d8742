"""Removes old entries of the run log, the schema log and the verifications, but never what is read later.

These stay, whatever their age:

- each table's last log entry, by which `verify` knows a model that is not installed, and its last good one;
- each table's last verification of each kind, which `status` tells, and its last change;
- all of a run that is under way, or that was at a time of which everything is kept: its end reads its own entries.
"""

from __future__ import annotations

from datetime import timedelta
from typing import LiteralString

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import SCHEMA_LOG, SYNC_DETAIL, SYNC_LOG, VERIFICATION

_LOG: LiteralString = """WITH old AS (
    SELECT l.id FROM {log} l WHERE l.started_at < now() - {age} AND l.status <> 'running'
    AND EXISTS (SELECT FROM {log} n WHERE n.table_name = l.table_name AND n.id > l.id)
    AND (l.status <> 'success' OR EXISTS
        (SELECT FROM {log} n WHERE n.table_name = l.table_name AND n.id > l.id AND n.status = 'success'))
    AND NOT EXISTS (SELECT FROM {log} r WHERE r.sync_run_id = l.sync_run_id
        AND (r.status = 'running' OR r.started_at >= now() - {age} OR r.completed_at >= now() - {age}))
    ORDER BY l.started_at LIMIT {most} FOR UPDATE SKIP LOCKED
),
details AS (DELETE FROM {detail} WHERE log_id IN (SELECT id FROM old))
DELETE FROM {log} WHERE id IN (SELECT id FROM old)"""

_CHANGES: LiteralString = """DELETE FROM {changes} WHERE id IN (
    SELECT c.id FROM {changes} c WHERE c.changed_at < now() - {age}
    AND EXISTS (SELECT FROM {changes} n WHERE n.table_name = c.table_name AND n.id > c.id)
    ORDER BY c.changed_at LIMIT {most} FOR UPDATE SKIP LOCKED)"""

_VERIFICATIONS: LiteralString = """DELETE FROM {found} WHERE id IN (
    SELECT v.id FROM {found} v WHERE v.started_at < now() - {age}
    AND EXISTS (SELECT FROM {found} n WHERE n.table_name = v.table_name AND n.kind = v.kind AND n.id > v.id)
    AND NOT EXISTS (SELECT FROM {found} r WHERE r.run_id = v.run_id AND r.completed_at >= now() - {age})
    AND NOT EXISTS (SELECT FROM {log} r WHERE r.sync_run_id = v.run_id
        AND (r.status = 'running' OR r.started_at >= now() - {age} OR r.completed_at >= now() - {age}))
    ORDER BY v.started_at LIMIT {most} FOR UPDATE SKIP LOCKED)"""

_STATEMENTS = {SYNC_LOG: _LOG, SCHEMA_LOG: _CHANGES, VERIFICATION: _VERIFICATIONS}

TABLES = tuple(_STATEMENTS)
"""The control tables that only grow."""


def remove_old(tx: Transaction, table: str, age: timedelta, most: int) -> int:
    """Remove the oldest entries of one of `TABLES` that are older than an age; return how many.

    :param most: no more than so many.
    """
    tx.run(
        _STATEMENTS[table],
        log=tx.own(SYNC_LOG),
        detail=tx.internal(SYNC_DETAIL),
        changes=tx.own(SCHEMA_LOG),
        found=tx.own(VERIFICATION),
        age=age,
        most=most,
    )
    return tx.cursor.rowcount
