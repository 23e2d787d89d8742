"""`odoo-shadow models`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Unpack

import click
from rich.table import Table

from odoo_shadow.cli.missing import Command
from odoo_shadow.cli.odoo_options import odoo_options, odoo_source
from odoo_shadow.cli.options import (
    Connections,
    config_option,
    json_option,
    model_choice,
    models_option,
    set_up_logging,
    shadow_database,
    shadow_options,
    verbose_option,
    warn_only_elsewhere,
    warn_unused_settings,
)
from odoo_shadow.cli.terminal import console, numbers, say, say_json, working
from odoo_shadow.mirror.config.mirrors_file import MirrorConfig
from odoo_shadow.mirror.health.inventory import ModelEntry, take_inventory
from odoo_shadow.mirror.report_tables import add_row
from odoo_shadow.mirror.run.choose import Chosen, choose_models
from odoo_shadow.text.amounts import counted, in_bytes


@click.command(cls=Command)
@odoo_options
@shadow_options(required=False)
@config_option
@models_option("the 13 priority models")
@click.option("--why", is_flag=True, help="Also list the models and fields that are left out, and why.")
@json_option
@verbose_option
def models(
    config: MirrorConfig | None,
    models: str | None,
    why: bool,
    as_json: bool,
    verbose: bool,
    **connections: Unpack[Connections],
) -> None:
    """Show what would be mirrored: rows, columns, size, last sync; and what is left out.

    Nothing is written. Without a shadow database sizes are estimates, marked with a ~.

    \b
    Examples:
        odoo-shadow models --models all --why
        odoo-shadow models --models 'sale.*,!sale.report' --json
    """  # noqa: D301 - click wants a backspace, not a backslash
    set_up_logging(verbose)
    choice, settings = model_choice(models), (config or MirrorConfig()).settings_of
    shadow = shadow_database(connections) if connections["supabase_db_url"] is not None else None
    with odoo_source(connections, shadow) as odoo:
        odoo.user_id()
        with working("Asking Odoo"):
            chosen = choose_models(odoo, choice, shadow)
            warn_unused_settings(config, odoo, chosen)
            entries = take_inventory(odoo, shadow, chosen.models, settings)
    if shadow is not None:
        with shadow:
            warn_only_elsewhere(shadow)
    if as_json:
        say_json(_as_document(entries, chosen))
        return
    console().print(_as_table(entries))
    if why:
        console().print(_left_out(entries, chosen))
    elif chosen.left_out:
        left_out = counted(len(chosen.left_out), "model is left out", "models are left out")
        say(f"{left_out}; --why shows why.")


def _as_document(entries: list[ModelEntry], chosen: Chosen) -> dict[str, list[dict[str, object]]]:
    return {"models": [asdict(item) for item in entries], "left_out": [asdict(item) for item in chosen.left_out]}


def _as_table(entries: list[ModelEntry]) -> Table:
    has_hidden = any(item.hidden_rows is not None for item in entries)
    beyond = ["not seen by API"] if has_hidden else []
    table = Table("model", "table", *numbers("rows", *beyond, "columns", "size", "rows mirrored"), "last sync")
    blank = [""] * len(beyond)
    for item in entries:
        if item.problem is not None:
            add_row(table, item.model, item.table, "", *blank, "", "", "", item.problem)
            continue
        synced = f"{item.last_sync_at:%Y-%m-%d %H:%M} UTC" if item.last_sync_at else "never"
        size = ("~" if item.size_is_guess else "") + in_bytes(item.size or 0)
        mirrored = "" if item.rows_mirrored is None else str(item.rows_mirrored)
        hidden = [str(item.hidden_rows or "")] if has_hidden else []
        add_row(table, item.model, item.table, str(item.rows), *hidden, str(item.columns), size, mirrored, synced)
    known = [item for item in entries if item.problem is None]
    total = in_bytes(sum(item.size or 0 for item in known))
    rows, columns, unseen = (_total(known, name) for name in ("rows", "columns", "hidden_rows"))
    table.add_section()
    hidden = [str(unseen)] if has_hidden else []
    add_row(table, counted(len(entries), "model"), "", str(rows), *hidden, str(columns), total, "", "")
    return table


def _total(entries: list[ModelEntry], name: str) -> int:
    return sum(getattr(item, name) or 0 for item in entries)


def _left_out(entries: list[ModelEntry], chosen: Chosen) -> Table:
    table = Table("left out", "because", title="What is left out")
    for item in chosen.left_out:
        add_row(table, item.model, item.reason)
    for entry in entries:
        for field, reason in entry.left_out_because.items():
            add_row(table, f"{entry.model}, field {field}", reason)
        for field in entry.hidden_fields:
            add_row(
                table, f"{entry.model}, field {field}", "mirrored, although its groups hide it from the API's login"
            )
        for field in entry.refused_fields:
            add_row(table, f"{entry.model}, field {field}", "Odoo does not return records with it to this login")
    return table
