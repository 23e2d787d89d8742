"""Many models with many columns, made by rule: for measuring how planning and schema making grow."""

from __future__ import annotations

from collections.abc import Iterator

from odoo_stand_in.declared.schema import Declaration
from odoo_stand_in.invented.generator import Generator

MODELS = 300
FEW = 6
COLUMNS = 50
ROWS = 4
# One turn of the wheel; it turns until a model has its columns.
_KINDS = (
    "char",
    "char",
    "integer",
    "float",
    "float digits=16,4",
    "monetary",
    "boolean",
    "date",
    "datetime",
    "selection =draft|open|done",
    "text",
    "html",
    "many2one {other}",
    "many2one res.partner",
    "json",
    "char translate",
    "reference =res.partner|res.users",
)


def model_name(number: int) -> str:
    """Return the name of one of the models; they are numbered from 1 on."""
    return f"wide.model.{number:03}"


def models(count: int = MODELS) -> Iterator[Declaration]:
    """Return the models; each looks at the next one, so that the graph of relations is as wide as they are."""
    for number in range(1, count + 1):
        other = model_name(number % count + 1)
        lines = ["name: char required", "active: boolean", "currency_id: many2one res.currency"]
        if number % 3 == 0:
            lines.append("partner_ids: many2many res.partner")
        while len(lines) < COLUMNS:
            kind = _KINDS[(len(lines) + number) % len(_KINDS)]
            lines.append(f"{kind.split()[0]}_{len(lines):02}: {kind.format(other=other)}")
        yield Declaration(model_name(number), f"Wide Model {number}", "\n".join(lines), module=f"wide_{number % 20:02}")


def populate(generator: Generator) -> None:
    """Make the rows of the wide models."""
    names = [name for name in generator.registry.models if name.startswith("wide.")]
    generator.counts.update(dict.fromkeys(names, ROWS))
    for name in names:
        generator.make(name, lambda number, row: row.update(name=f"Row {number}", active=number % 4 > 0))
        generator.relate_some(name, "partner_ids", 0.5)
