"""A first load by several workers: each reads the ranges of ids that it was given; the last to end finishes the table.

The workers may be threads or processes, on one machine or on many: they meet in the shadow's control tables. The first
one opens the table and divides the load. Whoever finds that nothing is left, and nobody else at work, does what a run
of the whole table does after its pages: the index, the comparison of ids, the watermark. A worker that was killed takes
up its own ranges when it is tried again, and no other worker's; if it is not, the next run takes up what is left.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from uuid import uuid4

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.shape.rows import RowBuilder
from odoo_shadow.mirror.sync.model import (
    OpenedModel,
    entry_metadata,
    mirror_model,
    no_replay,
    no_report,
    open_model,
)
from odoo_shadow.mirror.sync.model_run import ModelRun
from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.mirror.sync.ranges import read_range
from odoo_shadow.mirror.sync.result import MirrorResult
from odoo_shadow.mirror.sync.scan import TableWriter
from odoo_shadow.mirror.sync.table_hold import Hold, hold_range, hold_table
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.errors import ShadowBusyError
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state import lease, registry
from odoo_shadow.shadow.state.lease import Lease, release_lease, take_lease
from odoo_shadow.shadow.state.planning import planned_tables
from odoo_shadow.shadow.state.scan_ranges import ScanRange, read_ranges
from odoo_shadow.shadow.state.sync_log import entries_of_run
from odoo_shadow.shadow.tables.changes import plan_change
from odoo_shadow.shadow.tables.ids import LiveIds
from odoo_shadow.shadow.tables.row_hash import RowHash
from odoo_shadow.source.errors import OdooRefusedFieldsError
from odoo_shadow.source.port import Source
from odoo_shadow.text.log import logger

log = logger(__name__)

_PAUSE = 0.2

_Done = TypeVar("_Done")

MOST_PARTS = 64
"""Workers that one table's first load is divided among."""


@dataclass(frozen=True)
class Part:
    """Which of a load's workers this is: 3 of 16."""

    number: int
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of <= MOST_PARTS:
            raise ValueError(f"part {self.number} of {self.of}: of 1 to {MOST_PARTS} parts")

    def __str__(self) -> str:
        """Return it as a label says it."""
        return f"part {self.number} of {self.of}"


@dataclass(frozen=True)
class PartResult:
    """What one worker read of a first load that others go on with, or finish."""

    model: str
    table: str
    part: Part
    counts: RowCounts
    seconds: float

    def __str__(self) -> str:
        """Return one line for a log."""
        return f"{self.model}: {ScanKind.FIRST_LOAD}, {self.part} in {self.seconds:.1f} s, {self.counts}"


def load_part(
    odoo: Source,
    shadow: ShadowDatabase,
    model: str,
    part: Part,
    *,
    run: Run,
    options: MirrorOptions,
    settings: ModelSettings | None = None,
    replay_from: Callable[[str], datetime | None] = no_replay,
    on_progress: Callable[[Progress], None] = no_report,
) -> PartResult | MirrorResult:
    """Read one worker's part of a model's first load; if nothing is left after it, finish the table.

    A model that needs no first load is mirrored as `mirror_model` does, which has the other parameters and the errors.

    :return: a `MirrorResult` if the table is up to date now.
    """
    own = replace(run, holder=_holder(run, part))
    opened = open_model(odoo, shadow, model, run=own, options=options, settings=settings)
    worker = _Worker(odoo, shadow, opened, part, run, on_progress)
    result = worker.read()
    if not worker.finishes():
        return result
    return mirror_model(
        odoo,
        shadow,
        model,
        run=own,
        options=options,
        settings=settings,
        replay_from=replay_from,
        on_progress=on_progress,
    )


def load_in_threads(
    odoo: Source,
    shadow: ShadowDatabase,
    model: str,
    number: int,
    *,
    run: Run,
    options: MirrorOptions,
    settings: ModelSettings | None = None,
    on_progress: Callable[[Progress], None] = no_report,
) -> MirrorResult:
    """Mirror a model whose first load is divided among threads of this process. See `mirror_model`.

    :param number: of threads, each with a connection of its own to the shadow.
    """
    calls_before, progress = odoo.calls, _Together(on_progress)
    opened = open_model(odoo, shadow, model, run=run, options=options, settings=settings)

    def load(part: Part) -> PartResult:
        with closing(shadow.another()) as own:
            return _Worker(odoo, own, opened, part, run, progress.of(part), progress.check).read()

    with ThreadPoolExecutor(number, thread_name_prefix="odoo-part") as pool:
        loads = [pool.submit(load, Part(at, number)) for at in range(1, number + 1)]
        try:
            wait(loads)
        except KeyboardInterrupt:
            progress.stop()  # each thread ends with the page that it has
            raise
    for item in loads:
        item.result()  # raises the error of the first one that failed
    done = mirror_model(odoo, shadow, model, run=run, options=options, settings=settings, on_progress=on_progress)
    return replace(done, calls=odoo.calls - calls_before)


