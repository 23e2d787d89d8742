"""A run of `odoo-shadow sync`: its models one after the other, and what is said of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from rich.table import Table
from rich.text import Text

from odoo_shadow.cli.terminal import console, numbers, progress_of, say, working
from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.errors import MassDeletionError, MirrorConfigurationError
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.origin import check_names_in_public
from odoo_shadow.mirror.report_tables import add_row
from odoo_shadow.mirror.run.batches import threads_of, with_sizes
from odoo_shadow.mirror.run.choose import Chosen
from odoo_shadow.mirror.run.closing import Closed, close_run
from odoo_shadow.mirror.run.for_readers import ForReaders, update_for_readers
from odoo_shadow.mirror.run.lost import LOST, lost_tables
from odoo_shadow.mirror.run.outcome import Ending, ModelOutcome, RunOutcome, named_once
from odoo_shadow.mirror.run.plan import SettingsOf, Work, plan_run
from odoo_shadow.mirror.sync.deletions import CANNOT_KNOW
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.mirror.sync.parts import load_in_threads
from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.mirror.sync.result import MirrorResult
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state.registry import find_table
from odoo_shadow.shadow.state.sync_log import entries_of_run
from odoo_shadow.shadow.state.verifications import outcomes_of_run
from odoo_shadow.source.errors import OdooError, OdooUnknownModelError
from odoo_shadow.source.port import Source
from odoo_shadow.text.amounts import counted
from odoo_shadow.text.shown import shown


def mirror_all(
    odoo: Source,
    shadow: ShadowDatabase,
    chosen: Chosen,
    options: MirrorOptions,
    settings: SettingsOf,
    *,
    is_whole_mirror: bool,
    readers: ForReaders,
    as_json: bool,
) -> RunOutcome:
    """Mirror the models that have work, one after the other, and do what comes after them.

    :raises OdooError, ShadowError, MirrorConfigurationError: the run could not be planned.
    """
    run, begun = Run(), time.monotonic()
    models = []
    with odoo.one_moment():
        with working(f"Asking Odoo which of {counted(len(chosen.models), 'model')} have work", err=as_json):
            plan = plan_run(
                odoo,
                shadow,
                chosen,
                run=run,
                options=options,
                settings=settings,
                is_whole_mirror=is_whole_mirror,
                for_readers=readers,
            )
            works = with_sizes(odoo, plan.work, settings)
        for work in works:
            with progress_of(work.model, err=as_json) as show:
                item = _mirror(odoo, shadow, work, run, options, settings(work.model), show)
            if item.error is not None:
                skipped = f"{item.ending}: " if item.ending is Ending.SKIPPED else ""
                say(named_once(item.model, item.error, skipped), err=True)
            elif isinstance(item.done, MirrorResult) and item.done.cannot_know:
                say(f"{item.model}: {CANNOT_KNOW}.", err=as_json)
            models.append(item)
    closed, end_error = _close(odoo, shadow, run, options)
    unfinished = update_for_readers(shadow)
    models, corrected = _as_committed(shadow, run, models)
    models += [ModelOutcome(item.model, Ending.UNCHANGED, item) for item in plan.unchanged]
    if not as_json:
        console().print(_as_table(shadow.schema, models, closed))
    for problem in unfinished:
        say(problem, err=True)
    problems = (*unfinished, *_problems_in_public(shadow))
    seconds = time.monotonic() - begun
    return RunOutcome(
        run.id,
        shadow.schema,
        tuple(models),
        left_out=chosen.left_out,
        closed=tuple(closed),
        end_error=end_error,
        corrected=corrected,
        problems=problems,
        seconds=seconds,
    )


def _mirror(
    odoo: Source,
    shadow: ShadowDatabase,
    work: Work,
    run: Run,
    options: MirrorOptions,
    settings: ModelSettings | None,
    show: Callable[[Progress], None],
) -> ModelOutcome:
    model = work.model
    threads = threads_of(work, odoo.access.kind, at_most=odoo.access.parallel)
    load = mirror_model if threads == 1 else partial(load_in_threads, number=threads)
    try:
        result = load(odoo, shadow, model, run=run, options=options, settings=settings, on_progress=show)
    except OdooUnknownModelError as error:
        return ModelOutcome(model, Ending.SKIPPED, error=str(error))
    except (OdooError, ShadowError, MassDeletionError, MirrorConfigurationError) as error:
        return ModelOutcome(model, Ending.FAILED, error=str(error))
    return ModelOutcome(model, Ending.MIRRORED, result)


def _as_committed(shadow: ShadowDatabase, run: Run, models: Sequence[ModelOutcome]) -> tuple[list[ModelOutcome], int]:
    """Compare what the models did with what the shadow holds of it.

    Failed models get the rows that they have committed; one that has ended well fails if that was lost.

    :return: also how many rows were wrong and repaired.
    """
    done = {item.model: item.done.table for item in models if isinstance(item.done, MirrorResult)}
    with shadow.transaction() as tx:
        entries = {entry.table: entry for entry in entries_of_run(tx, run.id)}
        corrected = sum(item.corrected for item in outcomes_of_run(tx, run.id))
        failed = {item.model: find_table(tx, item.model) for item in models if item.ending is Ending.FAILED}
    lost = lost_tables(entries.values(), done.values())
    found = [_lost(item, shadow.schema) if done.get(item.model) in lost else item for item in models]
    committed = {
        model: RowCounts(entry.rows_inserted, entry.rows_updated, deleted=entry.rows_deleted)
        for model, table in failed.items()
        if table is not None and (entry := entries.get(table)) is not None
    }
    return [replace(item, committed=committed.get(item.model, item.committed)) for item in found], corrected


def _lost(item: ModelOutcome, schema: str) -> ModelOutcome:
    """Say that the shadow does not hold what a model's run has done."""
    error = f"{item.model}: schema {schema}: {LOST}."
    say(error, err=True)
    return ModelOutcome(item.model, Ending.FAILED, error=error)


