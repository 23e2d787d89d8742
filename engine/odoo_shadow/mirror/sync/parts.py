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
from odoo_shadow.mirror.sync.model_run import MirrorResult, ModelRun
from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.mirror.sync.ranges import read_range
from odoo_shadow.mirror.sync.scan import TableWriter
from odoo_shadow.mirror.sync.table_hold import Hold, hold_range, hold_table
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.errors import ShadowBusyError
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state import registry
from odoo_shadow.shadow.state.lease import Lease, living_holder, release_lease, take_lease
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
    own = replace(run, holder=f"{run.holder}, part {part.number}")
    opened = open_model(odoo, shadow, model, run=own, options=options, settings=settings)
    with shadow.transaction() as tx:
        table = registry.register_table(tx, model)
        if _has_finished(tx, run, table):
            return PartResult(model, table, part, RowCounts(), 0.0)
    worker = _Worker(odoo, shadow, table, opened, part, own, on_progress)
    counts, seconds = worker.read()
    if worker.leaves_rest_to(run.holder):
        return PartResult(model, table, part, counts, seconds)
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

    def load(part: Part) -> PartResult | MirrorResult:
        with closing(shadow.another()) as own:
            return load_part(
                odoo, own, model, part, run=run, options=options, settings=settings, on_progress=progress.of(part)
            )

    with ThreadPoolExecutor(number, thread_name_prefix="odoo-part") as pool:
        loads = [pool.submit(load, Part(at, number)) for at in range(1, number + 1)]
        try:
            wait(loads)
        except KeyboardInterrupt:
            progress.stop()  # each thread ends with the page that it has
            raise
    results = [item.result() for item in loads]  # raises the error of the first one that failed
    done = next(item for item in results if isinstance(item, MirrorResult))
    return replace(done, calls=odoo.calls - calls_before)


class _Together:
    """The progress of several workers, reported as one."""

    def __init__(self, report: Callable[[Progress], None]) -> None:
        self._report = report
        self._lock = threading.Lock()
        self._of: dict[int, Progress] = {}
        self._is_stopped = False

    def stop(self) -> None:
        """Let every worker fail with its next report."""
        self._is_stopped = True

    def of(self, part: Part) -> Callable[[Progress], None]:
        """Return what a worker reports to."""

        def report(progress: Progress) -> None:
            if self._is_stopped:
                raise KeyboardInterrupt
            with self._lock:
                self._of[part.number] = progress
                counts = sum((item.counts for item in self._of.values()), RowCounts())
                done = sum(item.done for item in self._of.values()) / part.of
                self._report(replace(progress, counts=counts, done=done))

        return report


def _has_finished(tx: Transaction, run: Run, table: str) -> bool:
    """Say whether this run has brought the table up to date, since its newest plan."""
    of_run = {entry.table: entry.status for entry in entries_of_run(tx, run.id)}
    return of_run.get(table) == "success" and table not in planned_tables(tx)


class _Worker:
    """One worker's part of a first load."""

    def __init__(
        self,
        odoo: Source,
        shadow: ShadowDatabase,
        table: str,
        opened: OpenedModel,
        part: Part,
        run: Run,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._odoo = odoo
        self._shadow = shadow
        self._table = table
        self._opened = opened
        self._options = opened.options
        self._part = part
        self._run = run
        self._on_progress = on_progress

    def read(self) -> tuple[RowCounts, float]:
        """Read the ranges that this worker was given, and that nobody has ended; return the counts and seconds."""
        self._divide()
        counts, seconds = RowCounts(), 0.0
        for item in self._given():
            with hold_range(self._shadow, self._run, self._table, item.number, self._options.wait) as hold:
                with hold.transaction() as tx:
                    now = next(found for found in read_ranges(tx, self._table) if found.number == item.number)
                    writer = self._writer(tx, hold)
                if writer is None:
                    log.info("%s: its fields have changed: left to the end of the load", self._opened.layout.model)
                else:
                    self._read_range(writer, now)
                hold.end()
            counts, seconds = counts + hold.counts, seconds + hold.seconds
        return counts, seconds

    def leaves_rest_to(self, run: str) -> bool:
        """Say whether another worker of this run is at work, or will be; it then finishes the table.

        :param run: the holder of the run, without the part.
        """
        deadline = time.monotonic() + self._options.wait.total_seconds()
        while True:
            try:
                with self._shadow.transaction() as tx:
                    claim = Lease(self._run.holder, uuid4())
                    take_lease(tx, self._table, claim)
                    release_lease(tx, self._table, claim)
                    return any(not item.is_ended for item in read_ranges(tx, self._table))
            except ShadowBusyError:
                with self._shadow.transaction() as tx:
                    holder = living_holder(tx, self._table)
                if holder is not None:
                    return holder.startswith(f"{run}, part ")
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_PAUSE)

    def _given(self) -> list[ScanRange]:
        with self._shadow.transaction() as tx:
            ranges = read_ranges(tx, self._table)
        return [
            item
            for item in ranges
            if item.run_id == self._run.id and item.part == self._part.number and not item.is_ended
        ]

    def _is_divided(self) -> bool:
        """Say whether every range that is left belongs to a worker of this run; it may have been planned anew."""
        with self._shadow.transaction() as tx:
            ranges = read_ranges(tx, self._table)
        known = (item.run_id == self._run.id and (item.is_ended or item.part <= self._part.of) for item in ranges)
        return bool(ranges) and all(known)

    def _divide(self) -> None:
        """Divide the load, unless another worker does it first."""
        deadline = time.monotonic() + self._options.wait.total_seconds()
        while not self._is_divided():
            try:
                return self._try_to_divide()
            except ShadowBusyError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_PAUSE)
        return None

    def _try_to_divide(self) -> None:
        opened, metadata = self._opened, entry_metadata(self._odoo, self._options)
        at_once = replace(self._options, wait=timedelta(0))
        with hold_table(self._shadow, opened.layout.model, self._run, at_once, metadata) as hold:
            if self._is_divided():  # another worker did it just now
                with hold.transaction() as tx:
                    hold.hand_over(tx)
                return
            model_run = ModelRun(self._odoo, hold, opened.layout, opened.reading, opened.options, self._on_progress)
            model_run.divide(opened.kept, self._part.of)

    def _writer(self, tx: Transaction, hold: Hold) -> TableWriter | None:
        """Return what writes the rows; None if the table does not have the columns that the model has by now."""
        layout = self._opened.layout
        columns = [item.column for item in layout.all_columns]
        if plan_change(tx, self._table, columns, layout.left_out).changes:
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
