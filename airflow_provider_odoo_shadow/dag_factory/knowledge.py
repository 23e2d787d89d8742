"""What the tasks of a mirror's documents and embeddings do, at the end of a run, whatever became of its models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from airflow.sdk import BaseOperator, TaskInstanceState
from airflow.sdk.exceptions import AirflowSkipException

from airflow_provider_odoo_shadow.dag_factory.config import DagConfig
from airflow_provider_odoo_shadow.dag_factory.plan import check_number
from airflow_provider_odoo_shadow.hooks.embeddings import embedder_of
from airflow_provider_odoo_shadow.hooks.shadow import shadow_database
from airflow_provider_odoo_shadow.transfers.last_words import with_last_words
from odoo_shadow.knowledge.documents.run import begin_pass, refresh_wanted, show_documents
from odoo_shadow.knowledge.embedding.errors import EmbeddingConfigurationError, EmbeddingError
from odoo_shadow.knowledge.embedding.extension import NoVectorsError
from odoo_shadow.knowledge.embedding.fill import Filled, fill_embeddings, left_to_fill, not_yet
from odoo_shadow.knowledge.errors import TemplateError
from odoo_shadow.mirror.config.document_template import DocumentTemplate
from odoo_shadow.shadow.state.schema import schema_version
from odoo_shadow.shadow.trust import Trust
from odoo_shadow.text.amounts import counted
from odoo_shadow.text.log import logger

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logger(__name__)

DOCUMENTS_COLOUR = "#e6f0d8"
PART = 5_000
"""Documents without an embedding for which another task is worth its start; half a minute's work of the local model."""

WORDS_ALONE = (
    "No embeddings are made, so searches are by words alone: install the local model where tasks run (pip install "
    "'odoo-shadow[knowledge]'), or name an endpoint (embeddings_conn_id)."
)


class Part(TypedDict):
    """The arguments of one mapped task that makes embeddings."""

    part: int
    parts: int
    documents: int


def plan_documents(context: Context, mirror: DagConfig, plan_task_id: str) -> list[str]:
    """Return the models that have documents, and let readers see those that there are.

    :raises AirflowSkipException: the run's plan has failed, or it is a dry run: nothing is written.
    :raises ShadowError, MirrorConfigurationError: the database does not let it.
    """
    if context["params"]["dry_run"]:
        raise AirflowSkipException("A dry run: nothing is written.")
    _demand_success(context, plan_task_id)
    with shadow_database(mirror.postgres_conn_id, mirror.schema_name, mirror.trust) as shadow:
        with shadow.transaction() as tx:
            if not schema_version(tx):
                raise AirflowSkipException("There is no shadow yet.")
        work = begin_pass(shadow, mirror.documents)
        show_documents(shadow)
    for gone in work.removed:
        log.warning("%s has no documents any more: %s removed", gone.model, counted(gone.removed, "document"))
    models = [*(item.model for item in work.wanted), *(item.model for item in work.failed)]
    check_number(len(models))
    return models


def _demand_success(context: Context, task_id: str) -> None:
    dag_run = context["dag_run"]
    states = context["ti"].get_task_states(dag_id=dag_run.dag_id, task_ids=[task_id], run_ids=[dag_run.run_id])
    if states.get(dag_run.run_id, {}).get(task_id) != TaskInstanceState.SUCCESS:
        raise AirflowSkipException(f"The task {task_id} has not succeeded, so nothing is written.")


