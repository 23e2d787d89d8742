"""The operators that the DAGs map over models.

Airflow renders the template fields of each mapped task after their values have arrived, and so would render what a
server calls its models, or what another role wrote into the shadow's registry. These operators have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, TypeVar

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from airflow_provider_odoo_shadow.assets.odoo_shadow import alias_of
from airflow_provider_odoo_shadow.dag_factory.batch import FAILURES, concerns_all, error_of, label_of, models_left
from airflow_provider_odoo_shadow.hooks.shadow import shadow_database
from airflow_provider_odoo_shadow.hooks.source import mirrors_own_source, odoo_source
from airflow_provider_odoo_shadow.lineage.openlineage import lineage_of
from airflow_provider_odoo_shadow.links.odoo_shadow import LINKS
from airflow_provider_odoo_shadow.mirror_task import Sides
from airflow_provider_odoo_shadow.transfers.asset_events import update_assets
from airflow_provider_odoo_shadow.transfers.last_words import with_last_words
from airflow_provider_odoo_shadow.transfers.mirroring import (
    DryRunSummary,
    Mirroring,
    MirrorSummary,
    PartSummary,
    summary_of,
    summary_of_dry_run,
    summary_of_part,
)
from airflow_provider_odoo_shadow.transfers.odoo_to_postgres import OdooToPostgresOperator, log_closed, mirror_run
from airflow_provider_odoo_shadow.transfers.retry_policy import MirrorRetryPolicy
from odoo_shadow.mirror.config.known_models import check_names
from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.config.patterns import checked_name
from odoo_shadow.mirror.errors import MirrorConfigurationError, VerificationError
from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.mirror.proof.verify import Depth, VerifyOptions, verify_model
from odoo_shadow.mirror.run.closing import reread_due
from odoo_shadow.mirror.run.outcome import named_once
from odoo_shadow.mirror.shape.refused_fields import REFUSED
from odoo_shadow.mirror.sync.deletions import CANNOT_KNOW
from odoo_shadow.mirror.sync.parts import Part, PartResult
from odoo_shadow.mirror.sync.result import MirrorResult
from odoo_shadow.shadow.differences import Difference
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.shadow.trust import Trust
from odoo_shadow.shadow.vault import OdooCredentials
from odoo_shadow.source.errors import OdooUnknownModelError
from odoo_shadow.source.kind import SourceKind
from odoo_shadow.text.amounts import counted
from odoo_shadow.text.errors import ShownError
from odoo_shadow.text.log import logger

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_odoo_shadow.lineage.openlineage import Lineage

log = logger(__name__)

T = TypeVar("T")
Work: TypeAlias = Callable[[str, ModelSettings | None], T]
"""What a task does with each of its models."""


class MirrorModelsOperator(BaseOperator):
    """Mirrors some of the models that the task `plan` found to have work: several small ones, a large one, or a part.

    The first load of a very large model is divided into parts, each a task; the last one to end finishes the table.

    A model that fails does not stop the others; the task fails after them, and its retry takes up those that have not
    succeeded in this run.

    :param models: the Odoo models.
    :param odoo_conn_id: the Airflow connection to Odoo's API; with `source="database"`, None for no API beside it.
    :param postgres_conn_id: the Airflow connection to the shadow database.
    :param schema: the schema that holds the shadow.
    :param mirror: the mirror's name: of the watermark Variables and the assets.
    :param full: read everything again, not only what changed.
    :param preview: a dry run: only log what would be read, written and created. (Airflow's operators have a method
        `dry_run` already.)
    :param batch_size: records per page.
    :param look_back: how far a run reaches behind the last watermark.
    :param on_delete: what becomes of rows that are gone from Odoo.
    :param allow_mass_delete: allow a suspicious share of a table's rows to be removed at once.
    :param model_settings: how each model is mirrored, by model.
    :param part: which part of the model's first load is read, of how many; None for the models as a whole.
    :param at_once: how many of the run's tasks read Odoo at the same time; together they keep to `requests_per_second`.
    :param trusted_roles: roles of the shadow's database, besides the sync's own, that may own the mirror's tables.
    :param agreed_objects: triggers and rules of others on the mirror's tables that may run.
    :param odoo_credentials: `vault` takes Odoo's address and login from the Vault of the shadow's database, where
        `connection` takes them from the Airflow connection.
    :param source: `api`, or `database` to read Odoo's own database, where no record rules and no groups apply.
    :param odoo_database_conn_id: the Airflow connection to Odoo's own database, of type `postgres`.
    :param fresh_within_minutes: how old the shadow may become, for the page "Odoo shadow"; None for no such goal.
    """

    template_fields: Sequence[str] = ()
    ui_color = OdooToPostgresOperator.ui_color
    operator_extra_links = LINKS
    sides: Sides | None = None
    custom_operator_name = OdooToPostgresOperator.__name__

    def __init__(
        self,
        *,
        models: Sequence[str],
        odoo_conn_id: str | None,
        postgres_conn_id: str,
        schema: str,
        mirror: str,
        full: bool,
        preview: bool,
        batch_size: int,
        look_back: timedelta,
        on_delete: str,
        allow_mass_delete: bool,
        model_settings: Mapping[str, Mapping[str, object]],
        part: Sequence[int] | None = None,
        at_once: int = 1,
        trusted_roles: Sequence[str] = (),
        agreed_objects: Sequence[str] = (),
        odoo_credentials: str = OdooCredentials.CONNECTION.value,
        source: str = SourceKind.API.value,
        odoo_database_conn_id: str | None = None,
        fresh_within_minutes: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{**kwargs, **with_last_words(kwargs)})
        self.models = models
        self.odoo_conn_id = odoo_conn_id
        self.postgres_conn_id = postgres_conn_id
        self.schema = schema
        self.mirror = mirror
        self.full = full
        self.preview = preview
        self.batch_size = batch_size
        self.look_back = look_back
        self.on_delete = on_delete
        self.allow_mass_delete = allow_mass_delete
        self.model_settings = model_settings
        self.part = part
        self.at_once = at_once
        self.trusted_roles = trusted_roles
        self.agreed_objects = agreed_objects
        self.odoo_credentials = odoo_credentials
        self.source = source
        self.odoo_database_conn_id = odoo_database_conn_id
        self.fresh_within_minutes = fresh_within_minutes
        self.results: tuple[MirrorResult, ...] = ()

    @property
    def label(self) -> str:
        """The models' names, as many as Airflow's label of a mapped task has room for, and the part."""
        return label_of(self.models) if self.part is None else f"{label_of(self.models)} ({Part(*self.part)})"

    def execute(self, context: Context) -> list[MirrorSummary] | list[PartSummary] | list[DryRunSummary]:
        """Mirror the models; return counts and the new watermarks, or what would be done.

        :raises ModelsFailedError: several models failed; a single one's own error is raised as it is.
        :raises AirflowSkipException: the server has none of the models.
        """
        options = MirrorOptions(
            full=self.full,
            batch_size=self.batch_size,
            look_back=self.look_back,
            on_delete=OnDelete(self.on_delete),
            allow_mass_delete=self.allow_mass_delete,
        )
        run = mirror_run(str(context["dag_run"].dag_id), str(context["dag_run"].run_id))
        trust = Trust.of(self.trusted_roles, self.agreed_objects)
        self.results, self.sides = (), None
        with (
            shadow_database(self.postgres_conn_id, self.schema, trust) as shadow,
            odoo_source(
                shadow,
                source=self.source,
                odoo_conn_id=self.odoo_conn_id,
                odoo_credentials=self.odoo_credentials,
                odoo_database_conn_id=self.odoo_database_conn_id,
                at_once=self.at_once,
            ) as odoo,
        ):
            self.sides = Sides(odoo.access.url, odoo.access.database, shadow)
            mirroring = Mirroring(odoo, shadow, self.mirror, run, options)
            models = [checked_name(model) for model in self.models]
            if self.preview:
                return [summary_of_dry_run(found) for found in self._each(mirroring, models, mirroring.dry_run)]
            if self.part is not None:
                (done,) = self._each(mirroring, models, partial(mirroring.load_part, Part(*self.part)))
                if isinstance(done, PartResult):
                    return [summary_of_part(done)]
                self.results = (done,)
            else:
                left = models if context["ti"].try_number == 1 else models_left(shadow, run, models)
                for result in self._each(mirroring, left, mirroring.mirror_model):
                    self.results = (*self.results, result)
            update_assets(context, shadow, alias_of(self.mirror), self.mirror, models=models, run_id=run.id)
        return [summary_of(result) for result in self.results]

    def get_openlineage_facets_on_complete(self, task_instance: object) -> Lineage | None:  # noqa: ARG002
        """Tell OpenLineage's listener what was mirrored; it also asks after a failure."""
        return lineage_of(self)

    @property
    def mirror_name(self) -> str:
        """The mirror's name."""
        return self.mirror

    @property
    def asked_models(self) -> Sequence[str]:
        """The models that this task is for."""
        return self.models

    def _each(self, mirroring: Mirroring, models: Sequence[str], work: Work[T]) -> Iterator[T]:
        """Do the work for one model after the other; after the last one, raise the errors of those that failed."""
        failed: dict[str, ShownError] = {}
        absent = []
        for number, model in enumerate(models, start=1):
            try:
                yield self._done(mirroring, model, work)
            except AirflowSkipException as skipped:
                log.warning("%s", skipped)
                absent.append(str(skipped))
            except FAILURES as error:
                failed[model] = error
                if len(models) > 1:
                    log.error("%s", named_once(model, str(error)))
                if concerns_all(error) and number < len(models):
                    log.error("For the same reason, not tried: %s", ", ".join(models[number:]))
                    break
        if failed:
            raise error_of(failed, models)
        if models and len(absent) == len(models):
            raise AirflowSkipException(" ".join(absent))

    def _done(self, mirroring: Mirroring, model: str, work: Work[T]) -> T:
        try:
            return work(model, ModelSettings.parse(model, self.model_settings[model]))
        except OdooUnknownModelError as error:
            check_names(mirroring.odoo, mirroring.shadow, [model])
            raise AirflowSkipException(str(error)) from None


