"""What the database role may do."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_odoo_shadow.target.database import Transaction


@dataclass(frozen=True)
class Rights:
    """The rights that a mirror needs, and whether the role has them.

    :param tables_not_writable: tables of the schema that the role may not insert into, update and delete from.
    """

    version: str
    role: str
    may_create_schema: bool
    may_create_temporary: bool
    may_create_public: bool
    tables_not_writable: list[str]


def read_rights(tx: Transaction) -> Rights:
    """Ask the database; changes nothing."""
    (row,) = tx.run(
        "SELECT current_setting('server_version'), current_user::text,"
        " coalesce((SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = {schema}),"
        " has_database_privilege(current_database(), 'CREATE')),"
        " has_database_privilege(current_database(), 'TEMPORARY'),"
        " coalesce(has_schema_privilege(to_regnamespace('public'), 'CREATE'), false),"
        " (SELECT coalesce(array_agg(c.relname::text ORDER BY c.relname), '{{}}') FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {schema} AND c.relkind = 'r'"
        " AND NOT (has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE')"
        " AND has_table_privilege(c.oid, 'DELETE')))",
        schema=tx.schema,
    )
    return Rights(*row)
