"""Options that several commands share, and what they are turned into."""

from __future__ import annotations

import logging
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import click
from rich.logging import RichHandler

from odoo_shadow.cli.notify import NOTIFY_ALLOW_HTTP, NOTIFY_URL
from odoo_shadow.cli.terminal import console, say
from odoo_shadow.mirror.clock import DEFAULT_LOOK_BACK
from odoo_shadow.mirror.config.mirrors_file import MirrorConfig, read_mirror
from odoo_shadow.mirror.config.patterns import PRIORITY, ModelChoice
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.health.health import only_elsewhere
from odoo_shadow.mirror.options import LONGEST_LOOK_BACK
from odoo_shadow.mirror.run.choose import Chosen
from odoo_shadow.shadow.connection.database import DEFAULT_SCHEMA, ShadowDatabase
from odoo_shadow.shadow.trust import Trust
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.connection import OdooConnection, ProtocolChoice
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.port import Source
from odoo_shadow.text.log import as_text
from odoo_shadow.text.nearest import is_nearly, nearest

Function = TypeVar("Function", bound=Callable[..., Any])


class BoundedNumber(click.FloatRange):
    """A number between bounds. `nan` is refused here, since comparing it with the bounds does not."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Convert what was typed; a value that is not a number is a usage error."""
        number = super().convert(value, param, ctx)
        return self.fail(f"{value!r} is not a number.", param, ctx) if math.isnan(number) else number


class Command(click.Command):
    """A command whose usage error lists all missing settings, not only the first."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options that were typed, and environment variables."""
        typed = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.MissingParameter:
            given, _, _ = self.make_parser(ctx).parse_args(args=typed)
            required = [item for item in self.params if item.required]
            missing = [item for item in required if item.value_is_missing(item.consume_value(ctx, given)[0])]
            raise _missing(missing, ctx) from None


def _missing(parameters: Iterable[click.Parameter], context: click.Context) -> click.UsageError:
    listed = list(parameters)
    named = [f"{item.envvar} ({item.opts[0]})" if item.envvar else item.opts[0] for item in listed]
    what = "these settings are" if len(named) > 1 else "a setting is"
    hints = "".join(f" {_not_read(found, name)}" for name, found in _set_instead(listed))
    return click.UsageError(
        f"{what.capitalize()} missing: {', '.join(named)}. Set the variables, or give the options.{hints}", context
    )


def _set_instead(parameters: Iterable[click.Parameter]) -> Iterator[tuple[str, str]]:
    """Yield missing variables, each with one that is set and not read, and that may be meant for it."""
    read = {
        _variable(name) for name in (*_ODOO_LOGIN, *_ODOO_OPTION_NAMES, *_SHADOW_OPTION_NAMES)
    } | _VARIABLES_OF_OTHER_TOOLS
    given = [name for name in sorted(os.environ) if name not in read]
    for item in parameters:
        name = str(item.envvar or "")
        alike = [other for other in given if is_nearly(other, name)]
        found = [*alike, *(other for other in _OTHER_NAMES.get(name, ()) if other in given)]
        if found:
            yield name, found[0]


def _not_read(found: str, meant: str) -> str:
    """Name a variable, never its value, which may be a secret."""
    return f"The variable {found} is not read: did you mean {meant}?"


class OdooSettings(TypedDict):
    """The options that describe an Odoo connection."""

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


def _env(name: str, **settings: Any) -> Callable[[Function], Function]:
    return click.option(name, envvar=_variable(name), show_envvar=True, **settings)


def _variable(option: str) -> str:
    """Return the variable of the same name."""
    return option.strip("-").replace("-", "_").upper()


