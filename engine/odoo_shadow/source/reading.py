"""What is read of a model: its fields, its own filter, the same records in other languages and companies."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from odoo_shadow.source.types import Domain

BEFORE_ALL = -(2**63) - 1
"""Below every id that there can be: SQL views make negative ones, however low (`report.stock.quantity`). As it is no
bigint, a source asks for what comes after it without a lower bound."""

TRANSLATIONS = "translations"
COMPANIES = "companies"


def field_of(key: str) -> str:
    """Return the field that a key of a reading is about."""
    return key.partition("@")[0]


def variant_key(field: str, kind: str) -> str:
    """Return the key under which a record has a field's variants; no field's name contains `@`."""
    return f"{field}@{kind}"


@dataclass(frozen=True)
class Variant:
    """One language or one company in which some fields are read once more.

    A value arrives in the record under `variant_key`, as an object by label.

    :param kind: what differs: `TRANSLATIONS` or `COMPANIES`.
    :param label: the language's code, or the company's id.
    :param is_main: whether the record itself is read in it.
    """

    kind: str
    label: str
    fields: tuple[str, ...]
    is_main: bool = False


@dataclass(frozen=True)
class Labels:
    """The languages or the companies that an Odoo has.

    :param main: the one that a record is read with anyway.
    """

    main: str
    others: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[str]:
        return iter([self.main, *self.others])

    def variants(self, kind: str, fields: tuple[str, ...]) -> list[Variant]:
        """Return what is to be read of some fields."""
        return [Variant(kind, label, fields, is_main=label == self.main) for label in self]


@dataclass(frozen=True)
class Reading:
    """What is read of a model, including archived records.

    :param domain: the records that belong to the mirror at all.
    """

    model: str
    fields: tuple[str, ...]
    domain: Domain = ()
    variants: tuple[Variant, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """What is read in addition to the id: fields, and the keys of their variants."""
        variants = (variant_key(name, item.kind) for item in self.variants for name in item.fields)
        return tuple(dict.fromkeys((*(name for name in self.fields if name != "id"), *variants)))

    def of(self, keys: Iterable[str]) -> Reading:
        """Return what is read when only some keys are wanted."""
        wanted = set(keys)
        variants = (replace(item, fields=tuple(_wanted(item, wanted))) for item in self.variants)
        used = tuple(item for item in variants if item.fields)
        needed = wanted.union(*(item.fields for item in used))  # the main value is in the record itself
        fields = tuple(name for name in self.fields if name == "id" or name in needed)
        return replace(self, fields=fields, variants=used)


def _wanted(variant: Variant, keys: Collection[str]) -> Iterator[str]:
    return (name for name in variant.fields if variant_key(name, variant.kind) in keys)


@dataclass(frozen=True)
class Where:
    """Some of a reading's records: those that meet every condition that is given.

    :param written_since: `write_date` is this moment or a later one.
    :param ids: these alone.
    :param after_id: the id is larger.
    :param up_to_id: the id is at most this.
    """

    written_since: datetime | None = None
    ids: tuple[int, ...] | None = None
    after_id: int = BEFORE_ALL
    up_to_id: int | None = None

    @property
    def asks_for_ids(self) -> bool:
        """Whether a condition is about ids."""
        return self.ids is not None or self.after_id > BEFORE_ALL or self.up_to_id is not None


EVERYWHERE = Where()
"""All records of a reading."""
