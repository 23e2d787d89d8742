"""The view of the documents, with how fresh they are, and the embeddings that are in use."""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow.access.grants import grant_view_statement
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.errors import ShadowConflictError
from odoo_shadow.shadow.owners.made_objects import MadeObject, ObjectKind, Standing, record_statement, standing_of
from odoo_shadow.shadow.relations import DOCUMENT, DOCUMENT_MODEL, EMBEDDING_MODEL, STORED_DOCUMENT
from odoo_shadow.shadow.state.schema import lock_schema
from odoo_shadow.shadow.views.public_views import publish, unpublish

_VIEW: LiteralString = """CREATE VIEW {view} WITH (security_invoker = true) AS
SELECT d.id, d.odoo_model, d.odoo_id, d.title, d.body, d.language, d.company_id, d.state, d.dated_at, d.url,
    d.content_hash, d.updated_at, m.as_of, {embedding} AS embedding
FROM {stored} AS d JOIN {known} AS m ON m.odoo_model = d.odoo_model AND m.is_shown"""
_COMMENT = "Kept by odoo-shadow: what the records of Odoo are about, as text"


def forget_lost_columns(tx: Transaction) -> None:
    """Forget the embeddings whose column is gone: `DROP EXTENSION vector CASCADE` drops all of them, and the view."""
    tx.run(
        "DELETE FROM {known} m WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass({stored})"
        " AND a.attname = m.column_name AND NOT a.attisdropped)",
        known=tx.own(EMBEDDING_MODEL),
        stored=tx.own(STORED_DOCUMENT).as_string(tx.cursor),
    )


def renew_document_view(tx: Transaction) -> None:
    """Make the view, or make it anew if another embedding is in use, and its namesake in `public`.

    :raises ShadowConflictError: something else has its name.
    """
    made = MadeObject(tx.schema, DOCUMENT, ObjectKind.VIEW, STORED_DOCUMENT)
    standing = standing_of(tx, made)
    if standing not in (Standing.FREE, Standing.OWN):
        raise ShadowConflictError(
            f"{tx.schema}.{DOCUMENT} is something else than the view of the documents: drop or rename it."
        )
    current = tx.run("SELECT column_name FROM {known} WHERE is_current", known=tx.own(EMBEDDING_MODEL))
    column = str(current[0][0]) if current else ""
    if standing is Standing.OWN and _shown_column(tx) == column:
        return
    lock_schema(tx)
    unpublish(tx, DOCUMENT)
    if standing is Standing.OWN:
        tx.run("DROP VIEW {view}", view=tx.own(DOCUMENT))
    tx.run(
        _VIEW,
        view=tx.own(DOCUMENT),
        stored=tx.own(STORED_DOCUMENT),
        known=tx.own(DOCUMENT_MODEL),
        embedding=sql.SQL("d.{}").format(sql.Identifier(column)) if column else sql.SQL("NULL::text"),
    )
    tx.run("COMMENT ON VIEW {view} IS {comment}", view=tx.own(DOCUMENT), comment=_COMMENT)
    tx.run_all(
        [grant_view_statement(tx.schema, tx.schema, DOCUMENT, STORED_DOCUMENT), record_statement(tx.schema, made)]
    )
    publish(tx, [DOCUMENT])


def _shown_column(tx: Transaction) -> str:
    """Return the embedding's column that the view shows; empty if it shows none."""
    rows = tx.run(
        "SELECT a.attname FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass"
        " JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid"
        " WHERE r.ev_class = to_regclass({view}) AND d.refobjid = to_regclass({stored})"
        " AND starts_with(a.attname, 'embedding_')",
        view=tx.own(DOCUMENT).as_string(tx.cursor),
        stored=tx.own(STORED_DOCUMENT).as_string(tx.cursor),
    )
    return str(rows[0][0]) if rows else ""
