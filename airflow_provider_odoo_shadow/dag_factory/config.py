"""The mirrors of the YAML file that get DAGs."""

from __future__ import annotations

import math
import os
from datetime import timedelta
from pathlib import Path

from airflow.sdk import conf
from airflow.timetables.trigger import CronTriggerTimetable
from pydantic import ValidationInfo, field_validator

from airflow_provider_odoo_shadow.dag_factory.gaps import longest_gap
from odoo_shadow.mirror.config.mirrors_file import (
    DEFAULT_SCHEDULE,
    MirrorConfig,
    WrongSettingsError,
    check_entry,
    read_entries,
)
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.shadow.names import as_stored
from odoo_shadow.source.kind import SourceKind
from odoo_shadow.text.nearest import did_you_mean

_SECTION = "odoo_shadow"
_OPTIONS = ("mirrors_file",)


class DagConfig(MirrorConfig):
    """A mirror as its DAGs need it: Airflow itself has checked the schedules."""

    @property
    def sync_dag_id(self) -> str:
        """The id of the DAG that keeps this mirror."""
        return f"{self.name}_sync"

    @property
    def verify_dag_id(self) -> str:
        """The id of the DAG that compares this mirror with Odoo."""
        return f"{self.name}_verify"

    @property
    def marts_dag_id(self) -> str:
        """The id of the DAG that builds this mirror's marts."""
        return f"{self.name}_marts"

    @property
    def marts_verify_dag_id(self) -> str:
        """The id of the DAG that compares this mirror's marts with Odoo."""
        return f"{self.name}_marts_verify"

    @field_validator("schedule", "verify_schedule", "marts_verify_schedule")
    @classmethod
    def _check_timetable(cls, schedule: str | None) -> str | None:
        if schedule is not None:
            try:
                CronTriggerTimetable(schedule, timezone="UTC").validate()
            except Exception as error:  # croniter raises its own kinds, Airflow wraps some of them
                raise ValueError(f"it must be a cron expression such as {DEFAULT_SCHEDULE!r}") from error
        return schedule

    @field_validator("odoo_database_conn_id")
    @classmethod
    def _check_odoo_database_is_named(cls, conn_id: str | None, others: ValidationInfo) -> str | None:
        if conn_id is None and others.data.get("source") is SourceKind.DATABASE:
            raise ValueError(
                "with source: database, name the Airflow connection of Odoo's own database (type Postgres)"
            )
        return conn_id

    @field_validator("fresh_within_minutes")
    @classmethod
    def _check_freshness(cls, minutes: int | None, others: ValidationInfo) -> int | None:
        schedule = others.data.get("schedule")
        if minutes is not None and schedule is not None:
            gap = math.ceil(longest_gap(schedule) / timedelta(minutes=1))
            if minutes <= gap:
                raise ValueError(
                    f"up to {gap} minutes lie between two runs of schedule {schedule!r}, and a run takes time as well, "
                    f"so that at least {gap + 1} can be kept: allow more, or run more often"
                )
        return minutes

    @property
    def run_must_end_within(self) -> timedelta | None:
        """How long after its tick a scheduled run must have ended, so that the shadow is as fresh as promised.

        Until the next one ends, the shadow is as Odoo was at this run's tick. None if nothing is promised or scheduled.
        """
        if self.fresh_within_minutes is None or self.schedule is None:
            return None
        return timedelta(minutes=self.fresh_within_minutes) - longest_gap(self.schedule)


def load_mirrors(default: Path) -> list[DagConfig]:
    """Read the mirrors from the file that Airflow's setting `[odoo_shadow] mirrors_file` names, else from the default.

    :raises MirrorConfigurationError: says which file and which setting is wrong.
    """
    _refuse_unknown_options()
    return read_mirrors(Path(conf.get(_SECTION, "mirrors_file", fallback="") or default))


def _refuse_unknown_options() -> None:
    """Refuse unknown options: with a misspelt mirrors_file, the default file would be used without a word."""
    prefix = f"AIRFLOW__{_SECTION.upper()}__"
    names = {name.removeprefix(prefix).lower() for name in os.environ if name.startswith(prefix)}
    names |= {*conf.options(_SECTION)} if conf.has_section(_SECTION) else set()
    for name in sorted(names):
        if name.removesuffix("_cmd").removesuffix("_secret") not in _OPTIONS:
            raise MirrorConfigurationError(
                f"Airflow's section [{_SECTION}] has no setting '{name}'" + did_you_mean(name, _OPTIONS)
            )


def read_mirrors(path: Path) -> list[DagConfig]:
    """Read the mirrors from a file. Raises `MirrorConfigurationError`."""
    checked: list[DagConfig] = []
    wrong: list[str] = []
    for entry in read_entries(path):
        try:
            checked.append(check_entry(entry, DagConfig))
        except WrongSettingsError as error:
            wrong += error.complaints
    if wrong:
        raise WrongSettingsError(path, wrong)
    _check_schemas(path, checked)
    _check_names(path, checked)
    return checked


def _check_names(path: Path, mirrors: list[DagConfig]) -> None:
    """Refuse names by which a table of one mirror could get the watermark Variable of another mirror."""
    names = sorted(mirror.name for mirror in mirrors)
    for name in names:
        for other in names:
            if other.startswith(f"{name}__"):
                raise MirrorConfigurationError(
                    f"{path}: mirrors '{name}' and '{other}' could share watermark Variables: rename one of them."
                )


def _check_schemas(path: Path, mirrors: list[DagConfig]) -> None:
    places: dict[tuple[str, str], str] = {}
    for mirror in mirrors:
        place = (mirror.postgres_conn_id, as_stored(mirror.schema_name))
        if place in places:
            raise MirrorConfigurationError(
                f"{path}: mirrors '{places[place]}' and '{mirror.name}' share schema '{mirror.schema_name}': "
                "give each its own."
            )
        places[place] = mirror.name
