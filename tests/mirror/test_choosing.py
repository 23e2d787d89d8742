"""Which models a mirror takes: names, patterns, exclusions, and what the server tells of its models."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.config.patterns import PRIORITY_MODELS, ModelChoice
from odoo_shadow.mirror.health.inventory import take_inventory
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run.choose import Chosen, choose_models
from odoo_shadow.mirror.run.plan import plan_run
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.errors import OdooServerError, OdooUnknownModelError
from odoo_shadow.source.models import ModelKind
from odoo_stand_in import Fault, StandIn
from tests.support.clients import source_of
from tests.support.counting import in_odoo
from tests.support.running import mirror, mirror_all
from tests.support.source_of_truth import assert_equal

pytestmark = pytest.mark.one_flavour

EXCLUDED = "excluded by the mirror's own settings"
CREDENTIALS = "it holds credentials"


def choose(odoo: ApiSource, terms: str) -> Chosen:
    return choose_models(odoo, ModelChoice.parse(terms))


def reasons_of(chosen: Chosen) -> dict[str, str]:
    return {item.model: item.reason for item in chosen.left_out}


@pytest.fixture
def limited(shared_odoo: StandIn) -> Iterator[ApiSource]:
    secret = shared_odoo.limited_api_key if shared_odoo.flavour == "19" else shared_odoo.limited_password
    with source_of(shared_odoo, login=shared_odoo.limited_login, password=secret) as opened:
        yield opened


def test_all_is_every_table_that_holds_no_credentials(shared_source: ApiSource, shared_odoo: StandIn) -> None:
    chosen = choose(shared_source, "all")
    newer = {"account.code.mapping", "res.device"} if shared_odoo.flavour == "19" else set()
    unfit = {*newer, "account.invoice.report", "hr.employee.public", "base.language.install", "mail.thread"}
    left_out = {*unfit, "ir.model.inherit", "ir.config_parameter", "res.users.apikeys"}
    assert reasons_of(chosen).keys() == left_out
    assert set(chosen.models) == shared_odoo.registry.models.keys() - left_out
    assert chosen.models[: len(PRIORITY_MODELS)] == PRIORITY_MODELS
    assert list(chosen.models[len(PRIORITY_MODELS) :]) == sorted(set(chosen.models) - set(PRIORITY_MODELS))


def test_every_kind_of_model_is_told_apart_with_its_reason(shared_source: ApiSource, shared_odoo: StandIn) -> None:
    chosen = choose(shared_source, "all")
    reasons, is_newer = reasons_of(chosen), shared_odoo.flavour == "19"
    assert reasons["base.language.install"] == ModelKind.TRANSIENT
    assert reasons["mail.thread"] == (ModelKind.ABSTRACT if is_newer else ModelKind.UNREADABLE)
    assert reasons["ir.model.inherit"] == ModelKind.UNREADABLE  # a table that nobody may read
    assert reasons["account.invoice.report"] == ModelKind.VIEW  # without write_date
    assert reasons["hr.employee.public"] == ModelKind.VIEW  # with one
    assert reasons["ir.config_parameter"] == CREDENTIALS
    assert reasons["res.users.apikeys"] == "its name says that it holds credentials ('apikeys')"
    if is_newer:
        assert reasons["res.device"] == reasons["account.code.mapping"] == ModelKind.VIEW
    # Tables all the same: without write_date, also without rows, or without a key that the server knows of.
    assert {"mail.followers", "mail.message.reaction", "ir.module.module.dependency"} <= set(chosen.models)
    assert in_odoo(shared_odoo, "SELECT count(*) FROM mail_message_reaction") == [(0,)]


def test_a_table_that_nobody_tells_of_is_left_out_while_it_has_no_rows(own_odoo: StandIn) -> None:
    """No key, no rows: the server tells the same of an SQL view."""
    in_odoo(own_odoo, "DELETE FROM ir_module_module_dependency")
    with source_of(own_odoo) as source:
        assert reasons_of(choose(source, "all"))["ir.module.module.dependency"] == ModelKind.VIEW
        assert choose(source, "ir.module.module.dependency").models == ("ir.module.module.dependency",)


def test_custom_models_are_tables_even_without_rows(own_odoo: StandIn) -> None:
    own_odoo.add_model("x_empty", {"x_name": "char"})
    own_odoo.add_model("x_license", {"key": "char", "value": "text"})
    with source_of(own_odoo) as source:
        chosen = choose(source, "x_*")
        assert chosen.models == ("x_awkward", "x_empty")
        assert reasons_of(chosen) == {"x_license": "it keeps settings by key, and credentials may be among them"}


@pytest.mark.parametrize(
    ("terms", "taken"),
    [
        ("sale.*", ("sale.order", "sale.order.line")),
        ("purchase.*,res.company", ("res.company", "purchase.order", "purchase.order.line")),
        ("res.partner*,!res.partner.*", ("res.partner",)),
        ("account.mov?", ("account.move",)),
        ("project.*,res.users,!project.task*", ("res.users", "project.project", "project.tags")),
    ],
)
def test_patterns_and_exclusions(shared_source: ApiSource, terms: str, taken: tuple[str, ...]) -> None:
    assert choose(shared_source, terms).models == taken


def test_what_is_left_out_of_a_pattern_is_told(shared_source: ApiSource) -> None:
    chosen = choose(shared_source, "hr.*,res.users*,no.such.*,!res.partner.b*")
    assert chosen.models == ("res.users", "hr.employee")
    assert reasons_of(chosen) == {
        "hr.employee.public": ModelKind.VIEW,
        "res.users.apikeys": "its name says that it holds credentials ('apikeys')",
        "no.such.*": "matches no model of this server",
        "res.partner.bank": EXCLUDED,
    }


def test_exclusions_alone_mean_all_but_those(shared_source: ApiSource) -> None:
    everything, fewer = choose(shared_source, "all"), choose(shared_source, "!res.*,!x_awkward")
    assert set(everything.models) - set(fewer.models) == {
        name for name in everything.models if name.startswith("res.") or name == "x_awkward"
    }
    assert reasons_of(fewer)["res.partner"] == reasons_of(fewer)["x_awkward"] == EXCLUDED


def test_names_are_taken_as_they_are_and_ask_nobody(shared_source: ApiSource, shared_odoo: StandIn) -> None:
    names = ("account.invoice.report", "ir.config_parameter", "fleet.vehicle")
    assert choose(shared_source, ",".join(names)) == Chosen(names)
    assert len(shared_odoo.calls) == 0


def test_names_beside_a_pattern_stay_whatever_they_are(shared_source: ApiSource) -> None:
    chosen = choose(shared_source, "sale.*,hr.employee.public,ir.config_parameter,fleet.vehicle,hr.*")
    assert set(chosen.models) == {
        *("sale.order", "sale.order.line", "hr.employee", "hr.employee.public"),
        *("ir.config_parameter", "fleet.vehicle"),
    }
    assert reasons_of(chosen) == {}


def test_a_view_that_is_named_is_mirrored_as_it_is(
    shared_odoo: StandIn, shared_source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    views = ["account.invoice.report", "hr.employee.public", *(["res.device"] if shared_odoo.flavour == "19" else [])]
    for view in views:
        for _ in range(2):
            assert mirror(shared_source, shadow, view).table == "odoo_shadow_" + view.replace(".", "_")
            assert_equal(shared_odoo, database, [view])
    with pytest.raises(OdooUnknownModelError):
        mirror(shared_source, shadow, "no.such.model")


@pytest.mark.nightly
def test_all_of_them_can_be_mirrored(
    shared_odoo: StandIn, shared_source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    results = mirror_all(shared_source, shadow)
    own = {"ir.model", "ir.model.fields", "ir.model.constraint"}  # counts and lists that only Odoo itself computes
    assert_equal(shared_odoo, database, results.keys() - own)


def test_a_login_that_may_not_read_the_dictionary_chooses_among_what_it_may_read(
    limited: ApiSource, shared_odoo: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        chosen = choose(limited, "all")
    (told,) = [record.getMessage() for record in caplog.records if "ir.model" in record.getMessage()]
    assert "'limited'" in told and "\n" not in told
    assert {"res.partner", "res.country", "x_awkward"} <= set(chosen.models)
    assert set(chosen.models).isdisjoint({"account.move", "ir.model", "hr.employee", "ir.config_parameter"})
    reasons = reasons_of(chosen)
    assert reasons["mail.followers"] == ModelKind.UNKNOWN  # readable, but perhaps an SQL view
    assert reasons["res.users.apikeys"] == "its name says that it holds credentials ('apikeys')"
    assert "mail.followers" in choose(limited, "all,mail.followers").models


def test_passing_trouble_takes_no_model_out_of_a_mirror(limited: ApiSource, shared_odoo: StandIn) -> None:
    shared_odoo.faults.add(Fault("res.country", "fields_get", times=100, status=502))
    with pytest.raises(OdooServerError):
        choose(limited, "all")


def test_a_login_that_may_not_read_the_dictionary_asks_for_fields_once(
    limited: ApiSource, shared_odoo: StandIn, shadow: ShadowDatabase
) -> None:
    chosen = choose(limited, "res.c*")
    plan_run(limited, shadow, chosen, run=Run(), options=MirrorOptions())
    asked = [model for model, method in shared_odoo.calls if method == "fields_get"]
    assert set(chosen.models) <= set(asked) and len(asked) == len(set(asked))


def test_a_models_trouble_stands_in_its_entry(
    shared_odoo: StandIn, shared_source: ApiSource, shadow: ShadowDatabase
) -> None:
    shared_odoo.faults.add(Fault("res.country", "search_count", times=100, status=502))
    troubled, fine = take_inventory(shared_source, shadow, ["res.country", "res.currency"], lambda _: ModelSettings())
    assert troubled.problem is not None and "502" in troubled.problem
    assert fine.problem is None and fine.rows


def test_the_inventory_tells_rows_columns_and_what_is_left_out(
    shared_odoo: StandIn, shared_source: ApiSource, shadow: ShadowDatabase
) -> None:
    mirror(shared_source, shadow, "res.partner")
    companies = ModelSettings(domain=(["is_company", "=", True],), exclude_fields=("street",))
    models = ["res.partner", "project.project", "no.such.model"]
    partner, project, unknown = take_inventory(
        shared_source, shadow, models, lambda model: companies if model == "res.partner" else ModelSettings()
    )
    ((companies_in_odoo, partners),) = in_odoo(
        shared_odoo, "SELECT count(*) FILTER (WHERE is_company), count(*) FROM res_partner"
    )
    assert (partner.rows, partner.rows_mirrored) == (companies_in_odoo, partners)
    assert partner.last_sync_at is not None and not partner.size_is_guess and partner.size
    assert "street" in partner.left_out_fields and partner.problem is None
    assert project.last_sync_at is None and project.size_is_guess and project.rows == 8
    assert "access_token" in project.left_out_fields
    assert unknown.problem is not None and "no.such.model" in unknown.problem
    assert (unknown.rows, unknown.columns) == (None, None)
