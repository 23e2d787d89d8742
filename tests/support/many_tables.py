"""A mirror of many tables and a long history, written into the control tables without any Odoo."""

from __future__ import annotations

import psycopg
from psycopg import sql

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.install import ensure_base

_STATEMENTS = (
    """INSERT INTO {meta} (table_name, odoo_model, row_count, last_sync_at, created_at, proven_up_to, sync_errors)
    SELECT 'odoo_shadow_wide_' || n, 'wide.model.' || n, n * 37, now() - n * interval '1 second',
        now() - interval '100 days', now() - n * interval '1 minute', CASE WHEN n % 97 = 0 THEN 2 ELSE 0 END
    FROM generate_series(1, {tables}) n""",
    """INSERT INTO {watermark} (table_name, last_write_date, rows_synced)
    SELECT 'odoo_shadow_wide_' || n, now() - n * interval '7 seconds', n FROM generate_series(1, {tables}) n""",
    """INSERT INTO {log} (sync_run_id, table_name, started_at, completed_at, rows_inserted, rows_updated, rows_deleted,
        duration_ms, status, metadata)
    SELECT md5('run' || r)::uuid, 'odoo_shadow_wide_' || n, at, at + interval '1 second',
        (n * r) % 23, (n * r) % 11, (n + r) % 2, 900 + n,
        CASE WHEN n % 97 = 0 AND r < 2 THEN 'error' ELSE 'success' END,
        CASE WHEN n % 3 = 0 THEN '{{}}'::jsonb ELSE '{{"unchanged": true}}'::jsonb END
    FROM (SELECT r, now() - r * interval '4 hours' AS at FROM generate_series({days} * 6, 0, -1) r) runs,
        generate_series(1, {tables}) n""",
    """INSERT INTO {verification} (run_id, table_name, kind, started_at, completed_at, duration_ms, rows_compared,
        missing, extra, stale, differing, repaired)
    SELECT md5('verify' || w)::uuid, 'odoo_shadow_wide_' || n, 'full', at, at, 400, n * 37, 0, 0, 0,
        CASE WHEN n % 101 = 0 THEN 3 ELSE 0 END, CASE WHEN n % 202 = 0 THEN 3 ELSE 0 END
    FROM (SELECT w, now() - w * interval '7 days' AS at FROM generate_series({days} / 7, 0, -1) w) weeks,
        generate_series(1, {tables}) n""",
    """INSERT INTO {field} (table_name, column_name, field_name, odoo_type, column_type, label)
    SELECT 'odoo_shadow_wide_1', 'column_' || n, 'column_' || n, 'char', 'text', 'Label ' || n
    FROM generate_series(1, 60) n""",
    """INSERT INTO {schema_log} (table_name, change, column_name, new_type, changed_at)
    SELECT 'odoo_shadow_wide_' || n, 'column added', 'x_new', 'text', now() - n * interval '3 hours'
    FROM generate_series(1, {tables}) n""",
)


def fill_with_tables(url: str, schema: str, *, tables: int, days: int) -> None:
    """Fill a schema that holds nothing yet: a run every four hours, a verification each week."""
    with ShadowDatabase.from_url(url, schema=schema) as shadow, shadow.transaction() as tx:
        ensure_base(tx)
    names = ("meta", "watermark", "sync_log", "verification", "field", "schema_log")
    parts = {name.removeprefix("sync_"): sql.Identifier(schema, f"odoo_shadow_{name}") for name in names}
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in _STATEMENTS:
            connection.execute(sql.SQL(statement).format(tables=sql.Literal(tables), days=sql.Literal(days), **parts))
        connection.execute("ANALYZE")
