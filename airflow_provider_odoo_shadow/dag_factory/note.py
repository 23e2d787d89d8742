"""What a run says of itself in its note: counts and table names, nothing that only some may see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from odoo_shadow.shadow.state.sync_log import LogEntry
from odoo_shadow.shadow.state.verifications import Outcome
from odoo_shadow.text.amounts import counted

_MOST_NAMED = 10

DRY_RUN_NOTE = "a dry run, so nothing was written; the log of the task report lists what a run would do."


def sync_note(entries: Sequence[LogEntry], outcomes: Sequence[Outcome]) -> str:
    """Sum up a run that mirrors."""
    worked = [entry for entry in entries if not entry.is_unchanged]
    done = [entry for entry in worked if entry.status == "success"]
    parts = [
        f"models: {len(done)} mirrored, {len(entries) - len(worked)} unchanged",
        *_counted(
            {
                "failed": [entry.table for entry in worked if entry.status in ("error", "running")],
                "not on the server": [entry.table for entry in worked if entry.status == "skipped"],
                "with rows that were wrong until now and have been repaired": repaired_tables(outcomes),
            }
        ),
    ]
    rows = (
        f"{sum(entry.rows_inserted for entry in done)} inserted, {sum(entry.rows_updated for entry in done)} updated, "
        f"{sum(entry.rows_deleted for entry in done)} deleted"
    )
    return f"{', '.join(parts)}; rows: {rows}."


def verification_note(outcomes: Sequence[Outcome]) -> str:
    """Sum up a run that compares."""
    found = {item: item.missing + item.extra + item.stale + item.differing for item in outcomes}
    parts = [
        f"compared with Odoo: {counted(sum(item.rows for item in outcomes), 'row')}; tables: "
        f"{sum(not number for number in found.values())} equal",
        *_counted(
            {
                "different": [item.table for item, number in found.items() if number > item.repaired],
                "wrong until now and repaired": repaired_tables(outcomes),
            }
        ),
    ]
    return f"{', '.join(parts)}."


def repaired_tables(outcomes: Iterable[Outcome]) -> list[str]:
    """Return the tables in which rows were wrong and had to be repaired, each with how many."""
    return [f"{item.table}: {item.corrected}" for item in outcomes if item.corrected]


def named(tables: Sequence[str]) -> str:
    """List the first ones, and how many more there are."""
    more = f" and {len(tables) - _MOST_NAMED} more" if len(tables) > _MOST_NAMED else ""
    return ", ".join(tables[:_MOST_NAMED]) + more


def _counted(tables: dict[str, list[str]]) -> Iterable[str]:
    return (f"{len(some)} {what} ({named(some)})" for what, some in tables.items() if some)
