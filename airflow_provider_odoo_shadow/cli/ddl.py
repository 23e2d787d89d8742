"""`odoo-shadow ddl`."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from airflow_provider_odoo_shadow.cli.options import (
    OdooSettings,
    chosen_models,
    models_option,
    odoo_client,
    optional_odoo_options,
    require_odoo,
    set_up_logging,
    verbose_option,
)
from airflow_provider_odoo_shadow.job.errors import MirrorConfigurationError
from airflow_provider_odoo_shadow.job.mirror import read_layout
from airflow_provider_odoo_shadow.job.model_index import IndexedModel, index_migration, read_model_index
from airflow_provider_odoo_shadow.source.client import OdooClient
from airflow_provider_odoo_shadow.source.errors import OdooUnknownModelError
from airflow_provider_odoo_shadow.target.database import DEFAULT_SCHEMA
from airflow_provider_odoo_shadow.target.migrations import (
    BASE_FILE,
    TABLES_FILE,
    ModelTable,
    base_migration,
    tables_migration,
)


@click.command()
@optional_odoo_options
@models_option("the 13 priority models; with --index, all that it lists")
@click.option("--all", "all_models", is_flag=True, help="Every model that --index lists.")
@click.option(
    "--index",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Read a model index file (JSON) instead of a server; no Odoo connection is needed.",
)
@click.option("--schema", default=DEFAULT_SCHEMA, show_default=True, help="The schema that holds the shadow.")
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
    models: str | None,
    all_models: bool,
    index: Path | None,
    schema: str,
    output: Path,
    verbose: bool,
    **odoo_settings: Unpack[OdooSettings],
) -> None:
    """Write the schema as SQL migrations, for psql or supabase db push.

    A sync makes the same by itself; this is for people who review migrations first.
    An index does not tell which floats are exact: each becomes double precision, which a sync widens.
    """
    set_up_logging(verbose)
    _check_choice(models, index, all_models=all_models)
    if index is not None:
        tables = index_migration(schema, _indexed_models(index, models))
    else:
        require_odoo(context)
        tables = tables_migration(schema, _server_models(odoo_settings, models))
    _write(output, {BASE_FILE: base_migration(schema), TABLES_FILE: tables})


def _check_choice(models: str | None, index: Path | None, *, all_models: bool) -> None:
    if all_models and models is not None:
        raise click.UsageError("--all and --models exclude each other: give one of them.")
    if all_models and index is None:
        raise click.UsageError("--all needs --index FILE: from a server, name the models with --models.")


def _indexed_models(path: Path, models: str | None) -> list[IndexedModel]:
    indexed = read_model_index(path)
    chosen = []
    for name in indexed if models is None else chosen_models(models):
        item = indexed.get(name)
        reason = f"{path} does not list it" if item is None else item.without_table
        if item is not None and reason is None:
            chosen.append(item)
        else:
            click.echo(f"{name if name.isprintable() else repr(name)}: skipped: {reason}.", err=True)
    return chosen


def _server_models(odoo_settings: OdooSettings, models: str | None) -> list[ModelTable]:
    names = chosen_models(models)
    with odoo_client(odoo_settings) as odoo:
        return [table for table in (_model_table(odoo, model) for model in names) if table is not None]


def _model_table(odoo: OdooClient, model: str) -> ModelTable | None:
    try:
        layout = read_layout(odoo, model)
    except OdooUnknownModelError as error:
        click.echo(f"{model}: skipped: {error}", err=True)
        return None
    return ModelTable(model, tuple(item.column for item in layout.columns))


def _write(output: Path, texts: dict[str, str]) -> None:
    try:
        output.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (output / name).write_text(text, encoding="utf-8")
            click.echo(f"Wrote {output / name}")
    except OSError as error:
        raise MirrorConfigurationError(f"{output} cannot be written: {error.strerror}.") from None
