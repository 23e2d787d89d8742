"""`odoo-shadow verify`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Unpack

import click
from click.core import ParameterSource
from rich.table import Table

from odoo_shadow.cli.missing import Command
from odoo_shadow.cli.notify import NotifySettings, about_verification, notify_options, notifying
from odoo_shadow.cli.odoo_options import mirrors_own_source, odoo_options, odoo_source
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
)
from odoo_shadow.cli.terminal import console, numbers, say, say_json
from odoo_shadow.mirror.config.known_models import check_names
from odoo_shadow.mirror.config.mirrors_file import MirrorConfig
from odoo_shadow.mirror.config.patterns import in_order
from odoo_shadow.mirror.errors import MassDeletionError, MirrorConfigurationError
from odoo_shadow.mirror.health.health import no_mirror
from odoo_shadow.mirror.identity import check_all
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.origin import check_binding
from odoo_shadow.mirror.proof.verify import Depth, VerifyOptions, mirrored_models, verify_model
from odoo_shadow.mirror.report_tables import add_row
from odoo_shadow.mirror.run.closing import Closed, reread_due
from odoo_shadow.mirror.run.for_readers import update_for_readers
from odoo_shadow.mirror.shape.refused_fields import REFUSED
from odoo_shadow.mirror.sync.deletions import CANNOT_KNOW
from odoo_shadow.shadow.differences import Difference
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.shadow.state.verifications import MOST_EXAMPLES, Verification
from odoo_shadow.source.errors import OdooError
from odoo_shadow.source.kind import SourceKind
from odoo_shadow.text.amounts import counted, first_of

SOME_DIFFER = 1
_MOST_NAMED = 10


class _Settings(Connections, NotifySettings):
    """The options of both sides and of the webhook."""


@click.command(cls=Command)
@odoo_options
@shadow_options()
@config_option
@models_option("all that have been mirrored")
@click.option(
    "--against",
    type=click.Choice([str(kind) for kind in SourceKind]),
    is_eager=True,
    help="Compare with Odoo's API or with its own database, whichever the mirror is made from.  [default: --source]",
)
@click.option("--quick", is_flag=True, help="Compare only ids and write_date, not every cell.")
@click.option("--repair", is_flag=True, help="Read again only the rows that differ, and remove those that are gone.")
@click.option(
    "--allow-mass-delete", is_flag=True, help="Allow a repair to remove a suspicious share of a table's rows."
)
@notify_options
@json_option
@verbose_option
@click.pass_context
def verify(
    context: click.Context,
    config: MirrorConfig | None,  # noqa: ARG001 - its values arrive as the other options' defaults
    models: str | None,
    against: str | None,
    quick: bool,
    repair: bool,
    allow_mass_delete: bool,
    as_json: bool,
    verbose: bool,
    **connections: Unpack[_Settings],
) -> None:
    """Compare the shadow with Odoo itself, and show what differs.

    Rows that change during the comparison are compared again, not reported. The differing cells of the first rows are
    shown; hashes, and fields that are mirrored although they look like credentials, are masked.

    \b
    missing    in Odoo, not in the shadow
    extra      in the shadow, not in Odoo
    stale      Odoo has a newer version
    differing  the same version, other values; --quick compares write_date only

    The last line says how many of them were written in Odoo after the last sync: the next one reads them.

    \b
    Exit codes: 0 equal (or repaired), 1 something differs or could not be compared, 2 it could not begin.
    """  # noqa: D301 - click wants a backspace, not a backslash
    set_up_logging(verbose)
    if repair and against not in (None, connections["source"]):
        raise click.UsageError(
            f"--repair and --against {against} exclude each other, as long as the mirror is made from "
            f"{connections['source']}: record rules make a difference between both, and a repair would undo it. Leave "
            "out one of them."
        )
    wanted = VerifyOptions(Depth.QUICK if quick else Depth.FULL, repair)
    options, run = MirrorOptions(allow_mass_delete=allow_mass_delete), Run()
    outcome = _Outcome(quick)
    with (
        notifying(connections, "verify", connections["schema"]) as notice,
        shadow_database(connections) as shadow,
        odoo_source(connections, shadow) as odoo,
        mirrors_own_source(connections, odoo) as own,
    ):
        odoo.user_id()
        check_binding(odoo, shadow)
        check_all(odoo, shadow)
        mirrored = mirrored_models(shadow)
        is_typed = context.get_parameter_source("models") is ParameterSource.COMMANDLINE
        names = _chosen(mirrored, models, is_typed=is_typed)
        check_names(odoo, shadow, [name for name in names if name not in mirrored])
        if not names:
            with shadow.transaction() as tx:
                missing = f"No mirrored model matches {models}" if mirrored else no_mirror(tx)
            raise MirrorConfigurationError(f"{missing}: run odoo-shadow sync first.")
        for model in names:
            try:
                found = verify_model(odoo, shadow, model, run=run, options=options, verify=wanted, own=own)
            except (OdooError, ShadowError, MassDeletionError, MirrorConfigurationError) as error:
                outcome.failed[model] = str(error)
                say(f"{model}: {error}", err=True)
                continue
            outcome.found[model] = found
            if not as_json:
                _print(model, found)
        if repair:
            outcome.note_end(reread_due(odoo, shadow, run=run, options=options))
            outcome.note_unfinished(update_for_readers(shadow))
    if as_json:
        say_json(outcome.as_document())
    else:
        console().print(outcome.as_table())
        if outcome.found:
            say(outcome.verdict)
    notice.send(outcome.told)
    if not outcome.is_good:
        context.exit(SOME_DIFFER)


@dataclass
class _Outcome:
    """What was found, by model.

    :param failed: why a model could not be compared.
    :param failed_after: what could not be read again after a repair.
    """

    quick: bool
    found: dict[str, Verification] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    failed_after: list[str] = field(default_factory=list)

    def note_end(self, done: Iterable[Closed]) -> None:
        """Do what comes after the models; a failure there does not change what was found."""
        try:
            for closed in done:
                if closed.error is not None:
                    self._note_failure(str(closed))
        except (OdooError, ShadowError) as error:
            self._note_failure(f"Rows that point to removed rows: {error}")

    def note_unfinished(self, problems: Iterable[str]) -> None:
        """Note what readers would wrongly see, or not see."""
        for problem in problems:
            self._note_failure(problem)

    def _note_failure(self, problem: str) -> None:
        self.failed_after.append(problem)
        say(problem, err=True)

    @property
    def is_good(self) -> bool:
        return not self.failed and not self.failed_after and all(item.is_settled for item in self.found.values())

    @property
    def repaired(self) -> int:
        return sum(item.repaired for item in self.found.values())

    @property
    def verdict(self) -> str:
        """Return the result in one line; a row that was repaired was wrong until now."""
        what = "ids and write_date" if self.quick else "every cell"
        differed = sum(item.differences for item in self.found.values())
        left, newer = differed - self.repaired, sum(item.newer for item in self.found.values())
        corrected = sum(item.corrected for item in self.found.values())
        said = "all is equal"
        if differed:
            said = f"not all is equal: {counted(left, 'row differs', 'rows differ')}" if left else "all is equal now"
        if corrected:
            was_wrong = counted(corrected, "row was wrong", "rows were wrong")
            said += f"; {was_wrong} in the shadow until now and {'is' if corrected == 1 else 'are'} repaired"
        if newer:
            said += f"; {counted(newer, 'row was', 'rows were')} written in Odoo after the last sync"
        if explained := sum(len(item.explained) for item in self.found.values()):
            said += f"; {counted(explained, 'row differs', 'rows differ')} between the two sources"
        rest = f"; {len(self.failed)} could not be compared" if self.failed else ""
        return f"Compared {what} of {counted(len(self.found), 'model')}: {said}{rest}."

    @property
    def told(self) -> str | None:
        """What to tell a webhook, None if there is nothing to tell."""
        return about_verification(
            is_good=self.is_good,
            compared=len(self.found),
            left={item.table: left for item in self.found.values() if (left := item.differences - item.repaired)},
            corrected=sum(item.corrected for item in self.found.values()),
            failed=self.failed,
        )

    def as_table(self) -> Table:
        table = Table("model", *numbers("rows", *(str(kind) for kind in Difference), "repaired", "seconds"))
        for model in in_order((*self.found, *self.failed)):
            if model in self.failed:
                add_row(table, model, "FAILED")
                continue
            item = self.found[model]
            counts = [str(len(item.ids[kind])) for kind in Difference]
            add_row(table, model, str(item.rows), *counts, str(item.repaired or ""), f"{item.seconds:.1f}")
        return table

    def as_document(self) -> dict[str, object]:
        return {
            "compares": "ids and write_date" if self.quick else "every cell",
            "is_equal": self.is_good,
            "repaired": self.repaired,
            "models": [_as_entry(model, item) for model, item in self.found.items()],
            "failed": [{"model": model, "problem": problem} for model, problem in self.failed.items()],
            "failed_after_repair": self.failed_after,
        }


def _as_entry(model: str, found: Verification) -> dict[str, object]:
    return {
        "model": model,
        "table": found.table,
        "rows": found.rows,
        **{str(kind): len(ids) for kind, ids in found.ids.items()},
        "ids": {str(kind): list(ids[:MOST_EXAMPLES]) for kind, ids in found.ids.items()},
        "cells": [asdict(item) for item in found.cells],
        "newer": found.newer,
        "repaired": found.repaired,
        "explained": len(found.explained),
        "not_compared": found.not_compared,
        "cannot_know": found.cannot_know,
        "seconds": round(found.seconds, 3),
    }


def _chosen(mirrored: Sequence[str], models: str | None, *, is_typed: bool) -> tuple[str, ...]:
    """Return the mirrored models that were chosen, and those that a person has named although they have no table."""
    if models is None:
        return in_order(mirrored)
    choice = model_choice(models)
    typed = set(choice.names) & {term.strip() for term in models.split(",")} if is_typed else set()
    return in_order([*typed, *(model for model in mirrored if choice.matches(model))])


def _print(model: str, found: Verification) -> None:
    if found.cannot_know:
        say(f"{model}: {CANNOT_KNOW}")
    if found.not_compared:
        say(f"{model}: {REFUSED}: {', '.join(found.not_compared)}")
    for kind, ids in found.ids.items():
        if ids:
            say(f"{model}: {len(ids)} {kind}: {first_of(ids, _MOST_NAMED)}")
    if found.explained:
        rows = counted(len(found.explained), "row is", "rows are")
        say(
            f"{model}: {rows} as the mirror's own source says, which record rules, groups and archived records make "
            f"differ: {first_of(found.explained, _MOST_NAMED)}"
        )
    for item in found.cells:
        say(f"{model} {item}")
