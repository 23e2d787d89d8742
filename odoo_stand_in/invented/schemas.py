"""What a stand-in has besides the usual models, by the name of its schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol

import psycopg

from odoo_stand_in.declared.registry import Registry
from odoo_stand_in.declared.schema import Declaration, Flavour
from odoo_stand_in.declared.supplement import OF_BUSINESS, OF_SECRETS, OF_TABLES
from odoo_stand_in.invented import awkward, odd, secrets, tables, wide
from odoo_stand_in.invented.business.trade import Business
from odoo_stand_in.invented.generator import Generator
from odoo_stand_in.invented.trade import Trade


class Trading(Protocol):
    """What the invented companies trade, made for a seed and a scale."""

    @property
    def end(self) -> datetime | None:
        """When the history ends: None is now."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows models have, where that is not as usual."""

    def populate(self, generator: Generator) -> None:
        """Make the rows of all trading models."""


@dataclass(frozen=True)
class Schema:
    """Models and fields of an invented server, and what fills them; `captured` are models that others do without."""

    models: Callable[[], Iterable[Declaration]]
    populate: Callable[[Generator], None] = lambda _generator: None
    company_values: Callable[[psycopg.Connection[Any], Registry], None] = lambda _connection, _registry: None
    captured: Iterable[str] = ()
    trade: Callable[[int, float], Trading] = Trade


SCHEMAS: Mapping[str, Schema] = {
    "standard": Schema(awkward.custom),
    "awkward": Schema(awkward.models, awkward.populate, awkward.company_values),
    "business": Schema(awkward.custom, captured=OF_BUSINESS, trade=Business),
    "secrets": Schema(lambda: secrets.MODELS, secrets.populate, secrets.company_values, OF_SECRETS),
    "tables": Schema(tables.models, tables.populate, tables.company_values, OF_TABLES),
    "wide": Schema(wide.models, wide.populate),
    "wide, but few": Schema(partial(wide.models, wide.FEW), wide.populate),
}


def registry_of(flavour: Flavour, schema: str = "standard") -> Registry:
    """Return the models of a new server."""
    chosen = SCHEMAS[schema]
    return Registry(flavour, [*odd.MODELS, *chosen.models()], chosen.captured)
