"""What of a mirror and of its marts this role may read."""

from __future__ import annotations

from odoo_shadow.knowledge.mcp.gate import Relations
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.state.marts import shadows_of_marts
from odoo_shadow.shadow.state.visible import look_at


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