def plan_embeddings(context: Context, mirror: DagConfig, plan_task_id: str) -> list[Part]:
    """Let readers see the documents as they are now, and divide those without an embedding into tasks.

    :return: nothing if all have one, or none can be made; the log says why.
    :raises AirflowSkipException: the task that finds the models with documents has not succeeded.
    :raises EmbeddingError, EmbeddingConfigurationError: what makes them does not answer, or a setting is wrong.
    :raises ShadowError: the database does not let it.
    """
    _demand_success(context, plan_task_id)
    with shadow_database(mirror.postgres_conn_id, mirror.schema_name, mirror.trust) as shadow:
        show_documents(shadow)
        with embedder_of(mirror.embeddings, mirror.embeddings_conn_id) as embedder:
            if embedder is None:
                log.info("%s", WORDS_ALONE if mirror.embeddings is None else "Embeddings are none, as the mirror says.")
                return []
            try:
                left = left_to_fill(shadow, embedder)
            except NoVectorsError as error:
                log.warning("%s", error)
                return []
            log.info("%s without an embedding of %s", counted(left.documents, "document"), embedder.name)
    if left.is_nothing:
        return []
    parts = max(1, min(mirror.parallel_models, -(-left.documents // PART)))
    return [Part(part=number, parts=parts, documents=left.documents) for number in range(1, parts + 1)]


class RefreshDocumentsOperator(BaseOperator):
    """Brings the documents of one model up to date: those whose rows have changed, and those of records that are gone.

    Each batch is committed: a retry does the rest.

    :param model: the Odoo model.
    :param postgres_conn_id: the Airflow connection to the shadow database.
    :param schema: the schema that holds the shadow.
    :param templates: what the mirror's documents show, by model, as text.
    :param trusted_roles: roles of the shadow's database, besides the sync's own, that may own the mirror's tables.
    :param agreed_objects: triggers and rules of others on the mirror's tables that may run.
    """

    template_fields: Sequence[str] = ()
    ui_color = DOCUMENTS_COLOUR

    def __init__(
        self,
        *,
        model: str,
        postgres_conn_id: str,
        schema: str,
        templates: Mapping[str, str],
        trusted_roles: Sequence[str] = (),
        agreed_objects: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**{**kwargs, **with_last_words(kwargs)})
        self.model = model
        self.postgres_conn_id = postgres_conn_id
        self.schema = schema
        self.templates = templates
        self.trusted_roles = trusted_roles
        self.agreed_objects = agreed_objects

    def execute(self, context: Context) -> dict[str, str | int]:  # noqa: ARG002 - Airflow's signature
        """Do it; return how many documents were added, changed and removed, and how many there are.

        :raises TemplateError: the model's template names what there is not.
        :raises ShadowError: the database does not let it.
        """
        templates = {model: DocumentTemplate.from_text(text) for model, text in self.templates.items()}
        trust = Trust.of(self.trusted_roles, self.agreed_objects)
        with shadow_database(self.postgres_conn_id, self.schema, trust) as shadow:
            work = begin_pass(shadow, templates, [self.model])
            for item in work.failed:
                raise TemplateError(item.error)
            done = refresh_wanted(shadow, work, work.wanted[0], self._tell)
        log.info("%s: %s added, %s changed, %s removed", done.model, done.added, done.changed, done.removed)
        return {
            "model": done.model,
            "added": done.added,
            "changed": done.changed,
            "removed": done.removed,
            "documents": done.total,
        }

    def _tell(self, written: int, of: int) -> None:
        log.info("%s: %s of %s written", self.model, written, counted(of, "changed document"))


class FillEmbeddingsOperator(BaseOperator):
    """Makes embeddings that documents lack, beside other tasks: each takes documents that no other has.

    Each batch is committed: a retry, or the next run, does the rest. The last one lets searches use them.

    :param part: which of how many tasks it is, for its label only.
    :param documents: how many lack one when the tasks begin, for its label only.
    :param postgres_conn_id: the Airflow connection to the shadow database.
    :param schema: the schema that holds the shadow.
    :param embeddings: `local` or `none`; None for the local model where it is installed.
    :param embeddings_conn_id: the Airflow connection of an endpoint that makes them.
    :param trusted_roles: roles of the shadow's database, besides the sync's own, that may own the mirror's tables.
    :param agreed_objects: triggers and rules of others on the mirror's tables that may run.
    """

    template_fields: Sequence[str] = ()
    ui_color = DOCUMENTS_COLOUR

    def __init__(
        self,
        *,
        part: int,
        parts: int,
        documents: int,
        postgres_conn_id: str,
        schema: str,
        embeddings: str | None = None,
        embeddings_conn_id: str | None = None,
        trusted_roles: Sequence[str] = (),
        agreed_objects: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**{**kwargs, **with_last_words(kwargs)})
        self.part = part
        self.parts = parts
        self.documents = documents
        self.postgres_conn_id = postgres_conn_id
        self.schema = schema
        self.embeddings = embeddings
        self.embeddings_conn_id = embeddings_conn_id
        self.trusted_roles = trusted_roles
        self.agreed_objects = agreed_objects

    @property
    def label(self) -> str:
        """How many documents lack one, and which of how many tasks this is."""
        which = f", part {self.part} of {self.parts}" if self.parts > 1 else ""
        return f"{counted(self.documents, 'document')}{which}"

    def execute(self, context: Context) -> dict[str, str | int]:  # noqa: ARG002 - Airflow's signature
        """Do it; return how many were made, refused and are still missing.

        :raises EmbeddingError, EmbeddingConfigurationError: what makes them does not answer, or a setting is wrong.
        :raises ShadowError: the database does not let it.
        """
        trust = Trust.of(self.trusted_roles, self.agreed_objects)
        with (
            shadow_database(self.postgres_conn_id, self.schema, trust) as shadow,
            embedder_of(self.embeddings, self.embeddings_conn_id) as embedder,
        ):
            if embedder is None:
                raise EmbeddingConfigurationError(WORDS_ALONE)
            done = fill_embeddings(shadow, embedder, on_progress=_tell)
        _log_filled(done)
        if not done.is_current:
            raise EmbeddingError(not_yet(done.model, done.waiting))
        return {"made_by": done.model, "made": done.embedded, "refused": done.refused, "waiting": done.waiting}


def _tell(made: int, of: int) -> None:
    log.info("%s of %s made", made, counted(of, "embedding"))


def _log_filled(done: Filled) -> None:
    for item in done.first_refused:
        log.warning("%s %s has no embedding, and is found by words only: %s", item.odoo_model, item.odoo_id, item.error)
    log.info("%s made by %s; %s without one", counted(done.embedded, "embedding"), done.model, done.waiting)
