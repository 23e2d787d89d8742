"""Settings that are missing, and variables that are set in their place."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator

import click

from odoo_shadow.cli.notify import NOTIFY_ALLOW_HTTP, NOTIFY_URL
from odoo_shadow.cli.terminal import say
from odoo_shadow.mirror.config.patterns import ALL, PRIORITY, TERM
from odoo_shadow.source.kind import SourceKind
from odoo_shadow.text.nearest import is_nearly, nearest

ODOO_LOGIN = ("--odoo-url", "--odoo-db", "--odoo-user", "--odoo-password")
ODOO_OPTIONS = (
    *("--odoo-protocol", "--odoo-verify", "--odoo-timeout", "--odoo-max-connections", "--odoo-requests-per-second"),
    *("--odoo-lang", "--odoo-company-ids", "--odoo-hash-secret"),
    *("--odoo-allow-http", "--odoo-credentials", "--odoo-source", "--odoo-database-url", "--odoo-database-schema"),
)
"""Options, or what they would be called if their variables were called as they are."""
SHADOW_OPTIONS = ("--supabase-db-url", "--trusted-roles", "--agreed-objects")
_OTHER_NAMES = {
    "ODOO_URL": ("ODOO_HOST", "ODOO_SERVER", "ODOO_BASE_URL"),
    "ODOO_DB": ("ODOO_DATABASE", "ODOO_DB_NAME", "ODOO_DBNAME"),
    "ODOO_USER": ("ODOO_USERNAME", "ODOO_LOGIN"),
    "ODOO_PASSWORD": ("ODOO_API_KEY", "ODOO_APIKEY", "ODOO_PASS", "ODOO_PWD", "ODOO_TOKEN"),
    "ODOO_DATABASE_URL": ("ODOO_DB_URL", "ODOO_DATABASE_URI", "ODOO_POSTGRES_URL"),
    "SUPABASE_DB_URL": ("SUPABASE_DATABASE_URL", "DATABASE_URL", "POSTGRES_URL", "DB_URL"),
}
"""What other tools call a variable."""
_VARIABLES_OF_OTHER_TOOLS = frozenset({"SUPABASE_URL"})
"""Variables whose names are close to one that is read, but mean something else: the address of Supabase's API."""
SERVICE_KEYS = ("SUPABASE_SERVICE_KEY", "SUPABASE_SERVICE_ROLE_KEY")
"""What the key of Supabase's API is called that may do everything."""
_WHY_SQL = (
    " SUPABASE_URL and {key} are for Supabase's REST API, over which nothing is written: rows go by COPY, in one "
    "transaction with the watermark that vouches for them, which REST does not have. Set SUPABASE_DB_URL to the "
    "connection string that the project's dashboard shows under Connect, as Session pooler or Transaction pooler, with "
    "the database's password in it."
)

_PREFIX = "ODOO_"
_SHADOW = "SUPABASE_DB_URL"
_ALIKE = 0.75


class NeededOption(click.Option):
    """A setting that is required only with some values of others, which are read before it."""

    def process_value(self, ctx: click.Context, value: object) -> object:
        """Take what was given."""
        if self.is_missing(ctx, value) or not self.is_empty(value):
            return super().process_value(ctx, value)
        return None

    def is_empty(self, value: object) -> bool:
        """Say whether no value is given."""
        return value is None or self.value_is_missing(value)

    def is_missing(self, ctx: click.Context, value: object) -> bool:
        """Say whether a value has to be given."""
        raise NotImplementedError


class DatabaseOption(NeededOption):
    """The address of Odoo's own database: required if records are read there."""

    def is_missing(self, ctx: click.Context, value: object) -> bool:
        """Say whether a value has to be given."""
        return reads_database(ctx) and self.is_empty(value)


class LoginOption(NeededOption):
    """A part of Odoo's address and login: required for the API, unless the Vault has it."""

    def process_value(self, ctx: click.Context, value: object) -> object:
        """Take what was given. What was typed beside `--odoo-credentials vault` is a usage error."""
        if not from_vault(ctx):
            return super().process_value(ctx, value)
        if ctx.get_parameter_source(self.name or "") is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"{self.opts[0]} and --odoo-credentials vault exclude each other: leave out one of them.", ctx
            )
        return None

    def is_missing(self, ctx: click.Context, value: object) -> bool:
        """Say whether a value has to be given."""
        return not from_vault(ctx) and not reads_database(ctx) and self.is_empty(value)


