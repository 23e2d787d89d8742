"""The rolling proof: each run compares a slice of each table with Odoo, cell by cell, and repairs what differs.

It finds whatever does not reach the shadow otherwise: every row is compared within the time that `pace` promises.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from odoo_shadow.mirror.errors import MassDeletionError, VerificationError
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.pace import due_rows, time_for_slices
from odoo_shadow.mirror.proof.comparison import Comparison, Slice, not_compared
from odoo_shadow.mirror.proof.verify import first_on_both_sides, repair_rows
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.differences import Difference
from odoo_shadow.shadow.errors import RefusedRecordsError
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state.finished import Finished
from odoo_shadow.shadow.state.proofs import (
    MOST_UNPROVEN,
    Proof,
    note_proven,
    read_proof,
    save_proof,
    time_in_database,
)
from odoo_shadow.shadow.state.sync_log import CLOSING
from odoo_shadow.shadow.state.verifications import SLICE, Verification, save_verification
from odoo_shadow.source.errors import OdooUnreadableRecordsError
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import BEFORE_ALL
from odoo_shadow.text.amounts import counted, first_of
from odoo_shadow.text.log import logger

log = logger(__name__)

_MOST_NAMED = 10


@dataclass(frozen=True)
class DueProof:
    """A table of which some rows are to be compared now.

    :param rows: about how many rows of the next slice; 0 if only unproven rows are compared again.
    """

    table: Finished
    proof: Proof
    rows: int


def due_proofs(shadow: ShadowDatabase, tables: Sequence[Finished], page_size: int) -> tuple[list[DueProof], timedelta]:
    """Return the tables of which a slice is due, the longest waiting first, and the time that all slices may take."""
    found, longest = [], timedelta(0)
    with shadow.transaction() as tx:
        now = time_in_database(tx)
        for table in tables:
            proof = read_proof(tx, table.table)
            if proof is None:
                save_proof(tx, table.table, Proof(now, None, now))
                continue
            rows = due_rows(proof, table.row_count, page_size, now)
            if rows or proof.unproven:
                found.append(DueProof(table, proof, rows))
                longest = max(longest, now - proof.slice_at)
    return sorted(found, key=lambda item: item.proof.slice_at), time_for_slices(longest)


def prove_slice(
    odoo: Source,
    shadow: ShadowDatabase,
    due: DueProof,
    time_limit: timedelta,
    *,
    run: Run,
    options: MirrorOptions,
) -> RowCounts | None:
    """Compare the rows of a table that are due, and repair what differs; return what was repaired, None for nothing.

    In any case the next slice begins where this one ended. But rows that could not be compared or repaired are compared
    again by each run, and while there are any, no round is a proof.

    :raises VerificationError: rows differ even after they have been read again.
    :raises MassDeletionError: a repair would remove a suspicious share of the rows.
    :raises OdooUnreadableRecordsError: Odoo cannot give some records.
    :raises RefusedRecordsError: the table cannot take some.
    :raises MirrorConfigurationError: the table was mirrored with another login or other settings.
    :raises OdooError, ShadowError: it could not be done; the slice stays due.
    """
    table, proof = due.table.table, due.proof
    comparison = Comparison.prepare(odoo, shadow, due.table.model, options.batch_size, compares_extra=False)
    found = comparison.recheck(proof.unproven) if proof.unproven else {}
    compared = Slice({}, proof.last_id)
    if due.rows:
        after_id = BEFORE_ALL if proof.last_id is None else proof.last_id
        compared = comparison.run_slice(after_id, due.rows, time_limit)
    found |= compared.found
    rows, seconds = comparison.rows, comparison.seconds
    repaired, left, failure = _repair(odoo, shadow, comparison, found, run, options)
    unproven = sorted({*left, *(item.id for item in comparison.unreadable)})
    with shadow.transaction() as tx:
        reached = replace(proof, unproven=tuple(unproven[:MOST_UNPROVEN]))
        ended = time_in_database(tx)
        if due.rows:
            reached = replace(reached, last_id=compared.last_id, slice_at=ended, rows_per_second=rows / seconds)
            if compared.last_id is None and not unproven:
                note_proven(tx, table, proof.round_started_at)
        if (due.rows and compared.last_id is None) or len(unproven) > MOST_UNPROVEN:
            reached = replace(reached, last_id=None, round_started_at=ended)
        save_proof(tx, table, reached)
    if failure is not None:
        raise failure
    if comparison.unreadable:
        raise not_compared(due.table.model, comparison.unreadable)
    return repaired


def _repair(
    odoo: Source,
    shadow: ShadowDatabase,
    comparison: Comparison,
    ids: dict[int, Difference],
    run: Run,
    options: MirrorOptions,
) -> tuple[RowCounts | None, Collection[int], Exception | None]:
    """Repair rows that differ, and store what was found, so that the cause can be investigated.

    :return: what was repaired, which rows differ even then, and what went wrong.
    """
    if not ids:
        return None, (), None
    model, newer = comparison.layout.model, comparison.newer & ids.keys()
    try:
        cells = comparison.first_cells(first_on_both_sides({item: ids[item] for item in ids if item not in newer}))
        left = repair_rows(odoo, shadow, comparison, ids, run=run, options=options, metadata={CLOSING: SLICE})
    except (MassDeletionError, OdooUnreadableRecordsError, RefusedRecordsError) as error:
        return None, ids, error
    corrected = sorted(ids.keys() - left.keys() - newer)
    if corrected or left:
        with shadow.transaction() as tx:
            save_verification(
                tx,
                Verification(
                    run_id=run.id,
                    table=comparison.live.table,
                    kind=SLICE,
                    started_at=comparison.started_at,
                    seconds=comparison.seconds,
                    rows=comparison.rows,
                    ids={kind: sorted(i for i, found in ids.items() if found is kind) for kind in Difference},
                    newer=len(newer),
                    repaired=len(ids) - len(left),
                    corrected=len(corrected),
                ),
            )
    if left:
        differ = counted(len(left), "row differs", "rows differ")
        text = f"{model}: {differ} from Odoo even after being read again: {first_of(sorted(left), _MOST_NAMED)}."
        return None, left, VerificationError(text)
    if newer:
        log.info("%s: %s after the sync and read", model, counted(len(newer), "row was written", "rows were written"))
    if corrected:
        differed = counted(
            len(corrected), "row differed from Odoo and was repaired", "rows differed from Odoo and were repaired"
        )
        log.warning("%s: %s: %s", model, differed, first_of(corrected, _MOST_NAMED))
    for item in cells:
        log.warning("%s %s", model, item)
    gone = sum(kind is Difference.EXTRA for kind in ids.values())
    missing = sum(kind is Difference.MISSING for kind in ids.values())
    return RowCounts(inserted=missing, updated=len(ids) - gone - missing, deleted=gone), (), None
