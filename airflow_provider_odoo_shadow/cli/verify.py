"""`odoo-shadow verify`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import click
from click.core import ParameterSource
from rich.table import Table

from airflow_provider_odoo_shadow.cli.options import (
    Connections,
    config_option,
    model_choice,
    models_option,
    odoo_client,
    odoo_options,
    set_up_logging,
    shadow_database,
    shadow_options,
    verbose_option,
)
from airflow_provider_odoo_shadow.cli.terminal import console, numbers, say
from airflow_provider_odoo_shadow.job.binding import check_binding
from airflow_provider_odoo_shadow.job.closing import reread_due
from airflow_provider_odoo_shadow.job.config import EngineConfig
from airflow_provider_odoo_shadow.job.deletions import CANNOT_KNOW
from airflow_provider_odoo_shadow.job.errors import MassDeletionError, MirrorConfigurationError
from airflow_provider_odoo_shadow.job.identity import check_all
from airflow_provider_odoo_shadow.job.known_models import check_names
from airflow_provider_odoo_shadow.job.models import in_order
from airflow_provider_odoo_shadow.job.refused_fields import REFUSED
from airflow_provider_odoo_shadow.job.report import add_row
from airflow_provider_odoo_shadow.job.run import MirrorOptions, Run
from airflow_provider_odoo_shadow.job.verify import Depth, VerifyOptions, mirrored_models, verify_model
from airflow_provider_odoo_shadow.source.errors import OdooError
from airflow_provider_odoo_shadow.target.compare import Difference
from airflow_provider_odoo_shadow.target.errors import ShadowError
from airflow_provider_odoo_shadow.target.verifications import Verification

SOME_DIFFER = 1


@click.command()
@odoo_options
@shadow_options()
@config_option
@models_option("all that have been mirrored")
@click.option("--quick", is_flag=True, help="Compare only ids and write_date, not every cell.")
@click.option("--repair", is_flag=True, help="Read anew just the rows that differ, and remove those that are gone.")
@click.option("--allow-mass-delete", is_flag=True, help="Let a repair remove a suspicious share of a table.")
@verbose_option
@click.pass_context
def verify(
    context: click.Context,
    config: EngineConfig | None,  # noqa: ARG001 - its values arrive as the other options' defaults
    models: str | None,
    quick: bool,
    repair: bool,
    allow_mass_delete: bool,
    verbose: bool,
    **connections: Unpack[Connections],
) -> None:
    """Compare the shadow with Odoo itself, and say what differs.

    Rows that change while they are compared are looked at again, not reported.

    \b
    missing    in Odoo, not in the shadow
    extra      in the shadow, not in Odoo
    stale      Odoo has a newer version
    differing  the same version, other values; --quick compares write_date only

    \b
    Exit codes: 0 equal (or repaired), 1 something differs or could not be compared, 2 it could not begin.
    """  # noqa: D301 - click wants a backspace, not a backslash
    set_up_logging(verbose)
    wanted = VerifyOptions(Depth.QUICK if quick else Depth.FULL, repair)
    options, run = MirrorOptions(allow_mass_delete=allow_mass_delete), Run()
    table = Table("model", *numbers("rows", *(str(kind) for kind in Difference), "repaired", "seconds"))
    failed, is_equal = 0, True
    with odoo_client(connections) as odoo, shadow_database(connections) as shadow:
        odoo.user_id()
        check_binding(odoo, shadow)
        check_all(odoo, shadow)
        mirrored = mirrored_models(shadow)
        is_typed = context.get_parameter_source("models") is ParameterSource.COMMANDLINE
        names = _chosen(mirrored, models, is_typed=is_typed)
        check_names(odoo, shadow, [name for name in names if name not in mirrored])
        if not names:
            missing = (
                f"No mirrored model matches {models}" if mirrored else f"There is no shadow in schema '{shadow.schema}'"
            )
            raise MirrorConfigurationError(f"{missing}: run odoo-shadow sync first.")
        for model in names:
            try:
                found = verify_model(odoo, shadow, model, run=run, options=options, verify=wanted)
            except (OdooError, ShadowError, MassDeletionError, MirrorConfigurationError) as error:
                say(f"{model}: {error}", err=True)
                add_row(table, model, "FAILED")
                failed += 1
                continue
            _add(table, model, found)
            is_equal = is_equal and found.is_settled
        for closed in reread_due(odoo, shadow, run=run, options=options) if repair else ():
            if closed.error is not None:
                say(str(closed), err=True)
                is_equal = False
    console().print(table)
    what = "ids and write_date" if quick else "every cell"
    verdict = "all is equal" if is_equal else "not all is equal"
    rest = f"; {failed} could not be compared" if failed else ""
    if failed < len(names):
        say(f"Compared {what} of {len(names) - failed} models: {verdict}{rest}.")
    if failed or not is_equal:
        context.exit(SOME_DIFFER)


def _chosen(mirrored: Sequence[str], models: str | None, *, is_typed: bool) -> tuple[str, ...]:
    """Return the mirrored models that are asked for, and those that a person names without there being a table."""
    if models is None:
        return in_order(mirrored)
    choice = model_choice(models)
    typed = set(choice.names) & {term.strip() for term in models.split(",")} if is_typed else set()
    return in_order([*typed, *(model for model in mirrored if choice.matches(model))])


def _add(table: Table, model: str, found: Verification) -> None:
    if found.cannot_know:
        say(f"{model}: {CANNOT_KNOW}")
    if found.not_compared:
        say(f"{model}: {REFUSED}: {', '.join(found.not_compared)}")
    counts = [str(len(found.ids[kind])) for kind in Difference]
    add_row(table, model, str(found.rows), *counts, str(found.repaired or ""), f"{found.seconds:.1f}")
    for kind, ids in found.ids.items():
        if ids:
            shown = ", ".join(map(str, ids[:10])) + (" …" if len(ids) > 10 else "")
            say(f"{model}: {len(ids)} {kind}: {shown}")
