"""The registry: which model has which table, and how its last run went."""

from __future__ import annotations

from typing import LiteralString

import pytest
from psycopg import sql

from odoo_shadow.shadow.columns import Column, ColumnType
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.install import ensure_base
from odoo_shadow.shadow.names import distinct_table_name
from odoo_shadow.shadow.state import registry
from odoo_shadow.shadow.state.registry import TableStatus
from odoo_shadow.shadow.tables.present import present_columns
from odoo_shadow.shadow.views.named_views import renew_due_views
from tests.support.tables import NAME, make_base, make_table, merge, row, rows_of

CHANGES: list[LiteralString] = [
    "ALTER TABLE {table} DROP COLUMN code CASCADE",
    "ALTER TABLE {table} RENAME code TO code_old",
]
ALIKE = ("sale.order.line", "sale.order_line", "sale_order.line")


def register(shadow: ShadowDatabase, model: str) -> str:
    with shadow.transaction() as tx:
        ensure_base(tx)
        return registry.register_table(tx, model)


def statuses(shadow: ShadowDatabase) -> list[TableStatus]:
    with shadow.transaction() as tx:
        return registry.list_tables(tx)


def test_a_model_keeps_its_table(shadow: ShadowDatabase) -> None:
    assert register(shadow, "res.partner") == "odoo_shadow_res_partner"
    assert register(shadow, "res.partner") == "odoo_shadow_res_partner"
    with shadow.transaction() as tx:
        registry.count_fields(tx, "odoo_shadow_res_partner", 4)
        rows = tx.run("SELECT odoo_model, field_count FROM {meta}", meta=tx.own("odoo_shadow_meta"))
        assert rows == [("res.partner", 4)]


def test_models_that_would_share_a_table_get_tables_of_their_own(shadow: ShadowDatabase) -> None:
    tables = [register(shadow, model) for model in ALIKE]
    assert tables[0] == "odoo_shadow_sale_order_line"
    assert len(set(tables)) == 3
    assert [register(shadow, model) for model in reversed(ALIKE)] == tables[::-1]
    with shadow.transaction() as tx:
        assert [registry.name_table(tx, model) for model in ALIKE] == tables
        assert [registry.find_table(tx, model) for model in ALIKE] == tables


def test_their_rows_do_not_mix(shadow: ShadowDatabase) -> None:
    for number, model in enumerate(ALIKE, 1):
        merge(shadow, make_table(shadow, model), row(number, model))
    for number, model in enumerate(ALIKE, 1):
        with shadow.transaction() as tx:
            table = registry.name_table(tx, model)
        assert rows_of(shadow, table, ("id", "name")) == [(number, model)]


@pytest.mark.parametrize("model", ["sync.log", "meta", "watermark", "mirror"])
def test_a_model_never_gets_one_of_the_projects_own_tables(shadow: ShadowDatabase, model: str) -> None:
    make_base(shadow)
    own = ("odoo_shadow_sync_log", "odoo_shadow_meta", "odoo_shadow_watermark", "odoo_shadow_mirror")
    assert register(shadow, model) not in own


def test_a_model_never_gets_another_models_index(shadow: ShadowDatabase) -> None:
    # Tables and indexes of a schema share one space of names.
    for model in ("x.visit", "x.visit.write_date"):
        merge(shadow, make_table(shadow, model), row(1, model))
    with shadow.transaction() as tx:
        table = registry.name_table(tx, "x.visit.write_date")
    assert rows_of(shadow, table, ("id", "name")) == [(1, "x.visit.write_date")]


@pytest.mark.parametrize("models", [("x", "x.pkey"), ("x.pkey", "x"), ("x", "x.named"), ("x.named", "x")])
def test_a_model_never_gets_what_postgresql_or_the_mirror_makes_of_anothers_name(
    shadow: ShadowDatabase, database: str, models: tuple[str, str]
) -> None:
    for number, model in enumerate(models, 1):
        merge(shadow, make_table(shadow, model), row(number, model))
        renew_due_views(shadow)
    for number, model in enumerate(models, 1):
        with shadow.transaction() as tx:
            table = registry.name_table(tx, model)
        assert rows_of(shadow, table, ("id", "name")) == [(number, model)]
        assert rows_of(shadow, f"{table}_named", ("id", "name")) == [(number, model)]


@pytest.mark.parametrize(
    "kind", ["TABLE {n} (x int)", "VIEW {n} AS SELECT 1 AS x", "SEQUENCE {n}", "TYPE {n} AS ENUM ('x')"]
)
def test_a_model_never_gets_what_somebody_made_in_the_schema(
    shadow: ShadowDatabase, database: str, kind: LiteralString
) -> None:
    make_base(shadow)
    plain, hashed = "odoo_shadow_x_visit", distinct_table_name("x.visit")
    for name in (plain, hashed):
        with shadow.transaction() as tx:
            tx.run("CREATE " + kind, n=tx.own(name))
    table = make_table(shadow, "x.visit")
    assert table not in (plain, hashed)
    assert merge(shadow, table, row(1, "a")).inserted == 1
    assert make_table(shadow, "x.visit") == table  # found again through the registry
    with shadow.transaction() as tx:
        tx.run("DROP " + kind.split()[0] + " {n}", n=tx.own(plain))
    assert make_table(shadow, "x.visit") == table


