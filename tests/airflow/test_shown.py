"""In Airflow, too, text from Odoo is shown as text: in a task's log, by a connection's test, in what it masks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from odoo_stand_in import StandIn
from tests.support.airflow_connections import odoo_connection
from tests.support.dag_runs import OUR_LOGGERS, run, states
from tests.support.evil_texts import HONEST, assert_plain, evil_odoo, refuse, words

if TYPE_CHECKING:
    from airflow.sdk import DAG

pytestmark = pytest.mark.attack


@pytest.fixture(scope="module")
def odoo(postgres: str) -> Iterator[StandIn]:
    with evil_odoo(postgres, "shown_in_airflow") as running:
        yield running


@pytest.fixture(autouse=True)
def no_faults(odoo: StandIn) -> Iterator[None]:
    odoo.faults.clear()
    yield
    odoo.faults.clear()


def test_in_a_tasks_log(
    airflow_database: None,
    mirror_dag: Callable[..., DAG],
    odoo: StandIn,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in OUR_LOGGERS:
        caplog.set_level(logging.INFO, logger=name)
    refuse(odoo, "res.country", "search_read")
    dag_run = run(mirror_dag(models=["x_*", "res.country", "res.company"], retries=0))
    assert states(dag_run)["res.country"] == "failed"
    assert {states(dag_run)[task] for task in ("plan", "report")} == {"success"}
    ours = [record for record in caplog.records if record.name.startswith(OUR_LOGGERS)]
    told = [record for record in ours if not record.name.endswith("last_words") or record.levelname == "ERROR"]
    for record in told:  # the others end a group of Airflow's own
        assert_plain(record.getMessage())
    report = "".join(record.getMessage() for record in ours if record.name.endswith("dag_factory.report"))
    assert words(HONEST) in words(report) and "┃" in report  # the table is still one
    assert "\x1b[2J" not in capsys.readouterr().out


def test_the_connections_test_message(
    airflow_database: None, monkeypatch: pytest.MonkeyPatch, odoo: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    from airflow_provider_odoo_shadow.hooks.odoo import OdooHook

    refuse(odoo, "res.partner", "search_count")
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_DEFAULT", odoo_connection(odoo))
    works, message = OdooHook().test_connection()
    assert not works and HONEST in message
    assert_plain(message)


def test_airflow_hides_what_is_not_ours_to_hide(
    airflow_database: None, monkeypatch: pytest.MonkeyPatch, odoo: StandIn
) -> None:
    from airflow.sdk._shared.secrets_masker import redact

    from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
    from odoo_shadow.text.redaction import forms_of

    secret = 'Hash-"secret"/of & 20+ characters'
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_DEFAULT", odoo_connection(odoo, hash_secret=secret))
    assert OdooHook().connection.hash_secret == secret
    for form in (*forms_of(secret), *forms_of(odoo.api_key, odoo.login)):
        assert form not in str(redact(f"KeyError: {form}"))
    assert redact("watermark of odoo_shadow_payment_token: 2026-01-01") == (
        "watermark of odoo_shadow_payment_token: 2026-01-01"
    )
