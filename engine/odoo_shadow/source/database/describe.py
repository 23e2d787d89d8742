"""A model's fields as the engine knows them, out of what Odoo's tables say, and the API beside them if there is one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from odoo_shadow.source.database.catalogue import StoredField, StoredModel
from odoo_shadow.source.database.cells import is_there
from odoo_shadow.source.database.company_values import has_digits
from odoo_shadow.source.fields import Field

_COMPUTED_FROM = {"calendar.event.videocall_location": ("access_token",)}
"""What stored fields of Odoo's own modules are computed from, where that is a credential (Odoo 16.0 to 19.0): no table
tells, and the rules for credentials have to know."""

_UNDEFINED = "where these properties are defined is in no table of Odoo's"
_ASK_API = f"{_UNDEFINED}: give the API's address and login as well"
_HIDDEN = f"{_UNDEFINED}, and the API's login does not see them"


def described(model: StoredModel, by_api: Iterable[Field] | None) -> list[Field]:
    """Return a model's fields, by name.

    Where the API knows a field, what it says counts: it also knows what a name is computed from. Of fields that only
    the API can give, the others are left out without it, except those of inherited records, which lead to names. Stored
    properties whose definition is not found are in the answer, with the reason.

    :param by_api: what the API says, None without one.
    """
    why = _ASK_API if by_api is None else _HIDDEN
    known: Mapping[str, Field] = {field.name: field for field in by_api or ()}
    found = {
        name: known.get(name) or _field(model, field, why if _is_undefined(model, field) else "")
        for name, field in model.fields.items()
        if is_there(model, name) or name in known or (field.related and not field.store) or _is_undefined(model, field)
    }
    found |= {name: field for name, field in known.items() if name not in found and not field.store}
    return [found[name] for name in sorted(found)]


def _is_undefined(model: StoredModel, field: StoredField) -> bool:
    return field.holds_properties and field.definition is None and model.column_of(field.name) is not None


def _field(model: StoredModel, field: StoredField, why_not_given: str) -> Field:
    column = model.column_of(field.name)
    is_exact = has_digits(model.name, field.name) if field.company_dependent else column == "numeric"
    return Field(
        name=field.name,
        type=field.type,
        store=field.store,
        relation=field.relation,
        has_digits=field.type == "float" and is_exact,
        company_dependent=field.company_dependent,
        translate=field.translate,
        required=field.required,
        manual=field.manual,
        related=field.related,
        depends=_COMPUTED_FROM.get(f"{model.name}.{field.name}", ()),
        label=field.label,
        selection=field.selection,
        why_not_given=why_not_given,
    )
