"""A model index file: which tables and columns come of it, and what is said of a bad one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.mirror.shape.model_index import IndexedModel, read_model_index
from odoo_shadow.shadow.columns import ColumnType
from odoo_shadow.shadow.ddl_files import tables_migration
from odoo_shadow.shadow.names import LONGEST_NAME, distinct_table_name, table_name
from odoo_shadow.source.fields import Field

# Odoo's class, its name in fields_get, the column's type
TYPES = [
    ("Char", "char", ColumnType.TEXT),
    ("Text", "text", ColumnType.TEXT),
    ("Html", "html", ColumnType.TEXT),
    ("Selection", "selection", ColumnType.TEXT),
    ("Reference", "reference", ColumnType.TEXT),
    ("Integer", "integer", ColumnType.BIGINT),
    ("Many2one", "many2one", ColumnType.BIGINT),
    ("Many2oneReference", "many2one_reference", ColumnType.BIGINT),
    ("Boolean", "boolean", ColumnType.BOOLEAN),
    ("Date", "date", ColumnType.DATE),
    ("Datetime", "datetime", ColumnType.TIMESTAMPTZ),
    ("Monetary", "monetary", ColumnType.NUMERIC),
    ("Float", "float", ColumnType.DOUBLE),
    ("Json", "json", ColumnType.JSONB),
    ("Serialized", "serialized", ColumnType.JSONB),
    ("Properties", "properties", ColumnType.JSONB),
    ("PropertiesDefinition", "properties_definition", ColumnType.JSONB),
]


def migration(models: Iterable[IndexedModel]) -> str:
    return tables_migration("odoo_shadow", [item for item in models if not item.without_table])


def entry(name: str, table: str | None, /, **fields: str) -> dict[str, Any]:
    """A model's entry, its fields given as name and class."""
    return {
        "name": name,
        "table": table,
        "module": "base",
        "inherits": ["mail.thread"],
        "fields": [field(key, kind) for key, kind in fields.items()],
    }


def field(name: str, kind: str = "Char", *, store: bool = True) -> dict[str, Any]:
    unused = {"compute": None, "related": None, "relation": None, "required": False, "index": True, "ondelete": None}
    return {"name": name, "type": kind, "store": store, **unused}


def read(folder: Path, *entries: object) -> dict[str, IndexedModel]:
    return read_model_index(written(folder, {"models": list(entries)}))


def written(folder: Path, document: object) -> Path:
    path = folder / "index.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def columns(model: IndexedModel) -> dict[str, ColumnType]:
    return {column.name: column.type for column in model.columns}


def tables(text: str) -> list[str]:
    start = 'CREATE TABLE IF NOT EXISTS "odoo_shadow".'
    return [
        line.removeprefix(start).removesuffix(" (").strip('"') for line in text.splitlines() if line.startswith(start)
    ]


@pytest.mark.parametrize(("kind", "odoo_type", "column_type"), TYPES)
def test_odoos_classes_become_the_columns_of_a_sync(
    tmp_path: Path, kind: str, odoo_type: str, column_type: ColumnType
) -> None:
    (column,) = read(tmp_path, entry("a.model", "a_model", value=kind))["a.model"].columns
    assert column.type is column_type
    assert [column] == [item.column for item in Layout.of("a.model", [Field("value", odoo_type)]).columns]


@pytest.mark.parametrize("kind", ["Vector", "char", "many2many", "binary", "unknown", "Größe", "; DROP"])
def test_a_class_that_odoo_does_not_have_becomes_jsonb(tmp_path: Path, kind: str) -> None:
    assert columns(read(tmp_path, entry("m", "m", value=kind))["m"]) == {"value": ColumnType.JSONB}


@pytest.mark.parametrize(
    ("kind", "odoo_type"), [("Many2many", "many2many"), ("One2many", "one2many"), ("Binary", "binary")]
)
def test_kinds_without_a_plain_column_are_as_in_a_sync(tmp_path: Path, kind: str, odoo_type: str) -> None:
    found = read(tmp_path, entry("m", "m", value=kind, name="Char"))["m"]
    wanted = Layout.of("m", [Field("name", "char"), Field("value", odoo_type)])
    assert list(found.columns) == [item.column for item in wanted.columns]


