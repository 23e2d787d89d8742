"""Nothing that comes from Odoo, from the shadow or from a plan is rendered as a template, in anybody's DAG."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import psycopg
import pytest

from airflow_provider_odoo_shadow.dag_factory.config import read_mirrors
from odoo_shadow.mirror.config.patterns import ModelChoice
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.run.choose import choose_models
from odoo_shadow.source.api import discovery
from odoo_shadow.source.errors import OdooConfigurationError
from odoo_shadow.source.models import ModelKind
from odoo_stand_in import StandIn
from tests.support.airflow_connections import odoo_connection, shadow_connection
from tests.support.airflow_home import DAGS_FOLDER
from tests.support.clients import source_of
from tests.support.dag_runs import OUR_LOGGERS, forget_variables, run, states

if TYPE_CHECKING:
    from airflow.sdk import DAG, Context

pytestmark = pytest.mark.attack

# `proof` is a macro that notes each call of it: it stands for whatever a template could reach. Airflow's own macros
# lead to a shell without it.
PAYLOAD = "{{ proof() }}"
HOSTILE = f"x_pwn.{PAYLOAD}"
MirrorDag = Callable[..., "DAG"]


@pytest.fixture(autouse=True)
def no_variables(airflow_database: None) -> Iterator[None]:
    forget_variables()
    yield
    forget_variables()


@pytest.fixture(scope="module")
def module_odoo(postgres: str) -> Iterator[StandIn]:
    with StandIn(postgres, flavour="19", database="templates", scale=0.3, copied=True) as running:
        running.add_model(HOSTILE)
        yield running


@pytest.fixture
def odoo(module_odoo: StandIn) -> StandIn:
    return module_odoo


@pytest.fixture
def rendered() -> list[str]:
    """What templates have called."""
    return []


def watch(dag: DAG, rendered: list[str]) -> DAG:
    """Let a DAG's templates know the macro that leaves a proof."""

    def proof() -> str:
        rendered.append("rendered")
        return "res.country"

    dag.user_defined_macros = {"proof": proof}
    return dag


