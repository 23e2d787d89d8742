"""Keeps named views up to date: `<table>_named` shows a table with names beside ids, and with the labels of choices.

It has a namesake in `public`, as the table has. A view is a convenience: if something is in its way, it stays as it is
and due, and no run fails or waits for it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain

from psycopg import errors, sql

from odoo_shadow.shadow import names
from odoo_shadow.shadow.columns import ColumnType
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.errors import (
    ShadowError,
    ShadowPermissionError,
    ShadowRetriableError,
    ShadowUnreachableError,
)
from odoo_shadow.shadow.owners.made_objects import MadeObject, ObjectKind, Standing, standing_of
from odoo_shadow.shadow.relations import FIELD, MADE_OBJECT, META, SELECTION, TABLE_STATE
from odoo_shadow.shadow.state.due_views import mark_view, take_on_statement
from odoo_shadow.shadow.state.schema import lock_schema
from odoo_shadow.shadow.views.public_views import publish, unpublish
from odoo_shadow.shadow.views.view_query import (
    OWN_COLUMNS_SHOWN,
    NamedTable,
    ViewColumn,
    ViewedTable,
    named_view_statements,
)
from odoo_shadow.text.log import logger

log = logger(__name__)


def renew_due_views(shadow: ShadowDatabase, tables: Collection[str] | None = None) -> None:
    """Renew the views that are due, each in a short transaction; what is in use now is renewed next time.

    :param tables: only those of these tables, None for all.
    """
    try:
        with shadow.transaction() as tx:
            due = _due_tables(tx, tables)
    except ShadowError as error:
        log.warning("The named views are renewed next time: %s", error)
        return
    for table in due:
        try:
            with shadow.transaction() as tx:
                _renew(tx, table)
        except ShadowUnreachableError as error:
            log.warning("The named views are renewed next time: %s", error)
            return
        except (ShadowRetriableError, ShadowPermissionError) as error:
            log.info("The named view of %s is renewed next time: %s", table, error)
        except ShadowError as error:
            log.warning("The named view of %s stays as it was: %s", table, error)


def _due_tables(tx: Transaction, tables: Collection[str] | None) -> list[str]:
    rows = tx.run(
        "SELECT m.table_name FROM {meta} m JOIN pg_class c ON c.relname = m.table_name"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE m.view_is_due AND n.nspname = {schema}"
        " AND c.relkind IN ('r', 'p') AND has_schema_privilege(n.oid, 'CREATE')"
        " AND coalesce(m.table_name = ANY({tables}::text[]), true) ORDER BY m.table_name",
        meta=tx.own(META),
        schema=tx.schema,
        tables=None if tables is None else list(tables),
    )
    return [str(row[0]) for row in rows]


def _renew(tx: Transaction, table: str) -> None:
    tx.run("SET LOCAL lock_timeout TO '1s'")
    # Every change of columns takes this lock before any other, so there is no deadlock.
    lock_schema(tx)
    # First, so that a later change marks the view again.
    tx.cursor.execute(take_on_statement(tx.schema, table))
    if tx.cursor.rowcount == 0:
        return  # another process was quicker
    viewed = _viewed_table(tx, table)
    pointed = {column.points_to for column in viewed.of_fields.values() if column.points_to is not None}
    view, is_there = _find_view(tx, table)
    named, shown = _named_tables(tx, sorted(pointed)), _order_to_keep(tx, view) if is_there else None
    statements = named_view_statements(tx.schema, view, viewed, named, shown=shown)
    try:
        with tx.cursor.connection.transaction():
            tx.run_all(statements)
    except errors.InvalidTableDefinition:  # columns were renamed, dropped or moved: only a new view can show that
        unpublish(tx, view)
        tx.run("DROP VIEW {view}", view=tx.own(view))
        tx.run_all(named_view_statements(tx.schema, view, viewed, named))
    publish(tx, (table,))  # the view in public may have been in use when the table changed
    publish(tx, (view,), due=table)


def _viewed_table(tx: Transaction, table: str) -> ViewedTable:
    rows = tx.run(
        "SELECT a.attname, f.field_name, f.odoo_type, f.column_type, f.relation_table,"
        " a.attname = {mark} AND EXISTS (SELECT FROM {state} s"
        " WHERE s.table_name = {table} AND (s.own_columns ->> a.attname)::int = a.attnum)"
        " FROM pg_attribute a LEFT JOIN {field} f"
        " ON f.table_name = {table} AND f.column_name = a.attname AND f.vanished_at IS NULL"
        " WHERE a.attrelid = to_regclass({name}) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        mark=names.DELETED_AT,
        state=tx.internal(TABLE_STATE),
        field=tx.own(FIELD),
        table=table,
        name=tx.own(table).as_string(tx.cursor),
    )
    of_fields = {name: ViewColumn(name, *field) for name, *field, _ in rows if field[0] is not None}
    marks = {name for name, *_, is_mark in rows if is_mark}
    return ViewedTable(table, [name for name, *_ in rows], of_fields, OWN_COLUMNS_SHOWN | marks, _labels_of(tx, table))


def _labels_of(tx: Transaction, table: str) -> dict[str, dict[str, str]]:
    labels: dict[str, dict[str, str]] = {}
    for column, value, label in tx.run(
        "SELECT s.column_name, s.value, s.label FROM {selection} s JOIN {field} f USING (table_name, column_name)"
        " WHERE s.table_name = {table} AND f.odoo_type = 'selection' AND f.column_type = {text} ORDER BY s.position",
        selection=tx.own(SELECTION),
        field=tx.own(FIELD),
        table=table,
        text=str(ColumnType.TEXT),
    ):
        labels.setdefault(column, {})[value] = label
    return labels


def _order_to_keep(tx: Transaction, view: str) -> list[str]:
    """Return the columns of a view in their order, if views of others read it, since it cannot be made anew then."""
    pair = {"own": tx.own(view).as_string(tx.cursor), "public": sql.Identifier("public", view).as_string(tx.cursor)}
    ((is_read,),) = tx.run(
        "SELECT EXISTS (SELECT FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid"
        " AND d.classid = 'pg_rewrite'::regclass WHERE d.refobjid IN (to_regclass({own}), to_regclass({public}))"
        " AND r.ev_class NOT IN (SELECT o FROM unnest(ARRAY[to_regclass({own}), to_regclass({public})]) o"
        " WHERE o IS NOT NULL))",
        **pair,
    )
    if not is_read:
        return []
    rows = tx.run(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass({name}) AND attnum > 0 AND NOT attisdropped"
        " ORDER BY attnum",
        name=tx.own(view).as_string(tx.cursor),
    )
    return [str(row[0]) for row in rows]


def _named_tables(tx: Transaction, tables: Sequence[str]) -> dict[str, NamedTable]:
    """Return where the names of tables' records are, and the same for the parents that they take their names from."""
    rows = tx.run(
        "SELECT table_name, name_path FROM {meta} WHERE table_name = ANY({tables}) AND name_path IS NOT NULL",
        meta=tx.own(META),
        tables=list(tables),
    )
    paths = {str(table): str(path) for table, path in rows}
    found: dict[str, NamedTable] = {}
    ahead = [(table, part.split(".")) for table, path in paths.items() for part in path.split()]
    while ahead:
        for table, columns in _columns_of(tx, [(table, path[0]) for table, path in ahead]).items():
            known = found[table].columns if table in found else ()
            found[table] = NamedTable(paths.get(table), [*known, *(item for item in columns if item not in known)])
        leading = [(found[table].column_of(path[0]), path[1:]) for table, path in ahead if table in found]
        ahead = [(column.points_to, rest) for column, rest in leading if column and column.points_to and rest]
    return found


