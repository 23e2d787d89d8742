"""Row-level security on the mirror's tables: which have it, and that each has the policy that its mode asks for.

It is enabled, not forced: the tables' owner, which is the sync's role, sees and writes all rows.

A name proves nothing: what a policy was and what PostgreSQL stored of it are kept as digests, and a policy that differs
is made anew. Policies of other names are left alone.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import LiteralString

from psycopg import errors, sql

from odoo_shadow.shadow.access.catalogued import note_restricting, restrictions
from odoo_shadow.shadow.access.mode import RowLevelSecurity, read_mode
from odoo_shadow.shadow.access.policies import ALL_ROWS, POLICY, condition, own_entries
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.errors import ShadowConflictError, ShadowError
from odoo_shadow.shadow.names import internal_schema
from odoo_shadow.shadow.relations import COMPANY_ACCESS, CONTROL_TABLES, META, MIRROR, READING_FUNCTIONS, ROW_POLICY
from odoo_shadow.shadow.state.schema import lock_schema
from odoo_shadow.text.amounts import first_of
from odoo_shadow.text.log import logger

log = logger(__name__)

PROTECT_TABLE = "protect_table"

_PATIENCE = "5s"
"""How long a table that readers use is waited for; whatever reads it meanwhile waits behind that."""
_MOST_NAMED = 5

_STORED: LiteralString = (
    "(SELECT md5(concat_ws(' ', pg_get_expr(p.polqual, p.polrelid), p.polcmd, p.polpermissive, p.polroles::text))"
    " FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = {policy})"
)
"""A digest of a table's policy as it is now, with the columns' present names: a renamed column takes the policy along,
which is then about values that are no longer written."""


def protect_statement(schema: str, table: str, *, is_new: bool = False) -> sql.Composed:
    """Return the statement that gives a registered table row-level security, where that is needed.

    Running it twice does no harm. Where rows are restricted, nobody but its owner sees any until it has its policy.

    :param is_new: whether the table has just been made, so that nobody can have arranged anything on it.
    """
    return sql.SQL("CALL {}({}, {})").format(sql.Identifier(internal_schema(schema), PROTECT_TABLE), table, is_new)


def set_mode(shadow: ShadowDatabase, mode: RowLevelSecurity | None) -> None:
    """Choose whose rows are seen; a mode that is not given stays. Raises a `ShadowError`.

    It takes no lock on a table, which readers may be using: new tables are protected from now on, and until
    `renew_policies` has reached an older one, its readers see what they saw before.
    """
    if mode is None:
        return
    with shadow.transaction() as tx:
        if read_mode(tx) is mode:
            return
        lock_schema(tx)
        tx.run("UPDATE {mirror} SET row_level_security = {mode}", mirror=tx.internal(MIRROR), mode=str(mode))
        if mode is RowLevelSecurity.COMPANY:  # no table's policy is taken for what it should be
            tx.run(
                "INSERT INTO {known} (table_name, wanted, stored) SELECT table_name, '', '' FROM {meta}"
                " ON CONFLICT (table_name) DO UPDATE SET wanted = '', stored = ''",
                known=tx.internal(ROW_POLICY),
                meta=tx.own(META),
            )
    log.warning("%s: row-level security is '%s' from now on.", shadow.schema, mode)


def renew_policies(shadow: ShadowDatabase) -> tuple[str, ...]:
    """Bring row-level security of all tables up to date, each in a transaction of its own.

    A table that readers keep busy is left to the next run, so that others need not wait behind it.

    :return: sentences about what could not be done although rows are to be restricted, or shown again.
    """
    with shadow.transaction() as tx:
        mode = read_mode(tx)
        if mode is RowLevelSecurity.COMPANY:
            _check_function(tx)
            _share_access_table(tx)
        differing = _differing(tx, _wanted(tx, mode))
        renewed = {item.table for item in differing}
        due = [*(item for item in _unprotected(tx, mode) if item.table not in renewed), *differing]
    failed: list[tuple[_Due, str]] = []
    for item in due:
        try:
            with shadow.transaction() as tx:
                tx.run("SET LOCAL lock_timeout TO {patience}", patience=_PATIENCE)
                lock_schema(tx)
                item.apply(tx)
        except ShadowError as error:
            failed.append((item, str(error)))
    if not failed:
        return ()
    tables = first_of(sorted({item.table for item, _ in failed}), _MOST_NAMED)
    text = f"Row-level security of {tables} is not up to date: {failed[0][1]}"
    if mode is RowLevelSecurity.COMPANY or any(item.wanted is not None for item, _ in failed):
        return (text,)
    log.warning("%s", text)
    return ()


def restrict_table(tx: Transaction, table: str) -> None:
    """Give a table the policy that its present columns ask for, in the transaction that has changed them."""
    if read_mode(tx) is not RowLevelSecurity.COMPANY:
        return
    wanted = restrictions(tx).get(table)
    if wanted is None:
        return
    for item in _differing(tx, {table: condition(tx.schema, table, wanted)}):
        lock_schema(tx)
        if item.is_of_mode:
            _apply_if_unused(tx, item)
        else:
            item.apply(tx)


def _apply_if_unused(tx: Transaction, item: _Due) -> None:
    """Do what a change of the mode asks for, unless somebody is using the table: `renew_policies` tries again."""
    with suppress(errors.LockNotAvailable), tx.cursor.connection.transaction():
        tx.run("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE NOWAIT", table=tx.own(item.table))
        item.apply(tx)


def loosen_table(tx: Transaction, table: str, *, is_new: bool) -> None:
    """Drop the policy of a table whose columns are about to change; nobody but its owner sees a row until it has one.

    A column whose values a policy asks for cannot change its type, and would take the policy along under a new name.

    :param is_new: whether the table is about to be made: what was known of another one of its name is forgotten.
    """
    if is_new:
        tx.run("DELETE FROM {known} WHERE table_name = {table}", known=tx.internal(ROW_POLICY), table=table)
    elif read_mode(tx) is RowLevelSecurity.COMPANY:
        tx.run("DROP POLICY IF EXISTS {policy} ON {table}", policy=sql.Identifier(POLICY), table=tx.own(table))


@dataclass(frozen=True)
class _Due:
    """A table whose row-level security has to be changed.

    :param wanted: the condition of its policy; None to enable it as the mode asks for.
    :param is_of_mode: whether that is because the mode has changed.
    """

    table: str
    wanted: sql.Composed | None
    is_of_mode: bool = False

    def apply(self, tx: Transaction) -> None:
        if self.wanted is None:
            tx.cursor.execute(protect_statement(tx.schema, self.table))
            return
        parts = {"table": tx.own(self.table), "policy": sql.Identifier(POLICY), "wanted": self.wanted}
        tx.run(
            "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
            " DROP POLICY IF EXISTS {policy} ON {table};"
            " CREATE POLICY {policy} ON {table} FOR SELECT TO PUBLIC USING ({wanted})",
            **parts,
        )
        tx.run(
            "INSERT INTO {known} (table_name, wanted, stored) SELECT c.relname, {digest}, {stored}"
            " FROM pg_class c WHERE c.oid = to_regclass({name})"
            " ON CONFLICT (table_name) DO UPDATE SET wanted = excluded.wanted, stored = excluded.stored",
            known=tx.internal(ROW_POLICY),
            digest=_digest(self.wanted),
            stored=sql.SQL(_STORED).format(policy=POLICY),
            name=tx.own(self.table).as_string(tx.cursor),
        )


def _wanted(tx: Transaction, mode: RowLevelSecurity) -> dict[str, sql.Composed]:
    """Return the condition that each table's policy should have; not for tables whose policy is not the mirror's."""
    if mode is RowLevelSecurity.COMPANY:
        found = restrictions(tx)
        note_restricting(tx, found)
        wanted = {table: condition(tx.schema, table, restriction) for table, restriction in found.items()}
        return {**wanted, COMPANY_ACCESS: own_entries(tx.schema)}
    rows = tx.run(
        "SELECT table_name FROM {known} WHERE wanted NOT IN ({open}, 'function') AND table_name <> {access} ORDER BY 1",
        access=COMPANY_ACCESS,
        known=tx.internal(ROW_POLICY),
        open=_digest(ALL_ROWS),
    )
    return {str(row[0]): ALL_ROWS for row in rows}


def _differing(tx: Transaction, wanted: dict[str, sql.Composed]) -> list[_Due]:
    """Return the tables whose policy is not the one that is wanted, or no longer as the mirror has made it."""
    rows = tx.run(
        "SELECT c.relname, c.relrowsecurity AND {stored} = k.stored, k.wanted FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN {known} k ON k.table_name = c.relname"
        " WHERE n.nspname = {schema} AND c.relkind IN ('r', 'p') AND c.relname = ANY({tables}::name[]) ORDER BY 1",
        stored=sql.SQL(_STORED).format(policy=POLICY),
        known=tx.internal(ROW_POLICY),
        schema=tx.schema,
        tables=list(wanted),
    )
    return [
        _Due(str(table), wanted[table], is_of_mode=known == "")
        for table, is_as_made, known in rows
        if not is_as_made or known != _digest(wanted[table])
    ]


def _digest(expression: sql.Composed) -> str:
    return hashlib.sha256(expression.as_string().encode()).hexdigest()


def _unprotected(tx: Transaction, mode: RowLevelSecurity) -> list[_Due]:
    """Return the tables that have no row-level security although `protect_table` would give it to them."""
    rows = tx.run(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = {schema} AND c.relkind IN ('r', 'p') AND NOT c.relrowsecurity"
        " AND (c.relname = ANY({control}::name[]) OR c.relname IN (SELECT table_name FROM {meta}))"
        " AND pg_has_role(c.relowner, 'USAGE') AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid)"
        " AND ({mode} = 'company' OR 2 ="
        " (SELECT count(*) FROM pg_roles WHERE rolname IN ('anon', 'authenticated'))) ORDER BY 1",
        schema=tx.schema,
        control=list(CONTROL_TABLES),
        meta=tx.own(META),
        mode=str(mode),
    )
    return [_Due(str(row[0]), None) for row in rows]


def open_tables(tx: Transaction) -> list[str]:
    """Return what shows rows that the mirror's policies do not: unprotected or altered tables, and what is no table.

    A table that has no policy yet shows none.
    """
    rows = tx.run(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " LEFT JOIN {known} k ON k.table_name = c.relname WHERE n.nspname = {schema}"
        " AND (c.relname = {access} OR c.relname IN (SELECT table_name FROM {meta}))"
        " AND (c.relkind IN ('v', 'm', 'f') OR c.relkind IN ('r', 'p') AND (NOT c.relrowsecurity"
        " OR k.stored IS DISTINCT FROM coalesce({stored}, k.stored))) ORDER BY 1",
        known=tx.internal(ROW_POLICY),
        schema=tx.schema,
        access=COMPANY_ACCESS,
        meta=tx.own(META),
        stored=sql.SQL(_STORED).format(policy=POLICY),
    )
    return [str(row[0]) for row in rows]


def _check_function(tx: Transaction) -> None:
    """Make sure that the functions that the policies ask for are those that the mirror has made."""
    rows = tx.run(
        # From what there must be, not from what is recorded: a record that is lost proves nothing.
        "SELECT f.name FROM unnest({functions}::text[]) AS f (name) WHERE NOT EXISTS (SELECT FROM {known} k, pg_proc p"
        " WHERE k.table_name = f.name || '()' AND k.wanted = 'function'"
        " AND p.oid = to_regprocedure(format('%I.%I()', {schema}, f.name)) AND k.stored ="
        " md5(concat_ws(' ', p.prosrc, p.proconfig::text, p.prosecdef, p.proowner::regrole))) ORDER BY 1",
        functions=list(READING_FUNCTIONS),
        known=tx.internal(ROW_POLICY),
        schema=tx.schema,
    )
    if rows:
        raise ShadowConflictError(
            f"The function {tx.schema}.{rows[0][0]}(), which says whose rows a reader sees, has been dropped or "
            "changed: run the base file of odoo-shadow ddl, which makes it again."
        )


def _share_access_table(tx: Transaction) -> None:
    """Let whoever may read a table, or columns of it, ask for their companies; they see their own entries only."""
    rows = tx.run(
        "SELECT DISTINCT a.grantee, pg_get_userbyid(a.grantee)"
        " FROM {meta} m JOIN pg_class c ON c.oid = to_regclass(format('%I.%I', {schema}, m.table_name))"
        " CROSS JOIN LATERAL (SELECT (aclexplode(c.relacl)).*"
        " UNION ALL SELECT (aclexplode(t.attacl)).* FROM pg_attribute t WHERE t.attrelid = c.oid) a, pg_class s"
        " WHERE a.privilege_type = 'SELECT' AND a.grantee <> c.relowner"
        " AND s.oid = to_regclass({name}) AND pg_has_role(s.relowner, 'USAGE') AND NOT EXISTS (SELECT"
        " FROM aclexplode(s.relacl) h WHERE h.privilege_type = 'SELECT' AND h.grantee = a.grantee) ORDER BY 1",
        meta=tx.own(META),
        schema=tx.schema,
        name=tx.own(COMPANY_ACCESS).as_string(tx.cursor),
    )
    for number, name in rows:
        role = sql.Identifier(str(name)) if number else sql.SQL("PUBLIC")
        tx.run("GRANT SELECT ON {table} TO {role}", table=tx.own(COMPANY_ACCESS), role=role)
