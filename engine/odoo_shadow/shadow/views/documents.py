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
from odoo_shadow.shadow.views.public_views import PUBLIC, publish, unpublish

_VIEW: LiteralString = """CREATE OR REPLACE VIEW {view} WITH (security_invoker = true) AS
SELECT d.id, d.odoo_model, d.odoo_id, d.title, d.body, d.language, d.company_id, d.state, d.dated_at, d.url,
    d.content_hash, d.updated_at, m.as_of, {embedding} AS embedding
FROM {stored} AS d JOIN {known} AS m ON m.odoo_model = d.odoo_model AND m.is_shown"""
# The type of vectors is that of the columns that hold them, without a length: another model's do not change it.
_VECTORS: LiteralString = (
    "SELECT CASE WHEN m.is_current THEN m.column_name END, format('%I.%I', n.nspname, t.typname)"
    " FROM {known} m JOIN pg_attribute a ON a.attrelid = to_regclass({stored}) AND a.attname = m.column_name"
    " AND NOT a.attisdropped JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace n ON n.oid = t.typnamespace"
    " ORDER BY m.is_current DESC, m.created_at DESC LIMIT 1"
)
# What must go before the view can: rules are told as the views that they are of.
_UPON: LiteralString = (
    "SELECT DISTINCT coalesce(pg_describe_object('pg_class'::regclass, r.ev_class, 0),"
    " pg_describe_object(d.classid, d.objid, 0)) FROM pg_class c"
    " JOIN pg_depend d ON d.deptype = 'n' AND (d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid"
    " OR d.refclassid = 'pg_type'::regclass AND d.refobjid = c.reltype)"
    " LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid"
    " WHERE c.oid = ANY ({views}::text[]::regclass[])"
    " AND (r.ev_class IS NULL OR r.ev_class <> ALL ({views}::text[]::regclass[])) ORDER BY 1"
)
_TEXT = "pg_catalog.text"
_COMMENT = "Kept by odoo-shadow: what the records of Odoo are about, as text"


def forget_lost_columns(tx: Transaction) -> None:
    """Forget the embeddings whose column is gone: `DROP EXTENSION vector CASCADE` drops all of them, and the view."""
    tx.run(
        "DELETE FROM {known} m WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass({stored})"
        " AND a.attname = m.column_name AND NOT a.attisdropped)",
        known=tx.own(EMBEDDING_MODEL),
        stored=tx.own(STORED_DOCUMENT).as_string(tx.cursor),
    )


def renew_document_view(tx: Transaction) -> list[str]:
    """Make the view, or make it anew if another embedding is in use, and its namesake in `public`.

    :return: what somebody has built on it, if that keeps `embedding` a text: the type of a view's column can change
        only if the view is dropped.
    :raises ShadowConflictError: something else has its name.
    """
    made = MadeObject(tx.schema, DOCUMENT, ObjectKind.VIEW, STORED_DOCUMENT)
    standing = standing_of(tx, made)
    if standing not in (Standing.FREE, Standing.OWN):
        raise ShadowConflictError(
            f"{tx.schema}.{DOCUMENT} is something else than the view of the documents: drop or rename it."
        )
    there = _shown(tx) if standing is Standing.OWN else None
    column, kind = _wanted(tx, there)
    upon = _upon(tx, with_namesake=True) if there and there[1] != kind else []
    if upon and there:
        kind = there[1]
    if there == (column, kind):
        return upon
    lock_schema(tx)
    if there and there[1] != kind:
        unpublish(tx, DOCUMENT)
        upon = _upon(tx, with_namesake=False)
        if upon:
            kind = there[1]
        else:
            tx.run("DROP VIEW {view}", view=tx.own(DOCUMENT))
    embedding = sql.SQL("d.{}").format(sql.Identifier(column)) if column else sql.NULL
    tx.run(
        _VIEW,
        view=tx.own(DOCUMENT),
        stored=tx.own(STORED_DOCUMENT),
        known=tx.own(DOCUMENT_MODEL),
        embedding=sql.SQL("{}::{}").format(embedding, sql.SQL(kind)),
    )
    tx.run("COMMENT ON VIEW {view} IS {comment}", view=tx.own(DOCUMENT), comment=_COMMENT)
    tx.run_all(
        [grant_view_statement(tx.schema, tx.schema, DOCUMENT, STORED_DOCUMENT), record_statement(tx.schema, made)]
    )
    publish(tx, [DOCUMENT])
    return upon


def _wanted(tx: Transaction, there: tuple[str, str] | None) -> tuple[str, str]:
    """Return the column that the view should show, empty for none, and the type in which."""
    rows = tx.run(_VECTORS, known=tx.own(EMBEDDING_MODEL), stored=tx.own(STORED_DOCUMENT).as_string(tx.cursor))
    if rows:
        return str(rows[0][0] or ""), str(rows[0][1])
    return "", there[1] if there else _TEXT


def _shown(tx: Transaction) -> tuple[str, str]:
    """Return the embedding's column that the view shows, empty if it shows none, and the type of its own."""
    ((kind,),) = tx.run(
        "SELECT CASE WHEN a.atttypmod < 0 THEN format('%I.%I', n.nspname, t.typname) ELSE '' END FROM pg_attribute a"
        " JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace n ON n.oid = t.typnamespace"
        " WHERE a.attrelid = to_regclass({view}) AND a.attname = 'embedding'",
        view=tx.own(DOCUMENT).as_string(tx.cursor),
    )
    rows = tx.run(
        "SELECT a.attname FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass"
        " JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid"
        " WHERE r.ev_class = to_regclass({view}) AND d.refobjid = to_regclass({stored})"
        " AND starts_with(a.attname, 'embedding_')",
        view=tx.own(DOCUMENT).as_string(tx.cursor),
        stored=tx.own(STORED_DOCUMENT).as_string(tx.cursor),
    )
    return str(rows[0][0]) if rows else "", str(kind)


def _upon(tx: Transaction, *, with_namesake: bool) -> list[str]:
    """Return what depends on the view.

    :param with_namesake: or on its namesake in `public`, if that is the mirror's own.
    """
    namesake = MadeObject(PUBLIC, DOCUMENT, ObjectKind.VIEW, DOCUMENT)
    views = [tx.own(DOCUMENT)]
    if with_namesake and tx.schema != PUBLIC and standing_of(tx, namesake) is Standing.OWN:
        views.append(sql.Identifier(PUBLIC, DOCUMENT))
    rows = tx.run(_UPON, views=[view.as_string(tx.cursor) for view in views])
    return [str(row[0]) for row in rows]
