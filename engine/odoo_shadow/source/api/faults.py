"""Turns the errors that Odoo reports, in any protocol, into this package's error classes.

Class names and texts were seen on Odoo 17.0 and 19.0.
"""

from __future__ import annotations

import re

from odoo_shadow.source.api.answers import Entry
from odoo_shadow.source.api.connection import OdooConnection
from odoo_shadow.source.errors import (
    OdooAccessError,
    OdooAuthenticationError,
    OdooConfigurationError,
    OdooError,
    OdooRequestError,
    OdooServerError,
    OdooUnknownArgumentError,
    OdooUnknownFieldError,
    OdooUnknownModelError,
)
from odoo_shadow.source.types import Json
from odoo_shadow.text.redaction import redact
from odoo_shadow.text.shown import shown

_LONGEST_TEXT = 300
_LONGEST_CLASS = 80
LONGEST_READ = 100_000
"""Characters of a server's text that are examined; the text may be as long as an answer."""

_UNKNOWN_ARGUMENT = re.compile(r"unexpected keyword argument '(\w+)'")
_BEYOND_XML_RPC = "int exceeds XML-RPC limits"
_TEMPORARY_ERRORS = ("SerializationFailure", "DeadlockDetected", "LockNotAvailable", "QueryCanceled", "MemoryError")


def odoo_error(connection: OdooConnection, target: str, name: str, message: str) -> OdooError:
    """Build the exception for an error that Odoo reported.

    :param target: what was called, such as `res.partner.search_read`.
    :param name: the server's exception class, such as `odoo.exceptions.AccessError`.
    :param message: its text; only the first line is shown.
    """
    model, _, method = target.rpartition(".")
    message = message[:LONGEST_READ]
    short, said = shown(name.rpartition(".")[2], longest=_LONGEST_CLASS), first_line(message)
    if short in ("AccessDenied", "Unauthorized"):
        return refused(connection)
    if "does not exist" in message and "database" in message:
        return unknown_database(connection)
    wrong_option = _refused_option(connection, message.strip().partition("\n")[0])
    if wrong_option:
        return OdooConfigurationError(f"{connection}: {wrong_option}.")
    if short == "AccessError" or short == "Forbidden":
        return OdooAccessError(
            f"{connection}: '{connection.login}' is not allowed to call {method} on {model} ({said}). "
            "Give the login read rights on it, or leave the model out.",
            said=said,
        )
    if _is_unknown_model(short, message):
        return OdooUnknownModelError(
            f"{connection} has no model {model}: its module is not installed, or the name is misspelled."
        )
    if short == "ValueError" and "Invalid field" in message:
        return OdooUnknownFieldError(
            f"{connection}: {said}: the field was removed, or the login has no right to read it."
        )
    if short in _TEMPORARY_ERRORS or "OperationalError" in short:
        return OdooServerError(f"{connection} failed temporarily at {target} ({short}).")
    if short == "OverflowError" and _BEYOND_XML_RPC in message:
        return OdooRequestError(
            f"{connection}: {target} would return integers of more than 32 bits, such as ids of an SQL view, which "
            "Odoo does not send over XML-RPC: set protocol to jsonrpc.",
            kind=short,
        )
    return request_error(f"{connection} refused {target}: {short}: {said}", message, kind=short, said=said)


def request_error(sentence: str, message: str, *, kind: str = "", said: str = "") -> OdooRequestError:
    """Build the error for a call that Odoo understood and refused.

    :param sentence: what people read.
    :param message: the server's text as it came: what it means must not depend on how much of it may be shown.
    :param kind: the server's exception class.
    :param said: its text, as it may be shown.
    """
    unknown = _UNKNOWN_ARGUMENT.search(message[:LONGEST_READ])
    if unknown:
        return OdooUnknownArgumentError(sentence, argument=unknown[1])
    return OdooRequestError(sentence, kind=kind, said=said)


def refused(connection: OdooConnection) -> OdooAuthenticationError:
    """Build the error for a wrong login, password or key."""
    return OdooAuthenticationError(
        f"{connection} refused the login '{connection.login}' with this password or API key: check both. "
        "API keys expire, in Odoo 19 after at most three months: create a new one in the user's preferences."
    )


def user_id_in(connection: OdooConnection, target: str, answer: Json) -> int:
    """Return the user's id from the answer to a login; `false` means that it was refused. Raises an `OdooError`."""
    if answer is False or answer is None:
        raise refused(connection)
    return Entry(f"{connection}: {target}", {"id": answer}).id


def unknown_database(connection: OdooConnection) -> OdooConfigurationError:
    """Build the error for a database that the server does not serve."""
    return OdooConfigurationError(
        f"{connection}: the server has no database '{connection.database}': correct {connection.setting('database')}."
    )


def first_line(message: str) -> str:
    """Return the first line of a server's text, which leaves out any traceback."""
    lines = redact(message, LONGEST_READ).strip().splitlines()
    return shown(lines[0], longest=_LONGEST_TEXT) if lines else "no reason given"


def _refused_option(connection: OdooConnection, said: str) -> str | None:
    """Say which optional field of the connection the server does not take, if that is what it said."""
    if "unauthorized or invalid companies" in said:
        companies = ", ".join(map(str, connection.company_ids))
        called = connection.setting("company_ids")
        return f"'{connection.login}' does not have access to all of the companies {companies}: correct {called}"
    if said.startswith("Invalid language code"):
        called = connection.setting("lang")
        return f"the server has no language '{connection.lang}': correct {called}, or activate it in Odoo"
    return None


def _is_unknown_model(short: str, message: str) -> bool:
    rpc = short == "UserError" and message.startswith("Object ") and message.rstrip(".").endswith("doesn't exist")
    json2 = short == "NotFound" and message.startswith("the model ")
    return rpc or json2
