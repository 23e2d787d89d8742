"""The tasks of documents and embeddings, which follow the mirror's own in its DAG.

plan_documents → documents (a mapped task per model) → plan_embeddings → embeddings (mapped tasks that share the rest)
"""

from __future__ import annotations

from dataclasses import dataclass

from airflow.sdk import TriggerRule, XComArg, get_current_context, task
from airflow.sdk.definitions.mappedoperator import MappedOperator

from airflow_provider_odoo_shadow.dag_factory.common import retries
from airflow_provider_odoo_shadow.dag_factory.config import DagConfig
from airflow_provider_odoo_shadow.dag_factory.knowledge import (
    FillEmbeddingsOperator,
    Part,
    RefreshDocumentsOperator,
    plan_documents,
    plan_embeddings,
)
from airflow_provider_odoo_shadow.transfers.last_words import say_last

PLAN_DOCUMENTS_TASK = "plan_documents"
DOCUMENTS_TASK = "documents"
EMBEDDINGS_TASK = "embeddings"

DOC = """
- **Documents** follow the rows at the end of each run, also when some models have failed, then **embeddings**: tasks of
  their own, which fail alone and go on where they were. Searches use them: `odoo-shadow search`.
"""


@dataclass(frozen=True)
class KnowledgeTasks:
    """The tasks, in their order."""

    plan_documents: XComArg
    documents: MappedOperator
    plan_embeddings: XComArg
    embeddings: MappedOperator

    @property
    def all(self) -> list[XComArg | MappedOperator]:
        """All of them."""
        return [self.plan_documents, self.documents, self.plan_embeddings, self.embeddings]


def knowledge_tasks(mirror: DagConfig, plan_task_id: str) -> KnowledgeTasks:
    """Make the tasks, in the DAG that is being built; they run whatever became of the models.

    :param plan_task_id: the task without whose success nothing is written.
    """

    @task(
        task_id=PLAN_DOCUMENTS_TASK,
        doc_md="Finds the models that have documents.",
        trigger_rule=TriggerRule.ALL_DONE,
        **retries(mirror),
        on_failure_callback=say_last,
        on_retry_callback=say_last,
    )
    def plan_all_documents() -> list[str]:
        return plan_documents(get_current_context(), mirror, plan_task_id)

    planned = plan_all_documents()
    documents = RefreshDocumentsOperator.partial(
        task_id=DOCUMENTS_TASK,
        doc_md="Brings the documents of a model up to date: those whose rows have changed.",
        postgres_conn_id=mirror.postgres_conn_id,
        schema=mirror.schema_name,
        templates={model: template.as_text() for model, template in mirror.documents.items()},
        trusted_roles=mirror.trusted_roles,
        agreed_objects=mirror.agreed_objects,
        **retries(mirror),
        max_active_tis_per_dagrun=mirror.parallel_models,
        map_index_template="{{ task.model }}",
    ).expand(model=planned)

    @task(
        task_id="plan_embeddings",
        doc_md="Finds the documents that lack an embedding, and says so if none can be made.",
        trigger_rule=TriggerRule.ALL_DONE,
        **retries(mirror),
        on_failure_callback=say_last,
        on_retry_callback=say_last,
    )
    def plan_all_embeddings() -> list[Part]:
        return plan_embeddings(get_current_context(), mirror, PLAN_DOCUMENTS_TASK)

    parts = plan_all_embeddings()
    embeddings = FillEmbeddingsOperator.partial(
        task_id=EMBEDDINGS_TASK,
        doc_md="Makes embeddings that documents lack; several tasks share them.",
        postgres_conn_id=mirror.postgres_conn_id,
        schema=mirror.schema_name,
        embeddings=mirror.embeddings,
        embeddings_conn_id=mirror.embeddings_conn_id,
        trusted_roles=mirror.trusted_roles,
        agreed_objects=mirror.agreed_objects,
        **retries(mirror),
        max_active_tis_per_dagrun=mirror.parallel_models,
        map_index_template="{{ task.label }}",
    ).expand_kwargs(parts)
    documents >> parts
    return KnowledgeTasks(planned, documents, parts, embeddings)
