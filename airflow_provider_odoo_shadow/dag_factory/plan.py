"""The task that begins a run: which models the mirror has, and which of them have work."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypedDict

from airflow.sdk import Context, conf

from airflow_provider_odoo_shadow.dag_factory.config import DagConfig
from airflow_provider_odoo_shadow.dag_factory.sides import both_sides
from airflow_provider_odoo_shadow.transfers.odoo_to_postgres import mirror_run
from airflow_provider_odoo_shadow.transfers.watermark_variable import WatermarkVariables, WrongVariableError
from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.config.patterns import ModelChoice
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.mirror.run.batches import Batch, gather, parts_of, with_sizes
from odoo_shadow.mirror.run.choose import NO_MATCH, Chosen, choose_models
from odoo_shadow.mirror.run.for_readers import ForReaders
from odoo_shadow.mirror.run.plan import Plan, Work, plan_run, warn_unmatched_patterns_of
from odoo_shadow.mirror.sync.parts import MOST_PARTS
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state.watermarks import NEVER
from odoo_shadow.source.kind import SourceKind
from odoo_shadow.source.port import Source
from odoo_shadow.text.log import logger
from odoo_shadow.text.nearest import did_you_mean, nearest

log = logger(__name__)

_ALIKE = 0.85
"""How much of two models' names has to be the same for a guess: many begin alike."""

_PARAMETERS = ("models", "full", "dry_run", "batch_size", "allow_mass_delete")


class BatchPlan(TypedDict):
    """The arguments of one mapped task.

    :param part: which part of the first load it reads, of how many; None for the models as a whole.
    :param at_once: how many of the tasks read Odoo at the same time.
    """

    models: list[str]
    full: bool
    preview: bool
    batch_size: int
    allow_mass_delete: bool
    model_settings: dict[str, dict[str, object]]
    part: list[int] | None
    at_once: int


def plan_models(context: Context, mirror: DagConfig) -> list[BatchPlan]:
    """Gather the models that have work into tasks; the watermarks of the others advance, their Variables, too.

    :raises MirrorConfigurationError: a name that is no parameter or no model of this mirror, or more models than
        Airflow maps. Airflow has checked the values.
    :raises OdooError, ShadowError: one side could not be asked.
    """
    params = context["params"]
    check_parameters(context, _PARAMETERS)
    with both_sides(mirror) as (odoo, shadow):
        chosen = _wanted(_chosen(odoo, shadow, mirror), params["models"])
        if params["dry_run"]:
            warn_unmatched_patterns_of(odoo, chosen.models, mirror.settings_of)
            works = [Work(model, "asked for", rows=0) for model in chosen.models]  # a dry run only counts
        else:
            plan = _plan(context, odoo, shadow, mirror, chosen)
            works = with_sizes(odoo, plan.work, mirror.settings_of)
    batches = gather(works, at_once=mirror.parallel_models)
    tasks = _tasks(batches, mirror.source)
    check_number(len(tasks))
    return [
        BatchPlan(
            models=[item.model for item in batch],
            full=params["full"],
            preview=params["dry_run"],
            batch_size=params["batch_size"],
            allow_mass_delete=params["allow_mass_delete"],
            model_settings={item.model: _as_arguments(mirror.settings_of(item.model)) for item in batch},
            part=part,
            at_once=min(mirror.parallel_models, len(tasks)),
        )
        for batch, part in tasks
    ]


def _tasks(batches: Sequence[Batch], source: SourceKind) -> list[tuple[Batch, list[int] | None]]:
    """Divide the first loads of large models into parts, into fewer where Airflow would not map so many tasks.

    :return: for each task its models, and which part of how many it reads.
    """
    at_most = MOST_PARTS
    while True:
        tasks = [(batch, part) for batch in batches for part in _parts(batch, source, at_most)]
        if len(tasks) <= _most_mapped() or at_most == 1:
            return tasks
        at_most //= 2


def _parts(batch: Batch, source: SourceKind, at_most: int) -> list[list[int]] | list[None]:
    number = max(parts_of(work, source, at_most=at_most) for work in batch)
    return [None] if number == 1 else [[at, number] for at in range(1, number + 1)]


