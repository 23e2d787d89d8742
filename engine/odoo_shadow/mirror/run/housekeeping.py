"""What comes after a run: old entries of the logs are removed, in small transactions."""

from __future__ import annotations

from datetime import timedelta

from odoo_shadow.mirror.config.mirrors_file import DEFAULT_KEEP_LOG_DAYS
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.shadow.owners.ownership import guard_table
from odoo_shadow.shadow.state.old_entries import BEGINNING, TABLES, kept_days, remove_old
from odoo_shadow.shadow.state.schema import schema_version
from odoo_shadow.shadow.state.schema_statements import VERSION
from odoo_shadow.text.amounts import counted
from odoo_shadow.text.log import logger

log = logger(__name__)

AT_ONCE = 5_000
"""Entries that a transaction looks at, so that none takes long."""

MOST_PER_RUN = 100_000
"""The next runs remove the rest."""


def remove_old_entries(shadow: ShadowDatabase, keep_log_days: int | None) -> None:
    """Remove what the logs have from before so many days, and log how much; a failure is only logged, too.

    What somebody still needs is kept, whatever its age (`old_entries`).

    :param keep_log_days: the setting of the mirrors file; None for a run that does not read it.
    """
    try:
        removed = dict.fromkeys(TABLES, 0)
        with shadow.transaction() as tx:
            if schema_version(tx) < VERSION:
                return  # the next run makes or upgrades it
            keep_days = kept_days(tx, keep_log_days, DEFAULT_KEEP_LOG_DAYS)
        for table in TABLES:
            looked = BEGINNING
            while not looked.is_end and sum(removed.values()) < MOST_PER_RUN:
                with shadow.transaction() as tx:
                    guard_table(tx, table)
                    looked = remove_old(tx, table, timedelta(days=keep_days), looked, AT_ONCE)
                removed[table] += looked.removed
    except ShadowError as error:
        log.warning("Old log entries were not removed; the next run tries again: %s", error)
        return
    if any(removed.values()):
        told = ", ".join(f"{counted(number, 'row')} of {table}" for table, number in removed.items() if number)
        log.info("Older than %s, so removed: %s", counted(keep_days, "day"), told)
