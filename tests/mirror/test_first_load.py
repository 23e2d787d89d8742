"""The first load: afterwards the shadow is what Odoo's own tables are, cell by cell."""

from __future__ import annotations

from datetime import timedelta

import pytest

from odoo_shadow.mirror.config.patterns import PRIORITY_MODELS
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.catalog import structure
from tests.support.clients import limited_source_of, source_of
from tests.support.flavours import Flavour
from tests.support.running import log_of, mirror, scan_of, watermark_of
from tests.support.source_of_truth import assert_equal, column_types, expected_rows, shadow_rows

MODELS = (*PRIORITY_MODELS, "x_awkward", "mail.followers", "ir.attachment")


def test_every_model_is_equal_cell_by_cell(
    shared_odoo: StandIn, shared_source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    for model in MODELS:
        result = mirror(shared_source, shadow, model, batch_size=100)
        rows = len(expected_rows(shared_odoo, model))
        assert (result.kind, result.counts) == (ScanKind.FIRST_LOAD, RowCounts(inserted=rows))
    assert assert_equal(shared_odoo, database, MODELS) > 50_000
    types: dict[str, dict[str, str]] = {}
    for schema, table, _, name, kind, *_ in structure(database)["columns"]:
        if schema == "odoo_shadow":
            types.setdefault(str(table), {})[str(name)] = str(kind)
    for model in MODELS:
        assert types["odoo_shadow_" + model.replace(".", "_")] == column_types(shared_odoo, model), model


def test_what_the_comparison_compares(shared_odoo: StandIn) -> None:
    # It would prove little on data without archived rows, other companies, empty cells and so on.
    partners = expected_rows(shared_odoo, "res.partner").values()
    assert {row["active"] for row in partners} == {True, False}
    assert {row["company_id"] for row in partners} >= {None, 1, 2, 3}
    assert any(row["trust"] for row in partners) and not all(row["trust"] for row in partners)
    assert any(row["property_account_payable_id"] for row in partners)
    templates = expected_rows(shared_odoo, "product.template").values()
    assert any(row["name"] for row in templates)
    lines = expected_rows(shared_odoo, "account.move.line").values()
    assert any(row["balance"] != int(row["balance"]) for row in lines)
    awkward = expected_rows(shared_odoo, "x_awkward").values()
    assert any(row["x_properties"] for row in awkward) and any(row["x_json"] for row in awkward)
    assert any(row["x_res_id"] for row in awkward) and any(row["x_any"] for row in awkward)


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("model", "batch_size"), [("project.project", 1), ("product.product", 7), ("res.users", 10_000)]
)
def test_the_size_of_pages_makes_no_difference(
    shared_odoo: StandIn, shared_source: ApiSource, shadow: ShadowDatabase, database: str, model: str, batch_size: int
) -> None:
    mirror(shared_source, shadow, model, batch_size=batch_size)
    assert_equal(shared_odoo, database, [model])


def test_another_language(shared_odoo: StandIn, shadow: ShadowDatabase, database: str) -> None:
    with source_of(shared_odoo, extras={"lang": "fr_FR"}) as french:
        mirror(french, shadow, "product.template")
    assert_equal(shared_odoo, database, ["product.template"], lang="fr_FR")
    names = {row["name"] for row in shadow_rows(database, "odoo_shadow_product_template").values()}
    assert names != {row["name"] for row in expected_rows(shared_odoo, "product.template").values()}


def test_the_books_after_a_first_load(shared_source: ApiSource, shadow: ShadowDatabase) -> None:
    result = mirror(shared_source, shadow, "res.partner", batch_size=150)
    rows = result.counts.inserted
    (entry,) = log_of(shadow)
    assert (entry["status"], entry["rows_inserted"], entry["rows_updated"]) == ("success", rows, 0)
    assert entry["completed_at"] is not None and entry["error_message"] is None
    mark = watermark_of(shadow)
    assert mark == result.watermark
    assert mark is not None and (mark.rows_synced, scan_of(shadow)) == (rows, None)
    with shadow.transaction() as tx:
        ((row_count, errors, last_sync),) = tx.run(
            "SELECT row_count, sync_errors, last_sync_at FROM {meta}", meta=tx.own("odoo_shadow_meta")
        )
    assert (row_count, errors) == (rows, 0)
    assert last_sync is not None


def test_the_books_know_the_models_module(
    shared_source: ApiSource, shared_odoo: StandIn, shadow: ShadowDatabase
) -> None:
    mirror(shared_source, shadow, "sale.order")
    with limited_source_of(shared_odoo) as source:
        mirror(source, shadow, "res.company")
    with shadow.transaction() as tx:
        modules: dict[str, str | None] = dict(
            tx.run("SELECT odoo_model, odoo_module FROM {meta}", meta=tx.own("odoo_shadow_meta"))
        )
    assert modules == {"sale.order": "sale", "res.company": None}  # the limited login may not read ir.model


def test_the_watermark_is_odoos_clock_not_this_machines(
    shared_odoo: StandIn, shared_source: ApiSource, shadow: ShadowDatabase
) -> None:
    before = shared_source.client.server_time()
    result = mirror(shared_source, shadow, "res.company")
    assert before <= result.watermark.last_write_date <= shared_source.client.server_time()
    assert result.watermark.last_write_date.microsecond == 0
    assert shared_source.client.server_time() - before < timedelta(minutes=1)


PROTOCOL_MODELS = ("res.partner", "account.move.line", "x_awkward")


def test_json_rpc_tells_the_same_of_19(
    shared_odoos: dict[Flavour, StandIn], shadow: ShadowDatabase, database: str
) -> None:
    odoo = shared_odoos["19"]
    with source_of(odoo, password=odoo.password) as source:
        for model in PROTOCOL_MODELS:
            mirror(source, shadow, model)
    assert_equal(odoo, database, PROTOCOL_MODELS)


def test_xml_rpc_tells_the_same(shared_odoo: StandIn, shadow: ShadowDatabase, database: str) -> None:
    # Odoo writes carriage returns into its XML as they are, and every XML parser must turn them into line feeds.
    with source_of(shared_odoo, extras={"protocol": "xmlrpc"}) as source:
        for model in PROTOCOL_MODELS:
            mirror(source, shadow, model)
    assert_equal(shared_odoo, database, PROTOCOL_MODELS)
