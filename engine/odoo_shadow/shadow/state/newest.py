"""The newest rows of the mirror's tables, by which a run recognises whether Odoo's database is still the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow import names
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import FIELD, META, TABLE_STATE, WATERMARK
from odoo_shadow.shadow.state.schema import lock_schema
from odoo_shadow.shadow.state.watermarks import LATEST, NEVER

CREATE_DATE = "create_date"

_MOST_EXAMINED = 50
"""The most rows of each table that are examined to find one whose date can be true: the query must stay cheap."""

# A row that was synced before it was written has its date from a wrong clock, or from somebody's SQL.
_NEWEST: LiteralString = (
    "(SELECT * FROM (SELECT {id} AS id, {write_date} AS written_at, {synced_at} AS synced_at, {made_at} AS made_at,"
    " {marked_at} AS marked_at FROM {table} WHERE {write_date} BETWEEN '0001-01-02' AND now() AND {scope}"
    " ORDER BY {write_date} DESC LIMIT {limit}) AS n WHERE written_at <= synced_at AND marked_at IS NULL)"
)
_NO_TIME: LiteralString = "NULL::timestamptz"


@dataclass(frozen=True)
class DatedTable:
    """A table that holds rows with a `write_date`.

    :param settings: how its model was read last; the mirror's own text.
    :param is_doubted: whether its rows may be from another database than the tables that were read whole since.
    :param has_marks: whether rows that are gone from Odoo are marked.
    :param has_create_date: whether rows have the creation date of their records.
    :param up_to_id: an unfinished scan of the whole table has still to read the rows beyond; None without such a scan.
    :param watermark: None while such a scan is the first.
    :param has_scan: whether an earlier run has left a scan unfinished.
    """

    table: str
    model: str
    settings: str | None
    is_doubted: bool
    has_marks: bool
    has_create_date: bool
    up_to_id: int | None
    watermark: datetime | None
    has_scan: bool


@dataclass(frozen=True)
class DatedRow:
    """When a record was written and created, according to the shadow.

    :param synced_at: when the shadow's row was written.
    """

    id: int
    written_at: datetime
    synced_at: datetime
    made_at: datetime | None


def dated_tables(tx: Transaction, model: str | None = None) -> list[DatedTable]:
    """Return the tables whose dates are reliable: the columns are the mirror's own, and have been read.

    :param model: only this model's table; None for all.
    """
    relied_on = (names.ID, names.WRITE_DATE, names.SYNCED_AT)
    rows = tx.run(
        "SELECT m.table_name, m.odoo_model, s.settings, s.is_doubted, EXISTS (SELECT FROM pg_attribute a WHERE {own}"
        " AND a.attname = {mark}), EXISTS (SELECT FROM {field} f JOIN pg_attribute a ON a.attname = f.column_name"
        " AND a.attnum = f.column_number WHERE f.table_name = m.table_name AND f.field_name = {create_date}"
        " AND f.column_name = {create_date} AND a.attrelid = c.oid AND NOT a.attisdropped"
        " AND format_type(a.atttypid, a.atttypmod) = {moment}),"
        " CASE WHEN w.last_write_date > {never} THEN NULL ELSE w.scan_last_id END,"
        " CASE WHEN w.last_write_date > {never} THEN least(w.last_write_date, {latest}) END, w.scan_run_id IS NOT NULL"
        " FROM {meta} m JOIN {state} s USING (table_name) JOIN {watermark} w USING (table_name)"
        " JOIN pg_class c ON c.oid = s.table_id AND c.relname = m.table_name"
        " AND c.relnamespace = to_regnamespace({schema})"
        " WHERE (w.last_write_date > {never} OR w.scan_run_id IS NOT NULL AND w.scan_low IS NULL)"
        " AND (SELECT count(*) FROM pg_attribute a WHERE {own} AND a.attname IN ({relied_on})) = {number}"
        " AND {chosen} ORDER BY m.odoo_model",
        own=sql.SQL(_IS_OWN).format(types=_pairs(names.OWN_COLUMNS)),
        mark=names.DELETED_AT,
        create_date=CREATE_DATE,
        moment=names.OWN_COLUMNS[names.WRITE_DATE],
        field=tx.own(FIELD),
        meta=tx.own(META),
        state=tx.internal(TABLE_STATE),
        watermark=tx.own(WATERMARK),
        never=NEVER,
        latest=LATEST,
        schema=sql.Identifier(tx.schema).as_string(tx.cursor),
        relied_on=sql.SQL(", ").join(map(sql.Literal, relied_on)),
        number=len(relied_on),
        chosen=sql.SQL("true") if model is None else sql.SQL("m.odoo_model = {}").format(model),
    )
    return [DatedTable(*row) for row in rows]


_IS_OWN: LiteralString = (
    "a.attrelid = c.oid AND NOT a.attisdropped AND a.attnum = (s.own_columns ->> a.attname)::int"
    " AND (a.attname, format_type(a.atttypid, a.atttypmod)) IN ({types})"
)


def _pairs(items: Mapping[str, str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL("({}, {})").format(*item) for item in items.items())


def newest_dates(tx: Transaction, tables: Sequence[DatedTable]) -> dict[str, datetime]:
    """Return when the newest row of each table was written, by table; nothing for those without any."""
    if not tables:
        return {}
    looks = [
        sql.SQL("SELECT {}, max(written_at) FROM {} AS n").format(number, _newest(tx, item, _MOST_EXAMINED))
        for number, item in enumerate(tables)
    ]
    rows = tx.run("{looks}", looks=sql.SQL(" UNION ALL ").join(looks))
    return {tables[number].table: moment for number, moment in rows if moment is not None}


def newest_rows(tx: Transaction, table: DatedTable, limit: int) -> list[DatedRow]:
    """Return a table's newest rows whose dates can be true, the newest first."""
    rows = tx.run(
        "SELECT id, written_at, synced_at, made_at FROM {newest} AS n ORDER BY written_at DESC, id DESC",
        newest=_newest(tx, table, limit),
    )
    return [DatedRow(int(number), written, synced, made) for number, written, synced, made in rows]


