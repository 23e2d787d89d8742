"""Values as Odoo sends them, with the cells that they become, and values that become none."""

from __future__ import annotations

from odoo_shadow.shadow.columns import ColumnType
from odoo_shadow.shadow.tables.staging import Cell
from odoo_shadow.source.types import Json

JSON_TYPES = ("json", "properties_definition", "vector", "unknown")
JSON_CELLS: list[tuple[Json, Cell]] = [
    ({"b": [1, None, False], "a": "é"}, '{"a": "é", "b": [1, null, false]}'),
    ([], "[]"),
    (0, "0"),
    (True, "true"),
    ("text", '"text"'),
    (False, None),
    (None, None),
]
# type, column type, what Odoo sends, what is stored
CONVERSIONS: list[tuple[str, ColumnType, Json, Cell]] = [
    *[
        (kind, ColumnType.TEXT, sent, stored)
        for kind in ("char", "text", "html", "selection")
        for sent, stored in (("Zoë\n\t'\"\\", "Zoë\n\t'\"\\"), ("", ""), ("0", "0"), (False, None), (None, None))
    ],
    ("selection", ColumnType.TEXT, 0, "0"),  # selections may have integer keys
    ("char", ColumnType.TEXT, True, "true"),
    # SQL views whose columns are of another type than the fields' (Odoo 17.0 and 19.0 pass them on as they are).
    ("char", ColumnType.TEXT, 7, "7"),
    ("char", ColumnType.TEXT, 7.5, "7.5"),
    ("text", ColumnType.TEXT, {"a": 1}, '{"a": 1}'),
    ("text", ColumnType.TEXT, float("-inf"), "-Infinity"),
    ("html", ColumnType.TEXT, "0024-05-13", "0024-05-13"),
    ("reference", ColumnType.TEXT, "res.partner,12", "res.partner,12"),
    ("reference", ColumnType.TEXT, False, None),
    ("integer", ColumnType.BIGINT, 0, 0),
    ("integer", ColumnType.BIGINT, -7, -7),
    ("integer", ColumnType.BIGINT, 2**53 + 1, 2**53 + 1),
    ("integer", ColumnType.BIGINT, "12", 12),
    ("integer", ColumnType.BIGINT, 3000000000.0, 3000000000),
    ("integer", ColumnType.BIGINT, float(2**53 - 1), 2**53 - 1),
    ("integer", ColumnType.BIGINT, -3000000000, -3000000000),
    ("integer", ColumnType.BIGINT, -0.0, 0),
    ("integer", ColumnType.BIGINT, True, 1),
    ("integer", ColumnType.BIGINT, -(2**63), -(2**63)),
    ("integer", ColumnType.BIGINT, False, None),
    ("integer", ColumnType.BIGINT, None, None),
    ("many2one", ColumnType.BIGINT, 12, 12),
    ("many2one", ColumnType.BIGINT, [12, "Zoë"], 12),
    ("many2one", ColumnType.BIGINT, [12.0, "Zoë"], 12),
    ("many2one", ColumnType.BIGINT, 0, 0),
    ("many2one", ColumnType.BIGINT, 3000000000, 3000000000),
    ("many2one", ColumnType.BIGINT, False, None),
    ("many2one", ColumnType.BIGINT, None, None),
    ("many2many", ColumnType.BIGINT_ARRAY, [3, 1, 2], "{1,2,3}"),
    ("many2many", ColumnType.BIGINT_ARRAY, [], "{}"),
    ("many2many", ColumnType.BIGINT_ARRAY, False, None),
    ("many2many", ColumnType.BIGINT_ARRAY, [9.0, 7, 9], "{7,9}"),
    ("many2one_reference", ColumnType.BIGINT, 12, 12),
    ("many2one_reference", ColumnType.BIGINT, False, None),
    ("many2one_reference", ColumnType.BIGINT, 2147483648.0, 2147483648),
    ("boolean", ColumnType.BOOLEAN, True, True),
    ("boolean", ColumnType.BOOLEAN, False, False),
    ("boolean", ColumnType.BOOLEAN, None, False),
    ("boolean", ColumnType.BOOLEAN, 1, True),
    ("boolean", ColumnType.BOOLEAN, 0, False),
    ("boolean", ColumnType.BOOLEAN, 2, True),
    ("date", ColumnType.DATE, "2024-02-29", "2024-02-29"),
    ("date", ColumnType.DATE, False, None),
    ("date", ColumnType.DATE, "24-05-13", "0024-05-13"),
    ("date", ColumnType.DATE, "1-01-01", "0001-01-01"),
    ("date", ColumnType.DATE, "999-12-31", "0999-12-31"),
    ("date", ColumnType.DATE, "0024-05-13", "0024-05-13"),
    ("date", ColumnType.DATE, "9999-12-31", "9999-12-31"),
    ("date", ColumnType.DATE, "2024-02-29 10:00:00", "2024-02-29"),  # a view's timestamp, as Odoo passes it on
    ("date", ColumnType.DATE, "24-05-13 10:00:00", "0024-05-13"),
    ("date", ColumnType.DATE, "2024-02-29T23:59:59-05:00", "2024-02-29"),
    ("datetime", ColumnType.TIMESTAMPTZ, "2024-02-29 23:59:59", "2024-02-29 23:59:59+00"),
    ("datetime", ColumnType.TIMESTAMPTZ, False, None),
    ("datetime", ColumnType.TIMESTAMPTZ, "24-05-13 01:02:03", "0024-05-13 01:02:03+00"),
    ("datetime", ColumnType.TIMESTAMPTZ, "1-01-01 00:00:00", "0001-01-01 00:00:00+00"),
    ("datetime", ColumnType.TIMESTAMPTZ, "9999-12-31 23:59:59", "9999-12-31 23:59:59+00"),
    ("datetime", ColumnType.TIMESTAMPTZ, "2024-02-29", "2024-02-29 00:00:00+00"),
    ("datetime", ColumnType.TIMESTAMPTZ, "2024-02-29 23:59:59.123456", "2024-02-29 23:59:59.123456+00"),
    ("datetime", ColumnType.TIMESTAMPTZ, "2024-02-29T23:59:59Z", "2024-02-29 23:59:59+00"),
    ("datetime", ColumnType.TIMESTAMPTZ, "2024-02-29 23:59:59+05:30", "2024-02-29 18:29:59+00"),
    ("datetime", ColumnType.TIMESTAMPTZ, "2024-02-29 23:59+01", "2024-02-29 22:59:00+00"),  # as long as the usual
    ("monetary", ColumnType.NUMERIC, 0.1, 0.1),
    ("monetary", ColumnType.NUMERIC, 0, 0.0),
    ("monetary", ColumnType.NUMERIC, 1234.567, 1234.567),
    ("monetary", ColumnType.NUMERIC, False, None),
    ("monetary", ColumnType.NUMERIC, "0.10", 0.1),
    ("monetary", ColumnType.NUMERIC, "12345678901234567890.125", "12345678901234567890.125"),
    ("monetary", ColumnType.NUMERIC, 2**53 + 1, 2**53 + 1),
    ("monetary", ColumnType.NUMERIC, float("inf"), float("inf")),
    ("monetary", ColumnType.NUMERIC, "-Infinity", float("-inf")),
    ("properties", ColumnType.JSONB, False, None),
    ("properties", ColumnType.JSONB, [], "{}"),
    ("properties", ColumnType.JSONB, {"b": 1}, '{"b": 1}'),
    (
        "properties",
        ColumnType.JSONB,
        [
            {"name": "b", "type": "char", "string": "Label", "value": "é"},
            {"name": "a", "type": "many2one", "comodel": "res.users", "value": [7, "Zoë"]},
            {"name": "c", "type": "many2many", "comodel": "res.users", "value": [[7, "Zoë"], [8, "Li"]]},
            {"name": "d", "type": "tags", "value": ["x", "y"]},
            {"name": "e", "type": "separator"},
            {"name": "f", "type": "many2one", "value": False},
        ],
        '{"a": 7, "b": "é", "c": [7, 8], "d": ["x", "y"], "f": false}',
    ),
    (
        "properties",
        ColumnType.JSONB,
        [
            {"name": "bd2fa91c44cff2fa", "type": "char", "string": "Colour", "value": "red"},
            {"name": "aa01", "type": "char", "string": "WiFi password", "value": "hunter2"},
            {"name": "aa02", "type": "text", "string": "Zugangsdaten", "value": "hunter2"},
            {"name": "aa03", "type": "integer", "string": "PIN", "value": 1234},
            {"name": "api_key", "type": "char", "string": "Remark", "value": "hunter2"},
            {"name": "aa04", "type": "boolean", "string": "Has a password", "value": True},
            {"name": "aa05", "type": "many2one", "string": "Password of", "value": [7, "Zoë"]},
        ],
        '{"aa04": true, "aa05": 7, "bd2fa91c44cff2fa": "red"}',
    ),
    ("properties", ColumnType.JSONB, {"b": 1, "api_key": "hunter2"}, '{"b": 1}'),
    (
        "properties_definition",
        ColumnType.JSONB,
        [
            {"name": "aa01", "type": "char", "string": "WiFi password", "default": "hunter2"},
            {"name": "aa02", "type": "char", "string": "Colour", "default": "red"},
        ],
        '[{"name": "aa01", "string": "WiFi password", "type": "char"},'
        ' {"default": "red", "name": "aa02", "string": "Colour", "type": "char"}]',
    ),
    ("serialized", ColumnType.JSONB, {"x_colour": "red", "smtp_pass": "hunter2"}, '{"x_colour": "red"}'),
    ("float", ColumnType.DOUBLE, 0.1, 0.1),
    ("float", ColumnType.DOUBLE, 0.0, 0.0),
    ("float", ColumnType.DOUBLE, 3, 3.0),
    ("float", ColumnType.DOUBLE, False, None),
    ("float", ColumnType.DOUBLE, None, None),
    ("float", ColumnType.DOUBLE, True, 1.0),
    ("float", ColumnType.DOUBLE, float("-inf"), float("-inf")),
    ("float", ColumnType.DOUBLE, 1.7976931348623157e308, 1.7976931348623157e308),
    ("float", ColumnType.DOUBLE, "1e5", 100000.0),
    ("json", ColumnType.JSONB, [float("inf"), {"a": float("nan")}], '["Infinity", {"a": "NaN"}]'),
    ("json", ColumnType.JSONB, "", '""'),
    ("json", ColumnType.JSONB, {}, "{}"),
    *[(kind, ColumnType.JSONB, sent, stored) for kind in JSON_TYPES for sent, stored in JSON_CELLS],
]
NO_NUMBERS: tuple[Json, ...] = ("", "Zoë", "1_000", " 7", "\u0663", "0x10", "1,5", {}, [[]])
NO_WHOLE: tuple[Json, ...] = (*NO_NUMBERS, "1.5", 1.5, float("nan"), float("inf"), 2**63, "1" * 5000)
ROUNDED: tuple[Json, ...] = (2.0**53, -(2.0**53), 9.2e18)
NO_IDS: tuple[Json, ...] = ([1, True], [1, "2"], [[1, "Zoë"]], [2.0**53], {}, 7)
NO_DATES: tuple[Json, ...] = (
    *("", "soon", "2024-02-30", "2023-02-29", "2024-13-01", "0-01-01", "10000-01-01", "24-5", "20240229"),
    *(" 2024-02-29", "2024-02-29x", "2024-02-29\n", "\uff12\uff10\uff12\uff14-02-29", "-44-03-15", "44-03-15 BC"),
    *("2024-02-29 24:00:00", "2024-02-29 23:59:60", "2024-02-29 235959.1", "2024-W09-4", "2024-W09-4 23:59:59"),
    *("1-01-01 00:00:00+01", "9999-12-31 23:59:59-01", "infinity", 7, True, [], {}),
)
REFUSED: list[tuple[str, Json]] = [
    *((kind, sent) for kind in ("integer", "many2one", "many2one_reference") for sent in (*NO_WHOLE, *ROUNDED)),
    *((kind, sent) for kind in ("float", "monetary") for sent in NO_NUMBERS),
    *(("many2many", sent) for sent in NO_IDS),
    *((kind, sent) for kind in ("date", "datetime") for sent in NO_DATES),
    ("many2one", []),
    ("boolean", "hunter2"),
    ("boolean", []),
    ("properties", [{"value": "hunter2"}]),
]
