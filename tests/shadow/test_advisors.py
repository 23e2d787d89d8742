"""Supabase's advisors find nothing to complain of in what the project makes, with its schema in the API and without.

Tables, views and functions of the mirror, documents, their vectors, and the search of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from odoo_shadow.knowledge.embedding.choice import EmbeddingSettings, make_embedder
from odoo_shadow.knowledge.embedding.fill import fill_embeddings
from odoo_shadow.shadow.access.mode import RowLevelSecurity
from odoo_shadow.shadow.connection.database import ShadowDatabase
from tests.support.companies import api_roles, let_users_read, sync, two_companies
from tests.support.documents import refresh, touched
from tests.support.roles import run_as_owner
from tests.support.supabase_cli import advice, supabase
from tools.embedded_postgres import drop_database, new_database

ORDERS = "odoo_shadow_sale_order"
DOCUMENTS = "odoo_shadow_stored_document"


@pytest.fixture
def mirrored(postgres: str) -> Iterator[str]:
    """A project as `init supabase` sets it up, with tables whose rows are restricted, and documents of them."""
    if "host=" not in postgres:
        pytest.skip("Supabase's command line is asked to come to the embedded server's socket")
    supabase()
    with api_roles(postgres):
        url, odoo = new_database(postgres), two_companies()
        run_as_owner(url, "CREATE SCHEMA extensions", "GRANT USAGE ON SCHEMA extensions TO authenticated")
        with ShadowDatabase.from_url(url) as shadow:
            sync(odoo, shadow, mode=RowLevelSecurity.COMPANY)
            let_users_read(url)
            sync(odoo, shadow)
            search_by_meaning(shadow)
        yield url
        drop_database(postgres, url)


def search_by_meaning(shadow: ShadowDatabase) -> None:
    """Make documents of partners and orders, and vectors of them, as `odoo-shadow embed` does."""
    made = touched(refresh(shadow))
    embedder = make_embedder(EmbeddingSettings("local"))
    assert embedder is not None
    assert fill_embeddings(shadow, embedder).embedded == sum(added for added, _, _ in made.values()) == 6


def expose(database: str, schemas: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER DATABASE {} SET pgrst.db_schemas = {}").format(name, schemas))


def complaints(database: str) -> list[tuple[str, str]]:
    return [(item["level"], item["detail"]) for item in advice(database) if item["level"] != "INFO"]


def test_the_advisors_are_content(mirrored: str) -> None:
    expose(mirrored, "public")
    assert complaints(mirrored) == []
    expose(mirrored, "public, odoo_shadow")
    assert complaints(mirrored) == []
    for table in (ORDERS, DOCUMENTS):
        run_as_owner(mirrored, "ALTER TABLE odoo_shadow.{table} DISABLE ROW LEVEL SECURITY", table=table)
    found = complaints(mirrored)
    assert {level for level, _ in found} == {"ERROR"}
    for table in (ORDERS, DOCUMENTS):
        assert [detail for _, detail in found if table in detail], table
