"""Removes rows that are gone from Odoo, and reads records that no window showed; `id_check` finds both.

A record that Odoo lists but does not give even then cannot become a row: such a run fails.
"""

from __future__ import annotations

from collections.abc import Sequence

from odoo_shadow.mirror.errors import MassDeletionError
from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.mirror.sync.id_check import IDS_PER_CALL, compare_ids
from odoo_shadow.mirror.sync.scan import TableWriter
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state import registry, watermarks
from odoo_shadow.shadow.state.watermarks import Watermark
from odoo_shadow.shadow.tables.ids import LiveIds
from odoo_shadow.source.errors import (
    OdooRecordIdError,
    OdooServerError,
    OdooUnreadableRecordsError,
)
from odoo_shadow.source.pages import DROPPED, Unreadable
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import Where
from odoo_shadow.text.amounts import counted
from odoo_shadow.text.log import logger

log = logger(__name__)

CANNOT_KNOW = (
    "rows that are gone from Odoo stay (on_delete: ignore), so counts cannot show whether the shadow has all of Odoo's"
)
"""The note of a run that keeps such rows."""

SUSPICIOUS_SHARE = 0.2
SUSPICIOUS_NUMBER = 100
"""More than this share and more than this number of a table's rows are not removed without permission. For fewer rows,
Odoo is asked whether they are only hidden from the login."""


def check_ids(odoo: Source, writer: TableWriter, options: MirrorOptions, before: Watermark | None) -> None:
    """Remove the rows that are gone from Odoo, and read the records that the shadow lacks.

    Records that Odoo lists but does not give are added to the writer's unreadable ones. If the shadow is not complete
    after that, the watermark is set back: the window has missed something.

    :param before: the watermark before this run.
    :raises MassDeletionError: a suspicious share is gone; nothing is removed then.
    :raises OdooRecordIdError: records have no ids of their own.
    """
    known = len(writer.unreadable)
    try:
        _settle(odoo, writer, options)
    except (MassDeletionError, OdooRecordIdError, OdooUnreadableRecordsError):
        _set_back(writer, before)
        raise
    except OdooServerError as error:
        if error.is_misfit:
            _set_back(writer, before)
        raise
    if len(writer.unreadable) > known:
        _set_back(writer, before)


def _set_back(writer: TableWriter, before: Watermark | None) -> None:
    with writer.hold.transaction() as tx:
        watermarks.set_back(tx, writer.hold.table, before)


def _settle(odoo: Source, writer: TableWriter, options: MirrorOptions) -> None:
    stay = not options.removal.removes
    hold, unreadable = writer.hold, [item.id for item in writer.unreadable]
    with hold.transaction() as tx:
        live = LiveIds.of(tx, hold.table)
        recorded = live.total(tx)
    found = compare_ids(odoo, writer.layout.reading, live, hold.transaction, unreadable, gone_rows_stay=stay)
    if found.rows != recorded:  # somebody else wrote the table
        with hold.transaction() as tx:
            registry.recount_rows(tx, hold.table, found.rows)
    if found.missing:
        log.info("%s: not in the window: %s", writer.layout.model, counted(len(found.missing), "row"))
        writer.write_ids(odoo, found.missing, options.batch_size)
        writer.unreadable += _lost(odoo, writer, live, found.missing)
    if stay:
        log.info("%s: %s", writer.layout.model, CANNOT_KNOW)
    else:
        remove_ids(odoo, writer, found.gone, options)
    if found.trouble is not None:
        raise found.trouble


def _lost(odoo: Source, writer: TableWriter, live: LiveIds, ids: Sequence[int]) -> list[Unreadable]:
    """Return those records that Odoo still lists and the shadow still lacks."""
    noted = {item.id for item in writer.unreadable}
    with writer.hold.transaction() as tx:
        absent = [item for item in live.absent(tx, ids) if item not in noted]
    reading = writer.layout.reading
    listed: set[int] = set()
    for start in range(0, len(absent), IDS_PER_CALL):
        listed |= odoo.ids(reading, Where(ids=tuple(absent[start : start + IDS_PER_CALL])))
    return [Unreadable(item, None, DROPPED) for item in sorted(listed)]


def remove_ids(odoo: Source, writer: TableWriter, gone: list[int], options: MirrorOptions) -> None:
    """Delete or mark rows.

    :raises MassDeletionError: it would be a suspicious share; nothing is removed then.
    """
    if not gone:
        return
    hold = writer.hold
    with hold.transaction() as tx:
        live = LiveIds.of(tx, hold.table)
        total = live.total(tx)
    check_removal(odoo, writer.layout, gone, total, options)
    with hold.transaction() as tx:
        removed = live.remove(tx, gone, options.removal)
        registry.count_rows(tx, hold.table, -removed)
    hold.counts += RowCounts(deleted=removed)
    log.info("%s: gone from Odoo: %s", writer.layout.model, counted(removed, "row"))


def check_removal(odoo: Source, layout: Layout, gone: list[int], total: int, options: MirrorOptions) -> None:
    """Refuse to remove a suspicious share of a table's rows. Raises `MassDeletionError`, or an `OdooError`."""
    if options.allow_mass_delete or len(gone) <= SUSPICIOUS_SHARE * total:
        return
    if len(gone) > SUSPICIOUS_NUMBER or odoo.hides(layout.model, gone):
        where, cause = "gone from Odoo", "has the login lost rights or companies"
        if layout.settings.domain:
            where, cause = f"outside of its domain or {where}", f"has the domain changed, or {cause}"
        share = f"{len(gone)} of {counted(total, 'row')} {'is' if len(gone) == 1 else 'are'}"
        raise MassDeletionError(
            f"{layout.model}: {share} {where}, which is suspicious: {cause}? Nothing was "
            "removed; if it is intended, run once with allow_mass_delete (--allow-mass-delete)."
        )
