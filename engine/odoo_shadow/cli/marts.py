"""`odoo-shadow marts`: tables for analysts, made by dbt."""

from __future__ import annotations

import click

from odoo_shadow.cli.marts_verify import verify
from odoo_shadow.cli.terminal import say, working
from odoo_shadow.marts.environment import set_up


@click.group()
def marts() -> None:
    """Build tables for analysts from the shadow, with dbt: trial balance, receivables, sales, stock and more."""


@marts.command()
def setup() -> None:
    """Install dbt once, in an environment of its own, from a lock with hashes; nothing is downloaded after that.

    It goes to odoo-shadow in the user's folder of caches (XDG_CACHE_HOME). Not needed if dbt is on PATH, or was
    installed with the extra marts (pip install 'odoo-shadow[marts]').
    """
    with working("Installing dbt"):
        dbt, is_new = set_up()
    say(f"dbt {dbt.version} {'is installed' if is_new else 'was installed before'}: {dbt.program}")


marts.add_command(verify)
