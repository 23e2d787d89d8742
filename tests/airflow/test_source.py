"""A mirror with `source: database`: its DAGs read Odoo's own PostgreSQL, with and without the API beside it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_provider_odoo_shadow.dag_factory.config import read_mirrors
from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from airflow_provider_odoo_shadow.hooks.odoo_database import odoo_database
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.source.errors import OdooConfigurationError
from odoo_stand_in import StandIn
from tests.support.airflow_connections import odoo_connection, shadow_connection
from tests.support.dag_runs import OUR_LOGGERS, run, states
from tests.support.odoo_database import reading_role

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from tests.support.airflow_pages import Visits

pytestmark = pytest.mark.one_flavour

SETTINGS = {"models": ["res.currency", "product.category"], "odoo_database_conn_id": "odoo_database"}


@pytest.fixture
def reader(odoo: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The connection `odoo_database`, of a role that may only SELECT."""
    with reading_role(odoo.dsn) as url:
        monkeypatch.setenv("AIRFLOW_CONN_ODOO_DATABASE", shadow_connection(url))
        yield url


def test_all_tasks_read_the_database_and_need_no_api(
    mirror_dags: Callable[..., Mapping[str, DAG]],
    odoo: StandIn,
    reader: str,
    visits: Visits,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_ODOO_DEFAULT")
    odoo.calls.clear()
    dags = mirror_dags(source="database", **SETTINGS)
    for dag_id in ("own_sync", "own_verify"):
        found = states(run(dags[dag_id]))
        assert set(found.values()) == {"success"}, found
    assert odoo.calls == []
    assert "against" not in dags["own_verify"].params
    visits.publish(own={"schema": "own", "source": "database", **SETTINGS})
    from tests.support.airflow_pages import seen

    page = seen(visits.get("/mirrors/own"))
    assert f"database {odoo.database} at" in page and "read from its own PostgreSQL" in page


def test_the_verify_dag_asks_the_other_source_and_repairs_nothing_by_it(
    mirror_dags: Callable[..., Mapping[str, DAG]], odoo: StandIn, reader: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in OUR_LOGGERS:
        caplog.set_level(logging.INFO, logger=name)
    dags = mirror_dags(**{**SETTINGS, "models": ["res.partner.category", "product.category"]})
    assert set(states(run(dags["own_sync"])).values()) == {"success"}
    odoo.calls.clear()
    assert states(run(dags["own_verify"], against="database"))["plan"] == "failed"
    assert "Repair does not go with against: database, since the mirror is made from api" in caplog.text
    found = states(run(dags["own_verify"], against="database", repair=False))
    assert set(found.values()) == {"success"}, found
    assert "as the mirror's own source says" in caplog.text
    assert {method for model, method in odoo.calls if model == "product.category"} <= {"fields_get"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            "source: database",
            "with source: database, name the Airflow connection of Odoo's own database (type Postgres).",
        ),
        ("source: sql", "source: it must be 'api' or 'database'."),
        (
            "{source: database, odoo_database_conn_id: odoo_shadow_db}",
            "it is the shadow's own database, in postgres_conn_id: name the one of Odoo",
        ),
        (
            "{source: database, odoo_database_conn_id: o, models: all}",
            "no record rule and no group applies in Odoo's own database",
        ),
    ],
)
def test_combinations_that_make_no_sense_are_refused(tmp_path: Path, settings: str, said: str) -> None:
    path = tmp_path / "mirrors.yaml"
    text = settings if settings.startswith("{") else f"{{{settings}}}"
    path.write_text(f"mirrors: {{own: {text}}}", encoding="utf-8")
    with pytest.raises(MirrorConfigurationError) as raised:
        read_mirrors(path)
    assert said in str(raised.value)


def test_the_api_is_beside_the_database_only_where_it_is_named(tmp_path: Path) -> None:
    common = "source: database, odoo_database_conn_id: o"
    path = tmp_path / "mirrors.yaml"
    path.write_text(
        f"mirrors: {{a: {{schema: a, {common}}}, b: {{schema: b, {common}, odoo_conn_id: odoo_default}},"
        f" c: {{schema: c, {common}, odoo_credentials: vault}}, d: {{schema: d}}}}",
        encoding="utf-8",
    )
    assert [mirror.api_conn_id for mirror in read_mirrors(path)] == [
        None,
        "odoo_default",
        "odoo_default",
        "odoo_default",
    ]


def test_extras_say_how_values_are_read_and_none_is_ignored(
    airflow_database: None, odoo: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stored(**extras: object) -> None:
        fields = {"conn_type": "postgres", "host": "db.example.com", "schema": "prod", "password": "pg-hunter2"}
        monkeypatch.setenv("AIRFLOW_CONN_ODOO_DATABASE", json.dumps({**fields, "extra": extras}))

    stored(odoo_database_schema="erp", odoo_url="erp.example.com/web", odoo_lang="fr_FR", odoo_company_ids="2,1")
    found = odoo_database("odoo_database", None)
    assert (found.schema, found.url, found.lang, found.company_ids) == (
        "erp",
        "https://erp.example.com",
        "fr_FR",
        (2, 1),
    )
    assert "hunter2" not in repr(found)
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_DEFAULT", odoo_connection(odoo, lang="nl_NL"))
    api = OdooHook("odoo_default").connection
    wrong = [
        ({"odoo_langg": "fr_FR"}, None, "there is no extra field 'odoo_langg' (did you mean odoo_lang?)"),
        (
            {"odoo_company_ids": "first"},
            None,
            "the extra odoo_company_ids is text, but must be company ids, such as 1,3.",
        ),
        (
            {"odoo_lang": "fr_FR"},
            api,
            "remove the extra odoo_lang: connection 'odoo_default' of the API beside it says",
        ),
    ]
    for extras, beside, said in wrong:
        stored(**extras)
        with pytest.raises(OdooConfigurationError) as raised:
            odoo_database("odoo_database", beside)
        assert str(raised.value).startswith("Odoo's database 'odoo_database': ") and said in str(raised.value)
    stored()
    assert odoo_database("odoo_database", api).lang == "nl_NL"
