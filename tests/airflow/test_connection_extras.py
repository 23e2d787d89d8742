"""Extras of Airflow connections: what nobody reads is refused, what Airflow and its providers put there is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_odoo_shadow.hooks.extras import ExtrasError, read_extras
from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from airflow_provider_odoo_shadow.hooks.shadow import shadow_database
from odoo_shadow.shadow.errors import ShadowConfigurationError
from odoo_shadow.source.api.connection import OdooConnection
from odoo_shadow.source.errors import OdooConfigurationError
from tests.support.airflow_connections import shadow_connection

SECRET = "6f1d9c2b7e4a"


@pytest.fixture(autouse=True)
def metadata(airflow_database: None) -> None:
    """Airflow looks connections up in its database, too."""


def odoo(monkeypatch: pytest.MonkeyPatch, extra: object) -> OdooConnection:
    """Return the connection of the hook, with extras as an object or as the text that somebody wrote."""
    fields = {
        "conn_type": "odoo",
        "host": "https://erp.example.com",
        "schema": "acme",
        "login": "l",
        "password": SECRET,
    }
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_TYPED", json.dumps({**fields, "extra": extra}))
    return OdooHook("odoo_typed").connection


def refused(monkeypatch: pytest.MonkeyPatch, extra: object) -> str:
    with pytest.raises(OdooConfigurationError) as caught:
        odoo(monkeypatch, extra)
    works, said = OdooHook("odoo_typed").test_connection()
    assert (works, said) == (False, str(caught.value))
    return said


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"verfy": "false"}, "there is no extra field 'verfy' (did you mean verify?)."),
        ({"company_id": 1}, "there is no extra field 'company_id' (did you mean company_ids?)."),
        ({"extra__odoo__verfy": ""}, "there is no extra field 'verfy' (did you mean verify?)."),
        ({"extra__http__verify": ""}, "there is no extra field 'extra__http__verify'"),
        (
            "{verify: false}",
            "the extras are not JSON (Expecting property name enclosed in double quotes in line 1): correct",
        ),
        ('{"company_ids": "1",', "the extras are not JSON ("),
        ("company_ids=1", "the extras are not JSON (Expecting value in line 1): correct them."),
        ('["verify"]', "the extras must be a JSON object, such as {}."),
        ('{"company_ids": "1", "company_ids": "1,2"}', "company_ids appears twice in the extras: keep one."),
        ('{"lang": "fr_FR", "extra__odoo__lang": "de_DE"}', "lang appears twice in the extras: keep one."),
    ],
)
def test_extras_that_would_be_passed_over_are_refused(
    monkeypatch: pytest.MonkeyPatch, extra: object, said: str
) -> None:
    assert refused(monkeypatch, extra).startswith(f"Odoo connection 'odoo_typed': {said}")


def test_extras_that_stand_too_deep_in_one_another_are_refused() -> None:
    with pytest.raises(ExtrasError, match="nested too deeply"):
        read_extras("[" * 100_000, "odoo")


def test_no_value_of_the_extras_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for extra in ({"hash_secrets": SECRET}, f'{{"hash_secret": "{SECRET}" oops}}', f'{{"a": 1, "a": "{SECRET}"}}'):
        assert SECRET not in refused(monkeypatch, extra)


@pytest.mark.parametrize(
    "extra",
    [
        {"lang": "fr_FR", "timeout": 30},
        {"extra__odoo__lang": "fr_FR", "extra__odoo__timeout": 30},
        {"extra__odoo__lang": "fr_FR", "lang": "", "timeout": 30, "extra__odoo__timeout": None},
        {"__extra__": '{"lang": "fr_FR", "timeout": 30}'},
        '{"lang": "fr_FR", "lang": "fr_FR", "timeout": 30}',
    ],
)
def test_extras_of_every_form_of_airflow_are_read(monkeypatch: pytest.MonkeyPatch, extra: object) -> None:
    found = odoo(monkeypatch, extra)
    assert (found.lang, found.timeout) == ("fr_FR", 30.0)


@pytest.mark.parametrize(
    "query", ["lang=fr_FR&timeout=30", "__extra__=%7B%22lang%22%3A%22fr_FR%22%2C%22timeout%22%3A30%7D"]
)
def test_a_connection_that_is_a_uri(monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_TYPED", f"odoo://l:{SECRET}@https%3A%2F%2Ferp.example.com/acme?{query}")
    monkeypatch.setattr(OdooHook, "default_conn_name", "odoo_typed")
    found = OdooHook("odoo_typed").connection
    assert (found.lang, found.timeout) == ("fr_FR", 30.0)


@pytest.mark.parametrize("extra", [None, "", "  ", {}, "{}"])
def test_no_extras_are_none(monkeypatch: pytest.MonkeyPatch, extra: object) -> None:
    assert odoo(monkeypatch, extra).lang is None


def shadow(monkeypatch: pytest.MonkeyPatch, url: str, extra: object) -> int:
    fields: dict[str, Any] = json.loads(shadow_connection(url))
    monkeypatch.setenv("AIRFLOW_CONN_SHADOW_TYPED", json.dumps({**fields, "extra": extra}))
    with shadow_database("shadow_typed", "odoo_shadow") as opened, opened.transaction() as tx:
        ((one,),) = tx.run("SELECT 1")
    return int(one)


def test_what_libpq_and_the_postgres_provider_read_is_accepted(monkeypatch: pytest.MonkeyPatch, database: str) -> None:
    of_libpq = {"sslmode": "prefer", "keepalives_idle": "30", "application_name": "shadow", "connect_timeout": "5"}
    of_libpq |= {"options": "-c statement_timeout=0", "target_session_attrs": "any", "client_encoding": "utf8"}
    of_provider = {"iam": False, "aws_conn_id": "aws_default", "redshift": False, "azure_conn_id": "azure_default"}
    of_provider |= {"sqlalchemy_scheme": "postgresql+psycopg", "sqlalchemy_query": {"gssencmode": "disable"}}
    extra = {**of_libpq, **of_provider, "prepare_threshold": None}
    assert shadow(monkeypatch, database, extra) == 1
    assert shadow(monkeypatch, database, {"extra__postgres__sslmode": "prefer"}) == 1
    assert shadow(monkeypatch, database, {"__extra__": '{"sslmode": "prefer"}'}) == 1


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"sslmod": "disable"}, "there is no extra field 'sslmod' (did you mean sslmode?)."),
        ({"ssl_mode": "disable"}, "there is no extra field 'ssl_mode' (did you mean sslmode?)."),
        ({"keepalive_idle": "5"}, "there is no extra field 'keepalive_idle' (did you mean keepalives_idle?)."),
        ({"zzz": 1}, "there is no extra field 'zzz'."),
        ("{sslmode}", "the extras are not JSON ("),
        ('{"sslmode": "require", "sslmode": "disable"}', "sslmode appears twice in the extras: keep one."),
    ],
)
def test_what_nobody_reads_in_the_shadows_extras_is_refused(
    monkeypatch: pytest.MonkeyPatch, database: str, extra: object, said: str
) -> None:
    with pytest.raises(ShadowConfigurationError) as caught:
        shadow(monkeypatch, database, extra)
    assert str(caught.value).startswith(f"Shadow database 'shadow_typed': {said}")
