"""What values look like on the wire, by type."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg.types.json import Jsonb

from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from odoo_shadow.mirror.config.patterns import PRIORITY_MODELS
from odoo_shadow.source.errors import OdooRequestError, OdooUnknownModelError
from odoo_shadow.source.types import Context, Json
from tests.support.records import ARCHIVED_TOO, Records
from tests.support.servers import OdooServer

pytestmark = pytest.mark.odoo

DATE = re.compile(r"\d{4}-\d\d-\d\d")
DATETIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
REFERENCE = re.compile(r"[a-z_.]+,\d+")
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # PNG, 1 x 1


def is_text(value: Json) -> bool:
    return isinstance(value, str)


def is_whole(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_ids(value: Json) -> bool:
    return isinstance(value, list) and all(is_whole(item) for item in value)


SHAPES: dict[str, Callable[[Json], bool]] = {
    "char": is_text,
    "text": is_text,
    "html": is_text,
    "selection": is_text,
    "reference": lambda value: isinstance(value, str) and bool(REFERENCE.fullmatch(value)),
    "date": lambda value: isinstance(value, str) and bool(DATE.fullmatch(value)),
    "datetime": lambda value: isinstance(value, str) and bool(DATETIME.fullmatch(value)),
    "many2one": is_whole,
    "many2one_reference": is_whole,
    "integer": is_whole,
    "float": lambda value: isinstance(value, float),
    "monetary": lambda value: isinstance(value, float),
    "boolean": lambda value: isinstance(value, bool),
    "json": lambda value: isinstance(value, dict | list),
    "properties": lambda value: isinstance(value, list | dict),
    "properties_definition": lambda value: isinstance(value, list),
    "one2many": is_ids,
    "many2many": is_ids,
}
NEVER_EMPTY = {"boolean", "integer", "float", "monetary", "one2many", "many2many", "many2one_reference"}
"""Types whose empty value has the shape of any other value."""
MUST_OCCUR = {
    *((kind, kind in NEVER_EMPTY) for kind in ("boolean", "integer", "float", "monetary", "one2many", "many2many")),
    *((kind, found) for kind in ("char", "text", "html", "selection", "date", "many2one") for found in (True, False)),
}


def test_every_value_has_its_types_shape_or_is_false(hook: OdooHook, server: OdooServer) -> None:
    seen: set[tuple[str, bool]] = set()
    for model in [*PRIORITY_MODELS, "x_awkward"]:
        try:
            fields = hook.fields_get(model, ["type", "store"])
        except OdooUnknownModelError:
            continue
        kinds = {name: str(it["type"]) for name, it in fields.items() if it.get("store") and it["type"] in SHAPES}
        for record in hook.search_read(model, [], list(kinds), limit=100, order="id", context=ARCHIVED_TOO):
            for name, kind in kinds.items():
                found = record[name] is not False or kind in NEVER_EMPTY
                seen.add((kind, found))
                value = record[name]
                if server.version < 17 and model == "account.move.line" and isinstance(value, list):
                    value = value[0]  # its search_read takes no `load` there, so that names come, too
                assert not found or SHAPES[kind](value), f"{model}.{name} ({kind}): {value!r}"
    assert seen >= MUST_OCCUR


def test_a_many2one_is_a_bare_id_unless_names_are_asked_for(records: Records, hook: OdooHook) -> None:
    parent = records.partner(is_company=True)
    child = records.partner(parent_id=parent)
    assert records.read_partner(child, "parent_id", load="")["parent_id"] == parent
    assert hook.search_read("res.partner", [("id", "=", child)], ["parent_id"])[0]["parent_id"] == parent
    pair = records.read_partner(child, "parent_id", load="_classic_read")["parent_id"]
    assert pair == [parent, f"{records.prefix} 0"]
    assert records.read_partner(parent, "parent_id", load="")["parent_id"] is False
    assert records.read_partner(parent, "parent_id", load="_classic_read")["parent_id"] is False


def test_load_none_gives_a_bare_id_too(records: Records, hook: OdooHook) -> None:
    child = records.partner(parent_id=records.partner(is_company=True))
    kwargs = {"fields": ["parent_id"], "load": None}
    answer = hook.execute_kw("res.partner", "search_read", [[("id", "=", child)]], kwargs)
    assert answer == [records.read_partner(child, "parent_id")]


def test_x2many_fields_are_lists_of_ids(records: Records) -> None:
    tags = records.create("res.partner.category", [{}, {}])
    parent = records.partner(is_company=True, category_id=[(6, 0, tags)])
    children = records.partners(2, parent_id=parent)
    record = records.read_partner(parent, "category_id", "child_ids")
    assert sorted(ids_in(record["category_id"])) == tags
    assert sorted(ids_in(record["child_ids"])) == children
    assert records.read_partner(children[0], "category_id", "child_ids") == {
        "id": children[0],
        "category_id": [],
        "child_ids": [],
    }


def ids_in(value: Json) -> list[int]:
    assert isinstance(value, list)
    return [item for item in value if isinstance(item, int)]


EMPTY_COLUMNS = {"ref": False, "color": 0, "partner_latitude": 0.0, "employee": False, "street": False, "tz": False}


def test_null_is_false_and_for_numbers_zero(records: Records, sql: psycopg.Connection) -> None:
    partner = records.partner(ref="x", color=3, partner_latitude=1.5, employee=True, street="y", tz="Europe/Berlin")
    columns = psycopg.sql.SQL(", ").join(
        psycopg.sql.SQL("{} = NULL").format(psycopg.sql.Identifier(name))
        for name in [*EMPTY_COLUMNS, "write_date", "write_uid"]
    )
    sql.execute(psycopg.sql.SQL("UPDATE res_partner SET {} WHERE id = %s").format(columns), [partner])
    record = records.read_partner(partner, *EMPTY_COLUMNS, "write_date", "write_uid")
    expected = {"id": partner, **EMPTY_COLUMNS, "write_date": False, "write_uid": False}
    assert record == expected
    assert {name: type(value) for name, value in record.items()} == {n: type(v) for n, v in expected.items()}


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        ("2024-02-29 23:59:59.999999", "2024-02-29 23:59:59"),
        ("2024-02-29 00:00:00", "2024-02-29 00:00:00"),
        ("1999-12-31 12:00:00.5", "1999-12-31 12:00:00"),
    ],
)
def test_microseconds_are_cut_and_not_rounded(
    stored: str, told: str, records: Records, sql: psycopg.Connection
) -> None:
    partner = records.partner()
    sql.execute("UPDATE res_partner SET write_date = %s, create_date = %s WHERE id = %s", [stored, stored, partner])
    assert records.read_partner(partner, "write_date", "create_date") == {
        "id": partner,
        "write_date": told,
        "create_date": told,
    }


LONG_AGO = [
    ("0024-05-13 01:02:03.5", "24-05-13 01:02:03"),
    ("0999-12-31 23:59:59", "999-12-31 23:59:59"),
    ("0001-01-01 00:00:00", "1-01-01 00:00:00"),
    ("1000-01-01 00:00:00", "1000-01-01 00:00:00"),
    ("9999-12-31 23:59:59", "9999-12-31 23:59:59"),
]


@pytest.mark.parametrize(("stored", "told"), LONG_AGO)
def test_short_years_come_without_zeros(
    stored: str, told: str, spoken: OdooHook, records: Records, sql: psycopg.Connection
) -> None:
    """PostgreSQL would read the year 24 as 2024, and refuse the year 999."""
    partner = records.partner()
    sql.execute("UPDATE res_partner SET write_date = %s, create_date = %s WHERE id = %s", [stored, stored, partner])
    (record,) = spoken.search_read("res.partner", [("id", "=", partner)], ["write_date", "create_date"])
    assert record == {"id": partner, "write_date": told, "create_date": told}
    (project,) = records.create("project.project", [{}])
    sql.execute("UPDATE project_project SET date_start = %s WHERE id = %s", [stored[:10], project])
    (record,) = spoken.search_read("project.project", [("id", "=", project)], ["date_start"])
    assert record == {"id": project, "date_start": told.partition(" ")[0]}


@pytest.fixture
def wide(sql: psycopg.Connection) -> Iterator[None]:
    """An integer field's column holds more than an integer, as some modules have it."""
    sql.execute("ALTER TABLE res_partner_category ALTER COLUMN color TYPE bigint")
    yield
    sql.execute("ALTER TABLE res_partner_category ALTER COLUMN color TYPE integer")


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        (2**31 - 1, 2**31 - 1),
        (2**31, float(2**31)),
        (3_000_000_000, 3e9),
        (2**53 - 1, float(2**53 - 1)),
        (2**53, float(2**53)),
        (2**53 + 1, float(2**53)),  # two numbers, one answer
        (2**63 - 1, float(2**63)),
        (-(2**31), -(2**31)),
    ],
)
def test_large_integers_come_as_floats_over_every_protocol(
    stored: int, told: float, wide: None, spoken: OdooHook, records: Records, sql: psycopg.Connection
) -> None:
    (tag,) = records.create("res.partner.category", [{}])
    sql.execute("UPDATE res_partner_category SET color = %s WHERE id = %s", [stored, tag])
    (record,) = spoken.search_read("res.partner.category", [("id", "=", tag)], ["color"])
    sql.execute("UPDATE res_partner_category SET color = 0 WHERE id = %s", [tag])
    assert record == {"id": tag, "color": told} and type(record["color"]) is type(told)


