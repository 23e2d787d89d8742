"""Compares one table with Odoo.

It trusts neither the hashes and counts that the mirror keeps, nor the conversion of its values: what Odoo gives now,
converted independently by a `Witness`, is compared in PostgreSQL with what the table holds now.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from odoo_shadow.mirror.clock import CLOCK_TOLERANCE
from odoo_shadow.mirror.config.model_settings import ModelSettings, read_as
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.proof.witness import Witness
from odoo_shadow.mirror.shape.describe import read_layout
from odoo_shadow.mirror.shape.hash_keys import known_key
from odoo_shadow.mirror.shape.layout import WRITE_DATE_FIELD, Layout
from odoo_shadow.mirror.sync.id_check import IdDifference, compare_ids
from odoo_shadow.mirror.sync.read_ahead import read_ahead
from odoo_shadow.mirror.sync.scan import check_copied, pages_of
from odoo_shadow.shadow import names
from odoo_shadow.shadow.columns import ColumnType
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.differences import CellDifference, Difference
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.shadow.state import registry
from odoo_shadow.shadow.state.schema import schema_version
from odoo_shadow.shadow.state.schema_statements import VERSION
from odoo_shadow.shadow.state.watermarks import NEVER, read_watermark
from odoo_shadow.shadow.tables.compare import (
    Lists,
    Scope,
    compare_rows,
    differing_cells,
    differing_lists,
    id_list,
    id_range,
)
from odoo_shadow.shadow.tables.ids import LiveIds
from odoo_shadow.shadow.tables.present import known_columns, present_columns, recognize
from odoo_shadow.shadow.tables.staging import CopyText
from odoo_shadow.source.errors import OdooUnreadableRecordsError
from odoo_shadow.source.pages import DROPPED, CopyPage, Page, Unreadable
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import BEFORE_ALL, Where
from odoo_shadow.source.types import Record
from odoo_shadow.source.values import is_id, moment_in
from odoo_shadow.text.amounts import first_of
from odoo_shadow.text.log import logger

log = logger(__name__)

_MOST_NAMED = 10
_MOST_CELLS = 20
_ONE_SECOND = timedelta(seconds=1)
_LOGINS = "res.users.log"
"""Every login adds a row there, even that of the comparison."""
_CREATED_BY = "create_uid"
_BEHIND = (Difference.MISSING, Difference.STALE)
MASK = "***"


def checked_version(tx: Transaction) -> int:
    """Return the schema's version. Raises a `MirrorConfigurationError` when a run must upgrade it first."""
    version = schema_version(tx)
    if 0 < version < VERSION:
        raise MirrorConfigurationError(
            f"Schema '{tx.schema}' was made by an earlier version: run a sync first, which upgrades it."
        )
    return version


def never_mirrored(tx: Transaction, model: str, table: str) -> MirrorConfigurationError:
    """Build the error for a model whose first load has not succeeded."""
    error = registry.read_status(tx, table).last_error
    why = f" Its last run failed: {error}" if error else " Run a sync first."
    return MirrorConfigurationError(f"{model} was never mirrored: its first load has not succeeded.{why}")


@dataclass(frozen=True)
class Slice:
    """What a comparison of some rows found.

    :param found: what differs, by id.
    :param last_id: the id up to which rows have been compared, None when all have been.
    """

    found: dict[int, Difference]
    last_id: int | None