def check_parameters(context: Context, known: Sequence[str]) -> None:
    """Refuse a run that was triggered with an unknown parameter, which Airflow would ignore."""
    for name in sorted(set(context["dag_run"].conf or {}) - {*known}):
        raise MirrorConfigurationError(
            f"The run was triggered with '{name}', which is not a parameter of this DAG" + did_you_mean(name, known)
        )


def _as_arguments(settings: ModelSettings) -> dict[str, object]:
    return {**settings.model_dump(mode="json", exclude_defaults=True), "named_fields": list(settings.named_fields)}


def _chosen(odoo: Source, shadow: ShadowDatabase, mirror: DagConfig) -> Chosen:
    chosen = choose_models(odoo, mirror.choice, shadow)
    for item in chosen.left_out:
        level = logging.WARNING if item.reason == NO_MATCH else logging.INFO
        log.log(level, "%s is left out: %s", item.model, item.reason)
    for key in mirror.unused_settings(chosen.models, lambda: odoo.readable_models):
        log.warning("model_settings: %s matches none of the models", key)
    return chosen


def _wanted(chosen: Chosen, terms: list[str] | None) -> Chosen:
    """Return those of the mirror's models that the trigger form asks for."""
    if not terms:
        return chosen
    wanted = ModelChoice.parse(terms)
    reasons = {item.model: item.reason for item in chosen.left_out}
    for name in terms:
        if name in wanted.names and name not in chosen.models:
            meant = nearest(name, chosen.models, alike=_ALIKE)
            hint = (
                "the server does not have it, or the mirror does not ask for it"
                if meant is None
                else (f"did you mean {meant}?")
            )
            raise MirrorConfigurationError(f"{name} is not one of this mirror's models: {reasons.get(name, hint)}.")
    models = tuple(model for model in chosen.models if wanted.matches(model))
    if not models:
        raise MirrorConfigurationError(f"{', '.join(terms)} matches no model of this mirror.")
    return replace(chosen, models=models)


def mirrored_among(mirrored: Sequence[str], terms: Sequence[str] | None) -> list[str]:
    """Return those of the mirrored models that the trigger form asks for.

    :raises MirrorConfigurationError: it names one that is not mirrored, or none is left.
    """
    if not terms:
        return list(mirrored)
    wanted = ModelChoice.parse(terms)
    for name in wanted.names:
        if name in terms and name not in mirrored:
            raise MirrorConfigurationError(f"{name} is not mirrored" + did_you_mean(name, mirrored))
    models = [model for model in mirrored if wanted.matches(model)]
    if not models:
        raise MirrorConfigurationError(f"{', '.join(terms)} matches no mirrored model.")
    return models


def _plan(context: Context, odoo: Source, shadow: ShadowDatabase, mirror: DagConfig, chosen: Chosen) -> Plan:
    dag_run, params = context["dag_run"], context["params"]
    options = MirrorOptions(
        full=params["full"],
        batch_size=params["batch_size"],
        look_back=timedelta(minutes=mirror.look_back_minutes),
        on_delete=mirror.on_delete,
    )
    variables = WatermarkVariables(mirror.name)

    def replay_from(table: str) -> datetime | None:
        try:
            return variables.read(table)
        except WrongVariableError:
            return NEVER  # no watermark at all: the model's own task reports what is wrong with it

    plan = plan_run(
        odoo,
        shadow,
        chosen,
        run=mirror_run(dag_run.dag_id, dag_run.run_id),
        options=options,
        settings=mirror.settings_of,
        replay_from=replay_from,
        for_readers=ForReaders(mirror.row_level_security, mirror.realtime_broadcast),
    )
    for item in plan.unchanged:
        variables.write(item.table, item.model, item.watermark)
    return plan


def check_number(tasks: int) -> None:
    """Refuse more tasks than Airflow maps: it would fail this task without saying what to do."""
    most = _most_mapped()
    if tasks > most:
        raise MirrorConfigurationError(
            f"The models that have work need {tasks} tasks, but Airflow maps at most {most}: raise [core] "
            f"max_map_length (AIRFLOW__CORE__MAX_MAP_LENGTH) to {tasks} or more, or split the mirror."
        )


def _most_mapped() -> int:
    return conf.getint("core", "max_map_length", fallback=1024)
