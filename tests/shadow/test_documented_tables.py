"""`docs/reference/tables.md` has every table, column and function that a mirror makes, and none besides."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.names import OWN_COLUMNS
from odoo_shadow.shadow.views.named_views import renew_due_views
from tests.support.tables import make_table

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "tables.md"


def documented() -> dict[str, list[list[str]]]:
    """Return the cells of the page's tables by their headings."""
    found: dict[str, list[list[str]]] = {}
    heading = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("| `"):
            cells = [cell.strip().strip("`") for cell in line.split("|")[1:-1]]
            found.setdefault(heading, []).append(cells)
    return found


def test_every_column_of_the_control_tables_is_documented(shadow: ShadowDatabase, database: str) -> None:
    table = make_table(shadow)
    with psycopg.connect(database) as connection:
        there: dict[str, set[str]] = {}
        for name, column in connection.execute(
            "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relnamespace IN ('odoo_shadow'::regnamespace, 'odoo_shadow_internal'::regnamespace)"
            " AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND c.relname <> %s",
            [table],
        ):
            there.setdefault(name, set()).add(column)
    others = {"Mirrored tables", "Types", "Views", "Functions"}
    told = {name: {cells[0] for cells in rows} for name, rows in documented().items() if name not in others}
    assert told == there


def test_every_own_column_of_a_mirrored_table_is_documented() -> None:
    assert {cells[0]: cells[1] for cells in documented()["Mirrored tables"]} == OWN_COLUMNS


def test_every_function_is_documented(shadow: ShadowDatabase, database: str) -> None:
    table = make_table(shadow)
    renew_due_views(shadow, [table])
    with psycopg.connect(database) as connection:
        there = {
            re.sub(r"timestamp with time zone", "timestamptz", f"{name}({arguments})")
            for name, arguments in connection.execute(
                "SELECT proname, pg_get_function_arguments(oid) FROM pg_proc WHERE pronamespace IN"
                " ('odoo_shadow'::regnamespace, 'odoo_shadow_internal'::regnamespace, 'public'::regnamespace)"
            )
        }
    told = {cells[0] for cells in documented()["Functions"]}
    assert told == {re.sub(r"::\w+|\bIN ", "", item) for item in there}
