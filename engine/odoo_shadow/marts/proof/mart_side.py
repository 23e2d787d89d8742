"""Reads a mart: its figures by company and key, and the rows behind one of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import LiteralString

from psycopg import sql

from odoo_shadow.marts.proof.comparison import Circumstances, Comparison, Figures
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import MART_FRESHNESS, META
from odoo_shadow.source.groups import GroupKey, KeyPart

_COLUMN = re.compile(r"\bm\.(\w+)")
_NOT_MARKED: LiteralString = "to_jsonb(m) ->> '_deleted_at' IS NULL"


@dataclass(frozen=True)
class MartState:
    """What is known of a mart that was built, or left out.

    :param today: the day, in the zone of the mirror, on which it was built.
    :param as_of: up to when it has what Odoo has.
    :param left_out_because: why there is no such mart; empty if there is one.
    :param time_zone: the one that it was built with, and `definition` the digest of the query that made it; None if
        that is not known.
    """

    mart: str
    built_at: datetime | None
    today: date | None
    as_of: datetime | None
    left_out_because: str
    time_zone: str | None
    definition: str | None


@dataclass(frozen=True)
class Side:
    """Where the marts of one mirror are.

    :param schema: of the marts.
    :param tables: the mirror's tables by model.
    """

    schema: str
    tables: Mapping[str, str]
    time_zone: str

    def mart(self, name: str) -> sql.Identifier:
        """Return the qualified name of a mart."""
        return sql.Identifier(self.schema, name)


def mirrored_tables(tx: Transaction) -> dict[str, str]:
    """Return the mirror's tables by model."""
    return {str(model): str(table) for model, table in tx.run("SELECT odoo_model, table_name FROM {m}", m=tx.own(META))}


def has_marts(tx: Transaction, schema: str) -> bool:
    """Say whether marts have been built in a schema."""
    rows = tx.run(
        "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = {schema} AND c.relname = {name} AND c.relkind IN ('r', 'v', 'm')",
        schema=schema,
        name=MART_FRESHNESS,
    )
    return bool(rows)


def mart_states(tx: Transaction, side: Side) -> dict[str, MartState]:
    """Return what is known of each mart."""
    rows = tx.run(
        "SELECT mart, built_at, (built_at AT TIME ZONE {zone})::date, as_of, coalesce(left_out_because, ''),"
        # An earlier version's table has fewer columns.
        " to_jsonb(f) ->> 'time_zone', to_jsonb(f) ->> 'definition' FROM {freshness} f",
        zone=side.time_zone,
        freshness=side.mart(MART_FRESHNESS),
    )
    return {str(row[0]): MartState(*row) for row in rows}


def last_sync(tx: Transaction, models: Sequence[str]) -> datetime | None:
    """Return when the newest run of some models' tables ended: a mart that was built before it is behind."""
    rows = tx.run(
        "SELECT max(last_sync_at) FROM {meta} WHERE odoo_model = ANY({models}::text[])",
        meta=tx.own(META),
        models=list(models),
    )
    found = rows[0][0]
    return found if isinstance(found, datetime) else None


def columns(tx: Transaction, side: Side, mart: str) -> frozenset[str]:
    """Return a mart's columns; none if it is not there."""
    rows = tx.run(
        "SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {schema} AND c.relname = {mart}"
        " AND a.attnum > 0 AND NOT a.attisdropped",
        schema=side.schema,
        mart=mart,
    )
    return frozenset(str(row[0]) for row in rows)


def needed_columns(comparison: Comparison) -> set[str]:
    """Return the columns of the mart that a comparison reads."""
    figures = [item.mart for item in comparison.figures]
    own = [comparison.behind.mart] if comparison.behind.table is None else []
    expressions = [*(item.mart for item in comparison.keys), *figures, *own, comparison.where]
    return {"company_id"} | {name for text in expressions for name in _COLUMN.findall(text)}


def read(tx: Transaction, side: Side, comparison: Comparison) -> dict[int | None, Figures]:
    """Return a mart's figures by company, without those that are all zero."""
    rows = tx.run(
        "SELECT m.company_id, {keys}, {figures} FROM {mart} m WHERE {where} GROUP BY {groups}",
        keys=_list([key.mart for key in comparison.keys]),
        figures=_sums([figure.mart for figure in comparison.figures]),
        mart=side.mart(comparison.mart),
        where=sql.SQL(comparison.where),
        groups=sql.SQL(", ").join(map(sql.Literal, range(1, len(comparison.keys) + 2))),
    )
    found: dict[int | None, dict[GroupKey, tuple[Decimal, ...]]] = {}
    width = len(comparison.keys) + 1
    for row in rows:
        values = tuple(map(_number, row[width:]))
        if any(values):
            found.setdefault(row[0], {})[tuple(map(_part, row[1:width]))] = values
    return dict(found)


def read_behind(
    tx: Transaction, side: Side, comparison: Comparison, about: Circumstances, key: GroupKey
) -> dict[int, tuple[Decimal, ...]]:
    """Return the figures of each row behind one key, by its id: from the mart, or the table that it adds up."""
    behind = comparison.behind
    is_summed = behind.table is not None
    names = {model.replace(".", "_"): sql.Identifier(tx.schema, table) for model, table in side.tables.items()}
    source = side.mart(comparison.mart)
    if behind.table is not None:
        source = sql.Identifier(tx.schema, side.tables[behind.table])
    where = behind.where + " AND " + _NOT_MARKED if is_summed else comparison.where
    keys = list(behind.keys) if is_summed else [item.mart for item in comparison.keys]
    figures = list(behind.figures) if is_summed else [item.mart for item in comparison.figures]
    equal = [
        sql.SQL("({}) IS NOT DISTINCT FROM {}").format(sql.SQL(expression), part)
        for expression, part in zip(keys, key, strict=True)
    ]
    rows = tx.run(
        "SELECT {id}, {figures} FROM {source} m WHERE m.company_id IS NOT DISTINCT FROM {company}"
        " AND {where} AND {equal} GROUP BY 1",
        id=sql.SQL(behind.mart),
        figures=_sums(figures),
        source=source,
        company=about.company_id,
        where=sql.SQL(where).format(today=about.today, **names),
        equal=sql.SQL(" AND ").join(equal),
    )
    found = {row[0]: tuple(map(_number, row[1:])) for row in rows if isinstance(row[0], int)}
    return {record: values for record, values in found.items() if any(values)}


def _list(expressions: list[LiteralString]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.SQL, expressions))


def _sums(expressions: list[LiteralString]) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL("sum({})").format(sql.SQL(item)) for item in expressions)


def _number(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int):
        return Decimal(value)
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(0)


def _part(value: object) -> KeyPart:
    if isinstance(value, datetime):
        return value.date()
    return value if value is None or isinstance(value, int | str | date) else str(value)
