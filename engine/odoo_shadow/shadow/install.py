"""Makes a mirror's two schemas, or upgrades them, with the views of their control tables."""

from __future__ import annotations

from psycopg import errors, sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.errors import ShadowPermissionError
from odoo_shadow.shadow.names import internal_schema
from odoo_shadow.shadow.owners.ownership import check_trust
from odoo_shadow.shadow.state.schema import lock_schema, schema_version
from odoo_shadow.shadow.state.schema_statements import VERSION, opening_statement, upgrade_statements
from odoo_shadow.shadow.views.public_views import PUBLIC_TABLES, publish, unpublish


def ensure_base(tx: Transaction) -> bool:
    """Create or upgrade the schema and its views if needed; return whether that was necessary."""
    if schema_version(tx) >= VERSION:
        return False
    _open(tx)
    lock_schema(tx)
    if schema_version(tx) >= VERSION:
        return False  # another process was quicker
    for table in PUBLIC_TABLES:
        unpublish(tx, table)  # their columns may change
    for statement in upgrade_statements(tx.schema):
        tx.cursor.execute(statement)
    publish(tx, PUBLIC_TABLES)
    return True


def _open(tx: Transaction) -> None:
    """Create both schemas and the row that `lock_schema` locks, unless another process has just done so."""
    try:
        with tx.cursor.connection.transaction():
            tx.cursor.execute(opening_statement(tx.schema))
    except (errors.UniqueViolation, errors.DuplicateSchema, errors.DuplicateTable):
        check_trust(tx)
    except errors.InsufficientPrivilege:
        missing = _missing_schemas(tx)
        if not missing:
            raise
        raise _may_not_create(tx, missing[0]) from None


def _missing_schemas(tx: Transaction) -> list[str]:
    rows = tx.run("SELECT nspname FROM pg_namespace")
    there = {str(row[0]) for row in rows}
    return [schema for schema in (tx.schema, internal_schema(tx.schema)) if schema not in there]


def _may_not_create(tx: Transaction, schema: str) -> ShadowPermissionError:
    role = tx.cursor.connection.info.user
    statement = sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(sql.Identifier(schema), sql.Identifier(role))
    return ShadowPermissionError(
        f"The role '{role}' has no right to create schema '{schema}': have an administrator run once "
        f"{statement.as_string(tx.cursor)}; or grant the role CREATE on the database."
    )
