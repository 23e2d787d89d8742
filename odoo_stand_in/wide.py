"""A few rows for each of many models."""

from __future__ import annotations

from odoo_stand_in.generator import Generator

ROWS = 4


def populate(generator: Generator) -> None:
    """Make the rows of the wide models."""
    names = [name for name in generator.registry.models if name.startswith("wide.")]
    generator.counts.update(dict.fromkeys(names, ROWS))
    for name in names:
        generator.make(name, lambda number, row: row.update(name=f"Row {number}", active=number % 4 > 0))
        generator.relate_some(name, "partner_ids", 0.5)
