"""Builds the statements of a named view: beside each many2one it shows the name of the other record.

It works on values, whether they come from the control tables or from the models of a `ddl` file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from odoo_shadow.shadow import names
from odoo_shadow.shadow.access.grants import grant_view_statement
from odoo_shadow.shadow.columns import ColumnType
from odoo_shadow.shadow.owners.made_objects import MadeObject, ObjectKind, record_statement
from odoo_shadow.shadow.views.comments import view_comments_statement

OWN_COLUMNS_SHOWN = frozenset({names.ID, names.WRITE_DATE})


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
    def has_names(self) -> bool:
        """Whether it may contain names, or ids that lead to them; a field's languages and companies are `jsonb`."""
        return self.column_type in (ColumnType.TEXT, ColumnType.BIGINT)


@dataclass(frozen=True)
class NamedTable:
    """A table whose records have names.

    :param name_path: the field with the name; `partner_id.name` when it is in an `_inherits` parent.
    :param columns: those of its columns that matter for names.
    """

    name_path: str | None
    columns: Sequence[ViewColumn]

    def column_of(self, field: str) -> ViewColumn | None:
        """Return the column that contains a field's names, or the ids that lead to them."""
        return next((column for column in self.columns if column.field == field and column.has_names), None)


@dataclass(frozen=True)
class ViewedTable:
    """A table that gets a view.

    :param present: all its columns, in their order.
    :param of_fields: those of fields, by name.
    :param own: those of the project's own that the view shows.
    """

    table: str
    present: Sequence[str]
    of_fields: Mapping[str, ViewColumn]
    own: Collection[str] = OWN_COLUMNS_SHOWN


@dataclass(frozen=True)
class Lookup:
    """The way from an id to a name: tables, each with the column that leads to the next one or is the name."""

    steps: tuple[tuple[str, str], ...]


def named_view_statements(
    schema: str, view: str, viewed: ViewedTable, tables: Mapping[str, NamedTable], *, replace: bool
) -> list[sql.Composed]:
    """Return the statements that create a table's named view and record it as the mirror's own.

    Its readers see what their own rights on its tables allow.

    :param tables: those that the table points to, and the parents that they take their names from.
    """
    return [
        _view_statement(schema, view, viewed, tables, replace=replace),
        *_finishing_statements(schema, view, viewed.table),
    ]


def _find_lookup(tables: Mapping[str, NamedTable], table: str | None) -> Lookup | None:
    """Find the way to the names of a table's records; None when there is none."""
    here = tables.get(table) if table is not None else None
    if here is None or here.name_path is None:
        return None
    steps: list[tuple[str, str]] = []
    for field in here.name_path.split("."):
        column = tables[table].column_of(field) if table is not None and table in tables else None
        if table is None or column is None:
            return None
        steps.append((table, column.name))
        table = column.points_to
    return Lookup(tuple(steps))


def _view_statement(
    schema: str, view: str, viewed: ViewedTable, tables: Mapping[str, NamedTable], *, replace: bool
) -> sql.Composed:
    listed: list[sql.Composable] = []
    joins: list[sql.Composable] = []
    used = set(viewed.present)
    for column in viewed.present:
        field = viewed.of_fields.get(column)
        if field is None and column not in viewed.own:
            continue
        listed.append(sql.SQL("t.{}").format(sql.Identifier(column)))
        lookup = _find_lookup(tables, field.points_to) if field is not None else None
        if lookup is None:
            continue
        key: sql.Composable = listed[-1]
        for table_name, next_column in lookup.steps:
            alias = sql.Identifier(f"r{len(joins) + 1}")
            joins.append(
                sql.SQL("\n    LEFT JOIN {} AS {alias} ON {alias}.id = {key}").format(
                    sql.Identifier(schema, table_name), alias=alias, key=key
                )
            )
            key = sql.SQL("{}.{}").format(alias, sql.Identifier(next_column))
        name = names.name_column(column, used)
        used.add(name)
        listed.append(sql.SQL("{} AS {}").format(key, sql.Identifier(name)))
    return sql.SQL("CREATE {replace}VIEW {view} AS SELECT\n    {listed}\nFROM {table} AS t{joins}").format(
        replace=sql.SQL("OR REPLACE " if replace else ""),
        view=sql.Identifier(schema, view),
        listed=sql.SQL(",\n    ").join(listed),
        table=sql.Identifier(schema, viewed.table),
        joins=sql.Composed(joins),
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
