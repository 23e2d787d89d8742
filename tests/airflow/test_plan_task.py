"""The task `plan`: what the trigger form asks for, what it refuses, and when it is tried again."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from odoo_stand_in import Fault, StandIn
from tests.support.ageing import age
from tests.support.airflow_connections import odoo_connection
from tests.support.airflow_home import DAGS_FOLDER
from tests.support.catalog import structure
from tests.support.dag_runs import run, states, tries
from tests.support.own_mirror import FEW, FEW_MODELS, MirrorDag, ask, mapped

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.sdk import DAG

HASH_SECRET = "a-key-that-nobody-guesses"


@pytest.fixture(scope="module")
def module_odoo(postgres: str) -> Iterator[StandIn]:
    with StandIn(postgres, flavour="19", database="plan", scale=0.3, copied=True) as running:
        age(running, *FEW_MODELS)
        yield running


@pytest.fixture
def odoo(module_odoo: StandIn) -> Iterator[StandIn]:
    yield module_odoo
    module_odoo.faults.clear()


def assert_refused(dag_run: DagRun, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The plan failed, once, and says why in one sentence."""
    assert dag_run.state == "failed"
    assert {**states(dag_run), "doctor": "any"} == {
        "plan": "failed",
        "mirror": "upstream_failed",
        "settle": "skipped",
        "complete": "upstream_failed",
        "doctor": "any",
        "report": "success",
    }
    assert tries(dag_run)["plan"] == 1
    errors = [line.partition("MirrorConfigurationError: ")[2] for line in capsys.readouterr().out.splitlines()]
    assert said in errors


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("terms", "models"),
    [
        (None, sorted(FEW_MODELS)),
        ([], sorted(FEW_MODELS)),
        (["all"], sorted(FEW_MODELS)),
        (["res.country*"], ["res.country", "res.country.state"]),
        (["res.company", "*state"], ["res.company", "res.country.state"]),
        (["!res.country*"], ["res.company", "res.currency"]),
        (["priority"], ["res.company"]),
    ],
    ids=str,
)
def test_the_form_chooses_from_the_mirrors_models(
    mirror_dag: MirrorDag, database: str, terms: list[str] | None, models: list[str]
) -> None:
    dag_run = run(mirror_dag(models=FEW), models=terms, dry_run=True)
    assert (dag_run.state, mapped(dag_run)) == ("success", dict.fromkeys(models, "success"))
    assert structure(database)["relations"] == []


def test_a_pattern_of_nothing_is_refused(mirror_dag: MirrorDag, capsys: pytest.CaptureFixture[str]) -> None:
    assert_refused(run(mirror_dag(models=FEW), models=["sale.*"]), "sale.* matches no model of this mirror.", capsys)


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("res.partner", "the server does not have it, or the mirror does not ask for it"),
        ("res.compny", "did you mean res.company?"),
        ("res.currency", "excluded by the mirror's own settings"),
        ("ir.config_parameter", "it holds credentials"),
    ],
)
def test_a_name_that_is_not_the_mirrors_is_refused(
    mirror_dag: MirrorDag, database: str, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    dag = mirror_dag(models=[*FEW, "ir.config*", "!res.currency"])
    refused = run(dag, models=["res.country", name])
    assert_refused(refused, f"{name} is not one of this mirror's models: {said}.", capsys)
    assert structure(database)["relations"] == []


NONSENSE: tuple[object, ...] = (["res country"], ["res.country", "res.country"], "res.country", [7])
NO_TERMS = (["!"], ["! res.country"], ["res.country; *"])


@pytest.mark.sampled
@pytest.mark.parametrize("models", [*NONSENSE, *NO_TERMS], ids=str)
def test_nonsense_for_models_is_refused_at_the_trigger(mirror_dag: MirrorDag, models: object) -> None:
    assert_refused_at_the_trigger(mirror_dag(models=FEW), models)


@pytest.mark.sampled
@pytest.mark.parametrize("models", [*NONSENSE, *NO_TERMS], ids=str)
def test_so_it_is_by_a_mirror_of_named_models(mirror_dag: MirrorDag, models: object) -> None:
    assert_refused_at_the_trigger(mirror_dag(models=["res.company", "res.country"]), models)


def assert_refused_at_the_trigger(dag: DAG, models: object) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError):
        run(dag, models=models)


@pytest.mark.nightly
def test_patterns_choose_from_named_models_as_well(mirror_dag: MirrorDag) -> None:
    dag = mirror_dag(models=["res.company", "res.country", "res.currency"])
    assert mapped(run(dag, models=["res.co*"], dry_run=True)).keys() == {"res.company", "res.country"}
    assert mapped(run(dag, models=["!res.co*"], dry_run=True)).keys() == {"res.currency"}


