"""The rights of the sync's role in the shadow's database, for the doctor."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.names import internal_schema
from odoo_shadow.shadow.owners.foreign_query import TRUSTED_ROLES, WHO


@dataclass(frozen=True)
class Rights:
    """The rights that a mirror needs, and whether the role has them.

    :param tables_not_writable: tables of the schema in which the role cannot insert, update and delete.
    :param other_writers: other roles, superusers aside, that may do more than read some table, or create objects there.
    """

    version: str
    role: str
    may_create_schema: bool
    may_create_temporary: bool
    may_create_public: bool
    is_read_only: bool
    tables_not_writable: list[str]
    other_writers: list[str]


def read_rights(tx: Transaction) -> Rights:
    """Ask the database; changes nothing."""
    (row,) = tx.run(
        "SELECT current_setting('server_version'), current_user::text,"
        " coalesce((SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = {schema}),"
        " has_database_privilege(current_database(), 'CREATE')),"
        " has_database_privilege(current_database(), 'TEMPORARY'),"
        " coalesce(has_schema_privilege(to_regnamespace('public'), 'CREATE'), false),"
        " current_setting('transaction_read_only') = 'on',"
        " (SELECT coalesce(array_agg(c.relname::text ORDER BY c.relname), '{{}}') FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {schema} AND c.relkind = 'r'"
        " AND NOT (has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE')"
        " AND has_table_privilege(c.oid, 'DELETE'))),"
        " (SELECT coalesce(array_agg(DISTINCT who ORDER BY who), '{{}}') FROM ("
        "  SELECT {who}, a.grantee"
        "  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a"
        "  WHERE n.nspname IN ({schema}, {internal}) AND c.relkind IN ('r', 'p') AND a.privilege_type <> 'SELECT'"
        "  UNION SELECT {who}, a.grantee FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        "  JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a"
        "  WHERE n.nspname IN ({schema}, {internal}) AND c.relkind IN ('r', 'p') AND a.privilege_type <> 'SELECT'"
        "  UNION SELECT {who}, a.grantee FROM pg_namespace n, aclexplode(n.nspacl) a"
        "  WHERE n.nspname IN ({schema}, {internal}) AND n.nspname <> 'public' AND a.privilege_type = 'CREATE'"
        " ) AS others (who, grantee) WHERE grantee NOT IN {safe})",
        schema=tx.schema,
        internal=internal_schema(tx.schema),
        who=sql.SQL(WHO),
        safe=sql.SQL(TRUSTED_ROLES).format(roles=sorted(tx.trust.roles)),
    )
    return Rights(*row)