def test_what_a_sync_leaves_out_is_left_out(tmp_path: Path) -> None:
    one = entry("m", "m", id="Id", write_date="Datetime", create_date="Datetime", picture="Image", name="Char")
    one["fields"] += [field("shown", store=False), field("access_token"), field("has_token", "Boolean")]
    assert list(columns(read(tmp_path, one)["m"])) == ["create_date", "has_token", "name"]


def test_names_that_postgresql_or_the_shadow_has_taken_are_distinct(tmp_path: Path) -> None:
    long = "x_" + "long_" * 20
    taken = ("ctid", "tableoid", "_sync_hash", "_odoo_write_date", "ID", "größe", 'a"b', "'; --", long, f"{long}_too")
    model = read(tmp_path, {**entry("m", "m"), "fields": [field(name) for name in taken]})["m"]
    found = {column.field: column.name for column in model.columns}
    assert set(found) == set(taken)
    assert len(set(found.values())) == len(taken)
    assert not {"ctid", "tableoid", "_sync_hash", "_odoo_write_date", "id"} & set(found.values())
    assert max(len(name.encode()) for name in found.values()) <= LONGEST_NAME


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (entry("m", None, name="Char"), "it is abstract"),
        (entry("m", "m"), "it has no stored column of its own"),
        (entry("m", "m", line_ids="One2many", picture="Binary"), "it has no stored column of its own"),
        ({**entry("m", "m"), "fields": [field("a", store=False)]}, "it has no stored column of its own"),
        (
            entry("m", "m", id="Id", **dict.fromkeys(("create_date", "write_date"), "Datetime"), create_uid="Many2one"),
            "it has no stored column of its own",
        ),
        (entry("m", "m", active="Boolean"), None),
    ],
)
def test_models_without_a_table(tmp_path: Path, one: dict[str, Any], reason: str | None) -> None:
    models = read(tmp_path, one)
    assert models["m"].without_table == reason
    assert tables(migration(models.values())) == ([] if reason else ["odoo_shadow_m"])


def test_tables_are_named_by_table_and_registered_by_name(tmp_path: Path) -> None:
    models = read(tmp_path, entry("ir.actions.act_window", "ir_act_window", name="Char"))
    text = migration(models.values())
    assert tables(text) == ["odoo_shadow_ir_act_window"]
    assert "VALUES ('odoo_shadow_ir_act_window', 'ir.actions.act_window', 1)" in text


@pytest.mark.parametrize("name", ["res.partner", "meta", "sync.log", "x." + "long_" * 12, "größe." + "ü" * 40])
def test_where_odoos_names_agree_the_file_is_that_of_a_server(tmp_path: Path, name: str) -> None:
    models = read(tmp_path, entry(name, name.replace(".", "_"), name="Char"), entry("a", "a", name="Char"))
    text = migration(models.values())
    assert text == tables_migration("odoo_shadow", models.values())
    assert sorted(tables(text)) == sorted(["odoo_shadow_a", table_name(name)])


def test_a_table_that_is_called_like_the_shadows_own_gets_another_name(tmp_path: Path) -> None:
    text = migration(read(tmp_path, entry("x.books", "meta", name="Char")).values())
    assert tables(text) == [distinct_table_name("meta")]


def test_models_of_one_table_get_a_table_each(tmp_path: Path) -> None:
    shared = ("ir.actions.actions", "ir.actions.close", "x.actions")
    models = read(tmp_path, *(entry(name, "ir_actions", name="Char") for name in shared))
    assert tables(migration(models.values())) == [
        "odoo_shadow_ir_actions",
        distinct_table_name("ir.actions.close"),
        distinct_table_name("x.actions"),
    ]


def test_a_table_that_is_called_like_anothers_substitute_stays_apart(tmp_path: Path) -> None:
    substitute = distinct_table_name("c").removeprefix("odoo_shadow_")
    entries = (entry("a", substitute, name="Char"), entry("b", "c", name="Char"), entry("c", "c", name="Char"))
    made = tables(migration(read(tmp_path, *entries).values()))
    assert len(set(made)) == 3
    assert made[:2] == [f"odoo_shadow_{substitute}", "odoo_shadow_c"]


