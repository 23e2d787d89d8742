"""`odoo-shadow take-over`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Unpack

import click
from rich.table import Column, Table

from odoo_shadow.cli.missing import Command
from odoo_shadow.cli.options import (
    ShadowSettings,
    set_up_logging,
    shadow_database,
    shadow_options,
    verbose_option,
)
from odoo_shadow.cli.terminal import console, say
from odoo_shadow.mirror.report_tables import add_row
from odoo_shadow.shadow.take_over import (
    LeftBehind,
    check_movable,
    find_left_behind,
    move_left_behind,
    statements_for_others,
)
from odoo_shadow.shadow.views.public_views import BEFORE
from odoo_shadow.text.amounts import in_bytes

NOT_CONFIRMED = 1


@click.command("take-over", cls=Command)
@shadow_options()
@click.option("--yes", is_flag=True, help="Move without asking; needed where there is no terminal to ask at.")
@verbose_option
@click.pass_context
def take_over(context: click.Context, yes: bool, verbose: bool, **settings: Unpack[ShadowSettings]) -> None:
    """Make room in schema public for the shadow's views.

    Tables, views, sequences and types that another mirror left there under the shadow's names (odoo_shadow_…), and the
    functions get_shadow_watermark and update_shadow_watermark, are moved into schema odoo_shadow_before with their
    rows, indexes, rights and policies: all of them, or none. Somebody else's views that depend on them continue to show
    them. Whatever looks them up by name finds the shadow afterwards: first stop what still writes to them. The views
    of this project's own mirrors stay.

    What would be moved is shown first. To move a table back: ALTER TABLE odoo_shadow_before.… SET SCHEMA public.

    \b
    Exit codes: 0 moved, or nothing to move; 1 not confirmed; 2 it could not be done, and nothing was moved.
    """  # noqa: D301 - click wants a backspace, not a backslash
    set_up_logging(verbose)
    with shadow_database(settings) as shadow:
        with shadow.transaction() as tx:
            found = find_left_behind(tx)
            if found:
                console().print(_as_table(found))
            for statement in statements_for_others(tx, found):
                say(f"{statement};")
            check_movable(tx, found)
        if found and not _is_confirmed(found, yes):
            say("Nothing was moved.", err=True)
            context.exit(NOT_CONFIRMED)
        with shadow.transaction() as tx:
            move_left_behind(tx, found)
    if not found:
        say("Nothing else has the shadow's names in schema public: there is nothing to move.")
        return
    say(
        f"Moved {_counted(found)} into schema {BEFORE}. To create the shadow's views under these names, run "
        "odoo-shadow sync."
    )


def _is_confirmed(found: Sequence[LeftBehind], yes: bool) -> bool:
    if yes:
        return True
    if not sys.stdin.isatty():
        say("There is no terminal to ask at: to move this, give --yes.", err=True)
        return False
    return click.confirm(f"Move {_counted(found)} into schema {BEFORE}?")


def _counted(found: Sequence[LeftBehind]) -> str:
    counts = Counter(item.kind for item in found)
    return ", ".join(f"{number} {kind}{'s' if number > 1 else ''}" for kind, number in sorted(counts.items()))


def _as_table(found: Sequence[LeftBehind]) -> Table:
    table = Table(Column("in schema public", no_wrap=True), "what", "owner")
    for title in ("rows (estimate)", "size"):
        table.add_column(title, justify="right")
    for item in found:
        rows = "" if item.rows is None and item.size is None else "unknown" if item.rows is None else f"{item.rows:,}"
        name = item.qualified.removeprefix("public.")
        add_row(table, name, item.kind, item.owner, rows, "" if item.size is None else in_bytes(item.size))
    return table
