"""How Odoo describes its models and fields."""

from __future__ import annotations

import pytest

from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from odoo_shadow.source.errors import OdooAccessError
from odoo_shadow.source.types import Json
from tests.support.records import Records
from tests.support.servers import OdooServer

pytestmark = pytest.mark.odoo

ATTRIBUTES = (
    "type",
    "store",
    "relation",
    "relation_field",
    "required",
    "readonly",
    "company_dependent",
    "translate",
    "digits",
    "currency_field",
    "related",
    "depends",
    "selection",
    "manual",
    "groups",
    "definition_record",
)
EXPECTED: dict[tuple[str, str], dict[str, Json]] = {
    ("res.partner", "id"): {"type": "integer", "store": True, "readonly": True},
    ("res.partner", "name"): {
        "type": "char",
        "store": True,
        "translate": False,
        "company_dependent": False,
        "depends": [],
    },
    ("res.partner", "display_name"): {"type": "char", "store": False},
    ("res.partner", "write_date"): {"type": "datetime", "store": True, "readonly": True, "manual": False},
    ("res.partner", "create_uid"): {"type": "many2one", "relation": "res.users", "store": True},
    ("res.partner", "comment"): {"type": "html", "store": True},
    ("res.partner", "active"): {"type": "boolean", "store": True},
    ("res.partner", "partner_latitude"): {"type": "float", "store": True, "digits": [10, 7]},
    ("res.partner", "parent_id"): {"type": "many2one", "relation": "res.partner", "store": True},
    ("res.partner", "child_ids"): {
        "type": "one2many",
        "relation": "res.partner",
        "relation_field": "parent_id",
        "store": True,  # though there is no column
    },
    ("res.partner", "category_id"): {"type": "many2many", "relation": "res.partner.category", "store": True},
    ("res.partner", "image_1920"): {"type": "binary"},
    ("res.partner.category", "name"): {"type": "char", "required": True, "translate": True},
    ("account.move", "amount_total"): {"type": "monetary", "store": True, "currency_field": "currency_id"},
    ("product.template", "list_price"): {"type": "float", "store": True},
    ("product.template", "volume"): {"type": "float", "store": True, "digits": [16, 2]},
    ("product.product", "name"): {"type": "char", "store": False, "related": "product_tmpl_id.name"},
    ("product.product", "list_price"): {"type": "float", "store": False, "related": "product_tmpl_id.list_price"},
    ("product.product", "product_tmpl_id"): {"type": "many2one", "store": True, "required": True},
    ("res.users", "name"): {
        "type": "char",
        "store": False,
        "related": "partner_id.name",
        "depends": ["partner_id.name"],
    },
    ("res.users", "partner_id"): {"type": "many2one", "store": True, "relation": "res.partner"},
    ("project.task", "task_properties"): {"type": "properties", "store": True, "definition_record": "project_id"},
    ("project.project", "task_properties_definition"): {"type": "properties_definition", "store": True},
    ("ir.attachment", "res_id"): {"type": "many2one_reference", "store": True},
}


@pytest.mark.parametrize(("model", "field"), EXPECTED, ids=[".".join(key) for key in EXPECTED])
def test_a_field_is_described(model: str, field: str, hook: OdooHook, server: OdooServer) -> None:
    details = hook.fields_get(model, ATTRIBUTES)[field]
    expected = EXPECTED[model, field]
    if server.version < 17 and (model, field) == ("res.partner", "display_name"):
        expected = {**expected, "store": True}
    assert {key: details.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("model", "origins"),
    [
        ("res.country", {"name"}),
        ("product.category", {"complete_name"}),
        ("product.template", {"name", "default_code"}),
    ],
)
def test_a_display_name_tells_what_it_is_made_of(
    model: str, origins: set[str], hook: OdooHook, server: OdooServer
) -> None:
    if server.version < 17 and len(origins) > 1:
        origins = {"name"}  # what `name_get` adds is not told
    depends = hook.fields_get(model, ["depends"])["display_name"]["depends"]
    assert isinstance(depends, list) and {str(name) for name in depends} == origins


def test_only_the_attributes_that_are_asked_for_come(hook: OdooHook) -> None:
    for details in hook.fields_get("res.partner", ["type", "store"]).values():
        assert set(details) <= {"type", "store"}
    assert {"string", "type", "depends"} <= set(hook.fields_get("res.partner")["name"])


