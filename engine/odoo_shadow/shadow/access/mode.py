"""Which rows those who query the shadow see: the modes of `row_level_security`, and the one that a mirror has."""

from __future__ import annotations

from enum import StrEnum

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import MIRROR

SET_MODE = "set_row_level_security"
"""The procedure of the internal schema that changes a mirror's mode."""


class RowLevelSecurity(StrEnum):
    """Which rows of a table that a role may read it sees."""

    COMPANY = "company"
    """Those of its companies."""
    NONE = "none"
    """All."""


def read_mode(tx: Transaction) -> RowLevelSecurity:
    """Return a mirror's mode; `NONE` as long as nobody has chosen one."""
    rows = tx.run("SELECT row_level_security FROM {mirror}", mirror=tx.internal(MIRROR))
    return RowLevelSecurity(rows[0][0]) if rows and rows[0][0] is not None else RowLevelSecurity.NONE