_ODOO_LOGIN: dict[str, dict[str, str]] = {
    "--odoo-url": {"metavar": "URL", "help": "Where Odoo is, such as https://erp.example.com."},
    "--odoo-db": {"metavar": "NAME", "help": "The Odoo database."},
    "--odoo-user": {"metavar": "LOGIN", "help": "The login."},
    "--odoo-password": {
        "metavar": "SECRET",
        "help": "Its password or API key. Other users of this machine can see options, but not the environment.",
    },
}
_ODOO_OPTIONS = (
    _env(
        "--odoo-protocol",
        default="auto",
        show_default=True,
        type=click.Choice([str(choice) for choice in ProtocolChoice]),
        help="auto takes JSON-2 for Odoo 19 or later with an API key, otherwise JSON-RPC.",
    ),
    _env(
        "--odoo-verify",
        default="true",
        metavar="true|false|FILE",
        help="Whether to check the certificate, or a CA file to check it with.",
    ),
    _env("--odoo-timeout", type=float, metavar="SECONDS", help="How long to wait for an answer.  [default: 120]"),
    _env("--odoo-lang", metavar="CODE", help="Language of translated text.  [default: en_US]"),
    _env("--odoo-company-ids", metavar="1,2", help="Companies to read.  [default: all that the login is allowed]"),
    _env("--odoo-hash-secret", metavar="SECRET", help="Key of fields that are kept only as a hash (hashed_fields)."),
    _env(
        "--odoo-allow-http",
        is_flag=True,
        help="Allow plain HTTP to an Odoo on another machine: the password travels unencrypted.",
    ),
)
_ODOO_OPTION_NAMES = (
    *("--odoo-protocol", "--odoo-verify", "--odoo-timeout", "--odoo-lang", "--odoo-company-ids", "--odoo-hash-secret"),
    "--odoo-allow-http",
)
_SHADOW_OPTION_NAMES = ("--supabase-db-url", "--trusted-roles", "--agreed-objects")
_OTHER_NAMES = {
    "ODOO_URL": ("ODOO_HOST", "ODOO_SERVER", "ODOO_BASE_URL"),
    "ODOO_DB": ("ODOO_DATABASE", "ODOO_DB_NAME", "ODOO_DBNAME"),
    "ODOO_USER": ("ODOO_USERNAME", "ODOO_LOGIN"),
    "ODOO_PASSWORD": ("ODOO_API_KEY", "ODOO_APIKEY", "ODOO_PASS", "ODOO_PWD", "ODOO_TOKEN"),
    "SUPABASE_DB_URL": ("SUPABASE_DATABASE_URL", "DATABASE_URL", "POSTGRES_URL", "DB_URL"),
}
"""What other tools call a variable."""
_VARIABLES_OF_OTHER_TOOLS = frozenset({"SUPABASE_URL"})
"""Variables whose names are close to one that is read, but mean something else: the address of Supabase's API."""

