"""The rolling proof of each table: it is compared with Odoo cell by cell, slice by slice, round after round.

`odoo_shadow_meta.proven_up_to` is when the last complete round began: each row has been compared since then.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import META, PROOF


@dataclass(frozen=True)
class Proof:
    """How far a table's round has got.

    :param round_started_at: when it began.
    :param last_id: the id up to which rows have been compared in this round, None at its beginning.
    :param slice_at: when the last slice ended.
    :param rows_per_second: the speed of the last slice, None before the first.
    :param unproven: the ids of rows that could not be compared or repaired; each run compares them again.
    """

    round_started_at: datetime
    last_id: int | None
    slice_at: datetime
    rows_per_second: float | None = None
    unproven: tuple[int, ...] = ()


def time_in_database(tx: Transaction) -> datetime:
    """Return the time by the shadow's own clock: one clock for all workers."""
    now: datetime = tx.run("SELECT clock_timestamp()")[0][0]
    return now


def read_proof(tx: Transaction, table: str) -> Proof | None:
    """Return how far a table's round has got, None when none has begun."""
    rows = tx.run(
        "SELECT round_started_at, last_id, slice_at, rows_a_second, unproven FROM {proof} WHERE table_name = {table}",
        proof=tx.internal(PROOF),
        table=table,
    )
    if not rows:
        return None
    started_at, last_id, slice_at, speed, unproven = rows[0]
    return Proof(started_at, last_id, slice_at, speed, tuple(unproven))


def save_proof(tx: Transaction, table: str, proof: Proof) -> None:
    """Save how far a table's round has got."""
    tx.run(
        "INSERT INTO {proof} AS p (table_name, round_started_at, last_id, slice_at, rows_a_second, unproven)"
        " VALUES ({table}, {started}, {last_id}, {slice_at}, {speed}, {unproven}::bigint[])"
        " ON CONFLICT (table_name) DO UPDATE SET round_started_at = excluded.round_started_at,"
        " last_id = excluded.last_id, slice_at = excluded.slice_at, unproven = excluded.unproven,"
        " rows_a_second = coalesce(excluded.rows_a_second, p.rows_a_second)",
        proof=tx.internal(PROOF),
        table=table,
        started=proof.round_started_at,
        last_id=proof.last_id,
        slice_at=proof.slice_at,
        speed=proof.rows_per_second,
        unproven=list(proof.unproven),
    )


def note_proven(tx: Transaction, table: str, since: datetime) -> None:
    """Record that each row of a table has been compared since a moment."""
    tx.run(
        "UPDATE {meta} SET proven_up_to = greatest(proven_up_to, {since}) WHERE table_name = {table}",
        meta=tx.own(META),
        since=since,
        table=table,
    )


def forget_proof(tx: Transaction, table: str) -> None:
    """Start the proof again: the table's rows are different ones, or are read in another way."""
    tx.run("DELETE FROM {proof} WHERE table_name = {table}", proof=tx.internal(PROOF), table=table)
    tx.run("UPDATE {meta} SET proven_up_to = NULL WHERE table_name = {table}", meta=tx.own(META), table=table)


MOST_UNPROVEN = 1_000
"""Rows of a table that each run compares again; with more, the round starts again."""

_LONG_AGO = timedelta(days=3650)
"""Long enough after the last slice for all of any table to be due."""


def note_unproven(tx: Transaction, table: str, ids: Collection[int]) -> None:
    """Let the next run compare rows that a verification found to differ, or all rows if they are too many to keep."""
    now = time_in_database(tx)
    proof = read_proof(tx, table) or Proof(now, None, now)
    unproven = sorted({*proof.unproven, *ids})
    if len(unproven) > MOST_UNPROVEN:
        proof = replace(proof, last_id=None, round_started_at=now, slice_at=now - _LONG_AGO)
    save_proof(tx, table, replace(proof, unproven=tuple(unproven[:MOST_UNPROVEN])))


def note_whole_round(tx: Transaction, table: str, seconds: float, rows: int) -> None:
    """Record that each row of a table has just been compared, and that the next round begins."""
    now = time_in_database(tx)
    note_proven(tx, table, now - timedelta(seconds=seconds))
    save_proof(tx, table, Proof(now, None, now, rows / seconds if seconds else None))
