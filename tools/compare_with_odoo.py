"""Compares a shadow with the tables of Odoo's own database, cell by cell.

For servers whose database can be reached directly; trusts nothing but the tables:

    python -m tools.compare_with_odoo --odoo-dsn postgresql://…/odoo --shadow-dsn postgresql://…/postgres

With ODOO_URL, ODOO_DB, ODOO_USER and ODOO_PASSWORD set it asks that login which missing rows it may not see: Odoo's
record rules hide some rows even from an administrator, such as other people's private tasks.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias

import click
import psycopg
from psycopg import sql
from psycopg.rows import TupleRow
from rich.console import Console
from rich.table import Table

from airflow_provider_odoo_shadow.source.client import OdooClient
from airflow_provider_odoo_shadow.source.connection import OdooConnection
from airflow_provider_odoo_shadow.source.errors import OdooAccessError
from airflow_provider_odoo_shadow.source.reading import ARCHIVED_TOO
from tools.odoo_company_values import from_jsonb, from_properties

Connection: TypeAlias = psycopg.Connection[TupleRow]
Cells: TypeAlias = dict[int, object]
Normalise: TypeAlias = Callable[[object], object]

MOST_EXAMPLES = 5
_NUMBERS = ("integer", "float", "monetary", "many2one_reference")


@dataclass(frozen=True)
class Sides:
    """The two databases, and whose values were mirrored.

    :param login: the login that mirrored, None when it is not known.
    """

    odoo: Connection
    shadow: Connection
    schema: str
    lang: str
    company: int
    login: OdooClient | None = None


@dataclass
class Comparison:
    """What one model's comparison found."""

    model: str
    odoo_rows: int = 0
    missing: int = 0
    hidden: int = 0
    extra: int = 0
    cells: int = 0
    different: int = 0
    examples: list[str] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)

    @property
    def is_equal(self) -> bool:
        """Whether every row and every compared cell agree."""
        return not (self.missing or self.extra or self.different)


@click.command()
@click.option("--odoo-dsn", required=True, help="Odoo's own database.")
@click.option("--shadow-dsn", required=True, help="The shadow database.")
@click.option("--schema", default="odoo_shadow", show_default=True)
@click.option("--lang", default="en_US", show_default=True, help="The language that was mirrored.")
@click.option("--company", default=1, show_default=True, help="The company whose values were mirrored.")
def main(odoo_dsn: str, shadow_dsn: str, schema: str, lang: str, company: int) -> None:
    """Compare every mirrored table with Odoo's own; exit 1 when anything differs."""
    if not compare_databases(odoo_dsn, shadow_dsn, schema, lang=lang, company=company):
        sys.exit(1)


def compare_databases(odoo_dsn: str, shadow_dsn: str, schema: str, *, lang: str = "en_US", company: int = 1) -> bool:
    """Compare every mirrored table with Odoo's own, print a table, and say whether all is equal."""
    with psycopg.connect(odoo_dsn) as odoo, psycopg.connect(shadow_dsn) as shadow:
        sides = Sides(odoo, shadow, schema, lang, company, _login())
        compared = [compare_model(sides, model, table) for model, table in _tables(shadow, schema)]
    _print(compared)
    return all(comparison.is_equal for comparison in compared)


def compare_model(sides: Sides, model: str, table: str) -> Comparison:
    """Compare one model's table with its shadow."""
    result = Comparison(model)
    source, target = sql.Identifier(model.replace(".", "_")), sql.Identifier(sides.schema, table)
    odoo_ids, shadow_ids = set(_cells(sides.odoo, source, "id")), set(_cells(sides.shadow, target, "id"))
    _compare_ids(result, sides, odoo_ids, shadow_ids)
    types = _field_types(sides.odoo, model)
    present = _columns(sides.odoo, "public", model.replace(".", "_"))
    for column in _columns(sides.shadow, sides.schema, table):
        name = "write_date" if column == "_odoo_write_date" else column
        if column in ("id", "_synced_at", "_sync_hash"):
            continue
        if types.get(name, "properties").startswith("properties"):
            result.not_compared.append(name)
            continue
        ours = _cells(sides.shadow, target, column)
        theirs = _odoo_cells(sides, model, name, types[name], present.get(name), odoo_ids & shadow_ids)
        _compare_cells(result, name, ours, theirs)
    return result


def _compare_ids(result: Comparison, sides: Sides, odoo_ids: set[int], shadow_ids: set[int]) -> None:
    missing = sorted(odoo_ids - shadow_ids)
    visible = missing
    if missing and sides.login is not None:
        visible = sides.login.search(result.model, [("id", "in", missing)], context=ARCHIVED_TOO)
    result.odoo_rows, result.extra = len(odoo_ids), len(shadow_ids - odoo_ids)
    result.missing, result.hidden = len(visible), len(missing) - len(visible)


def _odoo_cells(sides: Sides, model: str, name: str, kind: str, column_type: str | None, ids: set[int]) -> Cells:
    """Return what Odoo's API should say of a field, from Odoo's own tables."""
    if kind == "many2many":
        linked = _linked(sides, model, name)
        return {record_id: _plain(linked.get(record_id, [])) for record_id in ids}
    if column_type is None:
        value_of = from_properties(sides.odoo, model, name, sides.company)
        return {record_id: _as_api(kind, value_of(record_id)) for record_id in ids}
    read: Normalise = _itself
    if column_type == "jsonb" and kind not in ("json", "serialized"):
        by_company = from_jsonb(sides.odoo, model, name, sides.company)
        read = by_company if _is_company_dependent(sides.odoo, model, name) else _translated(sides.lang)
    cells = _cells(sides.odoo, sql.Identifier(model.replace(".", "_")), name)
    return {record_id: _as_api(kind, read(cells[record_id])) for record_id in ids}


