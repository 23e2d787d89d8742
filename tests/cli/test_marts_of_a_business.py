"""Marts of an invented business: all of them are there, and say what Odoo says."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from odoo_shadow.marts.needs import models_of_marts
from odoo_stand_in import StandIn
from tests.support.chart_queries import expressions_of, query_of, source_of
from tests.support.flavours import FLAVOURS
from tests.support.shell import Shell, shell_for
from tools.bi_assets import of_kind, read_assets
from tools.embedded_postgres import drop_database, new_database

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
            query = query_of(chart, datasets[chart["dataset_uuid"]])
            assert connection.execute(query).fetchall(), name
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
