"""What of a mirror and of its marts this role may read."""

from __future__ import annotations

from typing import LiteralString

from odoo_shadow.knowledge.mcp.gate import Relations
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import META
from odoo_shadow.shadow.state.marts import shadows_of_marts
from odoo_shadow.shadow.state.visible import look_at

# Whoever sees all rows of a table has no policy there, or only policies that let all pass.
_RESTRICTED: LiteralString = """SELECT c.relname::text FROM {meta} m JOIN pg_class c ON c.relname = m.table_name
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = {schema}
WHERE row_security_active(c.oid) AND NOT coalesce((SELECT bool_and(p.polpermissive
    AND pg_get_expr(p.polqual, p.polrelid) = 'true') FROM pg_policy p WHERE p.polrelid = c.oid), false)"""


def readable_relations(tx: Transaction) -> Relations:
    """Return the tables and views in the mirror's schema and in those of its marts that this role may read.

    :raises ShadowOwnershipError: something that the mirror would use belongs to a role that is not trusted.
    """
    schemas = [tx.schema, *marts_schemas(tx)]
    rows = tx.run(
        "SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = ANY({schemas}::name[]) AND c.relkind IN ('r', 'p', 'v', 'm')"
        " AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')",
        schemas=schemas,
    )
    names = {schema: frozenset(name for place, name in rows if place == schema) for schema in schemas}
    return Relations(tx.schema, names)


def marts_schemas(tx: Transaction) -> list[str]:
    """Return the schemas of this mirror's marts that this role may read."""
    found = look_at(tx).marts_schemas
    return [schema for schema in found if schema != tx.schema and tx.schema in shadows_of_marts(tx, schema)]


def restricted_tables(tx: Transaction) -> frozenset[str]:
    """Return the mirrored tables of which this role may see some rows only: their number is not for it."""
    return frozenset(str(name) for (name,) in tx.run(_RESTRICTED, meta=tx.own(META), schema=tx.schema))
