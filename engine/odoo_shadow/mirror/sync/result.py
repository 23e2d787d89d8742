"""What a run did to one table."""

from __future__ import annotations

from dataclasses import dataclass, field

from odoo_shadow.mirror.shape.origins import ColumnOrigin
from odoo_shadow.mirror.sync.deletions import CANNOT_KNOW
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state.watermarks import Watermark
from odoo_shadow.text.amounts import counted


@dataclass(frozen=True)
class MirrorResult:
    """What a run did to one table.

    :param resumed: whether it continued an earlier try.
    :param unstorable_cells: cells with characters that PostgreSQL cannot store.
    :param cannot_know: whether no count could show that the table is complete, because rows that are gone stay.
    :param columns: the table's columns, and the fields that they come from.
    :param calls: how many calls to Odoo it took, tries that failed included.
    """

    model: str
    table: str
    kind: ScanKind
    counts: RowCounts
    watermark: Watermark
    seconds: float
    resumed: bool = False
    unstorable_cells: int = 0
    cannot_know: bool = False
    columns: tuple[ColumnOrigin, ...] = field(default=(), repr=False)
    calls: int = 0

    def __str__(self) -> str:
        """Return one line for a log."""
        resumed = " (resumed)" if self.resumed else ""
        odd = f", {counted(self.unstorable_cells, 'cell')} with characters replaced" if self.unstorable_cells else ""
        unsure = f"; {CANNOT_KNOW}" if self.cannot_know else ""
        return f"{self.model}: {self.kind}{resumed} in {self.seconds:.1f} s, {self.counts}{odd}{unsure}"
