"""Records are called in the shadow as Odoo calls them, also when a name changes without a trace on its record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import LiteralString

import psycopg
import psycopg.sql
import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings, settings_of
from odoo_shadow.mirror.options import Run
from odoo_shadow.mirror.run import untracked
from odoo_shadow.mirror.run.closing import close_run
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.record_names import ComputedName
from odoo_stand_in import StandIn
from tests.support.ageing import age
from tests.support.clients import source_of
from tests.support.counting import CountingProxy, in_odoo, in_shadow
from tests.support.leads import NOW
from tests.support.running import mirror
from tests.support.verifying import found_by, verify

NAMED = ("res.company", "res.partner", "res.users", "account.account", "product.template", "product.product")
POINTING = ("sale.order", "sale.order.line", "account.move.line")


@pytest.fixture
def source(odoo: StandIn, proxy: CountingProxy) -> Iterator[ApiSource]:
    with source_of(odoo, host=proxy.url) as opened:
        yield opened


def run_of(source: ApiSource, shadow: ShadowDatabase, *models: str) -> None:
    run = Run()
    for model in models:
        mirror(source, shadow, model, run=run)
    assert [closed for closed in close_run(source, shadow, run=run, options=NOW) if closed.error] == []


def names_here(database: str, model: str, field: str) -> dict[int, tuple[int, str]]:
    view = f"odoo_shadow_{model.replace('.', '_')}_named"
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            psycopg.sql.SQL("SELECT id, {field}, {name} FROM odoo_shadow.{view} WHERE {field} IS NOT NULL").format(
                field=psycopg.sql.Identifier(field),
                name=psycopg.sql.Identifier(f"{field}_name"),
                view=psycopg.sql.Identifier(view),
            )
        ).fetchall()
    return {number: (target, name) for number, target, name in rows}


def names_in_odoo(odoo: StandIn, model: str, field: str) -> dict[int, tuple[int, str]]:
    """A link as Odoo shows it: the id and the display name."""
    records = odoo.execute(
        model, "search_read", [(field, "!=", False)], [field, "company_id"], context={"active_test": False}
    )
    return {record["id"]: tuple(record[field]) for record in records}


def test_links_are_called_as_in_odoo(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str) -> None:
    run_of(source, shadow, *NAMED, *POINTING)
    for model, field in [
        ("sale.order", "partner_id"),
        ("sale.order", "user_id"),
        ("sale.order.line", "product_id"),
        ("product.product", "product_tmpl_id"),
    ]:
        assert names_here(database, model, field) == names_in_odoo(odoo, model, field) != {}
    codes = dict(in_shadow(shadow, "SELECT id, code FROM {odoo_shadow_account_account}"))
    shown = names_here(database, "account.move.line", "account_id")
    assert shown and all(name.startswith(f"{codes[account]} ") for account, name in shown.values())


TWO_CODES: LiteralString = (
    'UPDATE account_account SET code_store = \'{"1": "4711", "2": "0815"}\', write_date = now() WHERE id = 1'
)


@pytest.mark.parametrize("odoo", ["19"], indirect=True)
def test_an_account_has_the_code_of_the_company_that_uses_it(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    before = in_odoo(odoo, "SELECT code_store::text FROM account_account WHERE id = 1")[0][0]
    lines = in_odoo(odoo, "SELECT id, account_id, company_id FROM account_move_line WHERE id IN (1, 2)")
    label = in_odoo(odoo, "SELECT name ->> 'en_US' FROM account_account WHERE id = 1")[0][0]
    in_odoo(odoo, TWO_CODES)
    in_odoo(odoo, "UPDATE account_move_line SET account_id = 1, company_id = id WHERE id IN (1, 2)")
    mirror(source, shadow, "account.account")
    mirror(source, shadow, "account.move.line")
    shown = names_here(database, "account.move.line", "account_id")
    assert (shown[1], shown[2]) == ((1, f"4711 {label}"), (1, f"0815 {label}"))
    assert found_by(verify(source, shadow, model="account.account")) == {}
    with psycopg.connect(odoo.dsn) as connection:  # the stand-in is others', too
        connection.execute("UPDATE account_account SET code_store = %s WHERE id = 1", [before])
        for number, account, company in lines:
            values = (account, company, number)
            connection.execute("UPDATE account_move_line SET account_id = %s, company_id = %s WHERE id = %s", values)


@pytest.mark.one_flavour
def test_a_name_that_changes_without_a_trace_is_renewed(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    age(odoo, "product.product", "product.template", "sale.order.line")
    models = ("product.template", "product.product", "sale.order.line")
    run_of(source, shadow, *models)
    in_odoo(odoo, "UPDATE product_template SET name = jsonb_build_object('en_US', 'Renamed ' || id)")
    run_of(source, shadow, *models)
    shown = names_here(database, "sale.order.line", "product_id")
    assert shown == names_in_odoo(odoo, "sale.order.line", "product_id")
    assert all("Renamed" in name for _, name in shown.values())


@pytest.mark.one_flavour
@pytest.mark.parametrize("is_renamed", [False, True])
def test_names_of_large_tables_are_read_at_once_when_what_they_rest_on_changes(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch, is_renamed: bool
) -> None:
    monkeypatch.setattr(untracked, "MOST_CELLS", 0)
    monkeypatch.setattr(untracked, "computed_name", lambda _: ComputedName(rests_on=("res.country", "x_none")))
    age(odoo, "crm.team", "res.country")
    mirror(source, shadow, "crm.team", settings=ModelSettings(extra_fields=("display_name",)))
    with shadow.transaction() as tx:
        tx.run("UPDATE {s} SET untracked_at = now() - interval '1 day'", s=tx.internal("table_state"))
    run_of(source, shadow, "crm.team")  # the day's
    before = read_at(shadow)
    if is_renamed:
        in_odoo(odoo, "UPDATE res_country SET write_date = now() WHERE id = 1")
    run_of(source, shadow, "crm.team")
    assert (read_at(shadow) > before) is is_renamed


def read_at(shadow: ShadowDatabase) -> datetime:
    with shadow.transaction() as tx:
        ((moment,),) = tx.run(
            "SELECT untracked_at FROM {s} WHERE untracked_at > now() - interval '1 hour'", s=tx.internal("table_state")
        )
    return datetime.fromisoformat(str(moment))


@pytest.mark.one_flavour
@pytest.mark.parametrize(
    "settings",
    [ModelSettings(hashed_fields=("name",)), ModelSettings(exclude_fields=("default_*",))],
    ids=["hashed", "excluded"],
)
def test_a_name_does_not_bring_back_what_is_left_out(
    odoo: StandIn, shadow: ShadowDatabase, settings: ModelSettings
) -> None:
    with source_of(odoo, extras={"hash_secret": "a key that nobody guesses"}) as keyed:
        mirror(keyed, shadow, "product.template", settings=settings)
    columns = in_shadow(
        shadow,
        "SELECT column_name::text FROM information_schema.columns WHERE table_name = 'odoo_shadow_product_template'",
    )
    assert ("display_name",) not in columns and ("list_price",) in columns


def test_names_of_others_that_are_left_out_do_not_come_back_in_a_name() -> None:
    hidden = ("display_name",)
    assert settings_of("sale.order.line", {"res.*": ModelSettings(hashed_fields=("*name",))}).exclude_fields == hidden
    assert settings_of("sale.order.line", {"res.partner": ModelSettings(domain=(["id", ">", 7],))}).exclude_fields
    assert settings_of("sale.order.line", {"res.users": ModelSettings(hashed_fields=("name",))}).exclude_fields == ()
    asked = {"sale.order.line": ModelSettings(extra_fields=hidden), "res.*": ModelSettings(exclude_fields=("name",))}
    assert settings_of("sale.order.line", asked).exclude_fields == ()
