"""The state of a mirror, from the shadow alone: the values that `status`, Airflow and programs show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import sql

from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.health.documents import DocumentsHealth, as_entries, embedding_entry
from odoo_shadow.mirror.health.marts import MartHealth
from odoo_shadow.mirror.health.marts import as_entry as mart_entry
from odoo_shadow.mirror.pace import late_proof
from odoo_shadow.mirror.shape.refused_fields import REFUSED
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.owners.made_objects import mirror_schemas
from odoo_shadow.shadow.relations import META
from odoo_shadow.shadow.state.documents import as_documents, glances_of_documents
from odoo_shadow.shadow.state.marts import as_marts, glances_of_marts
from odoo_shadow.shadow.state.overview import Glance, glances
from odoo_shadow.shadow.state.schema import Origin, schema_version
from odoo_shadow.shadow.state.verifications import Compared
from odoo_shadow.shadow.state.visible import Visible, as_origin, look_at, read_values
from odoo_shadow.shadow.views.public_views import PUBLIC, foreign_among, in_the_way, unexplained
from odoo_shadow.text.amounts import counted, first_of

_NOT_FOR_READERS = "only the sync's role can see the error's message"
_MOST_NAMED = 5


@dataclass(frozen=True)
class TableHealth:
    """The state of one table.

    :param lag: since the watermark; None before the first load has ended. What Odoo wrote later may not be here yet.
    :param proven_up_to: each row has been compared with Odoo, cell by cell, since then.
    :param verified: the last comparison of the whole table, by `verify`.
    :param differed: the last slice in which a run found rows that differed.
    :param failed_runs: since the last good one.
    :param late: how late its proof is, and what to do; empty if it is not late.
    :param not_mirrored: fields that are left out because Odoo does not return records with them.
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
        """How many runs failed since the last good one, and the last error; empty if none did."""
        if not self.failed_runs:
            return ""
        runs = counted(self.failed_runs, "failed run")
        return f"{runs} since its last good run: {self.last_error or _NOT_FOR_READERS}"

    @property
    def refused(self) -> str:
        """The fields that Odoo refuses, in words; empty if there are none."""
        return f"{REFUSED}: {', '.join(self.not_mirrored)}" if self.not_mirrored else ""

    @property
    def problems(self) -> tuple[str, ...]:
        """All problems, a sentence each."""
        return tuple(text for text in (self.failing, self.late, self.refused) if text)


@dataclass(frozen=True)
class MirrorHealth:
    """The state of a mirror.

    :param origin: the Odoo database that it mirrors; None if the role must not see it.
    :param problems: those of the mirror as a whole: what keeps people from reading it under its names.
    :param marts: those that are made of this mirror, and may be read.
    :param more_marts_schemas: how many more schemas of marts there are, of this mirror or others, that were not read.
    """

    schema: str
    origin: Origin | None
    tables: tuple[TableHealth, ...]
    problems: tuple[str, ...]
    marts: tuple[MartHealth, ...]
    more_marts_schemas: int
    documents: DocumentsHealth

    @property
    def failing(self) -> tuple[TableHealth, ...]:
        """Tables whose last run failed."""
        return tuple(item for item in self.tables if item.failed_runs)

    @property
    def is_well(self) -> bool:
        """Whether all tables' last runs were good, people can read them, and no mart differs from Odoo."""
        return not self.failing and not self.problems and not any(mart.difference for mart in self.marts)


def read_health(tx: Transaction, now: datetime) -> MirrorHealth:
    """Read the state of the mirror; writes nothing.

    :raises MirrorConfigurationError: there is no mirror in the schema.
    :raises ShadowOwnershipError: something that the sync would use belongs to a role that is not trusted.
    """
    return read_mirror(tx, now)[0]


def read_mirror(
    tx: Transaction, now: datetime, more: Callable[[Visible], Sequence[sql.Composable]] = lambda _: ()
) -> tuple[MirrorHealth, Sequence[Any]]:
    """Read the state of the mirror by three queries, and what else a caller wants to know by one of them.

    Only names in `public` that are not plainly a mirror's cost further queries.

    :param more: returns the expressions for that, as `read_values` takes them.
    :raises MirrorConfigurationError: there is no mirror in the schema.
    :raises ShadowOwnershipError: something that the sync would use belongs to a role that is not trusted.
    """
    visible, (origin, unexplained_names, marts, documents, *values) = look(
        tx,
        lambda visible: (
            visible.origin(tx),
            _unexplained(tx, visible),
            glances_of_marts(tx, visible),
            glances_of_documents(tx, visible),
            *more(visible),
        ),
    )
    found = glances(tx, visible)
    tables = [item.status.table for item in found]
    foreign = foreign_among(tx, unexplained_names, tables) if unexplained_names else []
    health = tuple(as_health(item, now) for item in found)
    problems = (in_the_way(foreign),) if foreign else ()
    state = tuple(MartHealth(mart, now) for mart in as_marts(marts))
    return (
        MirrorHealth(
            schema=tx.schema,
            origin=as_origin(origin),
            tables=health,
            problems=problems,
            marts=state,
            more_marts_schemas=visible.more_marts_schemas,
            documents=DocumentsHealth(as_documents(documents), now),
        ),
        values,
    )