def test_far_negative_integers_stay_whole_and_xml_rpc_has_none(
    wide: None, spoken: OdooHook, records: Records, sql: psycopg.Connection
) -> None:
    (tag,) = records.create("res.partner.category", [{}])
    sql.execute("UPDATE res_partner_category SET color = -3000000000 WHERE id = %s", [tag])
    try:
        if spoken.get_conn().protocol.label == "XML-RPC":
            with pytest.raises(OdooRequestError, match="does not send over XML-RPC"):
                spoken.search_read("res.partner.category", [("id", "=", tag)], ["color"])
        else:
            (record,) = spoken.search_read("res.partner.category", [("id", "=", tag)], ["color"])
            assert record == {"id": tag, "color": -3_000_000_000} and type(record["color"]) is int
    finally:
        sql.execute("UPDATE res_partner_category SET color = 0 WHERE id = %s", [tag])


@pytest.mark.parametrize("stored", ["Infinity", "-Infinity", "NaN"])
def test_infinity_and_nan_come_over_every_protocol(
    stored: str, spoken: OdooHook, server: OdooServer, records: Records, sql: psycopg.Connection
) -> None:
    """As no JSON has them, and as Python writes them."""
    partner = records.partner()  # a numeric column
    sql.execute("UPDATE res_partner SET partner_latitude = %s WHERE id = %s", [stored, partner])
    (record,) = spoken.search_read("res.partner", [("id", "=", partner)], ["partner_latitude"])
    assert str(record["partner_latitude"]) == str(float(stored))
    (project,) = records.create("project.project", [{}])
    (task,) = records.create("project.task", [{"project_id": project}])
    hours = server.task_hours
    sql.execute(f"UPDATE project_task SET {hours} = %s WHERE id = %s", [stored, task])  # noqa: S608
    (record,) = spoken.search_read("project.task", [("id", "=", task)], [hours])
    sql.execute(f"UPDATE project_task SET {hours} = 0 WHERE id = %s", [task])  # noqa: S608
    assert str(record[hours]) == str(float(stored))


