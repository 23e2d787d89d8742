"""Benchmarks of retrieval: whether what answers a question is found, how soon, and how long it takes.

Questions with known answers are asked of a mirror of the stand-in's invented business. Half of them are for tuning the
search, the other half is measured here. The obvious alternative is measured beside it: each row as a text of its
columns, in one embedding.
"""

from __future__ import annotations

import math
import time
import uuid
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import psycopg
from psycopg import sql

from odoo_shadow.knowledge.documents.run import Failed, refresh_documents
from odoo_shadow.knowledge.embedding.fill import fill_embeddings
from odoo_shadow.knowledge.embedding.local import LocalEmbedder
from odoo_shadow.knowledge.embedding.port import Embedder
from odoo_shadow.knowledge.embedding.vectors import as_text
from odoo_shadow.mirror.config.patterns import ModelChoice
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run.choose import choose_models
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.shadow.access.documents import renew_document_policy
from odoo_shadow.shadow.access.mode import RowLevelSecurity
from odoo_shadow.shadow.access.protection import set_mode
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.errors import OdooUnknownModelError
from odoo_shadow.source.port import Source
from tools.bench_report import Measured
from tools.bench_servers import Server, client_fields
from tools.retrieval_corpus import DIMENSIONS, FEW_OF, fill_corpus
from tools.retrieval_questions import Key, Question, invented_questions, invented_rows
from tools.trouble import ToolError

AT = 10
"""Documents that count of an answer."""
_CHUNK = 1_000
"""Characters of a row's text, as loaders cut them by default."""
_ROUNDS = 5
_ASKED = (
    "Sales Order S0000777", "order 777", "Nordaawind Foods", "Kupfrabtal Glass", "open invoices of Silvercbbrook",
    "steel pump K77 part501", "who ordered red valves in march?", "Aufträge über Lampen", "customer total EUR date",
    "quiet blue motor",
)  # fmt: skip

Search = Callable[[Question, str], Sequence[Key]]


def measure_retrieval(server: Server, url: str, large_url: str, documents: int) -> list[Measured]:
    """Measure on a mirror of business records, and on so many made-up documents in another database."""
    embedder = LocalEmbedder()
    with ShadowDatabase.from_url(url) as shadow, ApiSource(OdooClient(client_fields(server))) as odoo:
        _mirror(odoo, shadow)
        made = _timed(lambda: _write(shadow))
        embedded = _timed(lambda: fill_embeddings(shadow, embedder))
        number = _count(url)
        lines: list[Measured] = [
            ("documents written, documents/s", f"{number / made:,.0f}", ""),
            ("documents embedded by the local model, documents/s", f"{number / embedded:,.0f}", ""),
            *_quality(url, embedder),
            (
                "from a change committed in Odoo to the search that finds it, seconds",
                f"{_lag(server, odoo, shadow, embedder, url):.1f}",
                "",
            ),
        ]
    fill_corpus(large_url, documents)
    return [*lines, *measure_speed(large_url, documents)]


def _mirror(odoo: Source, shadow: ShadowDatabase, only: Sequence[str] | None = None) -> None:
    run = Run()
    for model in choose_models(odoo, ModelChoice.parse(",".join(only) if only else "business")).models:
        with suppress(OdooUnknownModelError):  # not every model is installed
            mirror_model(odoo, shadow, model, run=run, options=MirrorOptions())


def _write(shadow: ShadowDatabase) -> None:
    for item in refresh_documents(shadow, None, lambda _model, _done, _of: None):
        if isinstance(item, Failed):
            raise ToolError(f"The documents of {item.model} could not be made: {item.error}")


def _count(url: str) -> int:
    with psycopg.connect(url) as connection:
        ((number,),) = connection.execute("SELECT count(*) FROM odoo_shadow.odoo_shadow_stored_document").fetchall()
    return int(number)


def is_measured(question: Question) -> bool:
    """Say whether a question is of the half that nothing is tuned on."""
    return zlib.crc32(question.text.encode()) % 2 == 1


