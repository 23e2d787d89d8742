"""The rolling proof: each run compares a slice of each table with Odoo, cell by cell, and repairs what differs.

It finds whatever else fails to reach the shadow: every row is compared within the time that `pace` promises.
"""

from __future__ import annotations

from dataclasses import replace

from airflow_provider_odoo_shadow.job.comparison import Comparison
from airflow_provider_odoo_shadow.job.errors import VerificationError
from airflow_provider_odoo_shadow.job.pace import due_slice
from airflow_provider_odoo_shadow.job.run import MirrorOptions, Run
from airflow_provider_odoo_shadow.job.verify import repair_rows
from airflow_provider_odoo_shadow.source.client import OdooClient
from airflow_provider_odoo_shadow.source.reading import BEFORE_ALL
from airflow_provider_odoo_shadow.target.compare import Difference
from airflow_provider_odoo_shadow.target.database import ShadowDatabase
from airflow_provider_odoo_shadow.target.finished import Finished
from airflow_provider_odoo_shadow.target.merge import RowCounts
from airflow_provider_odoo_shadow.target.proofs import Proof, note_proven, read_proof, save_proof, time_in_database
from airflow_provider_odoo_shadow.target.sync_log import CLOSING
from airflow_provider_odoo_shadow.target.verifications import Verification, save_verification
from airflow_provider_odoo_shadow.text.log import logger

log = logger(__name__)

SLICE = "slice"
"""What such a comparison is called among the others."""

_MOST_NAMED = 10


def prove_slice(
    odoo: OdooClient, shadow: ShadowDatabase, table: Finished, *, run: Run, options: MirrorOptions
) -> RowCounts | None:
    """Compare the rows of a table that are due, and repair what differs; return what was repaired, None for nothing.

    :raises VerificationError: rows differ even after they have been read anew.
    :raises MassDeletionError: a repair would remove a suspicious share of the rows.
    :raises MirrorConfigurationError: the table was mirrored with another login or other settings.
    :raises OdooError, ShadowError: it could not be done; the slice stays due.
    """
    with shadow.transaction() as tx:
        proof, now = read_proof(tx, table.table), time_in_database(tx)
        if proof is None:
            save_proof(tx, table.table, Proof(now, None, now))
    due = due_slice(proof, table.row_count, options.batch_size, now) if proof is not None else None
    if proof is None or due is None:
        return None
    comparison = Comparison.prepare(odoo, shadow, table.model, options.batch_size)
    after_id = BEFORE_ALL if proof.last_id is None else proof.last_id
    found = comparison.run_slice(after_id, due.rows, due.time)
    rows, seconds = comparison.rows, comparison.seconds
    repaired = _repair(odoo, shadow, comparison, found.found, run, options) if found.found else None
    with shadow.transaction() as tx:
        ended = time_in_database(tx)
        reached = replace(proof, last_id=found.last_id, slice_at=ended, rows_a_second=rows / seconds)
        if found.last_id is None:
            note_proven(tx, table.table, proof.round_started_at)
            reached = replace(reached, round_started_at=ended)
        save_proof(tx, table.table, reached)
    return repaired


def _repair(
    odoo: OdooClient,
    shadow: ShadowDatabase,
    comparison: Comparison,
    ids: dict[int, Difference],
    run: Run,
    options: MirrorOptions,
) -> RowCounts:
    """Repair rows that differ, and keep what was found: there is a reason why they did."""
    model = comparison.layout.model
    left = repair_rows(odoo, shadow, comparison, ids, run=run, options=options, metadata={CLOSING: SLICE})
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
                repaired=len(ids) - len(left),
            ),
        )
    listed = ", ".join(map(str, sorted(ids)[:_MOST_NAMED])) + (" …" if len(ids) > _MOST_NAMED else "")
    if left:
        raise VerificationError(f"{model}: {len(left)} rows differ from Odoo even after they were read anew: {listed}.")
    log.warning("%s: %d rows differed from Odoo and were repaired: %s", model, len(ids), listed)
    gone = sum(kind is Difference.EXTRA for kind in ids.values())
    missing = sum(kind is Difference.MISSING for kind in ids.values())
    return RowCounts(inserted=missing, updated=len(ids) - gone - missing, deleted=gone)
