"""The mirrors file: its settings, their checks, and how one mirror is read from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from odoo_shadow.mirror.clock import DEFAULT_LOOK_BACK
from odoo_shadow.mirror.config.complaints import Complaint
from odoo_shadow.mirror.config.document_template import DocumentTemplate, unknown_settings
from odoo_shadow.mirror.config.model_settings import SETTINGS, ModelSettings, settings_of
from odoo_shadow.mirror.config.patterns import ALL, SETS, ModelChoice
from odoo_shadow.mirror.config.record_rules import KNOWN, why_not_everything
from odoo_shadow.mirror.config.yaml_file import Place, YamlFile, read_yaml
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.options import LARGEST_PAGE, LONGEST_LOOK_BACK
from odoo_shadow.shadow.access.mode import RowLevelSecurity
from odoo_shadow.shadow.connection.database import DEFAULT_SCHEMA, check_schema
from odoo_shadow.shadow.errors import ShadowConfigurationError
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.shadow.trust import Trust
from odoo_shadow.shadow.vault import OdooCredentials
from odoo_shadow.source.kind import SourceKind
from odoo_shadow.source.pages import DEFAULT_PAGE_SIZE
from odoo_shadow.text.amounts import as_many_as_fit
from odoo_shadow.text.given import given
from odoo_shadow.text.nearest import did_you_mean, is_nearly, nearest
from odoo_shadow.text.time_zones import existing_zone

_MINUTE = 60
DEFAULT_NAME = "odoo_shadow"
DEFAULT_SCHEDULE = "0 */4 * * *"
DEFAULT_VERIFY_SCHEDULE = "0 2 * * 0"
DEFAULT_MARTS_VERIFY_SCHEDULE = "0 6 * * 0"
_NAME = r"^[A-Za-z][A-Za-z0-9_]*$"
_LONGEST_NAME = 100
"""Characters: a Variable's key, at most 250, holds the mirror's name and the table's."""
DEFAULT_KEEP_LOG_DAYS = 90
_LONGEST_KEPT_DAYS = 3_650
_CRON_ITEM = r"(?:\*|\?|R|[LW]*\d*[LW]*|[A-Za-z]{3})"
_CRON_FIELD = rf"(?=\S){_CRON_ITEM}(?:[-/,#]{_CRON_ITEM})*"
_CRON = re.compile(
    rf"{_CRON_FIELD}(?:\s+{_CRON_FIELD}){{4,6}}|(?i:@(?:hour|dai|week|month|quarter|year|annual)ly|@midnight)"
)
"""Every form that Airflow takes; Airflow itself reports values that it cannot use."""
_MIRRORS = "mirrors"


def _not_boolean(value: object) -> object:
    """Refuse true and false, which Python takes as 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("it must be a number")
    return value


def _as_it_is(text: str) -> str:
    if text != text.strip() or not text.isprintable():
        raise ValueError("it must be printable text without blanks at its ends")
    return text


def _chosen(value: object) -> object:
    if isinstance(value, str) and value not in (*SETS, ALL):
        raise ValueError("it must be priority, business, all, or a list, such as [res.partner]")
    if not isinstance(value, str | list | tuple):
        raise ValueError("it must be priority, business, all, or a list, such as [res.partner]")
    for number, item in enumerate(() if isinstance(value, str) else value, start=1):
        if not isinstance(item, str):
            raise ValueError(f"its entry {number} is {given(item)}, not text: write it in quotes")
    return value


_NotBoolean = BeforeValidator(_not_boolean)
_Names = tuple[Annotated[str, Field(min_length=1)], ...]
_ConnectionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_#!().:/\\-]+$", max_length=250)]
"""The ASCII characters that Airflow allows in a connection's id; they allow no template."""
_Label = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_as_it_is)]
"""What Airflow shows as it is: a tag, which it keeps in 100 characters, an owner, a pool."""
_LONGEST_FRESHNESS = 366 * 24 * 60