def _as_table(schema: str, models: Sequence[ModelOutcome], closed: Sequence[Closed]) -> Table:
    counted_as = numbers("inserted", "updated", "unchanged", "deleted", "seconds")
    table = Table("model", "what", *counted_as, title=Text(shown(f"Schema {schema}")))
    words = {Ending.SKIPPED: "skipped: not installed", Ending.FAILED: "FAILED"}
    for item in models:
        if isinstance(item.done, MirrorResult):
            add_row(table, item.model, item.done.kind, *_cells(item.counts), f"{item.done.seconds:.1f}")
        elif item.ending is not Ending.UNCHANGED:
            add_row(table, item.model, words[item.ending])
    for end in closed:
        if end.error is not None:
            add_row(table, end.model, f"FAILED: {end.what}")
        else:
            add_row(table, end.model, end.what, *_cells(end.counts))
    for item in models:
        if item.ending is Ending.UNCHANGED:
            add_row(table, item.model, "unchanged")
    return table


def _close(odoo: Source, shadow: ShadowDatabase, run: Run, options: MirrorOptions) -> tuple[list[Closed], str | None]:
    """Do the end of the run; an error in it does not undo what the models did.

    :return: what was done, and why the rest was not.
    """
    closed = []
    try:
        for end in close_run(odoo, shadow, run=run, options=options):
            closed.append(end)
            if end.error is not None:
                say(str(end), err=True)
    except (OdooError, ShadowError) as error:
        say(f"At the end of the run: {error}", err=True)
        return closed, str(error)
    return closed, None


def _cells(counts: RowCounts) -> tuple[int, int, int, int]:
    return counts.inserted, counts.updated, counts.unchanged, counts.deleted


def _problems_in_public(shadow: ShadowDatabase) -> tuple[str, ...]:
    try:
        check_names_in_public(shadow)
    except ShadowError as error:
        problem = f"The mirrored tables are in schema {shadow.schema}, but: {error}"
        say(problem, err=True)
        return (problem,)
    return ()