def test_the_fields_of_a_model_that_occurs_twice_are_united(tmp_path: Path) -> None:
    first = {**entry("m", "m"), "fields": [field("a", store=False), field("b"), field("z", store=False)]}
    second = {**entry("m", "m"), "fields": [field("c", "Date"), field("a"), field("z", store=False)]}
    for order in ((first, second), (second, first)):
        wanted = {"a": ColumnType.TEXT, "b": ColumnType.TEXT, "c": ColumnType.DATE}
        assert columns(read(tmp_path, *order)["m"]) == wanted


def test_an_abstract_entry_does_not_take_a_models_table(tmp_path: Path) -> None:
    for order in ((None, "m"), ("m", None)):
        models = read(tmp_path, *(entry("m", table, **{f"by_{table}": "Char"}) for table in order))
        assert (models["m"].odoo_table, list(columns(models["m"]))) == ("m", ["by_None", "by_m"])


def test_the_order_of_entries_and_fields_does_not_matter(tmp_path: Path) -> None:
    kinds = {f"field_{number}": kind for number, (kind, _, _) in enumerate(TYPES)}
    entries = [entry(f"m.{number}", "shared" if number % 3 else f"m_{number}", **kinds) for number in range(12)]
    entries += [entry("m.1", "shared", other="Char"), entry("m.2", None, more="Char")]
    text = migration(read(tmp_path, *entries).values())
    assert len(tables(text)) == 12
    for order in (slice(None, None, -1), slice(5, None), slice(1, None, 2)):
        mixed = _in_order(entries, order)
        for one in mixed:
            one["fields"] = _in_order(one["fields"], order)
        assert migration(reversed(read(tmp_path, *mixed).values())) == text


def _in_order(items: list[Any], order: slice) -> list[Any]:
    """The same items, those of the slice first."""
    first = items[order]
    return first + [item for item in items if item not in first]


def test_a_file_may_begin_with_a_byte_order_mark_and_tell_more(tmp_path: Path) -> None:
    path = tmp_path / "index.json"
    path.write_text(json.dumps({"models": [{**entry("m", "m", a="Char"), "x": 1}], "made": "by hand"}), "utf-8-sig")
    assert list(read_model_index(path)) == ["m"]


def test_no_models_make_no_tables(tmp_path: Path) -> None:
    assert tables(migration(read(tmp_path).values())) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ([], "there must be an object with one list, models."),
        ({}, "there must be an object with one list, models."),
        ({"models": {"res.partner": {}}}, "there must be an object with one list, models."),
    ],
)
def test_another_document_is_refused(tmp_path: Path, wrong: object, said: str) -> None:
    path = written(tmp_path, wrong)
    with pytest.raises(MirrorConfigurationError) as caught:
        read_model_index(path)
    assert str(caught.value) == f"{path}: {said}"


@pytest.mark.parametrize("text", [b"", b"models: []", b'{"models": [', b"\xff\xfe\x00", b"\x80", b"[" * 100_000])
def test_what_is_no_json_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "index.json"
    path.write_bytes(text)
    with pytest.raises(MirrorConfigurationError) as caught:
        read_model_index(path)
    assert str(caught.value).startswith(f"{path}: this is not JSON: ")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MirrorConfigurationError, match=r"cannot be read \(No such file or directory\)\.$"):
        read_model_index(tmp_path / "index.json")
    with pytest.raises(MirrorConfigurationError, match=r"cannot be read \(Is a directory\)\.$"):
        read_model_index(tmp_path)


GOOD = entry("good", "good", name="Char")
NAMELESS = {"table": "m", "fields": []}
STRING = "Input should be a valid string"
EMPTY = "String should have at least 1 character"
NUL = "PostgreSQL cannot store a NUL character"


def with_field(**changed: object) -> dict[str, Any]:
    kept = {**field("a"), **changed}
    given = {key: value for key, value in kept.items() if value is not ...}
    return {**entry("m", "m", first="Char"), "fields": [field("first"), given]}


