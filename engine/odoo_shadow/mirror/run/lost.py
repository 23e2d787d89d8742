"""What a run has done, and the shadow does not hold any more: its server was replaced by one that lagged.

A run notices that by its next transaction on the same table (`shadow.state.lease`); after the last one only this is
left.
"""

from __future__ import annotations

from collections.abc import Iterable

from odoo_shadow.shadow.state.sync_log import LogEntry

LOST = (
    "the shadow's database has lost what this run wrote last, as after a failover to a server that lagged: run again, "
    "which reads it once more"
)


def lost_tables(entries: Iterable[LogEntry], tables: Iterable[str]) -> set[str]:
    """Return those tables that a run has brought up to date, but whose entries it seems never to have closed.

    :param entries: of the run, as the shadow's log has them now.
    """
    return {*tables} - {entry.table for entry in entries if entry.status != "running"}
