"""The notifier in anybody's DAG, and the connections that it takes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from airflow_provider_odoo_shadow.get_provider_info import get_provider_info
from airflow_provider_odoo_shadow.hooks.webhook import webhook_of
from airflow_provider_odoo_shadow.notifications.odoo_shadow import OdooShadowNotifier
from odoo_shadow.text.redaction import redact
from odoo_shadow.webhook.address import WebhookError
from tests.support.webhooks import KEY, PATH, Chat, chat

if TYPE_CHECKING:
    from airflow.sdk import Context

URL = f"https://chat.example.com{PATH}"
SLACK = f"https://hooks.slack.com/services/T0000/B0000/{KEY}"


@pytest.fixture
def mattermost(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    with chat() as found:
        monkeypatch.setenv("AIRFLOW_CONN_CHAT", found.url)
        monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com")
        yield found


def hidden_by_airflow(text: str) -> object:
    from airflow.sdk._shared.secrets_masker import redact as hidden

    return hidden(text)


def context(**given: object) -> Context:
    run = SimpleNamespace(dag_id="invoices", run_id="manual__1")
    return cast("Context", {"dag_run": run, "run_id": "manual__1", **given})


def task(task_id: str, state: str | None = None) -> SimpleNamespace:
    return SimpleNamespace(task_id=task_id, dag_id="invoices", run_id="manual__1", state=state)


@pytest.mark.parametrize(
    ("given", "says", "place"),
    [
        ({"reason": "success", "ti": task("send")}, "DAG `invoices`: the run succeeded.", ""),
        ({"reason": "task_failure", "ti": task("send")}, "DAG `invoices`: the run failed (task `send`).", ""),
        ({"reason": "timed_out"}, "DAG `invoices`: the run failed: it ran out of time.", ""),
        ({"ti": task("send"), "exception": ValueError("@all")}, "DAG `invoices`, task `send`: failed.", "/tasks/send"),
        ({"ti": task("send", "up_for_retry")}, "DAG `invoices`, task `send`: up for retry.", "/tasks/send"),
    ],
)
def test_without_a_text_it_says_what_has_ended(
    mattermost: Chat, given: dict[str, object], says: str, place: str
) -> None:
    OdooShadowNotifier("chat")(context(**given))
    assert mattermost.texts == [f"{says}\nhttps://airflow.example.com/dags/invoices/runs/manual__1{place}"]


def test_a_missed_deadline_is_told_on_the_triggerer(mattermost: Chat) -> None:
    missed = {"dag_run": {"dag_id": "invoices", "dag_run_id": "manual__1"}, "deadline": {"id": "1"}}

    async def call() -> None:
        await OdooShadowNotifier("chat", context=cast("Context", missed))

    asyncio.run(call())
    (text,) = mattermost.texts
    assert text == (
        "DAG `invoices`: the run missed its deadline.\nhttps://airflow.example.com/dags/invoices/runs/manual__1"
    )


def test_a_text_is_a_template_and_mentions_nobody(mattermost: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "")
    OdooShadowNotifier("chat", "Run {{ run_id }} @all <!here> is ready")(context(reason="success"))
    assert mattermost.texts == ["Run manual__1 \uff20all &lt;!here&gt; is ready"]


def test_a_name_is_no_template(mattermost: Chat) -> None:
    run = SimpleNamespace(dag_id="{{ 7 * 7 }}", run_id="x")
    OdooShadowNotifier("chat")(context(dag_run=run, reason="success"))
    assert "49" not in mattermost.texts[0]


@pytest.mark.parametrize("base", ["ftp://x", "https://x y", "https://x|y", "https://" + "x" * 400])
def test_an_address_of_airflow_that_is_none_makes_no_link(
    mattermost: Chat, monkeypatch: pytest.MonkeyPatch, base: str
) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", base)
    OdooShadowNotifier("chat")(context(reason="success"))
    assert mattermost.texts == ["DAG `invoices`: the run succeeded."]


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("connection", "url"),
    [
        ({"host": URL}, URL),
        ({"password": URL}, URL),
        ({"host": "https://chat.example.com/", "password": PATH}, URL),
        ({"host": "chat.example.com", "password": PATH.lstrip("/")}, URL),
        (
            {"host": "chat.example.com", "schema": "https", "port": 8443, "password": PATH},
            f"https://chat.example.com:8443{PATH}",
        ),
        ({"host": "https://chat.example.com", "port": 8443, "password": PATH}, f"https://chat.example.com:8443{PATH}"),
        ({"host": "chat.example.com", "extra": {"path": PATH}}, URL),
        ({"host": "chat", "schema": "http", "password": PATH, "extra": {"allow_http": True}}, f"http://chat{PATH}"),
        ({"host": "localhost", "port": 8065, "password": PATH}, f"http://localhost:8065{PATH}"),
        (URL, URL),
        (SLACK, SLACK),
        (f"http://127.0.0.1:8065{PATH}", f"http://127.0.0.1:8065{PATH}"),
    ],
)
def test_a_webhook_may_be_written_as_people_do(
    monkeypatch: pytest.MonkeyPatch, connection: dict[str, object] | str, url: str
) -> None:
    form = connection if isinstance(connection, str) else json.dumps({"conn_type": "http", **connection})
    monkeypatch.setenv("AIRFLOW_CONN_CHAT", form)
    webhook = webhook_of("chat")
    assert webhook.url == url
    assert KEY not in repr(webhook)
    for hide in (redact, hidden_by_airflow):
        assert KEY not in str(hide(f"calling {url} now")) and KEY not in str(hide(f"POST /hooks/{KEY} HTTP/1.1"))


@pytest.mark.parametrize(
    "connection",
    [
        {"host": URL, "login": "me"},
        {"host": "chat.example.com", "password": PATH, "extra": {"path": PATH}},
        {"host": "chat.example.com", "password": PATH, "extra": {"headers": KEY}},
        {"host": "chat.example.com", "password": PATH, "extra": f'"{KEY}"'},
        {"host": "chat.example.com", "schema": "http", "password": PATH},
        {},
    ],
)
def test_what_makes_no_webhook_is_refused_without_repeating_it(
    monkeypatch: pytest.MonkeyPatch, connection: dict[str, object]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CHAT", json.dumps({"conn_type": "http", **connection}))
    with pytest.raises(WebhookError) as caught:
        webhook_of("chat")
    assert KEY not in str(caught.value) and "'chat'" in str(caught.value)


def test_the_provider_names_its_notifier() -> None:
    module = OdooShadowNotifier.__module__
    assert get_provider_info()["notifications"] == [f"{module}.{OdooShadowNotifier.__name__}"]
