"""TLS is demanded of other machines, and of this one not, unless somebody says otherwise."""

from __future__ import annotations

import pytest

from odoo_shadow.postgres.transport import protected
from odoo_shadow.shadow.errors import ShadowConfigurationError, shadow_called

CALLED = shadow_called("shadow_db")

pytestmark = pytest.mark.attack


@pytest.mark.parametrize(
    "host",
    ["db.example.com", "10.0.0.5", "shadow-db", "localhost,db.example.com", "127.0.0.1.example.com", "::ffff:1.2.3.4"],
)
def test_tls_is_demanded_of_other_machines(host: str) -> None:
    found = protected(CALLED, {"host": host, "user": "x"})
    assert (found["sslmode"], found["require_auth"]) == ("require", "!password")


@pytest.mark.parametrize("host", ["", "localhost", "127.0.0.1", "127.8.8.8", "::1", "/var/run/postgresql", "@abstract"])
def test_this_machine_is_left_as_it_is(host: str) -> None:
    assert protected(CALLED, {"host": host}) == {"host": host}


def test_the_address_that_is_connected_to_counts() -> None:
    assert "sslmode" in protected(CALLED, {"host": "localhost", "hostaddr": "192.0.2.1"})
    assert "sslmode" not in protected(CALLED, {"host": "db.example.com", "hostaddr": "127.0.0.1"})


@pytest.mark.parametrize("mode", ["disable", "prefer", "verify-full"])
def test_what_the_url_says_stays(mode: str) -> None:
    assert protected(CALLED, {"host": "db.example.com", "sslmode": mode})["sslmode"] == mode


def test_the_environment_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.example.com")
    assert protected(CALLED, {"user": "x"})["sslmode"] == "require"
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert "sslmode" not in protected(CALLED, {"user": "x"})


def test_a_service_must_say_how_it_is_protected() -> None:
    with pytest.raises(ShadowConfigurationError, match="add sslmode to it"):
        protected(CALLED, {"service": "shadow"})
    assert protected(CALLED, {"service": "shadow", "sslmode": "verify-full"})["sslmode"] == "verify-full"
