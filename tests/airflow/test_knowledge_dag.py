"""Documents and embeddings follow the mirror's own tasks, fail alone, and go on where they were."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg
import pytest

from airflow_provider_odoo_shadow.dag_factory.knowledge import RefreshDocumentsOperator
from odoo_shadow.knowledge.errors import TemplateError
from odoo_shadow.mirror.config.document_template import DocumentTemplate
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_stand_in import StandIn
from tests.support.airflow_connections import odoo_connection, shadow_connection
from tests.support.companies import sync, two_companies
from tests.support.dag_runs import OUR_LOGGERS, run
from tests.support.embeddings import DIMENSIONS, KEY, MODEL, NAME, endpoint

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.sdk import DAG

pytestmark = pytest.mark.one_flavour

MODELS = ["res.partner", "res.country", "account.move"]
WRONG_KEY = "sk-5ffa0c81d2wrong"
NO_TABLE = "There are no documents of hr.employee: the shadow has no table of it; add it to the models"


def states(dag_run: DagRun, task_id: str) -> dict[str, str]:
    """Return the states of a task's mapped instances, by their labels."""
    found = [ti for ti in dag_run.get_task_instances() if ti.task_id == task_id]
    return {str(ti.rendered_map_index or ""): str(ti.state) for ti in found}


def ask(database: str, query: LiteralString) -> list[tuple[Any, ...]]:
    with psycopg.connect(database) as connection:
        return connection.execute(query).fetchall()


