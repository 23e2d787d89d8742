"""What Odoo refuses: the right class of error, and a sentence that names connection, model and cure."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import pytest

from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from odoo_shadow.source.api.connection import ProtocolChoice
from odoo_shadow.source.errors import (
    OdooAccessError,
    OdooAuthenticationError,
    OdooConfigurationError,
    OdooError,
    OdooRequestError,
    OdooUnknownArgumentError,
    OdooUnknownFieldError,
    OdooUnknownModelError,
)
from tests.support.servers import HookTo, OdooServer

pytestmark = pytest.mark.odoo

WRONG_PASSWORD = "wrong-secret-d41d8cd9"
WRONG_KEY = "0123456789abcdef" * 2 + "01234567"
Call = Callable[[OdooHook], object]


def refusal(hook: OdooHook, call: Call, kind: type[OdooError], *words: str) -> OdooError:
    """Call, and return the error after a look at its class and its words."""
    with pytest.raises(OdooError) as caught:
        call(hook)
    error = caught.value
    assert type(error) is kind, f"{type(error).__name__}: {error}"
    message = str(error)
    for word in (hook.odoo_conn_id, *words):
        assert word in message
    assert "Traceback" not in message
    assert "\n" not in message
    assert 'File "' not in message
    told = message + repr(error) + "".join(traceback.format_exception(error, limit=0))
    secret = hook.connection.password
    assert secret == hook.connection.login or secret not in told  # an invented password that equals the login aside
    return error


def count_partners(hook: OdooHook) -> object:
    return hook.search_count("res.partner")


@pytest.mark.sampled
@pytest.mark.usefixtures("login_again")
@pytest.mark.parametrize("secret", [WRONG_PASSWORD, WRONG_KEY], ids=["password", "key"])
def test_a_wrong_secret_is_an_authentication_error(
    secret: str, protocol: ProtocolChoice, server: OdooServer, hook_to: HookTo
) -> None:
    hook = hook_to({"protocol": protocol}, password=secret)
    refusal(hook, count_partners, OdooAuthenticationError, f"'{server.login}'", "API key", "check both")


@pytest.mark.usefixtures("login_again")
@pytest.mark.parametrize("chosen", ["jsonrpc", "xmlrpc", "auto"])
def test_an_unknown_login_is_an_authentication_error(chosen: str, hook_to: HookTo) -> None:
    hook = hook_to({"protocol": chosen}, login="nobody@example.com", password=WRONG_PASSWORD)
    refusal(hook, count_partners, OdooAuthenticationError, "'nobody@example.com'", "check both")


@pytest.mark.usefixtures("login_again")
@pytest.mark.parametrize("chosen", ["auto", "jsonrpc", "json2"])
def test_an_expired_key_is_an_authentication_error_that_says_so(
    chosen: str, server: OdooServer, hook_to: HookTo
) -> None:
    if server.expired_api_key is None:
        pytest.skip("no expired key at hand")
    hook = hook_to({"protocol": chosen}, password=server.expired_api_key)
    refusal(hook, count_partners, OdooAuthenticationError, "API keys expire", "create a new one")


@pytest.mark.usefixtures("login_again")
def test_a_failed_connection_test_tells_why(server: OdooServer, hook_to: HookTo) -> None:
    hook = hook_to(password=WRONG_PASSWORD)
    works, message = hook.test_connection()
    assert not works
    assert f"refused the login '{server.login}'" in message
    assert WRONG_PASSWORD not in message


def test_an_unknown_database_is_a_configuration_error(protocol: ProtocolChoice, hook_to: HookTo) -> None:
    hook = hook_to({"protocol": protocol}, schema="no_such_database")
    refusal(hook, count_partners, OdooConfigurationError, "no database 'no_such_database'", "correct the database")


UNKNOWN_MODEL: dict[str, Call] = {
    "search_read": lambda hook: hook.search_read("no.model", [], ["id"]),
    "search_count": lambda hook: hook.search_count("no.model"),
    "fields_get": lambda hook: hook.fields_get("no.model"),
    "create": lambda hook: hook.execute_kw("no.model", "create", [[{}]]),
}


@pytest.mark.parametrize("method", UNKNOWN_MODEL)
def test_an_unknown_model(method: str, spoken: OdooHook) -> None:
    refusal(spoken, UNKNOWN_MODEL[method], OdooUnknownModelError, "no model no.model", "not installed")


UNKNOWN_FIELD: dict[str, Call] = {
    "fields": lambda hook: hook.search_read("res.partner", [], ["id", "x_no_field"], limit=1),
    "domain": lambda hook: hook.search("res.partner", [("x_no_field", "=", 1)], limit=1),
    "order": lambda hook: hook.search("res.partner", [], order="x_no_field", limit=1),
    "create": lambda hook: hook.execute_kw("res.partner", "create", [[{"name": "x", "x_no_field": 1}]]),
}


@pytest.mark.parametrize("where", UNKNOWN_FIELD)
def test_an_unknown_field(where: str, spoken: OdooHook) -> None:
    refusal(spoken, UNKNOWN_FIELD[where], OdooUnknownFieldError, "x_no_field", "res.partner", "the field was removed")


@pytest.mark.parametrize("model", ["sale.order", "account.move", "ir.config_parameter"])
def test_no_right_to_read(model: str, protocol: ProtocolChoice, server: OdooServer, hook_to: HookTo) -> None:
    login, password = server.limited or (None, None)
    secret = server.limited_api_key if protocol is ProtocolChoice.JSON2 else password
    if secret is None:
        pytest.skip("nothing to log in with as a limited user at hand")
    hook = hook_to({"protocol": protocol}, login=login, password=secret)
    refusal(hook, lambda hook: hook.search_read(model, [], ["id"]), OdooAccessError, model, "read rights")


def test_no_right_to_create(limited_hook: OdooHook) -> None:
    refusal(
        limited_hook,
        lambda hook: hook.execute_kw("res.partner", "create", [[{"name": "x"}]]),
        OdooAccessError,
        "is not allowed to call create on res.partner",
    )


def test_an_abstract_model_is_refused(spoken: OdooHook) -> None:
    refusal(spoken, lambda hook: hook.search_read("mail.thread", [], ["id"]), OdooAccessError, "mail.thread")


def test_a_company_that_the_login_is_not_allowed(protocol: ProtocolChoice, hook_to: HookTo) -> None:
    hook = hook_to({"protocol": protocol, "company_ids": "987654"})
    refusal(hook, count_partners, OdooConfigurationError, "987654", "company_ids")


def test_a_language_that_the_server_does_not_know(protocol: ProtocolChoice, hook_to: HookTo, spoken: OdooHook) -> None:
    if spoken.get_conn().version.major < 19:
        pytest.skip("Odoo 17 takes en_US instead")
    hook = hook_to({"protocol": protocol, "lang": "xx_YY"})
    refusal(hook, count_partners, OdooConfigurationError, "xx_YY", "correct lang")


def test_an_unknown_method(spoken: OdooHook) -> None:
    refusal(spoken, lambda hook: hook.execute_kw("res.partner", "no_method"), OdooRequestError, "res.partner.no_method")


def test_a_private_method(spoken: OdooHook) -> None:
    refusal(spoken, lambda hook: hook.execute_kw("res.partner", "_search"), OdooAccessError, "res.partner")


NONSENSE: dict[str, Call] = {
    "an operator": lambda hook: hook.search("res.partner", [("name", "~~", "x")]),
    "a domain that ends too early": lambda hook: hook.search("res.partner", ["&", ("id", ">", 1)]),
    "an order that is SQL": lambda hook: hook.search("res.partner", [], order="id; DROP TABLE res_partner"),
    "NUL in a text": lambda hook: hook.execute_kw("res.partner", "create", [[{"name": "a\0b"}]]),
    "an unknown argument": lambda hook: hook.execute_kw("res.partner", "search_count", [[]], {"nonsense": 1}),
    "a partner without a name": lambda hook: hook.execute_kw("res.partner", "create", [[{"type": "contact"}]]),
    "a record that is gone": lambda hook: hook.execute_kw("res.partner", "write", [[2**31 - 1], {"name": "x"}]),
}


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense_is_a_request_error(what: str, spoken: OdooHook) -> None:
    if spoken.connection.protocol is ProtocolChoice.XMLRPC and what == "NUL in a text":
        pytest.skip("XML has no NUL")
    kind = OdooUnknownArgumentError if what == "an unknown argument" else OdooRequestError
    refusal(spoken, NONSENSE[what], kind, "res.partner")