AGAINST = "against"
"""The parameter of a run that compares with another source than the mirror's own."""


def check_repair(params: Mapping[str, object], source: str) -> None:
    """Refuse to repair by another source than the mirror's own.

    :raises MirrorConfigurationError: the run is to do so.
    """
    against = params.get(AGAINST, source)
    if params["repair"] and against != source:
        raise MirrorConfigurationError(
            f"Repair does not go with against: {against}, since the mirror is made from {source}: record rules make a "
            "difference between both, and a repair would undo it. Set repair to false."
        )


class VerifySummary(TypedDict):
    """What one model's task returns."""

    model: str
    rows: int
    missing: int
    extra: int
    stale: int
    differing: int
    newer: int
    repaired: int
    seconds: float


class VerifyModelOperator(BaseOperator):
    """Compares one mirrored model with Odoo, as the run's parameters `quick`, `repair` and `against` say.

    :param model: the Odoo model.
    :param odoo_conn_id: the Airflow connection to Odoo's API; with `source="database"`, None for no API beside it.
    :param postgres_conn_id: the Airflow connection to the shadow database.
    :param schema: the schema that holds the shadow.
    :param mirror: the mirror's name; the schema's by default.
    :param batch_size: records per page.
    :param at_once: how many of the run's tasks read Odoo at the same time; together they keep to `requests_per_second`.
    :param trusted_roles: roles of the shadow's database, besides the sync's own, that may own the mirror's tables.
    :param agreed_objects: triggers and rules of others on the mirror's tables that may run.
    :param odoo_credentials: `vault` takes Odoo's address and login from the Vault of the shadow's database, where
        `connection` takes them from the Airflow connection.
    :param source: `api`, or `database` to read Odoo's own database, where no record rules and no groups apply.
    :param odoo_database_conn_id: the Airflow connection to Odoo's own database, of type `postgres`.
    """

    template_fields: Sequence[str] = ()
    ui_color = OdooToPostgresOperator.ui_color
    operator_extra_links = LINKS
    results: tuple[MirrorResult, ...] = ()
    sides: Sides | None = None

    def __init__(
        self,
        *,
        model: str,
        odoo_conn_id: str | None,
        postgres_conn_id: str,
        schema: str,
        mirror: str | None = None,
        batch_size: int,
        at_once: int = 1,
        trusted_roles: Sequence[str] = (),
        agreed_objects: Sequence[str] = (),
        odoo_credentials: str = OdooCredentials.CONNECTION.value,
        source: str = SourceKind.API.value,
        odoo_database_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("retry_policy", MirrorRetryPolicy())
        super().__init__(**{**kwargs, **with_last_words(kwargs)})
        self.model = model
        self.odoo_conn_id = odoo_conn_id
        self.postgres_conn_id = postgres_conn_id
        self.schema = schema
        self.mirror_name = mirror or schema
        self.batch_size = batch_size
        self.at_once = at_once
        self.trusted_roles = trusted_roles
        self.agreed_objects = agreed_objects
        self.odoo_credentials = odoo_credentials
        self.source = source
        self.odoo_database_conn_id = odoo_database_conn_id

    @property
    def asked_models(self) -> Sequence[str]:
        """The models that this task is for."""
        return (self.model,)

    def execute(self, context: Context) -> VerifySummary:
        """Compare, and repair if asked. Raises `VerificationError` when rows differ and were not repaired."""
        model = checked_name(self.model)
        params, dag_run = context["params"], context["dag_run"]
        wanted = VerifyOptions(Depth.QUICK if params["quick"] else Depth.FULL, repair=params["repair"])
        options = MirrorOptions(batch_size=self.batch_size)
        run = mirror_run(str(dag_run.dag_id), str(dag_run.run_id))
        trust = Trust.of(self.trusted_roles, self.agreed_objects)
        self.sides = None
        with (
            shadow_database(self.postgres_conn_id, self.schema, trust) as shadow,
            odoo_source(
                shadow,
                source=str(params.get(AGAINST, self.source)),
                odoo_conn_id=self.odoo_conn_id,
                odoo_credentials=self.odoo_credentials,
                odoo_database_conn_id=self.odoo_database_conn_id,
                at_once=self.at_once,
            ) as odoo,
            mirrors_own_source(odoo, source=self.source, odoo_database_conn_id=self.odoo_database_conn_id) as own,
        ):
            self.sides = Sides(odoo.access.url, odoo.access.database, shadow)
            found = verify_model(odoo, shadow, model, run=run, options=options, verify=wanted, own=own)
            if found.repaired:
                log_closed(reread_due(odoo, shadow, run=run, options=options))
        if found.cannot_know:
            log.info("%s: %s", model, CANNOT_KNOW)
        if found.not_compared:
            log.info("%s: %s: %s", model, REFUSED, ", ".join(found.not_compared))
        if found.explained:
            differ = counted(len(found.explained), "row differs", "rows differ")
            log.info("%s: %s between the two sources, and are as the mirror's own source says", model, differ)
        for item in found.cells:
            log.warning("%s %s", model, item)
        summary = VerifySummary(
            model=model,
            rows=found.rows,
            missing=len(found.ids[Difference.MISSING]),
            extra=len(found.ids[Difference.EXTRA]),
            stale=len(found.ids[Difference.STALE]),
            differing=len(found.ids[Difference.DIFFERING]),
            newer=found.newer,
            repaired=found.repaired,
            seconds=round(found.seconds, 3),
        )
        if not found.is_settled:
            raise VerificationError(f"{model} differs from Odoo: {summary}")
        return summary
