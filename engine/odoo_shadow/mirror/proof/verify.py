"""Verifies whole tables: compares each with Odoo, and repairs what differs; see `comparison`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from odoo_shadow.mirror.identity import check_model
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.origin import check_binding
from odoo_shadow.mirror.proof.comparison import Comparison, checked_version, not_compared
from odoo_shadow.mirror.sync.deletions import remove_ids
from odoo_shadow.mirror.sync.rewriting import rewriting
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.differences import Difference
from odoo_shadow.shadow.state import registry, sync_log
from odoo_shadow.shadow.state.proofs import note_unproven, note_whole_round
from odoo_shadow.shadow.state.verifications import Verification, save_verification
from odoo_shadow.source.names import is_model_name
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import Where
from odoo_shadow.text.amounts import counted
from odoo_shadow.text.log import logger

log = logger(__name__)

_MOST_WARNINGS = 20

_MOST_EXPLAINED = 5
_ON_BOTH_SIDES = (Difference.STALE, Difference.DIFFERING)

QUICK_PAGE = 10_000


class Depth(StrEnum):
    """How much is compared: ids and `write_date`, or every cell."""

    QUICK = "quick"
    FULL = "full"


@dataclass(frozen=True)
class VerifyOptions:
    """How to verify.

    :param repair: read rows that differ again, and remove those that are gone.
    """

    depth: Depth = Depth.FULL
    repair: bool = False


def mirrored_models(shadow: ShadowDatabase) -> list[str]:
    """Return the models that have been or should have been mirrored, by name; none while there is no shadow.

    A model whose first load has never succeeded is included, unless the server does not have it: `verify_model` reports
    what is wrong with it.

    The registry may have been written by another role: names that no model can have are omitted with a warning.
    """
    with shadow.transaction() as tx:
        if not checked_version(tx):
            return []
        skipped = sync_log.skipped_tables(tx)
        listed = registry.list_tables(tx)
        names = [item.model for item in listed if item.has_been_mirrored or item.table not in skipped]
    foreign = [name for name in names if not is_model_name(name)]
    for name in foreign[:_MOST_WARNINGS]:
        log.warning(
            "The registry of schema '%s' lists '%s': refused, because it is not a model's name.", shadow.schema, name
        )
    if len(foreign) > _MOST_WARNINGS:
        log.warning("%d more such names are refused.", len(foreign) - _MOST_WARNINGS)
    return [name for name in names if is_model_name(name)]


def verify_model(
    odoo: Source,
    shadow: ShadowDatabase,
    model: str,
    *,
    run: Run,
    options: MirrorOptions,
    verify: VerifyOptions,
    own: Source | None = None,
) -> Verification:
    """Compare one model's table with Odoo, store the outcome, and repair the table if asked to.

    Rows that change during the comparison are compared again, and not reported; those that Odoo wrote after the last
    sync are counted separately. Rows that are gone from Odoo are treated as in the last sync.

    :param own: the source that the mirror is made from, where `odoo` is another one, which sees other records and
        values: rows that differ only from that are right, and told apart.
    :raises MirrorConfigurationError: the model has no table yet, or was never mirrored.
    :raises OdooUnreadableRecordsError: Odoo does not give records that the shadow holds; all others are compared.
    :raises ShadowOwnershipError: the schema mirrors another Odoo database.
    :raises MassDeletionError: a repair would remove a suspicious share of the rows.
    :raises OdooError, ShadowError: the comparison could not be made.
    """
    check_binding(odoo, shadow)
    check_model(odoo, shadow, model)
    page_size = QUICK_PAGE if verify.depth is Depth.QUICK else options.batch_size
    comparison = Comparison.prepare(
        odoo,
        shadow,
        model,
        page_size,
        compares_cells=verify.depth is Depth.FULL,
        repairs=verify.repair,
        copies=own is not None,
    )
    ids = comparison.run()
    explained = set[int]() if own is None or not ids else _explained(own, shadow, comparison, ids)
    ids = {record_id: kind for record_id, kind in ids.items() if record_id not in explained}
    cells = comparison.first_cells(first_on_both_sides(ids))
    newer = comparison.newer & ids.keys()  # before a repair compares them again
    left: Mapping[int, Difference] = ids
    if verify.repair and ids:
        left = repair_rows(odoo, shadow, comparison, ids, run=run, options=options, metadata={"repair": True})
    unreadable = comparison.unreadable
    found = Verification(
        run_id=run.id,
        table=comparison.live.table,
        kind=str(verify.depth),
        started_at=comparison.started_at,
        seconds=comparison.seconds,
        rows=comparison.rows,
        ids={kind: sorted(i for i, found in ids.items() if found is kind) for kind in Difference},
        newer=len(newer),
        repaired=len(ids) - len(left),
        corrected=len(ids.keys() - left.keys() - newer),
        uncompared=len(unreadable),
        cannot_know=not comparison.on_delete.removes,
        not_compared=tuple(sorted(comparison.layout.refused)),
        cells=cells,
        explained=sorted(explained),
    )
    with shadow.transaction() as tx:
        save_verification(tx, found)
        if verify.depth is Depth.FULL and found.is_settled and not unreadable:
            note_whole_round(tx, found.table, found.seconds, found.rows)
        behind = set[int]() if verify.repair else newer
        doubtful = {*left, *(item.id for item in unreadable)} - behind
        if doubtful:
            note_unproven(tx, found.table, doubtful)
            differ = counted(len(doubtful), "row differs", "rows differ")
            text = f"verify: {differ} from Odoo or cannot be compared; the next run compares them again."
            registry.note_failure(tx, found.table, text)
    if unreadable:
        raise not_compared(model, unreadable)
    return found


def _explained(own: Source, shadow: ShadowDatabase, comparison: Comparison, ids: Mapping[int, Difference]) -> set[int]:
    """Return those rows whose difference is one of what two sources see: of nothing else, it is an error.

    Records that rules hide from the one that sees less; in rows that both see, lists of ids that have less by that one,
    and digits that no double has. In all other cells, both must say the same.
    """
    check_binding(own, shadow)
    witness = comparison.odoo
    if own.access.sees_all == witness.access.sees_all:
        return set()
    kind = Difference.EXTRA if own.access.sees_all else Difference.MISSING
    one_sided = sorted(record_id for record_id, found in ids.items() if found is kind)
    listed = own.ids(comparison.layout.reading, Where(ids=tuple(one_sided))) if one_sided else set[int]()
    explained = {one for one in one_sided if (one in listed) is own.access.sees_all}
    differing = sorted(record_id for record_id, found in ids.items() if found is Difference.DIFFERING)
    if differing:
        lists = comparison.lists(differing)
        less = {
            one: found.ours_have_all if own.access.sees_all else found.theirs_have_all for one, found in lists.items()
        }
        likely = [one for one in differing if less.get(one)]
        explained |= set(likely) - _differing_from(own, shadow, comparison, sorted(likely))
    return explained


def _differing_from(own: Source, shadow: ShadowDatabase, comparison: Comparison, ids: Sequence[int]) -> set[int]:
    """Return those rows that differ from the mirror's own source as well, or cannot be compared with it."""
    if not ids:
        return set()
    mine = Comparison.prepare(own, shadow, comparison.layout.model, comparison.page_size, repairs=False)
    return mine.recheck(ids).keys() | {item.id for item in mine.unreadable}


