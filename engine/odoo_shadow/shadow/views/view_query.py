"""Builds the statements of a named view: names for the ids of many2one fields, and labels for choices.

It works on values, whether they come from the control tables or from the models of a `ddl` file.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as with_default
from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow import names
from odoo_shadow.shadow.access.grants import grant_view_statement
from odoo_shadow.shadow.columns import ColumnType
from odoo_shadow.shadow.owners.made_objects import MadeObject, ObjectKind, record_statement
from odoo_shadow.shadow.views.comments import view_comments_statement

OWN_COLUMNS_SHOWN = frozenset({names.ID, names.WRITE_DATE})

_COMPANY = "company_id"
_BY_COMPANY = "__companies"
# A row of no company gets what the login's own company has.
_OF_COMPANY: LiteralString = "CASE WHEN {company} IS NULL THEN {own} ELSE {by_company} ->> {company}::text END"


@dataclass(frozen=True)
class ViewColumn:
    """A field's column, as far as named views need it.

    :param column_type: spelled as `format_type` does.
    :param relation_table: the table of the model that the field points to, if that is mirrored.
    """

    name: str
    field: str
    odoo_type: str
    column_type: str
    relation_table: str | None

    @property
    def points_to(self) -> str | None:
        """The table whose ids it contains, None if it is not a many2one to a mirrored model."""
        is_link = self.odoo_type == "many2one" and self.column_type == ColumnType.BIGINT
        return self.relation_table if is_link else None

    @property
    def is_by_company(self) -> bool:
        """Whether it contains the values of each company."""
        return self.column_type == ColumnType.JSONB and self.name.startswith(f"{self.field}{_BY_COMPANY}")

    @property
    def has_names(self) -> bool:
        """Whether it may contain names, or ids that lead to them; a field's languages and companies are `jsonb`."""
        return self.column_type in (ColumnType.TEXT, ColumnType.BIGINT)


@dataclass(frozen=True)
class NamedTable:
    """A table whose records have names.

    :param name_path: the field with the name; `partner_id.name` when it is in an `_inherits` parent; several fields,
        parted by blanks, that make up the name.
    :param columns: those of its columns that matter for names.
    """

    name_path: str | None
    columns: Sequence[ViewColumn]

    def column_of(self, field: str) -> ViewColumn | None:
        """Return the column that contains a field's names, or the ids that lead to them."""
        return next((column for column in self.columns if column.field == field and column.has_names), None)

    def by_company(self, field: str) -> ViewColumn | None:
        """Return the column that contains a field's values by company."""
        return next((column for column in self.columns if column.field == field and column.is_by_company), None)


@dataclass(frozen=True)
class ViewedTable:
    """A table that gets a view.

    :param present: all its columns, in their order.
    :param of_fields: those of fields, by name.
    :param own: those of the project's own that the view shows.
    :param labels: labels by value, for the columns that contain choices.
    """

    table: str
    present: Sequence[str]
    of_fields: Mapping[str, ViewColumn]
    own: Collection[str] = OWN_COLUMNS_SHOWN
    labels: Mapping[str, Mapping[str, str]] = with_default(default_factory=dict)

    @property
    def company(self) -> str | None:
        """The column of the company that a row belongs to."""
        field = self.of_fields.get(_COMPANY)
        return field.name if field is not None and field.column_type == ColumnType.BIGINT else None


@dataclass(frozen=True)
class Lookup:
    """The way from an id to a text: tables, each with the column that leads to the next one or is the text.

    :param by_company: the last table's column with the text of each company, for a text that differs between them.
    """

    steps: tuple[tuple[str, str], ...]
    by_company: str | None = None


def named_view_statements(
    schema: str,
    view: str,
    viewed: ViewedTable,
    tables: Mapping[str, NamedTable],
    *,
    shown: Sequence[str] | None = None,
) -> list[sql.Composed]:
    """Return the statements that create a table's named view and record it as the mirror's own.

    Its readers see what their own rights on its tables allow.

    :param tables: those that the table points to, and the parents that they take their names from.
    :param shown: columns that the view that is replaced has and that keep their order; the others follow. None creates
        the view.
    """
    return [
        _view_statement(schema, view, _listed(schema, viewed, tables), viewed.table, shown),
        *_finishing_statements(schema, view, viewed.table),
    ]


def _find_lookups(tables: Mapping[str, NamedTable], table: str | None) -> list[Lookup]:
    """Find the way to each part of the names of a table's records; nothing when there is none."""
    here = tables.get(table) if table is not None else None
    if table is None or here is None or here.name_path is None:
        return []
    found = (_find_lookup(tables, table, path) for path in here.name_path.split())
    return [lookup for lookup in found if lookup is not None]


