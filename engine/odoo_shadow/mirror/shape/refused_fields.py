"""Leaves out refused fields, with which Odoo does not return a model's records, and remembers which these are.

Such fields are found while records are read (`source.api.refused_fields`); the run then continues without them. Their
columns are treated like those of fields that vanished: values that were mirrored before stay and are not updated any
more, the catalogue says since when, and the run that finds such a field fails. Later runs leave the fields out at once,
but each checks whether Odoo gives some of them by now. All are tried again with `full`, when the model's fields change,
when the login can read more models, and when the model is read differently.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.pace import MOST_CELLS, is_due_daily
from odoo_shadow.mirror.shape.describe import read_layout
from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.state import registry
from odoo_shadow.shadow.state.finished import Finished
from odoo_shadow.shadow.state.mirrored_columns import mirrored_columns
from odoo_shadow.shadow.tables.apply_changes import columns_to_fill
from odoo_shadow.shadow.tables.changes import plan_change
from odoo_shadow.source.errors import OdooRefusedFieldsError
from odoo_shadow.source.pages import DEFAULT_PAGE_SIZE
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import field_of
from odoo_shadow.text.log import logger

log = logger(__name__)

_LARGEST_SENT = 2**31 - 1
"""The largest id that every protocol can carry."""

REFUSED = "fields left out because Odoo does not return records with them to this login"
"""How refused fields are introduced, in `status`, `doctor` and `verify`."""

Result = TypeVar("Result")


def leave_out_refused(
    odoo: Source, shadow: ShadowDatabase, layout: Layout, kept: registry.ReadSettings, read_as: str, *, full: bool
) -> Layout:
    """Leave out the fields that an earlier run found refused; if anything has changed, find them again with one record.

    That is also done before the first load of a model that the login may be unable to read, so that its table does not
    get columns that nothing fills.

    :param kept: how the last run read the model.
    :param read_as: what decides which values Odoo gives now.
    :raises OdooError: the record could not be read, and it is not the fields.
    """
    known = kept.unreadable_fields
    if known and kept.read_as == read_as and not full and not kept.unreadable & odoo.readable_models.keys():
        fewer = _without(odoo, layout, known)
        if not _has_other_columns(shadow, fewer, known):
            return fewer
    if known or (kept.read_as != read_as and layout.model not in odoo.readable_models):
        return without_refused(odoo, layout, partial(_try_one, odoo), known=known)
    return layout


def retry_refused_fields(odoo: Source, shadow: ShadowDatabase, table: Finished) -> None:
    """Let the next run mirror refused fields again, if Odoo returns all records with them by now.

    All records are read with only these fields, since one record may have been the cause; usually the first page shows
    it. For a large table that is done as often as for its untracked columns. Raises an `OdooError`.
    """
    refused = table.unreadable_fields
    is_large = table.row_count * len(refused) > MOST_CELLS
    if not refused or (is_large and not is_due_daily(table.untracked_at, datetime.now(UTC))):
        return
    with shadow.transaction() as tx:
        kept = registry.read_settings(tx, table.table)
    layout = read_layout(odoo, table.model, ModelSettings.from_text(kept.settings), unreadable=kept.unreadable)
    given = _given(odoo, layout, refused)
    if given:
        log.info("%s: Odoo returns all records with %s again", table.model, ", ".join(sorted(given)))
        with shadow.transaction() as tx:
            registry.note_unreadable_fields(tx, table.table, refused - given)


def note_refused_fields(
    odoo: Source, shadow: ShadowDatabase, model: str, fields: Collection[str]
) -> MirrorConfigurationError:
    """Let the next run leave out fields that were refused outside of the pages of a run; return the error for it."""
    with shadow.transaction() as tx:
        table = registry.name_table(tx, model)
        known = registry.read_settings(tx, table).unreadable_fields
        registry.note_unreadable_fields(tx, table, known.union(fields))
    return newly_refused_error(odoo, model, {field_of(key) for key in fields})


def _given(odoo: Source, layout: Layout, fields: Collection[str]) -> frozenset[str]:
    """Return those fields with which Odoo returns all records."""
    reading = layout.reading
    left = frozenset(fields).intersection(reading.keys)
    while left:
        try:
            for page in odoo.pages(reading.of(left), up_to_id=_LARGEST_SENT, page_size=DEFAULT_PAGE_SIZE):
                if page.unreadable is not None:
                    return frozenset()
            return left
        except OdooRefusedFieldsError as error:
            left = left.difference(error.fields)
    return left


def _has_other_columns(shadow: ShadowDatabase, layout: Layout, known: Collection[str]) -> bool:
    """Say whether the model's fields, without those that are refused, would change the table's columns."""
    with shadow.transaction() as tx:
        table = registry.name_table(tx, layout.model)
        changes = plan_change(tx, table, [item.column for item in layout.all_columns], layout.left_out).changes
    refused = {field_of(key) for key in known}
    return any(item.column is None or item.column.field not in refused for item in changes)


def _try_one(odoo: Source, layout: Layout) -> Layout:
    """Read one record, if there is one."""
    next(odoo.pages(layout.reading, up_to_id=_LARGEST_SENT, page_size=1))
    return layout


def without_refused(
    odoo: Source, layout: Layout, work: Callable[[Layout], Result], known: Collection[str] = ()
) -> Result:
    """Call `work`, and again without each field that turns out to be refused.

    :param known: refused fields that were reported before.
    """
    while True:
        try:
            return work(layout)
        except OdooRefusedFieldsError as error:
            fewer = _without(odoo, layout, error.fields)
            if len(fewer.all_columns) == len(layout.all_columns):
                raise
            layout = fewer
            unreported = sorted(set(error.fields) - set(known))
            if unreported:
                log.warning(
                    "%s: Odoo does not return records with %s to '%s', so these fields are left out (%s). They are "
                    "tried again with full (--full), and when the model's fields or the login's rights change.",
                    layout.model,
                    ", ".join(unreported),
                    odoo.access.login,
                    error.reason,
                )


def newly_refused_fields(
    tx: Transaction, table: str, layout: Layout, kept: registry.ReadSettings, read_as: str
) -> frozenset[str]:
    """Return fields that are refused now and were mirrored until now; call it before columns change.

    Another login may see less; but what a source cannot give to any login is told after a change of the source, too.

    They are stored until they have been reported: a try may be interrupted before its end.
    """
    refused = {field_of(key) for key in layout.refused}
    unreported = registry.read_lost_fields(tx, table) & refused
    added = refused - {field_of(key) for key in kept.unreadable_fields}
    if kept.read_as != read_as:
        added &= layout.not_given.keys()
    if added and registry.read_status(tx, table).has_been_mirrored:
        unfilled = {item.name for item in columns_to_fill(tx, table)}
        unreported |= added & {item.field for item in mirrored_columns(tx, [table])[table] if item.name not in unfilled}
    registry.note_lost_fields(tx, table, unreported)
    return unreported


def newly_refused_error(odoo: Source, model: str, fields: Collection[str]) -> MirrorConfigurationError:
    """Build the error for refused fields that were mirrored until now."""
    named = ", ".join(sorted(fields))
    return MirrorConfigurationError(
        f"{model}: for '{odoo.access.login}', Odoo does not return records with {named} any more: these columns keep "
        "the values that they had, and all others are up to date. Give the login the right to read these fields, or "
        "name them in exclude_fields; the next runs leave them out, and check whether Odoo gives them again."
    )


def _without(odoo: Source, layout: Layout, refused: Collection[str]) -> Layout:
    """Leave fields out, and note the models that the login cannot read and that may be the cause.

    Once it can read one of them, the next plan lets the fields be tried again.
    """
    fewer = layout.without(refused)
    columns = [item.column for item in layout.all_columns if item.key in refused]
    behind = {layout.model, *(item.description.relation for item in columns if item.description.relation)}
    needed = {item.column.description.relation for item in fewer.columns if item.column.odoo_type == "many2many"}
    hidden = behind - odoo.readable_models.keys() - needed
    return replace(fewer, unreadable=fewer.unreadable | hidden)
