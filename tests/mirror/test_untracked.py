"""Values that change without `write_date`: what Odoo writes by SQL, from the other side, or keeps in another record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, LiteralString

import psycopg
import pytest

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run import untracked
from odoo_shadow.mirror.run.closing import Closed, close_run
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.sql_written import is_written_by_sql
from odoo_stand_in import Fault, StandIn
from tests.support.ageing import age
from tests.support.clients import source_of
from tests.support.counting import CountingProxy
from tests.support.running import mirror, statuses_of
from tests.support.source_of_truth import assert_equal

NOW = MirrorOptions(wait=timedelta(0))
LEADS: dict[str, str | dict[str, Any]] = {
    "x_name": "char",
    "x_team_id": {"type": "many2one", "relation": "x_team", "ondelete": "set null"},
    "x_team_ids": {"type": "many2many", "relation": "x_team"},
    "x_kind": {"type": "selection", "selection": [["a", "A"], ["b", "B"]]},
}


@pytest.fixture
def proxy(own_odoo: StandIn) -> Iterator[CountingProxy]:
    with CountingProxy(own_odoo) as running:
        yield running


@pytest.fixture
def source(own_odoo: StandIn, proxy: CountingProxy) -> Iterator[ApiSource]:
    """A client whose calls are counted."""
    with source_of(own_odoo, host=proxy.url) as opened:
        yield opened


@pytest.fixture
def leads(own_odoo: StandIn) -> StandIn:
    own_odoo.add_model("x_team")
    own_odoo.add_model("x_lead", LEADS)
    first, second = own_odoo.execute("x_team", "create", [{"x_name": "North"}, {"x_name": "South"}])
    values = {"x_team_id": second, "x_team_ids": [[6, 0, [first, second]]], "x_kind": "a"}
    own_odoo.execute("x_lead", "create", [{"x_name": f"Lead {number}", **values} for number in range(5)])
    age(own_odoo, "x_lead")
    return own_odoo


def run_of(source: ApiSource, shadow: ShadowDatabase, *models: str, full: bool = False) -> list[Closed]:
    """Mirror models, and do what a run does at its end."""
    run = Run()
    for model in models:
        mirror(source, shadow, model, run=run, full=full)
    return list(close_run(source, shadow, run=run, options=NOW))


def by_sql(odoo: StandIn, statement: LiteralString) -> None:
    with psycopg.connect(odoo.dsn) as connection:
        assert connection.execute(statement).rowcount


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("model", "statement"),
    [
        ("x_lead", "DELETE FROM x_team WHERE id = 2"),  # not mirrored: nothing tells of the deletion
        ("x_lead", "UPDATE x_lead SET x_kind = 'b' WHERE x_kind = 'a'"),
        ("res.partner", "UPDATE res_partner SET customer_rank = coalesce(customer_rank, 0) + 1 WHERE id = 5"),
        ("account.move.line", "UPDATE account_move_line SET matching_number = 'A7' WHERE id < 9"),
        ("res.partner.category", "UPDATE res_partner_category SET parent_path = '9/' || parent_path"),
        (
            "res.partner",
            "INSERT INTO res_partner_res_partner_category_rel VALUES (1, 1), (3, 1) ON CONFLICT DO NOTHING",
        ),
    ],
)
def test_what_sql_changes_arrives_with_the_next_run(
    leads: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, model: str, statement: LiteralString
) -> None:
    age(leads, "account.move.line", "res.partner.category")
    run_of(source, shadow, model)
    by_sql(leads, statement)
    closed = run_of(source, shadow, model)
    assert [(item.model, item.error) for item in closed] == [(model, None)]
    assert closed[0].counts.updated >= 1
    assert_equal(leads, database, [model])
    assert run_of(source, shadow, model) == []


def test_a_definition_that_changes_reaches_the_records(
    own_odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    age(own_odoo, "project.project", "project.task")
    run_of(source, shadow, "project.task")
    own_odoo.execute(
        "project.project",
        "write",
        own_odoo.execute("project.project", "search", []),
        {"task_properties_definition": []},
    )
    run_of(source, shadow, "project.task")
    assert_equal(own_odoo, database, ["project.task"])


def change_definition(odoo: StandIn) -> None:
    projects = odoo.execute("project.project", "search", [])
    odoo.execute("project.project", "write", projects, {"task_properties_definition": []})


def change_nothing(odoo: StandIn) -> None:
    pass


@pytest.mark.parametrize(("change", "is_read"), [(change_nothing, False), (change_definition, True)])
def test_large_tables_are_read_once_a_day_and_when_a_definition_changes(
    own_odoo: StandIn,
    source: ApiSource,
    proxy: CountingProxy,
    shadow: ShadowDatabase,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[StandIn], None],
    is_read: bool,
) -> None:
    monkeypatch.setattr(untracked, "MOST_CELLS", 0)
    age(own_odoo, "project.project", "project.task")
    run_of(source, shadow, "project.task")
    with shadow.transaction() as tx:
        tx.run("UPDATE {s} SET untracked_at = now() - interval '1 day'", s=tx.internal("table_state"))
    run_of(source, shadow, "project.task")  # the day's
    change(own_odoo)
    proxy.clear()
    run_of(source, shadow, "project.task")
    assert bool([call for call in proxy.of("search_read") if call.model == "project.task"]) == is_read
    assert_equal(own_odoo, database, ["project.task"])


def test_what_it_costs_when_nothing_has_changed(
    leads: StandIn, source: ApiSource, proxy: CountingProxy, shadow: ShadowDatabase
) -> None:
    leads.add_model("x_plain")
    leads.execute("x_plain", "create", [{"x_name": "Plain"}])
    age(leads, "x_plain")
    run_of(source, shadow, "x_lead", "x_plain")
    before = len(statuses_of(shadow))
    run = Run()
    for model in ("x_lead", "x_plain"):
        mirror(source, shadow, model, run=run)
    proxy.clear()
    assert list(close_run(source, shadow, run=run, options=NOW)) == []
    assert [(call.model, call.method) for call in proxy.calls] == [
        ("ir.model.fields", "search_read"),
        ("x_lead", "fields_get"),
        ("x_lead", "search_read"),
        ("x_lead", "search"),
    ]
    assert len(statuses_of(shadow)) == before + 2  # comparing holds no table and leaves no entry


REMADE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "char": ({"default": "before"}, {"default": "after"}),
    "emptied": ({"type": "integer", "default": 7}, {"type": "integer"}),
}


@pytest.mark.sampled
@pytest.mark.parametrize("kind", REMADE)
@pytest.mark.parametrize("is_large", [False, True])
def test_a_field_made_anew_under_its_name_brings_its_values_with_the_next_run(
    leads: StandIn,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    is_large: bool,
) -> None:
    former, new = ({"type": "char", **details} for details in REMADE[kind])
    leads.add_field("x_lead", "x_grade", **former)
    run_of(source, shadow, "x_lead")
    if is_large:
        monkeypatch.setattr(untracked, "MOST_CELLS", 0)
    leads.remove_field("x_lead", "x_grade")
    leads.add_field("x_lead", "x_grade", **new)
    closed = run_of(source, shadow, "x_lead")
    assert [item.error for item in closed if item.error] == []
    assert_equal(leads, database, ["x_lead"])
    assert run_of(source, shadow, "x_lead") == []  # and is not compared again


@pytest.mark.parametrize("trouble", ["ir.model.fields", "x_lead"])
def test_a_field_made_anew_is_compared_until_that_succeeds(
    leads: StandIn, shadow: ShadowDatabase, database: str, trouble: str
) -> None:
    leads.add_field("x_lead", "x_grade", "char", default="before")
    with source_of(leads) as source:
        run_of(source, shadow, "x_lead")
        leads.remove_field("x_lead", "x_grade")
        leads.add_field("x_lead", "x_grade", "char", default="after")
        run = Run()
        mirror(source, shadow, "x_lead", run=run)
        leads.faults.add(Fault(trouble, "search_read", times=100, status=503))
        failed = list(close_run(source, shadow, run=run, options=NOW))
        assert [item.model for item in failed if item.error] == [trouble]
        leads.faults.clear()
        assert [item.error for item in run_of(source, shadow, "x_lead")] == [None]
    assert_equal(leads, database, ["x_lead"])


def test_the_list_of_what_odoo_writes_by_sql_names_columns_and_patterns() -> None:
    assert is_written_by_sql("stock.quant", "quantity")
    assert is_written_by_sql("account.analytic.line", "x_plan7_id")
    assert is_written_by_sql("hr.employee.public", "work_phone")
    assert not is_written_by_sql("res.partner", "name")
