"""Finds and refreshes untracked columns: those whose values change without `write_date`, so that no window shows it.

Tried on Odoo 17.0 and 19.0:

- what core Odoo writes by SQL, as listed in `source/sql_written.toml`, and `parent_path`;
- names that Odoo computes (`display_name`), which change with other records;
- many2many, which may be written from the other side, and which lose records that are deleted there;
- references to models that the run does not mirror, or mirrors partly, or with rows that are gone: PostgreSQL empties
  them when their target is deleted, and merging contacts rewrites them, even required ones;
- properties, whose definition is in another record;
- company-dependent fields, which show a default or the value of the login's own company;
- choices of custom selections, which are renamed by SQL;
- translations, which are imported by SQL, where another language than `en_US` is read;
- fields that were removed and created again under the same name since the last run: Odoo loses the former values.

After each run only these columns are read for all rows, and compared with the shadow in PostgreSQL; rows that differ
are read again whole. In large tables that is done once a day, and at once when what they rest on has changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg import sql

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.pace import MOST_CELLS, is_due_daily
from odoo_shadow.mirror.proof.witness import Witness
from odoo_shadow.mirror.shape.describe import read_layout
from odoo_shadow.mirror.shape.field_types import field_type
from odoo_shadow.mirror.sync.read_ahead import read_ahead
from odoo_shadow.mirror.sync.refusals import unreadable_error
from odoo_shadow.mirror.sync.rewriting import rewriting
from odoo_shadow.shadow.columns import ColumnType
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.differences import Difference
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state import registry
from odoo_shadow.shadow.state.finished import Finished, note_untracked
from odoo_shadow.shadow.state.mirrored_columns import MirroredColumn
from odoo_shadow.shadow.state.proofs import time_in_database
from odoo_shadow.shadow.state.sync_log import CLOSING
from odoo_shadow.shadow.tables.compare import compare_rows
from odoo_shadow.shadow.tables.ids import LiveIds
from odoo_shadow.shadow.tables.merge import Overwrite
from odoo_shadow.shadow.tables.present import known_columns
from odoo_shadow.source.pages import Unreadable
from odoo_shadow.source.port import DEFAULT_LANGUAGE, Source
from odoo_shadow.source.record_names import DISPLAY_NAME, computed_name
from odoo_shadow.source.sql_written import is_written_by_sql
from odoo_shadow.text.amounts import counted
from odoo_shadow.text.log import logger

log = logger(__name__)

_MAKERS = ("create_uid", "write_uid")
"""Every table has them; users are hardly ever deleted, and comparing all tables for that would cost too much."""

_NOWHERE = sql.SQL("false").format()
"""The scope of a comparison that is only about rows that both sides have."""


def untracked_columns(
    model: str, columns: Sequence[MirroredColumn], lang: str | None, watched: Collection[str] = ()
) -> list[str]:
    """Return the columns of a model whose values change without `write_date`.

    :param lang: the language that is read.
    :param watched: tables that report which of their rows go, so that the rows that point to them become due.
    """
    is_foreign = (lang or DEFAULT_LANGUAGE) != DEFAULT_LANGUAGE
    return [item.name for item in columns if _is_untracked(model, item, watched, is_foreign=is_foreign)]


def _is_untracked(model: str, column: MirroredColumn, watched: Collection[str], *, is_foreign: bool) -> bool:
    kind = column.odoo_type
    return (
        field_type(kind).is_untracked
        or column.is_company_dependent
        or column.field in ("parent_path", DISPLAY_NAME)
        or (kind == "many2one" and not (column.points_to in watched or column.field in _MAKERS))
        or (kind == "selection" and column.is_custom)
        or (column.is_translated and (is_foreign or column.column_type == ColumnType.JSONB))
        or is_written_by_sql(model, column.field)
    )


def _rests_elsewhere(column: MirroredColumn) -> bool:
    """Say whether values may change without any change of what the record has in the database."""
    return column.field == DISPLAY_NAME or column.odoo_type == "properties" or column.is_company_dependent


@dataclass(frozen=True)
class UntrackedCheck:
    """The columns of a table that are to be compared.

    :param rests_on: what the values rest on now, None if Odoo was not asked.
    """

    columns: tuple[str, ...]
    rests_on: str | None = None


def remade_columns(table: Finished, identities: Mapping[str, str]) -> list[str]:
    """Return the columns whose fields were removed and created again since all rows were given their values.

    :param identities: of the model's fields, by name, as `Source.field_identities` returns them.
    """
    known = table.identities
    remade = {name for name, identity in identities.items() if name in known and known[name] != identity}
    return [item.name for item in table.columns if item.field in remade]


def due_check(
    odoo: Source, table: Finished, watched: Collection[str], remade: Collection[str]
) -> UntrackedCheck | None:
    """Return what must be compared after a run, None for nothing. Raises an `OdooError`.

    :param watched: tables that report which of their rows go, so that the rows that point to them become due.
    :param remade: columns that must be compared in any case.
    """
    extra = ModelSettings.from_text(table.settings).extra_fields  # each run reads them anyway
    mirrored = [item for item in table.columns if item.field not in extra]
    columns = untracked_columns(table.model, mirrored, odoo.access.lang, watched)
    if table.has_versions:
        resting = {item.name for item in mirrored if _rests_elsewhere(item)}
        columns = [name for name in columns if name in resting]
    if remade and table.row_count:
        return UntrackedCheck(tuple({*columns, *remade}))
    if not columns or not table.row_count:
        return None
    if table.untracked_at is not None and table.untracked_at >= table.started_at:
        return None  # the run itself has read everything
    is_named = any(item.field == DISPLAY_NAME for item in mirrored)
    if table.row_count * len(columns) <= MOST_CELLS and (is_named or not table.has_versions):
        return UntrackedCheck(tuple(columns))
    now_on = _foundations(odoo, table)
    is_due = is_due_daily(table.untracked_at, datetime.now(UTC))
    return UntrackedCheck(tuple(columns), now_on) if is_due or now_on != table.rests_on else None


def _foundations(odoo: Source, table: Finished) -> str:
    properties = [item.field for item in table.columns if item.odoo_type == "properties"]
    has_companies = any(item.is_company_dependent for item in table.columns)
    about = computed_name(table.model) if any(item.field == DISPLAY_NAME for item in table.columns) else None
    related = about.rests_on if about is not None else ()
    return odoo.foundations(table.model, properties, company_dependent=has_companies, related=related)


def refresh_untracked(
    odoo: Source, shadow: ShadowDatabase, table: Finished, check: UntrackedCheck, *, run: Run, options: MirrorOptions
) -> RowCounts:
    """Compare columns of all rows with Odoo's, and read rows again that differ.

    :raises MirrorConfigurationError: the table was mirrored with another login or other settings.
    :raises OdooError, ShadowError: it could not be done.
    """
    with shadow.transaction() as tx:
        begun_at = time_in_database(tx)
    stale = _differing(odoo, shadow, table, check.columns, options.batch_size)
    if stale:
        changed = counted(len(stale), "row has changed", "rows have changed")
        log.info("%s: %s without write_date", table.model, changed)
        with rewriting(odoo, shadow, table.model, run=run, options=options, metadata={CLOSING: "untracked"}) as writer:
            writer.write_ids(odoo, stale, options.batch_size, Overwrite.ALL)
            if not writer.unreadable:
                with writer.hold.transaction() as tx:
                    note_untracked(tx, table.table, begun_at, check.rests_on)
        return writer.hold.counts
    with shadow.transaction() as tx:
        note_untracked(tx, table.table, begun_at, check.rests_on)
    return RowCounts()


def _differing(
    odoo: Source, shadow: ShadowDatabase, table: Finished, columns: Sequence[str], page_size: int
) -> list[int]:
    """Return the ids of rows that both sides have, with other values in some columns."""
    with shadow.transaction() as tx:
        kept, live = registry.read_settings(tx, table.table), LiveIds.of(tx, table.table)
        up_to_id, own = live.highest(tx), known_columns(tx, table.table)
    layout = read_layout(odoo, table.model, ModelSettings.from_text(kept.settings), unreadable=kept.unreadable)
    narrow = layout.without(kept.unreadable_fields).restricted(own.intersection(columns))
    witness = Witness(narrow, odoo.access.hash_secret)
    found: list[int] = []
    unreadable: list[Unreadable] = []
    for page in read_ahead(odoo.pages(narrow.reading, up_to_id=up_to_id, page_size=page_size)):
        unreadable += [page.unreadable] if page.unreadable else []
        rows, doubtful = witness.rows(page.records)
        with shadow.transaction() as tx:
            differences = compare_rows(tx, live, witness.columns, rows, _NOWHERE, beyond=doubtful)
        found += [record_id for record_id, kind in differences.items() if kind is not Difference.MISSING]
    if unreadable:
        raise unreadable_error(table.model, unreadable)
    return sorted(found)
