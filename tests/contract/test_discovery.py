"""How a server tells which models it has, what they are made of, and whether they are tables."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from odoo_shadow.source.errors import OdooAccessError, OdooError
from odoo_shadow.source.types import Json, Record
from tests.support.records import ARCHIVED_TOO
from tests.support.servers import OdooServer

pytestmark = pytest.mark.odoo

TABLES = ("res.partner", "mail.followers", "res.users.apikeys", "ir.model", "ir.model.fields")
VIEW, ABSTRACT, TRANSIENT, UNREADABLE = (
    "account.invoice.report",
    "mail.thread",
    "base.language.install",
    "ir.model.inherit",
)
DICTIONARY = ("ir.model", "ir.model.fields", "ir.model.constraint")


def available(hook: OdooHook) -> dict[str, str]:
    """Names of the models that the server lets the login choose from, by model."""
    found = hook.execute_kw("ir.model", "get_available_models", [])
    assert isinstance(found, list)
    models: dict[str, str] = {}
    for one in found:
        assert isinstance(one, dict)
        assert set(one) == {"model", "display_name"}
        models[str(one["model"])] = str(one["display_name"])
    assert len(models) == len(found)
    return models


def about(hook: OdooHook, models: Iterable[str], *fields: str) -> dict[str, Record]:
    """Rows of ir.model, by model."""
    found = hook.search_read("ir.model", [("model", "in", list(models))], ["model", *fields])
    return {str(record["model"]): record for record in found}


def fields_of(hook: OdooHook, model: str, *attributes: str) -> dict[str, Record]:
    """Rows of ir.model.fields, by the name of the field."""
    found = hook.search_read("ir.model.fields", [("model", "=", model)], ["name", *attributes])
    rows = {str(record["name"]): record for record in found}
    assert len(rows) == len(found)
    return rows


def test_available_models_have_records_that_the_login_may_read(hook: OdooHook, server: OdooServer) -> None:
    """Until 16 wizards are among them."""
    models = available(hook)
    assert {*TABLES, VIEW} <= set(models)
    assert {ABSTRACT, UNREADABLE}.isdisjoint(models)
    assert (TRANSIENT in models) is (server.version < 17)
    assert models["res.partner"] == "Contact"
    assert models == {one: record["name"] for one, record in about(hook, models, "name").items()}


def test_available_models_need_no_administrator(hook: OdooHook, limited_hook: OdooHook) -> None:
    some, everything = set(available(limited_hook)), set(available(hook))
    assert some < everything
    assert {"res.partner", "mail.followers"} <= some
    assert {"account.move", *DICTIONARY, "ir.config_parameter", VIEW} <= everything - some
    for model in sorted(some)[::10]:
        limited_hook.fields_get(model, ["type"])


@pytest.mark.parametrize("model", DICTIONARY)
def test_the_dictionary_is_for_administrators(model: str, hook: OdooHook, limited_hook: OdooHook) -> None:
    assert hook.search_count(model) > 0
    with pytest.raises(OdooAccessError):
        limited_hook.search_read(model, [], ["id"], limit=1)


def test_a_model_that_nobody_may_read(hook: OdooHook, server: OdooServer) -> None:
    if server.version < 17:
        pytest.skip(f"no {UNREADABLE} on this server")
    with pytest.raises(OdooAccessError):
        hook.search_count(UNREADABLE)


def test_ir_model_tells_kinds_apart_as_far_as_it_can(hook: OdooHook, server: OdooServer) -> None:
    newer = ["abstract"] if server.has_json2 else []
    found = about(hook, ["res.partner", VIEW, ABSTRACT, TRANSIENT], "name", "state", "transient", "modules", *newer)
    assert {model: record["transient"] for model, record in found.items()} == {
        "res.partner": False,
        VIEW: False,
        ABSTRACT: False,
        TRANSIENT: True,
    }
    if newer:
        assert [model for model, record in found.items() if record["abstract"]] == [ABSTRACT]
    assert {record["state"] for record in found.values()} == {"base"}
    assert found["res.partner"]["name"] == "Contact"
    assert "account" in str(found[VIEW]["modules"]).split(", ")
    assert ("abstract" in hook.fields_get("ir.model", ["type"])) is server.has_json2


def test_ir_model_counts_rows_of_tables_only(hook: OdooHook) -> None:
    found = about(hook, ["mail.followers", "res.partner", VIEW, ABSTRACT], "count")
    assert {model: record["count"] for model, record in found.items() if model != "res.partner"} == {
        "mail.followers": hook.search_count("mail.followers"),
        VIEW: 0,
        ABSTRACT: 0,
    }
    count = found["res.partner"]["count"]
    assert isinstance(count, int)
    assert count >= hook.search_count("res.partner", context=ARCHIVED_TOO) > 0
    assert hook.search_count(VIEW) > 0


def test_rows_of_the_dictionary_have_no_write_date(hook: OdooHook) -> None:
    """Odoo writes them by SQL: no cursor shows that a field has come."""
    for model in ("ir.model", "ir.model.fields"):
        assert hook.search_count(model, [("state", "=", "base"), ("write_date", "=", False)]) > 10
        assert hook.search_read(model, [("state", "=", "base")], ["write_date"], limit=1)[0]["write_date"] is False


@pytest.mark.parametrize("model", ["res.partner", "res.users", "product.product", "ir.model.fields", VIEW])
def test_ir_model_fields_has_the_fields_that_fields_get_tells(model: str, hook: OdooHook) -> None:
    told = hook.fields_get(model, ["type", "store", "relation", "relation_field", "required", "manual", "related"])
    told = {name: details for name, details in told.items() if "store" in details}  # what only forms have aside
    rows = fields_of(hook, model, "ttype", "store", "relation", "relation_field", "required", "state", "related")
    assert set(told) <= set(rows)
    for name, details in told.items():
        row, state = rows[name], "manual" if details["manual"] else "base"
        expected: dict[str, Json] = {
            "ttype": details["type"],
            "store": details["store"],
            "relation": details.get("relation", False),
            "relation_field": details.get("relation_field") or False,
            "required": details["required"],
            "state": state,
            "related": details.get("related") or False,
        }
        assert {key: row[key] for key in expected} == expected, name


def test_ir_model_fields_tells_labels_and_translations(hook: OdooHook, server: OdooServer) -> None:
    rows = fields_of(hook, "res.partner.category", "field_description", "translate", "model_id")
    assert rows["name"]["translate"] == ("standard" if server.has_json2 else True)
    assert rows["color"]["translate"] is False
    (model_id,) = hook.search("ir.model", [("model", "=", "res.partner.category")])
    assert rows["name"]["model_id"] == model_id
    assert all(isinstance(row["field_description"], str) and row["field_description"] for row in rows.values())


def test_ir_model_fields_tells_company_dependent_fields_from_18_on(hook: OdooHook, server: OdooServer) -> None:
    has_it = "company_dependent" in hook.fields_get("ir.model.fields", ["type"])
    assert has_it is (server.version >= 18)
    if has_it:
        rows = fields_of(hook, "res.partner", "company_dependent")
        assert rows["barcode"]["company_dependent"] is True
        assert rows["name"]["company_dependent"] is False


def test_ir_model_fields_knows_abstract_and_transient_models_too(hook: OdooHook) -> None:
    assert "message_is_follower" in fields_of(hook, ABSTRACT)
    assert "write_date" not in fields_of(hook, ABSTRACT)
    assert {"overwrite", "write_date"} <= set(fields_of(hook, TRANSIENT))


def test_foreign_keys_tell_tables_from_views(hook: OdooHook) -> None:
    """A constraint of type `f` for each many2one of a table: SQL views and abstract models have none."""

    def keys(model: str) -> set[str]:
        found = hook.search_read("ir.model.constraint", [("model.model", "=", model), ("type", "=", "f")], ["name"])
        return {str(record["name"]) for record in found}

    assert "mail_followers_partner_id_fkey" in keys("mail.followers")
    assert {"res_partner_parent_id_fkey", "res_partner_create_uid_fkey"} <= keys("res.partner")
    assert keys(TRANSIENT)
    assert keys(VIEW) == keys(ABSTRACT) == set()
    assert hook.fields_get("ir.model.constraint", ["type", "relation"])["model"] == {
        "type": "many2one",
        "relation": "ir.model",
    }


def test_keys_are_a_table_that_odoo_does_not_look_after(hook: OdooHook) -> None:
    """`res.users.apikeys` has rows and no write_date; neither its count nor a foreign key tells that it is a table."""
    model = "res.users.apikeys"
    assert {"create_date", "user_id"} <= set(hook.fields_get(model, ["type"]))
    assert {"write_date", "create_uid", "write_uid"}.isdisjoint(hook.fields_get(model, ["type"]))
    if not hook.search_count(model):
        pytest.skip("nobody has made a key on this server")
    assert about(hook, [model], "count")[model]["count"] == 0
    assert hook.search_count("ir.model.constraint", [("model.model", "=", model)]) == 0


@pytest.mark.parametrize("model", ["hr.employee.public", "res.device"])
def test_some_views_have_a_write_date(model: str, hook: OdooHook) -> None:
    if model not in available(hook):
        pytest.skip(f"no {model} on this server")
    assert hook.fields_get(model, ["type", "store"])["write_date"] == {"type": "datetime", "store": True}
    assert about(hook, [model], "count")[model]["count"] == 0
    assert hook.search_count("ir.model.constraint", [("model.model", "=", model), ("type", "=", "f")]) == 0
    found = hook.search_read(model, [("write_date", ">=", "2000-01-01 00:00:00")], ["write_date"], order="id")
    assert len(found) == hook.search_count(model)
    assert all(isinstance(record["write_date"], str) for record in found)


@pytest.mark.parametrize(("model", "keys"), [("mail.message.reaction", True), ("ir.module.module.dependency", False)])
def test_some_tables_have_no_write_date(model: str, keys: bool, hook: OdooHook) -> None:
    """Both are tables; of the second one, which is there before the ORM, no key is recorded."""
    assert {"write_date", "create_date"}.isdisjoint(hook.fields_get(model, ["type"]))
    assert about(hook, [model], "count")[model]["count"] == hook.search_count(model)
    assert (hook.search_count("ir.model.constraint", [("model.model", "=", model), ("type", "=", "f")]) > 0) is keys


def test_a_model_that_refuses_to_be_searched(hook: OdooHook, server: OdooServer) -> None:
    """It is told as available, and has fields, and then says no."""
    model = "account.code.mapping"
    assert (model in available(hook)) is (server.version >= 18)
    if server.version >= 18:
        fields = hook.fields_get(model, ["type", "store"])
        assert "write_date" not in fields
        assert not any(details["store"] for name, details in fields.items() if name != "id")
        for domain in ([], [("id", ">", 0)]):
            with pytest.raises(OdooError, match=r"cannot be accessed directly|NotImplementedError"):
                hook.search_read(model, domain, ["id"], order="id")
