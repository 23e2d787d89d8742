"""The same records in other languages and companies."""

from __future__ import annotations

from collections.abc import Sequence

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.domains import context_of
from odoo_shadow.source.errors import misfit
from odoo_shadow.source.reading import Reading, Variant, variant_key
from odoo_shadow.source.types import Json, Record
from odoo_shadow.source.values import is_id


def add_variants(
    client: OdooClient, reading: Reading, records: Sequence[Record], *, since: int | None = None
) -> set[int]:
    """Read records in other languages and companies, and add those values to them.

    Returns the ids of those that some of these reads did not return: they are gone meanwhile, or Odoo drops them.

    :param records: each with an id.
    :param since: the client's `received_bytes` before the records themselves were read.
    :raises OdooLargeAnswerError: they are too large together.
    """
    lacking: set[int] = set()
    if not reading.variants:
        return lacking
    before, can_split = client.received_bytes if since is None else since, len(records) > 1
    by_id = {record["id"]: record for record in records if is_id(record["id"])}
    for record in records:
        record.update({variant_key(name, item.kind): {} for item in reading.variants for name in item.fields})
    for variant in reading.variants if records else ():
        given: set[int] = set()
        others = _read_variant(client, reading, variant, records, can_split=can_split)
        if can_split:
            client.check_size(client.received_bytes - before)
        for other in others:
            record_id = other.get("id")
            if not is_id(record_id) or record_id not in by_id or not other.keys() >= {*variant.fields}:
                raise misfit(f"{client.connection}: {reading.model}", f"records in {variant.label} that do not fit")
            given.add(record_id)
            for name in variant.fields:
                values = by_id[record_id][variant_key(name, variant.kind)]
                if isinstance(values, dict):
                    values[variant.label] = other[name]
        lacking |= by_id.keys() - given
    return lacking


def _read_variant(
    client: OdooClient, reading: Reading, variant: Variant, records: Sequence[Record], *, can_split: bool
) -> Sequence[Record]:
    if variant.is_main:
        return records
    ids: list[Json] = [record["id"] for record in records]
    context = context_of(reading, variant)
    domain = [("id", "in", ids)]
    return client.search_read(reading.model, domain, list(variant.fields), context=context, can_split=can_split)
