"""Carries schema changes out, and keeps their history in `odoo_shadow_field` and `odoo_shadow_schema_log`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import psycopg
from psycopg import sql

from airflow_provider_odoo_shadow.target import names
from airflow_provider_odoo_shadow.target.base import lock_schema
from airflow_provider_odoo_shadow.target.database import Transaction
from airflow_provider_odoo_shadow.target.descriptions import storable
from airflow_provider_odoo_shadow.target.due_views import mark_view, mark_views_that_name, naming_fields
from airflow_provider_odoo_shadow.target.named_views import drop_views_on
from airflow_provider_odoo_shadow.target.public_views import publish, unpublish
from airflow_provider_odoo_shadow.target.registry import count_fields, recount_rows
from airflow_provider_odoo_shadow.target.relations import FIELD, SCHEMA_LOG, WATERMARK
from airflow_provider_odoo_shadow.target.tables import (
    Change,
    ChangeKind,
    Column,
    ColumnType,
    TableChange,
    add_statement,
    create_statements,
    widening_statement,
)
from airflow_provider_odoo_shadow.target.watermarks import forget


def apply_change(tx: Transaction, change: TableChange, run_id: UUID) -> None:
    """Carry a change out, note it, and note which columns all rows must be given; all in this transaction."""
    if not change.changes:
        _note_columns(tx, change.table, change.unrecorded, is_filled=True)
        if change.unrecorded:
            mark_view(tx, change.table)
        return
    lock_schema(tx)
    _empty(
        tx, change.table, [item.column for item in change.changes if item.column and item.kind is ChangeKind.EMPTIED]
    )
    done = [_apply(tx, change, item) for item in change.changes]
    _log(tx, change.table, done, run_id)
    if change.creates:
        recount_rows(tx, change.table, 0)
        forget(tx, change.table)  # somebody may have dropped the table that the watermark was about
        _note_columns(tx, change.table, change.columns, is_filled=True)
    else:
        _note_columns(tx, change.table, change.unrecorded, is_filled=True)
        _note_columns(tx, change.table, change.to_fill, is_filled=False)
        if change.to_fill:
            save_fill(tx, change.table, None)
    count_fields(tx, change.table, len(change.columns))
    _mark_views(tx, change)
    publish(tx, (change.table,))


def _mark_views(tx: Transaction, change: TableChange) -> None:
    """Let the views that show the change be renewed."""
    mark_view(tx, change.table)
    fields = {storable(item.column.field or item.column.name) for item in change.changes if item.column}
    if change.creates or fields & naming_fields(tx, change.table):
        mark_views_that_name(tx, change.table)


def _apply(tx: Transaction, change: TableChange, item: Change) -> Change:
    """Carry one change out; return what was done, which may differ from what was planned."""
    table = tx.own(change.table)
    if item.column is None:
        tx.run_all(create_statements(tx.schema, change.table, change.columns))
    elif item.kind is ChangeKind.ADDED:
        tx.cursor.execute(add_statement(table, item.column))
    elif item.kind is ChangeKind.VANISHED:
        _mark_vanished(tx, change.table, item.column)
    elif item.kind is ChangeKind.WIDENED and not _widen(tx, change.table, item):
        item = replace(item, kind=ChangeKind.REPLACED)
    if item.kind is ChangeKind.REPLACED:
        _replace(tx, change.table, item)
    return item


def _empty(tx: Transaction, table: str, columns: Sequence[Column]) -> None:
    """Remove the values of columns that must not be mirrored any more; in one go, since it writes every row."""
    if not columns:
        return
    _clear(tx, table, [column.name for column in columns])
    tx.run(
        "UPDATE {field} SET vanished_at = coalesce(vanished_at, now()), emptied_at = now(), updated_at = now()"
        " WHERE table_name = {table} AND column_name = ANY({columns})",
        field=tx.own(FIELD),
        table=table,
        columns=[column.name for column in columns],
    )


def forget_values(tx: Transaction, table: str, fields: Sequence[str]) -> None:
    """Remove what a table holds of some fields, also in columns that are written no more."""
    rows = tx.run(
        "SELECT f.column_name FROM {field} f JOIN pg_attribute a ON a.attname = f.column_name AND NOT a.attisdropped"
        " WHERE f.table_name = {table} AND f.field_name = ANY({fields}) AND a.attrelid = to_regclass({name})",
        field=tx.own(FIELD),
        table=table,
        fields=list(fields),
        name=tx.own(table).as_string(tx.cursor),
    )
    _clear(tx, table, [str(row[0]) for row in rows])


def recorded_fields(tx: Transaction, table: str) -> set[str]:
    """Return the fields of which a table has, or had, values."""
    rows = tx.run("SELECT field_name FROM {field} WHERE table_name = {table}", field=tx.own(FIELD), table=table)
    return {str(row[0]) for row in rows}


def _clear(tx: Transaction, table: str, columns: Sequence[str]) -> None:
    """Set columns to NULL, and the rows' hashes with them, which were made of the values."""
    if not columns:
        return
    listed = [sql.Identifier(name) for name in columns]
    tx.run(
        "UPDATE {table} SET {emptied}, {hash} = NULL WHERE {has_value}",
        table=tx.own(table),
        emptied=sql.SQL(", ").join(sql.SQL("{} = NULL").format(name) for name in listed),
        hash=sql.Identifier(names.HASH),
        has_value=sql.SQL(" OR ").join(sql.SQL("{} IS NOT NULL").format(name) for name in listed),
    )


