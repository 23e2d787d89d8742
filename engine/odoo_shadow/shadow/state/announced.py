"""Which tables have rows that were written since somebody was last told of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import META, SYNC_LOG, TABLE_STATE, WATERMARK
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state.schema import lock_schema

HAS_WRITTEN = "l.rows_inserted + l.rows_updated + l.rows_deleted > 0 OR (l.status = 'error' AND l.duration_ms IS NULL)"
"""Of an entry `l` of the log."""


@dataclass(frozen=True)
class WrittenRows:
    """What was written to one table, by whatever run, since its rows were last announced.

    :param counts: without those of a run that was killed, which nobody counted.
    :param last_write_date: the table's watermark; None before its first load has ended.
    :param last_entry: the highest id of these entries of the log.
    :param last_started_at: when the last one of these runs began.
    """

    table: str
    model: str
    counts: RowCounts
    last_write_date: datetime | None
    last_entry: int
    last_started_at: datetime


def written_rows(
    tx: Transaction, models: Sequence[str] | None = None, *, run_id: UUID, again: Sequence[str] | None = ()
) -> list[WrittenRows]:
    """Return the tables with rows to announce, by model.

    :param models: only these; None for all.
    :param again: models whose rows of this run count although they were announced, None for all: of a task that failed
        nobody knows whether Airflow has heard of it.
    """
    rows = tx.run(
        "SELECT m.table_name, m.odoo_model, found.inserted, found.updated, found.deleted, w.last_write_date, found.id,"
        " found.started_at"
        " FROM {meta} m LEFT JOIN {state} s USING (table_name) LEFT JOIN {watermark} w USING (table_name)"
        " CROSS JOIN LATERAL (SELECT sum(l.rows_inserted)::bigint AS inserted, sum(l.rows_updated)::bigint AS updated,"
        " sum(l.rows_deleted)::bigint AS deleted, max(l.id) AS id, max(l.started_at) AS started_at FROM {log} l"
        " WHERE l.table_name = m.table_name AND l.status <> 'running' AND ({written})"
        # By the time, too: a log that somebody emptied may count its entries from one.
        " AND (l.id > coalesce(s.announced_id, 0) OR l.started_at > s.announced_at OR (l.sync_run_id = {run_id}"
        " AND ({again}::text[] IS NULL OR m.odoo_model = ANY({again}))))) found"
        " WHERE found.id IS NOT NULL AND ({models}::text[] IS NULL OR m.odoo_model = ANY({models}))"
        " ORDER BY m.odoo_model",
        meta=tx.own(META),
        state=tx.internal(TABLE_STATE),
        watermark=tx.own(WATERMARK),
        log=tx.own(SYNC_LOG),
        written=sql.SQL(HAS_WRITTEN),
        run_id=run_id,
        again=None if again is None else list(again),
        models=None if models is None else list(models),
    )
    return [
        WrittenRows(table, model, RowCounts(inserted, updated, deleted=deleted), *others)
        for table, model, inserted, updated, deleted, *others in rows
    ]


def note_announced(tx: Transaction, written: Iterable[WrittenRows]) -> None:
    """Record that these rows have been announced."""
    found = list(written)
    if not found:
        return
    lock_schema(tx)  # taken by everything that writes many rows of the control tables, so that there is no deadlock
    tx.run(
        "INSERT INTO {state} AS s (table_name, announced_id, announced_at)"
        " SELECT * FROM unnest({tables}::text[], {entries}::bigint[], {moments}::timestamptz[])"
        " ON CONFLICT (table_name) DO UPDATE SET announced_id = excluded.announced_id,"
        " announced_at = excluded.announced_at",
        state=tx.internal(TABLE_STATE),
        tables=[item.table for item in found],
        entries=[item.last_entry for item in found],
        moments=[item.last_started_at for item in found],
    )
