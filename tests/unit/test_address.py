"""The shadow's address as people paste it: what is harmless is taken, and for the rest the true reason is told."""

from __future__ import annotations

import pytest

from odoo_shadow.postgres.address import read_address
from odoo_shadow.shadow.errors import ShadowConfigurationError, shadow_called

CALLED = shadow_called("shadow_db")

SECRET = "hunter2"


PLAIN = f"postgresql://shadow:{SECRET}@127.0.0.1:5432/shadow"


@pytest.mark.parametrize(
    "given",
    [
        PLAIN,
        f" {PLAIN}\n",
        f"'{PLAIN}'",
        f' "{PLAIN}" ',
        f"\u201c{PLAIN}\u201d",
        f"<{PLAIN}>",
        PLAIN.replace("postgresql:", "postgres:"),
        PLAIN.replace("postgresql:", "postgresql+psycopg2:"),
        PLAIN.replace("postgresql:", "postgresql+asyncpg:"),
        PLAIN.replace("postgresql:", "POSTGRESQL:"),
        f"jdbc:postgresql://127.0.0.1:5432/shadow?user=shadow&password={SECRET}",
        f"{PLAIN}?pgbouncer=true",
        f"{PLAIN}?schema=public",
        f"{PLAIN}?connection_limit=1&pool_timeout=0",
        f"{PLAIN}?supa=base-pooler.x",
        f"{PLAIN}?",
        f"host=127.0.0.1 port=5432 user=shadow password={SECRET} dbname=shadow",
    ],
)
def test_what_is_harmless_is_taken(given: str) -> None:
    assert read_address(CALLED, given, "odoo_shadow") == {
        "host": "127.0.0.1",
        "port": "5432",
        "user": "shadow",
        "password": SECRET,
        "dbname": "shadow",
    }


def test_the_one_setting_of_jdbc_that_counts_is_kept() -> None:
    assert read_address(CALLED, f"{PLAIN}?ssl=true", "odoo_shadow")["sslmode"] == "require"


def test_another_schema_in_the_address_is_told(caplog: pytest.LogCaptureFixture) -> None:
    read_address(CALLED, f"{PLAIN}?schema=erp", "odoo_shadow")
    assert "'schema' in the address has no effect: the schema is odoo_shadow" in caplog.text


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (f"{PLAIN}?sslmode=requre", "sslmode cannot be 'requre' (did you mean require?)"),
        (f"{PLAIN}?sslmode=true", "sslmode cannot be 'true'; there are"),
        (f"host=db password={SECRET} sslmode=verifyfull", "(did you mean verify-full?)"),
        (
            f"{PLAIN}?ssmode=require",
            "a setting 'ssmode', which PostgreSQL's client does not know (did you mean sslmode?)",
        ),
        (f"{PLAIN}?ssl=false", "(did you mean sslmode?)"),
        (f"{PLAIN}?conect_timeout=5", "(did you mean connect_timeout?)"),
        ("https://abc.supabase.co", "begins with https://, but must be a PostgreSQL URL"),
        ("https://abc.supabase.co", "Supabase shows it under Connect"),
        (f"{PLAIN}?{SECRET}-x=1", "written as %XX"),
        (f"mysql://shadow:{SECRET}@127.0.0.1/shadow", "begins with mysql://"),
        (f"psql {PLAIN}", "remove what comes before it"),
        (f"SUPABASE_DB_URL={PLAIN}", "remove what comes before it"),
        ("postgresql://postgres:[YOUR-PASSWORD]@db.x.supabase.co:5432/postgres", "a placeholder"),
        (f"postgresql://shadow:p@{SECRET}@127.0.0.1/shadow", "written as %XX, such as %40 for @"),
        (f"postgresql://shadow:p/{SECRET}@127.0.0.1/shadow", "written as %XX, such as %40 for @"),
        (f"postgresql://shadow:p@q/r?{SECRET}=1@127.0.0.1/shadow", "written as %XX, such as %40 for @"),
        (f"postgresql://shadow:p?{SECRET}@127.0.0.1/shadow", "written as %XX, such as %40 for @"),
    ],
)
def test_the_true_reason_is_told(given: str, reason: str) -> None:
    with pytest.raises(ShadowConfigurationError) as raised:
        read_address(CALLED, given, "odoo_shadow")
    assert reason in str(raised.value) and SECRET not in str(raised.value)


@pytest.mark.parametrize(
    "password",
    ["p?swordfish&more", "p?swordfish=1&more", "p?more&swordfish", "p@q/r?swordfish=1", "p@q/r?swordfish=1&more"],
)
def test_a_piece_of_a_password_is_not_taken_for_a_setting(password: str) -> None:
    with pytest.raises(ShadowConfigurationError, match="written as %XX") as raised:
        read_address(CALLED, f"postgresql://shadow:{password}@127.0.0.1/shadow", "odoo_shadow")
    assert "swordfish" not in str(raised.value)


@pytest.mark.parametrize(
    "password", ["p%swordfish", "swordfish%", "sword fish", "p/swordfish", "sw@ordfish", "p?swordfish"]
)
def test_an_unescaped_password_is_told_with_how_it_is_written(password: str) -> None:
    with pytest.raises(ShadowConfigurationError) as raised:
        read_address(CALLED, f"postgresql://shadow:{password}@127.0.0.1/shadow", "odoo_shadow")
    assert str(raised.value).endswith(
        "special characters in a password are written as %XX, such as %40 for @, %2F for /, %3F for ?, %23 for # and "
        "%25 for %."
    )
    assert "fish" not in str(raised.value)


@pytest.mark.parametrize("password", ["p#swordfish", "#", "a:b#c", "p&x=y", "p[x]", "p!$^*()+,;=~"])
def test_characters_that_do_no_harm_in_a_password_are_taken(password: str) -> None:
    found = read_address(CALLED, f"postgresql://shadow:{password}@127.0.0.1/shadow", "odoo_shadow")
    assert (found["user"], found["password"], found["host"]) == ("shadow", password, "127.0.0.1")


def test_a_wrong_mode_in_the_environment_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "requre")
    with pytest.raises(ShadowConfigurationError, match="the variable PGSSLMODE cannot be 'requre'"):
        read_address(CALLED, PLAIN, "odoo_shadow")
