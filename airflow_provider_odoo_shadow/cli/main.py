"""The entry point `odoo-shadow`."""

from __future__ import annotations

import sys
import traceback

import click

from airflow_provider_odoo_shadow import __version__
from airflow_provider_odoo_shadow.cli.ddl import ddl
from airflow_provider_odoo_shadow.cli.doctor import doctor
from airflow_provider_odoo_shadow.cli.models import models
from airflow_provider_odoo_shadow.cli.status import status
from airflow_provider_odoo_shadow.cli.sync import sync
from airflow_provider_odoo_shadow.cli.verify import verify
from airflow_provider_odoo_shadow.job.errors import MirrorConfigurationError
from airflow_provider_odoo_shadow.source.errors import OdooError
from airflow_provider_odoo_shadow.target.errors import ShadowError

COULD_NOT_BEGIN = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="odoo-shadow")
def cli() -> None:
    """Keep a verified, read-only shadow of an Odoo database in PostgreSQL or Supabase.

    Every command reads its connections from the environment or from options of the same names.
    """


for _command in (sync, verify, status, models, doctor, ddl):
    cli.add_command(_command)


def main() -> None:
    """Run the command line; errors are one sentence, with a traceback only after `--verbose`."""
    try:
        cli(standalone_mode=True)
    except (OdooError, ShadowError, MirrorConfigurationError) as error:
        if "--verbose" in sys.argv:
            traceback.print_exc()
        click.echo(f"Error: {error}", err=True)
        sys.exit(COULD_NOT_BEGIN)