def _quality(url: str, embedder: Embedder) -> Iterator[Measured]:
    questions = [question for question in invented_questions(invented_rows()) if is_measured(question)]
    vectors = [as_text(embedder.embed_query(question.text)) for question in questions]
    with psycopg.connect(url, autocommit=True, options="-c search_path=odoo_shadow,public") as connection:
        for name, search in _searches(connection, embedder).items():
            found = [list(search(question, vector)) for question, vector in zip(questions, vectors, strict=True)]
            gain = _mean([ndcg(keys, question.answers) for keys, question in zip(found, questions, strict=True)])
            share = _mean([recall(keys, question.answers) for keys, question in zip(found, questions, strict=True)])
            yield (f"{name}: nDCG@{AT} and recall@{AT} of {len(questions)} questions", f"{gain:.2f}, {share:.2f}", "")


def _searches(connection: psycopg.Connection, embedder: Embedder) -> dict[str, Search]:
    def asked(query: str, *values: object) -> list[Key]:
        return [(str(model), int(found)) for model, found in connection.execute(query.encode(), values).fetchall()]

    function = "SELECT odoo_model, odoo_id FROM odoo_shadow_search(%s, %s::vector, 10)"
    nearest = "SELECT odoo_model, odoo_id FROM {} ORDER BY embedding <=> %s::vector::halfvec LIMIT 10"
    _embed_rows(connection, embedder)
    return {
        "words and names": lambda question, _vector: asked(function, question.text, None),
        "vectors": lambda _question, vector: asked(nearest.format("odoo_shadow_document"), vector),
        "all of them, as searches do": lambda question, vector: asked(function, question.text, vector),
        "each row's columns in one embedding": lambda _question, vector: asked(nearest.format("raw"), vector),
    }


def _embed_rows(connection: psycopg.Connection, embedder: Embedder) -> None:
    """Embed each row of the same models as a generic loader does: its columns and their values, as they are."""
    connection.execute("CREATE TEMPORARY TABLE raw (odoo_model text, odoo_id bigint, embedding halfvec)")
    models = connection.execute("SELECT odoo_model FROM odoo_shadow_document_model ORDER BY 1").fetchall()
    for (model,) in models:
        query = sql.SQL(
            "SELECT r.id, (SELECT string_agg(key || ': ' || value, E'\\n') FROM json_each_text(to_json(r))"
            " WHERE key !~ '^_?odoo_shadow') FROM {} r"
        ).format(sql.Identifier(f"odoo_shadow_{model.replace('.', '_')}"))
        for odoo_id, text in connection.execute(query).fetchall():
            vector = as_text(embedder.embed_query(text[:_CHUNK]))
            connection.execute("INSERT INTO raw VALUES (%s, %s, %s::vector::halfvec)", (model, odoo_id, vector))


def ndcg(found: Sequence[Key], answers: frozenset[Key]) -> float:
    """Return how much of the answers stands how far above, 1 at best."""
    gain = sum(1 / math.log2(place + 2) for place, key in enumerate(found[:AT]) if key in answers)
    return gain / sum(1 / math.log2(place + 2) for place in range(min(AT, len(answers))))


def recall(found: Sequence[Key], answers: frozenset[Key]) -> float:
    """Return the share of the answers that is found."""
    return len(set(found[:AT]) & answers) / min(AT, len(answers))


