"""What mirrored values depend on in addition to their records: the next run must notice a change there.

Where Odoo keeps it was found in the sources of 17.0, 18.0 and 19.0. What a login has no right to read is left out: then
only a comparison of the rows notices a change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.domains import ARCHIVED_TOO, WRITE_DATE
from odoo_shadow.source.errors import OdooAccessError, OdooUnknownModelError
from odoo_shadow.source.types import Domain, Json

DEFAULTS_IN_IR_DEFAULT = 18
"""From this version on; before, defaults of company-dependent fields are rows of `ir.property` without a record."""

_OF_DEFAULT = ("company_id", "field_id", "json_value")
_OF_PROPERTY = (
    "company_id",
    "fields_id",
    "value_float",
    "value_integer",
    "value_text",
    "value_reference",
    "value_datetime",
)


def foundations(
    client: OdooClient,
    model: str,
    properties: Sequence[str],
    *,
    company_dependent: bool,
    related: Sequence[str] = (),
) -> str:
    """Return a text that differs after a change of what a model's values depend on. Raises an `OdooError`."""
    found: list[Json] = []
    if company_dependent:
        found += [_own_company(client), _defaults(client, model)]
    if properties:
        found += _definitions(client, model, properties)
    found += [_state(client, name) for name in related]
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:16]


def _own_company(client: OdooClient) -> Json:
    if client.connection.company_ids:
        return client.connection.company_ids[0]
    try:
        users = client.look_up("res.users", [("id", "=", client.user_id())], ["company_id"], context=ARCHIVED_TOO)
    except OdooAccessError:
        return None
    return users[0].whole("company_id") if users else None


def _defaults(client: OdooClient, model: str) -> Json:
    try:
        if client.version.major >= DEFAULTS_IN_IR_DEFAULT:
            return _values(client, "ir.default", [("field_id.model", "=", model)], _OF_DEFAULT)
        return _values(client, "ir.property", [("fields_id.model", "=", model), ("res_id", "=", False)], _OF_PROPERTY)
    except OdooAccessError:
        return None


def _definitions(client: OdooClient, model: str, fields: Iterable[str]) -> list[Json]:
    """Return the definitions of properties, from the records that hold them."""
    described = client.fields_get(model, ("relation", "definition_record", "definition_record_field"))
    found: list[Json] = []
    for name in fields:
        details = described.get(name, {})
        container = described.get(str(details.get("definition_record")), {}).get("relation")
        field = details.get("definition_record_field")
        if isinstance(container, str) and isinstance(field, str):
            try:
                found.append(_values(client, container, [(field, "!=", False)], (field,)))
            except OdooAccessError:
                found.append(None)
    return found


def _state(client: OdooClient, model: str) -> Json:
    """Return how many records a model has, and the latest time that one was written; None if it cannot be read."""
    try:
        newest = client.search_read(
            model, [], [WRITE_DATE], limit=1, order=f"{WRITE_DATE} desc, id desc", context=ARCHIVED_TOO
        )
        return [client.search_count(model, [], context=ARCHIVED_TOO), *(dict(record) for record in newest)]
    except (OdooAccessError, OdooUnknownModelError):
        return None


def _values(client: OdooClient, model: str, domain: Domain, fields: Sequence[str]) -> Json:
    records = client.search_read(model, domain, fields, order="id", context=ARCHIVED_TOO)
    return [dict(record) for record in records]
