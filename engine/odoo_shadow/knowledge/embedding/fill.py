"""Makes the vectors that documents lack, batch by batch, each committed: what ends a fill, the next one goes on.

Several may run at once, on one machine or on many; each takes documents that no other has, and what is left of another
that died.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from odoo_shadow.knowledge.embedding.columns import (
    EmbeddingModel,
    current_model,
    drop_others,
    ensure_column,
    ensure_index,
    find_column,
    find_model,
    make_current,
)
from odoo_shadow.knowledge.embedding.errors import EmbeddingError, RefusedTextError
from odoo_shadow.knowledge.embedding.extension import Extension, ensure_extension
from odoo_shadow.knowledge.embedding.keeping import keeping
from odoo_shadow.knowledge.embedding.port import Embedder, Load, Vector
from odoo_shadow.knowledge.embedding.waiting import Due, claim, count_claimed, count_waiting, release, store
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.shadow.install import ensure_base
from odoo_shadow.shadow.owners.ownership import exists
from odoo_shadow.shadow.relations import EMBEDDING_MODEL
from odoo_shadow.shadow.views.documents import renew_document_view
from odoo_shadow.text.amounts import counted, first_of
from odoo_shadow.text.log import logger
from odoo_shadow.text.shown import shown

log = logger(__name__)

MOST_LISTED = 20
"""Refused documents that are named; all are counted."""

_MOST_NAMED = 5
_PAUSE = 0.5
"""Seconds between two looks at what others still have."""

_MOST_REFUSED = 20
"""So many texts refused one after the other, and none taken, are not the texts' fault."""


@dataclass(frozen=True)
class Refused:
    """A document that cannot be made a vector; searches by words find it."""

    odoo_model: str
    odoo_id: int
    error: str


@dataclass(frozen=True)
class Filled:
    """What a fill has done.

    :param embedded: documents that have got a vector.
    :param waiting: documents that have none yet, without the refused ones.
    :param is_current: searches use this model now.
    """

    model: str
    dimensions: int
    embedded: int
    refused: int
    first_refused: tuple[Refused, ...]
    waiting: int
    is_current: bool


@dataclass(frozen=True)
class Left:
    """What there is to do.

    :param documents: how many have no vector of the model.
    :param is_current: searches use the model.
    """

    documents: int
    is_current: bool

    @property
    def is_nothing(self) -> bool:
        """Whether all is done."""
        return not self.documents and self.is_current


def left_to_fill(shadow: ShadowDatabase, embedder: Embedder) -> Left:
    """Find out what there is to do; create the extension if that is possible.

    :raises NoVectorsError: the database has no pgvector that serves.
    :raises EmbeddingError: the embedder does not say how long its vectors are.
    :raises ShadowError: the database cannot be asked.
    """
    ensure_extension(shadow)
    name, dimensions = embedder.name, embedder.dimensions
    with shadow.transaction() as tx:
        found = find_column(tx, name, dimensions)
        amount = count_waiting(tx, found.column if found else None, 1)
    return Left(amount.documents, found is not None and found.is_current)


