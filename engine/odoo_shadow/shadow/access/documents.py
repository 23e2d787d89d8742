"""Who sees which documents: the policy of their table, which follows from the rights on the tables that they show."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow.access.catalogued import restrictions
from odoo_shadow.shadow.access.mode import RowLevelSecurity, read_mode
from odoo_shadow.shadow.access.policies import ALL_ROWS, POLICY, condition
from odoo_shadow.shadow.access.restrictions import Restriction
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.shadow.relations import (
    DOCUMENT_COMPANIES,
    DOCUMENT_MODEL,
    DOCUMENT_MODELS,
    MIRROR,
    STORED_DOCUMENT,
)
from odoo_shadow.shadow.state.schema import lock_schema

_PATIENCE = "5s"
"""How long a table that readers use is waited for, as for other tables."""

# Those who may read documents, and a table that some of these show. A condition that is not needed costs searches: they
# cannot use their indexes below it.
_SOME_MAY_NOT: LiteralString = """SELECT EXISTS (
    SELECT FROM pg_class s CROSS JOIN LATERAL (SELECT (aclexplode(s.relacl)).*
        UNION ALL SELECT (aclexplode(t.attacl)).* FROM pg_attribute t WHERE t.attrelid = s.oid) a,
    (SELECT DISTINCT unnest(shown_tables) AS name FROM {known}) shown
    JOIN pg_class c ON c.relname = shown.name AND c.relnamespace = {schema}::regnamespace
    WHERE s.oid = to_regclass({stored}) AND a.privilege_type = 'SELECT' AND a.grantee <> s.relowner
    AND NOT CASE a.grantee WHEN 0 THEN has_table_privilege('public', c.oid, 'SELECT')
        ELSE has_table_privilege(a.grantee, c.oid, 'SELECT') END)"""
_SOME_HIDE_ROWS: LiteralString = """SELECT DISTINCT c.relname
FROM {known} k CROSS JOIN LATERAL unnest(k.shown_tables) AS shown (name)
JOIN pg_class c ON c.relname = shown.name AND c.relnamespace = {schema}::regnamespace
WHERE EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND NOT p.polpermissive)
OR c.relrowsecurity AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = {policy})
ORDER BY 1"""
_STORED: LiteralString = (
    "SELECT md5(concat_ws(' ', pg_get_expr(p.polqual, p.polrelid), p.polcmd, p.polpermissive, p.polroles::text))"
    " FROM pg_policy p WHERE p.polrelid = to_regclass({stored}) AND p.polname = {policy}"
)


def restrictions_in_force(tx: Transaction) -> dict[str, Restriction] | None:
    """Return how each table's rows are restricted; None where everybody sees all of them."""
    return restrictions(tx) if read_mode(tx) is RowLevelSecurity.COMPANY else None


def readers_digest(schema: str, found: Mapping[str, Restriction] | None, tables: Iterable[str]) -> str:
    """Return a digest of who sees the rows of tables, and of those that restrict them.

    :param found: as `restrictions_in_force` has returned it.
    """
    digest = hashlib.sha256(b"open" if found is None else b"restricted")
    seen: set[str] = set()
    ahead = sorted(tables, reverse=True) if found is not None else []
    while ahead and found is not None:
        table = ahead.pop()
        if table not in seen:
            seen.add(table)
            restriction = found.get(table)
            said = "" if restriction is None else condition(schema, table, restriction).as_string()
            digest.update(f"{table}\n{said}\n".encode())
            ahead += [parent for _, parent in restriction.parents] if restriction is not None else []
    return digest.hexdigest()


def restrict_documents(shadow: ShadowDatabase) -> tuple[str, ...]:
    """Hide documents that show rows which others see by now, and renew the policy; they wait to be made anew.

    :return: sentences about what could not be done.
    """
    try:
        with shadow.transaction() as tx:
            known = tx.run(
                "SELECT odoo_model, shown_tables, readers_digest FROM {known} ORDER BY 1", known=tx.own(DOCUMENT_MODEL)
            )
            if not known:
                return ()
            tx.run("SET LOCAL lock_timeout TO {patience}", patience=_PATIENCE)
            found = restrictions_in_force(tx)
            outdated = [model for model, tables, digest in known if digest != readers_digest(tx.schema, found, tables)]
            if outdated:
                tx.run(
                    "UPDATE {known} SET is_shown = false WHERE odoo_model = ANY({models}::text[])",
                    known=tx.own(DOCUMENT_MODEL),
                    models=outdated,
                )
            renew_document_policy(tx)
    except ShadowError as error:
        return (f"Row-level security of the documents is not up to date: {error}",)
    return ()


def renew_document_policy(tx: Transaction) -> None:
    """Give the documents the policy that they need now, if it is not the one that they have."""
    wanted = _wanted(tx)
    named = {"stored": tx.own(STORED_DOCUMENT).as_string(tx.cursor), "policy": POLICY}
    ((known, is_enabled),) = tx.run(
        "SELECT m.document_policy, c.relrowsecurity FROM {mirror} m, pg_class c WHERE c.oid = to_regclass({stored})",
        mirror=tx.internal(MIRROR),
        **named,
    )
    now = tx.run(_STORED, **named)
    if now and is_enabled and known == f"{_digest(wanted)} {now[0][0]}":
        return
    lock_schema(tx)
    tx.run(
        "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; DROP POLICY IF EXISTS {policy} ON {table};"
        " CREATE POLICY {policy} ON {table} FOR SELECT TO PUBLIC USING ({wanted})",
        table=tx.own(STORED_DOCUMENT),
        policy=sql.Identifier(POLICY),
        wanted=wanted,
    )
    ((digest,),) = tx.run(_STORED, **named)
    tx.run("UPDATE {m} SET document_policy = {known}", m=tx.internal(MIRROR), known=f"{_digest(wanted)} {digest}")


def tables_with_other_policies(tx: Transaction) -> list[str]:
    """Return the tables whose rows policies of somebody's own hide: documents that show them are shown to nobody."""
    rows = tx.run(_SOME_HIDE_ROWS, known=tx.own(DOCUMENT_MODEL), schema=_quoted(tx), policy=POLICY)
    return [str(row[0]) for row in rows]


def _wanted(tx: Transaction) -> sql.Composed:
    models = sql.SQL("odoo_model = ANY ((SELECT {}())::text[])").format(tx.own(DOCUMENT_MODELS))
    if read_mode(tx) is RowLevelSecurity.COMPANY:
        companies = sql.SQL("companies && (SELECT {}())::bigint[]").format(tx.own(DOCUMENT_COMPANIES))
        return sql.SQL("{} AND {}").format(models, companies)
    ((some_may_not,),) = tx.run(
        _SOME_MAY_NOT,
        known=tx.own(DOCUMENT_MODEL),
        schema=_quoted(tx),
        stored=tx.own(STORED_DOCUMENT).as_string(tx.cursor),
    )
    return models if some_may_not or tables_with_other_policies(tx) else ALL_ROWS


def _quoted(tx: Transaction) -> str:
    return sql.Identifier(tx.schema).as_string(tx.cursor)


def _digest(condition: sql.Composed) -> str:
    return hashlib.sha256(condition.as_string().encode()).hexdigest()
