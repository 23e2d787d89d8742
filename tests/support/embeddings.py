"""An endpoint for embeddings over real HTTP, and documents that wait for their vectors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from odoo_shadow.knowledge.embedding.choice import EmbeddingSettings, make_embedder
from odoo_shadow.knowledge.embedding.port import Embedder
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.install import ensure_base
from tests.support.raw_server import RawServer, Reply, Request

KEY = "sk-w8erpbfn5jz3q7xk9secret1"
MODEL = "invented-embedding-1"
NAME = f"{MODEL} whole 1"
"""Under which its vectors are kept: a text of another form has another vector."""
DIMENSIONS = 8


def vector_of(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """Return a vector that depends on nothing but the text."""
    return [byte / 255 + 0.01 for byte in hashlib.sha256(text.encode()).digest()[:dimensions]]


def answer(vectors: Sequence[object]) -> Reply:
    """Return vectors as OpenAI's API does."""
    data = [{"object": "embedding", "index": n, "embedding": vector} for n, vector in enumerate(vectors)]
    return Reply(body=json.dumps({"object": "list", "data": data, "model": MODEL}))


@dataclass
class Endpoint:
    """An endpoint and what it was asked.

    :ivar refuses: texts that it refuses, as too long or whatever.
    """

    server: RawServer
    refuses: Callable[[str], bool] = lambda _: False
    settings: EmbeddingSettings = field(default_factory=EmbeddingSettings)

    @property
    def asked(self) -> list[list[str]]:
        """The texts of each request."""
        return [json.loads(request.body)["input"] for request in self.server.requests]

    def embedder(self, **changed: Any) -> Embedder:
        """Return an embedder that calls it."""
        made = make_embedder(replace(self.settings, **changed))
        assert made is not None
        return made

    def reply(self, request: Request) -> Reply:
        """Answer as an endpoint does that works."""
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return Reply(status=401, body=json.dumps({"error": {"message": f"wrong key: {request.headers}"}}))
        asked = json.loads(request.body)
        texts: list[str] = asked["input"]
        if any(map(self.refuses, texts)):
            return Reply(status=400, body=json.dumps({"error": {"message": "input is too long"}}))
        return answer([vector_of(text, asked.get("dimensions", DIMENSIONS)) for text in texts])


@contextmanager
def endpoint(*script: Reply) -> Iterator[Endpoint]:
    """Run an endpoint.

    :param script: answers to the first requests; the others are answered as they should be.
    """
    with RawServer() as server:
        found = Endpoint(server)
        found.settings = EmbeddingSettings(f"{server.url}/v1", MODEL, KEY, timeout=5.0)
        answers = list(script)
        server.everything = lambda request: answers.pop(0) if answers else found.reply(request)
        yield found


def add_documents(shadow: ShadowDatabase, *texts: str, model: str = "x.thing") -> None:
    """Add documents with these titles, as a pass over the rows would."""
    with shadow.transaction() as tx:
        ensure_base(tx)
        tx.run(
            "INSERT INTO {m} (odoo_model, shown_tables) VALUES ({model}, '{{}}') ON CONFLICT DO NOTHING",
            m=tx.own("odoo_shadow_document_model"),
            model=model,
        )
        for text in texts:
            tx.run(
                "INSERT INTO {stored} (odoo_model, odoo_id, title, body, names, companies, content_hash, rows_digest)"
                " SELECT {model}, count(*) + 1, {title}, '', '', '{{0}}', md5({title}), 0 FROM {stored}",
                stored=tx.own("odoo_shadow_stored_document"),
                model=model,
                title=text,
            )


def change_document(shadow: ShadowDatabase, before: str, after: str) -> None:
    """Give a document another text, as a pass over the rows does: it loses its vectors."""
    with shadow.transaction() as tx:
        columns = [row[0] for row in tx.run("SELECT column_name FROM {m}", m=tx.own("odoo_shadow_embedding_model"))]
        tx.cursor.execute(
            f"UPDATE {tx.schema}.odoo_shadow_stored_document SET title = %s, content_hash = md5(%s)"  # noqa: S608
            + "".join(f", {column} = NULL" for column in columns)
            + " WHERE title = %s",
            (after, after, before),
        )


def stored_vectors(shadow: ShadowDatabase) -> dict[str, list[float] | None]:
    """Return the vectors that searches use, by title."""
    with shadow.transaction() as tx:
        found = tx.run("SELECT column_name FROM {m} WHERE is_current", m=tx.own("odoo_shadow_embedding_model"))
        column = found[0][0] if found else "NULL"
        tx.cursor.execute(f"SELECT title, {column}::text FROM {tx.schema}.odoo_shadow_stored_document ORDER BY id")  # noqa: S608
        return {title: None if text is None else json.loads(text) for title, text in tx.cursor.fetchall()}
