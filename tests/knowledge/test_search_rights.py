"""Who searches finds what they may see, all of it, and learns nothing of the rest."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import sql

from odoo_shadow.shadow.access.mode import RowLevelSecurity
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.views import search as installing
from odoo_shadow.shadow.views.search import renew_search
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.stored_documents import has_pgvector, open_search
from tools.embedded_postgres import drop_database, new_database

MINE = 150
# Nightly, others have more than an index of vectors is searched for where nothing else is set (hnsw.max_scan_tuples).
ALL = 30_000 if os.environ.get("ODOO_SHADOW_FLAVOURS") == "all" else 12_000
LAST = ALL - 1
QUESTIONS = (
    ("blue pump", "[1,0,0,0,0,0,0,0]"),
    ("gren valve", "[0.2,1,0,0,0,0,0,0]"),  # spelled as no document has it
    ("secret", "[0,0,1,0,0,0,0,0]"),  # only others' documents have the word
    ("S00007", None),
    ("blue", None),
    ("blue pump quirk", None),  # one rare word is more than two common ones, unless others' documents count
    ("sekret pump 12", "[1,1,1,1,1,1,1,1]"),
)
# Those of others are nearer to the questions, have more of the words, and are far more.
_FILL = """INSERT INTO odoo_shadow.odoo_shadow_stored_document
    (odoo_model, odoo_id, title, body, names, companies, company_id, content_hash, rows_digest, embedding_1)
SELECT 'x.thing', n, 'Thing S' || lpad(n::text, 5, '0') || (ARRAY[' blue', ' green', ' red'])[1 + n %% 3],
    (ARRAY['pump', 'valve', 'motor', 'lamp'])[1 + n %% 4] || CASE WHEN %(company)s = 2 THEN ' secret' ELSE '' END
        || CASE WHEN n %% 73 = 0 THEN ' quirk' ELSE '' END,
    'S' || lpad(n::text, 5, '0'), ARRAY[%(company)s::bigint], %(company)s, 'x', 1,
    (SELECT array_agg(sin(n * k * 0.37) + CASE WHEN k <= 3 THEN %(nearness)s ELSE 0 END) FROM generate_series(1, 8) k)
        ::real[]::vector::halfvec
FROM generate_series(%(first)s::int, %(last)s::int) n"""

Answers = list[tuple[list[tuple[object, ...]], list[str | None]]]


@dataclass(frozen=True)
class Few:
    """A shadow in which a role sees few of the documents.

    :param before: what the role was answered when there were no others.
    """

    url: str
    reader: str
    before: Answers


def fill(url: str, first: int, last: int, company: int, nearness: float) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        values = {"first": first, "last": last, "company": company, "nearness": nearness}
        connection.execute(_FILL.encode(), values)
        connection.execute("ANALYZE odoo_shadow.odoo_shadow_stored_document")


def answers(url: str) -> Answers:
    """Ask all questions; return what is found, and what the server says besides."""
    found: Answers = []
    for text, vector in QUESTIONS:
        with psycopg.connect(url) as connection:
            told: list[str | None] = []
            connection.add_notice_handler(lambda notice, told=told: told.append(notice.message_primary))  # type: ignore[misc]
            rows = connection.execute(
                sql.SQL(
                    "SELECT odoo_model, odoo_id, title, url, score, snippet, company_id, dated_at"
                    " FROM public.odoo_shadow_search({}, {}, 50)"
                ).format(text, sql.Literal(vector))
            ).fetchall()
            found.append((rows, told))
    return found


@pytest.fixture(scope="module")
def few(postgres: str) -> Iterator[Few]:
    """A shadow of many documents, of which a role sees 150."""
    if not has_pgvector(postgres):
        pytest.skip("this PostgreSQL has no pgvector")
    url = new_database(postgres)
    with ShadowDatabase.from_url(url) as shadow, new_role(url) as role:
        open_search(shadow, mode=RowLevelSecurity.COMPANY)
        run_as_owner(
            url,
            "INSERT INTO odoo_shadow.odoo_shadow_document_model (odoo_model, shown_tables, is_shown)"
            " VALUES ('x.thing', '{{}}', true)",
            "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO {role}",
            role=role,
        )
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO odoo_shadow.odoo_shadow_company_access (role_name, company_id) VALUES (%s, 1)", (role,)
            )
        fill(url, 1, MINE, company=1, nearness=-1)
        before = answers(as_role(url, role))
        run_as_owner(url, "DROP INDEX odoo_shadow.ix_odoo_shadow_document_embedding_1")  # quicker than row by row
        fill(url, MINE + 1, ALL, company=2, nearness=1)
        open_search(shadow)
        yield Few(url, role, before)
    drop_database(postgres, url)


def test_nothing_depends_on_documents_that_are_not_seen(few: Few) -> None:
    assert answers(as_role(few.url, few.reader)) == few.before
    assert all(rows for (text, vector), (rows, _) in zip(QUESTIONS, few.before, strict=True) if text != "secret")


def ids(url: str, text: str, vector: str | None, count: int) -> set[int]:
    with psycopg.connect(url) as connection:
        query = "SELECT odoo_id FROM public.odoo_shadow_search(%s, %s::vector, %s)"
        return {int(row[0]) for row in connection.execute(query, (text, vector, count)).fetchall()}


def test_an_index_is_searched_until_there_are_enough(few: Few, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with many more documents: those that are seen are found by the index of vectors, behind all others."""
    monkeypatch.setattr(installing, "MOST_EXACT", 100)
    with ShadowDatabase.from_url(few.url) as shadow:
        with shadow.transaction() as tx:
            renew_search(tx)
        try:
            reader = as_role(few.url, few.reader)
            assert ids(reader, "nothing like it", "[1,1,1,0,0,0,0,0]", 200) == set(range(1, MINE + 1))
            assert ids(reader, "S00007", None, 10) >= {7}
            assert ids(reader, "secret", None, 10) == set()
            assert ids(reader, "blue pump", None, 5) <= {n for n in range(1, MINE + 1) if n % 12 == 0}
        finally:
            monkeypatch.undo()
            with shadow.transaction() as tx:
                renew_search(tx)


