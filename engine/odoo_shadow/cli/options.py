"""Options that several commands share, and what they are turned into."""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import click
from rich.logging import RichHandler

from odoo_shadow.cli.odoo_options import OdooSettings, option_with_variable
from odoo_shadow.cli.terminal import console, say
from odoo_shadow.mirror.clock import DEFAULT_LOOK_BACK
from odoo_shadow.mirror.config.mirrors_file import MirrorConfig, read_mirror
from odoo_shadow.mirror.config.patterns import PRIORITY, ModelChoice
from odoo_shadow.mirror.config.record_rules import KNOWN
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.health.health import only_elsewhere
from odoo_shadow.mirror.options import LONGEST_LOOK_BACK
from odoo_shadow.mirror.run.choose import Chosen
from odoo_shadow.mirror.run.for_readers import ForReaders
from odoo_shadow.shadow.access.mode import RowLevelSecurity
from odoo_shadow.shadow.connection.database import DEFAULT_SCHEMA, ShadowDatabase
from odoo_shadow.shadow.trust import Trust
from odoo_shadow.source.port import Source
from odoo_shadow.text.log import as_text

Function = TypeVar("Function", bound=Callable[..., Any])
Shadow = TypeVar("Shadow", bound=ShadowDatabase)


class BoundedNumber(click.FloatRange):
    """A number between bounds. `nan` is refused here, since comparing it with the bounds does not."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Convert what was typed; a value that is not a number is a usage error."""
        number = super().convert(value, param, ctx)
        return self.fail(f"{value!r} is not a number.", param, ctx) if math.isnan(number) else number


_SCHEMA = click.option("--schema", default=DEFAULT_SCHEMA, show_default=True, help="The schema that holds the shadow.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
_VERBOSE = click.option("--verbose", is_flag=True, help="Log every step, and show tracebacks.")


def shadow_options(*, required: bool = True) -> Callable[[Function], Function]:
    """Add the options of the shadow database."""
    about = "The PostgreSQL or Supabase database of the shadow."
    options = (
        option_with_variable("--supabase-db-url", required=required, metavar="URL", help=about),
        _SCHEMA,
        option_with_variable(
            "--trusted-roles",
            callback=_listed,
            metavar="A,B",
            help="Roles that may own the shadow's schema and tables, in addition to this one and superusers.",
        ),
        option_with_variable(
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
        "Which models: names, patterns such as sale.*, exclusions such as !mail.*, priority, business or all, "
        f"separated by commas.  [default: {default}]"
    )
    return click.option("--models", metavar="A,B", help=text)


def model_choice(models: str | None) -> ModelChoice:
    """Read `--models`. Raises `MirrorConfigurationError`."""
    return ModelChoice.parse(PRIORITY if models is None else models)


def readers_options(command: Function) -> Function:
    """Add the options about what readers get."""
    options = (
        click.option(
            "--row-level-security",
            type=click.Choice([str(choice) for choice in RowLevelSecurity]),
            help="Which rows those who query the shadow see: those of their companies, or all (none)."
            "  [default: as in the last run; none in the first run]",
        ),
        click.option(
            "--realtime-broadcast/--no-realtime-broadcast",
            default=None,
            help="Tell Supabase Realtime at the end which tables have changed.  [default: as in the last run]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def for_readers(row_level_security: str | None, realtime_broadcast: bool | None) -> ForReaders:
    """Return what these options say."""
    return ForReaders(RowLevelSecurity(row_level_security) if row_level_security else None, realtime_broadcast)


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
        "odoo_credentials": str(config.odoo_credentials),
        "source": str(config.source),
        KNOWN: config.i_know_that_record_rules_do_not_apply,
        "realtime_broadcast": config.realtime_broadcast,
        "time_zone": config.time_zone,
        "embeddings": config.embeddings,
        "row_level_security": None if config.row_level_security is None else str(config.row_level_security),
    }
    return config


def _path_and_mirror(value: str) -> tuple[Path, str | None]:
    """Split `FILE[:MIRROR]`; the file's name may contain a colon, too."""
    path, _, name = value.rpartition(":")
    is_part = path and not Path(value).is_file() and "/" not in name
    return (Path(path), name or None) if is_part else (Path(value), None)


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
    return shadow_as(ShadowDatabase, settings)


def shadow_as(kind: type[Shadow], settings: ShadowSettings) -> Shadow:
    """Build a shadow database of some kind. Raises `MirrorConfigurationError`."""
    url = settings["supabase_db_url"]
    if not url.strip():  # libpq would take its own defaults
        raise MirrorConfigurationError("SUPABASE_DB_URL is empty: set it to the URL of the shadow database.")
    trust = Trust(settings["trusted_roles"], settings["agreed_objects"])
    return kind.from_url(url, schema=settings["schema"], trust=trust)


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