def from_vault(context: click.Context) -> bool:
    """Say whether Odoo's address and login come from the Vault; `--odoo-credentials` is read before other options."""
    return context.params.get("odoo_credentials") == "vault"


def reads_database(context: click.Context) -> bool:
    """Say whether records are read in Odoo's own database; the options that say so are read before others."""
    against = context.params.get("against")
    # What was not given is a mark of click's own, and not None, as long as others are parsed.
    return (against if isinstance(against, str) else context.params.get("source")) == SourceKind.DATABASE


class Command(click.Command):
    """A command whose usage error lists all missing settings, not only the first, and says where models are named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options that were typed, and environment variables."""
        typed = list(args)
        self._refuse_arguments(ctx, typed)
        try:
            return super().parse_args(ctx, args)
        except click.MissingParameter:
            given, _, _ = self.make_parser(ctx).parse_args(args=typed)
            missing = [
                item
                for item in self.params
                if item.required and is_missing(item, ctx, item.consume_value(ctx, given)[0])
            ]
            raise missing_settings(missing, ctx) from None

    def _refuse_arguments(self, context: click.Context, typed: list[str]) -> None:
        """Refuse models that were typed without `--models`, before anything that is missing is listed."""
        given, arguments, _ = self.make_parser(context).parse_args(args=list(typed))
        terms = [term.strip() for argument in arguments for term in argument.split(",")]
        if terms and "models" in {item.name for item in self.params} and all(map(_is_models, terms)):
            models = ",".join((*filter(None, [given.get("models")]), *terms))
            raise click.UsageError(f"Models are named by an option: write --models {shlex.quote(models)}.", context)


def _is_models(term: str) -> bool:
    return re.fullmatch(TERM, term) is not None and (term in (ALL, PRIORITY) or not term.isidentifier())


def is_missing(parameter: click.Parameter, context: click.Context, value: object) -> bool:
    """Say whether a required setting has no value."""
    if isinstance(parameter, NeededOption):
        return parameter.is_missing(context, value)
    return parameter.value_is_missing(value)


def missing_settings(parameters: Iterable[click.Parameter], context: click.Context) -> click.UsageError:
    """Return the usage error about settings that are missing, with what may be meant for them."""
    listed = list(parameters)
    named = [f"{item.envvar} ({item.opts[0]})" if item.envvar else item.opts[0] for item in listed]
    what = "these settings are" if len(named) > 1 else "a setting is"
    hints = "".join(f" {_not_read(found, name)}" for name, found in _set_instead(listed))
    return click.UsageError(
        f"{what.capitalize()} missing: {', '.join(named)}. Set the variables, or give the options.{hints}"
        f"{_why_sql(listed)}",
        context,
    )


def _why_sql(missing: Iterable[click.Parameter]) -> str:
    """Explain to somebody who comes with the settings of Supabase's API what the shadow needs instead."""
    key = next((name for name in SERVICE_KEYS if os.environ.get(name)), None)
    is_meant = key is not None and bool(os.environ.get("SUPABASE_URL"))
    return _WHY_SQL.format(key=key) if is_meant and any(item.envvar == _SHADOW for item in missing) else ""


def _set_instead(parameters: Iterable[click.Parameter]) -> Iterator[tuple[str, str]]:
    """Yield missing variables, each with one that is set and not read, and that may be meant for it."""
    read = {variable(name) for name in (*ODOO_LOGIN, *ODOO_OPTIONS, *SHADOW_OPTIONS)} | _VARIABLES_OF_OTHER_TOOLS
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


def variable(option: str) -> str:
    """Return the variable of the same name."""
    return option.strip("-").replace("-", "_").upper()


def warn_of_misspelt_variables() -> None:
    """Warn about variables that are not read and whose names are close to one that is read but not set."""
    names = [*map(variable, (*ODOO_LOGIN, *ODOO_OPTIONS)), NOTIFY_URL, NOTIFY_ALLOW_HTTP]
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