def test_a_model_never_gets_the_distinct_name_that_another_has(shadow: ShadowDatabase) -> None:
    make_table(shadow, "a.b")
    thief = distinct_table_name("a_b").removeprefix("odoo_shadow_")
    first = make_table(shadow, thief)
    merge(shadow, first, row(1, "the other"))
    second = make_table(shadow, "a_b")
    assert second not in (first, "odoo_shadow_a_b")
    assert rows_of(shadow, second, ("id",)) == []


def test_a_table_of_an_emptied_registry_is_found_again(shadow: ShadowDatabase) -> None:
    table = make_table(shadow, "x.visit")
    with shadow.transaction() as tx:
        tx.run("DELETE FROM {meta}", meta=tx.own("odoo_shadow_meta"))
    assert make_table(shadow, "x.visit") == table


def test_long_models_have_tables_that_fit(shadow: ShadowDatabase) -> None:
    models = ["x." + "very_long_" * 7 + end for end in ("a", "b")]
    tables = [make_table(shadow, model) for model in models]
    assert len(set(tables)) == 2
    for model, table in zip(models, tables, strict=True):
        merge(shadow, table, row(1, model))
        assert rows_of(shadow, table, ("name",)) == [(model,)]


def test_runs_are_noted(shadow: ShadowDatabase) -> None:
    table = register(shadow, "res.partner")
    with shadow.transaction() as tx:
        registry.count_rows(tx, table, 5)
        registry.note_failure(tx, table, "Odoo cannot be reached.")
        registry.note_failure(tx, table, "Odoo cannot be reached still.")
    (failed,) = statuses(shadow)
    assert (failed.model, failed.table, failed.row_count) == ("res.partner", table, 5)
    assert (failed.sync_errors, failed.last_error) == (2, "Odoo cannot be reached still.")
    assert failed.last_sync_at is None and failed.watermark is None
    with shadow.transaction() as tx:
        registry.count_rows(tx, table, 2)
        registry.note_success(tx, table, 1234)
    (good,) = statuses(shadow)
    assert (good.row_count, good.sync_errors, good.last_error) == (7, 0, None)
    assert good.last_sync_at is not None


def test_tables_are_listed_by_model(shadow: ShadowDatabase) -> None:
    for model in ("sale.order", "account.move", "res.partner"):
        register(shadow, model)
    assert [status.model for status in statuses(shadow)] == ["account.move", "res.partner", "sale.order"]


def test_a_type_that_can_be_widened_is_widened(shadow: ShadowDatabase) -> None:
    table = make_table(shadow, columns=[Column("code", ColumnType.BIGINT), NAME])
    listed = ("id", "_odoo_write_date", "code")
    merge(shadow, table, (1, None, 7), columns=listed)
    make_table(shadow, columns=[Column("code", ColumnType.TEXT), NAME])
    with shadow.transaction() as tx:
        assert tx.run("SELECT code FROM public.{view}", view=sql.Identifier(table)) == [("7",)]
        assert tx.run("SELECT change, old_type, new_type FROM odoo_shadow.odoo_shadow_schema_log ORDER BY id DESC")[
            0
        ] == (
            "type widened",
            "bigint",
            "text",
        )


def test_a_type_that_cannot_be_widened_keeps_the_old_column_beside(shadow: ShadowDatabase) -> None:
    table = make_table(shadow, columns=[Column("code", ColumnType.TEXT), NAME])
    listed = ("id", "_odoo_write_date", "code")
    merge(shadow, table, (1, None, "seven"), columns=listed)
    make_table(shadow, columns=[Column("code", ColumnType.BIGINT), NAME])
    merge(shadow, table, (1, None, 7), columns=listed)
    with shadow.transaction() as tx:
        assert tx.run("SELECT code, code__text FROM public.{view}", view=sql.Identifier(table)) == [(7, "seven")]


def test_a_view_that_somebody_built_on_a_column_survives(shadow: ShadowDatabase) -> None:
    table = make_table(shadow, columns=[Column("code", ColumnType.BIGINT), NAME])
    with shadow.transaction() as tx:
        tx.run("CREATE VIEW public.mine AS SELECT code FROM {table}", table=tx.own(table))
    make_table(shadow, columns=[Column("code", ColumnType.TEXT), NAME])  # widening would need mine to go
    with shadow.transaction() as tx:
        assert tx.run("SELECT code FROM public.mine") == []
        assert {"code", "code__bigint"} <= set(present_columns(tx, table))


@pytest.mark.parametrize("change", CHANGES, ids=["drop", "rename"])
def test_the_public_view_follows_what_people_do_to_the_table(shadow: ShadowDatabase, change: LiteralString) -> None:
    wanted = [Column("code", ColumnType.BIGINT), NAME]
    table = make_table(shadow, columns=wanted)
    with shadow.transaction() as tx:
        tx.run(change, table=tx.own(table))
    make_table(shadow, columns=wanted)
    with shadow.transaction() as tx:
        assert tx.run("SELECT code FROM public.{view}", view=sql.Identifier(table)) == []
