"""Compares a shadow with the tables of Odoo's own database, cell by cell.

For servers whose database can be reached directly; trusts nothing but the tables:

    python -m tools.compare_with_odoo --odoo-dsn postgresql://…/odoo --shadow-dsn postgresql://…/postgres

With ODOO_URL, ODOO_DB, ODOO_USER and ODOO_PASSWORD set (and ODOO_COMPANY_IDS, if the mirror has it) it asks that login
which missing rows it may not see: Odoo's record rules hide some rows even from an administrator, such as other people's
private tasks.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

import click
import psycopg
from psycopg import sql
from rich.console import Console
from rich.table import Table

from odoo_shadow.mirror.report_tables import add_row
from odoo_shadow.shadow import names
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.connection import OdooConnection
from odoo_shadow.text.shown import shown
from tools.odoo_cells import NOTHING_HIDDEN, Cells, NotComparableError, Reading, expected_cells, plain_cell
from tools.odoo_models import Connection, OdooModel, made_since, read_model
from tools.shadow_tables import Holds, ShadowColumn, ShadowTable, mirrored_tables, read_table, synced_until

MOST_EXAMPLES = 5
PINNED = "-c search_path=pg_catalog,pg_temp"
"""Functions that somebody made in `public` are not called."""
LONGEST_VALUE = 120
NUMBERS = ("rows", "hidden", "newer", "missing", "extra", "cells", "different")


@dataclass(frozen=True)
class Sides:
    """The two databases."""

    reading: Reading
    shadow: Connection
    schema: str


@dataclass
class Comparison:
    """What one model's comparison found.

    :param hidden: rows that Odoo's record rules hide from the login.
    :param newer: rows that were made after the last sync.
    :param kinds: compared cells by the field's type.
    :param not_compared: columns, each with the reason.
    """

    model: str
    rows: int = 0
    hidden: int = 0
    newer: int = 0
    missing: int = 0
    extra: int = 0
    cells: int = 0
    different: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    not_compared: dict[str, str] = field(default_factory=dict)

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
    with psycopg.connect(odoo_dsn) as odoo, psycopg.connect(shadow_dsn, options=PINNED) as shadow:
        sides = Sides(Reading(odoo, lang, company, _login()), shadow, schema)
        compared = [compare_model(sides, model, table) for model, table in mirrored_tables(shadow, schema)]
    _print(compared)
    return all(comparison.is_equal for comparison in compared)


def compare_model(sides: Sides, name: str, table_name: str) -> Comparison:
    """Compare one model's table with its shadow."""
    reading, result = sides.reading, Comparison(name)
    model = read_model(reading.odoo, name, reading.login)
    table = read_table(sides.shadow, sides.schema, table_name, model)
    if model.table is None:
        result.not_compared["all columns"] = "the model has no table in Odoo's database"
        return result
    result.not_compared.update(table.not_compared)
    both = _compare_ids(result, sides, model, table_name, table)
    for column in table.columns:
        try:
            theirs = expected_cells(reading, model, column, both)
        except NotComparableError as reason:
            result.not_compared[column.name] = str(reason)
            continue
        ours = _cells(sides.shadow, sql.Identifier(sides.schema, table_name), column.name)
        if model.tells_the_time and not _are_equal(column, both, ours, theirs):
            result.not_compared[column.name] = "the view reads the clock"
            continue
        _compare_cells(result, column, both, ours, theirs)
    return result


def _compare_ids(result: Comparison, sides: Sides, model: OdooModel, table_name: str, table: ShadowTable) -> list[int]:
    """Count rows that only one side has; return the ids that both have."""
    theirs = set(_cells(sides.reading.odoo, sql.Identifier(str(model.table)), names.ID))
    target = sql.Identifier(sides.schema, table_name)
    ours = set(_cells(sides.shadow, target, names.ID))
    if table.marks_deleted:
        ours -= {row for row, mark in _cells(sides.shadow, target, names.DELETED_AT).items() if mark is not None}
    newer = (theirs - ours) & made_since(
        sides.reading.odoo, model, synced_until(sides.shadow, sides.schema, table_name)
    )
    visible = missing = sorted(theirs - ours - newer)
    if missing and sides.reading.login is not None:
        visible = sides.reading.login.search(model.name, [("id", "in", missing)], context=NOTHING_HIDDEN)
    result.rows, result.extra = len(theirs), len(ours - theirs)
    result.missing, result.hidden, result.newer = len(visible), len(missing) - len(visible), len(newer)
    for kind, ids in (("missing", visible), ("extra", sorted(ours - theirs))):
        if ids:
            result.examples.append(f"{model.name} {kind}: {', '.join(map(str, ids[:MOST_EXAMPLES]))}")
    return sorted(theirs & ours)


def _are_equal(column: ShadowColumn, ids: list[int], ours: Cells, theirs: Cells) -> bool:
    return all(plain_cell(column, ours[item]) == plain_cell(column, theirs[item]) for item in ids)


def _compare_cells(result: Comparison, column: ShadowColumn, ids: list[int], ours: Cells, theirs: Cells) -> None:
    shown = 0
    kind = column.field.type if column.holds is Holds.VALUE else str(column.holds)
    for record_id in ids:
        mine, other = plain_cell(column, ours[record_id]), plain_cell(column, theirs[record_id])
        if mine != other:
            result.different += 1
            if shown < MOST_EXAMPLES:
                shown += 1
                result.examples.append(
                    f"{result.model} {record_id} {column.name}: shadow {_short(mine)}, Odoo {_short(other)}"
                )
    result.cells += len(ids)
    result.kinds[kind] += len(ids)


def _short(value: object) -> str:
    text = f"{value:f}" if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _cells(connection: Connection, table: sql.Identifier, column: str) -> Cells:
    query = sql.SQL("SELECT id, {} FROM {}").format(sql.Identifier(column), table)
    return {int(record_id): value for record_id, value in connection.execute(query)}


def _login() -> OdooClient | None:
    settings = ("ODOO_URL", "ODOO_DB", "ODOO_USER", "ODOO_PASSWORD")
    host, database, login, password = (os.environ.get(name) for name in settings)
    if host is None:
        return None
    extras = {"company_ids": os.environ.get("ODOO_COMPANY_IDS")}
    return OdooClient(
        OdooConnection.parse("ODOO_URL", host=host, database=database, login=login, password=password, extras=extras)
    )


def _print(compared: list[Comparison]) -> None:
    table = Table("model", *NUMBERS, "not compared")
    for item in compared:
        numbers = (str(getattr(item, name)) for name in NUMBERS)
        add_row(table, item.model, *numbers, "; ".join(f"{name}: {why}" for name, why in item.not_compared.items()))
    add_row(table, "all", *(str(sum(getattr(item, name) for item in compared)) for name in NUMBERS))
    width = None if sys.stdout.isatty() else 150
    console = Console(width=width, markup=False, emoji=False, highlight=False)
    console.print(table)
    kinds = sum((item.kinds for item in compared), start=Counter[str]())
    console.print("Cells: " + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))
    for item in compared:
        for example in item.examples:
            console.print(shown(example))
    unequal = [item.model for item in compared if not item.is_equal]
    verdict = f"these differ: {', '.join(unequal)}" if unequal else "all is equal"
    console.print(f"Compared {len(compared)} tables: {verdict}.")


if __name__ == "__main__":
    main()
