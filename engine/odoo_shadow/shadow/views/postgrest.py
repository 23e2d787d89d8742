"""Tells PostgREST to read the structure of the database again: once per run, and only if that has changed.

While PostgREST does so, its answers wait. What it was told of last is kept as a digest, so that no change is missed,
whoever made it and however the run before ended, and none is announced twice.
"""

from __future__ import annotations

from typing import LiteralString

from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.errors import ShadowError, ShadowPermissionError
from odoo_shadow.shadow.names import internal_schema
from odoo_shadow.shadow.owners.ownership import may_use_schema
from odoo_shadow.shadow.relations import FUNCTIONS, MADE_OBJECT, MIRROR, RELATIONSHIP
from odoo_shadow.text.log import logger

log = logger(__name__)

# Names, columns with their types, keys, functions and comments: what PostgREST's schema cache and the description of
# its API are made of. Rights are not: it asks for them each time.
_SHOWN: LiteralString = """WITH relations AS (
    SELECT c.oid, n.nspname, c.relname, c.relkind
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND (n.nspname = {schema}
        OR n.nspname = 'public' AND c.relname IN (SELECT name FROM {made} WHERE schema_name = 'public'))
), functions AS (
    SELECT p.oid, n.nspname, p.proname, p.proargtypes[0] AS taken, p.prorettype, p.prorows
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = {schema} OR n.nspname = 'public' AND (p.proname = ANY({functions}::name[])
        OR (p.proname, p.proargtypes[0]) IN (SELECT r.function_name, c.reltype
            FROM {relationship} r JOIN pg_class c ON c.relname = r.argument_name
            AND c.relnamespace = to_regnamespace('public')))
)
SELECT md5(string_agg(item, chr(10) ORDER BY item COLLATE "C")) FROM (
    SELECT md5(concat_ws(' ', r.nspname, r.relname, r.relkind, (
        SELECT string_agg(concat_ws(' ', a.attname, a.atttypid::regtype, a.attnotnull), chr(10) ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped)))
    FROM relations r
    UNION ALL
    SELECT md5(concat_ws(' ', f.nspname, f.proname, f.taken::regtype, f.prorettype::regtype, f.prorows))
    FROM functions f
    UNION ALL
    SELECT md5(concat_ws(' ', r.nspname, r.relname, string_agg(concat_ws(' ', d.objsubid, d.description), chr(10)
        ORDER BY d.objsubid)))
    FROM relations r JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = r.oid
    GROUP BY r.nspname, r.relname
    UNION ALL
    SELECT md5(concat_ws(' ', r.nspname, r.relname, k.conname, pg_get_constraintdef(k.oid)))
    FROM relations r JOIN pg_constraint k ON k.conrelid = r.oid AND k.contype IN ('p', 'u', 'f')
) AS shown (item)"""


def tell_postgrest(shadow: ShadowDatabase) -> None:
    """Announce what has changed of the mirror's structure since it was last announced, if anything has."""
    try:
        with shadow.transaction() as tx:
            if may_use_schema(tx, internal_schema(tx.schema)):
                _tell(tx)
    except ShadowPermissionError as error:
        log.info("PostgREST was not told of changes: %s", error)
    except ShadowError as error:
        log.warning("PostgREST is told of changes next time: %s", error)


def _tell(tx: Transaction) -> None:
    ((digest,),) = tx.run(
        _SHOWN,
        schema=tx.schema,
        made=tx.internal(MADE_OBJECT),
        relationship=tx.internal(RELATIONSHIP),
        functions=list(FUNCTIONS),
    )
    tx.run(
        "UPDATE {mirror} SET shown_digest = {digest} WHERE shown_digest IS DISTINCT FROM {digest}",
        mirror=tx.internal(MIRROR),
        digest=digest,
    )
    if tx.cursor.rowcount:  # PostgreSQL sends it when the transaction commits
        tx.run("NOTIFY pgrst, 'reload schema'")
