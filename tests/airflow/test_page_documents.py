"""The page says which documents are behind their tables, hidden, or not embedded, and what to do."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.airflow_connections import shadow_connection
from tests.support.airflow_pages import Visits, seen
from tests.support.many_tables import fill_with_tables

pytestmark = pytest.mark.one_flavour

# The documents of wide.old are three hours behind one of their tables; wide.<b>new</b> has an odd name.
DOCUMENTS = """
INSERT INTO wide.odoo_shadow_document_model
    (odoo_model, shown_tables, is_shown, document_count, as_of, updated_at)
VALUES ('wide.old', '{odoo_shadow_wide_1,odoo_shadow_wide_2}', true, 1200, now() - interval '6 hours',
        now() - interval '6 hours'),
    ('wide.<b>new</b>', '{odoo_shadow_wide_2}', true, 2, now(), now());
UPDATE wide.odoo_shadow_meta SET last_sync_at = now() - interval '3 hours' WHERE table_name = 'odoo_shadow_wide_1';
UPDATE wide.odoo_shadow_meta SET last_sync_at = now() - interval '7 hours' WHERE table_name = 'odoo_shadow_wide_2';
INSERT INTO wide.odoo_shadow_stored_document
    (odoo_model, odoo_id, title, body, names, companies, content_hash, rows_digest)
SELECT 'wide.<b>new</b>', n, 'A', 'b', '', '{0}', '', 0 FROM generate_series(1, 2) n;
"""
EMBEDDED = """
ALTER TABLE wide.odoo_shadow_stored_document ADD COLUMN embedding_1 integer, ADD COLUMN embedding_2 integer;
UPDATE wide.odoo_shadow_stored_document SET embedding_1 = 1 WHERE odoo_id = 1;
INSERT INTO wide.odoo_shadow_embedding_model (column_name, name, dimensions, is_current)
VALUES ('embedding_1', 'used <i>now</i>', 512, true), ('embedding_2', 'next', 8, false);
"""
ALL_WELL = """
UPDATE wide.odoo_shadow_document_model SET updated_at = now(), as_of = now();
UPDATE wide.odoo_shadow_stored_document SET embedding_1 = 1;
"""
CHANGES = {
    "UPDATE wide.odoo_shadow_document_model SET is_shown = false": (
        "Documents 2 models hidden wide.<b>new</b>, wide.old; 1202 documents"
    ),
    "UPDATE wide.odoo_shadow_document_model SET is_shown = true, as_of = NULL": "do not say as of when they are, as",
    "DELETE FROM wide.odoo_shadow_embedding_model; UPDATE wide.odoo_shadow_document_model SET as_of = now()": (
        "Documents up to date 1202 documents, without embeddings: searches are by words alone;"
    ),
}
"""What is done to documents that are well, one after the other, and what the page says then."""


def change(database: str, statements: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(statements.encode())


def test_documents_that_are_late_hidden_or_not_embedded(
    visits: Visits, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_SHADOW_DB", shadow_connection(database))
    fill_with_tables(database, "wide", tables=20, days=7)  # so few that all are well
    visits.publish(wide={"schema": "wide", "models": ["wide.*"], "fresh_within_minutes": 300, "knowledge": True})
    visits.change("wide_sync", is_paused=False, next_dagrun_create_after=None)
    visits.change("wide_verify", is_paused=False, next_dagrun_create_after=None)
    assert "Documents" not in seen(visits.get("/mirrors/wide"))
    change(database, DOCUMENTS)
    page = visits.get("/mirrors/wide")
    assert "Documents 1 model late wide.old; 1202 documents" in seen(page)
    assert "The documents of wide.old were last brought up to date on " in seen(page)
    assert "run odoo-shadow embed, or let the mirror do it (knowledge: true)." in seen(page)
    _, _, listed = page.partition('id="documents"')
    assert "wide.old late 1,200 " in seen(listed) and " UTC 6 h ago were last brought up to date on" in seen(listed)
    assert "<b>new" not in page
    change(database, EMBEDDED)
    _, _, listed = visits.get("/mirrors/wide").partition('id="documents"')
    assert "wide.<b>new</b> up to date 2 1 " in seen(listed)
    change(database, "UPDATE wide.odoo_shadow_document_model SET updated_at = now()")
    waiting = "Documents not all embedded 1202 documents; 1 document without an embedding: searches find them by words"
    assert waiting in seen(visits.get("/mirrors/wide"))
    assert "wide no problem found" in seen(visits.get("/"))
    change(database, ALL_WELL)
    assert "1202 documents, embedded by used <i>now</i>; the oldest as of just now" in seen(visits.get("/"))
    assert "wide all well" in seen(visits.get("/"))
    for statements, said in CHANGES.items():
        change(database, statements)
        assert said in seen(visits.get("/mirrors/wide")), statements
