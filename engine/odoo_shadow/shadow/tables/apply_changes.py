"""Carries out schema changes, and keeps their history in `odoo_shadow_field` and `odoo_shadow_schema_log`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import psycopg
from psycopg import sql

from odoo_shadow.shadow import names
from odoo_shadow.shadow.access.protection import loosen_table, protect_statement
from odoo_shadow.shadow.columns import OWN_COLUMNS, Column, ColumnType
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.descriptions import storable
from odoo_shadow.shadow.errors import is_about_the_table, said
from odoo_shadow.shadow.relations import FIELD, SCHEMA_LOG, WATERMARK
from odoo_shadow.shadow.state.due_views import mark_view, mark_views_that_name, naming_fields
from odoo_shadow.shadow.state.registry import count_fields, recount_rows
from odoo_shadow.shadow.state.rows_version import change_rows, note_changed
from odoo_shadow.shadow.state.schema import lock_schema
from odoo_shadow.shadow.state.watermarks import forget
from odoo_shadow.shadow.tables.ids import LiveIds
from odoo_shadow.shadow.tables.present import note_own_columns
from odoo_shadow.shadow.tables.row_hash import forget_hashes
from odoo_shadow.shadow.tables.structure import let_be_empty, make_index, make_key, set_aside
from odoo_shadow.shadow.tables.tables import (
    Change,
    ChangeKind,
    TableChange,
    add_statement,
    create_statement,
    widening_statement,
)
from odoo_shadow.shadow.views.named_views import drop_views_on
from odoo_shadow.shadow.views.public_views import publish, unpublish
from odoo_shadow.text.log import logger

log = logger(__name__)


def apply_change(tx: Transaction, change: TableChange, run_id: UUID) -> None:
    """Carry out a change, log it, and record which columns have to be filled; all in this transaction.

    :raises ShadowConflictError: an id occurs twice in a table that has lost its primary key.
    """
    if not (change.changes or change.adopted or change.moved or change.is_unknown):
        return
    lock_schema(tx)
    loosen_table(tx, change.table, is_new=change.creates)
    tx.run("SET CONSTRAINTS ALL IMMEDIATE")  # a table with pending trigger events cannot be altered
    done = _carry_out(tx, change)
    if change.is_unknown or any(item.kind in _RESHAPING for item in done):
        note_changed(tx, change.table)
    if done:
        _log(tx, change.table, done, run_id)
        _report(tx, change.table, done)
    if change.is_unknown and not change.creates:
        tx.cursor.execute(protect_statement(tx.schema, change.table))  # before it is known
    _note_columns(tx, change.table, change.columns if change.creates else change.adopted, is_filled=True)
    _note_columns(tx, change.table, change.to_fill, is_filled=False)
    if change.to_fill:
        save_fill(tx, change.table, None)
    _note_table(tx, change)
    if done:
        count_fields(tx, change.table, len(change.columns))
        _mark_views(tx, change)
        publish(tx, (change.table,))
    elif change.adopted:
        mark_view(tx, change.table)


def _carry_out(tx: Transaction, change: TableChange) -> list[Change]:
    """Change the table; return what was done, which may differ from what was planned."""
    _move(tx, change.table, change.moved)
    kept = {item.kept_as for item in change.changes if item.kind is ChangeKind.SET_ASIDE}
    emptied = [item.column for item in change.changes if item.column and item.kind is ChangeKind.EMPTIED]
    _empty(tx, change.table, [column for column in emptied if column.name not in kept])
    done = [_apply(tx, change, item) for item in change.changes]
    _empty(tx, change.table, [column for column in emptied if column.name in kept])
    return done


def _note_table(tx: Transaction, change: TableChange) -> None:
    """Record which table and which of the project's own columns the control tables are about from now on."""
    table = change.table
    if change.creates or change.is_unknown or change.made_own:
        marks = {names.DELETED_AT} if LiveIds.of(tx, table).has_marks else set()
        note_own_columns(tx, table, {names.ID, *(item.name for item in OWN_COLUMNS), *marks})
    if change.creates or change.is_read_again:
        forget(tx, table)  # somebody may have dropped the table that the watermark belonged to
        recount_rows(tx, table, LiveIds.of(tx, table).count_all(tx))
    if change.is_read_again or names.HASH in change.made_own:
        forget_hashes(tx, table)


def _report(tx: Transaction, table: str, done: Sequence[Change]) -> None:
    """Warn about changes that were necessary because somebody has changed the table."""
    for item in done:
        own = item.column is not None and not item.is_of_field
        if own or item.kind in _DONE_BY_OTHERS:
            log.warning("%s: %s", f"{tx.schema}.{table}", item)


_DONE_BY_OTHERS = frozenset(
    {ChangeKind.TAKEN_OVER, ChangeKind.KEYED, ChangeKind.INDEXED, ChangeKind.ADOPTED, ChangeKind.SET_ASIDE}
)


