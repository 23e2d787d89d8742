"""The window of a scan: what is read, and what the next watermark will be.

- `low` is the last watermark less the look-back, compared with `>=`; earlier, if Odoo's two clocks may differ.
- `high` is Odoo's clock before the first page, but never ahead of this machine's, and becomes the next watermark.
- In between pages go by `id`, up to the highest id that matched when the scan began.

Why nothing is lost:

- Late commit: `write_date` is the start of the writing transaction. A row committed after `high` by a transaction that
  began before it is found next time, since `low` reaches back by the look-back.
- Shared second, hidden microseconds: `write_date` is neither the page key nor compared with `>`, whose meaning changed
  in Odoo 19; `high` is cut to the whole second, downwards.
- Moving set: a row that changes while the scan runs stays in the window, as `write_date` has no upper end, and is read
  in its newest version, or again next time. Its id does not move, so no page skips it.
- New rows get ids above `up_to_id`, so that a scan ends; their `write_date` is in the next window.
- Replica lag belongs into the look-back.
- Two clocks: watermarks come from the web server's, `write_date` from its database's, which may be behind by any time.
  So each scan notes the newest `write_date` there is when it begins, and the next window begins right after it, if
  that is earlier: where the clocks agree, nothing is there. A row that is found later after its `write_date` than the
  look-back tells of a clock that is behind, or of a long transaction: windows of the next days reach back further.
- A clock that lies ahead (one wrong `Date` header, a watermark that somebody set): `high` is never later than this
  machine's clock, and a watermark that is later than both clocks, beyond `CLOCK_TOLERANCE`, vouches for nothing:
  everything is read again. A clock that is merely behind does not make a good watermark look like that.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from odoo_shadow.mirror.clock import lies_ahead
from odoo_shadow.mirror.shape.layout import WRITE_DATE_FIELD, Layout
from odoo_shadow.shadow.state.watermarks import NEVER, Scan, Watermark
from odoo_shadow.source.api.answers import moment_in
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.pages import newest_id
from odoo_shadow.source.api.reading import ARCHIVED_TOO, BEFORE_ALL, Reading
from odoo_shadow.source.errors import OdooAccessError
from odoo_shadow.source.types import Domain

_FULL_SCAN_KEEPS = timedelta(hours=1)
_ONE_SECOND = timedelta(seconds=1)


class Kind(StrEnum):
    """Why a scan reads what it reads."""

    FIRST_LOAD = "first load"
    INCREMENTAL = "incremental"
    FULL = "full"
    NEW_DOMAIN = "new domain"
    READ_ANEW = "all read again"
    FILL = "filling new columns"
    REFRESH = "refreshing fields that are not stored"


def low_end(
    watermark: Watermark | None, replay_from: datetime | None, look_back: timedelta, *, read_all: bool
) -> datetime | None:
    """Return where the window begins, None for "read everything".

    :param replay_from: what a person set the watermark back to; the older of both counts.
    """
    if watermark is None or read_all:
        return None
    mark = watermark.last_write_date if replay_from is None else min(watermark.last_write_date, replay_from)
    if mark <= NEVER:
        return None
    late = watermark.lateness if watermark.lateness > look_back else timedelta(0)
    low = mark - look_back - late
    return low if watermark.newest is None else min(low, watermark.newest + _ONE_SECOND)


def kind_of(watermark: Watermark | None, low: datetime | None) -> Kind:
    """Name a window."""
    if watermark is None:
        return Kind.FIRST_LOAD
    return Kind.FULL if low is None else Kind.INCREMENTAL


def domain_of(low: datetime | None) -> Domain:
    """Return the search domain of a window. PostgreSQL gives moments in the session's zone; Odoo takes UTC."""
    return [] if low is None else [(WRITE_DATE_FIELD, ">=", _as_odoo(low))]


def _as_odoo(moment: datetime) -> str:
    """Return a moment as Odoo writes it; `strftime` would leave out the zeros of an early year."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")


def open_scan(odoo: OdooClient, layout: Layout, low: datetime | None, *, full: bool, run_id: UUID) -> Scan:
    """Fix a new window. Odoo's clock is read before its rows are looked at. Raises an `OdooError`."""
    high = odoo.trusted_time()
    up_to_id = newest_id(odoo, layout.reading, domain_of(low))
    has_newest = layout.has_write_date and up_to_id is not None
    newest = newest_write_date(odoo, layout.reading, domain_of(low), high) if has_newest else None
    return Scan(run_id=run_id, full=full, low=low, high=high, up_to_id=up_to_id, last_id=BEFORE_ALL, newest=newest)


def newest_write_date(odoo: OdooClient, reading: Reading, domain: Domain, up_to: datetime) -> datetime | None:
    """Return the newest `write_date` among records that match; those that lie ahead say nothing.

    An earlier one than the newest does no harm, and some models show none, see `newest_id`: more is read again then.
    """
    try:
        records = odoo.search_read(
            reading.model,
            reading.within(domain, [(WRITE_DATE_FIELD, "<=", _as_odoo(up_to))]),
            [WRITE_DATE_FIELD],
            limit=1,
            order=f"{WRITE_DATE_FIELD} desc",
            context=ARCHIVED_TOO,
        )
    except OdooAccessError:  # that one record may not be read, or none: the pages tell which
        return None
    written = records[0].get(WRITE_DATE_FIELD) if records else None
    moment = moment_in(written) if isinstance(written, str) else None
    return moment if moment is not None and moment <= up_to else None


def can_resume(left: Scan, run_id: UUID, *, low: datetime | None, full: bool, has_cursor: bool, now: datetime) -> bool:
    """Say whether a scan that was left unfinished is worth finishing.

    Another run's scan is followed by a window of this run's own, which needs a cursor; a person's wish to read
    everything is only met by a scan that does so, and not by one that began long ago.

    :param low: where this run's window begins; a scan that began later would lose what a person wants replayed.
    :param now: see `OdooClient.latest_time`; a scan that ends long after it would pass over what comes until then.
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