_PREFIX = "ODOO_"
_SHADOW = "SUPABASE_DB_URL"
_ALIKE = 0.75
_SCHEMA = click.option("--schema", default=DEFAULT_SCHEMA, show_default=True, help="The schema that holds the shadow.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
_VERBOSE = click.option("--verbose", is_flag=True, help="Log every step, and show tracebacks.")


def odoo_options(command: Function) -> Function:
    """Add the options of an Odoo connection."""
    return _with_odoo(command, required=True)


def optional_odoo_options(command: Function) -> Function:
    """Add the options of an Odoo connection, for a command that calls `require_odoo` when it needs one."""
    return _with_odoo(command, required=False)


def _with_odoo(command: Function, *, required: bool) -> Function:
    login = (_env(name, required=required, **settings) for name, settings in _ODOO_LOGIN.items())
    for option in reversed((*login, *_ODOO_OPTIONS)):
        command = option(command)
    return command


def require_odoo(context: click.Context) -> None:
    """Refuse a call that lacks options without which there is no Odoo connection, as `Command` does."""
    named = [item for item in context.command.params if _ODOO_LOGIN.keys() & {*item.opts}]
    missing = [item for item in named if context.params.get(item.name or "") is None]
    if missing:
        raise _missing(missing, context)


def shadow_options(*, required: bool = True) -> Callable[[Function], Function]:
    """Add the options of the shadow database."""
    about = "The PostgreSQL or Supabase database of the shadow."
    options = (
        _env("--supabase-db-url", required=required, metavar="URL", help=about),
        _SCHEMA,
        _env(
            "--trusted-roles",
            callback=_listed,
            metavar="A,B",
            help="Roles that may own the shadow's schema and tables, in addition to this one and superusers.",
        ),
        _env(
            "--agreed-objects",
            callback=_listed,
            metavar="A,B",
            help="Somebody else's triggers and rules on the shadow's tables that may run, as doctor names them.",
        ),
    )

    def add(command: Function) -> Function:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def _listed(_context: click.Context, _parameter: click.Parameter, value: str | None) -> frozenset[str]:
    return frozenset(part.strip() for part in (value or "").split(",") if part.strip())


def verbose_option(command: Function) -> Function:
    """Add `--verbose`."""
    return _VERBOSE(command)


def look_back_option(command: Function) -> Function:
    """Add `--look-back`."""
    return click.option(
        "--look-back",
        type=BoundedNumber(min=0, max=LONGEST_LOOK_BACK.total_seconds() / 60),
        default=DEFAULT_LOOK_BACK.total_seconds() / 60,
        show_default=True,
        metavar="MINUTES",
        help="How far to reach back before the last watermark; longer than Odoo's longest transaction.",
    )(command)


def models_option(default: str) -> Callable[[Function], Function]:
    """Add `--models`.

    :param default: says in the help which models are taken when none are named.
    """
    text = (
        "Which models: names, patterns such as sale.*, exclusions such as !mail.*, priority or all, "
        f"separated by commas.  [default: {default}]"
    )
    return click.option("--models", metavar="A,B", help=text)


def model_choice(models: str | None) -> ModelChoice:
    """Read `--models`. Raises `MirrorConfigurationError`."""
    return ModelChoice.parse(PRIORITY if models is None else models)


def config_option(command: Function) -> Function:
    """Add `--config`: the mirror's settings are the defaults of the options that are not given."""
    return click.option(
        "--config",
        metavar="FILE[:MIRROR]",
        is_eager=True,
        callback=_read_config,
        help="The mirrors file of the DAGs (odoo_shadow.yaml), and which of its mirrors: models, model_settings, "
        "schema and so on are taken from there.",
    )(command)


def _read_config(context: click.Context, _parameter: click.Parameter, value: str | None) -> MirrorConfig | None:
    if value is None:
        return None
    config = read_mirror(*_path_and_mirror(value))
    context.default_map = {
        "schema": config.schema_name,
        "models": config.models if isinstance(config.models, str) else ",".join(config.models),
        "batch_size": config.batch_size,
        "look_back": config.look_back_minutes,
        "on_delete": str(config.on_delete),
        "trusted_roles": ",".join(config.trusted_roles) or None,
        "agreed_objects": ",".join(config.agreed_objects) or None,
    }
    return config


def _path_and_mirror(value: str) -> tuple[Path, str | None]:
    """Split `FILE[:MIRROR]`; the file's name may contain a colon, too."""
    path, _, name = value.rpartition(":")
    is_part = path and not Path(value).is_file() and "/" not in name
    return (Path(path), name or None) if is_part else (Path(value), None)


def odoo_source(settings: OdooSettings) -> ApiSource:
    """Build the source that the options describe. Raises `OdooConfigurationError`."""
    _warn_of_misspelt_variables()
    connection = OdooConnection.parse(
        "ODOO_URL",
        host=settings["odoo_url"],
        database=settings["odoo_db"],
        login=settings["odoo_user"],
        password=settings["odoo_password"],
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
    )
    return ApiSource(OdooClient(connection))


def _warn_of_misspelt_variables() -> None:
    """Warn about variables that are not read and whose names are close to one that is read but not set."""
    names = [*map(_variable, (*_ODOO_LOGIN, *_ODOO_OPTION_NAMES)), NOTIFY_URL, NOTIFY_ALLOW_HTTP]
    known = [name.removeprefix(_PREFIX) for name in names]
    for name in sorted(os.environ):
        given = name.removeprefix(_PREFIX)
        if given == name or given in known:
            continue
        meant = nearest(given, known, alike=_ALIKE)
        if meant is not None and _PREFIX + meant not in os.environ:
            say(_not_read(name, _PREFIX + meant), err=True)
    if _SHADOW not in os.environ:
        for name in sorted(os.environ):
            if is_nearly(name, _SHADOW) and name not in _VARIABLES_OF_OTHER_TOOLS:
                say(_not_read(name, _SHADOW), err=True)


class ShadowSettings(TypedDict):
    """The options that describe the shadow database."""

    supabase_db_url: str
    schema: str
    trusted_roles: frozenset[str]
    agreed_objects: frozenset[str]


class Connections(OdooSettings, ShadowSettings):
    """The options that describe both sides."""


def shadow_database(settings: ShadowSettings) -> ShadowDatabase:
    """Build the shadow database that the options describe. Raises `MirrorConfigurationError`."""
    url = settings["supabase_db_url"]
    if not url.strip():  # libpq would take its own defaults
        raise MirrorConfigurationError("SUPABASE_DB_URL is empty: set it to the URL of the shadow database.")
    trust = Trust(settings["trusted_roles"], settings["agreed_objects"])
    return ShadowDatabase.from_url(url, schema=settings["schema"], trust=trust)


def warn_only_elsewhere(shadow: ShadowDatabase) -> None:
    """Warn, where nothing is written, that only other schemas hold a mirror. Raises a `ShadowError`."""
    with shadow.transaction() as tx:
        elsewhere = only_elsewhere(tx)
    if elsewhere is not None:
        say(f"{elsewhere}; a sync would create another one.", err=True)


def warn_unused_settings(config: MirrorConfig | None, odoo: Source, chosen: Chosen) -> None:
    """Warn about `model_settings` that match no model. Raises `MirrorConfigurationError` if one looks misspelt."""
    for key in config.unused_settings(chosen.models, lambda: odoo.readable_models) if config else ():
        say(f"model_settings: {key} matches none of the models.", err=True)


def set_up_logging(verbose: bool) -> None:
    """Show warnings, or with `--verbose` every step, on standard error."""
    handler = as_text(_handler(verbose))
    logging.getLogger().handlers = [handler]  # for libraries: warnings only
    package = logging.getLogger("odoo_shadow")
    package.handlers = [handler]
    package.propagate = False
    package.setLevel(logging.DEBUG if verbose else logging.WARNING)


def _handler(verbose: bool) -> logging.Handler:
    """Return the handler of log lines. Without a terminal none is wrapped: CI may run the rest of one as a command."""
    if sys.stderr.isatty():
        return RichHandler(console=console(stderr=True), show_path=False, show_time=verbose, highlighter=None)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(f"{'%(asctime)s ' if verbose else ''}%(levelname)-8s %(message)s"))
    return handler
