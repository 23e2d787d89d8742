"""The note of a run: counts and table names only, since everybody who sees the DAG can read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from odoo_shadow.shadow.state.sync_log import LogEntry
from odoo_shadow.shadow.state.verifications import Outcome
from odoo_shadow.text.amounts import counted

_MOST_NAMED = 10

REPAIRED = "odoo_shadow_repaired"
"""The key of the XCom in which a report leaves the tables with rows that were wrong and have been repaired."""

DRY_RUN_NOTE = "a dry run, so nothing was written; the log of the task report lists what a run would do."


def sync_note(entries: Sequence[LogEntry], outcomes: Sequence[Outcome], *, has_planned: bool, has_settled: bool) -> str:
    """Sum up a run that mirrors.

    :param has_planned: whether the models with work were found; otherwise nothing was mirrored.
    :param has_settled: whether what comes after the models was done, all of it.
    """
    if not has_planned:
        return "nothing was mirrored, since the task plan failed: the last line of its log says why."
    worked = [entry for entry in entries if not entry.is_unchanged]
    done = [entry for entry in worked if entry.status == "success"]
    parts = [
        f"models: {len(done)} mirrored, {len(entries) - len(worked)} unchanged",
        *_counted(
            {
                "failed": [entry.table for entry in worked if entry.status in ("error", "running")],
                "not on the server": [entry.table for entry in worked if entry.status == "skipped"],
                "with rows that were wrong until now and have been repaired": repaired_tables(outcomes),
                "with rows that differ from Odoo": [item.table for item in outcomes if item.left],
            }
        ),
    ]
    inserted = sum(entry.rows_inserted for entry in worked)  # what failed has committed some as well
    updated, deleted = (sum(entry.rows_updated for entry in worked), sum(entry.rows_deleted for entry in worked))
    rows = f"{inserted} inserted, {updated} updated, {deleted} deleted"
    return f"{', '.join(parts)}; rows: {rows}{'' if has_settled else '; the task settle did not succeed'}."


def knowledge_note(
    documents: Sequence[Mapping[str, str | int]],
    embeddings: Sequence[Mapping[str, str | int]],
    failed: Mapping[str, int],
) -> str:
    """Sum up what became of documents and embeddings.

    :param documents: what the tasks that have succeeded say, as `embeddings`.
    :param failed: tasks that have failed, by their name.
    """
    kinds = ("documents", "added", "changed", "removed")
    total, added, changed, removed = (sum(int(item[kind]) for item in documents) for kind in kinds)
    made = sum(int(item["made"]) for item in embeddings)
    parts = [
        f"Documents: {total}, of which {added} added and {changed} changed, {removed} removed; embeddings made: {made}",
        *(f"tasks {name} that failed: {number}" for name, number in failed.items() if number),
    ]
    return f"{'; '.join(parts)}."


def verification_note(outcomes: Sequence[Outcome], failed: int) -> str:
    """Sum up a run that compares.

    :param failed: tasks that have failed; what they compared differs, or they could not compare.
    """
    found = {item: item.left + item.repaired for item in outcomes}
    parts = [
        f"compared with Odoo: {counted(sum(item.rows for item in outcomes), 'row')}; tables: "
        f"{sum(not number for number in found.values())} equal",
        *_counted(
            {
                "different, or not compared as a whole": [item.table for item in outcomes if item.left],
                "wrong until now and repaired": repaired_tables(outcomes),
            }
        ),
    ]
    return f"{', '.join(parts)}{f'; tasks that failed: {failed}' if failed else ''}."


def repaired_tables(outcomes: Iterable[Outcome]) -> list[str]:
    """Return the tables in which rows were wrong and had to be repaired, each with how many."""
    return [f"{item.table}: {item.corrected}" for item in outcomes if item.corrected]


def named(tables: Sequence[str]) -> str:
    """List the first ones, and how many more there are."""
    more = f" and {len(tables) - _MOST_NAMED} more" if len(tables) > _MOST_NAMED else ""
    return ", ".join(tables[:_MOST_NAMED]) + more


def _counted(tables: dict[str, list[str]]) -> Iterable[str]:
    return (f"{len(some)} {what} ({named(some)})" for what, some in tables.items() if some)