@pytest.mark.parametrize(("stored", "told"), [("[]", []), ("{}", {}), (None, False)], ids=["list", "object", "NULL"])
def test_empty_json_comes_as_it_is_and_false_for_nothing(
    stored: str | None, told: Json, hook: OdooHook, sql: psycopg.Connection
) -> None:
    (line,) = hook.search("sale.order.line", [], limit=1)
    (before,) = sql.execute("SELECT analytic_distribution FROM sale_order_line WHERE id = %s", [line]).fetchall()
    update = "UPDATE sale_order_line SET analytic_distribution = %s WHERE id = %s"
    sql.execute(update, [stored, line])
    (record,) = hook.search_read("sale.order.line", [("id", "=", line)], ["analytic_distribution"])
    sql.execute(update, [None if before[0] is None else Jsonb(before[0]), line])
    assert record["analytic_distribution"] == told
    assert type(record["analytic_distribution"]) is type(told)


def test_a_definition_of_properties_is_a_list_even_if_it_is_empty(records: Records) -> None:
    (project,) = records.create("project.project", [{}])
    (record,) = records.read("project.project", [project], ["task_properties_definition"])
    assert record["task_properties_definition"] == []


def test_dates_and_datetimes_come_back_as_written(records: Records, server: OdooServer) -> None:
    (project,) = records.create("project.project", [{"date_start": "2024-02-29", "date": "2025-12-31"}])
    (record,) = records.read("project.project", [project], ["date_start", "date"])
    assert record == {"id": project, "date_start": "2024-02-29", "date": "2025-12-31"}
    (task,) = records.create("project.task", [{"project_id": project, "date_deadline": "2024-02-29 23:59:59"}])
    (record,) = records.read("project.task", [task], ["date_deadline", "date_end"])
    deadline = "2024-02-29 23:59:59" if server.version >= 17 else "2024-02-29"  # a date until then
    assert record == {"id": task, "date_deadline": deadline, "date_end": False}


