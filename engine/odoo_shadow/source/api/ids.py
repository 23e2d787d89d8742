"""Finds which ids there are, without reading any fields."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.domains import ARCHIVED_TOO, BY_ID, conditions, within, written_since
from odoo_shadow.source.errors import OdooRecordIdError, OdooRequestError, misfit, shared_id
from odoo_shadow.source.reading import Reading, Where
from odoo_shadow.source.types import Domain


def highest_id(client: OdooClient, reading: Reading, where: Where) -> int | None:
    """Return the highest id among a reading's records that match; None when there are none.

    Counts first: `mail.message` and `mail.activity` apply a search's limit before they leave out what the login may
    not see (`_search` in Odoo 17.0 and 19.0), so a search for one record may find none although there are others.

    :raises OdooRecordIdError: Odoo refuses to search for the model's records by their ids.
    """
    if not _count_by_id(client, reading, within(reading, conditions(where))):
        return None
    return outermost_id(client, reading, where, lowest=False)


def outermost_id(client: OdooClient, reading: Reading, where: Where, *, lowest: bool) -> int:
    """Return the lowest or the highest id among a reading's records that match, of which there are some.

    It may be one beyond: `search` never lists the id 0, which an SQL view may have.
    """
    domain, order = within(reading, conditions(where)), "id" if lowest else "id desc"
    ids = client.search(reading.model, domain, limit=1, order=order, context=ARCHIVED_TOO)
    ids = ids or [*client.search(reading.model, domain, context=ARCHIVED_TOO), 0]
    return min(ids) if lowest else max(ids)


def nth_id(client: OdooClient, reading: Reading, where: Where, number: int) -> int | None:
    """Return the id of a record by its place in the order of ids; None where the search shows none."""
    domain = within(reading, conditions(where))
    ids = client.search(reading.model, domain, offset=number - 1, limit=1, order="id", context=ARCHIVED_TOO)
    return ids[0] if ids else None


def _count_by_id(client: OdooClient, reading: Reading, domain: Domain) -> int:
    try:
        return client.search_count(reading.model, domain, context=ARCHIVED_TOO)
    except OdooRequestError as error:
        if not _takes_lists_of_ids_only(client, reading.model):
            raise
        asked = f"{client.connection}: {reading.model}"
        raise OdooRecordIdError(
            f"{asked} cannot be searched by id, like other models without a table: it cannot be mirrored; leave "
            f"it out. Odoo says: {error.said or error}"
        ) from None


def _takes_lists_of_ids_only(client: OdooClient, model: str) -> bool:
    """Say whether Odoo finds records by a list of ids and not by a range, so that its refusal is not temporary."""
    try:
        client.search_count(model, [("id", "in", [1])])
    except OdooRequestError:
        return False
    try:
        client.search_count(model, BY_ID)
    except OdooRequestError:
        return True
    return False


def list_ids(client: OdooClient, reading: Reading, where: Where, expected: int | None) -> set[int]:
    """Return the ids of a reading's records in a range.

    :param expected: if fewer are listed, a record with the id 0 is searched for.
    :raises OdooRecordIdError: several records have one id.
    :raises OdooServerError: it lists ids that were not asked for.
    """
    low, high = where.after_id, where.up_to_id
    ids = client.search(reading.model, within(reading, conditions(where)), context=ARCHIVED_TOO)
    found = set(ids)
    if found and not low < min(found) <= max(found) <= (max(found) if high is None else high):
        raise misfit(f"{client.connection}: {reading.model}", f"ids that are not from {low + 1} to {high}")
    if len(found) < len(ids):
        raise shared_id(f"{client.connection}: {reading.model}", _first_shared(ids))
    if expected is not None and len(found) < expected and low < 0 and (high is None or high >= 0):
        found |= _zero(client, reading, [*reading.domain, *written_since(where.written_since)])
    return found


def still_listed(client: OdooClient, reading: Reading, domain: Domain, ids: Collection[int]) -> set[int]:
    """Return those ids that Odoo lists among the records that match a domain."""
    if not ids:
        return set()
    found = set(client.search(reading.model, [*domain, ("id", "in", sorted(ids))], context=ARCHIVED_TOO))
    if 0 in ids and 0 not in found:
        found |= _zero(client, reading, domain)
    return found.intersection(ids)


def _zero(client: OdooClient, reading: Reading, domain: Domain) -> set[int]:
    """Return the id 0 if a record has it, as a row of an SQL view may: `search` never lists it.

    Odoo 18 takes `("id", "=", 0)` for records without id.
    """
    is_zero: Domain = [*domain, ("id", ">", -1), ("id", "<", 1)]
    return {0} if client.search_count(reading.model, is_zero, context=ARCHIVED_TOO) else set()


def _first_shared(ids: Sequence[int]) -> int:
    """Return the first id that occurs twice."""
    seen: set[int] = set()
    return next(item for item in ids if item in seen or seen.add(item))  # type: ignore[func-returns-value]
