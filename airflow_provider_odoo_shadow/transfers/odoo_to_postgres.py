"""The operator that mirrors one Odoo model into PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from airflow.sdk import BaseOperator
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.sdk.exceptions import AirflowSkipException

from airflow_provider_odoo_shadow.assets.odoo_shadow import alias_of
from airflow_provider_odoo_shadow.hooks.shadow import shadow_database
from airflow_provider_odoo_shadow.hooks.source import odoo_source
from airflow_provider_odoo_shadow.lineage.openlineage import lineage_of
from airflow_provider_odoo_shadow.links.odoo_shadow import LINKS
from airflow_provider_odoo_shadow.mirror_task import Sides
from airflow_provider_odoo_shadow.transfers.arguments import of_type, removal
from airflow_provider_odoo_shadow.transfers.asset_events import update_assets, with_outlet
from airflow_provider_odoo_shadow.transfers.last_words import with_last_words
from airflow_provider_odoo_shadow.transfers.mirroring import (
    DryRunSummary,
    Mirroring,
    MirrorSummary,
    summary_of,
    summary_of_dry_run,
)
from airflow_provider_odoo_shadow.transfers.retry_policy import MirrorRetryPolicy
from odoo_shadow.mirror.clock import DEFAULT_LOOK_BACK
from odoo_shadow.mirror.config.known_models import check_names
from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.config.patterns import checked_name
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run.closing import Closed, close_run
from odoo_shadow.mirror.run.lost import LOST, lost_tables
from odoo_shadow.mirror.run.plan import warn_unmatched_patterns_of
from odoo_shadow.mirror.sync.result import MirrorResult
from odoo_shadow.shadow.connection.database import DEFAULT_SCHEMA
from odoo_shadow.shadow.errors import ShadowRetriableError
from odoo_shadow.shadow.state.sync_log import entries_of_run
from odoo_shadow.shadow.trust import Trust
from odoo_shadow.shadow.vault import OdooCredentials
from odoo_shadow.source.errors import OdooUnknownModelError
from odoo_shadow.source.kind import SourceKind
from odoo_shadow.source.pages import DEFAULT_PAGE_SIZE
from odoo_shadow.text.log import logger

if TYPE_CHECKING:
    from airflow.sdk import Context
    from jinja2 import Environment

    from airflow_provider_odoo_shadow.lineage.openlineage import Lineage

log = logger(__name__)


class OdooToPostgresOperator(BaseOperator):
    """Mirror one Odoo model into its table in PostgreSQL: first whole, then only what changed.

    Each page is committed with its checkpoint, so a retry goes on where the last try stopped.
    A model that is not installed on the server is skipped; a name that no module of Odoo has fails the task.
    A mapped task renders no value that it is mapped over.
    If it wrote rows, it updates the asset `odoo-shadow://<mirror>/<model>`.

    :param model: the Odoo model, such as `res.partner`.
    :param odoo_conn_id: the Airflow connection to Odoo's API, by default `odoo_default`; with `source="database"`, that
        to the API beside it, by default none.
    :param postgres_conn_id: the Airflow connection to the shadow database.
    :param schema: the schema that holds the shadow; it belongs to one Odoo database.
    :param mirror: names the watermark Variables; the schema's name by default.
    :param full: read everything again, not only what changed.
    :param preview: a dry run: only log what would be read, written and created. (Airflow's operators have a method
        `dry_run` already.)
    :param batch_size: records per page.
    :param look_back: how far a run reaches behind the last watermark; longer than Odoo's longest transaction.
    :param on_delete: what becomes of rows that are gone from Odoo: `delete`, `mark` (in `_deleted_at`) or `ignore`;
        None for the same as in the last run, at first `delete`.
    :param allow_mass_delete: allow a suspicious share of the table's rows to be removed at once.
    :param model_settings: how this model is mirrored, as under `model_settings` in `odoo_shadow.yaml`, such as
        `{"domain": [["customer_rank", ">", 0]], "hashed_fields": ["email"]}`; None for as the last run did.
    :param trusted_roles: roles of the shadow's database, besides the sync's own, that may own the mirror's tables.
    :param agreed_objects: triggers and rules of others on the mirror's tables, as `odoo-shadow doctor` names them.
    :param odoo_credentials: `vault` takes Odoo's address and login from the Vault of the shadow's database, where
        `connection` takes them from the Airflow connection.
    :param source: `api`, or `database` to read Odoo's own database, where no record rules and no groups apply.
    :param odoo_database_conn_id: the Airflow connection to Odoo's own database, of type `postgres`.
    """

    template_fields: Sequence[str] = (
        *("model", "odoo_conn_id", "postgres_conn_id", "odoo_database_conn_id", "schema", "mirror"),
    )
    ui_color = "#e6dbe9"
    operator_extra_links = LINKS
    sides: Sides | None = None

    def __init__(
        self,
        *,
        model: str,
        odoo_conn_id: str | None = None,
        postgres_conn_id: str = "postgres_default",
        schema: str = DEFAULT_SCHEMA,
        mirror: str | None = None,
        full: bool = False,
        preview: bool = False,
        batch_size: int = DEFAULT_PAGE_SIZE,
        look_back: timedelta = DEFAULT_LOOK_BACK,
        on_delete: str | None = None,
        allow_mass_delete: bool = False,
        model_settings: Mapping[str, object] | None = None,
        trusted_roles: Sequence[str] = (),
        agreed_objects: Sequence[str] = (),
        odoo_credentials: str = OdooCredentials.CONNECTION.value,
        source: str = SourceKind.API.value,
        odoo_database_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("retry_policy", MirrorRetryPolicy())
        alias = alias_of(mirror or schema)
        super().__init__(**{**kwargs, **with_last_words(kwargs), "outlets": with_outlet(kwargs.get("outlets"), alias)})
        self.asset_alias = alias
        self.model = model
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
        self.trusted_roles = trusted_roles
        self.agreed_objects = agreed_objects
        self.odoo_credentials = odoo_credentials
        self.source = source
        self.odoo_database_conn_id = odoo_database_conn_id
        self.results: tuple[MirrorResult, ...] = ()

    def render_template(
        self,
        content: Any,
        context: Context,
        jinja_env: Environment | None = None,
        seen_oids: set[int] | None = None,
    ) -> Any:
        """Render what the DAG's author wrote, never a mapped value, which may come from Odoo.

        Airflow itself renders the values of `expand_kwargs`, and those of a list that was read while parsing.
        """
        if isinstance(content, str) and not self._is_written_here(content):
            return content
        return super().render_template(content, context, jinja_env, seen_oids)

    def _is_written_here(self, text: str) -> bool:
        dag = self.get_dag()
        declared = dag.task_dict.get(self.task_id) if dag else None
        if isinstance(declared, BaseOperator):
            return True
        if not isinstance(declared, MappedOperator):  # nothing shows where the text comes from
            return False
        return any(isinstance(value, str) and value == text for value in declared.partial_kwargs.values())

    def execute(self, context: Context) -> MirrorSummary | DryRunSummary:
        """Mirror the model; return counts and the new watermark, or what would be done."""
        model = checked_name(self.model)
        options = MirrorOptions(
            full=of_type("full", self.full, bool),
            batch_size=of_type("batch_size", self.batch_size, int),
            look_back=of_type("look_back", self.look_back, timedelta),
            on_delete=removal(self.on_delete),
            allow_mass_delete=of_type("allow_mass_delete", self.allow_mass_delete, bool),
        )
        is_dry_run = of_type("preview", self.preview, bool)
        settings = None if self.model_settings is None else ModelSettings.parse(model, self.model_settings)
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
            ) as odoo,
        ):
            self.sides = Sides(odoo.access.url, odoo.access.database, shadow)
            mirroring = Mirroring(odoo, shadow, self.mirror_name, run, options)
            try:
                if is_dry_run:
                    return summary_of_dry_run(mirroring.dry_run(model, settings))
                result = mirroring.mirror_model(model, settings)
            except OdooUnknownModelError as error:
                check_names(odoo, shadow, [model])
                raise AirflowSkipException(str(error)) from None
            self.results = (result,)
            warn_unmatched_patterns_of(odoo, [model], lambda _: settings)
            log_closed(close_run(odoo, shadow, run=run, options=options))
            with shadow.transaction() as tx:
                entries = entries_of_run(tx, run.id)
            if lost_tables(entries, [result.table]):
                raise ShadowRetriableError(f"{model}: {LOST}.")
            update_assets(context, shadow, self.asset_alias, self.mirror_name, models=[model], run_id=run.id)
        return summary_of(result)

    def get_openlineage_facets_on_complete(self, task_instance: object) -> Lineage | None:  # noqa: ARG002
        """Tell OpenLineage's listener what was mirrored; it also asks after a failure."""
        return lineage_of(self)

    @property
    def mirror_name(self) -> str:
        """The mirror's name."""
        return self.mirror or self.schema

    @property
    def asked_models(self) -> Sequence[str]:
        """The models that this task is for."""
        return (self.model,)


def log_closed(items: Iterable[Closed]) -> None:
    """Log what ends a run, step by step. Raises the first model's error, after the others."""
    failed = []
    for item in items:
        log.info("%s", item)
        failed += [item.error] if item.error else []
    if failed:
        raise failed[0]


def mirror_run(dag_id: str, run_id: str) -> Run:
    """Return the identity of a DAG run: the same in all its tasks and tries, so that a retry takes over at once."""
    return Run(uuid5(NAMESPACE_URL, f"airflow:{dag_id}/{run_id}"), f"DAG {dag_id}, run {run_id}")