class MirrorConfig(BaseModel):
    """One mirror: an Odoo database, the schema that shadows it, and how its DAGs run.

    These are all settings of the file; the command line also checks those that only the DAGs use.

    :param name: names the DAGs (`<name>_sync`, `<name>_verify`) and the watermark Variables.
    :param source: `api`, or `database` for Odoo's own PostgreSQL database, where no record rules and no groups apply.
    :param i_know_that_record_rules_do_not_apply: needed to mirror all models, or all that match a pattern such as
        `*.line`, from Odoo's own database.
    :param models: `priority`, `business`, `all`, or names, patterns and exclusions.
    :param on_delete: what to do with rows that are gone from Odoo.
    :param model_settings: by model or pattern.
    :param trusted_roles: roles of the shadow's database that may own the mirror's tables, as the sync's role may.
    :param agreed_objects: somebody else's triggers and rules on the mirror's tables, as the doctor names them.
    :param row_level_security: whether those who query the shadow see all rows, or those of their companies; None for as
        in the last run.
    :param realtime_broadcast: whether Supabase Realtime is told at the end of a run which tables have changed.
    :param keep_log_days: how long logs and verifications are kept; each table's last entries always.
    :param odoo_conn_id: the Airflow connection of Odoo's API; with `source: database`, of the API beside it, of which
        there is none as long as this is not written down.
    :param odoo_credentials: whether Odoo's address and login are in that connection, or in the Vault of the shadow's
        database.
    :param postgres_conn_id: the Airflow connection of the shadow's database.
    :param odoo_database_conn_id: the Airflow connection of Odoo's own database, of type `postgres`.
    :param schedule: a cron expression, or None for runs by hand only.
    :param verify_schedule: when the shadow is compared with Odoo and repaired.
    :param marts_verify_schedule: when the marts are built anew and compared with Odoo.
    :param parallel_models: how many tasks read Odoo at the same time.
    :param retries: how often a task is tried again.
    :param retry_delay_seconds: before the first retry; doubles with each.
    :param fail_on_repair: rows that had to be repaired fail the run; otherwise only its task `report` fails.
    :param owner: of the DAGs, as Airflow shows it; Airflow's own default if it is None.
    :param tags: of the DAGs, besides `odoo` and `odoo-shadow`.
    :param pool: Airflow's pool of the tasks that read Odoo row by row.
    :param notify_conn_id: the Airflow connection of a webhook to which alerts are posted.
    :param notify_each_run: whether a run that is well is posted, too.
    :param fresh_within_minutes: how many minutes the shadow may be behind Odoo.
    :param time_zone: whose months and days count in the marts, for times; dates are as Odoo has them.
    :param mart_fields: fields of one's own that come along in the marts, by model.
    :param knowledge: whether documents and embeddings are kept up to date after each run.
    :param embeddings: what makes them, `local` or `none`; if neither this nor a connection says so, the local model
        where it is installed.
    :param embeddings_conn_id: the Airflow connection of an endpoint that makes them.
    :param documents: what documents show, by model, in addition to the project's own templates or in their place.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: Annotated[str, Field(pattern=_NAME, max_length=_LONGEST_NAME)] = DEFAULT_NAME
    schema_name: Annotated[str, Field(alias="schema")] = DEFAULT_SCHEMA
    source: SourceKind = SourceKind.API
    i_know_that_record_rules_do_not_apply: bool = False
    models: Annotated[Literal["priority", "business", "all"] | tuple[str, ...], BeforeValidator(_chosen)] = "priority"
    batch_size: Annotated[int, _NotBoolean, Field(ge=1, le=LARGEST_PAGE)] = DEFAULT_PAGE_SIZE
    look_back_minutes: Annotated[float, _NotBoolean, Field(ge=0, le=LONGEST_LOOK_BACK.total_seconds() / _MINUTE)] = (
        DEFAULT_LOOK_BACK.total_seconds() / _MINUTE
    )
    on_delete: OnDelete = OnDelete.DELETE
    model_settings: dict[str, ModelSettings] = {}
    trusted_roles: _Names = ()
    agreed_objects: _Names = ()
    row_level_security: RowLevelSecurity | None = None
    realtime_broadcast: bool = False
    keep_log_days: Annotated[int, _NotBoolean, Field(ge=1, le=_LONGEST_KEPT_DAYS)] = DEFAULT_KEEP_LOG_DAYS
    odoo_conn_id: _ConnectionId = "odoo_default"
    odoo_credentials: OdooCredentials = OdooCredentials.CONNECTION
    postgres_conn_id: _ConnectionId = "odoo_shadow_db"
    odoo_database_conn_id: Annotated[_ConnectionId | None, Field(validate_default=True)] = None
    schedule: str | None = DEFAULT_SCHEDULE
    verify_schedule: str | None = DEFAULT_VERIFY_SCHEDULE
    marts_verify_schedule: str | None = DEFAULT_MARTS_VERIFY_SCHEDULE
    parallel_models: Annotated[int, _NotBoolean, Field(ge=1)] = 2
    retries: Annotated[int, _NotBoolean, Field(ge=0)] = 3
    retry_delay_seconds: Annotated[float, _NotBoolean, Field(gt=0, le=86_400)] = 60
    fail_on_repair: bool = False
    owner: _Label | None = None
    tags: tuple[_Label, ...] = ()
    pool: _Label = "default_pool"
    notify_conn_id: _ConnectionId | None = None
    notify_each_run: bool = False
    fresh_within_minutes: Annotated[int, _NotBoolean, Field(ge=1, le=_LONGEST_FRESHNESS)] | None = None
    time_zone: Annotated[str, AfterValidator(existing_zone)] = "UTC"
    mart_fields: dict[str, _Names] = {}
    knowledge: bool = False
    embeddings: Literal["local", "none"] | None = None
    embeddings_conn_id: _ConnectionId | None = None
    documents: dict[str, DocumentTemplate] = {}

    @property
    def trust(self) -> Trust:
        """Whose objects in the shadow's database may be used, in addition to those of the sync's role."""
        return Trust(frozenset(self.trusted_roles), frozenset(self.agreed_objects))

    @property
    def choice(self) -> ModelChoice:
        """The models that `models` chooses."""
        return ModelChoice.parse(self.models)

    def unused_settings(self, models: Collection[str], ask: Callable[[], Collection[str]]) -> list[str]:
        """Return the names and patterns of `model_settings` that match no model.

        :param ask: returns the server's other models; settings for those are not reported.
        :raises MirrorConfigurationError: one is nearly the name of one of these models, which would be mirrored without
            the settings that were meant for it.
        """
        keys = [key for key in self.model_settings if not any(fnmatchcase(model, key) for model in models)]
        others = ask() if keys else ()
        unused = [key for key in keys if not any(fnmatchcase(model, key) for model in others)]
        for key in unused:
            meant = next((model for model in sorted(models) if is_nearly(key, model)), None)
            if meant is not None:
                raise MirrorConfigurationError(f"model_settings: there is no model '{key}' (did you mean {meant}?).")
        return unused

    @property
    def api_conn_id(self) -> str | None:
        """The connection of Odoo's API; None for a mirror that does without."""
        is_named = "odoo_conn_id" in self.model_fields_set or self.odoo_credentials is OdooCredentials.VAULT
        return self.odoo_conn_id if is_named or self.source is SourceKind.API else None

    def settings_of(self, model: str) -> ModelSettings:
        """Return how a model is mirrored."""
        return settings_of(model, self.model_settings)

    @field_validator("schema_name")
    @classmethod
    def _check_schema(cls, schema: str) -> str:
        try:
            check_schema(schema)
        except ShadowConfigurationError as error:
            raise ValueError(str(error).removesuffix(".")) from None
        return schema

    @field_validator("schedule", "verify_schedule", "marts_verify_schedule")
    @classmethod
    def _check_schedule(cls, schedule: str | None) -> str | None:
        if schedule is not None and not _CRON.fullmatch(schedule.strip()):
            raise ValueError(
                f"it must be a cron expression of five fields, such as '{DEFAULT_SCHEDULE}' for every four hours, or a "
                "preset such as @hourly"
            )
        return schedule

    @field_validator("notify_each_run")
    @classmethod
    def _check_notify_each_run(cls, each_run: bool, others: ValidationInfo) -> bool:
        if each_run and "notify_conn_id" in others.data and others.data["notify_conn_id"] is None:
            raise ValueError("it needs notify_conn_id, the connection to post to")
        return each_run

    @field_validator("embeddings", "embeddings_conn_id")
    @classmethod
    def _check_embeddings(cls, given: str | None, others: ValidationInfo) -> str | None:
        if given is not None and others.data.get("knowledge") is False:
            raise ValueError("it needs knowledge: true, since only documents are embedded")
        if given is not None and others.data.get("embeddings") is not None:
            raise ValueError("embeddings says already what makes them: keep one of both settings")
        return given

    @field_validator("models")
    @classmethod
    def _check_models(cls, models: str | tuple[str, ...], others: ValidationInfo) -> str | tuple[str, ...]:
        choice, given = ModelChoice.parse(models), others.data
        if "source" in given and KNOWN in given:
            how = f"{KNOWN}: true"
            why = why_not_everything(choice, given["source"], is_known=given[KNOWN], how_to_say=how)
            if why is not None:
                raise ValueError(why)
        return models

    @field_validator("odoo_database_conn_id")
    @classmethod
    def _check_odoo_database(cls, conn_id: str | None, others: ValidationInfo) -> str | None:
        if conn_id is not None and conn_id == others.data.get("postgres_conn_id"):
            raise ValueError("it is the shadow's own database, in postgres_conn_id: name the one of Odoo")
        return conn_id