def _linked(sides: Sides, model: str, name: str) -> dict[int, list[int]]:
    """Return the ids behind a many2many; Odoo's `search_read` leaves archived and hidden records out of it."""
    odoo = sides.odoo
    ((table, own, other, comodel),) = odoo.execute(
        "SELECT relation_table, column1, column2, relation FROM ir_model_fields WHERE model = %s AND name = %s",
        [model, name],
    ).fetchall()
    related = str(comodel).replace(".", "_")
    columns = _columns(odoo, "public", related)
    rows = odoo.execute(
        sql.SQL(
            "SELECT r.{own}, array_agg(r.{other} ORDER BY r.{other}) FROM {table} AS r"
            " JOIN {comodel} AS c ON c.id = r.{other} WHERE r.{own} IS NOT NULL AND {visible} GROUP BY r.{own}"
        ).format(
            own=sql.Identifier(own),
            other=sql.Identifier(other),
            table=sql.Identifier(table),
            comodel=sql.Identifier(related),
            visible=sql.SQL("c.active" if "active" in columns else "true"),
        )
    )
    found = {int(record_id): [int(item) for item in ids] for record_id, ids in rows}
    seen = _seen(sides.login, str(comodel), sorted({item for ids in found.values() for item in ids}))
    return {record_id: [item for item in ids if item in seen] for record_id, ids in found.items()}


def _seen(login: OdooClient | None, model: str, ids: list[int]) -> set[int]:
    """Return those records that the login may see; where it may not read the model at all, Odoo shows all ids."""
    if login is None or not ids:
        return set(ids)
    try:
        return set(login.search(model, [("id", "in", ids)], context=ARCHIVED_TOO))
    except OdooAccessError:
        return set(ids)


def _compare_cells(result: Comparison, name: str, ours: Cells, theirs: Cells) -> None:
    for record_id in sorted(theirs):
        result.cells += 1
        mine, other = _plain(ours[record_id]), theirs[record_id]
        if mine != other:
            result.different += 1
            if len(result.examples) < MOST_EXAMPLES:
                result.examples.append(f"{result.model} {record_id} {name}: shadow {mine!r}, Odoo {other!r}")


def _as_api(kind: str, value: object) -> object:
    """Turn a cell of Odoo's table into what its API says, by the field's type."""
    if kind == "boolean":
        return bool(value)
    if kind in _NUMBERS and value is None:
        return Decimal(0)
    if isinstance(value, datetime):
        return value.replace(microsecond=0, tzinfo=UTC)
    return _plain(value or None if kind == "many2one" else value)


def _itself(value: object) -> object:
    return value


def _translated(lang: str) -> Normalise:
    def read(cell: object) -> object:
        return cell.get(lang, cell.get("en_US")) if isinstance(cell, dict) else cell

    return read


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return value
    if isinstance(value, float | int):
        return Decimal(repr(value)).normalize()
    if isinstance(value, Decimal):
        return Decimal(repr(float(value))).normalize()  # what fits into the double that the API sends
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else value


def _tables(shadow: Connection, schema: str) -> list[tuple[str, str]]:
    query = sql.SQL("SELECT odoo_model, table_name FROM {} WHERE last_sync_at IS NOT NULL ORDER BY odoo_model")
    rows = shadow.execute(query.format(sql.Identifier(schema, "odoo_shadow_meta")))
    return [(str(model), str(table)) for model, table in rows]


def _field_types(odoo: Connection, model: str) -> dict[str, str]:
    rows = odoo.execute("SELECT name, ttype FROM ir_model_fields WHERE model = %s", [model])
    return {str(name): str(kind) for name, kind in rows}


def _is_company_dependent(odoo: Connection, model: str, name: str) -> bool:
    if "company_dependent" not in _columns(odoo, "public", "ir_model_fields"):  # up to 17 none of them is a column
        return False
    query = "SELECT coalesce(company_dependent, false) FROM ir_model_fields WHERE model = %s AND name = %s"
    return bool(odoo.execute(query, [model, name]).fetchall()[0][0])


def _login() -> OdooClient | None:
    names = ("ODOO_URL", "ODOO_DB", "ODOO_USER", "ODOO_PASSWORD")
    host, database, login, password = (os.environ.get(name) for name in names)
    if host is None:
        return None
    return OdooClient(OdooConnection.parse("ODOO_URL", host=host, database=database, login=login, password=password))


def _columns(connection: Connection, schema: str, table: str) -> dict[str, str]:
    rows = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s ORDER BY column_name",
        [schema, table],
    )
    return {str(name): str(kind) for name, kind in rows}


def _cells(connection: Connection, table: sql.Identifier, column: str) -> Cells:
    query = sql.SQL("SELECT id, {} FROM {}").format(sql.Identifier(column), table)
    return {int(record_id): value for record_id, value in connection.execute(query)}


def _print(compared: list[Comparison]) -> None:
    table = Table("model", "rows", "missing", "hidden", "extra", "cells", "different", "not compared")
    for item in compared:
        numbers = (item.odoo_rows, item.missing, item.hidden, item.extra, item.cells, item.different)
        table.add_row(item.model, *map(str, numbers), ", ".join(item.not_compared))
    columns = ("odoo_rows", "missing", "hidden", "extra", "cells", "different")
    table.add_row("all", *(str(sum(getattr(item, name) for item in compared)) for name in columns))
    console = Console(width=None if sys.stdout.isatty() else 150)
    console.print(table)
    for item in compared:
        for example in item.examples:
            console.print(example, highlight=False, markup=False)


if __name__ == "__main__":
    main()