def test_floats_with_digits_are_rounded_and_others_are_not(records: Records, server: OdooServer) -> None:
    partner = records.partner(partner_latitude=1.23456789)
    assert records.read_partner(partner, "partner_latitude")["partner_latitude"] == 1.2345679
    (project,) = records.create("project.project", [{}])
    (task,) = records.create("project.task", [{"project_id": project, server.task_hours: 0.1 + 0.2}])
    (record,) = records.read("project.task", [task], [server.task_hours])
    assert record[server.task_hours] == 0.1 + 0.2


@pytest.mark.parametrize(
    "text",
    [
        'it\'s "quoted" and $$dollared$$',
        "a\ttab, a\nnewline, a\r\nDOS newline",
        "back\\slash \\N \\. \\x41 %s {} {{ }}",
        "naïve 漢字 🎉 👩‍👩‍👧 \u202eright to left\u202c",
        "); DROP TABLE res_partner; --",
        "\x01\x1f\x7f controls",
        "x" * 5000,
    ],
    ids=["quotes", "white space", "backslashes", "beyond ASCII", "SQL", "controls", "long"],
)
def test_text_comes_back_as_written(text: str, records: Records, hook: OdooHook) -> None:
    partner = records.partner(ref=text)
    assert records.read_partner(partner, "ref")["ref"] == text
    assert hook.search("res.partner", [("ref", "=", text)]) == [partner]


@pytest.mark.parametrize(
    ("context", "shape"),
    [({}, None), ({"bin_size": True}, re.compile(r"\d+\.\d\d bytes|\d+\.\d\d Kb"))],
    ids=["content", "size"],
)
def test_a_binary_is_base64_or_its_size(context: Context, shape: re.Pattern[str] | None, records: Records) -> None:
    partner = records.partner(image_1920=PIXEL)
    value = records.read_partner(partner, "image_1920", context=context)["image_1920"]
    assert isinstance(value, str)
    if shape is None:
        assert base64.b64decode(value).startswith(b"\x89PNG")
    else:
        assert shape.fullmatch(value)
    assert records.read_partner(records.partner(), "image_1920")["image_1920"] is False