class _Together:
    """The progress of several workers, reported as one."""

    def __init__(self, report: Callable[[Progress], None]) -> None:
        self._report = report
        self._lock = threading.Lock()
        self._of: dict[int, Progress] = {}
        self._is_stopped = False

    def stop(self) -> None:
        """Let every worker end with its next page."""
        self._is_stopped = True

    def check(self) -> None:
        """End the worker that asks, if all are to end."""
        if self._is_stopped:
            raise KeyboardInterrupt

    def of(self, part: Part) -> Callable[[Progress], None]:
        """Return what a worker reports to."""

        def report(progress: Progress) -> None:
            self.check()
            with self._lock:
                self._of[part.number] = progress
                counts = sum((item.counts for item in self._of.values()), RowCounts())
                done = sum(item.done for item in self._of.values()) / part.of
                self._report(replace(progress, counts=counts, done=done))

        return report


def _holder(run: Run, part: Part) -> str:
    """Return the name under which other workers see this one: a retry has the same, and takes over at once."""
    return f"{run.holder}, part {part.number}"


class _Worker:
    """One worker's part of a first load.

    :param run: of all workers.
    :param while_waiting: called now and then while another worker or run is in the way.
    """

    def __init__(
        self,
        odoo: Source,
        shadow: ShadowDatabase,
        opened: OpenedModel,
        part: Part,
        run: Run,
        on_progress: Callable[[Progress], None],
        while_waiting: Callable[[], None] = lambda: None,
    ) -> None:
        self._odoo = odoo
        self._shadow = shadow
        self._opened = opened
        self._model = opened.layout.model
        self._options = opened.options
        self._part = part
        self._holders = f"{run.holder}, part "
        self._run = replace(run, holder=_holder(run, part))
        self._on_progress = on_progress
        self._while_waiting = while_waiting
        with shadow.transaction() as tx:
            self._table = registry.register_table(tx, self._model)

    def read(self) -> PartResult:
        """Read the ranges that this worker was given, and that nobody has ended."""
        self._patiently(self._divide)
        counts, started = RowCounts(), time.monotonic()
        for item in self._given():
            counts += self._patiently(partial(self._load, item.number))
        return PartResult(self._model, self._table, self._part, counts, time.monotonic() - started)

    def finishes(self) -> bool:
        """Say whether it is this worker that finishes the table; it then holds it already.

        Not so while another worker of this run is at work, or is still to come: that one finishes it, or fails. All
        that ends a range does so before it comes here, and only one at a time comes here.
        """
        with self._shadow.transaction() as tx:
            if self._is_finished(tx):
                return False
        try:
            return self._patiently(self._take_to_finish, waits_for_own=False)
        except ShadowBusyError as busy:
            return not self._is_own(busy)  # another run: whoever finishes waits for it, and goes on from what it left

    def _take_to_finish(self) -> bool:
        with self._shadow.transaction() as tx:
            claim = Lease(self._run.holder, uuid4())
            take_lease(tx, self._table, claim)
            is_left = any(not item.is_ended for item in read_ranges(tx, self._table))
            if is_left:
                release_lease(tx, self._table, claim)
            return not is_left

    def _patiently(self, work: Callable[[], _Done], *, waits_for_own: bool = True) -> _Done:
        """Do something that another worker or run may be in the way of.

        :param waits_for_own: whether to wait for other workers of this run as long as they live.
        """
        started, wait = time.monotonic(), self._options.wait
        while True:
            try:
                return work()
            except ShadowBusyError as busy:
                # Who only locks a row, as each page does for a moment, is given as long as the dead are.
                longest = max(wait, lease.LEASE) if busy.holder is None else wait
                if self._is_own(busy):
                    if not waits_for_own:
                        raise
                elif time.monotonic() - started >= longest.total_seconds():
                    raise
            time.sleep(_PAUSE)
            self._while_waiting()

    def _is_own(self, busy: ShadowBusyError) -> bool:
        return busy.holder is not None and busy.holder.startswith(self._holders)

    def _given(self) -> list[ScanRange]:
        with self._shadow.transaction() as tx:
            ranges = read_ranges(tx, self._table)
        return [item for item in ranges if self._is_own_range(item) and not item.is_ended]

    def _is_own_range(self, item: ScanRange) -> bool:
        return item.run_id == self._run.id and item.part == self._part.number

    def _is_finished(self, tx: Transaction) -> bool:
        """Say whether this run has brought the table up to date, since its newest plan."""
        of_run = {entry.table: entry.status for entry in entries_of_run(tx, self._run.id)}
        return of_run.get(self._table) == "success" and self._table not in planned_tables(tx)

    def _is_divided(self, tx: Transaction) -> bool:
        """Say whether every range that is left belongs to a worker of this run; it may have been planned anew."""
        ranges = read_ranges(tx, self._table)
        known = (item.run_id == self._run.id and (item.is_ended or item.part <= self._part.of) for item in ranges)
        return bool(ranges) and all(known)

    def _divide(self) -> None:
        """Divide the load, unless another worker has done it.

        What is to be divided a second time in a run, this worker reads alone: others may be done and not come again.
        """
        with self._shadow.transaction() as tx:
            if self._is_divided(tx) or self._is_finished(tx):
                return
        opened, metadata = self._opened, entry_metadata(self._odoo, self._options)
        at_once = replace(self._options, wait=timedelta(0))
        with hold_table(self._shadow, self._model, self._run, at_once, metadata) as hold:
            with hold.transaction() as tx:
                is_again = hold.was_divided(tx)
                if self._is_divided(tx):  # another worker did it just now
                    hold.hand_over(tx)
                    return
            model_run = ModelRun(self._odoo, hold, opened.layout, opened.reading, opened.options, no_report)
            parts = [self._part.number] if is_again else range(1, self._part.of + 1)
            model_run.divide(opened.kept, parts)

    def _load(self, number: int) -> RowCounts:
        """Read what is left of a range, and end it; do nothing if it is not this worker's any more."""
        with hold_range(self._shadow, self._run, self._table, number) as hold:
            if hold is None:
                return RowCounts()
            with hold.transaction() as tx:
                (item,) = [found for found in read_ranges(tx, self._table) if found.number == number]
                if not self._is_own_range(item) or item.is_ended:
                    hold.release(tx)
                    return RowCounts()
                writer = self._writer(tx, hold)
            if writer is None:
                log.info("%s: it is read differently by now: left to the end of the load", self._model)
            else:
                self._read_range(writer, item)
            hold.end()
            return hold.counts

    def _writer(self, tx: Transaction, hold: Hold) -> TableWriter | None:
        """Return what writes the rows; None if the table was opened for other columns, or with another reading."""
        layout = self._opened.layout
        kept = registry.read_settings(tx, self._table)
        if (kept.read_as, kept.settings) != (self._opened.reading, layout.settings.as_text()):
            return None
        if plan_change(tx, self._table, [item.column for item in layout.all_columns], layout.left_out).changes:
            return None
        row_hash = RowHash.of(tx, self._table, [item.column for item in layout.columns])
        return TableWriter(hold, layout, RowBuilder(layout), row_hash, LiveIds.of(tx, self._table).has_marks)

    def _read_range(self, writer: TableWriter, item: ScanRange) -> None:
        """Read a range. What Odoo does not give is read again, and told, by whoever finishes the table."""

        def report(reached: int) -> None:
            done = share_of(item, reached)
            self._on_progress(Progress(writer.layout.model, ScanKind.FIRST_LOAD, writer.hold.counts, done))

        try:
            read_range(self._odoo, writer, item, self._options.batch_size, report)
        except OdooRefusedFieldsError as error:
            log.info("%s: left to the end of the load: %s", writer.layout.model, error)


def share_of(item: ScanRange, reached: int) -> float:
    """Return which share of a range's ids has been read; the first range is taken to begin at the id 0."""
    low = max(item.after_id, min(0, item.up_to_id - 1))
    return min(1.0, max(0.0, (reached - low) / (item.up_to_id - low)))
