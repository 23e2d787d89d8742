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
    odoo_options,
    set_up_logging,
    verbose_option,
)
from airflow_provider_odoo_shadow.job.errors import MirrorConfigurationError
from airflow_provider_odoo_shadow.job.mirror import read_layout
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
@odoo_options
@models_option("the 13 priority models")
@click.option("--schema", default=DEFAULT_SCHEMA, show_default=True, help="The schema that holds the shadow.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    metavar="FOLDER",
    help="Where to write the files.  [default: the current folder]",
)
@verbose_option
def ddl(models: str | None, schema: str, output: Path, verbose: bool, **odoo_settings: Unpack[OdooSettings]) -> None:
    """Write the schema as SQL migrations, for psql or supabase db push.

    A sync makes the same by itself; this is for people who review migrations first.
    """
    set_up_logging(verbose)
    names = chosen_models(models)
    with odoo_client(odoo_settings) as odoo:
        tables = [table for table in (_model_table(odoo, model) for model in names) if table is not None]
    texts = {BASE_FILE: base_migration(schema), TABLES_FILE: tables_migration(schema, tables)}
    try:
        output.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (output / name).write_text(text, encoding="utf-8")
            click.echo(f"Wrote {output / name}")
    except OSError as error:
        raise MirrorConfigurationError(f"{output} cannot be written: {error.strerror}.") from None


def _model_table(odoo: OdooClient, model: str) -> ModelTable | None:
    try:
        layout = read_layout(odoo, model)
    except OdooUnknownModelError as error:
        click.echo(f"{model}: skipped: {error}", err=True)
        return None
    return ModelTable(model, tuple(item.column for item in layout.columns))
