"""The shadow's address, on a server: its settings count, and why it cannot be reached is told."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest

from odoo_shadow.postgres.address import read_address
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowConfigurationError, ShadowUnreachableError, shadow_called
from tests.support.fake_postgres import telling

CALLED = shadow_called("shadow_db")


def test_settings_of_the_client_stay(database: str) -> None:
    given = (
        urlsplit(database)._replace(query=f"{urlsplit(database).query}&pgbouncer=true&application_name=mine").geturl()
    )
    with ShadowDatabase.from_url(f"'{given}'") as shadow, shadow.transaction() as tx:
        assert tx.run("SELECT current_setting('application_name')") == [("mine",)]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://shadow@no-such-host.invalid/shadow", "its host name cannot be resolved"),
        ("postgresql://shadow@127.0.0.1:1/shadow", "nothing listens there"),
    ],
)
def test_what_cannot_be_reached_is_told_with_the_reason(url: str, reason: str) -> None:
    with (
        pytest.raises(ShadowUnreachableError, match=reason),
        ShadowDatabase.from_url(url) as shadow,
        shadow.transaction(),
    ):
        pass


def test_a_wrong_value_of_another_setting_names_it(database: str) -> None:
    given = urlsplit(database)._replace(query=f"{urlsplit(database).query}&target_session_attrs=nope").geturl()
    with (
        pytest.raises(ShadowConfigurationError, match="the value of 'target_session_attrs' in the address"),
        ShadowDatabase.from_url(given) as shadow,
        shadow.transaction(),
    ):
        pass


@pytest.fixture
def without_tls() -> Iterator[int]:
    with telling(server_version="18.0") as port:
        yield port


def test_a_server_without_tls_is_told_so(without_tls: int) -> None:
    with (
        pytest.raises(ShadowConfigurationError, match="the server offers no TLS"),
        ShadowDatabase.from_url(f"postgresql://shadow@127.0.0.1:{without_tls}/shadow?sslmode=require") as shadow,
        shadow.transaction(),
    ):
        pass


def test_psycopg_takes_what_is_read(database: str) -> None:
    parameters = read_address(CALLED, database, "odoo_shadow")
    with psycopg.connect(**parameters) as connection:  # type: ignore[arg-type]
        assert connection.execute("SELECT 1").fetchall() == [(1,)]
