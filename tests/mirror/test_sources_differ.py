"""Where Odoo's own database and its API legitimately differ, the doctor lists it by name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql

from odoo_shadow.mirror.clock import DEFAULT_LOOK_BACK
from odoo_shadow.mirror.health.doctor import LONGEST_COUNT, examine
from odoo_shadow.mirror.run.choose import LeftOut
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.database.connection import OdooDatabase
from odoo_shadow.source.database.source import DatabaseSource
from odoo_shadow.source.models import ModelKind
from odoo_shadow.source.port import Source
from odoo_shadow.text.findings import Finding, Item, Verdict
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.odoo_database import reading_role
from tests.support.two_sources import NAME, database_source_of

pytestmark = pytest.mark.one_flavour

MODELS = ("res.partner", "sale.order", "res.company", "account.move")
CHANGES = (
    "UPDATE res_partner_category SET active = false WHERE id = (SELECT min(category_id) FROM"
    " res_partner_res_partner_category_rel)",
    "UPDATE sale_order SET amount_total = 12345678901234567.89 WHERE id = (SELECT min(id) FROM sale_order)",
)
"""Of which the two sources tell differently."""
BESIDE = (
    "ALTER TABLE IF EXISTS {0} RENAME TO former_{0}",
    "CREATE TABLE {0} AS SELECT id AS model_id, true AS active, true AS perm_read FROM ir_model"
    " WHERE model NOT LIKE 'res.company%'",
)
"""Odoo's rules and rights, which are in none of the stand-in's tables."""
BACK = "DROP TABLE {0}", "ALTER TABLE IF EXISTS former_{0} RENAME TO {0}"
COUNT = (
    "SELECT count(DISTINCT l.partner_id) FROM res_partner_res_partner_category_rel l"
    " JOIN res_partner_category c ON c.id = l.category_id WHERE c.active IS NOT TRUE"
)


@pytest.fixture
def partners(odoo: StandIn) -> Iterator[int]:
    """Let the two sources differ; how many partners have a tag that is archived."""
    names = "ir_rule", "ir_model_access"
    with psycopg.connect(odoo.dsn) as connection:
        tags = connection.execute("SELECT id, active FROM res_partner_category").fetchall()
        orders = connection.execute("SELECT id, amount_total FROM sale_order ORDER BY id LIMIT 1").fetchall()
        for statement in (*CHANGES, *(text.format(name) for name in names for text in BESIDE)):
            connection.execute(sql.SQL(statement))
        ((count,),) = connection.execute(COUNT).fetchall()
    yield count
    with psycopg.connect(odoo.dsn) as connection:
        for number, active in tags:
            connection.execute("UPDATE res_partner_category SET active = %s WHERE id = %s", (active, number))
        for number, amount in orders:
            connection.execute("UPDATE sale_order SET amount_total = %s WHERE id = %s", (amount, number))
        for statement in (text.format(name) for name in names for text in BACK):
            connection.execute(sql.SQL(statement))


def told(
    odoo: Source, shadow: ShadowDatabase, *left_out: str, counts_for: timedelta = LONGEST_COUNT
) -> dict[str, Finding]:
    reasons = [LeftOut(name, str(ModelKind.WITHOUT_TABLE)) for name in left_out]
    found = examine(
        odoo, shadow, MODELS, DEFAULT_LOOK_BACK, left_out=reasons, compares_names=False, counts_for=counts_for
    )
    return {item.subject: item for item in found}


def test_without_the_api_what_it_would_show_otherwise_is_listed_by_name(
    odoo: StandIn, shadow: ShadowDatabase, partners: int
) -> None:
    with database_source_of(odoo, login=None) as alone:
        found = told(alone, shadow, "account.invoice.report", "mail.thread")
    assert partners and Item("res.partner", "category_id", partners) in found["many2many"].items
    assert f"res.partner.category_id ({partners} rows)" in found["many2many"].text
    assert found["digits"].items == (Item("sale.order", "amount_total", 1),)
    assert {item.model for item in found["hidden rows"].items} == {*MODELS} - {"res.company"}
    assert found["names"].items == (Item("account.move", "display_name"),)
    assert found["no table"].items == (Item("account.invoice.report"),)
    assert "with values of company 1" in found["companies"].text
    assert [item for item in found.values() if item.verdict is Verdict.PROBLEM] == []


def test_with_the_api_what_its_login_does_not_see_is_listed_by_name(
    odoo: StandIn, shadow: ShadowDatabase, partners: int
) -> None:
    password = odoo.limited_api_key if odoo.flavour == "19" else odoo.limited_password
    with (
        source_of(odoo, login=odoo.limited_login, password=password) as limited,
        database_source_of(odoo, limited) as helped,
    ):
        found = told(helped, shadow)
    assert {item.model for item in found["hidden models"].items} == {"sale.order", "account.move"}
    assert {item.model for item in found["hidden rows"].items} == {"res.partner", "res.company"}
    assert all(item.rows for item in found["hidden rows"].items)
    assert found["hidden fields"].items == (Item("res.partner", "credit_limit"),)
    assert Item("res.partner", "category_id", partners) in found["many2many"].items
    assert found["computed"].items == (Item("account.move", "display_name"),)


def test_what_takes_too_long_is_told_and_nothing_waits_for_it(odoo: StandIn, shadow: ShadowDatabase) -> None:
    with database_source_of(odoo) as alone:
        found = told(alone, shadow, counts_for=timedelta(0))
    assert "many2many" not in found and Item("res.partner") in found["not counted"].items


def test_what_the_role_may_not_read_is_not_counted_and_no_problem(odoo: StandIn, shadow: ShadowDatabase) -> None:
    with (
        reading_role(odoo.dsn, without=("res_partner_res_partner_category_rel", "ir_rule")) as url,
        DatabaseSource(OdooDatabase.from_url(url, name=NAME)) as reader,
    ):
        found = told(reader, shadow)
    assert "may not read record rules" in found["hidden rows"].text
    assert "many2many" not in found or all(item.field != "category_id" for item in found["many2many"].items)
    assert "not counted" not in found and found["Odoo"].verdict is Verdict.OK


def test_the_api_has_nothing_to_tell_of_itself(source: ApiSource, shadow: ShadowDatabase) -> None:
    assert told(source, shadow).keys().isdisjoint({"many2many", "digits", "hidden rows", "computed", "names"})
