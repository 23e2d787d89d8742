"""SQL text for a model's fields: which expression holds a field's value, and the joins that it needs."""

from __future__ import annotations

from psycopg import sql

from odoo_stand_in.declared.schema import Field, Model, identifier
from odoo_stand_in.orm import company_values, files
from odoo_stand_in.orm.environment import Environment

BASE_DEFINITION = "properties_base_definition_id"
COLUMN_TYPES = {
    "char": "varchar",
    "selection": "varchar",
    "reference": "varchar",
    "text": "text",
    "html": "text",
    "integer": "int4",
    "many2one": "int4",
    "many2one_reference": "int4",
    "boolean": "bool",
    "date": "date",
    "datetime": "timestamp",
    "monetary": "numeric",
    "json": "jsonb",
    "properties": "jsonb",
    "properties_definition": "jsonb",
    "binary": "bytea",
}


def value_type(field: Field) -> str:
    """Return the PostgreSQL type of one value of the field."""
    if field.type == "float":
        return "float8" if field.digits is None else "numeric"
    return COLUMN_TYPES.get(field.type, "jsonb")


def column_type(field: Field) -> str:
    """Return the PostgreSQL type of the field's column."""
    if field.translate or field.company_dependent:
        return "jsonb"
    if field.size is not None:
        return f"varchar({field.size})"
    return value_type(field)


def source(model: Model) -> sql.Composable:
    """Return what stands behind FROM: the model's table or view, or its query under the table's name."""
    table = sql.Identifier(model.table)
    if not model.made_of_query:
        return table
    return sql.SQL("({}) AS {}").format(sql.SQL(model.view_sql or ""), table)


def _base_definition(model: Model) -> sql.Composable:
    """Return where the definition is that all records of a model have: it is known by the field that it is for."""
    return sql.SQL(
        "(SELECT b.id FROM properties_base_definition b JOIN ir_model_fields f ON f.id = b.properties_field_id"
        " WHERE f.model = {} AND f.ttype = 'properties')"
    ).format(sql.Literal(model.name))


class Query:
    """A SELECT in the making: one model's table, the joins so far, conditions."""

    def __init__(self, env: Environment, model: Model) -> None:
        self.env = env
        self.model = model
        self.alias = model.table
        self.joins: list[sql.Composable] = []
        self.where: list[sql.Composable] = []
        self._joined: dict[tuple[str, str], str] = {}

    def join(self, model: Model, alias: str, field: Field, comodel: Model) -> str:
        """LEFT JOIN the table that a many2one points to, once; returns its alias."""
        key = (alias, field.name)
        if key not in self._joined:
            name = identifier(f"{alias}__{field.name}")
            self._joined[key] = name
            self.joins.append(
                sql.SQL(" LEFT JOIN {} AS {} ON {} = {}").format(
                    sql.Identifier(comodel.table),
                    sql.Identifier(name),
                    self.expression(model, alias, field),
                    sql.Identifier(name, "id"),
                )
            )
        return self._joined[key]

    def from_clause(self) -> sql.Composable:
        """FROM with its joins."""
        return sql.SQL("FROM {}{}").format(source(self.model), sql.Composed(self.joins))

    def where_clause(self) -> sql.Composable:
        """WHERE with all conditions, or nothing."""
        if not self.where:
            return sql.SQL("")
        return sql.SQL(" WHERE {}").format(sql.SQL(" AND ").join(self.where))

    def expression(self, model: Model, alias: str, field: Field) -> sql.Composable:
        """Return the SQL value of a field, NULL when empty."""
        if field.mirror_of is not None:
            return self.expression(model, alias, model.fields[field.mirror_of])
        if field.name == "display_name":
            return self.display_name(model, alias)
        if field.related is not None and not field.store:
            return self._related(model, alias, field.related)
        if field.company_dependent:
            kind = sql.SQL(value_type(field))
            return company_values.value(self.env.registry, model, field, alias, self.env.company_id, kind)
        if field.name == BASE_DEFINITION:
            return _base_definition(model)
        if field.attached:
            return files.content(model, field, alias)
        if field.column or field.name == "id":
            column = sql.Identifier(alias, field.column_name)
            if not field.translate:
                return column
            if self.env.lang == "en_US":
                return sql.SQL("{}->>'en_US'").format(column)
            return sql.SQL("COALESCE({0}->>{1}, {0}->>'en_US')").format(column, sql.Literal(self.env.lang))
        return sql.SQL("NULL::{}").format(sql.SQL(value_type(field)))

    def definition(self, model: Model, alias: str, field: Field) -> sql.Composable:
        """Return the definition of a properties field, from the record that keeps it."""
        path = f"{field.definition_record}.{field.definition_record_field}"
        if field.inherited and field.related:
            path = f"{field.related.split('.')[0]}.{path}"
        return self._related(model, alias, path)

    def _related(self, model: Model, alias: str, path: str) -> sql.Composable:
        head, _, rest = path.partition(".")
        field = model.fields.get(head)
        if field is None:
            return sql.SQL("NULL")
        if not rest:
            return self.expression(model, alias, field)
        comodel = self.env.registry.models.get(field.relation or "")
        if comodel is None:
            return sql.SQL("NULL")
        return self._related(comodel, self.join(model, alias, field, comodel), rest)

    def display_name(self, model: Model, alias: str) -> sql.Composable:
        """Return what Odoo shows for a record: its `rec_name` (several fields joined by blanks), else `model,id`."""
        fallback = sql.SQL("{} || ',' || {}").format(sql.Literal(model.name), sql.Identifier(alias, "id"))
        if len(model.rec_name.split()) == 1:
            link = model.fields.get(model.rec_name)
            comodel = self.env.registry.models.get((link.relation if link else None) or "")
            if link is not None and comodel is not None:
                return self.display_name(comodel, self.join(model, alias, link, comodel))
        parts = [
            sql.SQL("'[' || {} || ']'" if word.startswith("[") else "NULLIF({}::text, '')").format(
                self.expression(model, alias, model.fields[word.strip("[]")])
            )
            for word in model.rec_name.split()
            if word.strip("[]") in model.fields
        ]
        if not parts:
            return fallback
        if len(parts) == 1:
            return sql.SQL("COALESCE({}, '')").format(parts[0])
        return sql.SQL("concat_ws(' ', {})").format(sql.SQL(", ").join(parts))
