"""Reads what there is of a mirror's documents: how many, how old they are, and how many have no embedding yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

from psycopg import sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import DOCUMENT_MODEL, EMBEDDING_MODEL, META, STORED_DOCUMENT
from odoo_shadow.shadow.state.visible import Visible

MOST_MODELS = 200
"""Models with documents that are read; the project's own templates make eight."""
MOST_WAITING = 20_000
"""Documents without an embedding that are counted: a first fill of millions must not hold up who looks."""


@dataclass(frozen=True)
class DocumentGlance:
    """The documents of one model.

    :param is_shown: whether people see them: not before all have been made for those who may see their rows now.
    :param as_of: what was committed in Odoo before is in them; None while a first load of their tables has not ended.
    :param made_at: when they were last brought up to date.
    :param synced_at: when one of the tables that they show was last brought up to date.
    :param behind: by how much that was after the documents.
    :param waiting: how many have no embedding yet; None where nothing is embedded, or more wait than are counted.
    """

    model: str
    documents: int
    is_shown: bool
    as_of: datetime | None
    made_at: datetime
    synced_at: datetime | None
    behind: timedelta
    waiting: int | None


@dataclass(frozen=True)
class EmbeddingGlance:
    """The model by which documents are embedded.

    :param is_current: whether searches use it; otherwise it is being filled for the first time.
    """

    name: str
    dimensions: int
    is_current: bool


@dataclass(frozen=True)
class DocumentsGlance:
    """All documents of a mirror.

    :param embedding: None where there are no embeddings, or none that this role may see.
    :param has_many_waiting: whether more documents wait for an embedding than are counted.
    """

    models: tuple[DocumentGlance, ...] = ()
    embedding: EmbeddingGlance | None = None
    has_many_waiting: bool = False


_DOCUMENTS: LiteralString = """SELECT json_build_array(
    (SELECT json_agg(json_build_array(k.odoo_model, k.document_count, k.is_shown, k.as_of, k.updated_at,
        (SELECT max(m.last_sync_at) FROM {meta} m WHERE m.table_name = ANY(k.shown_tables)))
        ORDER BY k.odoo_model) FROM (SELECT * FROM {known} ORDER BY odoo_model LIMIT {most}) k),
    {embedding}, {waiting})"""
_USED: LiteralString = "SELECT {value} FROM {models} e ORDER BY e.is_current DESC, e.created_at DESC LIMIT 1"
_WAITING: LiteralString = (
    "WHEN {column} THEN (SELECT coalesce(json_object_agg(w.odoo_model, w.number), '{{}}') FROM"
    " (SELECT d.odoo_model, count(*) AS number FROM (SELECT odoo_model FROM {stored} WHERE {name} IS NULL"
    " LIMIT {most}) d GROUP BY 1) w)"
)


def glances_of_documents(tx: Transaction, visible: Visible) -> sql.Composable:
    """Return the expression for the mirror's documents, for `as_documents`."""
    if DOCUMENT_MODEL not in visible.own:
        return sql.NULL
    embedding: sql.Composable = sql.NULL
    waiting: sql.Composable = sql.NULL
    if EMBEDDING_MODEL in visible.own and visible.embedding_columns:
        models = tx.own(EMBEDDING_MODEL)
        about = sql.SQL("json_build_array(e.name, e.dimensions, e.is_current)")
        embedding = sql.SQL("({})").format(sql.SQL(_USED).format(value=about, models=models))
        # The column's name is only known where this is evaluated.
        each = sql.SQL(" ").join(
            sql.SQL(_WAITING).format(
                column=name, stored=tx.own(STORED_DOCUMENT), name=sql.Identifier(name), most=MOST_WAITING
            )
            for name in visible.embedding_columns
        )
        used = sql.SQL(_USED).format(value=sql.SQL("e.column_name"), models=models)
        waiting = sql.SQL("CASE ({}) {} END").format(used, each)
    return sql.SQL(_DOCUMENTS).format(
        meta=tx.own(META), known=tx.own(DOCUMENT_MODEL), most=MOST_MODELS, embedding=embedding, waiting=waiting
    )


def as_documents(found: Sequence[Any] | None) -> DocumentsGlance:
    """Return the documents, by model."""
    models, embedding, waiting = found or (None, None, None)
    has_many = sum((waiting or {}).values()) >= MOST_WAITING
    counts = None if waiting is None or has_many else waiting
    return DocumentsGlance(
        models=tuple(_as_glance(item, counts) for item in models or ()),
        embedding=None if embedding is None else EmbeddingGlance(*embedding),
        has_many_waiting=has_many,
    )


def _as_glance(found: Sequence[Any], waiting: dict[str, int] | None) -> DocumentGlance:
    model, documents, is_shown, as_of, updated_at, last_sync_at = found
    made_at, synced_at = datetime.fromisoformat(updated_at), _moment(last_sync_at)
    return DocumentGlance(
        model=model,
        documents=documents,
        is_shown=is_shown,
        as_of=_moment(as_of),
        made_at=made_at,
        synced_at=synced_at,
        behind=timedelta(0) if synced_at is None else max(timedelta(0), synced_at - made_at),
        waiting=None if waiting is None else waiting.get(model, 0),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
