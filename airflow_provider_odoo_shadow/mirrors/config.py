"""The YAML file that describes the mirrors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from airflow.sdk import conf
from airflow.timetables.trigger import CronTriggerTimetable
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from airflow_provider_odoo_shadow.job.errors import MirrorConfigurationError
from airflow_provider_odoo_shadow.job.models import PRIORITY_MODELS, checked_models
from airflow_provider_odoo_shadow.job.run import LARGEST_PAGE, LONGEST_LOOK_BACK
from airflow_provider_odoo_shadow.source.pages import DEFAULT_PAGE_SIZE
from airflow_provider_odoo_shadow.target.database import DEFAULT_SCHEMA
from airflow_provider_odoo_shadow.target.ids import OnDelete

DEFAULT_SCHEDULE = "0 */4 * * *"
DEFAULT_VERIFY_SCHEDULE = "0 2 * * 0"

_NAME = r"^[A-Za-z][A-Za-z0-9_]*$"


class MirrorConfig(BaseModel):
    """One mirror: an Odoo database, the schema that shadows it, and how its DAG runs.

    :param name: names the DAG (`<name>_sync`) and the watermark Variables.
    :param schedule: a cron expression, or None for runs by hand only.
    :param on_delete: what becomes of rows that are gone from Odoo.
    :param verify_schedule: when the shadow is compared with Odoo and repaired.
    :param parallel_models: how many tasks read Odoo at the same time.
    :param retry_delay_seconds: before the first retry; doubles with each.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: Annotated[str, Field(pattern=_NAME)]
    odoo_conn_id: str = OdooHook.default_conn_name
    postgres_conn_id: str = "odoo_shadow_db"
    schema_name: Annotated[str, Field(alias="schema", min_length=1)] = DEFAULT_SCHEMA
    schedule: str | None = DEFAULT_SCHEDULE
    models: Literal["priority"] | tuple[str, ...] = "priority"
    batch_size: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = DEFAULT_PAGE_SIZE
    look_back_minutes: Annotated[float, Field(ge=0, le=LONGEST_LOOK_BACK.total_seconds() / 60)] = 15
    on_delete: OnDelete = OnDelete.DELETE
    verify_schedule: str | None = DEFAULT_VERIFY_SCHEDULE
    parallel_models: Annotated[int, Field(ge=1)] = 2
    retries: Annotated[int, Field(ge=0)] = 3
    retry_delay_seconds: Annotated[float, Field(gt=0, le=86_400)] = 60

    @property
    def sync_dag_id(self) -> str:
        """The id of the DAG that keeps this mirror."""
        return f"{self.name}_sync"

    @property
    def verify_dag_id(self) -> str:
        """The id of the DAG that compares this mirror with Odoo."""
        return f"{self.name}_verify"

    @property
    def model_names(self) -> tuple[str, ...]:
        """The models, in the order in which they are mirrored."""
        return PRIORITY_MODELS if self.models == "priority" else tuple(self.models)

    @field_validator("models")
    @classmethod
    def _check_models(cls, models: str | tuple[str, ...]) -> str | tuple[str, ...]:
        return models if isinstance(models, str) else checked_models(models)

    @field_validator("schedule", "verify_schedule")
    @classmethod
    def _check_schedule(cls, schedule: str | None) -> str | None:
        if schedule is not None:
            try:
                CronTriggerTimetable(schedule, timezone="UTC").validate()
            except Exception as error:  # croniter raises its own kinds, Airflow wraps some of them
                raise ValueError(f"{schedule!r} is no cron expression such as {DEFAULT_SCHEDULE!r}") from error
        return schedule


def load_mirrors(default: Path) -> list[MirrorConfig]:
    """Read the mirrors from the file that Airflow's setting `[odoo_shadow] mirrors_file` names, else from the default.

    :raises MirrorConfigurationError: says which file and which setting is wrong.
    """
    return read_mirrors(Path(conf.get("odoo_shadow", "mirrors_file", fallback="") or default))


def read_mirrors(path: Path) -> list[MirrorConfig]:
    """Read the mirrors from a file. Raises `MirrorConfigurationError`."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MirrorConfigurationError(f"{path}: the mirrors cannot be read ({error.strerror}).") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MirrorConfigurationError(f"{path}: this is not YAML: {' '.join(str(error).split())}") from None
    mirrors = document.get("mirrors") if isinstance(document, dict) and set(document) == {"mirrors"} else None
    if not isinstance(mirrors, dict) or not mirrors:
        raise MirrorConfigurationError(f"{path}: there must be one entry, mirrors, with at least one mirror by name.")
    checked = [_mirror(path, str(name), settings) for name, settings in mirrors.items()]
    _check_schemas(path, checked)
    return checked


def _mirror(path: Path, name: str, settings: object) -> MirrorConfig:
    if not isinstance(settings, dict) and settings is not None:
        raise MirrorConfigurationError(f"{path}: mirror '{name}' must be a list of settings, such as models: priority.")
    try:
        return TypeAdapter(MirrorConfig).validate_python({**(settings or {}), "name": name})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        setting = ".".join(str(part) for part in first["loc"]) or "settings"
        raise MirrorConfigurationError(
            f"{path}: mirror '{name}', {setting} is {first['input']!r}: {first['msg']}."
        ) from None


def _check_schemas(path: Path, mirrors: list[MirrorConfig]) -> None:
    places: dict[tuple[str, str], str] = {}
    for mirror in mirrors:
        place = (mirror.postgres_conn_id, mirror.schema_name)
        if place in places:
            raise MirrorConfigurationError(
                f"{path}: mirrors '{places[place]}' and '{mirror.name}' share schema '{mirror.schema_name}': "
                "give each its own."
            )
        places[place] = mirror.name
