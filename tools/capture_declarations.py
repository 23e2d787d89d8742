"""Writes down what a real Odoo tells of its models and fields, for the stand-in: `odoo_stand_in/declared/odoo17.json`.

    python -m tools.capture_declarations                                 # renews all that the file has
    python -m tools.capture_declarations res.partner:name,vat uom.uom:   # takes these in besides

It asks the server of ODOO_URL, ODOO_DB, ODOO_USER and ODOO_PASSWORD, reads only, and needs a login that may read
`ir.model`, as an administrator's. The server's version decides which file it is. What the server does not have stays as
it stands in the file, and is listed on standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import cast

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.errors import OdooError
from odoo_shadow.source.types import Json
from odoo_stand_in import Flavour, Model
from odoo_stand_in.declared.captured import DICTIONARY, SAME, TOLD, Entry, file_of, read_field
from odoo_stand_in.declared.schema import magic_fields
from odoo_stand_in.orm.describing import describe
from tools.parts import odoo_of
from tools.trouble import ToolError

# Longer lists are those of the world, such as time zones, and no test looks at them.
MOST_CHOICES = 50
LOG_ACCESS = {"create_uid", "create_date", "write_uid", "write_date"}
_USUAL = {
    "string": "",
    "store": True,
    "relation": None,
    "relation_field": None,
    "required": False,
    "readonly": False,
    "company_dependent": False,
    "translate": False,
    "currency_field": None,
    "related": None,
    "groups": None,
    "definition_record": None,
    "definition_record_field": None,
    "depends": [],
    "selection": [],
    "on_delete": "set null",
    "relation_table": None,
}
Models = dict[str, Entry]


def main() -> int:
    """Renew the file, and say what the server lacks."""
    parser = argparse.ArgumentParser(
        prog="capture_declarations", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("more", nargs="*", metavar="MODEL:FIELD,FIELD", help="models and fields to take in besides")
    given = parser.parse_args()
    try:
        connection = odoo_of(os.environ)
        if connection is None:
            raise ToolError("Set ODOO_URL, ODOO_DB, ODOO_USER and ODOO_PASSWORD to those of the server to ask.")
        with OdooClient(connection) as odoo:
            flavour = flavour_of(odoo)
            known = json.loads(file_of(flavour).read_text(encoding="utf-8"))
            told = {name: captured(odoo, flavour, name, fields) for name, fields in wanted(known, given.more).items()}
    except (ToolError, OdooError) as error:
        parser.exit(1, f"capture_declarations: {error}\n")
    for name, entry in told.items():
        if entry is None:
            sys.stderr.write(f"{name}: not on this server, left as it is\n")
            continue
        before = known.get(name, {"fields": {}})["fields"]
        for field in sorted(before.keys() - entry["fields"].keys()):
            sys.stderr.write(f"{name}.{field}: not on this server, left as it is\n")
        known[name] = {**entry, "fields": {**before, **entry["fields"]}}
    file_of(flavour).write_text(written(known), encoding="utf-8")
    return 0


def flavour_of(odoo: OdooClient) -> Flavour:
    """Return which of the stand-in's flavours the server is."""
    number = odoo.version.text.partition(".")[0]
    if number not in ("17", "19"):
        raise ToolError(f"The stand-in stands for Odoo 17 and 19, and {odoo.connection} is {odoo.version.text}.")
    return cast(Flavour, number)


def wanted(known: Models, more: Iterable[str]) -> dict[str, set[str]]:
    """Return models and fields to ask for: those of the file, and those that are named."""
    found = {name: set(entry["fields"]) for name, entry in known.items()}
    for one in more:
        name, _, fields = one.partition(":")
        found.setdefault(name, set()).update(field for field in fields.split(",") if field)
    return found


def captured(odoo: OdooClient, flavour: Flavour, name: str, fields: set[str]) -> Entry | None:
    """Return what the server tells of a model and these of its fields; None when it has no such model."""
    told = odoo.look_up("ir.model", [("model", "=", name)], ["name", "order", "transient"])
    if not told:
        return None
    (record,) = (one.record for one in told)
    # The first of the modules that have a record of the model is the one that made it.
    made_by = odoo.search_read(
        "ir.model.data", [("model", "=", "ir.model"), ("res_id", "=", record["id"])], ["module"], order="id", limit=1
    )
    described = odoo.fields_get(name)
    rows = odoo.search_read("ir.model.fields", [("model", "=", name)], ["name", "currency_field", *DICTIONARY])
    dictionary = {row["name"]: row for row in rows}
    entry: Entry = {"name": record["name"], "order": record["order"], "module": made_by[0]["module"]}
    if record["transient"]:
        entry["transient"] = True
    if not described.keys() >= LOG_ACCESS:
        entry["log_access"] = False
    logged = LOG_ACCESS if entry.get("log_access", True) else set()
    usual = {field.name: field for field in magic_fields(Model(name, ""), flavour)}
    entry["fields"] = {
        field: found
        for field in sorted((fields | logged) & described.keys())
        if (found := attributes(flavour, name, field, described[field], dictionary[field]))
        and (field not in logged or read_field(flavour, name, field, found) != usual[field])
    }
    return entry


def attributes(
    flavour: Flavour, model: str, name: str, described: Mapping[str, Json], row: Mapping[str, Json]
) -> Entry:
    """Return what is unusual about a field."""
    told = dict(described)
    if told["type"] == "monetary" and not row["currency_field"]:
        told["implied_currency"] = True
    entry: Entry = {key: told[key] for key in (*SAME, "depends", "selection") if key in told}
    if entry["type"] == "many2one" and entry.get("store") and row["on_delete"]:
        entry["on_delete"] = row["on_delete"]
    if entry["type"] == "many2many" and entry.get("store"):
        entry |= {key: row[key] for key in ("relation_table", "column1", "column2")}
    if len(entry.get("selection") or ()) > MOST_CHOICES:
        del entry["selection"]
    if entry.get("depends") == [entry.get("related")]:
        del entry["depends"]
    entry = {key: value for key, value in entry.items() if key not in _USUAL or value not in (_USUAL[key], False, None)}
    if "store" in described and not described["store"]:
        entry["store"] = False
    if "digits" in described:
        entry["digits"] = described["digits"]
    by_rule = describe(read_field(flavour, model, name, entry), flavour == "19")
    return entry | {key: described[key] for key in TOLD if key in described and described[key] != by_rule.get(key)}


def written(models: Models) -> str:
    """Return the file's text: a field is a line, so that a change shows."""
    blocks = []
    for name in sorted(models):
        entry = {key: value for key, value in models[name].items() if key != "fields"}
        head = ", ".join(f"{_json(key)}: {_json(value)}" for key, value in entry.items())
        fields = sorted(models[name]["fields"].items())
        lines = ",\n".join(f"  {_json(key)}: {_json(value)}" for key, value in fields)
        blocks.append(f' {_json(name)}: {{{head}, "fields": {{\n{lines}\n }}}}')
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
