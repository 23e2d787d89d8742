"""`odoo_shadow_verification`: what comparisons with Odoo found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.differences import CellDifference, Difference
from odoo_shadow.shadow.relations import NEWEST_OF_KIND, VERIFICATION
from odoo_shadow.shadow.state.visible import Visible

SLICE = "slice"
"""The kind of the rolling proof's comparisons; kept only if something differed."""

WHOLE_TABLE = ("quick", "full")
"""The kinds of comparisons of a whole table, by `verify`."""

_MOST_SHOWN = 20
"""Comparisons of a table."""


@dataclass(frozen=True)
class Verification:
    """One table's comparison.

    :param kind: `quick` (ids and `write_date`), `full` (every cell), or `slice` (every cell of some rows).
    :param ids: the ids of the rows that differ, by the kind of difference.
    :param newer: how many of these rows are behind: Odoo wrote them after the table's last sync.
    :param repaired: rows that were read again, or removed.
    :param corrected: how many of the repaired ones were wrong, not behind.
    :param uncompared: records that Odoo lists and does not give.
    :param cannot_know: whether rows that are gone from Odoo stay, so that extra rows are not compared.
    :param not_compared: fields that are left out, since Odoo does not give records together with them.
    :param cells: the first ones that differed, before anything was repaired.
    :param explained: further rows that differ from what they were compared with, and not from the mirror's own source.
    """

    run_id: UUID
    table: str
    kind: str
    started_at: datetime
    seconds: float
    rows: int
    ids: Mapping[Difference, Sequence[int]]
    newer: int = 0
    repaired: int = 0
    corrected: int = 0
    uncompared: int = 0
    cannot_know: bool = False
    not_compared: tuple[str, ...] = ()
    cells: tuple[CellDifference, ...] = ()
    explained: Sequence[int] = ()

    @property
    def differences(self) -> int:
        """How many rows differ."""
        return sum(len(ids) for ids in self.ids.values())

    @property
    def is_settled(self) -> bool:
        """Whether all was compared, and nothing differs, or all of it was repaired."""
        return self.repaired >= self.differences and not self.uncompared

    @property
    def had_wrong_rows(self) -> bool:
        """Whether rows were repaired that were wrong, not only behind what Odoo has written since the last sync."""
        return self.repaired > self.newer


MOST_EXAMPLES = 20
"""Ids that are kept of each kind."""


def save_verification(tx: Transaction, found: Verification) -> None:
    """Save a comparison's outcome."""
    counts = {str(kind): len(found.ids.get(kind, ())) for kind in Difference}
    examples = {str(kind): list(ids)[:MOST_EXAMPLES] for kind, ids in found.ids.items() if ids}
    tx.run(
        "INSERT INTO {table} (run_id, table_name, kind, started_at, duration_ms, rows_compared,"
        " missing, extra, stale, differing, newer, repaired, corrected, uncompared, examples)"
        " VALUES ({run_id}, {name}, {kind}, {started}, {duration}, {rows},"
        " {missing}, {extra}, {stale}, {differing}, {newer}, {repaired}, {corrected}, {uncompared}, {examples})",
        table=tx.own(VERIFICATION),
        run_id=found.run_id,
        name=found.table,
        kind=found.kind,
        started=found.started_at,
        duration=round(found.seconds * 1000),
        rows=found.rows,
        newer=found.newer,
        repaired=found.repaired,
        corrected=found.corrected,
        uncompared=found.uncompared,
        examples=Jsonb(examples),
        **counts,
    )


@dataclass(frozen=True)
class Outcome:
    """What all comparisons of one table in one run found together, in every try and every slice.

    :param left: rows that differ, or could not be compared, after the last of them.
    """

    table: str
    rows: int
    missing: int
    extra: int
    stale: int
    differing: int
    newer: int
    repaired: int
    corrected: int
    left: int


def outcomes_of_run(tx: Transaction, run_id: UUID) -> list[Outcome]:
    """Return what the comparisons of a run found, by table."""
    rows = tx.run(
        "SELECT table_name, sum(rows_compared)::bigint, sum(missing)::bigint, sum(extra)::bigint,"
        " sum(stale)::bigint, sum(differing)::bigint, sum(newer)::bigint, sum(repaired)::bigint,"
        " sum(corrected)::bigint,"
        " (array_agg(missing + extra + stale + differing - repaired + uncompared ORDER BY id DESC))[1]"
        " FROM {table} WHERE run_id = {run_id} GROUP BY table_name ORDER BY table_name",
        table=tx.own(VERIFICATION),
        run_id=run_id,
    )
    return [Outcome(*row) for row in rows]


