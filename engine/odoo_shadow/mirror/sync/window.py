"""The window of a scan: what is read, and what the next watermark will be.

- `low` is the last watermark less the look-back, compared with `>=`; earlier, if Odoo's two clocks may differ.
- `high` is Odoo's clock before the first page, but never ahead of this machine's, and becomes the next watermark.
- In between pages go by `id`, up to the highest id that matched when the scan began.

Why nothing is lost:

- Late commit: `write_date` is the start of the writing transaction. A row committed after `high` by a transaction that
  began before it is found next time, since `low` reaches back by the look-back.
- Shared second, hidden microseconds: `write_date` is neither the page key nor compared with `>`, whose meaning changed
  in Odoo 19; `high` is rounded down to the whole second.
- Moving set: a row that changes while the scan runs stays in the window, as `write_date` has no upper end, and is read
  in its newest version, or again next time. Its id does not move, so no page skips it.
- New rows get ids above `up_to_id`, so that a scan ends; their `write_date` is in the next window.
- Replica lag has to be covered by the look-back.
- Two clocks: watermarks come from the web server's, `write_date` from its database's, which may be behind by any time.
  So each scan notes the newest `write_date` there is when it begins, and the next window begins right after it, if
  that is earlier: where the clocks agree, nothing is there. A row that is found later after its `write_date` than the
  look-back shows a clock that is behind, or a long transaction: windows of the next days reach back further.
- A clock that lies ahead (one wrong `Date` header, a watermark that somebody set): `high` is never later than this
  machine's clock, and a watermark that is later than both clocks by more than `CLOCK_TOLERANCE` is not trusted:
  everything is read again. A clock that is merely behind does not make a good watermark look like that.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from odoo_shadow.mirror.clock import lies_ahead
from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.shadow.state.watermarks import NEVER, Scan, Watermark
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import BEFORE_ALL, Where

_FULL_SCAN_KEEPS = timedelta(hours=1)
_ONE_SECOND = timedelta(seconds=1)


class ScanKind(StrEnum):
    """Why a scan reads what it reads."""

    FIRST_LOAD = "first load"
    INCREMENTAL = "incremental"
    FULL = "full"
    NEW_DOMAIN = "new domain"
    READ_AGAIN = "all read again"
    FILL = "filling new columns"
    REFRESH = "refreshing fields that are not stored"


def low_end(
    watermark: Watermark | None, replay_from: datetime | None, look_back: timedelta, *, read_all: bool
) -> datetime | None:
    """Return where the window begins, None for "read everything".

    :param replay_from: what a person set the watermark back to; the earlier of the two applies.
    """
    if watermark is None or read_all:
        return None
    since = watermark.last_write_date if replay_from is None else min(watermark.last_write_date, replay_from)
    if since <= NEVER:
        return None
    late = watermark.lateness if watermark.lateness > look_back else timedelta(0)
    low = since - look_back - late
    return low if watermark.newest is None else min(low, watermark.newest + _ONE_SECOND)


def kind_of(watermark: Watermark | None, low: datetime | None) -> ScanKind:
    """Return why a window is read, for messages."""
    if watermark is None:
        return ScanKind.FIRST_LOAD
    return ScanKind.FULL if low is None else ScanKind.INCREMENTAL


def open_scan(odoo: Source, layout: Layout, low: datetime | None, *, full: bool, run_id: UUID) -> Scan:
    """Determine a new window. Odoo's clock is read before its rows. Raises an `OdooError`."""
    high, where = odoo.clock().trusted, Where(written_since=low)
    up_to_id = odoo.highest_id(layout.reading, where)
    has_newest = layout.has_write_date and up_to_id is not None
    newest = odoo.newest_write_date(layout.reading, where, high) if has_newest else None
    return Scan(run_id=run_id, full=full, low=low, high=high, up_to_id=up_to_id, last_id=BEFORE_ALL, newest=newest)


def can_resume(left: Scan, run_id: UUID, *, low: datetime | None, full: bool, has_cursor: bool, now: datetime) -> bool:
    """Say whether a scan that was left unfinished can be resumed.

    Another run's scan is followed by a window of this run's own, which needs `write_date`; a full run resumes only a
    full scan, and not one that began long ago.

    :param low: where this run's window begins; a scan with a later one would lose what a person wants replayed.
    :param now: the latest of the clocks; a scan that ends long after it would miss what is written until then.
    """
    if lies_ahead(left.high, now):
        return False
    if left.low is not None and (low is None or low < left.low):
        return False
    if left.run_id == run_id:
        return left.full or not full
    if not has_cursor:
        return False
    return not full or (left.full and now - left.high < _FULL_SCAN_KEEPS)