_RESHAPING = frozenset(
    {ChangeKind.CREATED, ChangeKind.ADDED, ChangeKind.SET_ASIDE, ChangeKind.WIDENED, ChangeKind.REPLACED}
)
"""What changes a table's columns, and so every row that a reader gets."""


def _mark_views(tx: Transaction, change: TableChange) -> None:
    """Mark the named views that show the change as due."""
    mark_view(tx, change.table)
    fields = {storable(item.column.field or item.column.name) for item in change.changes if item.column}
    if change.creates or fields & naming_fields(tx, change.table):
        mark_views_that_name(tx, change.table)


def _apply(tx: Transaction, change: TableChange, item: Change) -> Change:
    """Carry one change out; return what was done, which may differ from what was planned."""
    match item.kind:
        case ChangeKind.CREATED:
            tx.cursor.execute(create_statement(tx.schema, change.table, change.columns))
            tx.cursor.execute(protect_statement(tx.schema, change.table, is_new=True))
        case ChangeKind.KEYED:
            make_key(tx, change.table)
        case ChangeKind.INDEXED:
            make_index(tx, change.table)
        case ChangeKind.ADDED:
            _add(tx, change.table, item.column)
        case ChangeKind.SET_ASIDE:
            _set_aside(tx, change.table, item)
        case ChangeKind.VANISHED:
            _mark_vanished(tx, change.table, item.column)
        case ChangeKind.ADOPTED if item.column and item.column.name == names.SYNCED_AT:
            _add_default(tx, change.table)
        case ChangeKind.WIDENED if not _widen(tx, change.table, item):
            item = replace(item, kind=ChangeKind.REPLACED)
    if item.kind is ChangeKind.REPLACED:
        _replace(tx, change.table, item)
    return item


def _add(tx: Transaction, table: str, column: Column | None) -> None:
    if column is None:
        return
    tx.cursor.execute(add_statement(tx.own(table), column))
    if column.name == names.SYNCED_AT:
        _add_default(tx, table)  # a separate statement, so that existing rows do not get a wrong moment


def _add_default(tx: Transaction, table: str) -> None:
    tx.run(
        "ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT now()",
        table=tx.own(table),
        column=sql.Identifier(names.SYNCED_AT),
    )


def _set_aside(tx: Transaction, table: str, item: Change) -> None:
    """Rename somebody else's column, and create the mirror's own. Views and rights stay with the renamed one."""
    if item.column is None:
        return
    set_aside(tx, table, item.column.name, item.kept_as)
    _add(tx, table, item.column)


def _move(tx: Transaction, table: str, moved: Sequence[tuple[str, str]]) -> None:
    """Record the new names of columns that were renamed; they may have swapped names."""
    if not moved:
        return
    parts = {"field": tx.own(FIELD), "table": table, "before": [name for name, _ in moved]}
    tx.run(
        "UPDATE {field} SET column_name = format('%s %s', column_number, column_name),"
        " vanished_at = coalesce(vanished_at, now()), updated_at = now()"
        " WHERE table_name = {table} AND column_name = ANY({before});"
        " DELETE FROM {field} WHERE table_name = {table} AND column_name = ANY({after})",
        after=[name for _, name in moved],
        **parts,
    )
    tx.run(
        "UPDATE {field} f SET column_name = moved.after FROM unnest({before}::text[], {after}::text[])"
        " AS moved (before, after)"
        " WHERE f.table_name = {table} AND f.column_name = format('%s %s', f.column_number, moved.before)",
        after=[name for _, name in moved],
        **parts,
    )


def _empty(tx: Transaction, table: str, columns: Sequence[Column]) -> None:
    """Remove the values of columns that must no longer be mirrored; in one statement, since it writes every row."""
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
    """Remove the values of some fields from a table, also from columns that are no longer written."""
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
    let_be_empty(tx, table, columns, even_with_default=True)
    listed = [sql.Identifier(name) for name in columns]
    change_rows(
        tx,
        table,
        "UPDATE {table} SET {emptied}, {hash} = NULL WHERE {has_value}",
        table=tx.own(table),
        emptied=sql.SQL(", ").join(sql.SQL("{} = NULL").format(name) for name in listed),
        hash=sql.Identifier(names.HASH),
        has_value=sql.SQL(" OR ").join(sql.SQL("{} IS NOT NULL").format(name) for name in listed),
    )


def _widen(tx: Transaction, table: str, item: Change) -> bool:
    """Widen a type in place; return False if somebody's object, such as a view, does not let the column change."""
    statement = widening_statement(tx.own(table), item)
    if statement is None or item.column is None:
        return False
    try:
        with tx.cursor.connection.transaction():
            unpublish(tx, table)
            drop_views_on(tx, table, item.column.name)
            tx.cursor.execute(statement)
    except psycopg.Error as error:
        if tx.cursor.connection.closed or not is_about_the_table(error):
            raise
        log.warning(
            "%s: column %s cannot become %s in place (%s), so it is kept as %s, and a new one is made.",
            f"{tx.schema}.{table}",
            item.column.name,
            item.column.type,
            said(error),
            item.kept_as,
        )
        return False
    return True