Config = TypeVar("Config", bound=MirrorConfig)


@dataclass(frozen=True)
class MirrorEntry:
    """One mirror of the file, unchecked."""

    file: YamlFile
    name: str
    settings: Mapping[str, object]

    def where(self, place: Place = ()) -> str:
        """Return the file and the line of a setting, and the mirror."""
        return f"{self.file.where((_MIRRORS, self.name, *place))}: mirror '{self.name}'"


class WrongSettingsError(MirrorConfigurationError):
    """Settings of a file are wrong; the message lists as many as fit.

    :param complaints: a sentence each, with the file's name first.
    """

    def __init__(self, path: Path, complaints: Sequence[str]) -> None:
        self.complaints = tuple(complaints)
        first, *others = self.complaints
        message = as_many_as_fit([first, *(text.removeprefix(f"{path}, ") for text in others)], "mistake")
        super().__init__(message)


def read_entries(path: Path) -> list[MirrorEntry]:
    """Read the mirrors of a file, without checking their settings.

    :raises MirrorConfigurationError: says what is wrong with the file.
    """
    file = read_yaml(path)
    document = file.document
    others = [key for key in document if key != _MIRRORS] if isinstance(document, dict) else []
    if others:
        raise MirrorConfigurationError(
            f"{file.where((others[0],))}: there must be one entry, mirrors, and not '{others[0]}'"
            + did_you_mean(others[0], [_MIRRORS])
        )
    mirrors = document.get(_MIRRORS) if isinstance(document, dict) else None
    if not isinstance(mirrors, dict) or not mirrors:
        raise MirrorConfigurationError(f"{path}: there must be one entry, mirrors, with at least one mirror by name.")
    return [MirrorEntry(file, name, _settings(file, name, settings)) for name, settings in mirrors.items()]


