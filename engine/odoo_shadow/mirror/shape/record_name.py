"""Where the name is that Odoo shows for a model's records, and whether Odoo has to be asked for it.

No API shows which field Odoo names records by. `fields_get` says what `display_name` is computed from: where that is
one stored text, it is the name; otherwise `display_name` itself is read, unless it would bring in texts of other
models, or of fields that are left out or hashed. Of Odoo's own models, `source/record_names.toml` knows more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.source.fields import TEXT_TYPES, Field
from odoo_shadow.source.record_names import DISPLAY_NAME, computed_name, is_name_unread, stored_name

_NAME = "name"
_NAME_FIELDS = (_NAME, "x_name", DISPLAY_NAME, "complete_name", "title", "subject", "reference", "number")
"""Fields by which Odoo names a record (`_rec_name`, which no API shows): by default `name`, in Studio's models
`x_name`; the others are those of models without these (Odoo 17.0 and 19.0)."""

_RELATIONAL = frozenset({"many2one", "many2many", "one2many", "reference", "many2one_reference"})


def reads_display_name(
    model: str, fields: Mapping[str, Field], settings: ModelSettings, left_out: Collection[str]
) -> bool:
    """Say whether `display_name` is read because no stored field has the same text.

    :param fields: by name.
    :param left_out: fields that are left out, because of the settings or as credentials.
    """
    field = fields.get(DISPLAY_NAME)
    if field is None or field.type not in TEXT_TYPES or field.store or DISPLAY_NAME in settings.extra_fields:
        return False
    if stored_name(model) is not None or is_name_unread(model) or _hides_origin(field, settings, left_out):
        return False
    if computed_name(model) is not None:
        return True
    if "write_date" not in fields:  # an SQL view, whose rows nobody points to
        return False
    single = _single_origin(fields)
    if single is not None and (single.store or _is_parents(single, fields)):
        return False
    return bool(field.depends) and all(_is_own(model, path, fields) for path in field.depends)


def fields_by_company(
    model: str, fields: Mapping[str, Field], settings: ModelSettings, left_out: Collection[str]
) -> list[Field]:
    """Return the fields of names that Odoo computes for each company, and that are read for all of them."""
    known = stored_name(model)
    names = sorted(known.by_company) if known is not None else []
    found = (fields[name] for name in names if name in fields and name not in left_out)
    return [field for field in found if not (field.store or settings.hashes(field.name))]


def name_paths(model: str, fields: Mapping[str, Field], mirrored: Collection[str]) -> tuple[str, ...]:
    """Return where a record's name may be, best first.

    A path is a field, one of an `_inherits` parent (`partner_id.name`), or several fields, parted by blanks.

    :param mirrored: the names of the fields that have columns.
    """
    return tuple(dict.fromkeys(_name_paths(model, fields, mirrored)))


def _name_paths(model: str, fields: Mapping[str, Field], mirrored: Collection[str]) -> Iterator[str]:
    if DISPLAY_NAME in mirrored:
        yield DISPLAY_NAME
    known = stored_name(model)
    parts = [name for name in known.fields if name in mirrored] if known is not None else []
    if parts:
        yield " ".join(parts)
    single = _single_origin(fields)
    for field in (single, *(fields.get(name) for name in _NAME_FIELDS)):
        if field is None or field.type not in TEXT_TYPES:
            continue
        if field.name in mirrored:
            yield field.name
        elif _is_parents(field, fields) and field.related is not None and _link(field) in mirrored:
            yield field.related


def _single_origin(fields: Mapping[str, Field]) -> Field | None:
    """Return the text that is the display name; None if there are several origins, or none."""
    shown = fields.get(DISPLAY_NAME)
    origins = set(shown.depends) if shown is not None else set()
    field = fields.get(next(iter(origins))) if len(origins) == 1 else None
    return field if field is not None and field.type in TEXT_TYPES else None


def _link(field: Field) -> str:
    return (field.related or "").partition(".")[0]


def _is_parents(field: Field, fields: Mapping[str, Field]) -> bool:
    """Say whether a field shows one of a parent: `_inherits` shows the parent's `name` as related and not stored."""
    link, _, rest = (field.related or "").partition(".")
    return not field.store and link in fields and bool(rest) and "." not in rest


def _hides_origin(shown: Field, settings: ModelSettings, left_out: Collection[str]) -> bool:
    """Say whether a field that the name may contain is left out or hashed: then its text must not come back in it."""
    origins = {DISPLAY_NAME, _NAME, *(path.partition(".")[0] for path in shown.depends)}
    return any(name in left_out or settings.excludes(name) or settings.hashes(name) for name in origins)


def _is_own(model: str, path: str, fields: Mapping[str, Field], seen: frozenset[str] = frozenset()) -> bool:
    """Say whether a text comes from the record itself, or from others of its model."""
    name, _, rest = path.partition(".")
    field = fields.get(name)
    if field is None or name in seen:
        return field is not None
    if rest or field.type in _RELATIONAL:
        return field.relation == model
    return field.store or (
        bool(field.depends) and all(_is_own(model, origin, fields, seen | {name}) for origin in field.depends)
    )
