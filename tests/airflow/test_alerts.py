"""What a mirror's DAGs post to its webhook: run by `dag.test()`, and called back by Airflow's own DAG processor."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import psycopg
import pytest

from odoo_stand_in import Fault, StandIn
from tests.support.dag_callbacks import end_of
from tests.support.dag_runs import run
from tests.support.flavours import Flavour
from tests.support.raw_server import Reply
from tests.support.webhooks import KEY, Chat, chat

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.sdk import DAG

REFUSED = json.dumps({"name": "odoo.exceptions.AccessError", "message": "@all: not allowed", "debug": "Traceback"})
COMPANIES: dict[str, object] = {"models": ["res.company"], "notify_conn_id": "chat", "retries": 0}


@pytest.fixture(params=["19"])
def odoo(request: pytest.FixtureRequest, shared_odoos: dict[Flavour, StandIn]) -> Iterator[StandIn]:
    found = shared_odoos[request.param]
    yield found
    found.faults.clear()


@pytest.fixture
def mattermost(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    """A chat, and the connection `chat` to it."""
    with chat() as found:
        monkeypatch.setenv("AIRFLOW_CONN_CHAT", json.dumps({"conn_type": "http", "host": found.url}))
        monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com/base/")
        yield found


def ended(mattermost: Chat, dag: DAG, state: str, **conf: object) -> DagRun:
    """Run a DAG, and let its end be called back, by the DAG processor only."""
    dag_run = run(dag, **conf)
    assert dag_run.state == state
    mattermost.server.requests.clear()
    assert "Callback failed" not in (log := end_of(dag_run))
    assert KEY not in log
    return dag_run


def refuse(odoo: StandIn, model: str, method: str = "search_read") -> None:
    header = {"Content-Type": "application/json"}
    odoo.faults.add(Fault(model=model, method=method, times=100, status=403, headers=header, body=REFUSED))


def spoil(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE own.odoo_shadow_res_company SET name = 'Somebody else' WHERE id = 1")


@pytest.mark.nightly
def test_a_run_that_is_well_tells_nobody(
    mirror_dags: Callable[..., Mapping[str, DAG]], odoo: StandIn, mattermost: Chat
) -> None:
    dags = mirror_dags(**COMPANIES)
    for dag in ("own_sync", "own_verify"):
        ended(mattermost, dags[dag], "success")
        assert mattermost.texts == []


@pytest.mark.nightly
def test_each_run_is_told_if_somebody_wants_it(
    mirror_dags: Callable[..., Mapping[str, DAG]], odoo: StandIn, mattermost: Chat
) -> None:
    dag_run = ended(mattermost, mirror_dags(**COMPANIES, notify_each_run=True)["own_sync"], "success")
    (text,) = mattermost.texts
    rows = len(odoo.execute("res.company", "search", [], context={"active_test": False}))
    said, link = text.split("\n")
    assert said == (
        "Odoo shadow, mirror `own` (DAG `own_sync`): the run succeeded. models: 1 mirrored, 0 unchanged; "
        f"rows: {rows} inserted, 0 updated, 0 deleted."
    )
    assert link.startswith("https://airflow.example.com/base/dags/own_sync/runs/manual__")
    assert link.endswith(dag_run.run_id.replace(":", "%3A").replace("+", "%2B"))


@pytest.mark.nightly
def test_what_an_earlier_try_of_a_cleared_run_left_is_not_told(
    mirror_dags: Callable[..., Mapping[str, DAG]], odoo: StandIn, mattermost: Chat
) -> None:
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    dag_run = run(mirror_dags(**COMPANIES, notify_each_run=True)["own_sync"], dry_run=True)
    with create_session() as session:
        of_run = session.query(TaskInstance).filter_by(dag_id=dag_run.dag_id, run_id=dag_run.run_id, task_id="report")
        of_run.update({"state": "running"})
    mattermost.server.requests.clear()
    end_of(dag_run)
    (text,) = mattermost.texts
    assert text.startswith("Odoo shadow, mirror `own` (DAG `own_sync`): the run succeeded.\n")


def test_a_failure_is_told_once_and_without_its_error(
    mirror_dags: Callable[..., Mapping[str, DAG]], odoo: StandIn, mattermost: Chat
) -> None:
    refuse(odoo, "res.country")
    settings = {**COMPANIES, "models": ["res.company", "res.country"], "notify_each_run": True}
    ended(mattermost, mirror_dags(**settings)["own_sync"], "failed")
    (text,) = mattermost.texts
    assert text.startswith("Odoo shadow, mirror `own` (DAG `own_sync`): the run failed")
    assert "models: 1 mirrored, 0 unchanged, 1 failed (odoo_shadow_res_country)" in text
    assert not any(secret in text for secret in ("@", "allowed", odoo.login, odoo.api_key, KEY))


@pytest.mark.nightly
def test_a_plan_that_fails_is_told(
    mirror_dags: Callable[..., Mapping[str, DAG]], odoo: StandIn, mattermost: Chat
) -> None:
    settings = {**COMPANIES, "odoo_conn_id": "no_such_connection"}
    dag_run = ended(mattermost, mirror_dags(**settings)["own_sync"], "failed")
    (text,) = mattermost.texts
    assert text.startswith(
        "Odoo shadow, mirror `own` (DAG `own_sync`): the run failed (tasks: `plan`, `doctor`). nothing was"
    )
    mattermost.server.requests.clear()
    end_of(dag_run, reason="timed_out")
    assert "the run failed: it ran out of time (tasks: `plan`" in mattermost.texts[0]


@pytest.mark.parametrize("fails", [pytest.param(False, marks=pytest.mark.nightly), True])
@pytest.mark.nightly
def test_repaired_rows_are_told_once_whether_the_run_is_red_or_green(
    mirror_dags: Callable[..., Mapping[str, DAG]], odoo: StandIn, database: str, mattermost: Chat, fails: bool
) -> None:
    dags = mirror_dags(**COMPANIES, fail_on_repair=fails)
    assert run(dags["own_sync"]).state == "success"
    spoil(database)
    ended(mattermost, dags["own_verify"], "failed" if fails else "success")
    (text,) = mattermost.texts
    if fails:
        assert "(DAG `own_verify`): the run failed (tasks: `report`)." in text
        assert "1 wrong until now and repaired (odoo_shadow_res_company: 1)" in text
    else:
        repaired = "rows were wrong in the shadow until now and have been repaired: odoo_shadow_res_company: 1."
        assert f"(DAG `own_verify`): {repaired}" in text
    ended(mattermost, dags["own_verify"], "success")
    assert mattermost.texts == []


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("connection", "says"),
    [
        (None, "There is no Airflow connection 'chat' to notify: add it, of type HTTP, under Admin > Connections."),
        ({"host": "chat.example.com"}, "is not a URL such as"),
        ({"host": "http://chat.example.com", "password": KEY}, "set the extra allow_http to true"),
        ({"host": "chat.example.com", "password": KEY, "login": "me"}, "one secret path, in the password, and no"),
        ({"host": "chat.example.com", "extra": {"pth": KEY}}, "no extra field 'pth' (did you mean path?)"),
        ({"host": "127.0.0.1", "port": 1, "password": f"hooks/{KEY}"}, "(connection 'chat') cannot be reached"),
    ],
)
def test_a_webhook_that_cannot_be_used_fails_nothing(
    mirror_dags: Callable[..., Mapping[str, DAG]],
    odoo: StandIn,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    connection: dict[str, object] | None,
    says: str,
) -> None:
    if connection is not None:
        monkeypatch.setenv("AIRFLOW_CONN_CHAT", json.dumps({"conn_type": "http", **connection}))
    assert run(mirror_dags(**COMPANIES, notify_each_run=True)["own_sync"], dry_run=True).state == "success"
    warnings = [item.getMessage() for item in caplog.records if item.name.endswith(("odoo_shadow", "webhook.post"))]
    assert [text for text in warnings if says in text]
    assert KEY not in caplog.text


def test_a_webhook_that_refuses_fails_nothing(
    mirror_dags: Callable[..., Mapping[str, DAG]], odoo: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    with chat(Reply(403, "no")) as mattermost:
        monkeypatch.setenv("AIRFLOW_CONN_CHAT", json.dumps({"conn_type": "http", "host": mattermost.url}))
        assert run(mirror_dags(**COMPANIES, notify_each_run=True)["own_sync"], dry_run=True).state == "success"
        assert len(mattermost.texts) == 1
