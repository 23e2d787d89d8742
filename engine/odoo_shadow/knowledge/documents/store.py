"""The stored documents and what is known of each model's: reads and writes their tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from odoo_shadow.knowledge.documents.plan import Plan
from odoo_shadow.knowledge.documents.render import Document
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.errors import ShadowConflictError
from odoo_shadow.shadow.relations import DOCUMENT_MODEL, EMBEDDING_MODEL, STORED_DOCUMENT, WATERMARK
from odoo_shadow.shadow.state.watermarks import NEVER

_WRITTEN = (
    ("odoo_id", "bigint"),
    ("title", "text"),
    ("body", "text"),
    ("names", "text"),
    ("language", "text"),
    ("company_id", "bigint"),
    ("companies", "bigint[]"),
    ("state", "text"),
    ("dated_at", "timestamptz"),
    ("url", "text"),
    ("content_hash", "text"),
)
"""What people see of a document: it counts as changed if one of these is another one."""


@dataclass(frozen=True)
class Stored:
    """A document as it is stored.

    :param companies: who sees it, as PostgreSQL writes it.
    :param rows_digest: of the rows that it shows.
    """

    document: Document
    language: str | None
    company_id: int | None
    companies: str
    url: str | None
    rows_digest: int

    @property
    def _values(self) -> tuple[object, ...]:
        made = self.document
        return (
            *(made.odoo_id, made.title, made.body, made.names, self.language, self.company_id, self.companies),
            *(made.state, made.dated_at, self.url, made.content_hash, self.rows_digest),
        )


@dataclass(frozen=True)
class KnownModel:
    """A model that has documents.

    :param template: as it was given, as text.
    :param is_given: whether a person wrote it.
    :param readers_digest: who sees the rows that they show.
    """

    model: str
    template: str
    is_given: bool
    readers_digest: str
    as_of: datetime | None
    document_count: int


def known_models(tx: Transaction) -> dict[str, KnownModel]:
    """Return the models that have documents, by name."""
    rows = tx.run(
        "SELECT odoo_model, template, is_given, readers_digest, as_of, document_count FROM {known} ORDER BY 1",
        known=tx.own(DOCUMENT_MODEL),
    )
    return {str(row[0]): KnownModel(*row) for row in rows}


def register_model(tx: Transaction, plan: Plan, readers_digest: str) -> None:
    """Note how a model's documents are made; they are hidden while others might see the rows that they show now.

    Until all of them have been made anew, some show rows of the tables that they showed before.
    """
    tx.run(
        "INSERT INTO {known} AS k (odoo_model, shown_tables, template, is_given, readers_digest)"
        " VALUES ({model}, {tables}, {given}, {is_given}, {digest}) ON CONFLICT (odoo_model) DO UPDATE SET"
        " shown_tables = ARRAY(SELECT unnest(k.shown_tables) UNION SELECT unnest(excluded.shown_tables) ORDER BY 1),"
        " template = excluded.template, is_given = excluded.is_given, readers_digest = excluded.readers_digest,"
        " is_shown = k.is_shown AND k.readers_digest = excluded.readers_digest",
        known=tx.own(DOCUMENT_MODEL),
        model=plan.model,
        tables=plan.tables,
        given=plan.wanted.template.as_text(),
        is_given=plan.wanted.is_given,
        digest=readers_digest,
    )


def forget_model(tx: Transaction, model: str) -> int:
    """Remove a model's documents; return how many there were."""
    ((count,),) = tx.run(
        "SELECT count(*) FROM {stored} WHERE odoo_model = {model}", stored=tx.own(STORED_DOCUMENT), model=model
    )
    tx.run("DELETE FROM {known} WHERE odoo_model = {model}", known=tx.own(DOCUMENT_MODEL), model=model)
    return int(count)


def lock_model(tx: Transaction, model: str, readers_digest: str) -> None:
    """Let nobody else write a model's documents before the transaction ends: what is read after it is the newest.

    :param readers_digest: of whoever writes.
    :raises ShadowConflictError: another pass writes them for others by now.
    """
    rows = tx.run(
        "SELECT readers_digest FROM {known} WHERE odoo_model = {model} FOR UPDATE",
        known=tx.own(DOCUMENT_MODEL),
        model=model,
    )
    if not rows or rows[0][0] != readers_digest:
        raise ShadowConflictError(
            f"Who may see the rows that documents of {model} show has changed while they were written: they stay "
            "hidden until the next pass has made them anew (odoo-shadow embed)."
        )


