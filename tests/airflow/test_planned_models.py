"""A mirror of all models but some: what is left out, what is mapped, and what becomes of the others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from odoo_shadow.mirror.clock import DEFAULT_LOOK_BACK
from odoo_stand_in import StandIn
from tests.support.ageing import age
from tests.support.catalog import contents
from tests.support.dag_runs import run, states
from tests.support.own_mirror import FEW, FEW_MODELS, WORKLESS, MirrorDag, PlanLog, Variables, ask, mapped, variable_of
from tests.support.source_of_truth import assert_equal
from tests.support.windows import written_since

if TYPE_CHECKING:
    pass


ALL_BUT = ["all", "!project.*", "!ir.m*", "helpdesk.*"]
# As Odoo tells them, not as the stand-in happens to have them: kinds of models that a pattern does not take.
LEFT_OUT = {
    "account.invoice.report": "an SQL view",
    "base.language.install": "transient",
    "mail.thread": "abstract",
    "ir.config_parameter": "it holds credentials",
    "res.users.apikeys": "its name says that it holds credentials",
    "project.task": "excluded by the mirror's own settings",
    "helpdesk.*": "matches no model of this server",
}


@pytest.fixture(scope="module")
def module_odoo(postgres: str) -> Iterator[StandIn]:
    with StandIn(postgres, flavour="19", database="planned", copied=True) as running:
        yield running


@pytest.fixture
def odoo(module_odoo: StandIn) -> StandIn:
    """A stand-in whose few models may be changed; at the start of each test their rows are a day old."""
    age(module_odoo, *FEW_MODELS)
    return module_odoo


def rename(odoo: StandIn, model: str) -> None:
    (record,) = odoo.execute(model, "search", [], limit=1)
    odoo.execute(model, "write", [record], {"name": "Renamed since"})


def set_back(model: str, to: str = "2001-01-01T00:00:00+00:00") -> None:
    from airflow.models.variable import Variable

    Variable.set(variable_of(model), json.dumps({"last_write_date": to}))


def let_a_minute_pass(database: str) -> None:
    """Let all watermarks be a minute older, since they are whole seconds."""
    from airflow.models.variable import Variable

    rows = ask(
        database,
        "UPDATE odoo_shadow_watermark w SET last_write_date = last_write_date - interval '1 min'"
        " FROM odoo_shadow_meta m WHERE m.table_name = w.table_name"
        " RETURNING m.odoo_model, w.last_write_date, w.rows_synced",
    )
    for model, moment, rows_synced in rows:
        value = {"last_write_date": moment.isoformat(), "last_id": None, "rows_synced": rows_synced, "updated_at": None}
        Variable.set(variable_of(str(model)), json.dumps(value))


def newest_log(database: str) -> dict[str, tuple[str, bool]]:
    """Return by model what the newest run did: the status, and whether the model was passed over."""
    rows = ask(
        database,
        "SELECT odoo_model, status, coalesce((metadata->>'unchanged')::boolean, false) FROM odoo_shadow_sync_log l"
        " JOIN odoo_shadow_meta USING (table_name)"
        " WHERE sync_run_id = (SELECT sync_run_id FROM odoo_shadow_sync_log ORDER BY id DESC LIMIT 1)",
    )
    return {str(model): (str(status), bool(unchanged)) for model, status, unchanged in rows}


@pytest.mark.nightly
def test_all_models_but_some(
    mirror_dag: MirrorDag, odoo: StandIn, database: str, variables: Variables, plan_log: PlanLog
) -> None:
    dag = mirror_dag(models=ALL_BUT)
    first = run(dag)
    models = set(mapped(first))
    assert set(mapped(first).values()) == {"success"} and first.state == "success"
    assert {"res.partner", "hr.employee", "mail.followers", "x_awkward"} <= models
    assert models & {*LEFT_OUT, "project.project", "ir.model"} == set()
    told = dict(line.split(" is left out: ") for line in plan_log() if " is left out: " in line)
    assert all(told[model].startswith(reason) for model, reason in LEFT_OUT.items()), told
    assert models & told.keys() == set()
    assert_equal(odoo, database, sorted(models - {"x_awkward", "hr.employee", "res.device.log"}), schema="own")
    assert variables().keys() == {variable_of(model) for model in models}
    let_a_minute_pass(database)
    before = variables()

    rename(odoo, "res.country")
    ((mark,),) = ask(database, "SELECT min(last_write_date) FROM odoo_shadow_watermark")
    changed = written_since(odoo, models, mark - DEFAULT_LOOK_BACK)
    idle = models - changed
    assert "mail.followers" in changed and "res.partner" in idle
    second = run(dag)
    assert second.state == "success"
    assert mapped(second) == dict.fromkeys(changed, "success") and "res.country" in changed
    assert "res.country: 1 row was written since " in " ".join(plan_log())
    logged = newest_log(database)
    assert logged == {model: ("success", model in idle) for model in models}
    marks = dict(ask(database, "SELECT odoo_model, last_write_date FROM odoo_shadow_watermark JOIN odoo_shadow_meta"
                               " USING (table_name)"))  # fmt: skip
    after = variables()
    for model in models:
        was, is_ = (str(values[variable_of(model)]["last_write_date"]) for values in (before, after))
        assert datetime.fromisoformat(is_) > datetime.fromisoformat(was), model
        assert datetime.fromisoformat(is_) == marks[model], model
    assert_equal(odoo, database, ["res.country"], schema="own")


def test_a_run_without_work_succeeds_and_reports(
    mirror_dag: MirrorDag, database: str, variables: Variables, plan_log: PlanLog
) -> None:
    dag = mirror_dag(models=FEW)
    assert set(mapped(run(dag))) == FEW_MODELS
    let_a_minute_pass(database)
    before = variables()
    plan_log()
    again = run(dag)
    assert again.state == "success"
    assert states(again) == {**dict.fromkeys(WORKLESS, "success"), "mirror": "skipped"}
    assert plan_log()[-1] == "0 models have work, 4 are unchanged"
    assert newest_log(database) == dict.fromkeys(FEW_MODELS, ("success", True))
    after = variables()
    assert all(str(after[key]["last_write_date"]) > str(before[key]["last_write_date"]) for key in before)
    assert all(after[key]["rows_synced"] == before[key]["rows_synced"] for key in before)


@pytest.mark.nightly
def test_a_variable_that_a_person_sets_back_replays(mirror_dag: MirrorDag, database: str, variables: Variables) -> None:
    dag = mirror_dag(models=FEW)
    run(dag)
    ((rows,),) = ask(database, "SELECT count(*) FROM odoo_shadow_res_country")
    set_back("res.country")
    again = run(dag)
    assert mapped(again) == {"res.country": "success"}
    ((unchanged,),) = ask(
        database,
        "SELECT (metadata->>'rows_unchanged')::int FROM odoo_shadow_sync_log"
        " WHERE table_name = 'odoo_shadow_res_country' ORDER BY id DESC LIMIT 1",
    )
    assert unchanged == rows
    assert str(variables()[variable_of("res.country")]["last_write_date"]) > "2026"


@pytest.mark.nightly
def test_an_unchanged_model_restores_its_missing_variable(mirror_dag: MirrorDag, variables: Variables) -> None:
    from airflow.models.variable import Variable

    dag = mirror_dag(models=FEW)
    run(dag)
    Variable.delete(variable_of("res.country"))
    assert mapped(run(dag)) == {}
    assert set(variables()[variable_of("res.country")]) == {"last_write_date", "last_id", "rows_synced", "updated_at"}


@pytest.mark.nightly
def test_an_invalid_variable_fails_its_own_model(mirror_dag: MirrorDag, database: str, variables: Variables) -> None:
    from airflow.models.variable import Variable

    dag = mirror_dag(models=FEW)
    run(dag)
    let_a_minute_pass(database)
    before = variables()
    Variable.set(variable_of("res.country"), '"yesterday"')
    again = run(dag)
    assert (again.state, mapped(again)) == ("failed", {"res.country": "failed"})
    assert states(again)["plan"] == "success"
    after = variables()
    assert after[variable_of("res.country")] == "yesterday"
    for model in FEW_MODELS - {"res.country"}:
        key = variable_of(model)
        assert str(after[key]["last_write_date"]) > str(before[key]["last_write_date"])
    ((message,),) = ask(database, "SELECT message FROM own_internal.sync_detail WHERE message IS NOT NULL")
    assert str(message).startswith(f"Airflow Variable '{variable_of('res.country')}' is not a watermark such as")


@pytest.mark.nightly
def test_a_dry_run_maps_and_writes_and_advances_nothing(
    mirror_dag: MirrorDag,
    odoo: StandIn,
    database: str,
    variables: Variables,
    caplog: pytest.LogCaptureFixture,
) -> None:
    dag = mirror_dag(models=FEW, model_settings={"res.country": {"exclude_fields": ["*_iban"]}})
    run(dag)
    rename(odoo, "res.country")
    caplog.clear()
    before = contents(database, "own"), variables()
    assert len(before[0]["odoo_shadow_watermark"]) == len(FEW_MODELS)
    dry = run(dag, dry_run=True)
    assert mapped(dry) == dict.fromkeys(FEW_MODELS, "success")
    assert (contents(database, "own"), variables()) == before
    assert "exclude_fields: '*_iban' matches no field of res.country, so it protects nothing." in caplog.messages


@pytest.mark.nightly
def test_full_maps_every_model(mirror_dag: MirrorDag) -> None:
    dag = mirror_dag(models=FEW)
    run(dag)
    assert mapped(run(dag, full=True)) == dict.fromkeys(FEW_MODELS, "success")


@pytest.mark.nightly
def test_rows_that_are_gone_are_work(mirror_dag: MirrorDag, odoo: StandIn, database: str) -> None:
    (country,) = odoo.execute("res.country", "search", [], limit=1)
    created = odoo.execute("res.country.state", "create", [{"name": "Passing", "code": "PA", "country_id": country}])
    age(odoo, "res.country.state")
    dag = mirror_dag(models=FEW)
    run(dag)
    odoo.execute("res.country.state", "unlink", created)
    assert mapped(run(dag)) == {"res.country.state": "success"}
    assert_equal(odoo, database, ["res.country.state"], schema="own")


@pytest.mark.nightly
def test_a_model_that_failed_is_work_again(mirror_dag: MirrorDag, odoo: StandIn, database: str) -> None:
    from airflow.models.variable import Variable

    dag = mirror_dag(models=FEW)
    run(dag)
    Variable.set(variable_of("res.country"), '"yesterday"')
    run(dag)
    Variable.delete(variable_of("res.country"))
    assert mapped(run(dag)) == {"res.country": "success"}
    assert mapped(run(dag)) == {}