def _widen(tx: Transaction, table: str, item: Change) -> bool:
    """Widen a type in place; say no when somebody's view stands on the column, or on one of the project's views."""
    statement = widening_statement(tx.own(table), item)
    if statement is None or item.column is None:
        return False
    try:
        with tx.cursor.connection.transaction():
            unpublish(tx, table)
            drop_views_on(tx, table, item.column.name)
            tx.cursor.execute(statement)
    except (psycopg.errors.FeatureNotSupported, psycopg.errors.DependentObjectsStillExist):
        return False
    return True


def _replace(tx: Transaction, table: str, item: Change) -> None:
    """Keep the old column under a name that tells its type, and add a new one. Views may stand on the old one."""
    if item.column is None:
        return
    tx.run(
        "ALTER TABLE {table} RENAME COLUMN {column} TO {kept}",
        table=tx.own(table),
        column=sql.Identifier(item.column.name),
        kept=sql.Identifier(item.kept_as),
    )
    tx.cursor.execute(add_statement(tx.own(table), item.column))
    tx.run(
        "UPDATE {field} SET column_name = {kept}, vanished_at = now(), updated_at = now()"
        " WHERE table_name = {table} AND column_name = {column}",
        field=tx.own(FIELD),
        kept=item.kept_as,
        table=table,
        column=item.column.name,
    )


def columns_to_fill(tx: Transaction, table: str) -> list[Column]:
    """Return the columns that not all rows have been given yet, by name."""
    rows = tx.run(
        "SELECT column_name, column_type, field_name, odoo_type FROM {field}"
        " WHERE table_name = {table} AND NOT is_filled AND vanished_at IS NULL ORDER BY column_name",
        field=tx.own(FIELD),
        table=table,
    )
    return [Column(str(name), ColumnType(kind), str(origin), str(odoo)) for name, kind, origin, odoo in rows]


def fill_checkpoint(tx: Transaction, table: str) -> int | None:
    """Return the id up to which rows have been given the columns to fill, None when none have."""
    rows = tx.run(
        "SELECT fill_after_id FROM {watermark} WHERE table_name = {table}", watermark=tx.own(WATERMARK), table=table
    )
    return None if not rows or rows[0][0] is None else int(rows[0][0])


def save_fill(tx: Transaction, table: str, after_id: int | None) -> None:
    """Move the checkpoint, in the transaction that fills the page; None, or what is below every id, begins anew."""
    tx.run(
        "UPDATE {watermark} SET fill_after_id = {after_id} WHERE table_name = {table}",
        watermark=tx.own(WATERMARK),
        after_id=None if after_id is None or after_id < names.LEAST_ID else after_id,
        table=table,
    )


def finish_fill(tx: Transaction, table: str, columns: Sequence[str]) -> None:
    """Note that all rows have these columns."""
    tx.run(
        "UPDATE {field} SET is_filled = true, updated_at = now()"
        " WHERE table_name = {table} AND column_name = ANY({columns}) AND NOT is_filled",
        field=tx.own(FIELD),
        table=table,
        columns=list(columns),
    )
    save_fill(tx, table, None)


def _note_columns(tx: Transaction, table: str, columns: Sequence[Column], *, is_filled: bool) -> None:
    if not columns:
        return
    row = sql.SQL("({}, {}, {}, {}, {}, {})")
    tx.run(
        "INSERT INTO {field} (table_name, column_name, field_name, odoo_type, column_type, is_filled) VALUES {rows}"
        " ON CONFLICT (table_name, column_name) DO UPDATE SET field_name = excluded.field_name,"
        " odoo_type = excluded.odoo_type, column_type = excluded.column_type, is_filled = excluded.is_filled,"
        " vanished_at = NULL, emptied_at = NULL, updated_at = now()",
        field=tx.own(FIELD),
        rows=sql.SQL(", ").join(
            row.format(table, item.name, storable(item.field), item.odoo_type, str(item.type), is_filled)
            for item in columns
        ),
    )


def _mark_vanished(tx: Transaction, table: str, column: Column) -> None:
    tx.run(
        "UPDATE {field} SET vanished_at = now(), updated_at = now()"
        " WHERE table_name = {table} AND column_name = {column}",
        field=tx.own(FIELD),
        table=table,
        column=column.name,
    )


def _log(tx: Transaction, table: str, changes: Sequence[Change], run_id: UUID) -> None:
    row = sql.SQL("({}, {}, {}, {}, {}, {})")
    tx.run(
        "INSERT INTO {log} (sync_run_id, table_name, change, column_name, old_type, new_type) VALUES {rows}",
        log=tx.own(SCHEMA_LOG),
        rows=sql.SQL(", ").join(
            row.format(
                run_id,
                table,
                str(item.kind),
                item.column.name if item.column else None,
                item.old_type,
                str(item.column.type) if item.column else None,
            )
            for item in changes
        ),
    )
