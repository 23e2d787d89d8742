"""Marts of what is seldom: no records, orders without a rate, no model that any mart is made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from odoo_stand_in import StandIn
from tests.support.shell import Shell, shell_for
from tools.embedded_postgres import drop_database, new_database

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(300)]

MARTS = 8
NO_RECORDS = """
DELETE FROM account_move; DELETE FROM account_move_line; DELETE FROM sale_order; DELETE FROM sale_order_line;
DELETE FROM purchase_order; DELETE FROM purchase_order_line; DELETE FROM stock_quant; DELETE FROM crm_lead
"""
RATES = """
WITH foreign_orders AS (
    SELECT o.id, row_number() OVER (ORDER BY o.id) AS place FROM sale_order o JOIN res_company c ON c.id = o.company_id
    WHERE o.currency_id <> c.currency_id AND EXISTS (SELECT FROM sale_order_line l WHERE l.order_id = o.id
        AND l.product_id IS NOT NULL AND l.price_subtotal <> 0)
)
UPDATE sale_order o SET currency_rate = CASE f.place WHEN 1 THEN 0 END FROM foreign_orders f
WHERE f.id = o.id AND f.place <= 2 RETURNING o.id
"""
"""One order's rate is zero, another's is not there."""


@pytest.fixture(scope="module")
def odoo(postgres: str) -> Iterator[StandIn]:
    with StandIn(postgres, flavour="19", database="odd19", schema="business", copied=True) as running:
        yield running


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    url = new_database(postgres)
    yield url
    drop_database(postgres, url)


@pytest.fixture
def shell(odoo: StandIn, database: str) -> Shell:
    return shell_for(odoo, database)


def in_odoo(odoo: StandIn, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(odoo.dsn) as connection:
        connection.execute("SET session_replication_role = replica")
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def verdicts(shell: Shell, *options: str) -> dict[str, tuple[str, int]]:
    outcome = shell.run("marts", "verify", "--json", *options)
    return {mart["mart"]: (mart["verdict"], mart["figures_compared"]) for mart in json.loads(outcome.out)["marts"]}


def test_orders_without_a_rate_and_months_of_another_zone(
    odoo: StandIn, shell: Shell, database: str, tmp_path: Path
) -> None:
    """Odoo counts such an amount as one of the company's currency; a mart must neither do more nor hide it."""
    without_rate = [order for (order,) in in_odoo(odoo, RATES)]
    assert len(without_rate) == 2
    assert shell.run("sync", "--models", "business").code == 0
    assert shell.run("marts", "build").code == 0
    found = verdicts(shell)
    assert len(found) == MARTS and {verdict for verdict, _ in found.values()} == {"equal"}
    # Months in UTC are not Odoo's of another zone, which the mirrors file names.
    settings = tmp_path / "mirrors.yaml"
    settings.write_text("mirrors: {odoo_shadow: {time_zone: Pacific/Pago_Pago}}")
    assert verdicts(shell, "--marts", "sales", "--config", f"{settings}:odoo_shadow")["mart_sales"][0] == "differs"
    with psycopg.connect(database) as connection:
        amounts = connection.execute(
            "SELECT sum(amount_untaxed), sum(amount_untaxed_in_order_currency), bool_or(currency = order_currency)"
            " FROM odoo_marts.mart_sales WHERE order_id = ANY(%s)",
            [without_rate],
        ).fetchone()
    assert amounts is not None and amounts[0] == amounts[1] > Decimal(0) and amounts[2] is False


def test_no_records_at_all(odoo: StandIn, shell: Shell, database: str) -> None:
    in_odoo(odoo, NO_RECORDS)
    assert shell.run("sync", "--models", "business").code == 0
    built = shell.run("marts", "build", "--json")
    assert built.code == 0, built.err
    assert [mart["rows"] for mart in json.loads(built.out)["marts"]] == [0] * MARTS
    assert set(verdicts(shell).values()) == {("equal", 0)}


def test_no_model_that_a_mart_is_made_of(shell: Shell) -> None:
    assert shell.run("sync", "--models", "res.country").code == 0
    built = shell.run("marts", "build")
    assert (built.code, built.err) == (0, "")
    assert "0 marts in schema odoo_marts, 8 left out." in built.out
    assert set(verdicts(shell).values()) == {("left out", 0)}
    status = shell.run("status")
    assert status.code == 0 and "mart_pipeline is left out: crm.lead is not mirrored, crm.stage is not" in status.out
