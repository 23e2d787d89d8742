"""search and read: ids in order, and records as Odoo answers them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from psycopg import sql

from odoo_stand_in.declared.schema import X2MANY, Field, Model
from odoo_stand_in.orm import access, properties, values
from odoo_stand_in.orm.computing import COMPUTED
from odoo_stand_in.orm.domains import search_query
from odoo_stand_in.orm.environment import Environment
from odoo_stand_in.orm.errors import AccessError, UserError
from odoo_stand_in.orm.query import Query, source

Row = dict[str, Any]
_ORDER = re.compile(
    r"^\s*(?P<field>\w+|\"\w+\")(?:\.(?P<property>\w+))?"
    r"(?:\s+(?P<direction>asc|desc))?(?:\s+(?P<nulls>nulls (?:first|last)))?\s*$",
    re.IGNORECASE,
)


def search(
    env: Environment, model: Model, domain: Sequence[Any], offset: int, limit: int | None, order: str | None
) -> list[int]:
    """Ids of the matching records, in order. Odoo takes 0 for no id, so that only reading shows such a record."""
    model = access.profile_of(env, model)
    query = search_query(env, model, domain)
    terms = [sql.Identifier(query.alias, "id")]
    rows = env.rows(_select(query, terms, offset, limit, order or model.order))
    return [row[0] for row in rows if row[0] and row[0] not in model.hidden_late]


def count(env: Environment, model: Model, domain: Sequence[Any], limit: int | None) -> int:
    """How many records match (at most `limit`)."""
    model = access.profile_of(env, model)
    if model.hidden_late:
        return len(search(env, model, domain, 0, limit, None))
    query = search_query(env, model, domain)
    if not limit:
        statement = sql.SQL("SELECT count(*) {}{}").format(query.from_clause(), query.where_clause())
    else:
        statement = sql.SQL("SELECT count(*) FROM (SELECT 1 {}{} LIMIT {}) AS found").format(
            query.from_clause(), query.where_clause(), sql.Literal(limit)
        )
    return int(env.rows(statement)[0][0])


def search_read(
    env: Environment,
    model: Model,
    domain: Sequence[Any],
    fields: Sequence[str] | None,
    offset: int,
    limit: int | None,
    order: str | None,
    load: str | None,
) -> list[Row]:
    """Return matching records with their values, by one query and those for x2many and names."""
    profile = access.profile_of(env, model)
    access.check_model(env, profile, "read")
    names = wanted_fields(env, model, fields)
    if profile is not model and access.drops_all(model, profile, names):
        return []
    model = profile
    query = search_query(env, model, domain)
    plan = Plan(env, query, names)
    rows = env.rows(_select(query, plan.terms, offset, limit, order or model.order))
    if "active_test" in env.context:
        plan.env = replace(env, context={key: value for key, value in env.context.items() if key != "active_test"})
    return [record for record in plan.records(rows, load) if record["id"] not in model.hidden_late]


def read(
    env: Environment, model: Model, ids: Sequence[int], fields: Sequence[str] | None, load: str | None
) -> list[Row]:
    """Return the records that (still) exist, in the order of `ids`; an error for those that may not be seen."""
    names = wanted_fields(env, model, fields)
    access.check_model(env, model, "read")
    if not ids:
        return []
    if names == ["id"]:
        return [{"id": one} for one in ids]
    query = search_query(env.with_context(active_test=False), model, [("id", "in", list(ids))])
    plan = Plan(env, query, names)
    found = {row["id"]: row for row in plan.records(env.rows(_select(query, plan.terms, 0, None, "id")), load)}
    hidden = [one for one in ids if one not in found]
    if hidden:
        check_hidden(env, model, hidden, "read")
    return [found[one] for one in ids if one in found]


def check_hidden(env: Environment, model: Model, ids: Sequence[int], operation: str) -> None:
    """Refuse records that exist but that a record rule hides."""
    if access.record_rule(env, model) is None:
        return
    rows = env.rows(
        sql.SQL("SELECT id FROM {} WHERE id = ANY({}::bigint[])").format(source(model), sql.Literal(list(ids)))
    )
    if rows:
        shown = ", ".join(f"{model.description} ({model.name}: {row[0]})" for row in rows[:6])
        raise AccessError(
            f"Uh-oh! Looks like you have stumbled upon some top-secret records.\n\nSorry, {env.user.login} "
            f"(id={env.user.id}) doesn't have '{operation}' access to:\n- {shown}\n\n"
            "If you really, really need access, perhaps you can win over your friendly administrator "
            "with a batch of freshly baked cookies."
        )


def wanted_fields(env: Environment, model: Model, fields: Sequence[str] | None) -> list[str]:
    """Return the fields to read: those named, else all that the user may read."""
    if not fields:
        return [name for name, field in model.fields.items() if access.readable(env, field)]
    access.check_fields(env, model, list(fields), "read")
    for name in fields:
        if name not in model.fields:
            on = "on" if env.newer else "on model"
            raise ValueError(f"Invalid field {name!r} {on} {model.name!r}")
    return list(dict.fromkeys(fields))


def _select(
    query: Query, terms: Sequence[sql.Composable], offset: int, limit: int | None, order: str
) -> sql.Composable:
    ordering = order_by(query, query.model, query.alias, order)
    statement = sql.SQL("SELECT {} {}{}").format(sql.SQL(", ").join(terms), query.from_clause(), query.where_clause())
    if ordering:
        statement += sql.SQL(" ORDER BY {}").format(sql.SQL(", ").join(ordering))
    if limit:
        statement += sql.SQL(" LIMIT {}").format(sql.Literal(limit))
    if offset:
        statement += sql.SQL(" OFFSET {}").format(sql.Literal(offset))
    return statement


def order_by(
    query: Query, model: Model, alias: str, order: str, reverse: bool = False, depth: int = 0
) -> list[sql.Composable]:
    """ORDER BY terms; a many2one is ordered by the order of its model."""
    terms: list[sql.Composable] = []
    for part in order.split(","):
        match = _ORDER.match(part)
        if match is None:
            raise UserError(
                f'Invalid "order" specified ({order}). A valid "order" specification is a comma-separated list of'
                " valid field names (optionally followed by asc/desc for the direction)"
            )
        name = match["field"].strip('"')
        field = model.fields.get(name)
        if field is None:
            raise ValueError(f"Invalid field {name!r} on model {model.name!r}")
        descending = ((match["direction"] or "").lower() == "desc") is not reverse
        if not (field.store or field.inherited or field.mirror_of) or field.type in X2MANY:
            if query.env.newer:
                raise ValueError(f"Cannot convert {model.name}.{name} to SQL because it is not stored")
            continue
        if field.type == "many2one" and field.relation in query.env.registry.models:
            comodel = query.env.registry.models[field.relation]
            if comodel.order != "id":
                if depth < 2:
                    inner = query.join(model, alias, field, comodel)
                    terms += order_by(query, comodel, inner, comodel.order, descending, depth + 1)
                continue
        expression = query.expression(model, alias, field)
        if field.type == "boolean":
            expression = sql.SQL("COALESCE({}, FALSE)").format(expression)
        terms.append(
            sql.SQL("{}{}{}").format(
                expression,
                sql.SQL(" DESC" if descending else ""),
                sql.SQL(f" {match['nulls'].upper()}" if match["nulls"] else ""),
            )
        )
    return terms


class Plan:
    """How to read a list of fields: the columns to select, and what to do with each afterwards."""

    def __init__(self, env: Environment, query: Query, names: Sequence[str]) -> None:
        self.env = env
        self.model = query.model
        self.names = ["id", *(name for name in names if name != "id")]
        self.lists: list[Field] = []
        self.links: list[Field] = []
        self.converters: list[tuple[str, Callable[[Any], Any]]] = []
        self.definitions: list[Field] = []
        self.terms: list[sql.Composable] = []
        for name in self.names:
            field = self.model.fields[name]
            if field.type in X2MANY:
                self.lists.append(field)
                self.terms.append(sql.SQL("NULL"))
                continue
            if field.type == "many2one":
                self.links.append(field)
            elif field.type == "binary":
                sizes = env.context.get("bin_size") or env.context.get(f"bin_size_{name}")
                self.converters.append((name, values.read_binary(bool(sizes))))
            elif field.type == "reference":
                models = self.env.registry.models
                self.converters.append((name, partial(values.read_reference, models=models)))
            elif field.type == "properties":
                self.definitions.append(field)
            elif field.type == "properties_definition":
                self.converters.append((name, lambda value: value or []))
            elif field.type in ("integer", "many2one_reference") and name != "id":
                self.converters.append((name, values.read_whole))
            self.terms.append(values.select_term(field, query.expression(self.model, query.alias, field)))
        # Behind the values: what the properties are, from the record that defines them.
        self.terms += [query.definition(self.model, query.alias, field) for field in self.definitions]

    def records(self, rows: Sequence[Sequence[Any]], load: str | None) -> list[Row]:
        """Rows of the plan's SELECT as Odoo's records."""
        names = self.names
        records = [
            {name: False if value is None else value for name, value in zip(names, row, strict=False)} for row in rows
        ]
        for name, convert in self.converters:
            for record in records:
                record[name] = convert(record[name])
        for position, field in enumerate(self.definitions, len(names)):
            self._properties(position, field.name, rows, records)
        for field in self.lists:
            related = related_ids(self.env, self.model, field, [record["id"] for record in records])
            for record in records:
                record[field.name] = related.get(record["id"], [])
        self._computed(records)
        if load == "_classic_read":
            for field in self.links:
                self._names(field, records)
        return records

    def _names(self, field: Field, records: list[Row]) -> None:
        ids = {record[field.name] for record in records if record[field.name]}
        shown = display_names(self.env, field.relation or "", ids)
        for record in records:
            if record[field.name]:
                record[field.name] = [record[field.name], shown.get(record[field.name], "")]

    def _computed(self, records: list[Row]) -> None:
        for name in self.names:
            compute = COMPUTED.get((self.model.name, name))
            if compute is not None:
                found = compute(self.env, [record["id"] for record in records])
                for record in records:
                    record[name] = found.get(record["id"], 0)

    def _properties(self, position: int, name: str, rows: Sequence[Sequence[Any]], records: list[Row]) -> None:
        cells = [(row[position], record[name] or None) for row, record in zip(rows, records, strict=True)]
        told = properties.read(self.env, cells)
        # Whatever `load` says.
        properties.add_names(told, lambda model, ids: display_names(self.env, model, ids))
        for record, items in zip(records, told, strict=True):
            record[name] = items


def display_names(env: Environment, model_name: str, ids: set[int]) -> dict[int, str]:
    """Display names of some records of a model, whatever the user may see of it."""
    model = env.registry.models.get(model_name)
    if model is None or not ids:
        return {}
    query = Query(env, model)
    query.where.append(sql.SQL("{} = ANY({})").format(sql.Identifier(query.alias, "id"), sql.Literal(list(ids))))
    terms = [sql.Identifier(query.alias, "id"), query.display_name(model, query.alias)]
    statement = sql.SQL("SELECT {} {}{}").format(sql.SQL(", ").join(terms), query.from_clause(), query.where_clause())
    return {row[0]: row[1] for row in env.rows(statement)}


def related_ids(env: Environment, model: Model, field: Field, ids: Sequence[int]) -> dict[int, list[int]]:
    """Return the ids that an x2many field holds for each of the records."""
    comodel = env.registry.models.get(field.relation or "")
    if comodel is None or not ids or (not field.store and not field.inherited):
        return {}
    if field.inherited:
        link = (field.related or "").split(".")[0]
        parent = env.registry.models[model.fields[link].relation or ""]
        pairs = env.rows(
            sql.SQL("SELECT id, {} FROM {} WHERE id = ANY({})").format(
                sql.Identifier(link), sql.Identifier(model.table), sql.Literal(list(ids))
            )
        )
        above = related_ids(env, parent, parent.fields[field.name], [pair[1] for pair in pairs])
        return {own: above.get(up, []) for own, up in pairs}
    if field.active_only:
        env = env.with_context(active_test=True)
    if env.newer and not access.allowed(env, comodel, "read"):
        try:
            access.check_model(env, comodel, "read")
        except AccessError as error:
            raise AccessError(f"Failed to read field {model.name}.{field.name}\n{error}") from error
    query = search_query(env if access.allowed(env, comodel, "read") else env.sudo(), comodel, [])
    if field.type == "many2many":
        key: sql.Composable = sql.Identifier("rel", field.rel_own or "")
        query.joins.append(
            sql.SQL(" JOIN {} AS rel ON rel.{} = {}").format(
                sql.Identifier(field.rel_table or ""),
                sql.Identifier(field.rel_other or ""),
                sql.Identifier(query.alias, "id"),
            )
        )
    else:
        inverse = comodel.fields[field.relation_field or ""]
        key = sql.Identifier(query.alias, inverse.name)
        if inverse.model_field:
            query.where.append(
                sql.SQL("{} = {}").format(sql.Identifier(query.alias, inverse.model_field), sql.Literal(model.name))
            )
    query.where.append(sql.SQL("{} = ANY({})").format(key, sql.Literal(list(ids))))
    found: dict[int, list[int]] = {}
    for own, other in env.rows(_select(query, [key, sql.Identifier(query.alias, "id")], 0, None, comodel.order)):
        found.setdefault(own, []).append(other)
    return found