def first_on_both_sides(ids: Mapping[int, Difference]) -> list[int]:
    """Return the first rows that differ and that both sides have."""
    return sorted(item for item, kind in ids.items() if kind in _ON_BOTH_SIDES)[:_MOST_EXPLAINED]


def repair_rows(
    odoo: Source,
    shadow: ShadowDatabase,
    comparison: Comparison,
    ids: Mapping[int, Difference],
    *,
    run: Run,
    options: MirrorOptions,
    metadata: Mapping[str, object],
) -> dict[int, Difference]:
    """Read rows again that are missing, stale or differing, and remove those that are gone; return what still differs.

    A trigger that somebody agreed to may have changed what was written: only comparing again is proof.

    :param metadata: further keys of the log entry.
    :raises MassDeletionError: it would remove a suspicious share of the rows.
    :raises OdooError, ShadowError: it could not be done.
    """
    options = replace(options, on_delete=comparison.on_delete)
    extra = sorted(record_id for record_id, kind in ids.items() if kind is Difference.EXTRA)
    others = sorted(record_id for record_id, kind in ids.items() if kind is not Difference.EXTRA)
    with rewriting(odoo, shadow, comparison.layout.model, run=run, options=options, metadata=metadata) as writer:
        writer.write_ids(odoo, others, options.batch_size)
        remove_ids(odoo, writer, extra, options)
    return comparison.recheck(sorted(ids))
