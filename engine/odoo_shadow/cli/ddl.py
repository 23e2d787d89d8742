"""`odoo-shadow ddl`."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import click
from click.core import ParameterSource

from odoo_shadow.cli.missing import Command
from odoo_shadow.cli.odoo_options import odoo_source, optional_odoo_options, require_odoo
from odoo_shadow.cli.options import (
    Connections,
    config_option,
    model_choice,
    models_option,
    set_up_logging,
    shadow_database,
    shadow_options,
    verbose_option,
    warn_unused_settings,
)
from odoo_shadow.cli.terminal import say
from odoo_shadow.mirror.config.known_models import check_listed_names
from odoo_shadow.mirror.config.mirrors_file import MirrorConfig
from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.config.patterns import ALL
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.run.choose import choose_models
from odoo_shadow.mirror.shape.describe import read_layout
from odoo_shadow.mirror.shape.model_index import read_model_index
from odoo_shadow.shadow.columns import Column
from odoo_shadow.shadow.connection.database import check_schema
from odoo_shadow.shadow.ddl_files import (
    BASE_FILE,
    TABLES_FILE,
    ModelTable,
    base_migration,
    tables_migration,
)
from odoo_shadow.source.errors import OdooUnknownModelError
from odoo_shadow.source.port import Source
from odoo_shadow.text.shown import shown


@click.command(cls=Command)
@optional_odoo_options
@shadow_options(required=False)
@config_option
@models_option("the 13 priority models; with --index, all that it lists")
@click.option("--all", "all_models", is_flag=True, help="The same as --models all.")
@click.option(
    "--index",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Read a model index file (JSON) instead of a server; no Odoo connection is needed.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    metavar="FOLDER",
    help="Where to write the files.  [default: the current folder]",
)
@verbose_option
@click.pass_context
def ddl(
    context: click.Context,
    config: MirrorConfig | None,
    models: str | None,
    all_models: bool,
    index: Path | None,
    output: Path,
    verbose: bool,
    **connections: Unpack[Connections],
) -> None:
    """Write the schema as SQL migrations, for psql or supabase db push.

    A sync creates the same objects by itself; this is for people who review migrations first.
    A model index does not say which floats have a fixed precision: each becomes double precision, and a sync widens it
    to numeric. Nor does it contain labels: a sync adds them.
    """
    set_up_logging(verbose)
    if all_models and context.get_parameter_source("models") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--all and --models exclude each other: give one of them.")
    schema = connections["schema"]
    check_schema(schema)
    wanted = ALL if all_models else models
    tables: list[ModelTable]
    if index is not None:
        tables = _indexed_models(index, wanted)
    else:
        require_odoo(context)
        tables = _server_models(connections, wanted, config or MirrorConfig())
    _write(output, {BASE_FILE: base_migration(schema), TABLES_FILE: tables_migration(schema, tables)})


def _indexed_models(path: Path, models: str | None) -> list[ModelTable]:
    indexed = read_model_index(path)
    choice = model_choice(ALL if models is None else models)
    check_listed_names(choice.names, indexed, str(path))
    names = dict.fromkeys((*choice.names, *(name for name in indexed if choice.matches(name))))
    chosen: list[ModelTable] = []
    for name in names:
        item = indexed.get(name)
        reason = f"{path} does not list it" if item is None else item.without_table
        if item is not None and reason is None:
            chosen.append(item)
        else:
            say(f"{name}: skipped: {reason}.", err=True)
    return chosen


def _server_models(connections: Connections, models: str | None, config: MirrorConfig) -> list[ModelTable]:
    # Only its Vault is asked of the shadow's database.
    shadow = shadow_database(connections) if connections["supabase_db_url"] is not None else None
    with nullcontext() if shadow is None else shadow, odoo_source(connections, shadow) as odoo:
        chosen = choose_models(odoo, model_choice(models))
        for left_out in chosen.left_out:
            say(f"{left_out.model}: left out: {left_out.reason}.", err=True)
        warn_unused_settings(config, odoo, chosen)
        tables = (_model_table(odoo, model, config.settings_of(model)) for model in chosen.models)
        return [table for table in tables if table is not None]


def _model_table(odoo: Source, model: str, settings: ModelSettings) -> ModelTable | None:
    try:
        layout = read_layout(odoo, model, settings)
    except OdooUnknownModelError as error:
        say(f"{model}: skipped: {error}", err=True)
        return None
    columns = tuple(_readable(item.column) for item in layout.all_columns)
    label = shown(odoo.readable_models.get(model, ""))
    return ModelTable(model, columns, label=label, name_path=layout.name_path)


def _readable(column: Column) -> Column:
    """Make labels safe to review in a terminal; a sync then stores them exactly as Odoo has them."""
    described = column.description
    selection = tuple((shown(value), shown(label)) for value, label in described.selection)
    return replace(column, description=replace(described, label=shown(described.label), selection=selection))


def _write(output: Path, texts: dict[str, str]) -> None:
    try:
        output.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (output / name).write_text(text, encoding="utf-8")
            say(f"Wrote {output / name}")
    except OSError as error:
        raise MirrorConfigurationError(f"{output} cannot be written: {error.strerror}.") from None
