"""Marts of an invented business: all of them are there, and say what Odoo says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from odoo_shadow.marts.needs import models_of_marts
from odoo_stand_in import StandIn
from tests.support.flavours import FLAVOURS
from tests.support.shell import Shell, shell_for
from tools.embedded_postgres import drop_database, new_database

pytestmark = [pytest.mark.one_flavour, pytest.mark.timeout(240)]


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