BAD_ENTRIES: list[tuple[object, str]] = [
    ("res.partner", "model number 2 is 'res.partner': Input should be an object"),
    (None, "model number 2 is None: Input should be an object"),
    (NAMELESS, "model number 2, name is missing"),
    ({**NAMELESS, "name": ""}, f"model number 2, name is '': {EMPTY}"),
    ({**NAMELESS, "name": 5}, f"model number 2, name is 5: {STRING}"),
    ({**NAMELESS, "name": "m\0"}, rf"model 'm\x00', name is 'm\x00': {NUL}"),
    ({"name": "m", "fields": []}, "model 'm', table is missing"),
    ({"name": "m", "table": "m"}, "model 'm', fields is missing"),
    ({**NAMELESS, "name": "m", "table": ""}, f"model 'm', table is '': {EMPTY}"),
    ({**NAMELESS, "name": "m", "table": False}, f"model 'm', table is False: {STRING}"),
    ({**NAMELESS, "name": "m", "fields": None}, "model 'm', fields is None: Input should be a valid list"),
    ({**NAMELESS, "name": "m", "fields": {}}, "model 'm', fields is {}: Input should be a valid list"),
    ({**NAMELESS, "name": "m", "fields": ["a"]}, "model 'm', field number 1 is 'a': Input should be an object"),
    (with_field(name=...), "model 'm', field number 2, name is missing"),
    (with_field(name=""), f"model 'm', field number 2, name is '': {EMPTY}"),
    (with_field(name="a\0"), rf"model 'm', field 'a\x00', name is 'a\x00': {NUL}"),
    (with_field(type=...), "model 'm', field 'a', type is missing"),
    (with_field(type=["Char"]), f"model 'm', field 'a', type is ['Char']: {STRING}"),
    (with_field(type=None), f"model 'm', field 'a', type is None: {STRING}"),
    (with_field(store=...), "model 'm', field 'a', store is missing"),
    (with_field(store="true"), "model 'm', field 'a', store is 'true': Input should be a valid boolean"),
    (with_field(store=1), "model 'm', field 'a', store is 1: Input should be a valid boolean"),
    (with_field(relation=5), f"model 'm', field 'a', relation is 5: {STRING}"),
    (with_field(name="first", type="Text"), "model 'm', field 'first' has several types: 'Char', 'Text'"),
    (
        with_field(name="\ud800"),
        rf"model 'm', field '\ud800', name is '\ud800': {STRING}, unable to parse raw data as a unicode string",
    ),
]


@pytest.mark.parametrize(("wrong", "said"), BAD_ENTRIES)
def test_a_bad_entry_is_named_with_file_model_and_field(tmp_path: Path, wrong: object, said: str) -> None:
    path = written(tmp_path, {"models": [GOOD, wrong, GOOD]})
    with pytest.raises(MirrorConfigurationError) as caught:
        read_model_index(path)
    assert str(caught.value) == f"{path}: {said}."


def test_entries_of_one_model_may_not_contradict_each_other(tmp_path: Path) -> None:
    both = (entry("m", "m", a="Char", b="Char"), entry("m", "other", a="Char", b="Date"))
    with pytest.raises(MirrorConfigurationError, match=r"model 'm' has several tables: 'm', 'other'\.$"):
        read(tmp_path, *both)
    for order in (both, both[::-1]):
        same_table = [{**one, "table": "m"} for one in order]
        with pytest.raises(
            MirrorConfigurationError, match=r"model 'm', field 'b' has several types: 'Char', 'Date'\.$"
        ):
            read(tmp_path, *same_table)


def test_fields_never_share_a_column(tmp_path: Path) -> None:
    (column,) = read(tmp_path, entry("m", "m", ctid="Char"))["m"].columns
    columns = read(tmp_path, entry("m", "m", **{"ctid": "Char", column.name: "Char"}))["m"].columns
    assert len({item.name for item in columns}) == 2
    assert next(item.name for item in columns if item.field == column.name) == column.name


def test_a_long_wrong_value_is_shown_short(tmp_path: Path) -> None:
    with pytest.raises(MirrorConfigurationError) as caught:
        read(tmp_path, with_field(store="x" * 10_000))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"models": [], "models": []}', "'models' is given twice: keep one."),
        (
            '{"models": [{"name": "res.partner", "table": "a", "fields": [], "fields": []}]}',
            "'fields' of 'res.partner' is given twice: keep one.",
        ),
        (
            '{"models": [{"name": "m", "table": "a", "fields": [{"name": "a", "type": "Char", "type": "Date"}]}]}',
            "'type' of 'a' is given twice: keep one.",
        ),
    ],
)
def test_a_name_that_stands_twice_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "index.json"
    path.write_text(text)
    with pytest.raises(MirrorConfigurationError) as caught:
        read_model_index(path)
    assert str(caught.value) == f"{path}: {said}"
