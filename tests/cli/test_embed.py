"""`odoo-shadow embed`: documents, then their vectors, told to people and programs."""

from __future__ import annotations

import json

import psycopg
import pytest

from odoo_shadow.cli import embed_vectors
from odoo_shadow.knowledge.embedding.fill import Filled
from odoo_shadow.shadow.connection.database import ShadowDatabase
from tests.support.embeddings import KEY, MODEL, NAME, Endpoint, endpoint
from tests.support.json_reference import documented
from tests.support.raw_server import Reply, Request
from tests.support.shell import Shell

EMPLOYEES = 6


def _with(shell: Shell, there: Endpoint, **changed: str) -> Shell:
    """Return a shell whose variables name an endpoint, too."""
    url = there.settings.embeddings or ""
    of_endpoint = {"EMBEDDINGS": url, "EMBEDDINGS_MODEL": MODEL, "EMBEDDINGS_API_KEY": KEY, **changed}
    return Shell({**shell.env, **of_endpoint}, (*shell.secrets, KEY))


def _has_vectors(database: str) -> bool:
    """Whether this PostgreSQL has pgvector; Debian's 15 has none."""
    with psycopg.connect(database) as connection:
        return bool(connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'").fetchall())


def test_without_pgvector_documents_are_made_all_the_same(shell: Shell, database: str) -> None:
    if _has_vectors(database):
        pytest.skip("this PostgreSQL has pgvector")
    assert shell.run("sync", "--models", "hr.employee,res.company,res.currency").code == 0
    with endpoint() as there:
        done = _with(shell, there).run("embed", "--json")
    assert done.code == 0
    assert "search is by words alone" in done.err
    document = json.loads(done.out)
    assert (document["embeddings"]["model"], document["embeddings"]["error"]) == (None, done.last_error)
    assert [entry["added"] for entry in document["documents"]] == [EMPLOYEES]


def test_documents_get_vectors_and_a_failing_endpoint_costs_only_time(shell: Shell, database: str) -> None:
    if not _has_vectors(database):
        pytest.skip("this PostgreSQL has no pgvector")
    assert shell.run("sync", "--models", "hr.employee,res.company,res.currency").code == 0
    with endpoint() as there:
        own = _with(shell, there)
        first = own.run("embed", "--dry-run", "--json")
        assert (first.code, json.loads(first.out)["documents"]) == (0, 0)
        assert own.run("embed", "--embeddings", "none").code == 0
        priced = own.run("embed", "--dry-run", "--price", "10000", "--json")
        told = json.loads(priced.out)
        assert (told["model"], told["documents"], told["requests"]) == (NAME, EMPLOYEES, 1)
        assert set(told) == documented("## embed --dry-run")
        assert told["cost"] == round(told["tokens"] / 100, 4) > 0
        assert there.asked == []

        there.server.everything = lambda _: Reply(status=401, body=f'{{"error": {{"message": "no {KEY}"}}}}')
        refused = own.run("embed")
        assert (refused.code, len(refused.err.strip().splitlines())) == (2, 1)
        assert "refuses the key" in refused.err
        there.server.everything = lambda _: Reply(status=500, headers={"Retry-After": "0"})
        failed = own.run("embed", "--json")
        assert failed.code == 1
        assert json.loads(failed.out)["embeddings"]["error"] in failed.err
        assert "goes on from there" in failed.err

        def cut(request: Request) -> Reply:
            with psycopg.connect(database, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND application_name = 'odoo-shadow'"
                )
            return there.reply(request)

        there.server.everything = cut
        lost = own.run("embed", "--json")
        assert (lost.code, len(lost.err.strip().splitlines())) == (1, 1)
        assert "the connection was lost" in lost.err and "goes on from there" in lost.err
        assert len(json.loads(lost.out)["documents"]) == 1
        there.server.everything = there.reply

        done = own.run("embed", "--json")
        assert done.code == 0
        document = json.loads(done.out)
        assert document["embeddings"] == {
            "model": NAME,
            "dimensions": 8,
            "embedded": EMPLOYEES,
            "refused": 0,
            "first_refused": [],
            "waiting": 0,
            "is_current": True,
            "error": None,
        }
        assert set(document) == documented("## embed")
        assert set(document["documents"][0]) == documented("### Entries of embed")
        assert set(document["embeddings"]) == documented("### Embeddings of embed")
        with psycopg.connect(database) as connection:
            assert connection.execute("SELECT count(embedding) FROM odoo_shadow_document").fetchall() == [(EMPLOYEES,)]
        assert "0 vectors made" in own.run("embed").out
        for said in (refused, failed, done, priced):
            assert KEY not in said.out + said.err


def test_vectors_that_searches_do_not_use_yet_are_a_failure(
    shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled = Filled(NAME, 8, 7, 0, (), 3, is_current=False)
    monkeypatch.setattr(embed_vectors, "fill_embeddings", lambda *_: filled)
    with endpoint() as there:
        done = embed_vectors.make_vectors(shadow, there.embedder(), None, why_none="", as_json=True)
    assert done.has_failed and f"do not use {NAME} yet: 3 documents" in (done.error or "")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"EMBEDDINGS": "http://api.example.com/v1"}, "EMBEDDINGS_ALLOW_HTTP=true"),
        ({"EMBEDDINGS_MODEL": ""}, "EMBEDDINGS_MODEL is missing"),
        ({"EMBEDDINGS_DIMENSIONS": "5000"}, "--embeddings-dimensions"),
    ],
    ids=["http", "model", "dimensions"],
)
def test_wrong_settings_are_refused_before_anything_is_done(shell: Shell, changed: dict[str, str], said: str) -> None:
    with endpoint() as there:
        outcome = _with(shell, there, **changed).run("embed")
    assert outcome.code == 2
    assert said in outcome.err
    assert KEY not in outcome.err
