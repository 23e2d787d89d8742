"""The YAML file that describes the mirrors, as far as the DAGs need it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from airflow.sdk import conf
from airflow.timetables.trigger import CronTriggerTimetable
from pydantic import ConfigDict, Field, field_validator

from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from odoo_shadow.mirror.config.mirrors_file import (
    DEFAULT_SCHEDULE,
    EngineConfig,
    NoTruth,
    WrongSettingsError,
    check_cron,
    check_entry,
    read_entries,
)
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.shadow.names import as_stored
from odoo_shadow.text.nearest import did_you_mean

DEFAULT_VERIFY_SCHEDULE = "0 2 * * 0"

_SECTION = "odoo_shadow"
_OPTIONS = ("mirrors_file",)

_NAME = r"^[A-Za-z][A-Za-z0-9_]*$"
_LONGEST_NAME = 100
"""Characters: a Variable's key, 250 at the most, holds the mirror's name and the table's."""

# What Airflow takes for a connection's id, as far as it is ASCII: no template is among it.
ConnectionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_#!().:/\\-]+$", max_length=250)]


class MirrorConfig(EngineConfig):
    """One mirror: an Odoo database, the schema that shadows it, and how its DAG runs.

    :param name: names the DAG (`<name>_sync`) and the watermark Variables.
    :param schedule: a cron expression, or None for runs by hand only.
    :param verify_schedule: when the shadow is compared with Odoo and repaired.
    :param parallel_models: how many tasks read Odoo at the same time.
    :param retry_delay_seconds: before the first retry; doubles with each.
    :param fail_on_repair: rows that had to be repaired fail the run; if not, only its task `report` fails.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: Annotated[str, Field(pattern=_NAME, max_length=_LONGEST_NAME)]
    odoo_conn_id: ConnectionId = OdooHook.default_conn_name
    postgres_conn_id: ConnectionId = "odoo_shadow_db"
    schedule: str | None = DEFAULT_SCHEDULE
    verify_schedule: str | None = DEFAULT_VERIFY_SCHEDULE
    parallel_models: Annotated[int, NoTruth, Field(ge=1)] = 2
    retries: Annotated[int, NoTruth, Field(ge=0)] = 3
    retry_delay_seconds: Annotated[float, NoTruth, Field(gt=0, le=86_400)] = 60
    fail_on_repair: bool = False

    @property
    def sync_dag_id(self) -> str:
        """The id of the DAG that keeps this mirror."""
        return f"{self.name}_sync"

    @property
    def verify_dag_id(self) -> str:
        """The id of the DAG that compares this mirror with Odoo."""
        return f"{self.name}_verify"

    @field_validator("schedule", "verify_schedule")
    @classmethod
    def _check_schedule(cls, schedule: str | None) -> str | None:
        if schedule is not None:
            check_cron(schedule)
            try:
                CronTriggerTimetable(schedule, timezone="UTC").validate()
            except Exception as error:  # croniter raises its own kinds, Airflow wraps some of them
                raise ValueError(f"it must be a cron expression such as {DEFAULT_SCHEDULE!r}") from error
        return schedule


def load_mirrors(default: Path) -> list[MirrorConfig]:
    """Read the mirrors from the file that Airflow's setting `[odoo_shadow] mirrors_file` names, else from the default.

    :raises MirrorConfigurationError: says which file and which setting is wrong.
    """
    _refuse_unknown_options()
    return read_mirrors(Path(conf.get(_SECTION, "mirrors_file", fallback="") or default))


def _refuse_unknown_options() -> None:
    """Refuse what nobody reads: with a misspelt mirrors_file, the mirrors would be those of the default file."""
    prefix = f"AIRFLOW__{_SECTION.upper()}__"
    names = {name.removeprefix(prefix).lower() for name in os.environ if name.startswith(prefix)}
    names |= {*conf.options(_SECTION)} if conf.has_section(_SECTION) else set()
    for name in sorted(names):
        if name.removesuffix("_cmd").removesuffix("_secret") not in _OPTIONS:
            raise MirrorConfigurationError(
                f"Airflow's section [{_SECTION}] has no setting '{name}'" + did_you_mean(name, _OPTIONS)
            )


def read_mirrors(path: Path) -> list[MirrorConfig]:
    """Read the mirrors from a file. Raises `MirrorConfigurationError`."""
    checked: list[MirrorConfig] = []
    wrong: list[str] = []
    for entry in read_entries(path):
        try:
            checked.append(check_entry(entry, MirrorConfig, name=entry.name))
        except WrongSettingsError as error:
            wrong += error.complaints
    if wrong:
        raise WrongSettingsError(path, wrong)
    _check_schemas(path, checked)
    _check_names(path, checked)
    return checked


def _check_names(path: Path, mirrors: list[MirrorConfig]) -> None:
    """Refuse names with which a model of one mirror could be called so that it gets a watermark of the other's."""
    names = sorted(mirror.name for mirror in mirrors)
    for name in names:
        for other in names:
            if other.startswith(f"{name}__"):
                raise MirrorConfigurationError(
                    f"{path}: mirrors '{name}' and '{other}' could share watermark Variables: rename one of them."
                )


def _check_schemas(path: Path, mirrors: list[MirrorConfig]) -> None:
    places: dict[tuple[str, str], str] = {}
    for mirror in mirrors:
        place = (mirror.postgres_conn_id, as_stored(mirror.schema_name))
        if place in places:
            raise MirrorConfigurationError(
                f"{path}: mirrors '{places[place]}' and '{mirror.name}' share schema '{mirror.schema_name}': "
                "give each its own."
            )
        places[place] = mirror.name
