"""How a line of a declaration (`name: type target flags key=value`) becomes a field."""

from __future__ import annotations

import re
from typing import Any

from odoo_stand_in.schema import RELATIONAL, Field, Flavour, identifier

_LINE = re.compile(r"^(?P<name>.+?)(?:@(?P<only>17|19))?: (?P<type>\w+)(?P<rest>.*)$")
_FLAGS = frozenset({"required", "readonly", "translate", "manual", "active_only"})
_PLAIN_KEYS = frozenset({"groups", "related", "ondelete", "mirror_of"})
# Keys of selections that hold a blank, which a declaration cannot.
_SPACED = frozenset({"to_upgrade", "to_remove", "to_install", "to_invoice", "to_approve"})


def parse_field(line: str, model: str, flavour: Flavour) -> Field | None:
    """Return the field of one declaration line, None when it is for the other flavour."""
    match = _LINE.match(line)
    if match is None:
        raise ValueError(f"not a field declaration in {model}: {line!r}")
    if match["only"] not in (None, flavour):
        return None
    kind = match["type"]
    attrs: dict[str, Any] = {"name": match["name"], "type": kind}
    if kind == "monetary":
        attrs["currency_field"] = "currency_id"
    for word in match["rest"].split():
        known = _flag(word, flavour) or _setting(word) or _target(word, kind)
        if not known:
            raise ValueError(f"what is {word!r} in {model}: {line!r}")
        attrs |= known
    if attrs["name"] == "active":
        attrs.setdefault("default", True)
    if kind == "many2one" and attrs.get("required"):
        attrs.setdefault("ondelete", "restrict")
    if kind == "many2many" and "rel_table" not in attrs:
        attrs |= default_relation(model, attrs["relation"])
    if "mirror_of" in attrs:
        attrs["store"] = False
    return Field(**attrs)


def _flag(word: str, flavour: Flavour) -> dict[str, Any]:
    """Return the attributes of a word that stands alone."""
    if word in _FLAGS:
        return {word: True}
    flags: dict[str, dict[str, Any]] = {
        # Up to 17 the values are kept elsewhere, from 18 on in a column by company.
        "company": {"company_dependent": True, "store": flavour == "19"},
        "nostore": {"store": False},
        "kept": {"store": False, "kept": True},
        "digits": {"digits": (16, 2)},
        # From 19 on the precision of prices is one for showing only.
        "price": {"digits": (16, 2) if flavour == "17" else False},
        "exact": {"digits": 0},
    }
    return flags.get(word, {})


def _setting(word: str) -> dict[str, Any]:
    """Return the attributes of a `key=value` word."""
    key, equals, value = word.partition("=")
    if not equals:
        return {}
    if key == "":
        return {"selection": tuple(one.replace("_", " ") if one in _SPACED else one for one in value.split("|") if one)}
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
    return {
        "currency": {"currency_field": value},
        "string": {"string": value.replace("_", " ")},
        "default": {"default": value},
    }.get(key, {})


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