def test_company_dependent_fields_are_stored_from_18_on(hook: OdooHook, server: OdooServer) -> None:
    fields = hook.fields_get("res.partner", ["company_dependent", "store"])
    dependent = {name: details["store"] for name, details in fields.items() if details.get("company_dependent")}
    assert {"barcode", "credit_limit", "property_payment_term_id"} <= set(dependent)
    assert set(dependent.values()) == {server.version >= 18}


def test_floats_tell_whether_they_are_exact(hook: OdooHook, server: OdooServer) -> None:
    """A float that PostgreSQL keeps as numeric has `digits`; from 19 on prices have `digits: false`."""
    template = hook.fields_get("product.template", ["digits"])
    assert template["list_price"] == {"digits": False if server.has_json2 else [16, 2]}
    assert template["weight"] == {"digits": [16, 2]}
    assert hook.fields_get("sale.order.line", ["digits"])["discount"] == {"digits": [16, 2]}
    assert hook.fields_get("project.task", ["digits"])[server.task_hours] == {}


def test_selections_are_pairs_of_key_and_label(hook: OdooHook) -> None:
    selection = hook.fields_get("res.partner", ["selection"])["type"]["selection"]
    assert isinstance(selection, list)
    assert ["contact", "Contact"] in selection


def test_custom_fields_are_manual(hook: OdooHook) -> None:
    fields = hook.fields_get("res.partner", ["manual"])
    custom = [name for name in fields if name.startswith("x_")]
    if not custom:
        pytest.skip("no custom field")
    assert {fields[name]["manual"] for name in custom} == {True}
    assert fields["name"]["manual"] is False


def test_inherited_fields_have_the_parents_values(records: Records) -> None:
    _, variant = records.product(list_price=12.5, name=records.prefix)
    (record,) = records.read("product.product", [variant], ["name", "list_price"])
    assert record == {"id": variant, "name": records.prefix, "list_price": 12.5}


def test_fields_that_the_login_may_not_read_are_absent(hook: OdooHook, limited_hook: OdooHook) -> None:
    everything, some = set(hook.fields_get("res.partner", ["type"])), set(limited_hook.fields_get("res.partner"))
    assert some < everything
    assert "credit_limit" in everything - some
    with pytest.raises(OdooAccessError, match=r"credit_limit|security restrictions"):
        limited_hook.search_read("res.partner", [], ["credit_limit"], limit=1)


def test_ir_model_lists_the_models(hook: OdooHook) -> None:
    wanted = ["res.partner", "base.language.install", "mail.thread"]
    found = hook.search_read("ir.model", [("model", "in", wanted)], ["model", "transient", "modules"])
    assert {record["model"]: record["transient"] for record in found} == {
        "res.partner": False,
        "base.language.install": True,
        "mail.thread": False,
    }
    (modules,) = (record["modules"] for record in found if record["model"] == "res.partner")
    assert isinstance(modules, str)
    assert "base" in modules.split(", ")


def test_ir_model_needs_rights(limited_hook: OdooHook) -> None:
    with pytest.raises(OdooAccessError):
        limited_hook.search_read("ir.model", [], ["model"], limit=1)


@pytest.mark.parametrize("model", ["mail.followers", "account.invoice.report"])
def test_models_without_write_date_can_be_read(model: str, hook: OdooHook) -> None:
    fields = hook.fields_get(model, ["type"])
    assert {"write_date", "create_date", "write_uid"}.isdisjoint(fields)
    found = hook.search_read(model, [], ["id", "partner_id"], limit=3, order="id")
    assert [set(record) for record in found] == [{"id", "partner_id"}] * 3


def test_abstract_models_have_no_write_date_and_before_19_no_id(hook: OdooHook, server: OdooServer) -> None:
    fields = hook.fields_get("mail.thread", ["type"])
    assert "message_is_follower" in fields
    assert "write_date" not in fields
    assert ("id" in fields) is ("display_name" in fields) is server.has_json2


def test_an_administrator_reads_secrets(hook: OdooHook) -> None:
    """Which is why secret-bearing models are left out of a mirror."""
    assert hook.search_count("ir.config_parameter", [("key", "=", "database.secret")]) == 1
