"""What the page costs: each process of Airflow at import, the API server and the shadow at every visit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from sqlalchemy import event

from airflow_provider_odoo_shadow.page.marts import MOST_LISTED
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.state.documents import MOST_MODELS
from odoo_shadow.shadow.state.marts import MOST_MARTS
from tests.support.airflow_connections import shadow_connection
from tests.support.airflow_pages import PAGE, Visits, tags
from tests.support.many_tables import fill_with_tables

TABLES = 500
MARTS = b"""
CREATE SCHEMA marts_a;
CREATE TABLE marts_a.mart_freshness AS SELECT 'mart_' || n AS mart, now() AS built_at, now() AS as_of,
    'wide' AS shadow_schema,
    '{"odoo_shadow_wide_1": "2026-01-01T00:00:00+00:00"}'::jsonb AS made_of FROM generate_series(1, 1000) n;
CREATE SCHEMA marts_b;
CREATE TABLE marts_b.mart_freshness AS TABLE marts_a.mart_freshness;
INSERT INTO wide.odoo_shadow_document_model (odoo_model, shown_tables, is_shown, document_count, as_of)
SELECT 'wide.model.' || n, ARRAY['odoo_shadow_wide_' || n], true, n, now() FROM generate_series(1, 1000) n;
ALTER TABLE wide.odoo_shadow_stored_document ADD COLUMN embedding_1 integer;
INSERT INTO wide.odoo_shadow_embedding_model (column_name, name, dimensions) VALUES ('embedding_1', 'm', 8);
"""
MOST_QUERIES = 3
MOST_METADATA_QUERIES = 9
LARGEST_PAGE = 600_000
HEAVY = ("psycopg", "jinja2", "fastapi", "starlette", "odoo_shadow.shadow", "odoo_shadow.mirror", "requests")
"""What the plugin must not bring into a process by itself. Airflow's own plugin manager may have some of it."""

PATHS = ("/", "/mirrors/wide", "/mirrors/wide/tables/odoo_shadow_wide_1")

_PROBE = """
import sys
import airflow.plugins_manager, airflow.listeners
before = set(sys.modules)
import airflow_provider_odoo_shadow.plugin
print("\\n".join(sorted(set(sys.modules) - before)))
"""


@pytest.fixture
def wide(visits: Visits, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mirror of as many tables as there may be."""
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_SHADOW_DB", shadow_connection(database))
    fill_with_tables(database, "wide", tables=TABLES, days=10)
    with psycopg.connect(database) as connection:
        connection.execute(MARTS)
    visits.publish(wide={"schema": "wide", "models": ["wide.*"]})


def test_the_plugin_costs_next_to_nothing_to_import(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, text=True, check=True, cwd=tmp_path)
    brought = done.stdout.split()
    assert "airflow_provider_odoo_shadow.plugin.page" in brought
    assert [name for name in brought if name.startswith(HEAVY)] == []
    assert len(brought) <= 8, brought


def test_a_page_asks_the_shadow_three_times(visits: Visits, wide: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    run = Transaction.run

    def noting(self: Transaction, template: LiteralString, **parts: object) -> list[Any]:
        asked.append(template)
        return run(self, template, **parts)

    monkeypatch.setattr(Transaction, "run", noting)
    for path in PATHS:
        asked.clear()
        visits.get(path)
        assert 0 < len(asked) <= MOST_QUERIES, path


def test_a_page_asks_the_metadata_little(visits: Visits, wide: None) -> None:
    from airflow.settings import engine

    asked: list[str] = []

    def note(*given: Any) -> None:
        asked.append(given[2])

    event.listen(engine, "before_cursor_execute", note)
    try:
        for path in PATHS:
            asked.clear()
            visits.get(path)
            assert 0 < len(asked) <= MOST_METADATA_QUERIES, (path, asked)
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_pages_are_bounded(visits: Visits, wide: None, monkeypatch: pytest.MonkeyPatch) -> None:
    page = visits.get("/mirrors/wide")
    assert len(page.encode()) < LARGEST_PAGE
    assert len([item for item in tags(page, "a") if "/tables/" in str(item.get("href"))]) >= TABLES
    assert page.count(">mart_") == MOST_LISTED
    assert f"{2 * MOST_MARTS - MOST_LISTED} more are not shown." in page
    assert f"{MOST_MODELS - MOST_LISTED} more are not shown." in page
    monkeypatch.setattr("airflow_provider_odoo_shadow.page.tables.MOST_SHOWN", 100)
    few = visits.get("/mirrors/wide")
    assert "400 more are not shown: filter by name." in few
    assert len(few) < len(page) / 2


def test_the_page_is_served_by_a_callable_that_imports_it_late(visits: Visits) -> None:
    (mount,) = [route for route in visits.app.routes if getattr(route, "path", "") == PAGE]
    served: Callable[..., Any] = mount.app  # type: ignore[attr-defined]
    assert type(served).__name__ == "LazyPage"