@dataclass
class Comparison:
    """A comparison of one table with Odoo, page by page, so that memory stays flat.

    :param starts: when it began, by each clock that Odoo may date its rows by.
    :param clock: when it began, by the monotonic clock.
    :param synced_until: the table's watermark.
    :param newer: rows that are missing or stale and that Odoo wrote after the watermark: the next sync reads them. A
        row that differs in the same version is wrong, whenever it was written.
    :param copies: rows are first looked at as text for COPY, if the source gives it: for another source than the
        mirror's own, whose rows may have come in the same way; what differs is looked at again as records.
    :param unreadable: records that Odoo lists but could not give so far, and that could not be compared.
    """

    odoo: Source
    shadow: ShadowDatabase
    layout: Layout
    witness: Witness
    live: LiveIds
    on_delete: OnDelete
    page_size: int
    starts: tuple[datetime, ...]
    clock: float
    synced_until: datetime
    copies: bool = False
    rows: int = 0
    unreadable: list[Unreadable] = field(default_factory=list)
    newer: set[int] = field(default_factory=set)

    @classmethod
    def prepare(
        cls,
        odoo: Source,
        shadow: ShadowDatabase,
        model: str,
        page_size: int,
        *,
        compares_cells: bool = True,
        compares_extra: bool = True,
        repairs: bool = True,
        copies: bool = False,
    ) -> Comparison:
        """Read the table's state and the model's fields.

        :param compares_cells: False compares ids and `write_date` only.
        :param compares_extra: False leaves out fields that Odoo does not store, which each run reads again.
        :param copies: see `Comparison`.
        :param repairs: rows that differ will be read again, which only the login can do that has read the others.
        :raises MirrorConfigurationError: the model has no table yet, or was never mirrored, or by another login.
        """
        with shadow.transaction() as tx:
            version = checked_version(tx)
            if version:
                recognize(tx)
            table = registry.find_table(tx, model) if version else None
            if table is not None and not registry.read_status(tx, table).has_been_mirrored:
                raise never_mirrored(tx, model, table)
            if table is None or not present_columns(tx, table):
                raise MirrorConfigurationError(f"{model} has no table in schema '{shadow.schema}': run a sync first.")
            live, kept, known = LiveIds.of(tx, table), registry.read_settings(tx, table), known_columns(tx, table)
            key_id, watermark = known_key(tx, odoo.access.hash_secret), read_watermark(tx, table)
        settings = ModelSettings.from_text(kept.settings)
        reading = read_as(odoo.access, settings, key_id)
        if kept.read_as not in (None, reading):
            before = f"{model} was mirrored as {kept.read_as}, and "
            if repairs:
                raise MirrorConfigurationError(
                    f"{before}cannot be repaired as {reading}: run a sync with this connection first."
                )
            log.warning("%sis compared as %s, which sees other rows or values", before, reading)
        layout = read_layout(odoo, model, settings, unreadable=kept.unreadable).without(kept.unreadable_fields)
        left_out = set() if compares_extra else {item.column.name for item in layout.extra}
        compared = layout.restricted(known - left_out if compares_cells else ())
        lacking = sorted({item.column.name for item in layout.all_columns} - known)
        if compares_cells and lacking:
            log.warning(
                "%s: not compared, because the shadow has no columns for them until the next sync: %s",
                model,
                ", ".join(lacking),
            )
        starts, begun = _starts(odoo), time.monotonic()
        witness = Witness(compared, odoo.access.hash_secret)
        synced_until = NEVER if watermark is None else watermark.last_write_date
        return cls(
            odoo, shadow, compared, witness, live, kept.on_delete, page_size, starts, begun, synced_until, copies
        )

    @property
    def started_at(self) -> datetime:
        """When the comparison began."""
        return self.starts[-1]

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self.clock

    def run(self) -> dict[int, Difference]:
        """Return what differs, by id."""
        suspects: dict[int, Difference] = {}
        after_id = BEFORE_ALL
        for page in self._pages(after_id):
            suspects |= self._compare_page(page, after_id)
            after_id = page.last_id
        others = self._compare_ids([item for item, kind in suspects.items() if kind is Difference.MISSING])
        found = self.recheck(sorted({*suspects, *others.missing, *others.gone}))
        if others.trouble is not None:
            raise others.trouble
        return found

    def run_slice(self, after_id: int, rows: int, time_limit: timedelta) -> Slice:
        """Compare about `rows` rows after an id, or as many as the time allows, but at least a page."""
        suspects: dict[int, Difference] = {}
        reached, is_whole = after_id, False
        for page in self._pages(after_id):
            suspects |= self._compare_page(page, reached)
            reached, is_whole = page.last_id, page.is_last
            if self.rows >= rows or self.seconds >= time_limit.total_seconds():
                break
        return Slice(self.recheck(sorted(suspects)), None if is_whole else reached)

    def _compare_ids(self, missing: Sequence[int]) -> IdDifference:
        """Compare the ids without reading pages: records that no page brought are missing, too."""
        stay = not self.on_delete.removes
        return compare_ids(
            self.odoo, self.layout.reading, self.live, self.shadow.transaction, missing, gone_rows_stay=stay
        )

    def _pages(self, after_id: int) -> Iterator[Page | CopyPage]:
        reading, page_size = self.layout.reading, self.page_size
        up_to_id = self.odoo.highest_id(reading)
        if self.copies:
            return read_ahead(
                pages_of(self.odoo, self.layout, after_id=after_id, up_to_id=up_to_id, page_size=page_size)
            )
        return read_ahead(self.odoo.pages(reading, after_id=after_id, up_to_id=up_to_id, page_size=page_size))

    def _compare_page(self, page: Page | CopyPage, after_id: int) -> dict[int, Difference]:
        """Compare a page with the rows up to its last id; if it stands for an unreadable record, with those before."""
        if isinstance(page, CopyPage):
            self.rows += len(check_copied(self.odoo, self.layout, page, after_id))
            scope = id_range(after_id, None if page.is_last else page.last_id)
            with self.shadow.transaction() as tx:
                return compare_rows(tx, self.live, self.witness.columns, CopyText(page.text), scope)
        self.rows += len(page.records)
        if page.unreadable is None:
            return self._compare(page.records, id_range(after_id, None if page.is_last else page.last_id))
        if page.unreadable.reason == DROPPED:  # the next page shows whether the shadow has it
            return {}
        self.unreadable.append(page.unreadable)
        before, behind = id_range(after_id, page.last_id - 1), id_range(page.last_id, None)
        gone = self._compare([], before) if page.last_id - 1 > after_id else {}
        return gone | (self._compare([], behind) if page.is_last else {})

    def _compare(self, records: list[Record], scope: Scope) -> dict[int, Difference]:
        rows, doubtful = self.witness.rows(records)
        with self.shadow.transaction() as tx:
            return compare_rows(tx, self.live, self.witness.columns, rows, scope, beyond=doubtful)

    def recheck(self, ids: Sequence[int]) -> dict[int, Difference]:
        """Compare some rows once more; omit those that Odoo wrote since the comparison began, or cannot give."""
        found: dict[int, Difference] = {}
        for start in range(0, len(ids), self.page_size):
            chunk = ids[start : start + self.page_size]
            found |= self._compare_these(chunk)
        if not self.on_delete.removes:
            found = {record_id: kind for record_id, kind in found.items() if kind is not Difference.EXTRA}
        return found

    def first_cells(self, ids: Sequence[int]) -> tuple[CellDifference, ...]:
        """Return the first cells that differ in some rows; hashes and fields of `allow_fields` are masked."""
        settings = self.layout.settings
        masked = {
            item.column.name
            for item in self.layout.columns
            if settings.hashes(item.column.field) or item.column.field in settings.allow_fields
        }
        cells = self._cells(ids)
        return tuple(replace(item, shadow=MASK, odoo=MASK) if item.column in masked else item for item in cells)

    def lists(self, ids: Sequence[int]) -> dict[int, Lists]:
        """Return those of some rows that differ in nothing but lists of ids."""
        kinds = {names.ID: ColumnType.BIGINT, names.WRITE_DATE: ColumnType.TIMESTAMPTZ}
        kinds |= {item.column.name: item.column.type for item in self.layout.columns}
        found: dict[int, Lists] = {}
        chosen = Where(ids=tuple(ids))
        up_to_id = max(ids, default=None)
        for page in self.odoo.pages(self.layout.reading, chosen, up_to_id=up_to_id, page_size=self.page_size):
            rows, _ = self.witness.rows(page.records)
            with self.shadow.transaction() as tx:
                found |= differing_lists(tx, self.live, kinds, rows)
        return found

    def _cells(self, ids: Sequence[int]) -> list[CellDifference]:
        cells: list[CellDifference] = []
        chosen = Where(ids=tuple(ids))
        pages = self.odoo.pages(
            self.layout.reading, chosen, up_to_id=ids[-1] if ids else None, page_size=self.page_size
        )
        for page in pages:
            rows, _ = self.witness.rows(page.records)
            if rows and len(cells) < _MOST_CELLS:
                with self.shadow.transaction() as tx:
                    cells += differing_cells(tx, self.live, self.witness.columns, rows, _MOST_CELLS - len(cells))
        return cells

    def _compare_these(self, ids: Sequence[int]) -> dict[int, Difference]:
        """Read some records by their ids and compare them, page by page; then handle those that no page brought."""
        reading, differences = self.layout.reading, dict[int, Difference]()
        not_given, given, fresh = dict[int, Unreadable](), set[int](), set[int]()
        chosen = Where(ids=tuple(ids))
        for page in self.odoo.pages(reading, chosen, up_to_id=ids[-1], page_size=self.page_size):
            of_page = {item: record for record in page.records if is_id(item := record["id"])}
            if of_page:
                differences |= self._compare(page.records, id_list(list(of_page)))
            given |= of_page.keys()
            fresh |= {item for item, record in of_page.items() if self._is_fresh(record)}
            behind = {item for item in of_page if differences.get(item) in _BEHIND}
            self.newer |= {item for item in behind if self._is_newer(of_page[item])}
            not_given |= {page.unreadable.id: page.unreadable} if page.unreadable else {}
        lacking = [item for item in ids if item not in given]
        if lacking:
            differences |= self._compare([], id_list(lacking))
        unread = self.odoo.ids(reading, Where(ids=tuple(lacking)))
        differences = self._judge(unread, differences, not_given)
        return {record_id: kind for record_id, kind in differences.items() if record_id not in fresh}

    def _judge(
        self, unread: Collection[int], differences: dict[int, Difference], not_given: Mapping[int, Unreadable]
    ) -> dict[int, Difference]:
        """Report records as missing that Odoo lists and no page brings, if the shadow lacks them.

        Those that the shadow has are noted as unreadable: they cannot be compared.
        """
        here = {item for item in unread if differences.get(item) is Difference.EXTRA}
        noted = {item.id for item in self.unreadable}
        self.unreadable += [not_given.get(item) or Unreadable(item, None, DROPPED) for item in sorted(here - noted)]
        rest = {item: kind for item, kind in differences.items() if item not in here}
        return rest | dict.fromkeys(set(unread) - here, Difference.MISSING)

    def _is_fresh(self, record: Record) -> bool:
        """Say whether a record was written during the comparison. A date in the future does not count."""
        moment, latest = _written(record), timedelta(seconds=self.seconds) + CLOCK_TOLERANCE
        is_trace = self.layout.model == _LOGINS and record.get(_CREATED_BY) == self.odoo.user_id()
        # A date comes without fractions of a second.
        earliest = timedelta(seconds=self.odoo.opened_at - self.clock) - _ONE_SECOND if is_trace else timedelta(0)
        return moment is not None and any(earliest <= moment - start <= latest for start in self.starts)

    def _is_newer(self, record: Record) -> bool:
        """Say whether a record was written after the table's last sync. A date in the future does not count."""
        moment, latest = _written(record), self.starts[0] + timedelta(seconds=self.seconds) + CLOCK_TOLERANCE
        return moment is not None and NEVER < self.synced_until < moment <= latest


def _written(record: Record) -> datetime | None:
    value = record.get(WRITE_DATE_FIELD)
    return moment_in(value) if isinstance(value, str) else None


def not_compared(model: str, unreadable: Sequence[Unreadable]) -> OdooUnreadableRecordsError:
    """Build the error for records that Odoo lists, but does not give."""
    ids = sorted({item.id for item in unreadable})
    it = "it" if len(ids) == 1 else "they"
    return OdooUnreadableRecordsError(
        f"{model} {first_of(ids, _MOST_NAMED)} cannot be read, so {it} cannot be compared: {unreadable[0].reason}"
    )


def _starts(odoo: Source) -> tuple[datetime, ...]:
    """Read the server's clock, and also this machine's if they differ so much that one is wrong.

    It cannot be known which one is: the server's `Date` may come from a proxy, and this machine may run ahead. With the
    wrong one alone, all recent rows would count as written just now, or those that are written now would not.
    """
    clock = odoo.clock()
    is_one = abs(clock.source - clock.local) <= CLOCK_TOLERANCE
    return (clock.source,) if is_one else (clock.source, clock.local)
