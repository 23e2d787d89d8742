"""Records whose ids Odoo lists, but which it drops when they are read.

A read drops records that are gone since it began, and Odoo drops just as silently those that it cannot read:
`_read_format` in Odoo 17.0 and 19.0 passes over a `MissingError`. A list of ids and a second read distinguish them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.domains import ARCHIVED_TOO
from odoo_shadow.source.api.ids import still_listed
from odoo_shadow.source.api.variants import add_variants
from odoo_shadow.source.errors import misfit
from odoo_shadow.source.reading import Reading
from odoo_shadow.source.types import Domain, Record
from odoo_shadow.source.values import is_id

MOST_DROPPED = 1_000
"""Records of one scan that Odoo lists and does not return; with more, something else is wrong."""

DROPPED_WITH_FIELDS = "it lists them, but drops them when they are read"
"""Why fields are left out with which Odoo returns nothing, not even an error."""


def complete(
    client: OdooClient,
    reading: Reading,
    domain: Domain,
    records: Sequence[Record],
    missing: Collection[int],
    *,
    can_split: bool,
) -> tuple[list[Record], list[int]]:
    """Read again what is missing among records.

    Returns all records by ascending id, and the ids of those that Odoo still lists, but does not return.

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
    dropped = still_listed(client, reading, domain, wanted - found.keys())
    kept = {item: record for record in records if is_id(item := record["id"])}
    whole = {item: record for item, record in {**kept, **found}.items() if item not in dropped}
    return [whole[item] for item in sorted(whole)], sorted(dropped)
