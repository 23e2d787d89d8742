"""Mirrors one model: Odoo → pages → rows → staging → table → watermark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from odoo_shadow.mirror.config.model_settings import ModelSettings, read_as
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.identity import check_model
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.origin import bind
from odoo_shadow.mirror.shape.describe import read_layout
from odoo_shadow.mirror.shape.hash_keys import key_of
from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.mirror.shape.refused_fields import leave_out_refused, without_refused
from odoo_shadow.mirror.sync.model_run import ModelRun
from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.mirror.sync.result import MirrorResult
from odoo_shadow.mirror.sync.table_hold import hold_table
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state import registry, sync_log
from odoo_shadow.shadow.state.lease import is_free
from odoo_shadow.shadow.state.scan_ranges import read_ranges
from odoo_shadow.shadow.tables.ids import LiveIds
from odoo_shadow.source.errors import OdooError, OdooUnknownModelError
from odoo_shadow.source.port import Source
from odoo_shadow.text.amounts import counted
from odoo_shadow.text.errors import class_of
from odoo_shadow.text.log import logger

log = logger(__name__)


def no_replay(table: str) -> datetime | None:  # noqa: ARG001 - the signature of `replay_from`
    """Begin at the table's own watermark."""
    return None


def no_report(progress: Progress) -> None:
    """Ignore the progress."""


@dataclass(frozen=True)
class OpenedModel:
    """What a run has to know of a model before it takes its table.

    :param kept: how its last run read it.
    :param reading: the text of `read_as`: what decides which values Odoo gives now.
    :param options: with what they leave to the last run.
    """

    layout: Layout
    kept: registry.ReadSettings
    reading: str
    options: MirrorOptions


def mirror_model(
    odoo: Source,
    shadow: ShadowDatabase,
    model: str,
    *,
    run: Run,
    options: MirrorOptions,
    settings: ModelSettings | None = None,
    replay_from: Callable[[str], datetime | None] = no_replay,
    on_progress: Callable[[Progress], None] = no_report,
) -> MirrorResult:
    """Bring one model's table up to date.

    Every page is committed with its checkpoint: whenever this ends, the next call goes on from there.

    :param settings: how this model is mirrored; None for as in the last run.
    :param replay_from: for a table, where to begin, if that is earlier than the table's own watermark.
    :raises OdooUnknownModelError: the model is not installed; logged as `skipped`.
    :raises OdooUnreadableRecordsError: Odoo could not give some records; all others are there.
    :raises RefusedRecordsError: some records do not fit the table; all others are there.
    :raises MirrorConfigurationError: the settings do not fit the model.
    :raises MassDeletionError: a suspicious share of the rows is gone from Odoo; none was removed.
    :raises OdooError: Odoo could not be read.
    :raises ShadowError: the shadow could not be written.
    """
    calls_before = odoo.calls
    opened = open_model(odoo, shadow, model, run=run, options=options, settings=settings)
    with hold_table(shadow, model, run, opened.options, entry_metadata(odoo, options)) as hold:

        def execute(layout: Layout) -> MirrorResult:
            model_run = ModelRun(odoo, hold, layout, opened.reading, opened.options, on_progress)
            return model_run.execute(opened.kept, replay_from(hold.table))

        result = without_refused(odoo, opened.layout, execute, known=opened.kept.unreadable_fields)
    return replace(result, calls=odoo.calls - calls_before)


def entry_metadata(odoo: Source, options: MirrorOptions) -> dict[str, object]:
    """Return what a run's log entry says of it."""
    return {"full": options.full, "odoo": odoo.protocol}


def open_model(
    odoo: Source,
    shadow: ShadowDatabase,
    model: str,
    *,
    run: Run,
    options: MirrorOptions,
    settings: ModelSettings | None,
) -> OpenedModel:
    """Find out what a model's table looks like; a model for which that fails is logged.

    :raises OdooUnknownModelError: the model is not installed; logged as `skipped`.
    :raises MirrorConfigurationError: the settings do not fit the model.
    :raises OdooError, ShadowError: one side could not be asked.
    """
    bind(odoo, shadow, [model])
    with shadow.transaction() as tx:
        ranges = read_ranges(tx, registry.name_table(tx, model))
    if not any(item.run_id == run.id for item in ranges):  # else the rows are this run's own: compared at its end
        check_model(odoo, shadow, model, full=options.full)
    with shadow.transaction() as tx:
        kept = registry.read_settings(tx, registry.name_table(tx, model))
        wanted = ModelSettings.from_text(kept.settings) if settings is None else settings
        key_id = key_of(tx, odoo.access.hash_secret) if wanted.hashed_fields else None
    reading = read_as(odoo.access, wanted, key_id)
    is_known = kept.read_as == reading and not (kept.has_failed or kept.unreadable)
    try:
        layout = read_layout(odoo, model, wanted, unreadable=None if not is_known or options.full else ())
        for name in sorted(layout.not_given.keys() - kept.unreadable_fields):
            log.warning("%s: %s is left out: %s.", model, name, layout.not_given[name])
        layout = leave_out_refused(odoo, shadow, layout, kept, reading, full=options.full)
    except (OdooError, MirrorConfigurationError) as error:
        _log_unopened(shadow, run, model, error)
        raise
    return OpenedModel(layout, kept, reading, options.resolved(kept.on_delete))


def _log_unopened(shadow: ShadowDatabase, run: Run, model: str, error: Exception) -> None:
    is_unknown = isinstance(error, OdooUnknownModelError)
    status, message = "skipped" if is_unknown else "error", str(error)
    with shadow.transaction() as tx:
        table = registry.name_table(tx, model) if is_unknown else registry.register_table(tx, model)
        if is_free(tx, table):
            sync_log.close_left_open(tx, table)
        rows = LiveIds.of(tx, table).total(tx)
        if is_unknown and rows:
            stay = counted(rows, "row stays as it is", "rows stay as they are")
            message = f"{message} Of what was mirrored before, {stay}."
            log.warning("%s", message)
        sync_log.log_unopened(tx, run.id, table, status, message, class_of(error))
        if not is_unknown:
            registry.note_failure(tx, table, message)
