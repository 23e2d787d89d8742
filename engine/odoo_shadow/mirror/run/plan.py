"""Finds out which models of a run have work, with at most two calls per model.

A model has no work if nothing was written in its window, both sides have the same number of records, its fields and
settings have not changed, and its last run succeeded. Its watermark advances as a run would have advanced it: Odoo's
clock is read before anything else, so what is committed later is in the next window.

Where the source knows the versions of records, these are compared instead of windows and numbers.

Models whose changes no count shows always have work: those without a `write_date`, and those with fields that Odoo does
not store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from odoo_shadow.mirror.clock import lies_ahead
from odoo_shadow.mirror.config.model_settings import ModelSettings, read_as, unmatched_patterns
from odoo_shadow.mirror.identity import check_run
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.origin import bind
from odoo_shadow.mirror.run.choose import Chosen
from odoo_shadow.mirror.run.for_readers import AS_BEFORE, ForReaders, begin_for_readers
from odoo_shadow.mirror.shape.hash_keys import known_key
from odoo_shadow.mirror.shape.secrets import RULES
from odoo_shadow.mirror.sync.changed_blocks import as_versions
from odoo_shadow.mirror.sync.kept_settings import labels_from
from odoo_shadow.mirror.sync.model import no_replay
from odoo_shadow.mirror.sync.window import low_end
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state.left_out import note_left_out_models
from odoo_shadow.shadow.state.planning import TableState, note_planned, pass_over, read_states
from odoo_shadow.shadow.state.registry import register_table
from odoo_shadow.shadow.state.versions import StoredVersions, read_versions
from odoo_shadow.shadow.state.watermarks import Watermark
from odoo_shadow.source.errors import ERRORS_OF_ONE_MODEL
from odoo_shadow.source.fields import FieldsState
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import COMPANIES, TRANSLATIONS, Reading, Where
from odoo_shadow.source.record_names import names_digest
from odoo_shadow.source.versions import BLOCK_IDS
from odoo_shadow.text.amounts import counted
from odoo_shadow.text.log import logger

log = logger(__name__)

_IDS_PER_RECORD = 20
"""About how many ids are read in the time of one record."""
_REGISTERED_AT_ONCE = 20
"""Tables per transaction; other runs wait for it when they register theirs."""


@dataclass(frozen=True)
class Work:
    """A model that a run has to mirror, and why.

    :param rows: about how many records the run will read of it; None if that is not known.
    :param is_first_load: whether its table has never been complete.
    :param present: how many rows the table has, of an earlier try that the run goes on with.
    """

    model: str
    reason: str
    rows: int | None = None
    is_first_load: bool = False
    present: int = 0


@dataclass(frozen=True)
class Unchanged:
    """A model without work, and its advanced watermark."""

    model: str
    table: str
    watermark: Watermark


@dataclass(frozen=True)
class Plan:
    """The models with and without work, each in the order of the mirror."""

    work: tuple[Work, ...]
    unchanged: tuple[Unchanged, ...] = ()

    def __str__(self) -> str:
        """Return one line for a log."""
        work = counted(len(self.work), "model has work", "models have work")
        return f"{work}, {counted(len(self.unchanged), 'is', 'are')} unchanged"


SettingsOf: TypeAlias = Callable[[str], ModelSettings | None]
"""Returns the settings of a model; None for those of its last run."""


def as_in_last_run(model: str) -> ModelSettings | None:  # noqa: ARG001 - the signature of `settings`
    """Keep the settings of every model's last run."""
    return None