def fill_embeddings(
    shadow: ShadowDatabase,
    embedder: Embedder,
    models: Collection[str] | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Filled:
    """Make the vectors that documents lack; when none is left, build the index, and let searches use the model.

    :param models: documents of these only.
    :param on_progress: is told how many documents of how many have been embedded.
    :raises NoVectorsError: the database has no pgvector that serves.
    :raises EmbeddingError: the embedder gives no answer; what is done is kept.
    :raises ShadowError: the database does not let it.
    """
    with shadow.transaction() as tx:
        ensure_base(tx)
    extension = ensure_extension(shadow)
    name, dimensions = embedder.name, embedder.dimensions
    with shadow.transaction() as tx:
        model = ensure_column(tx, extension, name, dimensions)
        _tell_of_view(renew_document_view(tx))
        total = count_waiting(tx, model.column, embedder.longest, models).documents
    worker = _Worker(shadow, extension, embedder, model, models, lambda done: on_progress(done, total))
    try:
        with keeping(shadow, worker.holder):
            worker.work_to_the_end()
    finally:
        worker.let_go()
    return _finish(worker)


def _tell_of_view(upon: Sequence[str]) -> None:
    if upon:
        log.warning(
            "The view odoo_shadow_document shows vectors as text only, since %s depends on it, and its columns cannot "
            "change before that is gone; searches work all the same: drop that, call odoo-shadow embed, and make it "
            "again.",
            first_of([shown(item) for item in upon], _MOST_NAMED),
        )


def not_yet(model: str, waiting: int) -> str:
    """Say that searches do not use a model yet."""
    return (
        f"Searches do not use {model} yet: {counted(waiting, 'document')} without its vector came or changed "
        "meanwhile, or were left out; run it again for all."
    )


def load_of(shadow: ShadowDatabase, embedder: Embedder, models: Collection[str] | None = None) -> Load:
    """Estimate what a fill would cost. Nothing is asked of an endpoint. Raises a `ShadowError`."""
    with shadow.transaction() as tx:
        if not exists(tx, tx.schema, EMBEDDING_MODEL):
            return embedder.load(0, 0)
        found = find_model(tx, embedder.name)
        amount = count_waiting(tx, found.column if found else None, embedder.longest, models)
    return embedder.load(amount.documents, amount.characters)


@dataclass
class _Worker:
    """One of those that make vectors, and what it has done so far.

    :param models: documents of these only.
    :param on_progress: is told how many documents have been embedded.
    :param holder: whose claims they are.
    """

    shadow: ShadowDatabase
    extension: Extension
    embedder: Embedder
    model: EmbeddingModel
    models: Collection[str] | None
    on_progress: Callable[[int], None]
    holder: UUID = field(default_factory=uuid4)
    embedded: int = 0
    refused: set[int] = field(default_factory=set)
    in_a_row: int = 0
    listed: list[Refused] = field(default_factory=list)

    def work_to_the_end(self) -> None:
        """Work until no document waits that is not refused, also of those that others had and left, or that changed."""
        while True:
            before = self.embedded
            self._work()
            if not self._wait_for_others() and self.embedded == before:
                return

    def let_go(self) -> None:
        """Release what is still claimed, for the next fill; claims of a lost connection end by themselves."""
        try:
            with self.shadow.transaction() as tx:
                release(tx, self.holder)
        except ShadowError as error:
            log.info("Claims on documents were not released, and end by themselves: %s", error)

    def _wait_for_others(self) -> bool:
        """Wait for the documents that other workers have now; return whether there were any."""
        has_waited = False
        while True:
            with self.shadow.transaction() as tx:
                claimed = count_claimed(tx, self.model, self.models)
            if not claimed:
                return has_waited
            if not has_waited:
                told = counted(claimed, "document")
                log.info("%s left to other workers, or to one that died: this waits for them", told)
            has_waited = True
            time.sleep(_PAUSE)

    def _work(self) -> None:
        embedder, last = self.embedder, 0
        while True:
            with self.shadow.transaction() as tx:
                batch = claim(
                    tx, self.model, self.holder, last, embedder.batch, embedder.longest, self.models, self.refused
                )
            made = self._embed(batch.due)
            with self.shadow.transaction() as tx:
                self.embedded += store(tx, self.extension, self.model, made)
                release(tx, self.holder)
            if made:
                self.on_progress(self.embedded)
            if batch.last is None:
                return
            last = batch.last

    def _embed(self, due: Sequence[Due]) -> list[tuple[Due, Vector]]:
        """Embed documents; where one is refused, halves are tried, until it stands alone."""
        if not due:
            return []
        try:
            vectors = self.embedder.embed_documents([item.passage for item in due])
        except RefusedTextError as error:
            if len(due) == 1:
                self._refuse(due[0], error)
                return []
            half = len(due) // 2
            return [*self._embed(due[:half]), *self._embed(due[half:])]
        self.in_a_row = 0
        return list(zip(due, vectors, strict=True))

    def _refuse(self, due: Due, error: RefusedTextError) -> None:
        """Count a document that was refused. Raises an `EmbeddingError` if it is hardly that document's fault."""
        self.refused.add(due.id)
        self.in_a_row += 1
        if len(self.listed) < MOST_LISTED:
            self.listed.append(Refused(due.odoo_model, due.odoo_id, str(error)))
        if self.in_a_row >= _MOST_REFUSED and not self.embedded:
            raise EmbeddingError(f"All of {self.in_a_row} texts were refused, so a setting may be wrong. {error}")


def _finish(worker: _Worker) -> Filled:
    """Build the index and switch, if nothing is left."""
    shadow, model, refused = worker.shadow, worker.model, len(worker.refused)
    with shadow.transaction() as tx:
        left = count_waiting(tx, model.column, 1).documents - refused
        current = current_model(tx)
    # Where no other model serves, one of which some vectors are missing does.
    if left <= 0 or current is None or current.column == model.column:
        ensure_index(shadow, worker.extension, model)
        with shadow.transaction() as tx:
            make_current(tx, model)
            current = current_model(tx)
        drop_others(shadow, model)
    is_current = current is not None and current.column == model.column
    listed = tuple(worker.listed)
    return Filled(model.name, model.dimensions, worker.embedded, refused, listed, max(left, 0), is_current)