@dataclass(frozen=True)
class Compared:
    """What the last comparison of a table with Odoo found.

    :param compares: `quick`, `full`, or a `slice` of the rows, cell by cell.
    """

    compares: str
    started_at: datetime
    seconds: float
    rows: int
    missing: int
    extra: int
    stale: int
    differing: int
    repaired: int
    newer: int
    uncompared: int

    @property
    def differences(self) -> int:
        """How many rows differed, repaired ones included."""
        return self.missing + self.extra + self.stale + self.differing

    @property
    def is_equal(self) -> bool:
        """Whether all was compared, and nothing differs, or all of it was repaired."""
        return self.repaired >= self.differences and not self.uncompared

    @property
    def had_wrong_rows(self) -> bool:
        """Whether rows were repaired that were wrong, not only behind what Odoo has written since the last sync."""
        return self.repaired > self.newer


_COMPARED: LiteralString = (
    "json_build_array(v.kind, v.started_at, v.duration_ms, v.rows_compared, v.missing, v.extra, v.stale, v.differing,"
    " v.repaired, {newer}, {uncompared})"
)
_LAST_BY_INDEX: LiteralString = (
    "LEFT JOIN LATERAL (SELECT {compared} AS compared FROM unnest({kinds}::text[]) AS k (kind) CROSS JOIN LATERAL"
    " (SELECT * FROM {log} l WHERE l.table_name = t.table_name AND l.kind = k.kind ORDER BY l.id DESC LIMIT 1) v"
    " ORDER BY v.id DESC LIMIT 1) {name} ON true"
)
_LAST_OF_ALL: LiteralString = (
    "LEFT JOIN (SELECT DISTINCT ON (v.table_name) v.table_name, {compared} AS compared FROM {log} v"
    " WHERE v.kind = ANY({kinds}::text[]) ORDER BY v.table_name, v.id DESC) {name} ON {name}.table_name = t.table_name"
)
_NO_LOG: LiteralString = "LEFT JOIN (SELECT NULL::json AS compared) {name} ON true"


def _compared(visible: Visible) -> sql.Composed:
    names = ("newer", "uncompared")
    if NEWEST_OF_KIND in visible.own:
        counts = {name: sql.Identifier("v", name) for name in names}
        return sql.SQL(_COMPARED).format(**counts)
    # Counts that earlier versions did not keep are 0.
    former = {name: sql.SQL("coalesce(to_jsonb(v) -> {}, '0')").format(name) for name in names}
    return sql.SQL(_COMPARED).format(**former)


def last_comparison(tx: Transaction, visible: Visible, name: LiteralString, kinds: Sequence[str]) -> sql.Composed:
    """Return the join that adds `<name>.compared`, each table's last comparison of some kinds, for `as_compared`.

    :param name: the join's alias; it joins `t`, which has a `table_name`.
    """
    if VERIFICATION not in visible.own:
        query = _NO_LOG
    elif NEWEST_OF_KIND in visible.own:
        query = _LAST_BY_INDEX
    else:
        query = _LAST_OF_ALL  # earlier versions have no index for anything else
    return sql.SQL(query).format(
        name=sql.Identifier(name), compared=_compared(visible), log=tx.own(VERIFICATION), kinds=list(kinds)
    )


def newest_comparisons(tx: Transaction, visible: Visible, table: str) -> sql.Composable:
    """Return the expression for a table's newest comparisons, for `as_comparisons`."""
    if VERIFICATION not in visible.own:
        return sql.NULL
    return sql.SQL(
        "SELECT json_agg({compared} ORDER BY v.id DESC) FROM (SELECT n.* FROM unnest({kinds}::text[]) AS k (kind)"
        " CROSS JOIN LATERAL (SELECT * FROM {log} l WHERE l.table_name = {table} AND l.kind = k.kind"
        " ORDER BY l.id DESC LIMIT {most}) n ORDER BY n.id DESC LIMIT {most}) v"
    ).format(
        compared=_compared(visible),
        kinds=[*WHOLE_TABLE, SLICE],
        log=tx.own(VERIFICATION),
        table=table,
        most=_MOST_SHOWN,
    )


def as_comparisons(found: Sequence[Sequence[Any]] | None) -> tuple[Compared, ...]:
    """Return the comparisons that `newest_comparisons` found, newest first."""
    return tuple(map(as_compared, found or ()))


def as_compared(found: Sequence[Any]) -> Compared:
    """Return the comparison that `last_comparison` found."""
    kind, started_at, milliseconds, *counts = found
    return Compared(kind, datetime.fromisoformat(started_at), milliseconds / 1000, *counts)