def as_of_tables(tx: Transaction, tables: Sequence[str]) -> datetime | None:
    """Return the moment whose state all of these tables have, at least; None before the first load of one has ended."""
    ((moment,),) = tx.run(
        "SELECT CASE WHEN count(w.table_name) FILTER (WHERE w.last_write_date > {never}) = {number}"
        " THEN min(w.last_write_date) END FROM {watermark} w WHERE w.table_name = ANY({tables}::text[])",
        never=NEVER,
        number=len(tables),
        watermark=tx.own(WATERMARK),
        tables=list(tables),
    )
    return moment if isinstance(moment, datetime) else None


def finish_model(tx: Transaction, plan: Plan, as_of: datetime | None) -> int:
    """Note that all documents of a model show the rows as they were at a moment; return how many there are."""
    ((count,),) = tx.run(
        "UPDATE {known} SET is_shown = true, as_of = {as_of}, shown_tables = {tables}, updated_at = now(),"
        " document_count = (SELECT count(*) FROM {stored} WHERE odoo_model = {model}) WHERE odoo_model = {model}"
        " RETURNING document_count",
        known=tx.own(DOCUMENT_MODEL),
        stored=tx.own(STORED_DOCUMENT),
        as_of=as_of,
        tables=plan.tables,
        model=plan.model,
    )
    return int(count)


def remove_gone(tx: Transaction, model: str, is_gone: sql.Composed) -> int:
    """Remove the documents of records that are gone; return their number.

    :param is_gone: the condition on a document `d`.
    """
    ((count,),) = tx.run(
        "WITH gone AS (DELETE FROM {stored} d WHERE d.odoo_model = {model} AND {is_gone} RETURNING 1)"
        " SELECT count(*) FROM gone",
        stored=tx.own(STORED_DOCUMENT),
        model=model,
        is_gone=is_gone,
    )
    return int(count)


@dataclass(frozen=True)
class Written:
    """How many documents a write has added and changed; of the others only the rows were other versions."""

    added: int = 0
    changed: int = 0

    def __add__(self, other: Written) -> Written:
        """Add numbers."""
        return Written(self.added + other.added, self.changed + other.changed)


def write_documents(tx: Transaction, model: str, documents: Sequence[Stored]) -> Written:
    """Insert documents, or bring them up to date; one whose text changes loses its embeddings."""
    # No column of embeddings is added between the two statements, which would keep the vector of another text.
    tx.run("LOCK TABLE {stored} IN ROW EXCLUSIVE MODE", stored=tx.own(STORED_DOCUMENT))
    embeddings = [str(row[0]) for row in tx.run("SELECT column_name FROM {m}", m=tx.own(EMBEDDING_MODEL))]
    columns = [sql.Identifier(name) for name, _ in _WRITTEN]
    same = sql.SQL("({}) IS NOT DISTINCT FROM ({})").format(
        sql.SQL(", ").join(sql.SQL("d.{}").format(column) for column in columns),
        sql.SQL(", ").join(sql.SQL("excluded.{}").format(column) for column in columns),
    )
    kept = [
        sql.SQL(", {name} = CASE WHEN d.content_hash = excluded.content_hash THEN d.{name} END").format(
            name=sql.Identifier(name)
        )
        for name in embeddings
    ]
    ((added, changed),) = tx.run(
        "WITH written AS (INSERT INTO {stored} AS d (odoo_model, {columns}, rows_digest) SELECT {model}, {typed}"
        " FROM (VALUES {rows}) AS v ({columns}, rows_digest) ON CONFLICT (odoo_model, odoo_id) DO UPDATE SET {set},"
        " rows_digest = excluded.rows_digest, updated_at = CASE WHEN {same} THEN d.updated_at ELSE now() END{kept}"
        " RETURNING xmax = 0 AS is_new, updated_at = now() AS is_changed)"
        " SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE is_changed AND NOT is_new) FROM written",
        stored=tx.own(STORED_DOCUMENT),
        columns=sql.SQL(", ").join(columns),
        model=model,
        typed=sql.SQL(", ").join(
            sql.SQL("v.{}::{}").format(sql.Identifier(name), sql.SQL(kind))
            for name, kind in (*_WRITTEN, ("rows_digest", "bigint"))
        ),
        rows=sql.SQL(", ").join(
            sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Literal, item._values))) for item in documents
        ),
        set=sql.SQL(", ").join(sql.SQL("{name} = excluded.{name}").format(name=column) for column in columns),
        same=same,
        kept=sql.SQL("").join(kept),
    )
    return Written(int(added), int(changed))