def plan_run(
    odoo: Source,
    shadow: ShadowDatabase,
    chosen: Chosen,
    *,
    run: Run,
    options: MirrorOptions,
    settings: SettingsOf = as_in_last_run,
    replay_from: Callable[[str], datetime | None] = no_replay,
    is_whole_mirror: bool = True,
    for_readers: ForReaders = AS_BEFORE,
) -> Plan:
    """Find the chosen models that have work; advance the watermarks of the others and log them.

    :param replay_from: for a table, where to begin, if that is earlier than the table's own watermark.
    :param is_whole_mirror: whether all models were chosen from that the mirror takes; then what is left out is noted.
    :param for_readers: what readers get, from before the first row is read.
    :raises OdooError: Odoo could not be asked at all; an error of one model is left to its own run.
    :raises ShadowError: the shadow could not be read or written.
    """
    bind(odoo, shadow, chosen.models)
    begin_for_readers(shadow, for_readers)
    check_run(odoo, shadow, chosen.models, full=options.full)
    clock, models = odoo.clock(), chosen.models
    with shadow.transaction() as tx:
        states, key_id = read_states(tx, models), known_key(tx, odoo.access.hash_secret)
        versions = read_versions(tx, [state.table for state in states.values()])
    unknown = [model for model in models if model not in chosen.fields]
    fields = {**chosen.fields, **(odoo.field_states(unknown) if unknown else {})}
    kept = {model: state.settings.settings for model, state in states.items()}
    warn_unmatched_patterns(
        {model: settings(model) or ModelSettings.from_text(kept.get(model)) for model in models},
        fields,
    )
    labels = _labels(odoo, states.values())
    planner = _Planner(odoo, options, settings, key_id, states, fields, labels, odoo.clock().latest, versions)
    works = {model: planner.known_work(model) for model in models}
    unclear = [model for model, work in works.items() if work is None]
    lows = [planner.low(model, replay_from) for model in unclear]
    with ThreadPoolExecutor(odoo.access.parallel, thread_name_prefix="odoo-plan") as pool:
        works |= zip(unclear, pool.map(planner.difference, unclear, lows), strict=True)
    watermarks = {states[model].table: states[model].watermark for model in models if works[model] is None}
    idle = {table: watermark for table, watermark in watermarks.items() if watermark is not None}
    with shadow.transaction() as tx:
        advanced = pass_over(tx, run.id, idle, clock.trusted)
        if is_whole_mirror:
            note_left_out_models(tx, {item.model: item.reason for item in chosen.left_out})
    plan = _plan(works, states, advanced)
    _note(shadow, plan, fields)
    return plan


def warn_unmatched_patterns(settings: Mapping[str, ModelSettings], fields: Mapping[str, FieldsState]) -> None:
    """Warn of patterns that protect nothing, whether their models have work or not."""
    for warning in unmatched_patterns(settings, {model: state.names for model, state in fields.items()}):
        log.warning("%s.", warning)


def warn_unmatched_patterns_of(odoo: Source, models: Sequence[str], settings: SettingsOf) -> None:
    """Warn of patterns that protect nothing, where no run is planned. Raises an `OdooError`."""
    given = {model: found for model in models if (found := settings(model)) is not None}
    if given:
        warn_unmatched_patterns(given, odoo.field_states(list(given)))


def _labels(odoo: Source, states: Iterable[TableState]) -> dict[str, list[str]]:
    """Return the current languages and companies, each only if some table has values by them."""
    kinds = {kind for state in states for kind in labels_from(state.settings.variants)}
    readers = {TRANSLATIONS: odoo.languages, COMPANIES: odoo.companies}
    return {kind: list(readers[kind]()) for kind in kinds}


def _plan(
    works: Mapping[str, Work | None], states: Mapping[str, TableState], advanced: Mapping[str, Watermark]
) -> Plan:
    planned, unchanged = [], []
    for model, work in works.items():
        table = states[model].table if work is None else ""
        if table in advanced:
            unchanged.append(Unchanged(model, table, advanced[table]))
        else:
            planned.append(work or Work(model, "another run is writing it", 0))
    return Plan(tuple(planned), tuple(unchanged))


def _note(shadow: ShadowDatabase, plan: Plan, fields: Mapping[str, FieldsState]) -> None:
    """Store the plan; models that the server does not show get no entry."""
    known = [item.model for item in plan.work if item.model in fields]
    for start in range(0, len(known), _REGISTERED_AT_ONCE):
        some = known[start : start + _REGISTERED_AT_ONCE]
        with shadow.transaction() as tx:
            for model in some:
                register_table(tx, model)
            note_planned(tx, {model: _digest(fields[model]) for model in some})
    for item in plan.work:
        log.info("%s: %s", item.model, item.reason)
    log.info("%s", plan)