def xcoms(dag_run: DagRun) -> str:
    """Return all that the tasks of a run have left, as text."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        wanted = select(XComModel.key, XComModel.value).where(XComModel.run_id == dag_run.run_id)
        return json.dumps([list(row) for row in session.execute(wanted)], default=str)


@pytest.mark.nightly
def test_they_follow_the_rows_whatever_has_failed_before(
    mirror_dags: Callable[..., Mapping[str, DAG]],
    odoo: StandIn,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in OUR_LOGGERS:
        caplog.set_level("INFO", logger=name)
    settings: dict[str, Any] = {"models": MODELS, "knowledge": True, "retries": 0, "embeddings_conn_id": "vectors"}
    with endpoint() as there:
        connection = {"conn_type": "http", "host": f"{there.server.url}/v1", "extra": {"model": MODEL}}
        monkeypatch.setenv("AIRFLOW_CONN_VECTORS", json.dumps({**connection, "password": WRONG_KEY}))
        with monkeypatch.context() as limited:  # this login may not read account.move
            limited.setattr(odoo, "login", odoo.limited_login)
            limited.setattr(odoo, "password", odoo.limited_password)
            limited.setattr(odoo, "api_key", odoo.limited_api_key)
            limited.setenv("AIRFLOW_CONN_ODOO_DEFAULT", odoo_connection(odoo))
            documents = {"res.country": {}, "hr.employee": {"title": ["name"]}}
            first = run(mirror_dags(**settings, documents=documents)["own_sync"])
        assert first.state == "failed"
        assert states(first, "mirror")["account.move"] == "failed"
        made = {"res.country": "success", "res.partner": "success", "hr.employee": "failed"}
        assert states(first, "documents") == made
        assert (states(first, "plan_embeddings"), states(first, "report")) == ({"": "failed"}, {"": "success"})
        assert NO_TABLE in caplog.text
        assert "refuses the key (HTTP 401): correct the password of Airflow connection 'vectors'" in caplog.text
        assert ask(database, "SELECT count(embedding) FROM own.odoo_shadow_document WHERE odoo_id > 0") == [(0,)]

        alone = odoo.execute("res.partner", "create", [{"name": "Shown by no other document"}])
        monkeypatch.setenv("AIRFLOW_CONN_VECTORS", json.dumps({**connection, "password": KEY}))
        second = run(mirror_dags(**settings, documents={"res.country": {}})["own_sync"])
        ((total, embedded),) = ask(database, "SELECT count(*), count(embedding) FROM own.odoo_shadow_document")
        assert (second.state, embedded) == ("success", total)
        assert states(second, "embeddings") == {f"{total} documents": "success"}
        assert ask(database, "SELECT name, dimensions FROM own.odoo_shadow_embedding_model") == [(NAME, DIMENSIONS)]
        assert f"embeddings made: {total}." in xcoms(second)

        there.server.requests.clear()
        odoo.execute("res.partner", "write", alone, {"name": "Again"})
        third = run(mirror_dags(**settings, documents={"res.country": {}})["own_sync"])
        assert states(third, "embeddings") == {"1 document": "success"}
        assert [text.splitlines()[0] for request in there.asked for text in request][-1].endswith("Again")
    for secret in (KEY, WRONG_KEY):
        assert not [text for text in (*map(xcoms, (first, second, third)), caplog.text) if secret in text]


def test_whatever_fails_fails_the_run_and_is_tried_again(mirror_dags: Callable[..., Mapping[str, DAG]]) -> None:
    dag = mirror_dags(models=["res.country"], knowledge=True, retries=5, parallel_models=3)["own_sync"]
    following = {"plan_documents", "documents", "plan_embeddings", "embeddings"}
    assert dag.get_task("complete").upstream_task_ids == {"mirror", "settle", *following}, "settle is no leaf any more"
    assert dag.get_task("report").upstream_task_ids == {"settle", *following}
    for task_id in following:
        task = dag.get_task(task_id)
        assert (task.retries, type(task.retry_policy).__name__) == (5, "MirrorRetryPolicy"), task_id
    for task_id in ("documents", "embeddings"):
        task = dag.get_task(task_id)
        assert (task.template_fields, task.max_active_tis_per_dagrun) == ((), 3), "what a server says is no template"
    without = mirror_dags(models=["res.country"])["own_sync"]
    assert not following & set(without.task_ids)


@pytest.mark.nightly
def test_documents_alone_and_nothing_after_a_plan_that_failed_or_in_a_dry_run(
    mirror_dags: Callable[..., Mapping[str, DAG]], odoo: StandIn, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {"models": ["res.country"], "knowledge": True, "retries": 0, "embeddings": "none"}
    dag = mirror_dags(**settings, documents={"res.country": {}})["own_sync"]
    dry = run(dag, dry_run=True)
    assert (dry.state, states(dry, "plan_documents")) == ("success", {"": "skipped"})
    assert ask(database, "SELECT to_regclass('own.odoo_shadow_document')") == [(None,)]
    good = run(dag, dry_run=False)  # dag.test() keeps the parameters of its last run
    assert (good.state, states(good, "embeddings")) == ("success", {"": "skipped"}), "none are wanted, and that is well"
    ((count,),) = ask(database, "SELECT count(*) FROM own.odoo_shadow_document")
    assert count == len(odoo.execute("res.country", "search", []))
    monkeypatch.setattr(odoo, "api_key", "wrong-secret-1")
    monkeypatch.setattr(odoo, "password", "wrong-secret-1")
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_DEFAULT", odoo_connection(odoo))
    failed = run(dag)
    assert failed.state == "failed"
    for task_id in ("plan_documents", "documents", "plan_embeddings", "embeddings"):
        assert [*states(failed, task_id).values()] == ["skipped"], task_id


def test_a_task_removes_what_must_not_be_shown_any_more(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A field that the template names is left out by now: its values must not stay in the documents."""
    monkeypatch.setenv("AIRFLOW_CONN_SHADOW_HERE", shadow_connection(database))
    template = DocumentTemplate.parse("res.partner", {"title": ["name"], "fields": ["country_id"]})
    task = RefreshDocumentsOperator(
        task_id="documents",
        model="res.partner",
        postgres_conn_id="shadow_here",
        schema="odoo_shadow",
        templates={"res.partner": template.as_text()},
    )
    odoo, count = two_companies(), "SELECT count(*) FROM odoo_shadow.odoo_shadow_stored_document"
    with ShadowDatabase.from_url(database) as shadow:
        sync(odoo, shadow, ["res.company", "res.country", "res.partner"])
        assert task.execute({})["added"] == 3
        sync(odoo, shadow, ["res.partner"], full=True, excluding=["country_id"])
    with pytest.raises(TemplateError, match=r"field 'country_id'.* 3 documents of it were removed"):
        task.execute({})
    assert ask(database, count) == [(0,)]
