"""write_date, the cursor: when it moves, to what, and how it compares."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from odoo_shadow.source.types import Domain
from tests.support.records import ARCHIVED_TOO, Records, Values, moment
from tests.support.servers import OdooServer

pytestmark = pytest.mark.odoo

SECOND = timedelta(seconds=1)
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


def exact_write_date(sql: psycopg.Connection, partner: int) -> datetime:
    """Return a partner's write_date with its microseconds."""
    row = sql.execute("SELECT write_date FROM res_partner WHERE id = %s", [partner]).fetchone()
    assert row is not None
    assert isinstance(row[0], datetime)
    return row[0].replace(tzinfo=UTC)


def clock(sql: psycopg.Connection) -> datetime:
    """Return PostgreSQL's clock."""
    row = sql.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    assert isinstance(row[0], datetime)
    return row[0]


@contextmanager
def locked(dsn: str | None, partner: int) -> Iterator[None]:
    """Hold a lock on a partner's row, so that a writing transaction stays open for as long."""
    assert dsn is not None
    with psycopg.connect(dsn) as connection:
        connection.execute("SELECT FROM res_partner WHERE id = %s FOR UPDATE", [partner])
        yield
        connection.rollback()


def test_write_date_is_the_start_of_the_transaction(
    records: Records, server: OdooServer, sql: psycopg.Connection
) -> None:
    if server.stand_in is None:
        pytest.skip("a real server cannot be told to keep a transaction open")
    partner = records.partner()
    with server.stand_in.transaction() as transaction:
        begun = clock(sql)
        transaction.execute("res.partner", "write", [partner], {"color": 5})
    assert exact_write_date(sql, partner) < begun


def test_all_statements_of_one_call_share_one_write_date(records: Records, sql: psycopg.Connection) -> None:
    parent = records.partner(is_company=True)
    child = records.partner(name="Child", parent_id=parent)
    records.settle("res.partner", [parent, child])
    records.write("res.partner", [parent], name=f"{records.prefix} renamed")
    assert exact_write_date(sql, parent) == exact_write_date(sql, child)


def test_write_date_is_older_than_the_commit(
    records: Records, hook: OdooHook, server: OdooServer, sql: psycopg.Connection
) -> None:
    partner = records.partner()
    (before,) = records.settle("res.partner", [partner])
    with ThreadPoolExecutor(1) as pool:
        with locked(server.dsn, partner):
            writing = pool.submit(records.write, "res.partner", [partner], color=5)
            while sql.execute(WAITING).fetchone() == (0,):
                assert not writing.done()
            halfway = clock(sql)
            assert records.write_dates("res.partner", [partner]) == [before]
        writing.result()
    written = exact_write_date(sql, partner)
    assert before < written < halfway
    (told,) = records.write_dates("res.partner", [partner])
    assert told == written.replace(microsecond=0)
    assert hook.search("res.partner", [("id", "=", partner), ("write_date", ">=", f"{halfway + SECOND:%F %T}")]) == []


def test_all_writes_of_one_call_share_one_write_date(records: Records, sql: psycopg.Connection) -> None:
    ids = records.partners(50)
    records.settle("res.partner", ids)
    records.write("res.partner", ids, color=4)
    assert len(set(records.write_dates("res.partner", ids))) == 1
    rows = sql.execute("SELECT DISTINCT write_date FROM res_partner WHERE id = ANY(%s)", [ids]).fetchall()
    assert len(rows) == 1


def test_write_date_cannot_be_written(records: Records) -> None:
    partner = records.partner(write_date="2001-01-01 00:00:00", create_date="2001-01-01 00:00:00")
    created = records.write_dates("res.partner", [partner])[0]
    assert created.year > 2001
    records.write("res.partner", [partner], write_date="2001-01-01 00:00:00", color=1)
    assert records.write_dates("res.partner", [partner])[0] >= created


def test_a_new_record_has_create_date_and_write_date_alike(records: Records, hook: OdooHook) -> None:
    record = records.read_partner(records.partner(), "create_date", "write_date", "create_uid", "write_uid")
    assert record["create_date"] == record["write_date"]
    assert record["create_uid"] == record["write_uid"] == hook.get_conn().user_id()


