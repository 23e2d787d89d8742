"""A password does not travel in the clear to another machine, unless it is allowed, whatever is typed."""

from __future__ import annotations

import pytest

from odoo_shadow.source.api.connection import OdooConnection
from odoo_shadow.source.errors import OdooConfigurationError
from tests.support.raw_clients import SECRET

pytestmark = pytest.mark.attack


def parse(host: str, port: int | None = None, **changed: object) -> OdooConnection:
    extras = changed.pop("extras", None)
    fields: dict[str, object] = {"database": "acme", "login": "someone", "password": SECRET, **changed}
    return OdooConnection.parse("odoo_typed", host=host, port=port, extras=extras, **fields)  # type: ignore[arg-type]


REMOTE = [
    "http://erp.example.com",
    "HTTP://erp.example.com",
    "http://erp.example.com:8069",
    "http://erp.example.com:443",
    "http://192.168.1.5:8069",
    "http://10.0.0.1",
    "http://host.docker.internal:8069",
    "http://odoo:8069",
    "http://[2001:db8::1]:8069",
    "http://0.0.0.0:8069",
    "http://[::]:8069",
    # Spellings of loopback that somebody may read otherwise.
    "http://127.1:8069",
    "http://127.0.0.1.:8069",
    "http://0177.0.0.1",
    "http://2130706433",
    "http://0x7f.0.0.1",
    "http://127.0.0.256",
    "http://[::ffff:127.0.0.1]:8069",
    "http://[::127.0.0.1]",
    # Hosts that only begin or end like it.
    "http://localhost.example.com",
    "http://notlocalhost",
    "http://127.0.0.1.example.com",
    "http://evil.localhost",
    "http://localhost..",
    "http://localhost\u3002",
    "http://127\u30020.0.1",
    "http://\uff4cocalhost.evil.example.com",
]


@pytest.mark.parametrize("host", REMOTE)
def test_http_to_another_machine_is_refused(host: str) -> None:
    with pytest.raises(OdooConfigurationError) as caught:
        parse(host)
    text = str(caught.value)
    assert "would send the password unencrypted" in text or "is not a URL" in text
    assert SECRET not in text
    if "unencrypted" in text:
        assert "https://" in text and "allow_http" in text


@pytest.mark.parametrize(("host", "port"), [("erp.example.com:8069", None), ("erp.example.com", 8069), ("odoo", 8069)])
def test_odoos_own_port_without_a_scheme_is_refused(host: str, port: int | None) -> None:
    with pytest.raises(
        OdooConfigurationError, match=r"port 8069 without a scheme means http://.*unencrypted.*allow_http"
    ):
        parse(host, port)


LOOPBACK = [
    ("localhost", "http://localhost"),
    ("localhost:8069", "http://localhost:8069"),
    ("http://LOCALHOST:8069", "http://localhost:8069"),
    ("http://localhost.:8069", "http://localhost.:8069"),
    ("http://127.0.0.1", "http://127.0.0.1"),
    ("127.8.9.10:8069", "http://127.8.9.10:8069"),
    ("http://[::1]:8069", "http://[::1]:8069"),
    ("http://[0:0:0:0:0:0:0:1]", "http://[0:0:0:0:0:0:0:1]"),
]


@pytest.mark.parametrize(("host", "url"), LOOPBACK)
def test_http_to_this_machine_is_welcome(host: str, url: str) -> None:
    assert parse(host).url == url


@pytest.mark.parametrize("said", [True, "true", "yes", "1", " TRUE "])
@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("http://host.docker.internal:8069", "http://host.docker.internal:8069"),
        ("erp.example.com:8069", "http://erp.example.com:8069"),
        ("erp.example.com", "https://erp.example.com"),
    ],
)
def test_it_may_be_allowed(said: object, host: str, url: str) -> None:
    allowed = parse(host, extras={"allow_http": said})
    assert (allowed.url, allowed.allow_http) == (url, True)


@pytest.mark.parametrize("said", [None, "", False, "false", "no", "0"])
def test_it_is_not_allowed_by_default(said: object) -> None:
    with pytest.raises(OdooConfigurationError, match="allow_http"):
        parse("http://erp.example.com", extras={"allow_http": said})


@pytest.mark.parametrize("said", ["perhaps", 1, 0, [True], {}, 1.0])
def test_what_allows_it_is_yes_or_no(said: object) -> None:
    with pytest.raises(OdooConfigurationError, match=r"allow_http is .*, but must be true or false"):
        parse("http://erp.example.com", extras={"allow_http": said})


NO_URLS = [
    "http://localhost@evil.example.com",
    "http://@evil.example.com",
    "http://localhost:8069@evil.example.com",
    "http://localhost\\@evil.example.com",
    "http://localhost\\.evil.example.com",
    "http://localhost:80\\@evil.example.com",
    "http:\\\\localhost",
    "http://local\thost",
    "http://local\nhost",
    "http://localhost\r\nX-Evil: 1",
    "http://localhost/a\r\nb",
    "http://localhost/a b",
    "http://localhost\x00.evil.example.com",
    "http://localhost%2eevil.example.com",
    "http://localhost%00",
    "http://localhost#@evil.example.com",
    "http://localhost?@evil.example.com",
    "http://local\u200bhost",
    "http://localhost\u202e",
    "http://local\u2028host",
    "http://\u2100localhost",
    "http://localhost;evil.example.com",
    "http://localhost,evil.example.com",
    "http://[::1%25eth0]",
    "http://[::1%eth0]:8069",
    "http://[localhost]",
    "http://[v1.localhost]",
    "http://localhost:\u0661",
    "http://localhost:0x50",
    "http://localhost:-1",
    "http:/localhost",
    "http:localhost",
    "//localhost@evil.example.com",
    "localhost@evil.example.com",
    "https://erp.example.com\n.evil.example.com",
    "https://erp.example.com/\x1b[2J",
]


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.parametrize("host", NO_URLS, ids=ascii)
def test_what_is_no_clean_url_is_refused(host: str, allowed: bool) -> None:
    with pytest.raises(OdooConfigurationError, match="is not a URL") as caught:
        parse(host, extras={"allow_http": allowed})
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize("field", ["database", "login"])
@pytest.mark.parametrize("text", ["ac\nme", "ac\r\nX-Evil: 1", "ac\x00me", "ac\x1b[2Jme", "ac\u202eme"], ids=ascii)
def test_control_characters_in_other_fields_are_refused(field: str, text: str) -> None:
    changed: dict[str, object] = {field: text}
    with pytest.raises(OdooConfigurationError, match="contains control characters"):
        parse("https://erp.example.com", None, **changed)