def check_entry(entry: MirrorEntry, kind: type[Config]) -> Config:
    """Check one mirror's settings.

    :raises MirrorConfigurationError: says which settings in which lines are wrong.
    """
    names = {field.alias or name for name, field in kind.model_fields.items()} - {"name"}
    wrong = list(_unknown(entry, names))
    own = {name: value for name, value in entry.settings.items() if name in names}
    try:
        config = kind.model_validate({**own, "name": entry.name})
    except ValidationError as error:
        wrong += [f"{entry.where(found.place)}, {found}." for found in Complaint.all_of(error)]
        raise WrongSettingsError(entry.file.path, wrong) from None
    for model, settings in config.model_settings.items():
        try:
            settings.check_names(model)
        except MirrorConfigurationError as error:
            wrong.append(f"{entry.where(('model_settings', model))}: {error}")
    if wrong:
        raise WrongSettingsError(entry.file.path, wrong)
    return config


def read_mirror(path: Path, name: str | None) -> MirrorConfig:
    """Read and check one mirror.

    :param name: None if the file has only one mirror.
    :raises MirrorConfigurationError: says which file and which setting is wrong.
    """
    entries = {entry.name: entry for entry in read_entries(path)}
    if name is None and len(entries) > 1:
        raise MirrorConfigurationError(f"{path} has several mirrors: name one of {', '.join(entries)}.")
    wanted = next(iter(entries)) if name is None else name
    if wanted not in entries:
        raise MirrorConfigurationError(f"{path} has no mirror '{wanted}', only {', '.join(entries)}.")
    return check_entry(entries[wanted], MirrorConfig)


def _settings(file: YamlFile, name: str, settings: object) -> Mapping[str, object]:
    if settings is None:
        return {}
    if not isinstance(settings, dict):
        where = file.where((_MIRRORS, name))
        raise MirrorConfigurationError(
            f"{where}: mirror '{name}' must be a mapping of settings, such as models: priority."
        )
    return settings


def _unknown(entry: MirrorEntry, names: Collection[str]) -> Iterator[str]:
    """Yield unknown settings: a misspelt exclude_fields would mirror fields that somebody meant to exclude."""
    has_listed = False  # all names that there are: once, they fill half of a message
    for name in entry.settings:
        if name not in names:
            is_alike = nearest(name, names) is not None
            hint = did_you_mean(name, names) if is_alike or not has_listed else "."
            has_listed = has_listed or not is_alike
            yield f"{entry.where((name,))}: there is no setting '{name}'{hint}"
    of_models = entry.settings.get("model_settings")
    for model, settings in of_models.items() if isinstance(of_models, dict) else ():
        for name in settings if isinstance(settings, dict) else ():
            if name not in SETTINGS:
                where = entry.where(("model_settings", model, name))
                hint = did_you_mean(name, SETTINGS)
                yield f"{where}, model_settings of {model}: there is no setting '{name}'{hint}"
    of_documents = entry.settings.get("documents")
    for model, settings in of_documents.items() if isinstance(of_documents, dict) else ():
        for place, hint in unknown_settings(settings):
            where = entry.where(("documents", model, *place))
            yield f"{where}, documents of {model}: there is no setting '{place[-1]}'{hint}"
