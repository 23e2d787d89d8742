"""Documents that are stored as they are, with made-up vectors: for searches, which need no Odoo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql

from odoo_shadow.knowledge.embedding.columns import ensure_column, ensure_index, make_current
from odoo_shadow.knowledge.embedding.extension import ensure_extension
from odoo_shadow.shadow.access.documents import renew_document_policy
from odoo_shadow.shadow.access.mode import RowLevelSecurity
from odoo_shadow.shadow.access.protection import set_mode
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.install import ensure_base
from odoo_shadow.shadow.views.documents import renew_document_view
from odoo_shadow.shadow.views.search import renew_search

MODEL = "tiny 1"
DIMENSIONS = 8


@dataclass(frozen=True)
class Stored:
    """A document.

    :param companies: as the policy reads them: 0 is everyone.
    """

    model: str
    id: int
    title: str
    body: str = ""
    names: str = ""
    companies: Sequence[int] = (0,)
    company_id: int | None = None
    dated_at: datetime | None = None
    vector: Sequence[float] | None = None


def has_pgvector(url: str) -> bool:
    """Say whether a server has pgvector: Debian's own 15 has not."""
    with psycopg.connect(url) as connection:
        query = "SELECT FROM pg_available_extensions WHERE name = 'vector'"
        return bool(connection.execute(query).fetchall())


def store(shadow: ShadowDatabase, *documents: Stored) -> None:
    """Store documents, as of now."""
    with shadow.transaction() as tx:
        for item in documents:
            tx.run(
                "INSERT INTO {known} (odoo_model, shown_tables, is_shown, as_of) VALUES ({model}, '{{}}', true, now())"
                " ON CONFLICT DO NOTHING",
                known=tx.own("odoo_shadow_document_model"),
                model=item.model,
            )
            tx.run(
                "INSERT INTO {stored} (odoo_model, odoo_id, title, body, names, companies, company_id, dated_at, url,"
                " content_hash, rows_digest{column}) VALUES ({values}{vector})",
                stored=tx.own("odoo_shadow_stored_document"),
                column=sql.SQL(", embedding_1" if item.vector else ""),
                values=sql.SQL(", ").join(
                    map(
                        sql.Literal,
                        (
                            *(item.model, item.id, item.title, item.body, item.names, list(item.companies)),
                            *(item.company_id, item.dated_at, f"https://odoo.example.com/{item.id}", "x", 1),
                        ),
                    )
                ),
                vector=sql.SQL(", {}").format(str(list(item.vector))) if item.vector else sql.SQL(""),
            )


def open_search(shadow: ShadowDatabase, *, vectors: bool = True, mode: RowLevelSecurity | None = None) -> None:
    """Make all that a search needs.

    :param vectors: whether documents have vectors of eight numbers, by the model "tiny 1".
    """
    with shadow.transaction() as tx:
        ensure_base(tx)
    set_mode(shadow, mode)
    if vectors:
        extension = ensure_extension(shadow)
        with shadow.transaction() as tx:
            model = ensure_column(tx, extension, MODEL, DIMENSIONS)
        ensure_index(shadow, extension, model)
        with shadow.transaction() as tx:
            make_current(tx, model)
    with shadow.transaction() as tx:
        renew_document_view(tx)
        renew_search(tx)
        renew_document_policy(tx)


Hit = tuple[str, int, float]
"""Model, id and score of a document that was found."""


def search(url: str, text: str | None, vector: Sequence[float] | str | None = None, **arguments: object) -> list[Hit]:
    """Search as whoever the URL is of, by the function in `public`."""
    named = sql.SQL("").join(
        sql.SQL(", {} => {}").format(sql.Identifier(name), sql.Literal(value)) for name, value in arguments.items()
    )
    given = sql.Literal(vector if vector is None or isinstance(vector, str) else str(list(vector)))
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            sql.SQL(
                "SELECT odoo_model, odoo_id, score FROM public.odoo_shadow_search(query => {}, query_embedding => {}{})"
            ).format(sql.Literal(text), given, named)
        ).fetchall()
    return [(str(model), int(found), float(score)) for model, found, score in rows]
