"""The tool `search`: documents that fit a question, by the mirror's search function and with the reader's rights."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from psycopg import sql

from odoo_shadow.knowledge.mcp import answer
from odoo_shadow.knowledge.mcp.errors import RefusedError
from odoo_shadow.shadow.relations import SEARCH

if TYPE_CHECKING:
    from odoo_shadow.knowledge.embedding.port import Embedder
    from odoo_shadow.knowledge.mcp.answer import Json
    from odoo_shadow.knowledge.mcp.session import Sessions
    from odoo_shadow.shadow.connection.database import Transaction

_one_at_a_time = threading.Lock()
"""An embedder serves one thread at a time."""

_LONGEST_VALUE = 1_500
_SHOWN = ("odoo_model", "odoo_id", "title", "snippet", "body", "url", "score", "as_of", "dated_at", "company_id")


@dataclass(frozen=True)
class Wanted:
    """A question and what its answers must be.

    :param since: documents dated from then on.
    """

    question: str
    most: int = 10
    models: Sequence[str] | None = None
    company_ids: Sequence[int] | None = None
    since: datetime | None = None
    until: datetime | None = None


def search(sessions: Sessions, embedder: Embedder | None, wanted: Wanted) -> dict[str, Json]:
    """Find documents.

    :param embedder: None to search by words alone.
    :raises RefusedError: this mirror has no documents.
    :raises ShadowError: the database could not be asked.
    """
    with sessions.open() as tx:
        if not _is_there(tx):
            raise RefusedError(
                "This mirror has no documents to search: whoever runs it makes them by odoo-shadow embed. query and "
                "describe work."
            )
        vector = _vector(embedder, wanted.question)
        rows = _found(tx, wanted, vector)
    return {"note": answer.NOTE, "searched_by": "words" if vector is None else "words and meaning", "found": rows}


def _vector(embedder: Embedder | None, question: str) -> Sequence[float] | None:
    if embedder is None:
        return None
    with _one_at_a_time:
        return embedder.embed_query(question)


def _is_there(tx: Transaction) -> bool:
    rows = tx.run(
        "SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = {schema}"
        " AND p.proname = {name} AND has_function_privilege(p.oid, 'EXECUTE')",
        schema=tx.schema,
        name=SEARCH,
    )
    return bool(rows)


def _found(tx: Transaction, wanted: Wanted, vector: Sequence[float] | None) -> list[Json]:
    given = {
        "query": wanted.question,
        "match_count": wanted.most,
        "models": None if wanted.models is None else list(wanted.models),
        "company_ids": None if wanted.company_ids is None else list(wanted.company_ids),
        "since": wanted.since,
        "until": wanted.until,
        "query_embedding": None if vector is None else f"[{','.join(map(repr, map(float, vector)))}]",
    }
    arguments = sql.SQL(", ").join(
        sql.SQL("{} => {}").format(sql.Identifier(name), sql.Literal(value))
        for name, value in given.items()
        if value is not None
    )
    rows = tx.run(
        "SELECT to_jsonb(f) FROM {search}({arguments}) AS f",
        search=tx.own(SEARCH),
        arguments=arguments,
    )
    return [_hit(row[0]) for row in rows]


def _hit(found: dict[str, Json]) -> dict[str, Json]:
    return {name: _bounded(found[name]) for name in _SHOWN if found.get(name) is not None}


def _bounded(value: Json) -> Json:
    return answer.text(value, _LONGEST_VALUE) if isinstance(value, str) else value
