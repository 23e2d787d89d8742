"""Made-up documents in any number, with made-up vectors, to measure how long searches take."""

from __future__ import annotations

from pathlib import Path

import psycopg

from odoo_shadow.knowledge.embedding.columns import ensure_column, ensure_index, make_current
from odoo_shadow.knowledge.embedding.extension import ensure_extension
from odoo_shadow.shadow.access.documents import renew_document_policy
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.install import ensure_base
from odoo_shadow.shadow.views.documents import renew_document_view
from odoo_shadow.shadow.views.search import renew_search

MODEL, DIMENSIONS = "made up", 512
FEW_OF = 200
"""One document of so many belongs to the second company: half a percent; retrieval_corpus.sql says so, too."""

_INDEXES = ("words", "spellings", "companies")
_MODELS = """INSERT INTO odoo_shadow.odoo_shadow_document_model (odoo_model, shown_tables, is_shown, as_of)
SELECT name, '{}', true, now()
FROM unnest(ARRAY['sale.order', 'account.move', 'purchase.order', 'project.task', 'res.partner']) AS name"""
# A vector is the sum of two of these, so that there are millions of them at little cost.
_VECTORS = """CREATE TEMPORARY TABLE made AS SELECT n AS number, (SELECT array_agg(sin(n * k * 0.7) * cos(n + k * k))
    FROM generate_series(1, %s) k)::real[]::vector::halfvec AS v FROM generate_series(0, 2999) n"""
_FILL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
_AT_ONCE = 20_000


def fill_corpus(url: str, count: int) -> None:
    """Store so many documents in an empty database, and make all that a search needs."""
    with ShadowDatabase.from_url(url) as shadow:
        with shadow.transaction() as tx:
            ensure_base(tx)
        extension = ensure_extension(shadow)
        with shadow.transaction() as tx:
            model = ensure_column(tx, extension, MODEL, DIMENSIONS)
        with psycopg.connect(url, autocommit=True, options="-c search_path=public") as connection:
            connection.execute(_MODELS)
            for name in _INDEXES:  # built at once in the end, which is quicker
                connection.execute(f"DROP INDEX odoo_shadow.ix_odoo_shadow_document_{name}".encode())
            connection.execute(_VECTORS, (DIMENSIONS,))
            for first in range(1, count + 1, _AT_ONCE):
                last = min(first + _AT_ONCE - 1, count)
                connection.execute(_FILL.replace("<first>", str(first)).replace("<last>", str(last)).encode())
            connection.execute("SET maintenance_work_mem = '512MB'")
            for name in _INDEXES:
                connection.execute(
                    f"CREATE INDEX ix_odoo_shadow_document_{name} ON odoo_shadow.odoo_shadow_stored_document"
                    f" USING gin ({name})".encode()
                )
        ensure_index(shadow, extension, model)
        with shadow.transaction() as tx:
            make_current(tx, model)
            renew_document_view(tx)
            renew_search(tx)
            renew_document_policy(tx)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE odoo_shadow.odoo_shadow_stored_document")
