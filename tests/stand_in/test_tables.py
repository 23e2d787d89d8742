"""The stand-in's own tables say what a real Odoo's say, so that a reader of tables can be tried on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, LiteralString

import psycopg
import pytest

from odoo_stand_in import StandIn
from odoo_stand_in.invented.awkward import EMPTY, LOW
from odoo_stand_in.invented.tables import ARCHIVED
from tests.support.odoo_database import move_to_schema, reading_role

pytestmark = pytest.mark.both_flavours


@pytest.fixture(scope="module", params=["17", "19"])
def odoo(request: pytest.FixtureRequest, server: str) -> Iterator[StandIn]:
    running = StandIn(server, request.param, database=f"tables{request.param}", scale=0.1)
    yield running
    running.stop()


def rows(odoo: StandIn, query: LiteralString, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(odoo.dsn) as connection:
        return connection.execute(query, values or None).fetchall()


def of_partner(odoo: StandIn, name: str, company: int, partner: int) -> Any:
    context = {"allowed_company_ids": [company]}
    (record,) = odoo.execute("res.partner", "read", [partner], [name], load=None, context=context)
    return record[name]


def change(odoo: StandIn, query: LiteralString, *values: Any) -> None:
    with psycopg.connect(odoo.dsn) as connection:
        connection.execute(query, values)


def new_partner(odoo: StandIn) -> int:
    return int(odoo.execute("res.partner", "create", {"name": "By company"}))


def set_default(odoo: StandIn, company: int | None, terms: int) -> None:
    """Say which payment terms a customer has who has none of their own."""
    if odoo.flavour == "17":
        change(
            odoo,
            "INSERT INTO ir_property (name, type, fields_id, company_id, value_reference)"
            " SELECT name, ttype, id, %s, 'account.payment.term,' || %s FROM ir_model_fields"
            " WHERE model = 'res.partner' AND name = 'property_payment_term_id'",
            company,
            terms,
        )
        return
    change(
        odoo,
        "INSERT INTO ir_default (field_id, company_id, json_value) SELECT id, %s, %s FROM ir_model_fields"
        " WHERE model = 'res.partner' AND name = 'property_payment_term_id'",
        company,
        str(terms),
    )


def test_a_value_by_company_is_the_records_own_else_the_default_of_the_company_else_that_of_all(odoo: StandIn) -> None:
    partner, name = new_partner(odoo), "property_payment_term_id"
    assert of_partner(odoo, name, 1, partner) is False
    set_default(odoo, None, 1)
    set_default(odoo, 2, 2)
    assert [of_partner(odoo, name, company, partner) for company in (1, 2, 3)] == [1, 2, 1]
    odoo.execute("res.partner", "write", [partner], {name: 3}, context={"allowed_company_ids": [2]})
    odoo.execute("res.partner", "write", [partner], {name: False}, context={"allowed_company_ids": [3]})
    assert [of_partner(odoo, name, company, partner) for company in (1, 2, 3)] == [1, 3, False]
    # Its record goes as SQL would take it, which leaves the value behind.
    change(odoo, "DELETE FROM account_payment_term WHERE id = 3")
    assert of_partner(odoo, name, 2, partner) is False


def test_dictionary_names_modules_choices_relations_and_keys(odoo: StandIn) -> None:
    assert rows(
        odoo,
        "SELECT d.module FROM ir_model_data d JOIN ir_model m ON m.id = d.res_id AND d.model = 'ir.model'"
        " WHERE m.model = 'sale.order'",
    ) == [("sale",)]
    assert rows(odoo, "SELECT latest_version FROM ir_module_module WHERE name = 'base'") == [(f"{odoo.flavour}.0.1.3",)]
    assert rows(
        odoo,
        "SELECT s.value, s.name, s.sequence FROM ir_model_fields_selection s"
        " JOIN ir_model_fields f ON f.id = s.field_id WHERE f.model = 'res.partner' AND f.name = 'x_segment'"
        " ORDER BY s.sequence",
    ) == [("a", {"en_US": "A"}, 0), ("b", {"en_US": "B"}, 1), ("c", {"en_US": "C"}, 2)]
    relation = "product_tag_product_template_rel"
    assert rows(odoo, "SELECT count(*) FROM ir_model_relation WHERE name = %s", relation) == [(1,)]
    # What names a key or a table here is there.
    assert not rows(odoo, "SELECT name FROM ir_model_constraint EXCEPT SELECT conname FROM pg_constraint")
    assert not rows(odoo, "SELECT name FROM ir_model_relation EXCEPT SELECT relname FROM pg_class")


def test_dictionary_forgets_what_goes(odoo: StandIn) -> None:
    odoo.add_model("some.thing", {"kind": {"type": "selection", "selection": ["one", "two"]}})
    told = (
        "SELECT count(*) FROM ir_model_data WHERE name LIKE '%some\\_thing%'",
        (
            "SELECT count(*) FROM ir_model_fields_selection s JOIN ir_model_fields f ON f.id = s.field_id"
            " WHERE f.model = 'some.thing'"
        ),
    )
    assert [rows(odoo, query)[0][0] for query in told] == [8, 2]
    odoo.uninstall("some.thing")
    assert [rows(odoo, query)[0][0] for query in told] == [0, 0]


def test_a_reading_role_reads_and_no_more(odoo: StandIn) -> None:
    with reading_role(odoo.dsn, without=("ir_attachment",)) as url, psycopg.connect(url, autocommit=True) as reader:
        assert reader.execute("SELECT count(*) FROM res_partner").fetchone() is not None
        for statement in ("SELECT FROM ir_attachment", "DELETE FROM res_bank", "CREATE TABLE own ()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(statement)


@pytest.fixture(scope="module", params=["17", "19"])
def traps(request: pytest.FixtureRequest, server: str) -> Iterator[StandIn]:
    running = StandIn(server, request.param, database=f"traps{request.param}", schema="tables", scale=0.1)
    yield running
    running.stop()


def test_tables_need_not_follow_the_names_of_models(traps: StandIn) -> None:
    report = {"name": "R", "type": "ir.actions.report", "binding_type": "report", "model": "res.partner"}
    new = traps.execute("ir.actions.report", "create", {**report, "report_type": "qweb-pdf", "report_name": "base.r"})
    # What extends a table is shown by it, and numbered with it.
    assert rows(traps, "SELECT count(*) FROM ONLY ir_actions") == [(0,)]
    assert rows(traps, "SELECT max(id) FROM ir_actions") == [(new,)]
    assert rows(traps, "SELECT max(id) FROM ir_act_report_xml") == [(new,)]
    for model in ("ir.actions.actions", "ir.actions.act_window_close", "ir.actions.report"):
        assert new in traps.execute(model, "search", [])
    pairs = rows(traps, "SELECT task_id, user_id FROM project_task_user_rel WHERE id IS NOT NULL")
    told = traps.execute("project.task", "search_read", [], ["user_ids"], context={"active_test": False})
    assert {pair for pair in pairs if pair[1] != 1} >= {(row["id"], user) for row in told for user in row["user_ids"]}
    assert traps.execute("project.task.stage.personal", "search_count", []) == len(pairs)


def test_what_is_made_of_a_query_has_neither_table_nor_view(traps: StandIn) -> None:
    assert traps.execute("account.invoice.report", "search_count", []) > 0
    assert not rows(traps, "SELECT FROM pg_class WHERE relname = 'account_invoice_report'")


def test_what_is_gone_or_hidden_is_not_told_though_tables_have_it(traps: StandIn) -> None:
    (record,) = traps.execute("x_kinds", "read", [LOW], ["x_properties", "x_partner_ids"], load=None)
    values = {item["name"]: item.get("value") for item in record["x_properties"]}
    assert (values["p7"], values["p8"], values["p10"]) == (False, ["b"], False)
    assert (values["p5"], values["p14"]) == (None, None if traps.flavour == "19" else False)
    assert [one for one, _ in values["p11"]] == [2, 3]
    assert {item["name"] for item in record["x_properties"] if "value" in item} == (
        {"p1", "p2", "p3", "p4", "p5", "p7", "p8", "p9", "p10", "p11", "p15"} if traps.flavour == "19" else {*values}
    )
    assert "no longer defined" not in values
    linked = rows(traps, "SELECT res_partner_id FROM res_partner_x_kinds_rel WHERE x_kinds_id = %s", LOW)
    assert ARCHIVED in {row[0] for row in linked} - {*record["x_partner_ids"]}
    names = ["x_by_company_many2one", "x_by_company_char"]
    for company in (1, 3):
        (record,) = traps.execute("x_kinds", "read", [EMPTY], names, context={"allowed_company_ids": [company]})
        # An empty row of the record, even one of no company, comes before a default of the company.
        assert record["x_by_company_char"] is False
        assert (record["x_by_company_many2one"] is False) is (company == 1 or traps.flavour == "17")


def test_19_may_define_properties_for_all_records_of_a_model(traps: StandIn) -> None:
    if traps.flavour == "17":
        assert "properties" not in traps.registry.models["res.partner"].fields
        return
    context = {"active_test": False}
    found = traps.execute("res.partner", "search_read", [("id", "in", [4, 5])], ["properties"], context=context)
    told = {row["id"]: [(item["name"], item.get("value")) for item in row["properties"]] for row in found}
    assert told == {4: [("b1", None), ("b2", None)], 5: [("b1", "card 5"), ("b2", None)]}


def test_tables_may_be_in_another_schema(server: str) -> None:
    odoo = StandIn(server, "19", database="elsewhere", scale=0.1)
    move_to_schema(odoo.dsn, "erp")
    with reading_role(odoo.dsn, schema="erp") as url, psycopg.connect(url) as reader:
        assert reader.execute("SELECT count(*) FROM erp.res_company").fetchone() == (3,)
    assert odoo.execute("res.company", "search_count", []) == 3
    odoo.stop()