def test_greater_or_equal_finds_the_row_again_whatever_its_microseconds(records: Records, hook: OdooHook) -> None:
    partner = records.partner()
    (told,) = records.write_dates("res.partner", [partner])
    own: Domain = [("id", "=", partner)]
    assert hook.search("res.partner", [*own, ("write_date", ">=", f"{told:%F %T}")]) == [partner]
    assert hook.search("res.partner", [*own, ("write_date", ">=", f"{told + SECOND:%F %T}")]) == []
    assert hook.search("res.partner", [*own, ("write_date", "<", f"{told:%F %T}")]) == []
    assert hook.search("res.partner", [*own, ("write_date", "<", f"{told + SECOND:%F %T}")]) == [partner]


STORED = "2024-05-06 07:08:09"
COMPARED = [
    # operator, microseconds stored, found up to 18, found from 19 on
    (">=", 0, True, True),
    (">=", 1, True, True),
    (">=", 999_999, True, True),
    (">", 0, False, False),
    (">", 500_000, True, False),
    (">", 999_999, True, False),
    ("=", 0, True, True),
    ("=", 500_000, False, True),
    ("!=", 500_000, True, False),
    ("<=", 0, True, True),
    ("<=", 500_000, False, True),
    ("<", 0, False, False),
    ("<", 500_000, False, False),
    ("in", 500_000, False, True),
]


@pytest.mark.parametrize(("operator", "microseconds", "older", "newer"), COMPARED)
def test_how_a_stored_moment_compares_with_its_second(
    operator: str,
    microseconds: int,
    older: bool,
    newer: bool,
    records: Records,
    hook: OdooHook,
    server: OdooServer,
    sql: psycopg.Connection,
) -> None:
    partner = records.partner()
    sql.execute("UPDATE res_partner SET write_date = %s WHERE id = %s", [f"{STORED}.{microseconds:06}", partner])
    value = [STORED] if operator == "in" else STORED
    found = hook.search("res.partner", [("id", "=", partner), ("write_date", operator, value)])
    assert found == ([partner] if (newer if server.compares_whole_seconds else older) else [])


def test_a_cursor_asking_for_more_than_the_last_second_loses_rows_from_19_on(
    records: Records, hook: OdooHook, server: OdooServer, sql: psycopg.Connection
) -> None:
    first, second = records.partners(2)
    for partner, stored in ((first, f"{STORED}.2"), (second, f"{STORED}.7")):
        sql.execute("UPDATE res_partner SET write_date = %s WHERE id = %s", [stored, partner])
    last_seen = records.write_dates("res.partner", [first])[0]
    own: Domain = [("id", "in", [first, second])]
    found = hook.search("res.partner", [*own, ("write_date", ">", f"{last_seen:%F %T}")], order="id")
    assert found == ([] if server.compares_whole_seconds else [first, second])
    assert hook.search("res.partner", [*own, ("write_date", ">=", f"{last_seen:%F %T}")], order="id") == [first, second]


def test_order_by_write_date_is_by_microseconds_that_nobody_sees(
    records: Records, hook: OdooHook, sql: psycopg.Connection
) -> None:
    first, second = records.partners(2)
    for partner, stored in ((first, f"{STORED}.7"), (second, f"{STORED}.2")):
        sql.execute("UPDATE res_partner SET write_date = %s WHERE id = %s", [stored, partner])
    assert len(set(records.write_dates("res.partner", [first, second]))) == 1
    assert hook.search("res.partner", [("id", "in", [first, second])], order="write_date, id") == [second, first]


def test_a_write_moves_it_even_when_nothing_changes(records: Records) -> None:
    partner = records.partner(color=3)
    (before,) = records.settle("res.partner", [partner])
    records.write("res.partner", [partner], color=3)
    assert records.write_dates("res.partner", [partner])[0] > before


def test_archiving_moves_it(records: Records) -> None:
    partner = records.partner()
    (before,) = records.settle("res.partner", [partner])
    records.write("res.partner", [partner], active=False)
    assert records.write_dates("res.partner", [partner])[0] > before


def test_a_many2many_changed_from_the_other_side_does_not_move_it(records: Records) -> None:
    partner = records.partner()
    (tag,) = records.create("res.partner.category", [{}])
    (before,) = records.settle("res.partner", [partner])
    records.write("res.partner.category", [tag], partner_ids=[(4, partner)])
    assert records.read_partner(partner, "category_id")["category_id"] == [tag]
    assert records.write_dates("res.partner", [partner]) == [before]


def test_a_many2many_changed_from_its_own_side_moves_it(records: Records) -> None:
    partner = records.partner()
    (tag,) = records.create("res.partner.category", [{}])
    (before,) = records.settle("res.partner", [partner])
    records.write("res.partner", [partner], category_id=[(4, tag)])
    assert records.write_dates("res.partner", [partner])[0] > before


