"""OdooConnection.parse: what people type, and what is made of it."""

from __future__ import annotations

import pickle
from dataclasses import asdict

import pytest

from odoo_shadow.source.api.connection import OdooConnection, ProtocolChoice
from odoo_shadow.source.errors import OdooConfigurationError
from tests.support.raw_clients import SECRET


def parse(**changed: object) -> OdooConnection:
    fields: dict[str, object] = {
        "host": "https://erp.example.com",
        "database": "acme",
        "login": "someone",
        "password": SECRET,
    }
    return OdooConnection.parse("odoo_typed", **{**fields, **changed})  # type: ignore[arg-type]


URLS = [
    # host, port, URL
    ("https://erp.example.com", None, "https://erp.example.com"),
    ("https://erp.example.com/", None, "https://erp.example.com"),
    ("https://erp.example.com///", None, "https://erp.example.com"),
    ("  https://erp.example.com\n", None, "https://erp.example.com"),
    ("HTTPS://ERP.Example.com", None, "https://erp.example.com"),
    ("https://erp.example.com:8443", None, "https://erp.example.com:8443"),
    ("https://erp.example.com:8443", 8069, "https://erp.example.com:8443"),
    ("https://erp.example.com", 8443, "https://erp.example.com:8443"),
    ("https://example.com/odoo/", None, "https://example.com/odoo"),
    ("https://example.com/odoo", 8443, "https://example.com:8443/odoo"),
    ("erp.example.com", None, "https://erp.example.com"),
    ("erp.example.com", 443, "https://erp.example.com"),
    ("erp.example.com/odoo", None, "https://erp.example.com/odoo"),
    ("erp.example.com:8443", None, "https://erp.example.com:8443"),
    ("localhost", None, "http://localhost"),
    ("localhost:8017", None, "http://localhost:8017"),
    ("LocalHost", 8017, "http://localhost:8017"),
    ("127.0.0.1", 8017, "http://127.0.0.1:8017"),
    ("[::1]", 8017, "http://[::1]:8017"),
    ("[::1]:8017", None, "http://[::1]:8017"),
    ("http://[::1]:8017", None, "http://[::1]:8017"),
    ("https://[2001:db8::1]", 8069, "https://[2001:db8::1]:8069"),
    ("localhost.example.com", None, "https://localhost.example.com"),
    # As a browser shows them.
    ("https://erp.example.com/web", None, "https://erp.example.com"),
    ("https://erp.example.com/web/", None, "https://erp.example.com"),
    ("https://erp.example.com/web#action=94&model=res.partner", None, "https://erp.example.com"),
    ("https://erp.example.com/web/login?redirect=%2Fweb%3F", None, "https://erp.example.com"),
    ("https://erp.example.com:8443/web?debug=1#menu_id=5", None, "https://erp.example.com:8443"),
    ("erp.example.com/web#id=1", None, "https://erp.example.com"),
    ("https://example.com/erp/web/", None, "https://example.com/erp"),
    ("https://example.com/website", None, "https://example.com/website"),
    # As documentation of the API shows them.
    ("https://erp.example.com/jsonrpc", None, "https://erp.example.com"),
    ("https://erp.example.com/xmlrpc/2/common", None, "https://erp.example.com"),
    ("https://erp.example.com/json/2", None, "https://erp.example.com"),
]


@pytest.mark.parametrize(("host", "port", "url"), URLS)
def test_the_url(host: str, port: int | None, url: str) -> None:
    assert parse(host=host, port=port).url == url


@pytest.mark.parametrize(
    "host",
    [
        "ftp://erp.example.com",
        "file:///etc/passwd",
        f"https://someone:{SECRET}@erp.example.com",
        f"https://{SECRET}@erp.example.com",
        f"https://erp.example.com/?token={SECRET}",
        f"erp.example.com?token={SECRET}",
        "https://erp.example.com/odoo/action-5?debug=1",
        "https://erp.example.com/odoo#id=5",
        f"https://someone:{SECRET}@erp.example.com/web",
        "https://erp.example.com:port",
        "https://erp.example.com:99999",
        "https://[::1",
        "https:///odoo",
        # Fail: the slashes are cut off first, and "https:" is taken for a host.
        "https://",
        "http://",
        "://erp.example.com",
        "javascript://x",
    ],
)
def test_a_url_that_is_none(host: str) -> None:
    with pytest.raises(
        OdooConfigurationError, match=r"'odoo_typed': the host \(URL\) is not a URL such as https://"
    ) as caught:
        parse(host=host)
    assert SECRET not in str(caught.value)
    assert "passwd" not in str(caught.value)


@pytest.mark.parametrize("empty", [None, "", "   ", "\n"])
@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("host", "host (URL)"),
        ("database", "database (schema)"),
        ("login", "login"),
        ("password", "password or API key"),
    ],
)
def test_a_field_that_is_missing(field: str, told: str, empty: str | None) -> None:
    with pytest.raises(OdooConfigurationError) as caught:
        parse(**{field: empty})
    assert str(caught.value) == f"Odoo connection 'odoo_typed': the {told} is empty: fill it in."


def test_what_stands_around_a_field_is_cut_off() -> None:
    typed = parse(database=" acme ", login="someone\n", password=f" {SECRET} \n")
    assert (typed.database, typed.login, typed.password) == ("acme", "someone", f" {SECRET} ")


DEFAULTS = {
    "protocol": ProtocolChoice.AUTO,
    "verify": True,
    "timeout": 120.0,
    "lang": None,
    "company_ids": (),
    "max_connections": 2,
    "requests_per_second": None,
}


