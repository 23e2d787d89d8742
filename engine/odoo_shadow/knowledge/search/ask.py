"""Asks the shadow's documents, with the rights of whoever the connection belongs to."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from psycopg import sql

from odoo_shadow.knowledge.embedding.errors import EmbeddingConfigurationError, EmbeddingError
from odoo_shadow.knowledge.embedding.port import QuestionEmbedder, Vector
from odoo_shadow.knowledge.embedding.vectors import as_text
from odoo_shadow.knowledge.search.errors import SearchError
from odoo_shadow.mirror.config.patterns import ModelChoice
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.health.health import no_mirror
from odoo_shadow.shadow.access.reading import check_may_read
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.owners.ownership import exists
from odoo_shadow.shadow.relations import DOCUMENT_MODEL, EMBEDDING_MODEL, META, SEARCH, STORED_DOCUMENT
from odoo_shadow.shadow.state.schema import schema_version
from odoo_shadow.text.nearest import did_you_mean

MOST = 200
"""Documents that a search returns at most."""

LONGEST = 1_000
"""Characters of a question that are read."""

_TRIES = 2
"""While the question's vector is made, searches may change over to another model, whose vectors are no match for it."""

_CHANGING = (
    "This searches by words alone, since the documents' embeddings are just being replaced by another model's: "
    "ask again."
)


@dataclass(frozen=True)
class Question:
    """What somebody asks.

    :param models: documents of these models only: names, patterns such as `sale.*`, and exclusions such as
        `!sale.report`; None for all.
    :param companies: documents of these companies, and those of none.
    :param since: dated then or later; documents without a date are left out.
    :param until: dated before that.
    """

    text: str
    limit: int = 10
    models: Sequence[str] | None = None
    companies: Sequence[int] | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Found:
    """A document that was found.

    :param score: 1 if it is the first by words, by names and by meaning.
    :param as_of: the document shows its record as Odoo had it then.
    :param snippet: a part of its text, about what was asked for.
    :param dated_at: the record's own date.
    :param by_words: a word of the question was found in it, maybe spelled otherwise; else it is near by meaning alone.
    """

    id: int
    odoo_model: str
    odoo_id: int
    title: str
    url: str | None
    score: float
    as_of: datetime | None
    snippet: str
    company_id: int | None
    dated_at: datetime | None
    by_words: bool


@dataclass(frozen=True)
class Answer:
    """What a search found, the best first.

    :param by_words_because: why it searched by words alone, as a sentence; None if it searched by meaning, too.
    :param oldest: no document that was searched is older than this; None if one may be.
    """

    found: tuple[Found, ...]
    by_words_because: str | None
    oldest: datetime | None

    @property
    def is_by_meaning_alone(self) -> bool:
        """Whether no word of the question was found anywhere."""
        return bool(self.found) and not any(item.by_words for item in self.found)


def ask(shadow: ShadowDatabase, question: Question, embedder: QuestionEmbedder | None) -> Answer:
    """Search the documents.

    :param embedder: makes the question's vector, None to search by words alone; used only if the documents' vectors are
        by the same model.
    :raises SearchError: nothing was asked, or there are no documents, or none of a model that was named.
    :raises ShadowError: the database does not answer, or does not let it.
    """
    text = _clean(question.text)
    if not any(unicodedata.category(character)[0] in "LMNS" for character in text):
        raise SearchError("Nothing was asked: write what to look for, such as a name, a number, or a question.")
    for _ in range(_TRIES):
        with shadow.transaction() as tx:
            models, oldest = _check(tx, question.models)
            model = _current_model(tx)
        vector, why = _embedded(text, model, embedder)  # no transaction waits for an endpoint
        with shadow.transaction() as tx:
            if vector is not None and _current_model(tx) != model:
                continue
            found = _search(tx, replace(question, models=models), text, vector)
            if vector is None or _current_model(tx) == model:
                return Answer(found, why, oldest)
    with shadow.transaction() as tx:
        return Answer(_search(tx, replace(question, models=models), text, None), _CHANGING, oldest)