def test_a_one2many_command_moves_the_child(records: Records) -> None:
    parent, child = records.partners(2)
    (before,) = records.settle("res.partner", [child])
    records.write("res.partner", [parent], child_ids=[(4, child)])
    assert records.read_partner(child, "parent_id")["parent_id"] == parent
    assert records.write_dates("res.partner", [child])[0] > before


def test_recomputation_moves_the_child(records: Records, server: OdooServer) -> None:
    parent = records.partner(is_company=True)
    child = records.partner(name="Child", parent_id=parent)
    grandchild = records.partner(name="Grandchild", parent_id=child)
    stranger = records.partner()
    below = [child, grandchild]
    before = records.settle("res.partner", [*below, stranger])
    records.write("res.partner", [parent], name=f"{records.prefix} renamed")
    stored = "complete_name" if server.version >= 17 else "display_name"
    assert records.read_partner(child, stored)[stored] == f"{records.prefix} renamed, Child"
    after = records.write_dates("res.partner", [*below, stranger])
    assert [new > old for new, old in zip(after, before, strict=True)] == [True, True, False]


def test_a_line_moves_its_order(records: Records, hook: OdooHook) -> None:
    (product,) = records.create("product.product", [{"list_price": 10}])
    partner = records.partner()
    line: Values = {"product_id": product, "product_uom_qty": 2, "price_unit": 10, "name": "x"}
    values: Values = {"partner_id": partner, "order_line": [(0, 0, line)], "name": records.prefix}
    (order,) = records.create("sale.order", [values])
    (before,) = records.settle("sale.order", [order])
    lines = hook.search("sale.order.line", [("order_id", "=", order)])
    records.write("sale.order.line", lines, product_uom_qty=3)
    (record,) = records.read("sale.order", [order], ["amount_untaxed", "write_date"])
    assert record["amount_untaxed"] == 30.0
    assert moment(record["write_date"]) > before


def test_a_stored_related_field_moves_its_record(records: Records, hook: OdooHook) -> None:
    """`sale.order.line.state` is that of its order, in a column of its own."""
    (product,) = records.create("product.product", [{"list_price": 10}])
    line: Values = {"product_id": product, "product_uom_qty": 2, "price_unit": 10, "name": "x"}
    values: Values = {"partner_id": records.partner(), "order_line": [(0, 0, line)], "name": records.prefix}
    (order,) = records.create("sale.order", [values])
    lines = hook.search("sale.order.line", [("order_id", "=", order)])
    (before,) = records.settle("sale.order.line", lines)
    records.write("sale.order", [order], state="cancel")
    (record,) = records.read("sale.order.line", lines, ["state", "write_date"])
    assert record["state"] == "cancel"
    assert moment(record["write_date"]) > before


def test_a_parent_through_inherits_moves_the_product_from_17_on(records: Records, server: OdooServer) -> None:
    template, product = records.product()
    (before,) = records.settle("product.product", [product])
    records.settle("product.template", [template])
    records.write("product.template", [template], list_price=99)
    assert (records.write_dates("product.product", [product])[0] > before) is (server.version >= 17)


def test_unlink_leaves_nothing_and_ids_are_never_used_again(records: Records, hook: OdooHook) -> None:
    ids = records.partners(2)
    records.unlink("res.partner", ids)
    assert hook.search("res.partner", [("id", "in", ids)], context=ARCHIVED_TOO) == []
    assert records.read("res.partner", ids, ["write_date"]) == []
    assert hook.execute_kw("res.partner", "read", [ids, ["name"]]) == []
    assert records.partner() > max(ids)


def test_a_cascade_deletes_without_a_trace(records: Records, hook: OdooHook) -> None:
    (above,) = records.create("res.partner.category", [{}])
    (below,) = records.create("res.partner.category", [{"parent_id": above}])
    records.unlink("res.partner.category", [above])
    assert hook.search("res.partner.category", [("id", "=", below)], context=ARCHIVED_TOO) == []


def test_the_date_header_is_the_servers_clock_and_never_runs_ahead(records: Records) -> None:
    partner = records.partner()
    (written,) = records.write_dates("res.partner", [partner])
    told = records.clock()
    assert told.tzinfo is UTC
    assert told.microsecond == 0
    later = records.write_dates("res.partner", [records.partner()])[0]
    assert written - timedelta(minutes=1) < told <= later
