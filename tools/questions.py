"""Asks the questions of `docs/how-to/questions.md`: the marts by their SQL, Odoo over its API, and compares.

    python -m tools.questions            # of the demo's invented business, in a PostgreSQL of its own
    python -m tools.questions --write    # writes the answers into the page

With ODOO_URL, ODOO_DB, ODOO_USER, ODOO_PASSWORD and SUPABASE_DB_URL set it asks that server, and the marts that were
built there; both are only read. Exit 1 when an answer differs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from odoo_shadow.marts.needs import models_of_marts
from odoo_shadow.source.api.client import OdooClient
from tools.bi_assets import SCHEMA
from tools.bi_database import parameters_of
from tools.compare_with_odoo import PINNED
from tools.parts import add_flavour, odoo_of, running_parts
from tools.questions_odoo import answer_of
from tools.questions_page import Question, Table, difference, questions, written
from tools.stages import Stages, run
from tools.trouble import ToolError

PAGE = Path(__file__).resolve().parents[1] / "docs" / "how-to" / "questions.md"


def answers(shadow_url: str, odoo: OdooClient, text: str) -> Iterator[tuple[Question, Table, str | None]]:
    """Ask both sides all questions of a page; the last part says in what the answers differ. Raises `ToolError`."""
    try:
        with psycopg.connect(make_conninfo("", **{**parameters_of(shadow_url), "options": PINNED})) as connection:
            connection.read_only = True
            today = _today(connection)
            for question in questions(text):
                cursor = connection.execute(question.sql.encode())
                table = Table(tuple(column.name for column in cursor.description or ()), tuple(cursor.fetchall()))
                odoos = answer_of(odoo, question.asks, today, table.is_by_company)
                yield question, table, difference(question, table, odoos)
    except psycopg.Error as error:
        raise ToolError(f"The marts in schema {SCHEMA} do not answer: {str(error).strip()}.") from None


def _today(connection: psycopg.Connection[TupleRow]) -> date:
    """Return the day from which the marts count what is late."""
    row = connection.execute("SELECT max(as_of_day) FROM odoo_marts.mart_receivables").fetchone()
    return row[0] if row is not None and isinstance(row[0], date) else datetime.now(UTC).date()


def ask_all(stages: Stages, flavour: str, *, write: bool) -> None:
    """Ask all questions of one's own Odoo and marts, or of the demo's. Raises `ToolError` when an answer differs."""
    own, marts = odoo_of(os.environ), os.environ.get("SUPABASE_DB_URL")
    if (own is None) is not (marts is None):
        raise ToolError("Set SUPABASE_DB_URL, which says where the marts are, and the variables of Odoo: all, or none.")
    if own is not None and marts is not None:
        with OdooClient(own) as odoo:
            _ask(stages, marts, odoo, write=False)
        return
    with running_parts(stages, flavour) as parts, OdooClient(parts.odoo) as odoo:
        with stages.stage("Mirroring what marts are made of") as stage:
            parts.odoo_shadow("sync", "--models", ",".join(models_of_marts()))
            stage.done("What marts are made of is mirrored")
        with stages.stage("Building marts with dbt") as stage:
            parts.odoo_shadow("marts", "build")
            stage.done("All marts are built")
        _ask(stages, parts.shadow_url, odoo, write=write)


def _ask(stages: Stages, shadow_url: str, odoo: OdooClient, *, write: bool) -> None:
    text = PAGE.read_text(encoding="utf-8")
    found, wrong = [], []
    for question, table, odd in answers(shadow_url, odoo, text):
        found.append((question, table))
        rows = f"{len(table.rows)} rows"
        if odd is None:
            stages.say(f"equal    {question.number:2}. {question.title} ({rows})")
        else:
            wrong.append(str(question.number))
            stages.say(f"differs  {question.number:2}. {question.title} ({rows}): {odd}", style="red")
    if wrong:
        raise ToolError(f"The marts answer otherwise than Odoo: {', '.join(wrong)}.")
    if write:
        PAGE.write_text(written(text, found), encoding="utf-8")


def main() -> int:
    """Read the options and ask; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.questions", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_flavour(parser)
    parser.add_argument("--write", action="store_true", help="write the answers of the demo into the page")
    given = parser.parse_args()
    return run(lambda stages: ask_all(stages, given.flavour, write=given.write))


if __name__ == "__main__":
    sys.exit(main())