def read_marts(tx: Transaction, now: datetime) -> tuple[tuple[MartHealth, ...], int]:
    """Read the state of the mirror's marts alone, and how many more schemas of marts there are.

    Raises as `read_health` does.
    """
    visible, (found,) = look(tx, lambda visible: (glances_of_marts(tx, visible),))
    return tuple(MartHealth(mart, now) for mart in as_marts(found)), visible.more_marts_schemas


def read_documents(tx: Transaction, now: datetime) -> DocumentsHealth:
    """Read the state of the mirror's documents alone. Raises as `read_health` does."""
    _, (found,) = look(tx, lambda visible: (glances_of_documents(tx, visible),))
    return DocumentsHealth(as_documents(found), now)


def look(tx: Transaction, expressions: Callable[[Visible], Sequence[sql.Composable]]) -> tuple[Visible, Sequence[Any]]:
    """Find out what there is of the mirror, and read the values of some expressions, by two queries.

    :raises MirrorConfigurationError: there is no mirror in the schema.
    :raises ShadowOwnershipError: something that the sync would use belongs to a role that is not trusted.
    """
    visible = look_at(tx)
    values = read_values(tx, visible, expressions(visible)) if visible.may_hold_mirror else None
    if values is None:
        raise MirrorConfigurationError(f"{no_mirror(tx)}: run odoo-shadow sync first.")
    return visible, values


def _unexplained(tx: Transaction, visible: Visible) -> sql.Composable:
    if tx.schema == PUBLIC or not visible.sees_internal:  # only the sync's role can see who owns a view
        return sql.NULL
    tables = sql.SQL("SELECT table_name FROM {}").format(tx.own(META))
    return sql.SQL("SELECT json_agg(name) FROM ({}) AS u (name)").format(unexplained(tx, tables))


def no_mirror(tx: Transaction) -> str:
    """Say that the schema holds no mirror, and which do, as a name may be misspelt. No full stop at the end."""
    others = sorted(mirror_schemas(tx) - {tx.schema})
    named = first_of([f"'{name}'" for name in others], _MOST_NAMED)
    where, meant = ("one in schema", "that") if len(others) == 1 else ("some in schemas", "one of them")
    beside = f" (this database has {where} {named}: correct the schema, --schema, if {meant} is meant)"
    return f"There is no shadow in schema '{tx.schema}'{beside if others else ''}"


def only_elsewhere(tx: Transaction) -> str | None:
    """Say that only other schemas hold a mirror; None if this one does, or none. No full stop at the end."""
    return no_mirror(tx) if not schema_version(tx) and mirror_schemas(tx) - {tx.schema} else None


def as_health(glance: Glance, now: datetime) -> TableHealth:
    """Return the state of one table."""
    item = glance.status
    return TableHealth(
        model=item.model,
        table=item.table,
        rows=item.row_count,
        watermark=item.watermark,
        lag=None if item.watermark is None else max(timedelta(0), now - item.watermark),
        last_sync_at=item.last_sync_at,
        proven_up_to=item.proven_up_to,
        verified=glance.verified,
        differed=glance.differed,
        failed_runs=item.sync_errors,
        last_error=item.last_error if item.sync_errors else None,
        late=late_proof(item, now),
        not_mirrored=tuple(item.unreadable_fields),
    )


def as_document(health: MirrorHealth) -> dict[str, object]:
    """Return a mirror's health for programs."""
    return {
        "schema": health.schema,
        "odoo_url": health.origin.url if health.origin else None,
        "odoo_database": health.origin.database if health.origin else None,
        "source": health.origin.source if health.origin else None,
        "is_well": health.is_well,
        "problems": list(health.problems),
        "models": [_as_entry(item) for item in health.tables],
        "marts": [mart_entry(item) for item in health.marts],
        "more_marts_schemas": health.more_marts_schemas,
        "documents": as_entries(health.documents),
        "embedding_model": embedding_entry(health.documents),
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
