"""What Odoo's tables lack, read by API: fields that Odoo computes when it is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from odoo_shadow.source.pages import Page
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import BEFORE_ALL, Reading, Where, variant_key
from odoo_shadow.source.types import Json, Record


@dataclass(frozen=True)
class Split:
    """A reading in two parts.

    :param stored: what the tables have.
    :param computed: what only the API can give; None if that is nothing.
    """

    stored: Reading
    computed: Reading | None


def split(reading: Reading, computed: Sequence[str]) -> Split:
    """Divide a reading: the fields that tables have, and the others.

    :param computed: the fields that tables do not have.
    """
    if not computed:
        return Split(reading, None)
    there = tuple(name for name in reading.fields if name not in computed)
    stored, asked = [], []
    for variant in reading.variants:
        own = tuple(name for name in variant.fields if name not in computed)
        others = tuple(name for name in variant.fields if name in computed)
        stored += [replace(variant, fields=own)] if own else []
        asked += [replace(variant, fields=others)] if others else []
    fields = tuple(name for name in reading.fields if name in computed)
    return Split(
        replace(reading, fields=there, variants=tuple(stored)),
        Reading(reading.model, ("id", *fields), variants=tuple(asked)),
    )


def add_computed(pages: Iterator[Page], source: Source, computed: Reading, page_size: int) -> Iterator[Page]:
    """Add what the API gives to the records of pages. Of a record that the login cannot see, it stays empty."""
    keys = computed.keys
    for page in pages:
        given = dict(_asked(source, computed, page.records, page_size)) if page.records else {}
        for record in page.records:
            found = given.get(record["id"], {})
            for key in keys:
                record[key] = found.get(key, _nothing(computed, key))
        yield page


def _asked(
    source: Source, computed: Reading, records: Sequence[Record], page_size: int
) -> Iterator[tuple[Json, Record]]:
    ids = [one for record in records if isinstance(one := record["id"], int)]
    where = Where(ids=tuple(ids))
    for page in source.pages(computed, where, after_id=BEFORE_ALL, up_to_id=max(ids), page_size=page_size):
        for record in page.records:
            yield record["id"], record


def _nothing(computed: Reading, key: str) -> Json:
    is_variant = any(key == variant_key(name, item.kind) for item in computed.variants for name in item.fields)
    return {} if is_variant else False
