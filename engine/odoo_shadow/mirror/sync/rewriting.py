"""Opens a table to write single rows again, read as its last run read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from odoo_shadow.mirror.config.model_settings import ModelSettings, read_as
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.identity import check_model
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.origin import check_binding
from odoo_shadow.mirror.shape.describe import read_layout
from odoo_shadow.mirror.shape.hash_keys import known_key
from odoo_shadow.mirror.shape.rows import RowBuilder
from odoo_shadow.mirror.sync.refusals import unreadable_error
from odoo_shadow.mirror.sync.scan import TableWriter
from odoo_shadow.mirror.sync.table_hold import hold_table
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state import registry
from odoo_shadow.shadow.tables.ids import LiveIds, add_mark_column
from odoo_shadow.shadow.tables.present import known_columns
from odoo_shadow.shadow.tables.row_hash import RowHash
from odoo_shadow.source.port import Source


class OtherReadingError(MirrorConfigurationError):
    """A table was read with another login or other settings, so single rows of it cannot be read again."""


@contextmanager
def rewriting(
    odoo: Source,
    shadow: ShadowDatabase,
    model: str,
    *,
    run: Run,
    options: MirrorOptions,
    metadata: Mapping[str, object],
) -> Iterator[TableWriter]:
    """Hold a mirrored model's table, and write rows into the columns that it has.

    :param metadata: further keys of the log entry.
    :raises OtherReadingError: it was mirrored with another login or other settings: a run is needed first.
    :raises ShadowOwnershipError: Odoo's database is another one, or an older state.
    :raises OdooUnreadableRecordsError: at the end: Odoo could not give some records.
    :raises RefusedRecordsError: at the end: the table could not take some.
    :raises OdooError, ShadowError: one side could not be asked.
    """
    check_binding(odoo, shadow)
    check_model(odoo, shadow, model)
    with shadow.transaction() as tx:
        kept = registry.read_settings(tx, registry.name_table(tx, model))
        key_id = known_key(tx, odoo.access.hash_secret)
    settings = ModelSettings.from_text(kept.settings)
    reading = read_as(odoo.access, settings, key_id)
    if kept.read_as != reading:
        raise OtherReadingError(
            f"{model} was mirrored as {kept.read_as}, and its rows cannot be read again as {reading}: "
            "run a sync with this connection first."
        )
    layout = read_layout(odoo, model, settings, unreadable=kept.unreadable).without(kept.unreadable_fields)
    options = options.resolved(kept.on_delete)
    with hold_table(shadow, model, run, options, metadata) as hold:
        with hold.transaction() as tx:
            if options.removal.marks:
                add_mark_column(tx, hold.table)
            live = LiveIds.of(tx, hold.table)
            own = known_columns(tx, hold.table)
            hashed = [item.column for item in layout.columns if item.column.name in own]
            row_hash = RowHash.of(tx, hold.table, hashed)
        known = layout.restricted(own)
        writer = TableWriter(hold, known, RowBuilder(known), row_hash, revive=live.has_marks)
        yield writer
        if writer.unreadable:
            raise unreadable_error(layout.model, writer.unreadable)
        with hold.transaction() as tx:
            registry.recount_rows(tx, hold.table, live.count_all(tx))
            hold.release(tx)
