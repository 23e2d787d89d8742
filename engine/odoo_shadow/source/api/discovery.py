"""Which models a server has, and which of them can be mirrored, as the server itself reports.

How a model's kind shows was tried on Odoo 17.0 and 19.0:

- `ir.model.get_available_models()` (module `web`) gives exactly the models that the login may read and that are
  neither abstract nor transient; any login may call it.
- Every table that Odoo makes has foreign keys for `create_uid` and `write_uid`, which `ir.model.constraint` lists, and
  those without these columns have rows, which `ir.model.count` counts; for an SQL view it lists and counts nothing.
- Only administrators may read `ir.model`, `ir.model.fields` and `ir.model.constraint`.
"""

from __future__ import annotations

from collections.abc import Iterable

from odoo_shadow.source.api.answers import Entry
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.fields import ATTRIBUTES
from odoo_shadow.source.api.fingerprints import described_state
from odoo_shadow.source.errors import OdooAccessError, OdooConfigurationError, OdooFatalError
from odoo_shadow.source.fields import TEXT_TYPES
from odoo_shadow.source.models import Discovery, ModelKind, ServerModel
from odoo_shadow.source.names import is_model_name
from odoo_shadow.source.odoo_models import odoo_wizards
from odoo_shadow.source.types import Domain

FIRST_TO_HIDE_WIZARDS = 17
"""The first version that leaves wizards out of the models that a login may read; Odoo 16 lists them, too."""
FIRST_TO_MARK_ABSTRACT = 19

MOST_MODELS = 20_000
"""The most models that are examined; an Odoo with all its modules has some 2,000."""

_LONGEST_KEPT = 1_000
"""Characters of a name that Odoo would not accept."""


def discover_models(odoo: OdooClient) -> Discovery:
    """Ask which models there are. Raises an `OdooError`.

    A model whose name Odoo would not accept is listed as `ModelKind.MISNAMED`, and nothing more is asked about it.
    """
    available = odoo.readable_models
    if not available:
        raise OdooConfigurationError(
            f"{odoo.connection} does not list its models (its module 'web' is missing, or the login may read none): "
            "name the models instead of patterns."
        )
    _check_number(odoo, len(available))
    try:
        listed = _known(odoo)
    except OdooAccessError:
        named = sorted((name, label) for name, label in available.items() if is_model_name(name))
        return Discovery((*(_by_fields(odoo, name, label) for name, label in named), *_misnamed(available)), False)
    _check_number(odoo, len(listed))
    known = [entry for entry in listed if is_model_name(entry.text("model"))]
    tables = _tables(odoo, [entry for entry in known if entry.text("model") in available])
    texts = _text_fields(odoo)
    misnamed = _misnamed({*available, *(entry.text("model") for entry in listed)})
    return Discovery((*(_by_records(entry, available, tables, texts) for entry in known), *misnamed), True)


def _check_number(odoo: OdooClient, models: int) -> None:
    if models > MOST_MODELS:
        raise OdooConfigurationError(
            f"{odoo.connection} lists {models} models, more than the {MOST_MODELS} that any Odoo has: "
            "name the models instead of patterns."
        )


def _misnamed(names: Iterable[str]) -> list[ServerModel]:
    refused = sorted(name[:_LONGEST_KEPT] for name in names if not is_model_name(name))
    return [ServerModel(name, ModelKind.MISNAMED) for name in refused]


def _known(odoo: OdooClient) -> list[Entry]:
    abstract = ["abstract"] if odoo.version.major >= FIRST_TO_MARK_ABSTRACT else []
    return odoo.look_up("ir.model", [], ["model", "name", "transient", "state", *abstract], order="model")


def _text_fields(odoo: OdooClient) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    domain: Domain = [("store", "=", True), ("ttype", "in", TEXT_TYPES)]
    for entry in odoo.look_up("ir.model.fields", domain, ["model", "name"]):
        found.setdefault(entry.text("model"), set()).add(entry.text("name"))
    return found


def _tables(odoo: OdooClient, entries: Iterable[Entry]) -> set[int]:
    """Return the ids of the models that have a table."""
    keys = odoo.look_up("ir.model.constraint", [("type", "=", "f")], ["model"])
    tables = {key.whole("model") for key in keys} | {entry.id for entry in entries if entry.text("state") == "manual"}
    unclear = [entry.id for entry in entries if entry.id not in tables]
    counted = odoo.look_up("ir.model", [("id", "in", unclear)], ["count"])  # counts whole tables, so only these
    return tables | {entry.id for entry in counted if entry.whole("count")}


def _by_records(entry: Entry, available: dict[str, str], tables: set[int], texts: dict[str, set[str]]) -> ServerModel:
    name = entry.text("model")
    if entry.flag("transient"):
        kind = ModelKind.TRANSIENT
    elif entry.record.get("abstract"):
        kind = ModelKind.ABSTRACT
    elif name not in available:
        kind = ModelKind.UNREADABLE
    else:
        kind = ModelKind.TABLE if entry.id in tables else ModelKind.VIEW
    return ServerModel(name, kind, entry.text("name"), frozenset(texts.get(name, ())))


def _by_fields(odoo: OdooClient, name: str, label: str) -> ServerModel:
    if odoo.version.major < FIRST_TO_HIDE_WIZARDS and name in odoo_wizards():
        return ServerModel(name, ModelKind.TRANSIENT, label)
    try:
        fields = odoo.fields_get(name, ATTRIBUTES)
    except OdooFatalError:
        return ServerModel(name, ModelKind.UNREADABLE, label)
    state = described_state(fields)
    texts = (field for field, details in fields.items() if details.get("store") and details["type"] in TEXT_TYPES)
    return ServerModel(
        name, ModelKind.TABLE if state.has_write_date else ModelKind.UNKNOWN, label, frozenset(texts), state
    )
