"""Who may read the views that the mirror makes: the rights on the table that they show decide.

Where `odoo_shadow_reader` may use the mirror's schema, a view is granted to exactly those who may read its table, so
that an API does not name it to anyone else. Elsewhere it is granted to everyone: without rights on the table, it shows
nothing. The procedures of the internal schema decide which of both it is, so that migrations do so, too.
"""

from __future__ import annotations

from psycopg import sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.names import internal_schema

GRANT_VIEW = "grant_view"
GRANT_VIEWS = "grant_views"


def grant_view_statement(schema: str, view_schema: str, view: str, table: str) -> sql.Composed:
    """Return the statement that grants a new view; running it twice does no harm.

    :param schema: the mirror's.
    :param table: the table or view of the mirror's schema whose rights count.
    """
    procedure = sql.Identifier(internal_schema(schema), GRANT_VIEW)
    return sql.SQL("CALL {}({}, {}, {})").format(procedure, view_schema, view, table)


def renew_view_grants(tx: Transaction) -> None:
    """Grant all views of the mirror anew: somebody may have changed the rights on their tables."""
    tx.run("CALL {procedure}()", procedure=tx.internal(GRANT_VIEWS))