@pytest.mark.parametrize("extras", [None, {}, dict.fromkeys(DEFAULTS), dict.fromkeys(DEFAULTS, "")])
def test_extras_that_are_not_given_have_defaults(extras: dict[str, object] | None) -> None:
    typed = asdict(parse(extras=extras))
    assert {name: typed[name] for name in DEFAULTS} == DEFAULTS


EXTRAS = [
    ("protocol", "json2", ProtocolChoice.JSON2),
    ("protocol", "JSONRPC", ProtocolChoice.JSONRPC),
    ("protocol", "xmlrpc", ProtocolChoice.XMLRPC),
    ("verify", "true", True),
    ("verify", "True", True),
    ("verify", True, True),
    ("verify", "false", False),
    ("verify", " FALSE ", False),
    ("verify", "no", False),
    ("verify", "0", False),
    ("verify", False, False),
    ("verify", "/etc/ssl/own.pem", "/etc/ssl/own.pem"),
    ("timeout", 30, 30.0),
    ("timeout", "30", 30.0),
    ("timeout", 0.5, 0.5),
    ("lang", "fr_FR", "fr_FR"),
    ("lang", " fr_FR ", "fr_FR"),
    ("lang", "  ", None),
    ("company_ids", "1,3", (1, 3)),
    ("company_ids", " 3 , 1, ", (3, 1)),
    ("company_ids", "[1, 3]", (1, 3)),
    ("company_ids", [1, 3], (1, 3)),
    ("company_ids", ["1", "3"], (1, 3)),
    ("company_ids", 3, (3,)),
    ("company_ids", [], ()),
    ("max_connections", 4, 4),
    ("max_connections", "4", 4),
    ("requests_per_second", 1, 1.0),
    ("requests_per_second", "0.5", 0.5),
]


@pytest.mark.parametrize(("key", "given", "expected"), EXTRAS)
def test_an_extra(key: str, given: object, expected: object) -> None:
    found = getattr(parse(extras={key: given}), key)
    assert found == expected
    assert type(found) is type(expected)


WRONG = [
    ("protocol", "soap", "one of auto, json2, jsonrpc, xmlrpc"),
    ("protocol", 2, "one of auto"),
    ("verify", 1, "true, false or the path of a CA file"),
    ("verify", ["x"], "true, false or the path of a CA file"),
    ("timeout", 0, "a number above zero"),
    ("timeout", -1, "a number above zero"),
    ("timeout", "soon", "a number above zero"),
    ("timeout", "nan", "a number above zero"),
    ("timeout", "inf", "a number above zero"),
    ("timeout", [1], "a number above zero"),
    ("timeout", True, "a number above zero"),
    ("timeout", 1e300, "between 0.001 and 86400"),
    ("timeout", 1e-300, "between 0.001 and"),
    ("max_connections", 10**9, "between 0.001 and 1000"),
    ("requests_per_second", 1e-300, "between 0.001 and"),
    ("lang", 7, "must be text"),
    ("company_ids", "Acme", "company ids, such as 1,3"),
    ("company_ids", "1;3", "company ids, such as 1,3"),
    ("company_ids", 1.5, "company ids, such as 1,3"),
    ("company_ids", {"a": 1}, "company ids, such as 1,3"),
    ("company_ids", [None], "company ids, such as 1,3"),
    ("company_ids", " , ", "company ids, such as 1,3"),  # would mean all companies
    ("company_ids", 0, "company ids, such as 1,3"),
    ("company_ids", "-1", "company ids, such as 1,3"),
    ("company_ids", True, "company ids, such as 1,3"),
    ("max_connections", 0, "a number above zero"),
    ("max_connections", 0.5, "above zero"),  # fails: becomes 0, and the first call waits for ever
    ("requests_per_second", 0, "a number above zero"),
    ("requests_per_second", "-2", "a number above zero"),
]


@pytest.mark.parametrize(("key", "given", "wanted"), WRONG)
def test_an_extra_that_makes_no_sense(key: str, given: object, wanted: str) -> None:
    with pytest.raises(OdooConfigurationError) as caught:
        parse(extras={key: given})
    assert f"Odoo connection 'odoo_typed': {key} is " in str(caught.value) and ", but must be " in str(caught.value)
    assert wanted in str(caught.value)
    assert not isinstance(given, str) or repr(given) not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        *(("verfy", "verify"), ("company_id", "company_ids"), ("companies", "company_ids"), ("Verify", "verify")),
        *(("time_out", "timeout"), ("language", "lang"), ("hash-secret", "hash_secret"), ("allow-http", "allow_http")),
        *(
            ("request_per_second", "requests_per_second"),
            ("protocoll", "protocol"),
            ("max_connection", "max_connections"),
        ),
    ],
)
def test_an_extra_that_there_is_not_is_refused_with_the_nearest_name(name: str, meant: str) -> None:
    with pytest.raises(OdooConfigurationError) as caught:
        parse(extras={name: SECRET})
    said = f"Odoo connection 'odoo_typed': there is no extra field '{name}' (did you mean {meant}?)."
    assert str(caught.value) == said


def test_an_extra_that_is_like_no_other_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(OdooConfigurationError, match=r"'headers'; there are allow_http, company_ids, .*, verify\.$"):
        parse(extras={"headers": {"X": "y"}})


def test_the_password_is_not_shown() -> None:
    typed = parse()
    assert SECRET not in repr(typed) + str(typed) + f"{typed}"
    assert str(typed) == "Odoo connection 'odoo_typed' (https://erp.example.com, database 'acme')"
    assert pickle.loads(pickle.dumps(typed)) == typed  # noqa: S301 - our own