def _search(tx: Transaction, question: Question, text: str, vector: Vector | None) -> tuple[Found, ...]:
    rows = tx.run(
        "SELECT id, odoo_model, odoo_id, title, url, score, as_of, snippet, company_id, dated_at, by_words"
        " FROM {search}(query => {text}, query_embedding => {vector}, match_count => {limit}, models => {models},"
        " company_ids => {companies}, since => {since}, until => {until})",
        search=tx.own(SEARCH),
        text=text,
        vector=sql.NULL if vector is None else as_text(vector),
        limit=question.limit,
        models=_array(question.models, "text[]"),
        companies=_array(question.companies, "bigint[]"),
        since=question.since,
        until=question.until,
    )
    return tuple(Found(*row) for row in rows)


def _clean(text: str) -> str:
    """Return a question as PostgreSQL takes it: no NUL, nothing that is no character, and no book."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")[:LONGEST]


def _array(values: Sequence[str] | Sequence[int] | None, kind: str) -> sql.Composable:
    if values is None:
        return sql.NULL
    return sql.SQL("ARRAY[{}]::{}").format(
        sql.SQL(", ").join(map(sql.Literal, values)), sql.SQL("text[]" if kind == "text[]" else "bigint[]")
    )


def _check(tx: Transaction, terms: Sequence[str] | None) -> tuple[list[str] | None, datetime | None]:
    """Make sure that there is something to search; return of which models, and how old the documents may be."""
    check_may_read(tx, (META, DOCUMENT_MODEL, STORED_DOCUMENT, EMBEDDING_MODEL))
    if not schema_version(tx):
        raise SearchError(f"{no_mirror(tx)}: run odoo-shadow sync first, and then odoo-shadow embed.")
    rows = (
        tx.run("SELECT odoo_model, as_of FROM {known} WHERE is_shown ORDER BY 1", known=tx.own(DOCUMENT_MODEL))
        if exists(tx, tx.schema, DOCUMENT_MODEL) and _has_function(tx)
        else []
    )
    if not rows:
        raise SearchError(f"There are no documents in schema '{tx.schema}' yet: run odoo-shadow embed.")
    there: dict[str, datetime | None] = {str(model): as_of for model, as_of in rows}
    models = None if terms is None else _chosen(terms, sorted(there))
    searched = [there[model] for model in (there if models is None else models)]
    known = [moment for moment in searched if moment is not None]
    return models, min(known) if known and len(known) == len(searched) else None


def _chosen(terms: Sequence[str], there: Sequence[str]) -> list[str]:
    """Return the models that are asked for.

    :param there: those that have documents.
    """
    if not terms:
        return []
    try:
        choice = ModelChoice.parse(dict.fromkeys(terms))
    except MirrorConfigurationError as error:
        raise SearchError(str(error)) from None
    for model in terms:
        if model in choice.names and model not in there:
            raise SearchError(f"There are no documents of {model}" + (did_you_mean(model, there) or "."))
    chosen = [model for model in there if choice.matches(model)]
    if not chosen:
        raise SearchError(f"There are no documents of models like {', '.join(terms)}.")
    return chosen


def _current_model(tx: Transaction) -> str | None:
    """Return the model of the embeddings that the search function uses, None if it uses none."""
    rows = tx.run(
        "SELECT m.name FROM {known} m, pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace, pg_type t"
        " WHERE m.is_current AND n.nspname = {schema} AND p.proname = {name} AND t.oid = p.proargtypes[1]"
        " AND t.typname = 'vector'",
        known=tx.own(EMBEDDING_MODEL),
        schema=tx.schema,
        name=SEARCH,
    )
    return str(rows[0][0]) if rows else None


def _has_function(tx: Transaction) -> bool:
    rows = tx.run(
        "SELECT 1 FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname = {schema} AND p.proname = {name}",
        schema=tx.schema,
        name=SEARCH,
    )
    return bool(rows)


def _embedded(text: str, model: str | None, embedder: QuestionEmbedder | None) -> tuple[Vector | None, str | None]:
    """Return the question's vector, or why there is none."""
    start = "This searches by words alone, since"
    if model is None:
        return None, f"{start} the documents have no embeddings: odoo-shadow embed makes them, or says why not."
    if embedder is None:
        return None, f"{start} no embeddings are configured here: the documents have those of '{model}'."
    if embedder.name != model:
        return None, (
            f"{start} the documents' embeddings are by '{model}', and '{embedder.name}' is configured here: "
            "set the same, or run odoo-shadow embed to make them anew."
        )
    try:
        return embedder.embed_query(text), None
    except (EmbeddingError, EmbeddingConfigurationError) as error:
        return None, f"{start} there is no embedding of the question: {error}"