def _counts_differ(model: str, theirs: int, ours: int) -> Work | None:
    """Return the work of comparing ids, where a table does not have as many rows as Odoo."""
    if theirs == ours:
        return None
    differ = f"Odoo has {counted(theirs, 'row')}, the shadow {ours}"
    return Work(model, differ, abs(theirs - ours) + theirs // _IDS_PER_RECORD)


def _digest(fields: FieldsState) -> str:
    """Return a text that changes with the model's fields, and with the rules for columns (an upgrade)."""
    return f"{fields.digest} {RULES} {names_digest()}"


@dataclass(frozen=True)
class _Planner:
    """Finds out why a model has work, and about how much; None if it has none."""

    odoo: Source
    options: MirrorOptions
    settings: SettingsOf
    key_id: UUID | None
    states: Mapping[str, TableState]
    fields: Mapping[str, FieldsState]
    labels: Mapping[str, list[str]]
    latest: datetime
    versions: Mapping[str, StoredVersions]

    def known_work(self, model: str) -> Work | None:
        """Return the work that the control tables and the model's fields show."""
        reason, state = self._known_reason(model), self.states.get(model)
        if reason is None:
            return None
        if state is None or state.watermark is None or not state.exists:
            is_begun = state is not None and state.exists and state.has_scan
            return Work(model, reason, is_first_load=True, present=state.row_count if state and is_begun else 0)
        return Work(model, reason, state.row_count)

    def _known_reason(self, model: str) -> str | None:
        state, fields = self.states.get(model), self.fields.get(model)
        if self.options.full:
            return "everything is read again"
        if state is None or state.watermark is None or not state.exists:
            return "first load"
        if state.has_rest:
            return "its last run left work to do"
        if lies_ahead(state.watermark.last_write_date, self.latest):
            return "its watermark lies in the future"
        if state.settings.unreadable and state.settings.unreadable & self.odoo.readable_models.keys():
            return "the login can read models now that it could not read before"
        settings = self._settings(state)
        wanted = replace(
            state.settings,
            read_as=read_as(self.odoo.access, settings, self.key_id),
            on_delete=self.options.resolved(state.settings.on_delete).removal,
            settings=settings.as_text(),
        )
        labels = labels_from(state.settings.variants)
        if ModelSettings.from_text(state.settings.settings).domain != settings.domain:
            return "its domain changed"
        if wanted != state.settings or any(self.labels[kind] != known for kind, known in labels.items()):
            return "it is read differently from before"
        if fields is None or _digest(fields) != state.fields_digest:
            return "its fields changed"
        if not fields.has_write_date and state.table not in self.versions:
            return "it has no write_date, so all of it is read"
        return "it has fields that Odoo does not store" if settings.extra_fields else None

    def low(self, model: str, replay_from: Callable[[str], datetime | None]) -> datetime | None:
        """Return where the model's next window begins, None for "read everything"."""
        state = self.states[model]
        return low_end(state.watermark, replay_from(state.table), self.options.look_back, read_all=False)

    def difference(self, model: str, low: datetime | None) -> Work | None:
        """Ask Odoo for counts; if that fails, the model has work, and its own run reports the error."""
        state = self.states[model]
        if low is None:
            return Work(model, "everything is read again", state.row_count)
        reading = Reading(model, (), self._settings(state).domain)
        try:
            if (known := self.versions.get(state.table)) is not None:
                work = self._changed_versions(replace(reading, fields=known.fields), known, state)
                if work is not None or not self._is_replay(state, low):
                    return work
            changed = self.odoo.count(reading, Where(written_since=low))
            if changed:
                written = counted(changed, "row was written", "rows were written")
                return Work(model, f"{written} since {low:%Y-%m-%d %H:%M:%S} UTC", changed)
            if not self.options.resolved(state.settings.on_delete).removal.removes:
                return None
            rows = self.odoo.count(reading)
        except ERRORS_OF_ONE_MODEL as error:
            return Work(model, str(error))
        return _counts_differ(model, rows, state.row_count)

    def _is_replay(self, state: TableState, low: datetime) -> bool:
        """Say whether a person has set the watermark back, to read again what was written since."""
        own = low_end(state.watermark, None, self.options.look_back, read_all=False)
        return own is not None and low < own

    def _changed_versions(self, reading: Reading, known: StoredVersions, state: TableState) -> Work | None:
        """Compare the versions of all records with those that the table holds."""
        versions = self.odoo.versions(reading)
        blocks = None if versions is None else versions.changed_since(as_versions(known))
        if versions is None or blocks is None:
            return Work(reading.model, "its versions cannot be compared with those of its last run", state.row_count)
        if not blocks:
            is_told = self.options.resolved(state.settings.on_delete).removal.removes
            return _counts_differ(reading.model, versions.rows, state.row_count) if is_told else None
        rows = min(len(blocks) * BLOCK_IDS, max(versions.rows, state.row_count))
        return Work(reading.model, counted(len(blocks), "block of ids has changed", "blocks of ids have changed"), rows)

    def _settings(self, state: TableState) -> ModelSettings:
        given = self.settings(state.model)
        return ModelSettings.from_text(state.settings.settings) if given is None else given