def _find_lookup(tables: Mapping[str, NamedTable], table: str | None, path: str) -> Lookup | None:
    steps: list[tuple[str, str]] = []
    by_company: ViewColumn | None = None
    for field in path.split("."):
        here = tables.get(table) if table is not None else None
        column = here.column_of(field) if here is not None else None
        if table is None or here is None or column is None:
            return None
        steps.append((table, column.name))
        table, by_company = column.points_to, here.by_company(field)
    return Lookup(tuple(steps), None if by_company is None else by_company.name)


@dataclass
class _Listed:
    """What a view selects: expressions by column, in the best order, and the tables that they need."""

    columns: dict[str, sql.Composable] = with_default(default_factory=dict)
    joins: list[sql.Composable] = with_default(default_factory=list)


def _listed(schema: str, viewed: ViewedTable, tables: Mapping[str, NamedTable]) -> _Listed:
    listed = _Listed()
    for column in viewed.present:
        field = viewed.of_fields.get(column)
        if field is None and column not in viewed.own:
            continue
        listed.columns[column] = sql.SQL("t.{}").format(sql.Identifier(column))
        lookups = _find_lookups(tables, field.points_to) if field is not None else []
        if lookups:
            taken = {*viewed.present, *listed.columns}
            listed.columns[names.name_column(column, taken)] = _name(schema, listed, column, lookups, viewed.company)
    for column in viewed.present:
        if column in listed.columns and viewed.labels.get(column):
            taken = {*viewed.present, *listed.columns}
            listed.columns[names.label_column(column, taken)] = _label(column, viewed.labels[column])
    return listed


def _name(schema: str, listed: _Listed, column: str, lookups: Sequence[Lookup], company: str | None) -> sql.Composable:
    """Join the tables that lead from an id to a name; return the name, in parts that are joined by blanks."""
    parts: list[sql.Composable] = []
    aliases: dict[tuple[str, ...], sql.Identifier] = {}
    for lookup in lookups:
        key: sql.Composable = sql.SQL("t.{}").format(sql.Identifier(column))
        way: tuple[str, ...] = ()
        for table, next_column in lookup.steps:
            way = (*way, table)
            if way not in aliases:
                aliases[way] = sql.Identifier(f"r{len(listed.joins) + 1}")
                listed.joins.append(_join(schema, table, aliases[way], key))
            key = sql.SQL("{}.{}").format(aliases[way], sql.Identifier(next_column))
            way = (*way, next_column)
        if lookup.by_company is not None and company is not None:
            key = sql.SQL(_OF_COMPANY).format(
                company=sql.SQL("t.{}").format(sql.Identifier(company)),
                by_company=sql.SQL("{}.{}").format(aliases[way[:-1]], sql.Identifier(lookup.by_company)),
                own=key,
            )
        parts.append(key)
    if len(parts) == 1:
        return parts[0]
    # An id that leads nowhere has no name, not an empty one.
    return sql.SQL("nullif(concat_ws(' ', {}), '')").format(sql.SQL(", ").join(parts))


def _join(schema: str, table: str, alias: sql.Identifier, key: sql.Composable) -> sql.Composed:
    return sql.SQL("\n    LEFT JOIN {} AS {alias} ON {alias}.id = {key}").format(
        sql.Identifier(schema, table), alias=alias, key=key
    )


def _label(column: str, labels: Mapping[str, str]) -> sql.Composable:
    """Return the label of a choice. The labels are in the view, so that its readers need no right on another table."""
    return sql.SQL("{}::jsonb ->> t.{}").format(json.dumps(labels, ensure_ascii=False), sql.Identifier(column))


def _view_statement(schema: str, view: str, listed: _Listed, table: str, shown: Sequence[str] | None) -> sql.Composed:
    kept = [column for column in shown or () if column in listed.columns]
    order = dict.fromkeys((*kept, *listed.columns))
    return sql.SQL("CREATE {replace}VIEW {view} AS SELECT\n    {listed}\nFROM {table} AS t{joins}").format(
        replace=sql.SQL("" if shown is None else "OR REPLACE "),
        view=sql.Identifier(schema, view),
        listed=sql.SQL(",\n    ").join(
            sql.SQL("{} AS {}").format(listed.columns[column], sql.Identifier(column)) for column in order
        ),
        table=sql.Identifier(schema, table),
        joins=sql.Composed(listed.joins),
    )


def _finishing_statements(schema: str, view: str, table: str) -> list[sql.Composed]:
    name = sql.Identifier(schema, view)
    return [
        view_comments_statement(
            name,
            sql.Identifier(schema, table),
            f"Kept by odoo-shadow, with names beside ids: {table}",
            ending=", with names beside ids",
        ),
        sql.SQL("ALTER VIEW {} SET (security_invoker = true)").format(name),
        grant_view_statement(schema, schema, view, table),
        record_statement(schema, MadeObject(schema, view, ObjectKind.VIEW, table)),
    ]
