"""The doctor's findings about Odoo's own database and the role, apart from single models."""

from __future__ import annotations

from collections.abc import Iterator

from odoo_shadow.source.database.catalogue import check_odoo, major_version
from odoo_shadow.source.database.connection import OdooDatabase
from odoo_shadow.source.database.relations import granting
from odoo_shadow.source.database.session import Transaction
from odoo_shadow.text.amounts import counted, first_of
from odoo_shadow.text.findings import Finding, Verdict

_MOST_NAMES = 8


def examine(tx: Transaction, database: OdooDatabase) -> Iterator[Finding]:
    """Check the server and the role. Raises an `OdooError`."""
    check_odoo(tx, str(database))
    info = tx.cursor.connection.info
    major = major_version(tx)
    server = info.parameter_status("server_version") or "?"
    yield Finding(
        "Odoo", Verdict.OK, f"{major or 'of an unknown version'}, in PostgreSQL {server}, read from its tables"
    )
    yield _role(tx, info.user)
    yield _rights(tx)
    yield Finding(
        "record rules",
        Verdict.WARNING,
        "they and groups do not apply to tables: everything of the models that are chosen is mirrored, private notes "
        "and payslips included",
    )
    ((is_replica, behind),) = tx.run(
        "SELECT pg_is_in_recovery(), extract(epoch FROM now() - pg_last_xact_replay_timestamp())::float8"
    )
    if is_replica:
        late = "it does not say how far" if behind is None else f"by {behind:.0f} s"
        yield Finding("replica", Verdict.OK, f"a standby server, behind its primary {late}; what it lacks comes later")


def _role(tx: Transaction, role: str) -> Finding:
    ((is_super, may_write),) = tx.run(
        "SELECT r.rolsuper, EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = {schema} AND c.relkind IN ('r', 'p')"
        " AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))"
        " FROM pg_roles r WHERE r.rolname = current_user",
        schema=tx.schema,
    )
    if is_super or may_write:
        return Finding(
            "role", Verdict.WARNING, f"'{role}' may also write there, which nothing here needs: SELECT is enough"
        )
    return Finding("role", Verdict.OK, f"'{role}' may read and not write")


def _rights(tx: Transaction) -> Finding:
    rows = tx.run(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = {schema} AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
        " AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')) ORDER BY 1",
        schema=tx.schema,
    )
    names = [str(name) for (name,) in rows]
    if not names:
        return Finding("rights", Verdict.OK, "every table may be read")
    text = f"SELECT is missing on {counted(len(names), 'table')}: {first_of(names, _MOST_NAMES)}; {granting(tx)}"
    return Finding("rights", Verdict.WARNING, text)
