"""Gathers small models of a run into batches, and divides the first loads of very large ones among workers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import ceil

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.run.plan import SettingsOf, Work
from odoo_shadow.mirror.sync.parts import MOST_PARTS
from odoo_shadow.source.errors import OdooError
from odoo_shadow.source.kind import SourceKind
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import Reading

SMALL = 5_000
"""Records that a run reads of a model at most, in a few seconds, for the model to share a batch."""
MOST_MODELS = 15
"""Models of a batch at most: 300 that have changed are 20 batches."""
MOST_ROWS = 4 * SMALL
"""Records of a batch at most; its retry begins with the first model that has not succeeded."""

ROWS_PER_PART = {SourceKind.API: 100_000, SourceKind.DATABASE: 250_000}
"""Records that a task reads of a first load: half a minute to a minute by API, some seconds out of tables."""
ROWS_PER_THREAD = {SourceKind.API: 20_000, SourceKind.DATABASE: 50_000}
"""Records that a thread reads of one, which costs less to begin."""

Batch = tuple[Work, ...]


def gather(works: Sequence[Work], *, at_once: int) -> list[Batch]:
    """Gather the small models into batches of about equal size; a large one, or one of unknown size, stays alone.

    Large ones come first, since the run lasts at least as long as they do.

    :param at_once: how many batches are worked on at the same time; there are no fewer, if there are enough models.
    """
    small = [work for work in works if work.rows is not None and work.rows <= SMALL]
    large = sorted((work for work in works if work not in small), key=_size, reverse=True)
    rows = sum(_size(work) for work in small)
    number = max(ceil(len(small) / MOST_MODELS), ceil(rows / MOST_ROWS), min(at_once, len(small)))
    batches: list[list[Work]] = [[] for _ in range(number)]
    for work in sorted(small, key=_size, reverse=True):
        free = (batch for batch in batches if len(batch) < MOST_MODELS)
        min(free, key=lambda batch: (_rows(batch), len(batch))).append(work)
    batches.sort(key=_rows, reverse=True)
    return [*((work,) for work in large), *(tuple(sorted(batch, key=works.index)) for batch in batches)]


def with_sizes(odoo: Source, works: Sequence[Work], settings: SettingsOf) -> list[Work]:
    """Ask Odoo for the sizes that the plan does not know, those of first loads; a count that fails stays unknown."""
    unknown = [work for work in works if work.rows is None]

    def asked(work: Work) -> Work:
        given = settings(work.model) or ModelSettings()
        try:
            return replace(work, rows=max(0, odoo.count(Reading(work.model, (), given.domain)) - work.present))
        except OdooError:  # the model's own run reports it
            return work

    with ThreadPoolExecutor(odoo.access.parallel, thread_name_prefix="odoo-count") as pool:
        known = {work.model: work for work in pool.map(asked, unknown)}
    return [known.get(work.model, work) for work in works]


def parts_of(work: Work, kind: SourceKind, *, at_most: int = MOST_PARTS) -> int:
    """Return among how many tasks a model's run is divided: a first load by its size, everything else not at all."""
    return _workers(work, ROWS_PER_PART[kind], at_most)


def threads_of(work: Work, kind: SourceKind, *, at_most: int) -> int:
    """Return among how many threads of one process a model's run is divided. See `parts_of`."""
    return _workers(work, ROWS_PER_THREAD[kind], at_most)


def _workers(work: Work, rows: int, at_most: int) -> int:
    if not work.is_first_load or work.rows is None:
        return 1
    return max(1, min(at_most, MOST_PARTS, ceil(work.rows / rows)))


def _size(work: Work) -> int:
    return SMALL + 1 if work.rows is None else work.rows


def _rows(batch: Iterable[Work]) -> int:
    return sum(_size(work) for work in batch)
