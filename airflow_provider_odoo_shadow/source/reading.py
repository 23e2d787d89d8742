"""What is read of a model: its fields, its own filter, and the same records in other languages and companies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from airflow_provider_odoo_shadow.source.answers import is_id, misfit
from airflow_provider_odoo_shadow.source.client import OdooClient
from airflow_provider_odoo_shadow.source.types import Context, Domain, Json, Record

ARCHIVED_TOO: Context = {"active_test": False, "ir.ui.menu.full_list": True}
"""The context without which Odoo hides archived records, and (17.0) the menus that are not for this login."""

BEFORE_ALL = -(2**31)
"""Below every id: some SQL views make negative ones (`report.stock.quantity`). The least integer of XML-RPC."""

_BY_ID: Domain = [("id", ">", BEFORE_ALL)]
"""True for every record. `ir.attachment` hides those of other models' fields from a search that does not name `id`
(`_search` in Odoo 17.0 and 19.0)."""


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

    def within(self, *conditions: Domain) -> Domain:
        """Return the search domain of those records of the reading that meet all conditions; it always names `id`."""
        return [*_BY_ID, *self.domain, *(term for domain in conditions for term in domain)]


def add_variants(client: OdooClient, reading: Reading, records: Sequence[Record]) -> None:
    """Read records in other languages and companies, too; what is gone meanwhile keeps what it has.

    :param records: with an id each.
    """
    if not reading.variants:
        return
    by_id = {record["id"]: record for record in records if is_id(record["id"])}
    for record in records:
        record.update({variant_key(name, item.kind): {} for item in reading.variants for name in item.fields})
    for variant in reading.variants if records else ():
        for other in _read_variant(client, reading.model, variant, records):
            record_id = other.get("id")
            if not is_id(record_id) or record_id not in by_id or not other.keys() >= {*variant.fields}:
                raise misfit(f"{client.connection}: {reading.model}", f"records in {variant.label} that do not fit")
            for name in variant.fields:
                values = by_id[record_id][variant_key(name, variant.kind)]
                if isinstance(values, dict):
                    values[variant.label] = other[name]


def _read_variant(client: OdooClient, model: str, variant: Variant, records: Sequence[Record]) -> Sequence[Record]:
    if variant.context is None:
        return records
    ids: list[Json] = [record["id"] for record in records]
    context = {**ARCHIVED_TOO, **variant.context}
    return client.search_read(model, [("id", "in", ids)], list(variant.fields), context=context, can_split=True)
