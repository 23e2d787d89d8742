"""What a run has done, and the shadow does not hold any more: its server was replaced by one that lagged.

A run notices that by its next transaction on the same table (`shadow.state.lease`); after the last one only this is
left.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.state.sync_log import entries_of_run

LOST = (
    "the shadow's database has lost what this run wrote last, as after a failover to a server that lagged: run again, "
    "which reads it once more"
)


def lost_tables(tx: Transaction, run_id: UUID, tables: Iterable[str]) -> set[str]:
    """Return those tables that a run has brought up to date, but whose entries it seems never to have closed."""
    closed = {entry.table for entry in entries_of_run(tx, run_id) if entry.status != "running"}
    return {*tables} - closed