def test_words_that_many_documents_have_count_together(few: Few, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with many more documents: "blue", "red" and "pump" are in thousands, and one alone says little."""
    monkeypatch.setattr(installing, "MOST_EXACT", 100)
    monkeypatch.setattr(installing, "MOST_OF_A_WORD", 300)
    with ShadowDatabase.from_url(few.url) as shadow:
        with shadow.transaction() as tx:
            renew_search(tx)
        try:
            found = ids(few.url, "blue pump", None, 20)
            assert len(found) == 20 and all(n % 12 == 0 for n in found)
            found = ids(few.url, "red blue pump", None, 20)
            assert len(found) == 20 and all(n % 3 != 1 and n % 4 == 0 for n in found)
            assert 7 in ids(few.url, "blue pump S00007", None, 3)
        finally:
            monkeypatch.undo()
            with shadow.transaction() as tx:
                renew_search(tx)


def test_a_rare_word_is_not_lost_among_others_where_rows_are_restricted(
    few: Few, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a million documents: whoever sees all of them under a policy finds the same as whoever has none."""
    monkeypatch.setattr(installing, "MOST_EXACT", 100)
    questions = (
        *((f"quirk S{LAST}", 150), (f"blue quirk S{LAST}", 150)),
        *((f"quirk {LAST} valve", 450), ("blue quirk", 450)),
    )
    with ShadowDatabase.from_url(few.url) as shadow, new_role(few.url) as role:
        run_as_owner(
            few.url,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO {role}",
            role=role,
        )
        with psycopg.connect(few.url, autocommit=True) as connection:
            access = "INSERT INTO odoo_shadow.odoo_shadow_company_access (role_name, company_id) VALUES (%s, %s)"
            connection.cursor().executemany(access, [(role, 1), (role, 2)])
        try:
            for text, most in questions:
                monkeypatch.setattr(installing, "MOST_OF_A_WORD", most)
                with shadow.transaction() as tx:
                    renew_search(tx)
                found = hits(as_role(few.url, role), text)
                assert found == hits(few.url, text), text
                assert str(LAST) not in text or found[0][0] == LAST, text
        finally:
            monkeypatch.undo()
            with shadow.transaction() as tx:
                renew_search(tx)


def hits(url: str, text: str) -> list[tuple[int, float]]:
    with psycopg.connect(url) as connection:
        query = "SELECT odoo_id, score FROM public.odoo_shadow_search(%s, match_count => 3)"
        return [(int(found), float(score)) for found, score in connection.execute(query, (text,)).fetchall()]


def test_whoever_has_no_company_finds_none(few: Few) -> None:
    with new_role(few.url) as role:
        run_as_owner(
            few.url,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO {role}",
            role=role,
        )
        assert [rows for rows, _ in answers(as_role(few.url, role))] == [[]] * len(QUESTIONS)
