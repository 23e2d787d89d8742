"""What the database role may do."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_odoo_shadow.target.database import Transaction


@dataclass(frozen=True)
class Rights:
    """The rights that a mirror needs, and whether the role has them."""

    version: str
    role: str
    may_create_schema: bool
    may_create_temporary: bool
    may_create_public: bool


def read_rights(tx: Transaction) -> Rights:
    """Ask the database; changes nothing."""
    (row,) = tx.run(
        "SELECT current_setting('server_version'), current_user::text,"
        " coalesce((SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = {schema}),"
        " has_database_privilege(current_database(), 'CREATE')),"
        " has_database_privilege(current_database(), 'TEMPORARY'),"
        " coalesce(has_schema_privilege(to_regnamespace('public'), 'CREATE'), false)",
        schema=tx.schema,
    )
    return Rights(*row)
