"""Opens a table to write single rows anew, as its last run read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from airflow_provider_odoo_shadow.job.binding import check_binding
from airflow_provider_odoo_shadow.job.describing import read_layout
from airflow_provider_odoo_shadow.job.errors import MirrorConfigurationError
from airflow_provider_odoo_shadow.job.hash_keys import known_key
from airflow_provider_odoo_shadow.job.identity import check_model
from airflow_provider_odoo_shadow.job.refusals import unreadable_error
from airflow_provider_odoo_shadow.job.rows import RowBuilder
from airflow_provider_odoo_shadow.job.run import MirrorOptions, Run
from airflow_provider_odoo_shadow.job.scan import TableWriter
from airflow_provider_odoo_shadow.job.settings import ModelSettings, read_as
from airflow_provider_odoo_shadow.job.table_hold import hold_table
from airflow_provider_odoo_shadow.source.client import OdooClient
from airflow_provider_odoo_shadow.target import registry
from airflow_provider_odoo_shadow.target.database import ShadowDatabase
from airflow_provider_odoo_shadow.target.ids import LiveIds, OnDelete, add_mark_column
from airflow_provider_odoo_shadow.target.present import known_columns
from airflow_provider_odoo_shadow.target.row_hash import RowHash


class OtherReadingError(MirrorConfigurationError):
    """A table's rows are not of those that the login would read now."""


@contextmanager
def rewriting(
    odoo: OdooClient,
    shadow: ShadowDatabase,
    model: str,
    *,
    run: Run,
    options: MirrorOptions,
    metadata: Mapping[str, object],
) -> Iterator[TableWriter]:
    """Hold a mirrored model's table, and write rows into the columns that it has.

    :param metadata: what the log entry says besides.
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
        key_id = known_key(tx, odoo.connection.hash_secret)
    settings = ModelSettings.from_text(kept.settings)
    reading = read_as(odoo.connection, settings, key_id)
    if kept.read_as != reading:
        raise OtherReadingError(
            f"{model} was mirrored as {kept.read_as}, and its rows cannot be read anew as {reading}: "
            "run a sync with this connection first."
        )
    layout = read_layout(odoo, model, settings, unreadable=kept.unreadable).without(kept.unreadable_fields)
    options = replace(options, on_delete=options.removal(kept.on_delete))
    with hold_table(shadow, model, run, options, metadata) as hold:
        with hold.transaction() as tx:
            if options.on_delete is OnDelete.MARK:
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
