"""The role `odoo_shadow_reader`, which may read a mirror and nothing else: for people, BI tools and APIs."""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow.access.grants import GRANT_VIEWS
from odoo_shadow.shadow.access.mode import SET_MODE, RowLevelSecurity
from odoo_shadow.shadow.names import internal_schema
from odoo_shadow.shadow.relations import CONTROL_TABLES, META, READING_FUNCTIONS, STORED_DOCUMENT

READER = "odoo_shadow_reader"
"""Nobody can log in as it; it is granted to roles, such as Supabase's `authenticated`."""

_CREATE: LiteralString = """
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {name}) THEN
        CREATE ROLE {role} NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- another session was quicker
END
"""

# The schema may contain tables of somebody's own, in `public` a whole application's: only the mirror's are shared.
_SHARE: LiteralString = """
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT c.oid::regclass AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = {schema} AND c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE')
        AND c.relname::text IN (SELECT unnest({control}::text[]) UNION ALL SELECT table_name FROM {meta})
        ORDER BY c.relname
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO %I', item.name, {role});
    END LOOP;
END
"""


def reader_statements(schema: str, row_level_security: RowLevelSecurity | None = None) -> list[sql.Composed]:
    """Return the statements that make the role, let it read a mirror, and choose whose rows are seen.

    They run after those of the schema itself, as the sync's role, which must be able to create roles if there is no
    `odoo_shadow_reader` yet; running them twice does no harm. Tables that the sync
    makes later are granted as they are made.

    :param row_level_security: None to leave it as it is.
    """
    role, name = sql.Identifier(READER), sql.Identifier(schema)
    internal = internal_schema(schema)
    # Quoted as a literal, the block cannot end early.
    create = sql.SQL("DO {}").format(sql.SQL(_CREATE).format(name=READER, role=role).as_string())
    control = [*CONTROL_TABLES, STORED_DOCUMENT]
    shared = {"meta": sql.Identifier(schema, META), "control": control, "schema": schema, "role": READER}
    functions = [sql.SQL("{}()").format(sql.Identifier(schema, function)) for function in READING_FUNCTIONS]
    functions.append(sql.SQL("{}(text)").format(sql.Identifier(schema, "get_shadow_watermark")))
    granted: list[sql.Composed] = [
        sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(name, role),
        sql.SQL("DO {}").format(sql.SQL(_SHARE).format(**shared).as_string()),
        sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(sql.SQL(", ").join(functions), role),
        sql.SQL("CALL {}()").format(sql.Identifier(internal, GRANT_VIEWS)),
    ]
    if row_level_security is not None:
        chosen = sql.SQL("CALL {}({})").format(sql.Identifier(internal, SET_MODE), str(row_level_security))
        granted.append(chosen)
    return [create, *granted]
