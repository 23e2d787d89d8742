"""Documents and their vectors, brought up to date by `odoo-shadow embed`, and at the end of `odoo-shadow sync`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import partial

from rich.table import Table

from odoo_shadow.cli.embed_vectors import Vectors, embedding, make_vectors, why_no_vectors
from odoo_shadow.cli.embeddings_options import EmbeddingOptions
from odoo_shadow.cli.terminal import console, now_and_then, numbers, say, working
from odoo_shadow.knowledge.documents.refresh import Refreshed
from odoo_shadow.knowledge.documents.run import Failed, refresh_documents
from odoo_shadow.knowledge.embedding.port import Embedder
from odoo_shadow.mirror.config.document_template import DocumentTemplate
from odoo_shadow.mirror.config.mirrors_file import MirrorConfig
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.report_tables import add_row
from odoo_shadow.mirror.run.outcome import RunOutcome
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.text.amounts import counted


@dataclass(frozen=True)
class Knowledge:
    """What became of documents and vectors.

    :param refreshed: the models whose documents are up to date.
    :param failed: those whose are not.
    """

    refreshed: tuple[Refreshed, ...]
    failed: tuple[Failed, ...]
    vectors: Vectors

    @property
    def problems(self) -> tuple[str, ...]:
        """What has failed, a sentence each."""
        of_vectors = (self.vectors.error,) if self.vectors.has_failed and self.vectors.error else ()
        return (*(f"{item.model}: {item.error}" for item in self.failed), *of_vectors)

    def as_document(self) -> dict[str, object]:
        """Return it for programs."""
        return {
            "documents": [asdict(item) for item in self.refreshed],
            "failed": [asdict(item) for item in self.failed],
            "embeddings": self.vectors.as_document(),
        }


def keep_knowledge(
    shadow: ShadowDatabase,
    templates: Mapping[str, DocumentTemplate] | None,
    embedder: Embedder | None,
    models: Collection[str] | None = None,
    *,
    why_no_vectors: str,
    as_json: bool,
) -> Knowledge:
    """Bring documents up to date, then make the vectors that they lack, and say what was done and what has failed.

    :param templates: those of the mirrors file; None for those of the last pass.
    :param models: documents of these only.
    :param why_no_vectors: what to say if there is no embedder.
    :raises TemplateError: one of the models has no template.
    :raises ShadowError: the database does not let it begin.
    """
    tell = now_and_then(err=as_json)
    with working("Writing documents", err=as_json):
        done = refresh_documents(shadow, templates, partial(_tell, tell), models)
    failed = tuple(item for item in done if isinstance(item, Failed))
    refreshed = tuple(item for item in done if isinstance(item, Refreshed))
    if not as_json:
        _print(refreshed)
    vectors = make_vectors(shadow, embedder, models, why_none=why_no_vectors, as_json=as_json)
    for item in failed:
        say(f"{item.model}: {item.error}", err=True)
    return Knowledge(refreshed, failed, vectors)


def embedder_of_run(
    options: EmbeddingOptions, config: MirrorConfig | None, *, is_dry: bool
) -> AbstractContextManager[Embedder | None]:
    """Return what makes vectors at the end of a run, if the mirror wants documents."""
    is_wanted = config is not None and config.knowledge and not is_dry
    return embedding(options, config) if is_wanted else nullcontext()


def follow_run(
    shadow: ShadowDatabase,
    config: MirrorConfig | None,
    embedder: Embedder | None,
    outcome: RunOutcome,
    options: EmbeddingOptions,
    *,
    as_json: bool,
) -> tuple[RunOutcome, Knowledge | None]:
    """Bring documents up to date if the mirror wants them, whatever became of its models.

    :return: the outcome with what has failed, and what was done; None if that is nothing.
    """
    if config is None or not config.knowledge:
        return outcome, None
    why = why_no_vectors(options, config)
    try:
        done = keep_knowledge(shadow, config.documents, embedder, why_no_vectors=why, as_json=as_json)
    except (ShadowError, MirrorConfigurationError) as error:
        say(f"Documents are not up to date: {error}", err=True)
        return replace(outcome, knowledge_problems=(str(error),)), None
    return replace(outcome, knowledge_problems=done.problems), done


def knowledge_entry(done: Knowledge | None, *, is_dry: bool) -> dict[str, object]:
    """Return what a run's JSON says of it; nothing in a dry run."""
    return {} if is_dry else {"knowledge": None if done is None else done.as_document()}


def _tell(tell: Callable[[str], None], model: str, written: int, of: int) -> None:
    tell(f"{model}: {written:,} of {counted(of, 'changed document')} written")


def _print(refreshed: Sequence[Refreshed]) -> None:
    table = Table("documents of", *numbers("added", "changed", "removed", "in all"))
    for item in refreshed:
        add_row(table, item.model, item.added, item.changed, item.removed, item.total)
    console().print(table)
    total = counted(sum(item.total for item in refreshed), "document")
    changed = sum(item.added + item.changed + item.removed for item in refreshed)
    say(f"{total} up to date, {changed or 'none'} of them changed." if refreshed else "There are no documents.")