def _lag(server: Server, odoo: Source, shadow: ShadowDatabase, embedder: Embedder, url: str) -> float:
    """Return how long it takes after a change has been committed, if sync and embed begin at once."""
    name = f"Quokka{uuid.uuid4().hex[:6]} Shipyards"
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute(
            "UPDATE res_partner SET name = %s, complete_name = %s, write_date = now() AT TIME ZONE 'UTC'"
            " WHERE id = (SELECT min(id) FROM res_partner WHERE is_company AND active)", (name, name)
        )  # fmt: skip

    def bring_up_to_date() -> None:
        _mirror(odoo, shadow, ["res.partner"])
        _write(shadow)
        fill_embeddings(shadow, embedder)
        with psycopg.connect(url) as connection:
            found = connection.execute("SELECT title FROM public.odoo_shadow_search(%s)", (name,)).fetchall()
        if not any(name in title for (title,) in found):
            raise AssertionError(f"The search does not find {name}")

    return _timed(bring_up_to_date)


def measure_speed(url: str, documents: int) -> list[Measured]:
    """Measure searches of so many made-up documents, by words and vectors, by who asks."""
    lines: list[Measured] = []
    with _readers(url) as (everyone, all_companies, one_company), ShadowDatabase.from_url(url) as shadow:
        lines.append(_times(url, everyone, f"a search of {documents:,} documents that everybody sees"))
        _restrict(shadow, RowLevelSecurity.COMPANY)
        lines.append(_times(url, all_companies, "the same with row-level security by company, seeing all"))
        lines.append(_times(url, one_company, f"the same, seeing {100 / FEW_OF} %"))
    return [*lines, *_sizes(url, documents)]


def _restrict(shadow: ShadowDatabase, mode: RowLevelSecurity) -> None:
    set_mode(shadow, mode)
    with shadow.transaction() as tx:
        renew_document_policy(tx)


@contextmanager
def _readers(url: str) -> Iterator[tuple[str, str, str]]:
    """Yield roles: a reader, one of both companies, and one of the company that has few documents."""
    names = [f"bench_{uuid.uuid4().hex[:12]}" for _ in range(3)]
    with psycopg.connect(url, autocommit=True) as connection:
        for name, companies in zip(names, ((), (1, 2), (2,)), strict=True):
            role = sql.Identifier(name)
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
            connection.execute(sql.SQL("GRANT USAGE ON SCHEMA odoo_shadow TO {}").format(role))
            connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO {}").format(role))
            for company in companies:
                connection.execute(
                    "INSERT INTO odoo_shadow.odoo_shadow_company_access (role_name, company_id) VALUES (%s, %s)",
                    (name, company),
                )
        try:
            yield names[0], names[1], names[2]
        finally:
            for name in names:
                connection.execute(sql.SQL("DROP OWNED BY {role}; DROP ROLE {role}").format(role=sql.Identifier(name)))


def _times(url: str, role: str, what: str) -> Measured:
    """Measure searches as a role, each with a vector; the first round, which reads from disk, does not count."""
    taken: list[float] = []
    with psycopg.connect(url, autocommit=True, options=f"-c role={role}") as connection:
        for turn in range(_ROUNDS + 1):
            for number, text in enumerate(_ASKED):
                vector = str([math.sin((number + 1) * k * 0.7 + turn) for k in range(DIMENSIONS)])
                query = "SELECT id FROM public.odoo_shadow_search(%s, %s)"
                seconds = _timed(lambda: connection.execute(query.encode(), (text, vector)).fetchall())  # noqa: B023
                if turn:
                    taken.append(seconds)
    taken.sort()
    half, most = taken[len(taken) // 2], taken[math.ceil(len(taken) * 0.95) - 1]
    return f"{what}, ms: p50, p95", f"{half * 1000:,.0f}, {most * 1000:,.0f}", ""


def _sizes(url: str, documents: int) -> Iterator[Measured]:
    indexes = {"words": "words", "spellings": "spellings", f"vectors of {DIMENSIONS} numbers": "embedding_1"}
    with psycopg.connect(url) as connection:
        for what, name in indexes.items():
            index = f"odoo_shadow.ix_odoo_shadow_document_{name}"
            ((size,),) = connection.execute("SELECT pg_relation_size(%s::regclass)", (index,)).fetchall()
            yield f"index of {what}, {documents:,} documents, MB", f"{size / 2**20:,.0f}", ""


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
