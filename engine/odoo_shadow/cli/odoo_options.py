"""The options that describe Odoo, and the source that is built of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypedDict, TypeVar

import click

from odoo_shadow.cli.missing import (
    ODOO_LOGIN,
    LoginOption,
    from_vault,
    missing_settings,
    variable,
    warn_of_misspelt_variables,
)
from odoo_shadow.cli.terminal import say
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.vault import OdooCredentials, read_odoo_login
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.connection import OdooConnection, ProtocolChoice
from odoo_shadow.source.api.source import ApiSource

Function = TypeVar("Function", bound=Callable[..., Any])


class OdooSettings(TypedDict):
    """The options that describe an Odoo connection."""

    odoo_credentials: str
    odoo_url: str
    odoo_db: str
    odoo_user: str
    odoo_password: str
    odoo_protocol: str
    odoo_verify: str
    odoo_timeout: float | None
    odoo_lang: str | None
    odoo_company_ids: str | None
    odoo_hash_secret: str | None
    odoo_allow_http: bool


def option_with_variable(name: str, **settings: Any) -> Callable[[Function], Function]:
    """Return an option that the variable of the same name sets, too."""
    return click.option(name, envvar=variable(name), show_envvar=True, **settings)


_LOGIN_HELP: dict[str, dict[str, str]] = {
    "--odoo-url": {"metavar": "URL", "help": "Where Odoo is, such as https://erp.example.com."},
    "--odoo-db": {"metavar": "NAME", "help": "The Odoo database."},
    "--odoo-user": {"metavar": "LOGIN", "help": "The login."},
    "--odoo-password": {
        "metavar": "SECRET",
        "help": "Its password or API key. Other users of this machine can see options, but not the environment.",
    },
}
_OPTIONS = (
    option_with_variable(
        "--odoo-credentials",
        default=str(OdooCredentials.CONNECTION),
        show_default=True,
        is_eager=True,
        type=click.Choice([str(choice) for choice in OdooCredentials]),
        help="vault takes ODOO_URL, ODOO_DB, ODOO_USER and ODOO_PASSWORD from Supabase Vault in the shadow's database, "
        "connection from the options or variables above.",
    ),
    option_with_variable(
        "--odoo-protocol",
        default="auto",
        show_default=True,
        type=click.Choice([str(choice) for choice in ProtocolChoice]),
        help="auto takes JSON-2 for Odoo 19 or later with an API key, otherwise JSON-RPC.",
    ),
    option_with_variable(
        "--odoo-verify",
        default="true",
        metavar="true|false|FILE",
        help="Whether to check the certificate, or a CA file to check it with.",
    ),
    option_with_variable(
        "--odoo-timeout", type=float, metavar="SECONDS", help="How long to wait for an answer.  [default: 120]"
    ),
    option_with_variable("--odoo-lang", metavar="CODE", help="Language of translated text.  [default: en_US]"),
    option_with_variable(
        "--odoo-company-ids", metavar="1,2", help="Companies to read.  [default: all that the login is allowed]"
    ),
    option_with_variable(
        "--odoo-hash-secret", metavar="SECRET", help="Key of fields that are kept only as a hash (hashed_fields)."
    ),
    option_with_variable(
        "--odoo-allow-http",
        is_flag=True,
        help="Allow plain HTTP to an Odoo on another machine: the password travels unencrypted.",
    ),
)


def odoo_options(command: Function) -> Function:
    """Add the options of an Odoo connection."""
    return _with_odoo(command, required=True)


def optional_odoo_options(command: Function) -> Function:
    """Add the options of an Odoo connection, for a command that calls `require_odoo` when it needs one."""
    return _with_odoo(command, required=False)


def _with_odoo(command: Function, *, required: bool) -> Function:
    login = (option_with_variable(name, cls=LoginOption, required=required, **_LOGIN_HELP[name]) for name in ODOO_LOGIN)
    for option in reversed((*login, *_OPTIONS)):
        command = option(command)
    return command


def require_odoo(context: click.Context) -> None:
    """Refuse a call that lacks options without which there is no Odoo connection, as `Command` does."""
    named = [item for item in context.command.params if {*ODOO_LOGIN} & {*item.opts}]
    if from_vault(context):
        named = [item for item in context.command.params if item.name == "supabase_db_url"]
    missing = [item for item in named if context.params.get(item.name or "") is None]
    if missing:
        raise missing_settings(missing, context)


def odoo_source(settings: OdooSettings, shadow: ShadowDatabase | None) -> ApiSource:
    """Build the source that the options describe.

    :param shadow: whose Vault is read if the options say so.
    :raises OdooConfigurationError: an option is wrong.
    :raises ShadowError: the Vault cannot be read, or lacks something.
    """
    warn_of_misspelt_variables()
    in_vault = settings["odoo_credentials"] == OdooCredentials.VAULT
    if in_vault:
        require_odoo(click.get_current_context())
        _warn_of_ignored_variables()
    found = read_odoo_login(shadow) if in_vault and shadow else None
    connection = OdooConnection.parse(
        "Vault" if found else "ODOO_URL",
        host=found.url if found else settings["odoo_url"],
        database=found.database if found else settings["odoo_db"],
        login=found.login if found else settings["odoo_user"],
        password=found.password if found else settings["odoo_password"],
        extras={
            "protocol": settings["odoo_protocol"],
            "verify": settings["odoo_verify"],
            "timeout": settings["odoo_timeout"],
            "lang": settings["odoo_lang"],
            "company_ids": settings["odoo_company_ids"],
            "hash_secret": settings["odoo_hash_secret"],
            "allow_http": settings["odoo_allow_http"],
        },
        on_command_line=True,
        in_vault=in_vault,
    )
    return ApiSource(OdooClient(connection))


def _warn_of_ignored_variables() -> None:
    given = [name for name in map(variable, ODOO_LOGIN) if os.environ.get(name)]
    if given:
        say(
            f"Odoo's address and login come from the Vault, so {', '.join(given)} of the environment is not read.",
            err=True,
        )
