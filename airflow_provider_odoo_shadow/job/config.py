"""The YAML file that describes mirrors, as far as the engine needs it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from airflow_provider_odoo_shadow.job.errors import MirrorConfigurationError
from airflow_provider_odoo_shadow.job.models import ModelChoice
from airflow_provider_odoo_shadow.job.run import LARGEST_PAGE, LONGEST_LOOK_BACK
from airflow_provider_odoo_shadow.job.settings import ModelSettings, settings_of
from airflow_provider_odoo_shadow.job.window import DEFAULT_LOOK_BACK
from airflow_provider_odoo_shadow.source.pages import DEFAULT_PAGE_SIZE
from airflow_provider_odoo_shadow.target.database import DEFAULT_SCHEMA
from airflow_provider_odoo_shadow.target.ids import OnDelete
from airflow_provider_odoo_shadow.target.trust import Trust

_MINUTE = 60

DAG_SETTINGS = frozenset(
    {"odoo_conn_id", "postgres_conn_id", "schedule", "verify_schedule", "parallel_models", "retries"}
    | {"retry_delay_seconds"}
)
"""What only the DAGs need."""


class EngineConfig(BaseModel):
    """What the engine needs of a mirror.

    :param models: `priority`, `all`, or names, patterns and exclusions.
    :param on_delete: what becomes of rows that are gone from Odoo.
    :param model_settings: by model or pattern.
    :param trusted_roles: roles of the shadow's database, besides the sync's own, that may own the mirror's tables.
    :param agreed_objects: triggers and rules of others on the mirror's tables, as the doctor names them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_name: Annotated[str, Field(alias="schema", min_length=1)] = DEFAULT_SCHEMA
    models: Literal["priority", "all"] | tuple[str, ...] = "priority"
    batch_size: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = DEFAULT_PAGE_SIZE
    look_back_minutes: Annotated[float, Field(ge=0, le=LONGEST_LOOK_BACK.total_seconds() / _MINUTE)] = (
        DEFAULT_LOOK_BACK.total_seconds() / _MINUTE
    )
    on_delete: OnDelete = OnDelete.DELETE
    model_settings: dict[str, ModelSettings] = {}
    trusted_roles: tuple[str, ...] = ()
    agreed_objects: tuple[str, ...] = ()

    @property
    def trust(self) -> Trust:
        """Whose objects in the shadow's database may be used, besides the sync's role's own."""
        return Trust(frozenset(self.trusted_roles), frozenset(self.agreed_objects))

    @property
    def choice(self) -> ModelChoice:
        """The models."""
        return ModelChoice.parse(self.models)

    def unused_settings(self, models: Collection[str]) -> list[str]:
        """Return the names and patterns of `model_settings` that none of these models has: typos, perhaps."""
        return [key for key in self.model_settings if not any(fnmatchcase(model, key) for model in models)]

    def settings_of(self, model: str) -> ModelSettings:
        """Return how a model is mirrored."""
        return settings_of(model, self.model_settings)

    @field_validator("models")
    @classmethod
    def _check_models(cls, models: str | tuple[str, ...]) -> str | tuple[str, ...]:
        ModelChoice.parse(models)
        return models


Config = TypeVar("Config", bound=EngineConfig)


def read_entries(path: Path) -> dict[str, Mapping[str, object]]:
    """Read the file and return each mirror's settings, unchecked, by name.

    :raises MirrorConfigurationError: says what is wrong with the file.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MirrorConfigurationError(f"{path}: the mirrors cannot be read ({error.strerror}).") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        hint = " Write exclusions in quotes: '!mail.*'." if "!" in str(error) else ""
        raise MirrorConfigurationError(f"{path}: this is not YAML: {' '.join(str(error).split())}.{hint}") from None
    mirrors = document.get("mirrors") if isinstance(document, dict) and set(document) == {"mirrors"} else None
    if not isinstance(mirrors, dict) or not mirrors:
        raise MirrorConfigurationError(f"{path}: there must be one entry, mirrors, with at least one mirror by name.")
    return {str(name): _entry(path, str(name), settings) for name, settings in mirrors.items()}


def check_entry(path: Path, name: str, kind: type[Config], settings: Mapping[str, object]) -> Config:
    """Check one mirror's settings.

    :raises MirrorConfigurationError: says which setting is wrong.
    """
    try:
        return TypeAdapter(kind).validate_python(dict(settings))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        setting = ".".join(str(part) for part in first["loc"]) or "settings"
        wrong = "there is no such setting" if first["type"] == "extra_forbidden" else first["msg"]
        raise MirrorConfigurationError(f"{path}: mirror '{name}', {setting} is {first['input']!r}: {wrong}.") from None


def read_engine_config(path: Path, name: str | None) -> EngineConfig:
    """Read what the engine needs of one mirror.

    :param name: None for the only one.
    :raises MirrorConfigurationError: says which file and which setting is wrong.
    """
    entries = read_entries(path)
    if name is None and len(entries) > 1:
        raise MirrorConfigurationError(f"{path} has several mirrors: name one of {', '.join(entries)}.")
    wanted = next(iter(entries)) if name is None else name
    if wanted not in entries:
        raise MirrorConfigurationError(f"{path} has no mirror '{wanted}', only {', '.join(entries)}.")
    settings = {name: value for name, value in entries[wanted].items() if name not in DAG_SETTINGS}
    return check_entry(path, wanted, EngineConfig, settings)


def _entry(path: Path, name: str, settings: object) -> Mapping[str, object]:
    if settings is None:
        return {}
    if not isinstance(settings, dict):
        raise MirrorConfigurationError(f"{path}: mirror '{name}' must be a list of settings, such as models: priority.")
    return settings
