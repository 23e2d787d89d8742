"""The options that describe Odoo, and the source that is built of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from functools import partial
from typing import Any, TypedDict, TypeVar

import click

from odoo_shadow.cli.missing import (
    ODOO_LOGIN,
    DatabaseOption,
    LoginOption,
    NeededOption,
    from_vault,
    missing_settings,
    reads_database,
    variable,
    warn_of_misspelt_variables,
)
from odoo_shadow.cli.terminal import say
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.vault import OdooCredentials, read_odoo_login
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.connection import OdooConnection, ProtocolChoice, setting_name
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.database.connection import DEFAULT_SCHEMA, OdooDatabase
from odoo_shadow.source.database.how_read import HowRead
from odoo_shadow.source.database.source import DatabaseSource
from odoo_shadow.source.kind import SourceKind
from odoo_shadow.source.port import Source

ADDRESS = "ODOO_DATABASE_URL"
"""How messages call Odoo's own database."""

Function = TypeVar("Function", bound=Callable[..., Any])


class OdooSettings(TypedDict):
    """The options that describe an Odoo connection."""

    source: str
    odoo_database_url: str | None
    odoo_database_schema: str
    odoo_credentials: str
    odoo_url: str | None
    odoo_db: str | None
    odoo_user: str | None
    odoo_password: str | None
    odoo_protocol: str
    odoo_verify: str
    odoo_timeout: float | None
    odoo_max_connections: int | None
    odoo_requests_per_second: float | None
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
_SOURCE = click.option(
    "--source",
    envvar="ODOO_SOURCE",
    show_envvar=True,
    default=str(SourceKind.API),
    show_default=True,
    is_eager=True,
    type=click.Choice([str(kind) for kind in SourceKind]),
    help="Where records are read: through Odoo's API, as its login sees them; or in Odoo's own PostgreSQL database, "
    "which is far faster, and where no record rules and no groups apply. With database, the API's address and login "
    "may be given, too: it then gives what tables lack.",
)
_ADDRESS_HELP = {
    "metavar": "URL",
    "help": "Odoo's own PostgreSQL database, as a role that may only SELECT; a read replica will do. Other users of "
    "this machine can see options, but not the environment.",
}
_OPTIONS = (
    option_with_variable(
        "--odoo-database-schema",
        default=DEFAULT_SCHEMA,
        show_default=True,
        metavar="NAME",
        help="Where Odoo's tables are in its own database.",
    ),
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
    option_with_variable(
        "--odoo-max-connections", type=int, metavar="N", help="Most HTTP connections at the same time.  [default: 2]"
    ),
    option_with_variable(
        "--odoo-requests-per-second",
        type=float,
        metavar="N",
        help="Most calls per second; 1 is usual for hosted *.odoo.com.  [default: no limit]",
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
    """Add the options of Odoo."""
    return _with_odoo(command, required=True)


def optional_odoo_options(command: Function) -> Function:
    """Add the options of Odoo, for a command that calls `require_odoo` when it needs them."""
    return _with_odoo(command, required=False)


def _with_odoo(command: Function, *, required: bool) -> Function:
    login = (option_with_variable(name, cls=LoginOption, required=required, **_LOGIN_HELP[name]) for name in ODOO_LOGIN)
    address = option_with_variable("--odoo-database-url", cls=DatabaseOption, required=required, **_ADDRESS_HELP)
    for option in reversed((_SOURCE, *login, address, *_OPTIONS)):
        command = option(command)
    return command


def require_odoo(context: click.Context) -> None:
    """Refuse a call that lacks options without which Odoo cannot be read, as `Command` does."""
    missing: list[click.Parameter] = [
        item
        for item in context.command.params
        if isinstance(item, NeededOption) and item.is_missing(context, context.params.get(item.name or ""))
    ]
    if from_vault(context):
        named = [item for item in context.command.params if item.name == "supabase_db_url"]
        missing += [item for item in named if context.params.get("supabase_db_url") is None]
    if missing:
        raise missing_settings(missing, context)


@contextmanager
def odoo_source(settings: OdooSettings, shadow: ShadowDatabase | None) -> Iterator[Source]:
    """Open the source that the options describe.

    :param shadow: whose Vault is read if the options say so.
    :raises OdooConfigurationError: an option is wrong.
    :raises ShadowError: the Vault cannot be read, or lacks something.
    """
    context = click.get_current_context()
    if not reads_database(context):
        with api_source(settings, shadow) as odoo:
            yield odoo
        return
    warn_of_misspelt_variables()
    api = _api(settings, shadow) if _has_beside(context) else None
    with (
        nullcontext() if api is None else ApiSource(OdooClient(api)) as beside,
        DatabaseSource(_database(settings, api), beside) as odoo,
    ):
        yield odoo


@contextmanager
def mirrors_own_source(settings: OdooSettings, witness: Source) -> Iterator[Source | None]:
    """Open the source that the mirror is made from, where another one is asked; None if it is that one, or not given.

    :param witness: the source that is asked.
    """
    if isinstance(witness, DatabaseSource):
        yield None if settings["source"] == SourceKind.DATABASE else witness.beside
    elif (
        isinstance(witness, ApiSource)
        and settings["source"] == SourceKind.DATABASE
        and settings["odoo_database_url"] is not None
    ):
        with DatabaseSource(_database(settings, witness.client.connection), witness) as own:
            yield own
    else:
        yield None


def api_source(settings: OdooSettings, shadow: ShadowDatabase | None) -> ApiSource:
    """Return the API that the options describe. Raises as `odoo_source` does."""
    warn_of_misspelt_variables()
    return ApiSource(OdooClient(_api(settings, shadow)))


def _has_beside(context: click.Context) -> bool:
    """Say whether the API is to be read beside the database: with the Vault's login, or if a password is given.

    :raises UsageError: a password is given, but not where and whose it is.
    """
    if from_vault(context):
        return True
    login = [item for item in context.command.params if isinstance(item, LoginOption)]
    missing = [item for item in login if context.params.get(item.name or "") is None]
    if any(item.name == "odoo_password" for item in missing):
        return False
    if missing:
        told = missing_settings(missing, context).message
        raise click.UsageError(
            f"{told} Or leave out ODOO_PASSWORD: with it, the API is read beside Odoo's own database.", context
        )
    return True


def _database(settings: OdooSettings, api: OdooConnection | None) -> OdooDatabase:
    how = (
        HowRead.parse(
            ADDRESS,
            url=settings["odoo_url"],
            login=settings["odoo_user"],
            lang=settings["odoo_lang"],
            company_ids=settings["odoo_company_ids"],
            hash_secret=settings["odoo_hash_secret"],
            called=partial(setting_name, on_command_line=True),
        )
        if api is None
        else HowRead.of(api)
    )
    return OdooDatabase.from_url(
        settings["odoo_database_url"] or "", name=ADDRESS, schema=settings["odoo_database_schema"], **asdict(how)
    )


def _api(settings: OdooSettings, shadow: ShadowDatabase | None) -> OdooConnection:
    in_vault = settings["odoo_credentials"] == OdooCredentials.VAULT
    if in_vault:
        require_odoo(click.get_current_context())
        _warn_of_ignored_variables()
    found = read_odoo_login(shadow) if in_vault and shadow else None
    return OdooConnection.parse(
        "Vault" if found else "ODOO_URL",
        host=found.url if found else settings["odoo_url"],
        database=found.database if found else settings["odoo_db"],
        login=found.login if found else settings["odoo_user"],
        password=found.password if found else settings["odoo_password"],
        extras={
            "protocol": settings["odoo_protocol"],
            "verify": settings["odoo_verify"],
            "timeout": settings["odoo_timeout"],
            "max_connections": settings["odoo_max_connections"],
            "requests_per_second": settings["odoo_requests_per_second"],
            "lang": settings["odoo_lang"],
            "company_ids": settings["odoo_company_ids"],
            "hash_secret": settings["odoo_hash_secret"],
            "allow_http": settings["odoo_allow_http"],
        },
        on_command_line=True,
        in_vault=in_vault,
    )


def _warn_of_ignored_variables() -> None:
    given = [name for name in map(variable, ODOO_LOGIN) if os.environ.get(name)]
    if given:
        say(
            f"Odoo's address and login come from the Vault, so {', '.join(given)} of the environment is not read.",
            err=True,
        )
