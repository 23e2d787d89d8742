"""What keeps row-level security by company from restricting what it should, for runs and the doctor."""

from __future__ import annotations

from dataclasses import dataclass

from odoo_shadow.shadow.access.catalogued import restrictions
from odoo_shadow.shadow.access.mode import RowLevelSecurity, read_mode
from odoo_shadow.shadow.access.policies import POLICY
from odoo_shadow.shadow.access.protection import open_tables
from odoo_shadow.shadow.access.restrictions import Restriction
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import COMPANY_ACCESS, FIELD, META


@dataclass(frozen=True)
class Examination:
    """How a mirror's rows are restricted.

    :param has_entries: whether somebody has listed the companies of a user or a role.
    :param has_api: whether there is a role by which PostgREST logs in, whose tokens may claim companies.
    :param closed: tables that show no row, and why.
    :param not_mirrored: models that are not mirrored, and the tables that they would restrict.
    :param left_out: links that are left out and could restrict their table, and what they point to.
    :param opened: see `other_policies`.
    :param released: tables in `closed`, or restricted by nothing that is known, and the policies of somebody's own that
        decide there.
    :param open_now: tables whose rows nothing restricts at this moment, although something should.
    :param see_all: roles, without superusers and the sync's own, that see all rows whatever policies say.
    :param of_all_companies: columns that hold the values of all companies, by company.
    """

    has_entries: bool
    has_api: bool
    closed: dict[str, str]
    not_mirrored: dict[str, list[str]]
    left_out: list[str]
    opened: list[str]
    released: dict[str, list[str]]
    open_now: list[str]
    see_all: list[str]
    of_all_companies: list[str]


def opened_tables(tx: Transaction) -> list[str]:
    """Return other policies that show rows beside those of the companies: PostgreSQL shows what any of them allows."""
    if read_mode(tx) is not RowLevelSecurity.COMPANY:
        return []
    return _opened(_other_policies(tx), restrictions(tx))


def _opened(policies: dict[str, list[str]], found: dict[str, Restriction]) -> list[str]:
    return [
        f"{policy} on {table}"
        for table, names in policies.items()
        for policy in names
        if table == COMPANY_ACCESS or (table in found and found[table].is_by_company)
    ]


def _other_policies(tx: Transaction) -> dict[str, list[str]]:
    """Return permissive policies that are not the mirror's, by table; not of tables that show all rows anyway."""
    rows = tx.run(
        "SELECT c.relname, p.polname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE (c.relname = {access} OR c.relname IN (SELECT table_name FROM {meta}))"
        " AND n.nspname = {schema} AND p.polname <> {policy} AND p.polpermissive AND p.polcmd IN ('r', '*')"
        " ORDER BY 1, 2",
        access=COMPANY_ACCESS,
        meta=tx.own(META),
        schema=tx.schema,
        policy=POLICY,
    )
    policies: dict[str, list[str]] = {}
    for table, policy in rows:
        policies.setdefault(str(table), []).append(str(policy))
    return policies


def examine_restrictions(tx: Transaction) -> Examination | None:
    """Find out how a mirror's rows are restricted; None where readers see all rows."""
    if read_mode(tx) is not RowLevelSecurity.COMPANY:
        return None
    ((has_entries, has_api),) = tx.run(
        "SELECT EXISTS (SELECT FROM {access}), EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticator')",
        access=tx.own(COMPANY_ACCESS),
    )
    found, policies = restrictions(tx), _other_policies(tx)
    not_mirrored: dict[str, list[str]] = {}
    for table, restriction in found.items():
        for model in restriction.not_mirrored:
            not_mirrored.setdefault(model, []).append(table)
    return Examination(
        bool(has_entries),
        bool(has_api),
        {table: restriction.closed for table, restriction in found.items() if restriction.closed},
        not_mirrored,
        [f"{table}.{link}" for table, restriction in found.items() for link in restriction.left_out],
        _opened(policies, found),
        {table: names for table, names in policies.items() if table in found and found[table].is_nobodys},
        open_tables(tx),
        _see_all(tx),
        _of_all_companies(tx),
    )


def _see_all(tx: Transaction) -> list[str]:
    rows = tx.run(
        "SELECT r.rolname FROM pg_roles r JOIN pg_namespace n ON n.nspname = {schema}"
        " WHERE NOT r.rolsuper AND r.rolname <> current_user AND has_schema_privilege(r.oid, n.oid, 'USAGE')"
        " AND EXISTS (SELECT FROM {meta} m JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = m.table_name"
        " WHERE has_table_privilege(r.oid, c.oid, 'SELECT')"
        " AND (r.rolbypassrls OR pg_has_role(r.oid, c.relowner, 'USAGE'))) ORDER BY 1",
        schema=tx.schema,
        meta=tx.own(META),
    )
    return [str(row[0]) for row in rows]


def _of_all_companies(tx: Transaction) -> list[str]:
    rows = tx.run(
        "SELECT format('%s.%s', table_name, column_name) FROM {field}"
        " WHERE vanished_at IS NULL AND column_type = 'jsonb'"
        " AND (is_company_dependent OR right(column_name, 11) = '__companies') ORDER BY 1",
        field=tx.own(FIELD),
    )
    return [str(row[0]) for row in rows]
