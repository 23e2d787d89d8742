"""What is read of a model: its fields, its own filter, and the same records in other languages and companies."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from odoo_shadow.source.api.answers import is_id, misfit
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.errors import OdooRecordIdError, OdooRequestError
from odoo_shadow.source.types import Context, Domain, Json, Record

ARCHIVED_TOO: Context = {"active_test": False, "ir.ui.menu.full_list": True}
"""The context without which Odoo hides archived records, and (17.0) the menus that are not for this login."""

BEFORE_ALL = -(2**63) - 1
"""Below every id that there can be: SQL views make negative ones, however low (`report.stock.quantity`). It is never
sent: a server is asked for what comes after it without a lower bound."""

_BY_ID: Domain = ["|", ("id", "<", 0), ("id", ">=", 0)]
"""True for every record with an id. `ir.attachment` hides those of other models' fields from a search that does not
name `id` (`_search` in Odoo 17.0 and 19.0; 19.0 looks once more when it has simplified the domain, and of
`("id", "!=", False)` nothing is left by then)."""

WITHOUT_ID: Domain = [("id", "=", False)]
"""True for records that have no id: rows of an SQL view."""


def field_of(key: str) -> str:
    """Return the field that a key of a reading is about."""
    return key.partition("@")[0]


def id_range(low: int, high: int | None = None) -> Domain:
    """Return the domain of the ids `low < id <= high`; after `BEFORE_ALL` it has no lower bound.

    :param high: None for no upper bound.
    """
    above = [("id", ">", low)] if low > BEFORE_ALL else []
    return [*above, *([("id", "<=", high)] if high is not None else [])]


@dataclass(frozen=True)
class Variant:
    """One language or one company in which some fields are read once more.

    A value arrives in the record under `variant_key`, as an object by label.

    :param kind: what differs: `translations` or `companies`.
    :param label: the language's code, or the company's id.
    :param context: what to read it with; None for the one that the record itself was read with.
    """

    kind: str
    label: str
    fields: tuple[str, ...]
    context: Context | None = None


def _wanted(variant: Variant, keys: Collection[str]) -> Iterator[str]:
    return (name for name in variant.fields if variant_key(name, variant.kind) in keys)


def count_by_id(client: OdooClient, reading: Reading, domain: Domain) -> int:
    """Return how many records of a reading match.

    :raises OdooRecordIdError: Odoo refuses to look for the model's records by their ids.
    """
    try:
        return client.search_count(reading.model, reading.within(domain), context=ARCHIVED_TOO)
    except OdooRequestError as error:
        if not _takes_lists_of_ids_only(client, reading.model):
            raise
        asked = f"{client.connection}: {reading.model}"
        raise OdooRecordIdError(
            f"{asked} cannot be searched by id, as models without a table of their own: it cannot be mirrored; leave "
            f"it out. Odoo says: {error.said or error}"
        ) from None


def _takes_lists_of_ids_only(client: OdooClient, model: str) -> bool:
    """Say whether Odoo finds records by a list of ids and not by a range, so that it is no passing refusal."""
    try:
        client.search_count(model, [("id", "in", [1])])
    except OdooRequestError:
        return False
    try:
        client.search_count(model, _BY_ID)
    except OdooRequestError:
        return True
    return False


def variant_key(field: str, kind: str) -> str:
    """Return where a record has a field's variants; no field's name holds such a sign."""
    return f"{field}@{kind}"


@dataclass(frozen=True)
class Reading:
    """What is read of a model.

    :param domain: which records there are at all, as far as the mirror is concerned.
    """

    model: str
    fields: tuple[str, ...]
    domain: Domain = ()
    variants: tuple[Variant, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """What is read besides the id: fields, and where the record has their variants."""
        variants = (variant_key(name, item.kind) for item in self.variants for name in item.fields)
        return tuple(dict.fromkeys((*(name for name in self.fields if name != "id"), *variants)))

    @property
    def everything(self) -> Domain:
        """The search domain of all records of the reading, even of those without an id."""
        return ["|", *WITHOUT_ID, *_BY_ID, *self.domain]

    def within(self, *conditions: Domain) -> Domain:
        """Return the search domain of those records of the reading that meet all conditions; it always names `id`."""
        return [*_BY_ID, *self.domain, *(term for domain in conditions for term in domain)]

    def of(self, keys: Iterable[str]) -> Reading:
        """Return what is read when only some keys are wanted."""
        wanted = set(keys)
        variants = (replace(item, fields=tuple(_wanted(item, wanted))) for item in self.variants)
        used = tuple(item for item in variants if item.fields)
        needed = wanted.union(*(item.fields for item in used))  # the main value stands in the record itself
        fields = tuple(name for name in self.fields if name == "id" or name in needed)
        return replace(self, fields=fields, variants=used)


def add_variants(
    client: OdooClient, reading: Reading, records: Sequence[Record], *, since: int | None = None
) -> set[int]:
    """Read records in other languages and companies, too.

    Returns the ids of those that some of these reads did not give: they are gone meanwhile, or Odoo drops them.

    :param records: with an id each.
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
        others = _read_variant(client, reading.model, variant, records, can_split=can_split)
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
    client: OdooClient, model: str, variant: Variant, records: Sequence[Record], *, can_split: bool
) -> Sequence[Record]:
    if variant.context is None:
        return records
    ids: list[Json] = [record["id"] for record in records]
    context = {**ARCHIVED_TOO, **variant.context}
    return client.search_read(model, [("id", "in", ids)], list(variant.fields), context=context, can_split=can_split)
