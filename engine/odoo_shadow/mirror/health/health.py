"""How a mirror is, found out from the shadow alone: what a person reads and what a program reads come from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.pace import told_late
from odoo_shadow.mirror.shape.refused_fields import REFUSED
from odoo_shadow.shadow.database import Transaction
from odoo_shadow.shadow.made_objects import mirror_schemas
from odoo_shadow.shadow.state.registry import TableStatus, list_tables
from odoo_shadow.shadow.state.schema import Origin, may_see_internal, recorded_origin, schema_version
from odoo_shadow.shadow.state.verifications import Compared, last_comparisons
from odoo_shadow.shadow.views.public_views import foreign_names, in_the_way
from odoo_shadow.text.amounts import counted, first_of

_NOT_FOR_READERS = "only the sync's role may see what the error says"
_MOST_NAMED = 5


@dataclass(frozen=True)
class TableHealth:
    """How one table is.

    :param lag: since the watermark; None before the first load has ended. What Odoo wrote later may not be here yet.
    :param proven_up_to: each row has been compared with Odoo, cell by cell, since then.
    :param verified: the last comparison of the whole table, by `verify`.
    :param differed: the last slice in which a run found rows that differed.
    :param failed_runs: since the last good one.
    :param late: by how much its proof is older than promised, and what helps; empty if it is not.
    :param not_mirrored: fields that are left out, since Odoo does not give records together with them.
    """

    model: str
    table: str
    rows: int
    watermark: datetime | None
    lag: timedelta | None
    last_sync_at: datetime | None
    proven_up_to: datetime | None
    verified: Compared | None
    differed: Compared | None
    failed_runs: int
    last_error: str | None
    late: str
    not_mirrored: tuple[str, ...]

    @property
    def failing(self) -> str:
        """How its last runs failed; empty if the last one did not."""
        if not self.failed_runs:
            return ""
        runs = counted(self.failed_runs, "failed run")
        return f"{runs} since its last good run: {self.last_error or _NOT_FOR_READERS}"

    @property
    def refused(self) -> str:
        """What Odoo refuses; empty if that is nothing."""
        return f"{REFUSED}: {', '.join(self.not_mirrored)}" if self.not_mirrored else ""

    @property
    def problems(self) -> tuple[str, ...]:
        """All that is to be told, a sentence each."""
        return tuple(text for text in (self.failing, self.late, self.refused) if text)


@dataclass(frozen=True)
class MirrorHealth:
    """How a mirror is.

    :param origin: the Odoo database that it mirrors; None for those who may not know.
    :param problems: of the mirror itself: what keeps people from reading it under its names.
    """

    schema: str
    origin: Origin | None
    tables: tuple[TableHealth, ...]
    problems: tuple[str, ...]

    @property
    def failing(self) -> tuple[TableHealth, ...]:
        """Tables whose last run failed."""
        return tuple(item for item in self.tables if item.failed_runs)

    @property
    def is_well(self) -> bool:
        """Whether every table's last run was good, and nothing keeps people from reading them."""
        return not self.failing and not self.problems


def look_at_mirror(tx: Transaction, now: datetime) -> MirrorHealth:
    """Find out how the mirror is; writes nothing.

    :raises MirrorConfigurationError: there is no mirror in the schema.
    :raises ShadowOwnershipError: something that the sync would use belongs to a role that is not trusted.
    """
    if not schema_version(tx):
        raise MirrorConfigurationError(f"{no_mirror(tx)}: run odoo-shadow sync first.")
    sees_all = may_see_internal(tx)
    tables = list_tables(tx, with_errors=sees_all)
    compared, slices = last_comparisons(tx)
    health = tuple(_table(item, compared, slices, now) for item in tables)
    # Whose a view is only the sync's role can tell.
    foreign = foreign_names(tx, [item.table for item in tables]) if sees_all else []
    return MirrorHealth(tx.schema, recorded_origin(tx), health, (in_the_way(foreign),) if foreign else ())


def no_mirror(tx: Transaction) -> str:
    """Say that the schema holds no mirror, and which do: a name may be mistyped. No full stop at the end."""
    others = sorted(mirror_schemas(tx) - {tx.schema})
    named = first_of([f"'{name}'" for name in others], _MOST_NAMED)
    where, meant = ("one in schema", "that") if len(others) == 1 else ("some in schemas", "one of them")
    beside = f" (this database has {where} {named}: correct the schema, --schema, if {meant} is meant)"
    return f"There is no shadow in schema '{tx.schema}'{beside if others else ''}"


def only_elsewhere(tx: Transaction) -> str | None:
    """Say that only other schemas hold a mirror; None if this one does, or none. No full stop at the end."""
    return no_mirror(tx) if not schema_version(tx) and mirror_schemas(tx) - {tx.schema} else None


def _table(
    item: TableStatus, compared: Mapping[str, Compared], slices: Mapping[str, Compared], now: datetime
) -> TableHealth:
    return TableHealth(
        model=item.model,
        table=item.table,
        rows=item.row_count,
        watermark=item.watermark,
        lag=None if item.watermark is None else max(timedelta(0), now - item.watermark),
        last_sync_at=item.last_sync_at,
        proven_up_to=item.proven_up_to,
        verified=compared.get(item.table),
        differed=slices.get(item.table),
        failed_runs=item.sync_errors,
        last_error=item.last_error if item.sync_errors else None,
        late=told_late(item, now),
        not_mirrored=tuple(item.unreadable_fields),
    )


def as_document(health: MirrorHealth) -> dict[str, object]:
    """Return a mirror's health for programs."""
    return {
        "schema": health.schema,
        "odoo_url": health.origin.url if health.origin else None,
        "odoo_database": health.origin.database if health.origin else None,
        "is_well": health.is_well,
        "problems": list(health.problems),
        "models": [_as_entry(item) for item in health.tables],
    }


def _as_entry(item: TableHealth) -> dict[str, object]:
    return {
        "model": item.model,
        "table": item.table,
        "rows": item.rows,
        "watermark": item.watermark,
        "lag_seconds": None if item.lag is None else round(item.lag.total_seconds()),
        "last_sync_at": item.last_sync_at,
        "proven_up_to": item.proven_up_to,
        "last_verification": _as_outcome(item.verified),
        "last_proof_that_differed": _as_outcome(item.differed),
        "failed_runs": item.failed_runs,
        "last_error": item.last_error,
        "not_mirrored": list(item.not_mirrored),
        "problems": list(item.problems),
    }


def _as_outcome(found: Compared | None) -> dict[str, object] | None:
    if found is None:
        return None
    return {
        "compares": found.compares,
        "at": found.started_at,
        "is_equal": found.is_equal,
        "rows": found.rows,
        "missing": found.missing,
        "extra": found.extra,
        "stale": found.stale,
        "differing": found.differing,
        "newer": found.newer,
        "repaired": found.repaired,
        "not_given": found.uncompared,
        "seconds": found.seconds,
    }
