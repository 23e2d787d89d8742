"""Marts of an invented business say what Odoo says, and the questions of the docs have the answers given there."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from odoo_shadow.marts.needs import models_of_marts
from odoo_shadow.source.api.client import OdooClient
from odoo_stand_in import StandIn
from tests.support.chart_queries import columns_of, expressions_of, metrics_of, query_of, source_of
from tests.support.flavours import FLAVOURS
from tests.support.shell import Shell, shell_for
from tools.airflow_home import to_stand_in
from tools.bi_assets import of_kind, read_assets
from tools.embedded_postgres import drop_database, new_database
from tools.questions import PAGE, answers

pytestmark = [pytest.mark.one_flavour, pytest.mark.timeout(240)]

NEVER_ADDED = "would be added"
"""What the description of a metric says that is empty where companies' currencies or products' units differ."""


@pytest.fixture(scope="module", params=FLAVOURS)
def odoo(request: pytest.FixtureRequest, postgres: str) -> Iterator[StandIn]:
    with StandIn(
        postgres, request.param, database=f"business{request.param}", schema="business", copied=True
    ) as running:
        yield running


@pytest.fixture(scope="module")
def database(postgres: str, odoo: StandIn) -> Iterator[str]:
    url = new_database(postgres)
    yield url
    drop_database(postgres, url)


@pytest.fixture(scope="module")
def built(odoo: StandIn, database: str) -> Shell:
    """The marts of one build, which no test here changes."""
    shell = shell_for(odoo, database)
    for command in (("sync", "--models", ",".join(models_of_marts())), ("marts", "build")):
        outcome = shell.run(*command)
        assert outcome.code == 0, outcome.err
    return shell


def test_every_mart_has_the_figures_that_odoo_gives(built: Shell) -> None:
    outcome = built.run("marts", "verify")
    assert (outcome.code, outcome.err) == (0, "")
    assert " of 8 marts with Odoo: 8 equal (" in outcome.out


def test_every_chart_of_the_dashboards_shows_rows_and_no_sum_of_several_currencies_or_units(
    built: Shell, database: str
) -> None:
    assets = read_assets()
    datasets = {each["uuid"]: each for each in of_kind(assets, "datasets").values()}
    mixed = set()
    with psycopg.connect(database) as connection:
        for name, chart in of_kind(assets, "charts").items():
            found = connection.execute(query_of(chart, datasets[chart["dataset_uuid"]])).fetchall()
            first = len(columns_of(chart)) if metrics_of(chart) else 0
            assert any(value is not None for row in found for value in row[first:]), name
        for dataset in datasets.values():
            expressions = expressions_of(dataset)
            shown = sql.SQL(", ").join(expressions[each["column_name"]] for each in dataset["columns"])
            assert connection.execute(sql.SQL("SELECT {} FROM {}").format(shown, source_of(dataset))).fetchall()
            for metric in (each for each in dataset["metrics"] if NEVER_ADDED in each["description"]):
                by = sql.Identifier("unit_name" if "quantities" in metric["description"] else "currency")
                total = sql.SQL("SELECT {} FROM {}").format(expressions[metric["metric_name"]], source_of(dataset))
                kinds = sql.SQL("SELECT count(DISTINCT {}) FROM {}").format(by, source_of(dataset))
                apart = connection.execute(sql.SQL("{} GROUP BY {}").format(total, by)).fetchall()
                assert any(value is not None for (value,) in apart)
                if connection.execute(kinds).fetchall() != [(1,)]:
                    assert connection.execute(total).fetchall() == [(None,)], metric["metric_name"]
                    mixed.add(str(by))
    assert len(mixed) == 2


def test_dashboards_hold_without_currencies_and_without_rows(built: Shell, database: str) -> None:
    """Superset shows nothing of a dashboard before its currency is chosen."""
    datasets = of_kind(read_assets(), "datasets")
    sales = datasets["mart_sales"]
    total = sql.SQL("SELECT {} FROM {}").format(expressions_of(sales)["amount"], source_of(sales))
    by_company = sql.SQL("{} GROUP BY company_id").format(total)
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE odoo_marts.mart_sales SET currency = NULL")
        assert connection.execute(total).fetchall() == [(None,)], "unknown currencies are not one"
        assert all(amount for (amount,) in connection.execute(by_company))
        for mart in ("sales", "invoices", "purchases", "receivables", "payables", "trial_balance", "stock"):
            connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier("odoo_marts", f"mart_{mart}")))
        found = {name: connection.execute(each["sql"]).fetchall() for name, each in datasets.items() if each["sql"]}
        connection.rollback()
    assert found == {"companies": [(None, "none", 0)], "units": [("none", 0)]}


def asked(database: str, odoo: StandIn, text: str) -> dict[int, tuple[str, str, str | None]]:
    """By number: the answer that the page shows, that of the marts, and in what it is not Odoo's."""
    with OdooClient(to_stand_in(odoo)) as client:
        return {item.number: (item.shown, str(table), odd) for item, table, odd in answers(database, client, text)}


def test_questions_of_the_docs_have_these_answers_in_the_marts_and_in_odoo(
    built: Shell, odoo: StandIn, database: str
) -> None:
    found = asked(database, odoo, PAGE.read_text(encoding="utf-8"))
    assert list(found) == list(range(1, 21))
    assert {number: odd for number, (_, _, odd) in found.items() if odd is not None} == {}
    assert {number: given for number, (_, given, _) in found.items()} == {
        number: shown for number, (shown, _, _) in found.items()
    }, "run python -m tools.questions --write"


TRAPS = {
    1: ("'out_invoice', 'out_refund', 'out_receipt'", "'out_invoice', 'out_receipt'"),
    2: ("commercial_partner_name", "partner_name"),
    3: ("revenue DESC", "revenue"),
    6: ("overdue DESC\nLIMIT 5", "overdue DESC\nOFFSET 1 LIMIT 5"),
    8: ("-sum(balance) FILTER", "sum(balance) FILTER"),
    10: ("state = 'sale' AND", ""),
    14: ("DISTINCT order_id", "order_id"),
    15: ("'purchase', 'done'", "'purchase', 'cancel'"),
    19: (" AND type = 'opportunity'", ""),
}
"""What an analyst would do wrong, by the number of the question."""


def test_an_answer_that_fell_into_a_trap_is_not_odoos(built: Shell, odoo: StandIn, database: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    for number, (right, wrong) in TRAPS.items():
        start = text.index("```sql", text.index(f"### {number}. "))
        end = text.index("```json", start)
        assert right in text[start:end], number
        text = text[:start] + text[start:end].replace(right, wrong) + text[end:]
    found = asked(database, odoo, text)
    assert {number for number, (_, _, odd) in found.items() if odd is not None} == set(TRAPS)
