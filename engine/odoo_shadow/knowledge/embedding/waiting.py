"""The documents that have no vector yet: claims some for one worker, and stores what it has made of them.

No transaction is open while vectors are made. A claim keeps other workers from the same documents. Its worker renews it
(`keeping.py`), so that it ends soon after its worker has died.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from psycopg import sql

from odoo_shadow.knowledge.embedding.columns import EmbeddingModel
from odoo_shadow.knowledge.embedding.extension import Extension
from odoo_shadow.knowledge.embedding.port import Passage, Vector
from odoo_shadow.knowledge.embedding.vectors import as_text
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import EMBEDDING_CLAIM, STORED_DOCUMENT

CLAIM = timedelta(seconds=90)
"""How long a claim lasts that is not renewed: others wait as long for what a worker had that was killed."""

_HAS_TEXT = sql.SQL("(d.title ~ '\\S' OR d.body ~ '\\S')")
"""What has no text at all has no vector, and is not waited for."""


@dataclass(frozen=True)
class Due:
    """A document that waits for its vector.

    :param content_hash: of the text that was read.
    """

    id: int
    odoo_model: str
    odoo_id: int
    content_hash: str
    passage: Passage


@dataclass(frozen=True)
class Batch:
    """What a worker has claimed.

    :param last: the document after which the next batch begins; None at the end.
    """

    due: tuple[Due, ...]
    last: int | None


@dataclass(frozen=True)
class Amount:
    """How much waits: documents, and characters of them that are read."""

    documents: int
    characters: int


def count_waiting(tx: Transaction, column: str | None, longest: int, models: Collection[str] | None = None) -> Amount:
    """Count the documents without a vector; all of them if there is no column yet.

    :param longest: characters of a document that are read.
    :param models: only documents of these.
    """
    ((documents, characters),) = tx.run(
        "SELECT count(*), coalesce(sum(least(length(d.title) + 1 + length(d.body), {longest})), 0)"
        " FROM {stored} d WHERE {is_waiting} AND {has_text} AND {chosen}",
        longest=longest,
        stored=tx.own(STORED_DOCUMENT),
        is_waiting=_is_null(column) if column else sql.SQL("true"),
        has_text=_HAS_TEXT,
        chosen=_chosen(models),
    )
    return Amount(int(documents), int(characters))


def claim(
    tx: Transaction,
    model: EmbeddingModel,
    holder: UUID,
    after: int,
    number: int,
    longest: int,
    models: Collection[str] | None = None,
    without: Collection[int] = (),
) -> Batch:
    """Claim the next documents that have no vector and that no other worker has claimed.

    They are locked for the moment, so that one that another worker has just finished is seen to be finished.

    :param after: the document after which to look.
    :param without: documents that are left out.
    """
    rows = tx.run(
        "WITH due AS (SELECT d.id, d.odoo_model, d.odoo_id, d.content_hash, left(d.title, {longest}) AS title,"
        " left(d.body, {longest}) AS body FROM {stored} d WHERE d.id > {after} AND {is_waiting} AND {has_text}"
        " AND {chosen} AND d.id <> ALL ({without}::bigint[]) ORDER BY d.id LIMIT {number} FOR UPDATE SKIP LOCKED),"
        " claimed AS (INSERT INTO {claims} AS c (column_name, document_id, held_by, held_until)"
        " SELECT {column}, id, {holder}, clock_timestamp() + {claim} FROM due ON CONFLICT (column_name, document_id)"
        " DO UPDATE SET held_by = excluded.held_by, held_until = excluded.held_until"
        " WHERE c.held_until < clock_timestamp() RETURNING document_id)"
        " SELECT due.*, claimed.document_id IS NOT NULL FROM due LEFT JOIN claimed ON claimed.document_id = due.id"
        " ORDER BY due.id",
        longest=longest,
        stored=tx.own(STORED_DOCUMENT),
        after=after,
        is_waiting=_is_null(model.column),
        has_text=_HAS_TEXT,
        chosen=_chosen(models),
        without=list(without),
        number=number,
        claims=tx.internal(EMBEDDING_CLAIM),
        column=model.column,
        holder=holder,
        claim=CLAIM,
    )
    due = [Due(row[0], row[1], row[2], row[3], Passage(row[4], row[5])) for row in rows if row[6]]
    return Batch(tuple(due), int(rows[-1][0]) if rows else None)


def store(
    tx: Transaction,
    extension: Extension,
    model: EmbeddingModel,
    made: Sequence[tuple[Due, Vector]],
) -> int:
    """Store vectors, and return of how many documents: not of one whose text is another by now."""
    if not made:
        return 0
    ((stored,),) = tx.run(
        "WITH stored AS (UPDATE {stored} d SET {name} = v.vector::{kind} FROM (VALUES {rows}) AS v (id, hash, vector)"
        " WHERE d.id = v.id AND d.content_hash = v.hash AND d.{name} IS NULL RETURNING 1) SELECT count(*) FROM stored",
        stored=tx.own(STORED_DOCUMENT),
        name=sql.Identifier(model.column),
        kind=extension.halfvec(model.dimensions),
        rows=sql.SQL(", ").join(
            sql.SQL("({}, {}, {})").format(due.id, due.content_hash, as_text(vector)) for due, vector in made
        ),
    )
    return int(stored)


def renew(tx: Transaction, holder: UUID) -> None:
    """Let a worker's claims last longer, unless another has taken them by now."""
    tx.run(
        "UPDATE {claims} SET held_until = clock_timestamp() + {claim} WHERE held_by = {holder}",
        claims=tx.internal(EMBEDDING_CLAIM),
        claim=CLAIM,
        holder=holder,
    )


def release(tx: Transaction, holder: UUID) -> None:
    """Let go of what a worker has claimed, and of what dead ones had."""
    tx.run(
        "DELETE FROM {claims} WHERE held_by = {holder} OR held_until < clock_timestamp()",
        claims=tx.internal(EMBEDDING_CLAIM),
        holder=holder,
    )


def count_claimed(tx: Transaction, model: EmbeddingModel, models: Collection[str] | None = None) -> int:
    """Count the documents without a vector that workers have claimed.

    :param models: only documents of these.
    """
    ((found,),) = tx.run(
        "SELECT count(*) FROM {claims} c JOIN {stored} d ON d.id = c.document_id"
        " WHERE c.column_name = {column} AND c.held_until >= clock_timestamp() AND {is_waiting} AND {chosen}",
        claims=tx.internal(EMBEDDING_CLAIM),
        stored=tx.own(STORED_DOCUMENT),
        column=model.column,
        is_waiting=_is_null(model.column),
        chosen=_chosen(models),
    )
    return int(found)


def _is_null(column: str) -> sql.Composed:
    return sql.SQL("d.{} IS NULL").format(sql.Identifier(column))


def _chosen(models: Collection[str] | None) -> sql.Composable:
    if models is None:
        return sql.SQL("true")
    return sql.SQL("d.odoo_model = ANY ({}::text[])").format(sql.Literal(list(models)))
