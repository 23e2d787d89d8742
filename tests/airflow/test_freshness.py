"""What is told of a shadow that is too far behind, as Airflow calls it when a run has missed its deadline."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from airflow_provider_odoo_shadow.dag_factory.freshness import freshness_missed
from odoo_stand_in import StandIn
from tests.support.airflow_connections import shadow_connection
from tests.support.dag_runs import run
from tests.support.flavours import Flavour
from tests.support.webhooks import PATH, Chat, chat

if TYPE_CHECKING:
    from airflow.sdk import DAG

MODELS = ["res.company", "res.country"]
DUE = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
RUN = {"dag_id": "own_sync", "dag_run_id": "scheduled__x", "logical_date": DUE.isoformat().replace("+00:00", "Z")}
LINK = "https://airflow.example.com/plugin/odoo-shadow/odoo-shadow/mirrors/own"
TOO_LATE = (
    "Odoo shadow, mirror `own`: the shadow must not be more than 300 minutes behind Odoo, but the run that was due at "
    f"{DUE:%Y-%m-%d %H:%M} UTC has not ended well in time."
)


@pytest.fixture(params=["19"])
def odoo(request: pytest.FixtureRequest, shared_odoos: dict[Flavour, StandIn]) -> StandIn:
    return shared_odoos[request.param]


@pytest.fixture
def mattermost(monkeypatch: pytest.MonkeyPatch, connections: None) -> Iterator[Chat]:
    with chat() as found:
        form = {"conn_type": "http", "host": found.server.url, "password": PATH}
        monkeypatch.setenv("AIRFLOW_CONN_CHAT", json.dumps(form))
        monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com")
        yield found


def miss(models: object = MODELS, notify_conn_id: str | None = "chat") -> None:
    assert isinstance(models, list | str)
    asyncio.run(
        freshness_missed(
            context={"dag_run": RUN, "deadline": {}},
            mirror="own",
            notify_conn_id=notify_conn_id,
            minutes=300,
            postgres_conn_id="odoo_shadow_db",
            schema="own",
            models=models,
            trusted_roles=[],
            agreed_objects=[],
        )
    )


def test_a_shadow_that_is_behind_is_told(
    mirror_dags: Callable[..., Mapping[str, DAG]], database: str, mattermost: Chat
) -> None:
    assert run(mirror_dags(models=MODELS)["own_sync"]).state == "success"
    miss()  # another run has done the work
    assert mattermost.texts == []
    with psycopg.connect(database) as connection:
        statement = "UPDATE own.odoo_shadow_watermark SET last_write_date = %s WHERE table_name LIKE '%%_res_country'"
        connection.execute(statement, [DUE - timedelta(seconds=1)])
    miss()
    miss("all")
    miss(["res.company"])  # the mirror does not ask for countries any more
    text = f"{TOO_LATE} Not up to date since: 1 of 2 tables (`odoo_shadow_res_country`).\n{LINK}"
    assert mattermost.texts == [text, text]


def test_without_a_chat_the_log_says_so(mattermost: Chat, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING", logger="airflow_provider_odoo_shadow")
    miss(notify_conn_id=None)
    assert any(TOO_LATE in record.getMessage() for record in caplog.records)
    assert mattermost.texts == []


def test_tables_that_are_not_there_yet_are_behind(
    mirror_dags: Callable[..., Mapping[str, DAG]], database: str, mattermost: Chat
) -> None:
    miss()
    assert run(mirror_dags(models=MODELS)["own_sync"]).state == "success"
    with psycopg.connect(database) as connection:
        connection.execute("DELETE FROM own.odoo_shadow_watermark")
    miss()
    named = "`odoo_shadow_res_company`, `odoo_shadow_res_country`"
    assert mattermost.texts == [
        f"{TOO_LATE} There is no table yet.\n{LINK}",
        f"{TOO_LATE} Not up to date since: 2 of 2 tables ({named}).\n{LINK}",
    ]


def test_a_shadow_that_cannot_be_asked_is_told(mattermost: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_SHADOW_DB", shadow_connection("postgresql://x@/x?host=/tmp/no-such-folder"))
    miss()
    assert mattermost.texts == [f"{TOO_LATE} Its database cannot be asked how far behind it is.\n{LINK}"]