def _columns_of(tx: Transaction, fields: Sequence[tuple[str, str]]) -> dict[str, list[ViewColumn]]:
    """Return the columns of fields, each given with its table, by table; nothing for those that are not there."""
    rows = tx.run(
        "SELECT f.table_name, f.column_name, f.field_name, f.odoo_type, f.column_type, f.relation_table FROM {field} f"
        " JOIN pg_attribute a ON a.attrelid = to_regclass(format('%I.%I', {schema}, f.table_name))"
        " AND a.attname = f.column_name AND NOT a.attisdropped"
        " WHERE f.vanished_at IS NULL AND (f.table_name, f.field_name) IN ({fields})",
        field=tx.own(FIELD),
        schema=tx.schema,
        fields=sql.SQL(", ").join(sql.SQL("({}, {})").format(*item) for item in fields),
    )
    columns: dict[str, list[ViewColumn]] = {}
    for table, *column in rows:
        columns.setdefault(table, []).append(ViewColumn(*column))
    return columns


def _find_view(tx: Transaction, table: str) -> tuple[str, bool]:
    """Return the name of a table's view, and whether it exists; what somebody else created is left alone."""
    recorded = tx.run(
        "SELECT name FROM {made} WHERE schema_name = {schema} AND kind = {kind} AND made_for = {table} ORDER BY name",
        made=tx.internal(MADE_OBJECT),
        schema=tx.schema,
        kind=str(ObjectKind.VIEW),
        table=table,
    )
    for name in chain((str(row[0]) for row in recorded), names.view_names(table)):
        standing = standing_of(tx, MadeObject(tx.schema, name, ObjectKind.VIEW, table))
        if standing is Standing.OWN:
            return name, True
        if standing is Standing.FREE and not _is_type(tx, name):
            return name, False
    raise AssertionError("view_names has no end")


def _is_type(tx: Transaction, name: str) -> bool:
    rows = tx.run(
        "SELECT 1 FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace"
        " WHERE n.nspname = {schema} AND t.typname = {name}",
        schema=tx.schema,
        name=name,
    )
    return bool(rows)


def drop_views_on(tx: Transaction, table: str, column: str) -> None:
    """Drop the project's own views that show a column, so that it can change, and mark them to be made again."""
    rows = tx.run(
        "SELECT DISTINCT v.relname, m.made_for"
        " FROM pg_attribute a JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid"
        " AND d.refobjsubid = a.attnum AND d.classid = 'pg_rewrite'::regclass"
        " JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class"
        " JOIN pg_namespace n ON n.oid = v.relnamespace JOIN {made} m"
        " ON m.schema_name = n.nspname AND m.name = v.relname AND m.kind = {kind} AND m.object_id = v.oid"
        " WHERE a.attrelid = to_regclass({name}) AND a.attname = {column} AND n.nspname = {schema} ORDER BY 1",
        name=tx.own(table).as_string(tx.cursor),
        column=column,
        schema=tx.schema,
        made=tx.internal(MADE_OBJECT),
        kind=str(ObjectKind.VIEW),
    )
    for view, owner in rows:
        unpublish(tx, str(view))
        tx.run("DROP VIEW {view}", view=tx.own(str(view)))
        mark_view(tx, str(owner))