def test_more_models_than_airflow_maps(
    mirror_dag: MirrorDag, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dag = mirror_dag(models=FEW)
    monkeypatch.setenv("AIRFLOW__CORE__MAX_MAP_LENGTH", "1")
    said = (
        "The models that have work need 2 tasks, but Airflow maps at most 1: raise [core] max_map_length "
        "(AIRFLOW__CORE__MAX_MAP_LENGTH) to 2 or more, or split the mirror."
    )
    assert_refused(run(dag), said, capsys)
    monkeypatch.setenv("AIRFLOW__CORE__MAX_MAP_LENGTH", "2")
    assert mapped(run(dag)) == dict.fromkeys(FEW_MODELS, "success")


def test_the_plan_is_tried_again(mirror_dag: MirrorDag, odoo: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    dag = mirror_dag(models=FEW, retries=1, retry_delay_seconds=3600)  # would take an hour, were it not for Retry-After
    monkeypatch.setattr("odoo_shadow.source.api.client.LONGEST_WAIT", 0.5)
    odoo.faults.add(Fault("ir.model.fields", "search_read", after=1, status=429, headers={"Retry-After": "1"}))
    dag_run = run(dag)
    assert (dag_run.state, mapped(dag_run)) == ("success", dict.fromkeys(FEW_MODELS, "success"))
    assert tries(dag_run)["plan"] == 2


def test_the_plan_takes_the_mirrors_retries(mirror_dag: MirrorDag) -> None:
    plan = mirror_dag(models=FEW, retries=5, retry_delay_seconds=7).get_task("plan")
    assert (plan.retries, plan.retry_delay.total_seconds(), plan.retry_exponential_backoff) == (5, 7, 2)


@pytest.mark.nightly
def test_settings_reach_the_task(
    mirror_dag: MirrorDag, odoo: StandIn, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_DEFAULT", odoo_connection(odoo, hash_secret=HASH_SECRET))
    settings = {
        "res.*": {"hashed_fields": ["email"]},
        "res.company": {"domain": [["id", "!=", 1]], "exclude_fields": ["phone"]},
    }
    dag = mirror_dag(models=["res.company", "res.country"], model_settings=settings)
    assert run(dag).state == "success"
    emails = dict(ask(database, "SELECT id, email FROM odoo_shadow_res_company"))
    plain = odoo.execute("res.company", "search_read", [("id", "!=", 1)], ["email"])
    assert emails == {
        record["id"]: hmac.new(HASH_SECRET.encode(), f"email\0{record['email']}".encode(), hashlib.sha256).hexdigest()
        for record in plain
    }
    columns = {
        name for (name,) in ask(database, "SELECT column_name FROM information_schema.columns"
                                          " WHERE table_name = 'odoo_shadow_res_company'")
    }  # fmt: skip
    assert "email" in columns and "phone" not in columns

    assert mapped(run(dag)) == {}
    other = mirror_dag(models=["res.company", "res.country"], model_settings={"res.*": {"hashed_fields": ["email"]}})
    assert mapped(run(other)) == {"res.company": "success"}  # since it is read in another way now
    assert len(ask(database, "SELECT id FROM odoo_shadow_res_company")) == len(plain) + 1


def test_a_hash_without_a_key_fails_its_model_alone(mirror_dag: MirrorDag, odoo: StandIn, database: str) -> None:
    settings = {"res.company": {"hashed_fields": ["email"]}}
    dag_run = run(mirror_dag(models=["res.company", "res.country"], model_settings=settings))
    assert mapped(dag_run) == {"res.company": "failed", "res.country": "success"}
    assert tries(dag_run)["res.company"] == 1
    ((message,),) = ask(database, "SELECT message FROM own_internal.sync_detail WHERE message IS NOT NULL")
    assert message == (
        "res.company has hashed_fields, but the Odoo connection has no hash_secret: set it (ODOO_HASH_SECRET)."
    )


def test_settings_that_make_no_sense_are_an_import_error_of_the_dag_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, airflow_database: None
) -> None:
    from airflow.dag_processing.dagbag import DagBag

    path = tmp_path / "mirrors.yaml"
    path.write_text("mirrors: {own: {model_settings: {res.partner: {hashed_feilds: [email]}}}}", encoding="utf-8")
    monkeypatch.setenv("AIRFLOW__ODOO_SHADOW__MIRRORS_FILE", str(path))
    bag = DagBag(str(DAGS_FOLDER))
    assert len(bag.import_errors) == 3  # of the files that sync, verify and build the marts
    said = "there is no setting 'hashed_feilds' (did you mean hashed_fields?)"
    assert all(said in error for error in bag.import_errors.values())
    assert "own_sync" not in bag.dags


def test_the_form_offers_names_and_all_of_a_kind(mirror_dag: MirrorDag) -> None:
    dag = mirror_dag(models=["res.country", "res.company", "res.currency", "sale.order"])
    models = dag.params.get_param("models")
    assert models.schema["examples"] == ["res.country", "res.company", "res.currency", "sale.order", "res.*"]
    assert mapped(run(dag, models=["res.*"], dry_run=True)).keys() == {"res.country", "res.company", "res.currency"}
