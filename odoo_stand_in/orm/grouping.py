"""Grouped reads: sums by fields and months, as 17 and 19 answer them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from psycopg import sql

from odoo_stand_in.declared.schema import NUMBERS, X2MANY, Field, Model
from odoo_stand_in.orm import access, reading
from odoo_stand_in.orm.domains import search_query
from odoo_stand_in.orm.environment import Environment
from odoo_stand_in.orm.query import Query

Row = dict[str, Any]


@dataclass(frozen=True)
class _Term:
    """One thing by which records are grouped: a field, or the month of one."""

    spec: str
    field: Field
    expression: sql.Composable

    @property
    def has_month(self) -> bool:
        return self.field.type in ("date", "datetime")


def read_group(
    env: Environment,
    model: Model,
    domain: Sequence[Any],
    fields: Sequence[str],
    groupby: str | Sequence[str],
    offset: int,
    limit: int | None,
) -> list[Row]:
    """Return groups as servers up to 18 do: a month as a label, and its bounds in `__range`."""
    specs = [groupby] if isinstance(groupby, str) else list(groupby)
    names = [one.partition(":")[0] for one in fields if one != "__count"]
    result = []
    for terms, values, count, sums in _groups(env, model, domain, specs, names, offset, limit):
        row: Row = {term.spec: value for term, value in zip(terms, values, strict=True)}
        months = [(term, value) for term, value in zip(terms, values, strict=True) if term.has_month and value]
        row |= {term.spec: _label(env, term, value) for term, value in months}
        row |= {"__count": count, **dict(zip(names, sums, strict=True)), "__domain": list(domain)}
        if any(term.has_month for term in terms):
            bounds = {term.spec: {"from": value, "to": _next_month(env, term, value)} for term, value in months}
            row["__range"] = {term.spec: bounds.get(term.spec, False) for term in terms if term.has_month}
        result.append(row)
    return result


def formatted_read_group(
    env: Environment,
    model: Model,
    domain: Sequence[Any],
    groupby: Sequence[str],
    aggregates: Sequence[str],
    offset: int,
    limit: int | None,
) -> list[Row]:
    """Return groups as 19 does: a month as its first moment and a label, sums under what was asked for."""
    names = [one.partition(":")[0] for one in aggregates if one != "__count"]
    result = []
    for terms, values, count, sums in _groups(env, model, domain, list(groupby), names, offset, limit):
        row: Row = {
            term.spec: [value, _label(env, term, value)] if term.has_month and value else value
            for term, value in zip(terms, values, strict=True)
        }
        by_name = {f"{name}:sum": total for name, total in zip(names, sums, strict=True)}
        given = {**by_name, "__count": count}
        result.append({**row, "__extra_domain": [], **{one: given[one] for one in aggregates}})
    return result


def _groups(
    env: Environment,
    model: Model,
    domain: Sequence[Any],
    specs: Sequence[str],
    names: Sequence[str],
    offset: int,
    limit: int | None,
) -> list[tuple[list[_Term], list[Any], int, list[Any]]]:
    access.check_model(env, model, "read")
    query = search_query(env, model, domain)
    terms = [_term(env, model, query, spec) for spec in specs]
    sums = [_sum(env, model, query, name) for name in names]
    selected = sql.SQL(", ").join([*(term.expression for term in terms), sql.SQL("count(*)"), *sums])
    statement = sql.SQL("SELECT {} {}{}").format(selected, query.from_clause(), query.where_clause())
    if terms:
        places = sql.SQL(", ").join(map(sql.Literal, range(1, len(terms) + 1)))
        statement += sql.SQL(" GROUP BY {0} ORDER BY {0}").format(places)
    if limit:
        statement += sql.SQL(" LIMIT {}").format(sql.Literal(limit))
    if offset:
        statement += sql.SQL(" OFFSET {}").format(sql.Literal(offset))
    rows = env.rows(statement)
    shown = _names(env, terms, rows)
    width = len(terms)
    return [
        (
            terms,
            [_given(env, term, value, names) for term, value, names in zip(terms, row, shown, strict=False)],
            row[width],
            [False if value is None else value for value in row[width + 1 :]],
        )
        for row in rows
    ]


def _term(env: Environment, model: Model, query: Query, spec: str) -> _Term:
    name, _, period = spec.partition(":")
    field = _field(env, model, name, "")
    expression = query.expression(model, query.alias, field)
    if field.type in X2MANY or period not in ("", "month"):
        raise NotImplementedError(f"the stand-in does not group by {spec}")
    if field.type in ("date", "datetime"):
        if env.newer and not period:
            raise ValueError(f"Granularity not set on a date(time) field: {spec!r}")
        zone = sql.Literal(_zone(env).key)
        local = sql.SQL("timezone({}, timezone('UTC', {}))").format(zone, expression)
        value = local if field.type == "datetime" else expression
        expression = sql.SQL("date_trunc('month', {}::timestamp)::date").format(value)
    elif field.type == "boolean":
        expression = sql.SQL("COALESCE({}, FALSE)").format(expression)
    return _Term(spec, field, expression)


def _sum(env: Environment, model: Model, query: Query, name: str) -> sql.Composable:
    field = _field(env, model, name, f" for '{name}:sum'.")
    if field.type not in NUMBERS:
        raise NotImplementedError(f"the stand-in does not add up {name}")
    return sql.SQL("SUM({})").format(query.expression(model, query.alias, field))


def _field(env: Environment, model: Model, name: str, where: str) -> Field:
    access.check_fields(env, model, [name], "read")
    field = model.fields.get(name)
    if field is None:
        raise ValueError(f"Invalid field {name!r} on model {model.name!r}{where}")
    is_followed = env.newer and field.related is not None and field.told.get("groupable", False)
    if not (field.store or field.inherited or field.mirror_of or is_followed or name == "id"):
        shown = "because it is not stored" if env.newer else ""
        kind = f"Cannot convert {model.name}.{name}" if env.newer else f"Cannot convert field {model.name}.{name}"
        raise ValueError(f"{kind} to SQL {shown}".rstrip())
    return field


def _zone(env: Environment) -> ZoneInfo:
    """Return the zone of the context; one that is not known counts as UTC, without a word."""
    name = str(env.context.get("tz") or "UTC")
    return ZoneInfo(name if name in available_timezones() else "UTC")


def _names(env: Environment, terms: Sequence[_Term], rows: Sequence[Sequence[Any]]) -> list[dict[int, str]]:
    shown = []
    for place, term in enumerate(terms):
        related = {"many2one": term.field.relation, "integer": None}.get(term.field.type)
        ids = {row[place] for row in rows if row[place]} if related else set()
        shown.append(reading.display_names(replace(env, su=True), related or "", ids))
    return shown


def _given(env: Environment, term: _Term, value: Any, names: dict[int, str]) -> Any:
    if value is None:
        return False
    if term.field.type == "many2one":
        return [value, names.get(value, "")]
    if term.field.name == "id":
        return [value, str(value)]
    return _moment(env, term, value) if term.has_month else value


def _moment(env: Environment, term: _Term, first: str) -> str:
    """Return where a month begins: its first day, or that day's first moment in UTC."""
    if term.field.type == "date":
        return first
    local = datetime.fromisoformat(first).replace(tzinfo=_zone(env))
    return local.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _first(env: Environment, term: _Term, begins: str) -> date:
    moment = datetime.fromisoformat(begins)
    if term.field.type == "datetime":
        moment = moment.replace(tzinfo=UTC).astimezone(_zone(env))
    return moment.date()


def _label(env: Environment, term: _Term, begins: str) -> str:
    return f"{_first(env, term, begins):%B %Y}"


def _next_month(env: Environment, term: _Term, begins: str) -> str:
    first = _first(env, term, begins)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return _moment(env, term, following.isoformat())
