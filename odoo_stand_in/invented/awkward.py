"""Models with everything that a reader may stumble over, and values that nobody would choose.

Some of it only a hostile or broken server would send.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg

from odoo_stand_in.declared.registry import Registry
from odoo_stand_in.declared.schema import Declaration
from odoo_stand_in.invented import words
from odoo_stand_in.invented.generator import Generator, Row
from odoo_stand_in.orm.company_values import insert_properties, put_default

LONG = "x_" + "a_name_that_is_longer_than_the_sixty_three_bytes_that_postgresql_allows_" + "indeed"

_CUSTOM = """
x_name: char manual required
active: boolean manual
x_html: html manual
x_json: json manual
x_any: reference =res.partner|product.product|project.task manual
x_model: char manual
x_res_id: many2one_reference x_model manual
x_parent_id: many2one x_awkward manual
x_properties: properties definition=x_parent_id/x_properties_definition manual
x_properties_definition: properties_definition manual
x_rate: float manual
x_price: float digits=16,6 manual
x_currency_id: many2one res.currency manual
x_amount: monetary currency=x_currency_id manual
x_day: date manual
x_moment: datetime manual
x_file: binary manual
x_secret: char manual groups=base.group_system
x_title: char translate manual
x_kind: selection =one|two|three manual
x_order: integer manual
x_partner_ids: many2many res.partner manual
x_child_ids: one2many x_awkward/x_parent_id manual
"""
# Odoo itself does not let such names and types pass; a hostile or broken server may send them.
_HOSTILE = f"""
x_";DROP_TABLE_res_partner;--: char manual
x_'quoted\": char manual
{LONG}: char manual
{LONG}_too: char manual
x_embedding: vector manual
"""
# Every kind of field, in every way in which Odoo keeps it.
KINDS = "x_kinds"
_KINDS = """
x_name: char required manual
active: boolean manual
x_text: text manual
x_html: html manual
x_selection: selection =draft|in_progress|done manual
x_reference: reference =res.partner|res.users manual
x_model: char manual
x_res_id: many2one_reference x_model manual
x_parent_id: many2one x_kinds manual
x_partner_id: many2one res.partner manual
x_currency_id: many2one res.currency manual
x_partner_ids: many2many res.partner manual
x_line_ids: one2many x_kinds.line/x_kind_id manual
x_integer: integer manual
x_float: float manual
x_float_digits: float digits=16,3 manual
x_float_exact: float exact manual
x_monetary: monetary currency=x_currency_id manual
x_boolean: boolean manual
x_date: date manual
x_datetime: datetime manual
x_json: json manual
x_properties_definition: properties_definition manual
x_properties: properties definition=x_parent_id/x_properties_definition manual
x_binary: binary manual
x_title: char translate manual
x_note: text translate manual
x_page: html translate manual
x_by_company_char: char company manual
x_by_company_text: text company manual
x_by_company_html: html company manual
x_by_company_float: float company manual
x_by_company_integer: integer company manual
x_by_company_boolean: boolean company manual
x_by_company_date: date company manual
x_by_company_datetime: datetime company manual
x_by_company_selection: selection =low|high company manual
x_by_company_many2one: many2one res.partner company manual
x_partner_email: char related=x_partner_id.email readonly nostore manual
x_partner_city: char related=x_partner_id.city readonly manual
x_line_count: integer readonly nostore manual
x_studio_note: char manual
x_studio_amount: float manual
"""
# Names that are words of SQL, this project's own columns, PostgreSQL's system columns, or hostile.
FIELD_NAMES = (
    *("select", "order", "user", "group", "table", "from", "where", "default", "check", "end"),
    *("_sync_hash", "_synced_at", "_odoo_write_date", "_deleted_at", "_sync_hash__text"),
    *("ctid", "tableoid", "xmin", "cmin", "xmax", "cmax", "oid"),
    *("UPPER", "upper", "MixedCase", "ID"),
    *('quo"te', "apo'strophe", "semi;colon", "per%cent", "per%s", "%(name)s", "{braces}", "back\\slash", "dollar$1"),
    *("with blank", "dot.ted", "comma,", "-- comment", "/* comment */", 'x"; DROP TABLE res_partner; --'),
    *("größe", "größe_語", "emoji_🚚", "e\u0301", "\u00e9", "rtl_\u202eabc"),
    *("b" * 62, "b" * 63, "b" * 64, "c" * 80 + "1", "c" * 80 + "2", "语" * 21, "语" * 22),
)
# Two models that would share a table name; the books of the shadow; what PostgreSQL or a view would be called;
# words of SQL; names as long as PostgreSQL's, and longer. Odoo lets a model name its table itself.
MODEL_NAMES = {
    "a.b_c": "",
    "a_b.c": "a_b_c_of_another",
    "x": "",
    "x.pkey": "x_pkey_of_another",
    "x.named": "",
    "meta": "",
    "mirror": "",
    "watermark": "",
    "sync.log": "",
    "schema.log": "",
    "verification": "",
    "field": "",
    "selection": "",
    "user": "",
    "order": "",
    "l" * 51: "",
    "m" * 63: "",
    "n" * 64: "",
    "o" * 70 + ".1": "",
    "o" * 70 + ".2": "",
}
# Odoo allows no such names; a hostile server may tell of them.
MISNAMED = ("x_Upper.CASE", 'x_hostile.grö"ße; --%s{}', "x_{{ 7 * 7 }}", "x_line\nbreak")
FULL, EMPTY, HIGH, LOW = 1, 2, 3, 4
# PostgreSQL takes every character but NUL; these come near it, or are told apart from it by a hair.
TEXTS = (
    "",
    " ",
    "False",
    "null",
    "\\N",
    "\\u0000",
    "\\x00",
    "NUL shown: \u2400",
    "controls \x01\x08\x0b\x0c\x1b\x1f\x7f\x80\x9f",
    "lines \r \n \r\n \x85 \u2028 \u2029",
    "\ufeffmark and \u200bzero width \u200d joiner\u202e right to left",
    "replacement \ufffd, no characters \ufffe\uffff, last one \U0010ffff, private \ue000",
    "family 👩\u200d👩\u200d👧\u200d👦 flag 🇫🇷 skin 👍🏽 combined e\u0301 n\u0303",
    "'; DROP TABLE res_partner; -- %s %(x)s {0} $1 \" ` \\",
    "x" * 100_000,
)
DEFINITION = [
    {"name": "p1", "type": "char", "string": "Colour", "default": "red"},
    {"name": "p2", "type": "integer", "string": "Größe; 100%"},
    {"name": "p3", "type": "float", "string": "Weight"},
    {"name": "p4", "type": "boolean", "string": "Fragile"},
    {"name": "p5", "type": "date", "string": "Best before"},
    {"name": "p6", "type": "datetime", "string": "Seen"},
    {"name": "p7", "type": "selection", "string": "Size", "selection": [["s", "Small"], ["l", "Large"]]},
    {"name": "p8", "type": "tags", "string": "Tags", "tags": [["a", "A", 1], ["b", "B", 2]]},
]
PROPERTIES = {
    "p1": "blue '\"; 🚚",
    "p2": 2**31 - 1,
    "p3": 0.1,
    "p4": False,
    "p5": "2024-02-29",
    "p6": "2024-02-29 23:59:59",
    "p7": "l",
    "p8": ["a", "b"],
}
COMPANIES = (1, 2, 3)
FULL_ROW = {
    "x_text": "text",
    "x_html": "<p>html</p>",
    "x_selection": "in progress",
    "x_reference": "res.partner,7",
    "x_model": "res.partner",
    "x_res_id": 7,
    "x_partner_id": 7,
    "x_currency_id": 4,
    "x_integer": 42,
    "x_float": 0.1 + 0.2,
    "x_float_digits": 1.125,
    "x_float_exact": 0.000001,
    "x_monetary": 1234.567,
    "x_boolean": True,
    "x_date": "2024-02-29",
    "x_datetime": "2024-02-29 23:59:59.999999",
    "x_json": {"a": [1, "two", None, True]},
    "x_binary": b"binary",
    "x_title": {"en_US": "Title", "fr_FR": "Titre"},
    "x_note": {"en_US": "Note", "fr_FR": "Remarque"},
    "x_page": {"en_US": "<p>Page</p>", "fr_FR": "<p>Feuille</p>"},
    "x_studio_note": "made in Studio",
    "x_studio_amount": 2.5,
}


def custom() -> Iterator[Declaration]:
    """Return what custom fields of a real server can be like."""
    yield Declaration("x_awkward", "Awkward", _CUSTOM, rec_name="x_name", order="x_name, id")


def models() -> Iterator[Declaration]:
    """Return that, every kind of field, and what only a hostile or a broken server would have."""
    yield Declaration("x_awkward", "Awkward", _CUSTOM + _HOSTILE, rec_name="x_name", order="x_name, id")
    yield Declaration(KINDS, "Every 'kind' of \"field\"; 100%", _KINDS, rec_name="x_name")
    line = "x_name: char manual\nx_kind_id: many2one x_kinds ondelete=cascade manual"
    yield Declaration("x_kinds.line", "Line", line, rec_name="x_name")
    fields = "\n".join(["name: char required", *(f"{name}: char" for name in FIELD_NAMES)])
    yield Declaration("awkward.names", "Names", fields, module="awkward")
    for name, table in (*MODEL_NAMES.items(), *((name, "") for name in MISNAMED)):
        own = "name: char translate required\npartner_id: many2one res.partner"
        yield Declaration(name, f"Model {name}", own, module="awkward", table=table or None)


def populate(generator: Generator) -> None:
    """Make the rows of the awkward models."""
    generator.counts[KINDS] = LOW + len(TEXTS)
    generator.counts["x_kinds.line"] = 12
    partners = generator.rows["res.partner"]
    for row in generator.make(KINDS, _kinds):
        row["x_partner_city"] = partners[row["x_partner_id"] - 1]["city"] if row["x_partner_id"] else None
    generator.make(
        "x_kinds.line", lambda number, row: row.update(x_name=f"Line {number}", x_kind_id=(1, 1, 2, 3)[number % 4])
    )
    generator.relate_some(KINDS, "x_partner_ids", 0.6)
    generator.counts["awkward.names"] = 3
    generator.make("awkward.names", lambda number, row: row.update({name: f"{name} {number}" for name in FIELD_NAMES}))
    for name in (*MODEL_NAMES, *MISNAMED):
        generator.counts[name] = 3
        generator.make(name, lambda number, row, of=name: row.update(name=_translated(f"{of} {number}")))  # type: ignore[misc]


def _kinds(number: int, row: Row) -> None:
    row.update(x_name=f"Row {number}", x_parent_id=FULL if number > FULL else None, active=number % 5 > 0)
    row.update(_by_company(number), x_properties_definition=DEFINITION, x_properties=PROPERTIES)
    if number == FULL:
        row.update(FULL_ROW)
    elif number == EMPTY:
        kept = ("id", "x_name", "create_uid", "create_date", "write_uid", "write_date")
        row.update({name: None for name in row if name not in kept})
    elif number in (HIGH, LOW):
        row.update(_extreme(number == HIGH))
    elif number > LOW:
        row.update(_texts(number, TEXTS[number - LOW - 1]))


def _by_company(number: int) -> Row:
    """Values that differ by company: the third one has none in every third row."""
    made: dict[str, Callable[[int], Any]] = {
        "char": lambda company: f"C{company} no. {number} 'é' 🏢",
        "text": lambda company: f"line 1 of {company}\nline 2",
        "html": lambda company: f"<p>company {company}</p>",
        "float": lambda company: number + company / 8,
        "integer": lambda company: number * 10 + company,
        "boolean": lambda company: (number + company) % 2 == 0,
        "date": lambda company: f"202{company}-02-28",
        "datetime": lambda company: f"202{company}-02-28 23:59:5{company}",
        "selection": lambda company: ("low", "high")[company % 2],
        "many2one": lambda company: number + company,
    }
    companies = [one for one in COMPANIES if one < 3 or number % 3]
    return {f"x_by_company_{kind}": {str(one): make(one) for one in companies} for kind, make in made.items()}


def company_values(connection: psycopg.Connection[Any], registry: Registry) -> None:
    """Put the company-dependent values where Odoo keeps them up to 17, and one that is for all other records."""
    if registry.flavour != "17":
        return
    model = registry.models[KINDS]
    connection.execute(
        "DELETE FROM ir_property p USING ir_model_fields f WHERE f.id = p.fields_id AND f.model = %s", [KINDS]
    )
    numbers = [number for number in range(1, LOW + len(TEXTS) + 1) if number != EMPTY]
    for name in _by_company(FULL):
        rows = [(int(company), number, one) for number in numbers for company, one in _by_company(number)[name].items()]
        insert_properties(connection, model, model.fields[name], rows)
    put_default(connection, model, model.fields["x_by_company_char"], COMPANIES[-1], "for all others")


def _extreme(high: bool) -> Row:
    sign = 1 if high else -1
    return {
        "x_integer": 2**31 - 1 if high else -(2**31),
        "x_res_id": 2**31 - 1 if high else 0,
        "x_float": sign * (1.7976931348623157e308 if high else 5e-324),
        "x_float_digits": sign * 9_999_999_999_999.999,
        "x_float_exact": sign * 0.1 if high else 123456789.123456,
        "x_monetary": sign * 999_999_999_999.999,
        "x_date": "9999-12-31" if high else "0001-01-01",
        "x_datetime": "9999-12-31 23:59:59.999999" if high else "1000-01-01 00:00:00",
        "x_json": {"big": 2**53 + 1, "deep": [[[{}]]], "": None} if high else [],
        "x_binary": bytes(range(256)) if high else b"\0",
        "x_selection": "in progress" if high else "no longer a choice",
        "x_reference": "res.partner,2147483647" if high else "res.users,1",
    }


def _texts(number: int, text: str) -> Row:
    return {
        "x_text": text,
        "x_html": f"<p>{text}</p>",
        "x_title": _translated(text) if number % 3 else {"en_US": text},
        "x_note": _translated(text),
        "x_page": {"en_US": f"<p>{text}</p>", "fr_FR": f"<p>fr {text}</p>"},
        "x_json": {"text": text, text[:100]: 1},
        "x_studio_note": text,
        "x_model": words.AWKWARD_TEXTS[number % len(words.AWKWARD_TEXTS)],
    }


def _translated(text: str) -> dict[str, Any]:
    return {"en_US": text, "fr_FR": f"{text} (fr) é"}
