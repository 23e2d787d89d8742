"""The columns that hold vectors: one of each model by which documents have been embedded, with its index.

Another model gets a column of its own, which is filled while searches use the old one, then takes its place, and the
old column goes.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from odoo_shadow.knowledge.embedding.extension import Extension
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.shadow.relations import EMBEDDING_MODEL, STORED_DOCUMENT
from odoo_shadow.shadow.state.schema import lock_schema
from odoo_shadow.shadow.views.documents import forget_lost_columns, renew_document_view
from odoo_shadow.shadow.views.search import renew_search
from odoo_shadow.text.log import logger

log = logger(__name__)

_PREFIX = "embedding_"
_MOST_MEMORY_KB = 512 * 1024
"""What building an index may use besides what the server allows anyway; it needs as much as the vectors have."""


@dataclass(frozen=True)
class EmbeddingModel:
    """A model by which documents have been embedded.

    :param column: of the stored documents.
    :param is_current: searches use it.
    """

    column: str
    name: str
    dimensions: int
    is_current: bool


def embedding_models(tx: Transaction) -> list[EmbeddingModel]:
    """Return the models that have a column, in the order in which they got it."""
    rows = tx.run(
        "SELECT m.column_name, m.name, m.dimensions, m.is_current FROM {known} m JOIN pg_attribute a"
        " ON a.attrelid = to_regclass({stored}) AND a.attname = m.column_name AND NOT a.attisdropped"
        " ORDER BY m.created_at, m.column_name",
        known=tx.own(EMBEDDING_MODEL),
        stored=tx.own(STORED_DOCUMENT).as_string(tx.cursor),
    )
    return [EmbeddingModel(str(row[0]), str(row[1]), int(row[2]), bool(row[3])) for row in rows]


def current_model(tx: Transaction) -> EmbeddingModel | None:
    """Return the model that searches use, None if there is none yet."""
    return next((model for model in embedding_models(tx) if model.is_current), None)


def find_model(tx: Transaction, name: str) -> EmbeddingModel | None:
    """Return the newest model of that name, whatever the length of its vectors; None if it has no column."""
    return next((model for model in reversed(embedding_models(tx)) if model.name == name), None)


def find_column(tx: Transaction, name: str, dimensions: int) -> EmbeddingModel | None:
    """Return the model of that name and length, None if it has no column."""
    same = [model for model in embedding_models(tx) if (model.name, model.dimensions) == (name, dimensions)]
    return same[-1] if same else None


def ensure_column(tx: Transaction, extension: Extension, name: str, dimensions: int) -> EmbeddingModel:
    """Return the model of that name and length; give it a column if it has none."""
    found = find_column(tx, name, dimensions)
    if found is not None:
        return found
    lock_schema(tx)
    found = find_column(tx, name, dimensions)
    if found is not None:
        return found  # another process was quicker
    forget_lost_columns(tx)
    column = _free_name(tx)
    tx.run(
        "ALTER TABLE {stored} ADD COLUMN {name} {kind};"
        " CREATE INDEX {waiting} ON {stored} (id) WHERE {name} IS NULL;"
        " INSERT INTO {known} (column_name, name, dimensions) VALUES ({column}, {model}, {dimensions})",
        stored=tx.own(STORED_DOCUMENT),
        known=tx.own(EMBEDDING_MODEL),
        name=sql.Identifier(column),
        kind=extension.halfvec(dimensions),
        waiting=sql.Identifier(_waiting_index(column)),
        column=column,
        model=name,
        dimensions=dimensions,
    )
    return EmbeddingModel(column, name, dimensions, is_current=False)


def ensure_index(shadow: ShadowDatabase, extension: Extension, model: EmbeddingModel) -> bool:
    """Build the index of a column unless it has one; return whether that was necessary.

    After the first fill: a row after another it would take many times as long. Meanwhile documents can be read, and not
    written.
    """
    with shadow.transaction() as tx:
        if _has_index(tx, model):
            return False
        lock_schema(tx)
        if _has_index(tx, model):
            return False
        _allow_memory(tx, model)
        tx.run(
            "CREATE INDEX {index} ON {stored} USING hnsw ({column} {operators})",
            index=sql.Identifier(_index(model.column)),
            stored=tx.own(STORED_DOCUMENT),
            column=sql.Identifier(model.column),
            operators=extension.cosine_operators,
        )
    return True


def make_current(tx: Transaction, model: EmbeddingModel) -> None:
    """Let searches use a model."""
    tx.run(
        "UPDATE {known} SET is_current = false WHERE is_current AND column_name <> {column};"
        " UPDATE {known} SET is_current = true WHERE column_name = {column} AND NOT is_current",
        known=tx.own(EMBEDDING_MODEL),
        column=model.column,
    )
    renew_document_view(tx)
    renew_search(tx)


def drop_others(shadow: ShadowDatabase, kept: EmbeddingModel) -> None:
    """Drop the columns of all other models. What somebody has built on one keeps it, with a warning."""
    with shadow.transaction() as tx:
        others = [model for model in embedding_models(tx) if model.column != kept.column]
    for model in others:
        try:
            with shadow.transaction() as tx:
                tx.run(
                    "ALTER TABLE {stored} DROP COLUMN IF EXISTS {name};"
                    " DELETE FROM {known} WHERE column_name = {column}",
                    stored=tx.own(STORED_DOCUMENT),
                    known=tx.own(EMBEDDING_MODEL),
                    name=sql.Identifier(model.column),
                    column=model.column,
                )
        except ShadowError as error:
            log.warning("The vectors of %s, which are no longer used, could not be dropped: %s", model.name, error)


def _free_name(tx: Transaction) -> str:
    """Return the name of a column that neither the table nor the list of models has."""
    ((last,),) = tx.run(
        "SELECT coalesce(max(substr(name, {length})::int), 0) FROM (SELECT a.attname::text AS name FROM pg_attribute a"
        " WHERE a.attrelid = to_regclass({stored}) AND a.attname ~ '^embedding_[0-9]{{1,6}}$'"
        " UNION ALL SELECT column_name FROM {known} WHERE column_name ~ '^embedding_[0-9]{{1,6}}$') AS names",
        length=len(_PREFIX) + 1,
        stored=tx.own(STORED_DOCUMENT).as_string(tx.cursor),
        known=tx.own(EMBEDDING_MODEL),
    )
    return f"{_PREFIX}{last + 1}"


def _index(column: str) -> str:
    return f"ix_odoo_shadow_document_{column}"


def _waiting_index(column: str) -> str:
    """Name the index of documents that have no vector yet, by which a run with ten of them reads ten."""
    return f"ix_odoo_shadow_document_no_{column}"


def _has_index(tx: Transaction, model: EmbeddingModel) -> bool:
    rows = tx.run(
        "SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam"
        " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
        " WHERE i.indrelid = to_regclass({stored}) AND m.amname = 'hnsw' AND i.indisvalid AND a.attname = {column}",
        stored=tx.own(STORED_DOCUMENT).as_string(tx.cursor),
        column=model.column,
    )
    return bool(rows)


def _allow_memory(tx: Transaction, model: EmbeddingModel) -> None:
    """Let the index be built in memory, within bounds: beyond what is allowed, it takes several times as long."""
    tx.run(
        "SELECT set_config('maintenance_work_mem', greatest(s.setting::bigint, least({most},"
        " (SELECT count(*) FROM {stored} WHERE {column} IS NOT NULL) * {bytes} / 1024))::text || 'kB', true)"
        " FROM pg_settings s WHERE s.name = 'maintenance_work_mem'",
        most=_MOST_MEMORY_KB,
        stored=tx.own(STORED_DOCUMENT),
        column=sql.Identifier(model.column),
        bytes=model.dimensions * 2 + 400,
    )
