"""A variable that is not read, but may be meant for a setting that is missing."""

from __future__ import annotations

import click
import pytest

from odoo_shadow.cli.main import cli


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("SUPABSE_DB_URL", "SUPABASE_DB_URL"),
        ("SUPABASE_DBURL", "SUPABASE_DB_URL"),
        ("supabase_db_url", "SUPABASE_DB_URL"),
        ("DATABASE_URL", "SUPABASE_DB_URL"),
        ("SUPABASE_URL", None),
        ("PATH", None),
        ("ODOO_DATABASE", "ODOO_DB"),
        ("ODOO_PASSWRD", "ODOO_PASSWORD"),
        ("ODOO_API_KEY", "ODOO_PASSWORD"),
        ("ODO_USER", "ODOO_USER"),
        ("ODOO_URI", "ODOO_URL"),
    ],
)
def test_a_variable_that_may_be_meant_for_a_missing_one_is_named(
    given: str, meant: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ODOO_URL", "ODOO_DB", "ODOO_USER", "ODOO_PASSWORD", "SUPABASE_DB_URL", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(given, "a-secret-value")
    with pytest.raises(click.UsageError, match="These settings are missing: ODOO_URL ") as caught:
        cli.main(["sync"], standalone_mode=False)
    hint = caught.value.format_message().partition(" Set the variables, or give the options.")[2]
    assert hint == (f" The variable {given} is not read: did you mean {meant}?" if meant else "")


@pytest.mark.parametrize("key", ["SUPABASE_SERVICE_KEY", "SUPABASE_SERVICE_ROLE_KEY"])
@pytest.mark.parametrize("command", ["sync", "verify", "doctor", "status", "take-over"])
def test_who_comes_with_the_settings_of_the_rest_api_is_told_where_the_database_is(
    command: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ODOO_URL", "ODOO_DB", "ODOO_USER", "ODOO_PASSWORD", "SUPABASE_DB_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SUPABASE_URL", "https://project.supabase.co")
    monkeypatch.setenv(key, "service-key")
    with pytest.raises(click.UsageError) as caught:
        cli.main([command], standalone_mode=False)
    told = caught.value.format_message()
    assert f" SUPABASE_URL and {key} are for Supabase's REST API, over which nothing is written: rows go by" in told
    assert "shows under Connect, as Session pooler or Transaction pooler" in told and "service-key" not in told
    monkeypatch.delenv("SUPABASE_URL")
    with pytest.raises(click.UsageError, match=r"give the options\.$"):
        cli.main([command], standalone_mode=False)
