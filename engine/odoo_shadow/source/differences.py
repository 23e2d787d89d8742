"""Where Odoo's own database legitimately says something else than its API, by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class FieldRows:
    """A field, and in how many of its model's rows the two differ."""

    model: str
    field: str
    rows: int


@dataclass(frozen=True)
class Differences:
    """What differs in the fields of some models.

    :param archived: many2many whose rows have links to archived records, which the API does not list.
    :param digits: exact numbers of which the API sends the nearest double only.
    :param large: whole numbers so large that the API's arrive rounded, and are refused.
    :param computed: model and name of fields that no table has; the API beside gives them, if there is one.
    :param ruled: models that have record rules, whomever they restrict; None where the role may not read the rules.
    :param queries: models without a table that somebody may read: made of a query in Odoo's code, if they are not
        abstract; of the whole database. Empty where the role may not read who may.
    :param not_counted: models that were not counted, because it takes too long or they cannot be read.
    """

    archived: tuple[FieldRows, ...]
    digits: tuple[FieldRows, ...]
    large: tuple[FieldRows, ...]
    computed: tuple[tuple[str, str], ...]
    ruled: tuple[str, ...] | None
    queries: tuple[str, ...]
    not_counted: tuple[str, ...]


@runtime_checkable
class KnowsDifferences(Protocol):
    """A source that can say where it differs from the API."""

    def differences(self, fields: Mapping[str, Collection[str]], *, within: timedelta) -> Differences:
        """Look for what differs, with one statement for each model at most.

        :param fields: the fields that are read, by model.
        :param within: how long the server may count, for all models together.
        :raises OdooError: the database could not be asked at all.
        """
