"""How a declaration becomes a model, and a line of it (`name: type target flags key=value`) a field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from odoo_stand_in.declared.schema import RELATIONAL, Declaration, Field, Flavour, Model, identifier, magic_fields

_LINE = re.compile(r"^(?P<name>.+?)(?:@(?P<only>17|19))?: (?P<type>\w+)(?P<rest>.*)$")
_FLAGS = frozenset({"required", "readonly", "translate", "manual"})
_PLAIN_KEYS = frozenset({"groups", "related", "ondelete"})


def build(declaration: Declaration, flavour: Flavour) -> Model:
    """Return the declared model, without what it inherits."""
    model = Model(
        name=declaration.name,
        description=declaration.description,
        order=declaration.order,
        rec_name=declaration.rec_name,
        kind=declaration.kind,
        module=declaration.module,
        log_access=declaration.log_access,
        read_groups=declaration.read_groups,
        write_groups=declaration.write_groups,
        view_sql=declaration.view_sql,
        own_table=declaration.table,
        profile=declaration.profile,
        dropping=declaration.dropping,
    )
    for field in (*magic_fields(model, flavour), *parse_fields(declaration, flavour)):
        model.fields[field.name] = field
    return model


def parse_fields(declaration: Declaration, flavour: Flavour) -> Iterator[Field]:
    """Return the fields of a declaration that this flavour has."""
    for line in filter(None, map(str.strip, declaration.fields.splitlines())):
        field = parse_field(line, declaration.name, flavour)
        if field is not None:
            yield field


def parse_field(line: str, model: str, flavour: Flavour) -> Field | None:
    """Return the field of one declaration line, None when it is for the other flavour."""
    match = _LINE.match(line)
    if match is None:
        raise ValueError(f"not a field declaration in {model}: {line!r}")
    if match["only"] not in (None, flavour):
        return None
    kind = match["type"]
    attrs: dict[str, Any] = {}
    for word in match["rest"].split():
        known = _flag(word) or _setting(word) or _target(word, kind)
        if not known:
            raise ValueError(f"what is {word!r} in {model}: {line!r}")
        attrs |= known
    return complete_field(flavour, model, match["name"], kind, attrs)


def complete_field(flavour: Flavour, model: str, name: str, kind: str, attrs: Mapping[str, Any]) -> Field:
    """Return a field of these attributes, with what Odoo chooses where nothing is said."""
    given = dict(attrs)
    if kind == "monetary" and "currency_field" not in given:
        given |= {"currency_field": "currency_id", "implied_currency": True}
    if name == "active":
        given.setdefault("default", True)
    if kind == "binary":
        given.setdefault("attached", True)
    if given.get("company_dependent"):
        # Up to 17 the values are kept elsewhere, from 18 on in a column by company.
        given.setdefault("store", flavour == "19")
    if kind == "many2one" and given.get("required"):
        given.setdefault("ondelete", "restrict")
    if kind == "many2many" and "rel_table" not in given:
        given |= default_relation(model, given["relation"])
    return Field(name=name, type=kind, **given)


def _flag(word: str) -> dict[str, Any]:
    """Return the attributes of a word that stands alone."""
    if word in _FLAGS:
        return {word: True}
    flags: dict[str, dict[str, Any]] = {
        "company": {"company_dependent": True},
        "nostore": {"store": False},
        "kept": {"store": False, "kept": True},
        "exact": {"digits": 0},
    }
    return flags.get(word, {})


def _setting(word: str) -> dict[str, Any]:
    """Return the attributes of a `key=value` word."""
    key, equals, value = word.partition("=")
    if not equals:
        return {}
    if key == "":
        return {"selection": tuple(filter(None, value.split("|")))}
    if key in _PLAIN_KEYS:
        return {key: value}
    first, _, rest = value.replace(",", "/").partition("/")
    if key == "digits":
        return {"digits": (int(first), int(rest))}
    if key == "depends":
        return {"depends": tuple(value.split(","))}
    if key == "definition":
        return {"definition_record": first, "definition_record_field": rest}
    if key == "rel":
        return dict(zip(("rel_table", "rel_own", "rel_other"), value.split("/"), strict=True))
    return {"currency": {"currency_field": value}, "string": {"string": value.replace("_", " ")}}.get(key, {})


def _target(word: str, kind: str) -> dict[str, Any]:
    """Return what a relational field points to."""
    if kind == "one2many":
        relation, _, inverse = word.partition("/")
        return {"relation": relation, "relation_field": inverse}
    if kind in RELATIONAL:
        return {"relation": word}
    return {"model_field": word} if kind == "many2one_reference" else {}


def default_relation(model: str, comodel: str) -> dict[str, str]:
    """Name and columns of the relation table that Odoo gives to an unnamed many2many."""
    own, other = model.replace(".", "_"), comodel.replace(".", "_")
    first, second = sorted((own, other))
    names = {"rel_table": f"{first}_{second}_rel", "rel_own": f"{own}_id", "rel_other": f"{other}_id"}
    return {key: identifier(name) for key, name in names.items()}
