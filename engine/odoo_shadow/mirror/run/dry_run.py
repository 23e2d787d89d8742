"""Finds out what a run would do, without writing anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from odoo_shadow.mirror.clock import lies_ahead
from odoo_shadow.mirror.config.model_settings import ModelSettings, read_as
from odoo_shadow.mirror.hidden import Hidden, hidden_of
from odoo_shadow.mirror.identity import check_model
from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.mirror.origin import check_binding
from odoo_shadow.mirror.shape.describe import read_layout
from odoo_shadow.mirror.shape.hash_keys import known_key
from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.mirror.sync.deletions import check_removal
from odoo_shadow.mirror.sync.id_check import compare_ids
from odoo_shadow.mirror.sync.kept_settings import why_read_again
from odoo_shadow.mirror.sync.model import no_replay
from odoo_shadow.mirror.sync.window import ScanKind, kind_of, low_end
from odoo_shadow.shadow import names
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.install import ensure_base
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.shadow.state import registry, watermarks
from odoo_shadow.shadow.state.schema import schema_version
from odoo_shadow.shadow.state.watermarks import Watermark
from odoo_shadow.shadow.tables.changes import plan_change
from odoo_shadow.shadow.tables.ids import LiveIds
from odoo_shadow.shadow.tables.present import recognize
from odoo_shadow.shadow.tables.tables import Change, ChangeKind, TableChange
from odoo_shadow.shadow.views.public_views import check_public
from odoo_shadow.source.port import Source, beside_of
from odoo_shadow.source.reading import Where
from odoo_shadow.text.amounts import counted, first_of

_MOST_NAMED = 20


@dataclass(frozen=True)
class DryRun:
    """What a run of one model would do now.

    :param rows: records that it would read.
    :param low: only records written since then, None for all.
    :param hidden: what the API's login does not see of the model; None without the API beside Odoo's own database.
    :param gone: rows that are gone from Odoo, which it would delete or mark.
    """

    model: str
    schema: str
    kind: ScanKind
    low: datetime | None
    rows: int
    columns: int
    change: TableChange
    gone: tuple[int, ...] = ()
    on_delete: OnDelete = OnDelete.DELETE
    has_domain: bool = False
    hidden: Hidden | None = None

    def __str__(self) -> str:
        """Return one line for a person."""
        since = "" if self.low is None else f" written since {self.low:%Y-%m-%d %H:%M:%S} UTC"
        if self.kind is ScanKind.NEW_DOMAIN:
            since = " within it" if self.has_domain else ", as the domain was removed,"
        size = f"{counted(self.rows, 'row')} of {counted(self.columns, 'column')}"
        return (
            f"{self.model}: {self.kind}, would read {size}{since} "
            f"into {self.schema}.{self.change.table}{self._removal()}{self._structure()}{self._beyond()}"
        )

    def _removal(self) -> str:
        if not self.gone:
            leaves_some = self.kind is ScanKind.NEW_DOMAIN and self.has_domain and not self.on_delete.removes
            return f"; rows outside of it {self.on_delete.fate}" if leaves_some else ""
        named = first_of(self.gone, _MOST_NAMED)
        where = "outside of the domain or gone from Odoo" if self.has_domain else "gone from Odoo"
        is_or_are = "is" if len(self.gone) == 1 else "are"
        return f"; would {self.on_delete.verb} {counted(len(self.gone), 'row')} that {is_or_are} {where}: {named}"

    def _structure(self) -> str:
        return f"; {self.structure}" if self.structure else ""

    def _beyond(self) -> str:
        return f"; {self.hidden}" if self.hidden else ""

    @property
    def structure(self) -> str:
        """The changes of the table itself, in words."""
        return ", ".join(map(str, self.change.changes))


def dry_run_model(
    odoo: Source,
    shadow: ShadowDatabase,
    model: str,
    *,
    options: MirrorOptions,
    settings: ModelSettings | None = None,
    replay_from: Callable[[str], datetime | None] = no_replay,
) -> DryRun:
    """Find out what `mirror_model` would read, write and create. Raises what it would raise."""
    check_binding(odoo, shadow)
    if not options.full:
        check_model(odoo, shadow, model)
    kept, key_id = _kept_settings(shadow, model, odoo.access.hash_secret)
    layout = read_layout(odoo, model, ModelSettings.from_text(kept.settings) if settings is None else settings)
    layout = layout.without(kept.unreadable_fields)
    if kept.read_as != read_as(odoo.access, layout.settings, key_id):
        odoo.check_language()
    change, watermark, to_fill = _read_table(shadow, layout)
    if watermark is not None and lies_ahead(watermark.last_write_date, odoo.clock().latest):
        watermark = None
    now = replace(kept, read_as=read_as(odoo.access, layout.settings, key_id))
    why_again = why_read_again(kept, now, layout.settings)
    read_all = options.full or not layout.has_write_date or why_again is not None
    low = low_end(watermark, replay_from(change.table), options.look_back, read_all=read_all)
    rows = to_fill + odoo.count(layout.reading, Where(written_since=low))
    options = options.resolved(kept.on_delete)
    return DryRun(
        model,
        shadow.schema,
        why_again or kind_of(watermark, low),
        low,
        rows,
        len(layout.all_columns),
        change,
        () if change.creates or change.is_read_again else _gone(odoo, shadow, layout, change.table, options),
        options.removal,
        bool(layout.settings.domain),
        _hidden(odoo, layout),
    )


def _hidden(odoo: Source, layout: Layout) -> Hidden | None:
    if beside_of(odoo) is None:
        return None
    return hidden_of(odoo, layout.reading, odoo.count(layout.reading), layout.reading.fields)


def _gone(odoo: Source, shadow: ShadowDatabase, layout: Layout, table: str, options: MirrorOptions) -> tuple[int, ...]:
    """Return the rows that a run would remove. Raises `MassDeletionError` where the run would, too."""
    if not options.removal.removes:
        return ()
    with shadow.trial() as tx:
        live = LiveIds.of(tx, table)
        total = live.count_all(tx)
    gone = compare_ids(odoo, layout.reading, live, shadow.trial).gone if total else []
    if gone:
        check_removal(odoo, layout, gone, total, options)
    return tuple(sorted(gone))


def _kept_settings(shadow: ShadowDatabase, model: str, secret: str | None) -> tuple[registry.ReadSettings, UUID | None]:
    """Return how the last run read a model, and the name of the secret."""
    with shadow.trial() as tx:
        if not schema_version(tx):
            check_public(tx, [names.table_name(model)])
            return registry.ReadSettings(None), None
        ensure_base(tx)  # an older schema is upgraded in this transaction only, which is rolled back
        return registry.read_settings(tx, registry.name_table(tx, model)), known_key(tx, secret)


def _read_table(shadow: ShadowDatabase, layout: Layout) -> tuple[TableChange, Watermark | None, int]:
    """Return how the table would change, its watermark, and in how many rows new columns would be filled."""
    columns = [item.column for item in layout.all_columns]
    created = TableChange(names.table_name(layout.model), (Change(ChangeKind.CREATED),), tuple(columns))
    found: tuple[TableChange, Watermark | None, int] = (created, None, 0)
    with shadow.trial() as tx:
        if schema_version(tx):
            ensure_base(tx)  # an older schema is upgraded in this transaction only, which is rolled back
            recognize(tx)
            table = registry.name_table(tx, layout.model)
            change = plan_change(tx, table, columns, layout.left_out)
            to_fill = LiveIds.of(tx, table).total(tx) if change.to_fill else 0
            watermark = None if change.is_read_again else watermarks.read_watermark(tx, table)
            found = change, watermark, to_fill
    return found
