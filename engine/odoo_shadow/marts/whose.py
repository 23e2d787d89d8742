"""Whose a schema of marts is: nobody's but trusted roles', and one shadow's: a second one's would take their place."""

from __future__ import annotations

from odoo_shadow.marts.errors import MartsError
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.owners.ownership import list_foreign_in
from odoo_shadow.shadow.state.marts import shadows_of_marts
from odoo_shadow.text.amounts import first_of

_MOST_NAMED = 5


def check_owners(tx: Transaction, marts_schema: str) -> None:
    """Make sure that nobody else's triggers, rules or policies run with this role's rights.

    :raises MartsError: names what belongs to others, and says what to do.
    """
    found = list_foreign_in(tx, marts_schema, "mart_")
    if found:
        raise MartsError(
            f"Schema '{marts_schema}' contains what other roles own or control, and what would run with this role's "
            f"rights: {first_of(found, _MOST_NAMED)}. Drop it or revoke it, trust the role by name (trusted_roles, "
            "--trusted-roles), or give the marts another schema (--marts-schema)."
        )


def check_whose(tx: Transaction, marts_schema: str) -> None:
    """Make sure that a schema holds no other shadow's marts; its table of freshness belongs to a trusted role.

    :raises MartsError: says whose they are, and what to do.
    """
    others = sorted(shadows_of_marts(tx, marts_schema) - {tx.schema})
    if others:
        named = first_of([f"'{name}'" for name in others], _MOST_NAMED)
        raise MartsError(
            f"Schema '{marts_schema}' holds the marts of the shadow in schema {named}, not of '{tx.schema}': name a "
            f"schema of its own for these (--marts-schema), or drop '{marts_schema}' if nobody needs what is there."
        )
