"""Records of which Odoo lists the ids, but which it does not give when they are read.

A read drops what is gone since it began, and Odoo drops as silently what it cannot read: `_read_format` in Odoo 17.0
and 19.0 passes over a `MissingError`. Only a list of ids and a second look tell which is which.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from odoo_shadow.source.api.answers import is_id, misfit
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.reading import ARCHIVED_TOO, Reading, add_variants
from odoo_shadow.source.types import Domain, Record

MOST_WITHHELD = 1_000
"""Records of one scan of which Odoo lists the ids, but gives nothing; with more, something else is wrong."""

WITHHELD = "it lists the record, but gives nothing of it"
"""Why such a record is not mirrored."""


DROPPED = "it lists them, but drops them when they are read"
"""Why fields are left out with which Odoo gives nothing, not even an error."""


def complete(
    client: OdooClient,
    reading: Reading,
    domain: Domain,
    records: Sequence[Record],
    missing: Collection[int],
    *,
    can_split: bool,
) -> tuple[list[Record], list[int]]:
    """Read once more what is missing among records.

    Returns all records by ascending id, and the ids of those that Odoo still lists, but does not give.

    :param domain: what all of them match.
    """
    wanted = set(missing)
    these = [*domain, ("id", "in", sorted(wanted))]
    before = client.received_bytes
    more = client.search_read(
        reading.model, these, reading.fields, order="id", context=ARCHIVED_TOO, can_split=can_split
    )
    found = {item: record for record in more if is_id(item := record.get("id")) and item in wanted}
    if len(found) < len(more):
        raise misfit(f"{client.connection}: {reading.model}", "records that were not asked for")
    for item in add_variants(client, reading, more, since=before):
        del found[item]
    withheld = still_listed(client, reading, domain, wanted - found.keys())
    kept = {item: record for record in records if is_id(item := record["id"])}
    whole = {item: record for item, record in {**kept, **found}.items() if item not in withheld}
    return [whole[item] for item in sorted(whole)], sorted(withheld)


def still_listed(client: OdooClient, reading: Reading, domain: Domain, ids: Collection[int]) -> set[int]:
    """Return those ids that Odoo lists among the records that match a domain."""
    if not ids:
        return set()
    found = set(client.search(reading.model, [*domain, ("id", "in", sorted(ids))], context=ARCHIVED_TOO))
    if 0 in ids and 0 not in found:
        found |= has_zero(client, reading, domain)
    return found.intersection(ids)


def has_zero(client: OdooClient, reading: Reading, domain: Domain) -> set[int]:
    """Return the id 0 if a record has it, as one of an SQL view may: `search` never lists it.

    Odoo 18 takes `("id", "=", 0)` for records without id.
    """
    return (
        {0}
        if client.search_count(reading.model, [*domain, ("id", ">", -1), ("id", "<", 1)], context=ARCHIVED_TOO)
        else set()
    )
