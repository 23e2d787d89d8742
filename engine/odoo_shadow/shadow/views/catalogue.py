"""The catalogue: what the shadow's tables and columns mean, for people who query it.

It is kept in `odoo_shadow_field` and `odoo_shadow_selection`, and as comments on tables and columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow.columns import Column
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.descriptions import Description, storable
from odoo_shadow.shadow.relations import FIELD, META, SELECTION
from odoo_shadow.shadow.state.due_views import mark_view, mark_views_that_name
from odoo_shadow.shadow.state.registry import pointing_statement
from odoo_shadow.shadow.state.schema import lock_schema
from odoo_shadow.shadow.views.comments import as_comment

_TABLES = {"field": FIELD, "meta": META, "selection": SELECTION}
_DESCRIBED: LiteralString = """INSERT INTO {field} (table_name, column_name, field_name, odoo_type, column_type,
    label, relation, is_translated, is_company_dependent, is_required, is_custom)
SELECT m.table_name, v.* FROM {meta} m CROSS JOIN (VALUES
{rows}
) AS v (column_name, field_name, odoo_type, column_type,
    label, relation, is_translated, is_company_dependent, is_required, is_custom)
WHERE m.odoo_model = {model}
ON CONFLICT (table_name, column_name) {conflict}"""
_KEPT: LiteralString = "DO NOTHING"
_RENEWED: LiteralString = """DO UPDATE SET label = excluded.label, relation = excluded.relation,
    is_translated = excluded.is_translated, is_company_dependent = excluded.is_company_dependent,
    is_required = excluded.is_required, is_custom = excluded.is_custom, updated_at = now()"""
_CLEARED: LiteralString = """DELETE FROM {selection} s USING {meta} m
WHERE m.odoo_model = {model} AND s.table_name = m.table_name AND s.column_name IN ({columns})"""
_CHOICES: LiteralString = """INSERT INTO {selection} (table_name, column_name, position, value, label)
SELECT m.table_name, v.* FROM {meta} m CROSS JOIN (VALUES
{rows}
) AS v (column_name, position, value, label)
WHERE m.odoo_model = {model}"""
_COMMENTS: LiteralString = """
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT c.relname, {of_table} AS comment
        FROM {meta} m JOIN pg_class c ON c.relname = m.table_name AND c.relkind IN ('r', 'p')
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = {schema}
        WHERE {chosen} AND pg_has_role(c.relowner, 'USAGE')
            AND {of_table} <> coalesce(obj_description(c.oid, 'pg_class'), '')
    LOOP
        EXECUTE format('COMMENT ON TABLE %I.%I IS %L', {schema}, item.relname, item.comment);
    END LOOP;
    FOR item IN
        SELECT c.relname, a.attname, {of_column} AS comment
        FROM {field} m JOIN pg_class c ON c.relname = m.table_name AND c.relkind IN ('r', 'p')
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = {schema}
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = m.column_name AND NOT a.attisdropped
        WHERE {chosen} AND pg_has_role(c.relowner, 'USAGE')
            AND {of_column} <> coalesce(col_description(c.oid, a.attnum), '')
    LOOP
        EXECUTE format('COMMENT ON COLUMN %I.%I.%I IS %L', {schema}, item.relname, item.attname, item.comment);
    END LOOP;