def _newest(tx: Transaction, table: DatedTable, limit: int) -> sql.Composed:
    made_at = sql.SQL("CASE WHEN {column} BETWEEN '0001-01-02' AND now() THEN {column} END").format(
        column=sql.Identifier(CREATE_DATE)
    )
    is_read = sql.SQL("{} <= {}").format(sql.Identifier(names.ID), table.up_to_id)
    return sql.SQL(_NEWEST).format(
        id=sql.Identifier(names.ID),
        write_date=sql.Identifier(names.WRITE_DATE),
        synced_at=sql.Identifier(names.SYNCED_AT),
        made_at=made_at if table.has_create_date else sql.SQL(_NO_TIME),
        marked_at=sql.Identifier(names.DELETED_AT) if table.has_marks else sql.SQL(_NO_TIME),
        table=tx.own(table.table),
        scope=sql.SQL("true") if table.up_to_id is None else is_read,
        limit=limit,
    )


def doubt_all_except(tx: Transaction, models: Collection[str]) -> None:
    """Doubt the tables of all models except these; if some are doubted already, doubt no others."""
    lock_schema(tx)
    tx.run(
        "UPDATE {state} s SET is_doubted = m.odoo_model <> ALL({models}::text[]) AND (s.is_doubted"
        " OR NOT EXISTS (SELECT FROM {state} WHERE is_doubted)) FROM {meta} m WHERE m.table_name = s.table_name",
        state=tx.internal(TABLE_STATE),
        meta=tx.own(META),
        models=sorted(models),
    )


def doubt(tx: Transaction, models: Collection[str], *, is_doubted: bool = True) -> None:
    """Doubt the tables of some models, or doubt them no more."""
    lock_schema(tx)
    tx.run(
        "UPDATE {state} s SET is_doubted = {is_doubted} FROM {meta} m"
        " WHERE m.table_name = s.table_name AND m.odoo_model = ANY({models})",
        state=tx.internal(TABLE_STATE),
        is_doubted=is_doubted,
        meta=tx.own(META),
        models=sorted(models),
    )


def clear_doubts(tx: Transaction) -> None:
    """Record that all tables are from one database."""
    lock_schema(tx)
    tx.run("UPDATE {state} SET is_doubted = false WHERE is_doubted", state=tx.internal(TABLE_STATE))