def test_a_hostile_model_is_refused_and_the_others_are_mirrored(
    mirror_dag: MirrorDag, rendered: list[str], database: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in OUR_LOGGERS:
        caplog.set_level(logging.INFO, logger=name)
    dag_run = run(watch(mirror_dag(models=["x_pwn*", "res.country*"]), rendered))
    assert dag_run.state == "success"
    assert states(dag_run) == dict.fromkeys(
        ("plan", "doctor", "res.country", "res.country.state", "settle", "complete", "report"), "success"
    )
    assert rendered == []
    told = [message for message in caplog.messages if "x_pwn" in message]
    assert len(told) == 1 and "Odoo allows no such name" in told[0]
    with psycopg.connect(database) as connection:
        tables = connection.execute("SELECT odoo_model FROM own.odoo_shadow_meta ORDER BY 1").fetchall()
    assert tables == [("res.country",), ("res.country.state",)]


def test_not_even_a_plan_that_lets_it_pass_is_rendered(
    mirror_dag: MirrorDag, rendered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if discovery checked nothing: the mapped task itself renders nothing, and refuses."""
    monkeypatch.setattr(discovery, "is_model_name", lambda _: True)
    dag_run = run(watch(mirror_dag(models=["x_pwn*"], retries=0), rendered))
    assert rendered == []
    assert states(dag_run) == {
        **dict.fromkeys(("plan", "doctor", "settle", "report"), "success"),
        HOSTILE: "failed",
        "complete": "upstream_failed",
    }


def test_what_the_registry_says_is_not_rendered(
    dags: Mapping[str, DAG], rendered: list[str], database: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in OUR_LOGGERS:
        caplog.set_level(logging.INFO, logger=name)
    run(dags["odoo_shadow_sync"], models=["res.company"])
    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO odoo_shadow.odoo_shadow_meta (table_name, odoo_model, row_count, last_sync_at)"
            " VALUES ('odoo_shadow_x_pwn', %s, 1, now())",
            [HOSTILE],
        )
    dag_run = run(watch(dags["odoo_shadow_verify"], rendered))
    assert rendered == []
    assert states(dag_run) == {"plan": "success", "res.company": "success", "report": "success"}
    assert any(
        "refused, because it is not a model's name" in message and "x_pwn" in message for message in caplog.messages
    )


def test_a_mapped_verification_renders_nothing_by_itself(
    dags: Mapping[str, DAG], rendered: list[str], database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "airflow_provider_odoo_shadow.dag_factory.verify_dag.mirrored_models", lambda _: [HOSTILE, "res.company"]
    )
    run(dags["odoo_shadow_sync"], models=["res.company"])
    dag_run = run(watch(dags["odoo_shadow_verify"], rendered))
    assert rendered == []
    assert states(dag_run) == {
        "plan": "success",
        HOSTILE: "failed",
        "res.company": "success",
        "report": "success",
    }


OWN_DAG = """
from airflow.sdk import DAG, task, task_group
from airflow_provider_odoo_shadow.transfers.odoo_to_postgres import OdooToPostgresOperator

NAMES = {names!r}
WRITTEN = "{{{{ 'odoo_shadow_db' }}}}"
LABEL = "{{{{ task.model }}}}"


def mapped(**more):
    return OdooToPostgresOperator.partial(
        task_id="mirror", retries=0, postgres_conn_id=WRITTEN, map_index_template=LABEL, **more
    )


with DAG("own_ways", schedule=None):
    @task
    def names():
        return NAMES

    @task
    def entries():
        return [dict(model=name) for name in NAMES]

    @task
    def one():
        return NAMES[0]

    {body}
"""
WAYS = {
    "expand over a task": "mapped().expand(model=names())",
    "expand over a list": "mapped().expand(model=NAMES)",
    "expand_kwargs over a task": "mapped().expand_kwargs(entries())",
    "expand_kwargs over a list": "mapped().expand_kwargs([dict(model=n) for n in NAMES])",
    "expand_kwargs over outputs": "mapped().expand_kwargs([dict(model=one())])",
    "expand over a mapped task": "mapped().expand(model=names().map(lambda n: n + ''))",
    "expand_kwargs over a mapped task": ("mapped().expand_kwargs(names().map(lambda n: dict(model=n)))"),
    "expand another argument": ("mapped(model='res.country').expand(schema=names())"),
    "the output of a task": (
        "OdooToPostgresOperator(task_id='mirror', model=one(), retries=0, postgres_conn_id='odoo_shadow_db')"
    ),
    "a mapped group of tasks": """
    @task_group
    def group(name):
        OdooToPostgresOperator(task_id="mirror", model=name, retries=0, postgres_conn_id="odoo_shadow_db")

    group.expand(name=names())
""",
}


@pytest.fixture
def own_dag(airflow_database: None, connections: None) -> Iterator[Callable[..., DAG]]:
    """Return somebody's own DAG; dag.test() wants it in the folder that Airflow reads."""
    from airflow.dag_processing.dagbag import DagBag

    file = DAGS_FOLDER / "own_ways.py"

    def build(names: list[str], way: str) -> DAG:
        file.write_text(OWN_DAG.format(names=names, body=WAYS[way]), encoding="utf-8")
        bag = DagBag(str(file))
        assert bag.import_errors == {}
        return bag.dags["own_ways"]

    yield build
    file.unlink(missing_ok=True)


@pytest.mark.sampled
@pytest.mark.parametrize("way", WAYS)
def test_in_anybodys_dag_no_value_that_arrives_is_rendered(
    own_dag: Callable[..., DAG], rendered: list[str], way: str
) -> None:
    dag_run = run(watch(own_dag([HOSTILE], way), rendered))
    assert rendered == []
    if way == "expand another argument":  # a schema may be called anything
        return
    assert dag_run.state == "failed"
    assert {ti.task_id.rpartition(".")[2]: str(ti.state) for ti in dag_run.get_task_instances()}["mirror"] == "failed"


def test_what_the_author_wrote_is_rendered(own_dag: Callable[..., DAG], database: str) -> None:
    dag_run = run(own_dag(["res.country"], "expand_kwargs over a task"))  # its postgres_conn_id is one
    assert states(dag_run) == {"entries": "success", "res.country": "success"}


def test_a_text_of_which_nothing_tells_where_it_is_from_is_not_rendered() -> None:
    from airflow.sdk import DAG

    from airflow_provider_odoo_shadow.transfers.odoo_to_postgres import OdooToPostgresOperator

    text = "{{ 1 + 1 }}"
    alone = OdooToPostgresOperator(task_id="alone", model=text)
    with DAG("declares_it", schedule=None) as dag:
        declared = OdooToPostgresOperator(task_id="declared", model=text)
    assert alone.render_template(text, {}) == text
    assert str(declared.render_template(text, {})) == "2"
    del dag.task_dict["declared"]
    assert declared.render_template(text, {}) == text


@pytest.mark.parametrize("setting", ["trusted_roles", "agreed_objects"])
def test_a_single_text_is_no_list_of_whom_to_trust(setting: str) -> None:
    """Its letters would be taken for the names of roles."""
    from airflow_provider_odoo_shadow.dag_factory.mapped import MirrorModelsOperator, VerifyModelOperator
    from odoo_shadow.shadow.errors import ShadowConfigurationError

    dag_run = SimpleNamespace(dag_id="d", run_id="r")
    context = cast("Context", {"dag_run": dag_run, "params": {"quick": True, "repair": False}})
    given: dict[str, Any] = {"odoo_conn_id": "odoo", "postgres_conn_id": "shadow", "schema": "own", "batch_size": 10}
    of_run: dict[str, Any] = {"mirror": "own", "full": False, "preview": False, "on_delete": "delete"}
    of_run |= {"look_back": timedelta(), "allow_mass_delete": False, "model_settings": {"res.partner": {}}}
    for task in (
        MirrorModelsOperator(task_id="x", models=["res.partner"], **{**given, **of_run, setting: "admin"}),
        VerifyModelOperator(task_id="y", model="res.partner", **{**given, setting: "admin"}),
    ):
        with pytest.raises(ShadowConfigurationError, match=f"{setting} is text"):
            task.execute(context)


def test_a_template_of_the_author_is_rendered_once(
    dags: Mapping[str, DAG], rendered: list[str], database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_POSTGRES_DEFAULT", shadow_connection(database))
    dag = watch(dags["one_model"], rendered)
    monkeypatch.setattr(dag.get_task("partners"), "model", "{{ dag_run.conf['model'] }}")
    assert run(dag, model="res.country").state == "success"
    assert run(dag, model=PAYLOAD).state == "failed"  # a user who may trigger, but not write DAGs
    assert rendered == []


@pytest.mark.sampled
@pytest.mark.parametrize("setting", ["models", "batch_size", "full"])
def test_what_the_trigger_form_sends_is_not_rendered(mirror_dag: MirrorDag, rendered: list[str], setting: str) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    dag = watch(mirror_dag(models=["res.country*"]), rendered)
    with pytest.raises(ParamValidationError):
        run(dag, **{setting: [PAYLOAD] if setting == "models" else PAYLOAD})
    assert states(run(dag, **{PAYLOAD: PAYLOAD}))["plan"] == "failed"
    assert rendered == []


@pytest.mark.parametrize("name", ["odoo_conn_id", "postgres_conn_id"])
def test_a_connections_id_is_no_template(tmp_path: Path, name: str) -> None:
    path = tmp_path / "mirrors.yaml"
    path.write_text(json.dumps({"mirrors": {"own": {name: PAYLOAD}}}), encoding="utf-8")
    with pytest.raises(MirrorConfigurationError, match=rf"mirror 'own', {name}: "):
        read_mirrors(path)


def test_two_mirrors_cannot_share_a_watermark(tmp_path: Path) -> None:
    path = tmp_path / "mirrors.yaml"
    mirrors = {name: {"schema": name} for name in ("a", "a__odoo_shadow_x", "ab")}
    path.write_text(json.dumps({"mirrors": mirrors}), encoding="utf-8")
    with pytest.raises(MirrorConfigurationError, match="mirrors 'a' and 'a__odoo_shadow_x' could share"):
        read_mirrors(path)


NAMES = ["x_{{1}}", "x.{%raw%}", "X.upper", "x..y", ".x", "x.", "", "x\n", "x\u0430", "x/../y", "x" * 129, "x y", "x%s"]


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_what_is_no_name_is_refused_wherever_it_is_typed(name: str) -> None:
    for term in (name, f"!{name}"):
        with pytest.raises(MirrorConfigurationError):
            ModelChoice.parse([term])


@pytest.mark.parametrize("limited", [False, True], ids=["administrator", "limited login"])
def test_hostile_names_without_number_stay_bounded(odoo: StandIn, limited: bool) -> None:
    many = [f"x_{{{{ {number} }}}}" for number in range(5_000)]
    login = {"login": odoo.limited_login, "password": odoo.limited_api_key} if limited else {}
    with source_of(odoo, **login) as source:
        honest = dict(source.readable_models)
        source.client.__dict__["readable_models"] = {**honest, **dict.fromkeys(many, "label")}
        odoo.calls.clear()
        chosen = choose_models(source, ModelChoice.parse("all"))
        assert len(odoo.calls) < 2 * len(honest)
        misnamed = [item for item in chosen.left_out if item.reason == ModelKind.MISNAMED]
        assert len(misnamed) == 101 and misnamed[-1].model.endswith(" more names")
        assert not set(many) & set(chosen.models)
        source.client.__dict__["readable_models"] = {**honest, **{f"x_{number}": "" for number in range(20_000)}}
        with pytest.raises(OdooConfigurationError, match="more than the 20000"):
            choose_models(source, ModelChoice.parse("all"))


def test_the_operator_tells_what_it_refuses(
    airflow_database: None, odoo: StandIn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from airflow_provider_odoo_shadow.transfers.odoo_to_postgres import OdooToPostgresOperator

    monkeypatch.setenv("AIRFLOW_CONN_ODOO_DEFAULT", odoo_connection(odoo))
    with pytest.raises(MirrorConfigurationError, match=r"is not a model's name and is not mirrored"):
        OdooToPostgresOperator(task_id="one", model=HOSTILE).execute({})


def test_the_dags_that_ship_have_no_template_fields(dags: Mapping[str, DAG]) -> None:
    assert DAGS_FOLDER.exists()
    mapped = [dags["odoo_shadow_sync"].get_task("mirror"), dags["odoo_shadow_verify"].get_task("verify")]
    assert [task.template_fields for task in mapped] == [(), ()]
