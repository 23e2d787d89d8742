"""The tables that a run has brought up to date, and when their untracked columns were last read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.shadow.relations import META, SYNC_LOG, TABLE_STATE, VERSION
from odoo_shadow.shadow.state.mirrored_columns import MirroredColumn, mirrored_columns
from odoo_shadow.shadow.state.sync_log import CLOSING


@dataclass(frozen=True)
class Finished:
    """A table that a run has brought up to date.

    :param started_at: when that run began.
    :param untracked_at: when the columns that change without `write_date` were last read for all rows.
    :param unreadable_fields: fields that are left out, since Odoo does not give records together with them.
    :param rests_on: what those values depended on then, in addition to their records; the mirror's own text.
    :param settings: how the model is mirrored; the mirror's own text.
    :param has_versions: whether the versions of its records are known, so that changes show without `write_date`.
    :param identities: the identity of each column's field then, by field; the source's own text.
    """

    table: str
    model: str
    row_count: int
    started_at: datetime
    untracked_at: datetime | None
    rests_on: str | None
    unreadable_fields: frozenset[str]
    settings: str | None
    identities: Mapping[str, str]
    has_versions: bool
    columns: tuple[MirroredColumn, ...]


def finished_tables(tx: Transaction, run_id: UUID) -> list[Finished]:
    """Return the tables of a run that are up to date, by model."""
    rows = tx.run(
        "SELECT m.table_name, m.odoo_model, m.row_count, l.started_at, s.untracked_at, s.rests_on,"
        " m.unreadable_fields, s.settings, coalesce(s.field_identities, '{{}}'),"
        " EXISTS (SELECT FROM {version} v WHERE v.table_name = m.table_name) FROM {meta} m"
        " JOIN (SELECT DISTINCT ON (table_name) table_name, started_at, status FROM {log}"
        " WHERE sync_run_id = {run_id} AND NOT metadata ? {closing} ORDER BY table_name, id DESC) l USING (table_name)"
        " LEFT JOIN {state} s USING (table_name) WHERE l.status = 'success' ORDER BY m.odoo_model",
        meta=tx.own(META),
        log=tx.own(SYNC_LOG),
        state=tx.internal(TABLE_STATE),
        version=tx.internal(VERSION),
        run_id=run_id,
        closing=CLOSING,
    )
    columns = mirrored_columns(tx, [str(row[0]) for row in rows])
    return [
        Finished(
            table, model, count, start, at, on, frozenset(refused), settings, known, versions, tuple(columns[table])
        )
        for table, model, count, start, at, on, refused, settings, known, versions in rows
    ]


def watched_tables(tx: Transaction, tables: Sequence[str]) -> dict[str, str | None]:
    """Return the tables whose rows are removed with their records, so that rows that point to them become due.

    :param tables: those that the run has brought up to date.
    :return: how each one's model is mirrored, by table: the mirror's own text.
    """
    rows = tx.run(
        "SELECT m.table_name, s.settings FROM {meta} m JOIN {state} s USING (table_name)"
        " WHERE m.table_name = ANY({tables}) AND coalesce(m.on_delete, {default}) = ANY({removing})",
        meta=tx.own(META),
        state=tx.internal(TABLE_STATE),
        tables=list(tables),
        default=str(OnDelete.DELETE),
        removing=[str(item) for item in OnDelete if item.removes],
    )
    return {str(table): settings for table, settings in rows}


def note_untracked(tx: Transaction, table: str, moment: datetime, rests_on: str | None = None) -> None:
    """Record that the untracked columns were read for all rows of a table.

    :param moment: when that began, by the shadow's clock.
    :param rests_on: None leaves it as it is.
    """
    tx.run(
        "INSERT INTO {state} AS s (table_name, untracked_at, rests_on) VALUES ({table}, {moment}, {rests_on})"
        " ON CONFLICT (table_name) DO UPDATE SET untracked_at = excluded.untracked_at,"
        " rests_on = coalesce(excluded.rests_on, s.rests_on)",
        state=tx.internal(TABLE_STATE),
        table=table,
        moment=moment,
        rests_on=rests_on,
    )


def note_identities(tx: Transaction, table: str, identities: Mapping[str, str]) -> None:
    """Record which fields a table's columns belong to: all rows have their values now."""
    tx.run(
        "INSERT INTO {state} AS s (table_name, field_identities) VALUES ({table}, {identities})"
        " ON CONFLICT (table_name) DO UPDATE SET field_identities = excluded.field_identities",
        state=tx.internal(TABLE_STATE),
        table=table,
        identities=Jsonb(dict(identities)),
    )
