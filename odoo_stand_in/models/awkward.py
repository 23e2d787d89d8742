"""Models with everything that a reader may stumble over; some of it only a hostile server would send."""

from __future__ import annotations

from collections.abc import Iterator

from odoo_stand_in.schema import Declaration

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
x_properties: properties definition=x_parent_id/x_definition manual
x_definition: properties_definition manual
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
x_definition: properties_definition manual
x_properties: properties definition=x_parent_id/x_definition manual
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