END
"""


_OF_TABLE = as_comment("m.label || ' (' || m.odoo_model || ')'")


@dataclass(frozen=True)
class _Known:
    """What the catalogue says about a column now.

    :param is_pointing: whether it names the table of the model that the column points to.
    :param is_commented: whether the column's comment is the label, or this role cannot write it.
    """

    description: Description
    is_pointing: bool
    is_commented: bool


def describe_table(
    tx: Transaction, table: str, label: str | None, name_path: str | None, columns: Sequence[Column]
) -> None:
    """Bring the catalogue's entries of a registered table and its columns up to date; writes nothing if they are.

    :param label: the model's, None to keep the one that is known.
    :param name_path: the field with a record's name: `name`, `partner_id.name` through an `_inherits` parent, or None.
    :param columns: as `apply_change` recorded them.
    """
    name_path = None if name_path is None else storable(name_path)
    ((model, known_label, known_path, is_commented),) = tx.run(
        "SELECT m.odoo_model, coalesce(m.label, ''), m.name_path,"
        " c.oid IS NULL OR m.label IS NULL OR NOT pg_has_role(c.relowner, 'USAGE')"
        " OR {of_table} IS NOT DISTINCT FROM obj_description(c.oid, 'pg_class')"
        " FROM {meta} m LEFT JOIN pg_class c ON c.oid = to_regclass({name}) WHERE m.table_name = {table}",
        meta=tx.own(META),
        of_table=_OF_TABLE,
        table=table,
        name=tx.own(table).as_string(tx.cursor),
    )
    label = known_label if label is None else storable(label)
    known = _known_columns(tx, table)
    stale = [item for item in columns if not _is_described(item, known.get(item.name))]
    if (label, name_path) == (known_label, known_path) and not stale and is_commented:
        return
    lock_schema(tx)
    tx.run_all(
        [
            name_statement(tx.schema, str(model), label, name_path),
            *column_statements(tx.schema, str(model), stale),
            pointing_statement(tx.schema, table=table),
            comments_statement(tx.schema, table),
        ]
    )
    mark_view(tx, table)  # views show the labels as comments
    if name_path != known_path or not all(_is_pointed(item, known.get(item.name)) for item in stale):
        mark_views_that_name(tx, table)


def _known_columns(tx: Transaction, table: str) -> dict[str, _Known]:
    rows = tx.run(
        "SELECT f.column_name, coalesce(f.label, ''), f.relation, f.is_translated, f.is_company_dependent,"
        " f.is_required, f.is_custom,"
        " (SELECT json_agg(json_build_array(s.value, s.label) ORDER BY s.position) FROM {selection} s"
        " WHERE s.table_name = f.table_name AND s.column_name = f.column_name),"
        " f.relation_table IS NOT DISTINCT FROM r.table_name,"
        " c.oid IS NULL OR f.label IS NULL OR NOT pg_has_role(c.relowner, 'USAGE')"
        " OR {of_column} IS NOT DISTINCT FROM col_description(c.oid, a.attnum)"
        " FROM {field} f LEFT JOIN {meta} r ON r.odoo_model = f.relation"
        " LEFT JOIN pg_class c ON c.oid = to_regclass({name})"
        " LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = f.column_name AND NOT a.attisdropped"
        " WHERE f.table_name = {table}",
        field=tx.own(FIELD),
        selection=tx.own(SELECTION),
        meta=tx.own(META),
        of_column=as_comment("f.label"),
        table=table,
        name=tx.own(table).as_string(tx.cursor),
    )
    return {str(row[0]): _known(*row[1:]) for row in rows}


def _known(
    label: str,
    relation: str | None,
    translated: bool,
    company_dependent: bool,
    required: bool,
    custom: bool,
    selection: list[list[str]] | None,
    is_pointing: bool,
    is_commented: bool,
) -> _Known:
    choices = tuple((value, text) for value, text in selection or ())
    description = Description(label, relation, translated, company_dependent, required, custom, choices)
    return _Known(description, is_pointing, is_commented)


def _storable(description: Description) -> Description:
    return replace(
        description,
        label=storable(description.label),
        relation=None if description.relation is None else storable(description.relation),
        selection=tuple((storable(value), storable(label)) for value, label in description.selection),
    )


def _is_described(column: Column, known: _Known | None) -> bool:
    return (
        known is not None
        and known.is_commented
        and _is_pointed(column, known)
        and (known.description == _storable(column.description))
    )


def _is_pointed(column: Column, known: _Known | None) -> bool:
    return known is not None and known.is_pointing and known.description.relation == _relation(column)


def _relation(column: Column) -> str | None:
    return _storable(column.description).relation


def name_statement(
    schema: str, model: str, label: str, name_path: str | None, *, overwrite: bool = True
) -> sql.Composed:
    """Return the statement that records a registered model's label and the field with its records' names.

    :param overwrite: replace what is known already; otherwise only add a label, or a path where there is none.
    """
    given = sql.SQL("nullif({}, '')").format(label)
    return sql.SQL("UPDATE {meta} SET label = {label}, name_path = {path} WHERE odoo_model = {model}").format(
        meta=sql.Identifier(schema, META),
        label=given if overwrite else sql.SQL("coalesce({}, label)").format(given),
        path=name_path if overwrite else sql.SQL("coalesce(name_path, {})").format(name_path),
        model=model,
    )


def column_statements(
    schema: str, model: str, columns: Sequence[Column], *, overwrite: bool = True
) -> list[sql.Composed]:
    """Return the statements that record what columns mean; running them twice does no harm.

    They find the table by its model, through the registry.

    :param overwrite: replace what is known already.
    """
    if not columns:
        return []
    parts = {name: sql.Identifier(schema, table) for name, table in _TABLES.items()}
    described = sql.SQL(_DESCRIBED).format(
        **parts, model=model, rows=_rows(map(_column_row, columns)), conflict=sql.SQL(_RENEWED if overwrite else _KEPT)
    )
    if not overwrite:
        return [described]
    listed = sql.SQL(", ").join(sql.Literal(item.name) for item in columns)
    cleared = sql.SQL(_CLEARED).format(**parts, model=model, columns=listed)
    choices = [row for item in columns for row in _selection_rows(item)]
    chosen = [sql.SQL(_CHOICES).format(**parts, model=model, rows=_rows(choices))] if choices else []
    return [described, cleared, *chosen]


def comments_statement(schema: str, table: str | None = None) -> sql.Composed:
    """Return the statement that writes the labels as comments, where they differ.

    :param table: only those of this table.
    """
    chosen = sql.SQL("true") if table is None else sql.SQL("m.table_name = {}").format(table)
    body = sql.SQL(_COMMENTS).format(
        meta=sql.Identifier(schema, META),
        field=sql.Identifier(schema, FIELD),
        schema=schema,
        chosen=chosen,
        of_table=_OF_TABLE,
        of_column=as_comment("m.label"),
    )
    # Quoted as a literal, the block cannot end early, whatever the schema is called.
    return sql.SQL("DO {}").format(body.as_string())


def _column_row(item: Column) -> tuple[object, ...]:
    about = _storable(item.description)
    return (
        *(item.name, storable(item.field), item.odoo_type, str(item.type), about.label or None, about.relation),
        *(about.translated, about.company_dependent, about.required, about.custom),
    )


def _selection_rows(item: Column) -> Iterator[tuple[object, ...]]:
    for position, (value, label) in enumerate(_storable(item.description).selection, start=1):
        yield item.name, position, value, label


def _rows(rows: Iterable[Sequence[object]]) -> sql.Composed:
    return sql.SQL(",\n").join(sql.SQL("    ({})").format(sql.SQL(", ").join(map(sql.Literal, row))) for row in rows)