def _replace(tx: Transaction, table: str, item: Change) -> None:
    """Keep the old column under a name with its type, and add a new one. Views may depend on the old one."""
    if item.column is None:
        return
    set_aside(tx, table, item.column.name, item.kept_as)
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
    """Return the columns that are not filled in all rows yet, by name."""
    rows = tx.run(
        "SELECT column_name, column_type, field_name, odoo_type FROM {field}"
        " WHERE table_name = {table} AND NOT is_filled AND vanished_at IS NULL ORDER BY column_name",
        field=tx.own(FIELD),
        table=table,
    )
    return [Column(str(name), ColumnType(kind), str(origin), str(odoo)) for name, kind, origin, odoo in rows]


def fill_checkpoint(tx: Transaction, table: str) -> int | None:
    """Return the id up to which the columns have been filled, None when the fill has not begun."""
    rows = tx.run(
        "SELECT fill_after_id FROM {watermark} WHERE table_name = {table}", watermark=tx.own(WATERMARK), table=table
    )
    return None if not rows or rows[0][0] is None else int(rows[0][0])


def save_fill(tx: Transaction, table: str, after_id: int | None) -> None:
    """Move the fill's checkpoint, in the transaction that fills the page; None, or a value below every id, restarts."""
    tx.run(
        "UPDATE {watermark} SET fill_after_id = {after_id} WHERE table_name = {table}",
        watermark=tx.own(WATERMARK),
        after_id=None if after_id is None or after_id < names.LEAST_ID else after_id,
        table=table,
    )


def finish_fill(tx: Transaction, table: str, columns: Sequence[str]) -> None:
    """Record that these columns are filled in all rows."""
    tx.run(
        "UPDATE {field} SET is_filled = true, updated_at = now()"
        " WHERE table_name = {table} AND column_name = ANY({columns}) AND NOT is_filled",
        field=tx.own(FIELD),
        table=table,
        columns=list(columns),
    )
    save_fill(tx, table, None)


def _note_columns(tx: Transaction, table: str, columns: Sequence[Column], *, is_filled: bool) -> None:
    """Record that existing columns are the mirror's own."""
    if not columns:
        return
    row = sql.SQL("({}, {}, {}, {})")
    tx.run(
        "INSERT INTO {field} (table_name, column_name, field_name, odoo_type, column_type, is_filled, column_number)"
        " SELECT {table}, v.name, v.origin, v.odoo, v.kind, {is_filled}, a.attnum"
        " FROM (VALUES {rows}) AS v (name, origin, odoo, kind)"
        " JOIN pg_attribute a ON a.attrelid = to_regclass({qualified}) AND a.attname = v.name AND NOT a.attisdropped"
        " ON CONFLICT (table_name, column_name) DO UPDATE SET field_name = excluded.field_name,"
        " odoo_type = excluded.odoo_type, column_type = excluded.column_type, is_filled = excluded.is_filled,"
        " column_number = excluded.column_number, vanished_at = NULL, emptied_at = NULL, updated_at = now()",
        field=tx.own(FIELD),
        table=table,
        qualified=tx.own(table).as_string(tx.cursor),
        is_filled=is_filled,
        rows=sql.SQL(", ").join(
            row.format(item.name, storable(item.field), item.odoo_type, str(item.type)) for item in columns
        ),
    )


def _mark_vanished(tx: Transaction, table: str, column: Column | None) -> None:
    if column is None:
        return
    let_be_empty(tx, table, [column.name])
    tx.run(
        "UPDATE {field} SET vanished_at = now(), updated_at = now()"
        " WHERE table_name = {table} AND column_name = {column}",
        field=tx.own(FIELD),
        table=table,
        column=column.name,
    )


def _log(tx: Transaction, table: str, changes: Sequence[Change], run_id: UUID) -> None:
    row = sql.SQL("({}, {}, {}, {}, {}, {}, {})")
    tx.run(
        "INSERT INTO {log} (sync_run_id, table_name, change, column_name, old_type, new_type, kept_as) VALUES {rows}",
        log=tx.own(SCHEMA_LOG),
        rows=sql.SQL(", ").join(
            row.format(
                run_id,
                table,
                str(item.kind),
                item.column.name if item.column else None,
                item.old_type,
                str(item.column.type) if item.column else None,
                item.kept_as if item.kind in (ChangeKind.SET_ASIDE, ChangeKind.REPLACED) else None,
            )
            for item in changes
        ),
    )
