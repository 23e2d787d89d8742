"""Lists what a mirror holds or would hold: rows, columns, size, last sync; and what it leaves out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.hidden import hidden_of
from odoo_shadow.mirror.shape.describe import read_layout
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.names import table_name
from odoo_shadow.shadow.state.schema import schema_version
from odoo_shadow.shadow.state.sizes import TableSize, table_sizes
from odoo_shadow.source.errors import OdooError
from odoo_shadow.source.port import Source

BYTES_PER_CELL = 26
"""An estimate: 66 columns of `res.partner` took 1.7 kB per row (Odoo 17.0, demo data)."""


@dataclass(frozen=True)
class ModelEntry:
    """One model of a mirror.

    :param rows: records in Odoo that the mirror takes; None when Odoo does not say.
    :param columns: of the table, without the project's own.
    :param size: bytes of the table with its indexes, an estimate while there is no table.
    :param left_out_fields: because they hold credentials, the settings say so, or the source cannot give them;
        `left_out_because` has the reasons.
    :param refused_fields: fields with which Odoo does not return records, as the last run found.
    :param hidden_rows: how many of the rows the API's login does not see; None if they are read by it, or if it is not
        beside Odoo's own database.
    :param hidden_fields: which of the mirrored fields it does not see.
    :param problem: why it cannot be mirrored.
    """

    model: str
    table: str
    rows: int | None = None
    columns: int | None = None
    size: int | None = None
    size_is_guess: bool = True
    rows_mirrored: int | None = None
    last_sync_at: datetime | None = None
    left_out_fields: tuple[str, ...] = ()
    refused_fields: tuple[str, ...] = ()
    left_out_because: Mapping[str, str] = field(default_factory=dict)
    hidden_rows: int | None = None
    hidden_fields: tuple[str, ...] = ()
    problem: str | None = None


def take_inventory(
    odoo: Source,
    shadow: ShadowDatabase | None,
    models: Sequence[str],
    settings: Callable[[str], ModelSettings],
) -> list[ModelEntry]:
    """Read the entries of models, with two calls each; writes nothing. An error of one model is in its entry.

    :param shadow: None for Odoo's side only.
    """
    sizes = _sizes(shadow, models) if shadow is not None else {}

    def entry(model: str) -> ModelEntry:
        try:
            return _entry(odoo, model, settings(model), sizes.get(model))
        except (OdooError, MirrorConfigurationError) as error:
            return ModelEntry(model, table_name(model), problem=str(error))

    with ThreadPoolExecutor(odoo.access.parallel, thread_name_prefix="odoo-inventory") as pool:
        return list(pool.map(entry, models))


def _sizes(shadow: ShadowDatabase, models: Sequence[str]) -> dict[str, TableSize]:
    with shadow.transaction() as tx:
        return table_sizes(tx, models) if schema_version(tx) else {}


def _entry(odoo: Source, model: str, settings: ModelSettings, known: TableSize | None) -> ModelEntry:
    refused = known.unreadable_fields if known else []
    layout = read_layout(odoo, model, settings).without(refused)
    rows = odoo.count(layout.reading)
    columns = len(layout.all_columns)
    left_out = {**layout.not_given, **layout.left_out}
    hidden = hidden_of(odoo, layout.reading, rows, layout.reading.fields)
    return ModelEntry(
        model=model,
        table=known.table if known else table_name(model),
        rows=rows,
        columns=columns,
        size=known.size if known and known.size else rows * columns * BYTES_PER_CELL,
        size_is_guess=not (known and known.size),
        rows_mirrored=known.row_count if known else None,
        last_sync_at=known.last_sync_at if known else None,
        left_out_fields=tuple(sorted(left_out)),
        refused_fields=tuple(sorted({*refused} - left_out.keys())),
        left_out_because=dict(sorted(left_out.items())),
        hidden_rows=None if hidden is None else hidden.rows,
        hidden_fields=hidden.fields if hidden is not None else (),
    )
