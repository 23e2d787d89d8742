"""What a server tells of records' ids, and of records that it does not give with all of their fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from odoo_shadow.source.api.connection import ProtocolChoice
from odoo_shadow.source.api.domains import everything, within, without_id
from odoo_shadow.source.errors import OdooAccessError, OdooRequestError, OdooUnreadableRecordsError
from odoo_shadow.source.reading import Reading
from odoo_shadow.source.types import Domain, Record
from tests.support.records import ARCHIVED_TOO, Records
from tests.support.servers import OdooServer

pytestmark = pytest.mark.odoo

VIEW = "x_odoo_shadow_test_view"
READING = Reading(VIEW, ())
ViewOf = Callable[[str], None]


@pytest.fixture
def view_of(records: Records, hook: OdooHook, server: OdooServer, sql: psycopg.Connection) -> Iterator[ViewOf]:
    """A model that is an SQL view with the ids that a test wants; on a real server a manual one, turned into a view."""
    stamps = "1 AS create_uid, now() AT TIME ZONE 'UTC' AS create_date, 1 AS write_uid"
    columns = f"id, 'x'::varchar AS x_name, {stamps}, timestamp '2024-02-29' AS write_date"

    def selected(ids: str) -> str:
        return f"SELECT {columns} FROM unnest(ARRAY[{ids}]::bigint[]) AS id"  # noqa: S608

    with _model(records, hook, server) as make:
        yield lambda ids: make(sql, selected(ids))


@contextmanager
def _model(records: Records, hook: OdooHook, server: OdooServer) -> Iterator[Callable[[psycopg.Connection, str], None]]:
    if server.stand_in is not None:
        stand_in = server.stand_in
        yield lambda _, selected: stand_in.add_view(VIEW, selected)
        stand_in.uninstall(VIEW)
        return

    def make(sql: psycopg.Connection, selected: str) -> None:
        (model,) = records.create("ir.model", [{"model": VIEW}])
        groups = hook.search_read("ir.model.data", [("module", "=", "base"), ("name", "=", "group_user")], ["res_id"])
        access = {"model_id": model, "group_id": groups[0]["res_id"], "perm_read": True}
        records.create("ir.model.access", [access])
        sql.execute(f"DROP TABLE {VIEW} CASCADE".encode())
        sql.execute(f"CREATE VIEW {VIEW} AS {selected}".encode())

    yield make


def listed(hook: OdooHook, domain: Domain) -> list[object]:
    """The ids of the records that are read."""
    return [record["id"] for record in hook.search_read(VIEW, domain, ["id"], order="id")]


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("ids", "read", "searched"),
    [
        ("-5000000000, -7, 9", [-5_000_000_000, -7, 9], [-5_000_000_000, -7, 9]),
        ("-7, 0, 9", [-7, 0, 9], [-7, 9]),
        ("1, 1, 2", [1, 1, 2], [1, 1, 2]),
        ("5, NULL, 9", [5, 9], [5, 9]),
        ("5, 9223372036854775807", [5, 2**63 - 1], [5, 2**63 - 1]),
    ],
    ids=["far below zero", "zero", "shared", "none", "far above"],
)
def test_ids_of_views(ids: str, read: list[int], searched: list[int], view_of: ViewOf, hook: OdooHook) -> None:
    """`search` drops the id 0; who has none is only counted, and only by who asks for it.

    On 18 `("id", "=", 0)` asks for those without id.
    """
    view_of(ids)
    assert listed(hook, within(READING)) == read
    assert hook.search(VIEW, within(READING), order="id") == searched
    nameless = ids.count("NULL")
    assert hook.search_count(VIEW, within(READING)) == len(read)
    assert hook.search_count(VIEW, everything(READING)) == len(read) + nameless
    assert hook.search_count(VIEW, without_id(READING)) == nameless
    assert hook.search_count(VIEW, [*READING.domain, ("id", ">", -1), ("id", "<", 1)]) == read.count(0)


def test_xml_rpc_carries_no_ids_beyond_32_bits(view_of: ViewOf, hook_to: Callable[..., OdooHook]) -> None:
    view_of("-5000000000, -7, 9")
    hook = hook_to({"protocol": ProtocolChoice.XMLRPC})
    assert hook.search_count(VIEW, within(READING)) == 3
    with pytest.raises(OdooRequestError, match="does not send over XML-RPC: set protocol to jsonrpc"):
        hook.search(VIEW, within(READING))
    with pytest.raises(OdooRequestError, match="does not send over XML-RPC: set protocol to jsonrpc"):
        listed(hook, within(READING))
    assert listed(hook, within(READING, [("id", ">", -8)])) == [-7, 9]


def test_a_search_that_names_id_in_our_way_finds_all_attachments(hook: OdooHook) -> None:
    """Those of other models' fields are hidden from one that does not."""
    reading = Reading("ir.attachment", ())
    bounded: Domain = [("id", ">", 0)]
    found = hook.search_count("ir.attachment", bounded)
    assert hook.search_count("ir.attachment", within(reading)) == found
    assert hook.search_count("ir.attachment", everything(reading)) == found
    assert len(hook.search("ir.attachment", within(reading))) == found


def test_iter_pages_ends_with_an_error_when_odoo_withholds_records(
    records: Records, hook: OdooHook, server: OdooServer
) -> None:
    ids = records.partners(5)
    if server.stand_in is None:
        pytest.skip("a real server withholds nothing when asked to")
    server.stand_in.rewrite = lambda _, rows: [row for row in rows if row["id"] not in ids[1:3]]
    found: list[object] = []
    try:
        with pytest.raises(OdooUnreadableRecordsError, match=f"cannot give 2 records.*The first, {ids[1]}"):
            for page in hook.iter_pages("res.partner", ["id"], [("id", "in", ids)], page_size=3):
                found += [record["id"] for record in page]
    finally:
        server.stand_in.rewrite = None
    assert found == [ids[0], *ids[3:]]


def test_employees_are_refused_or_dropped_with_what_only_hr_may_see(
    limited_hook: OdooHook, hook: OdooHook, server: OdooServer
) -> None:
    """Up to 18 with an error, in 19 with none: an empty list, though there are ids and a count."""
    if not hook.search("ir.model", [("model", "=", "hr.employee")]):
        pytest.skip("no employees on this server")
    reading = Reading("hr.employee", ())
    count = limited_hook.search_count("hr.employee", everything(reading), context=ARCHIVED_TOO)
    assert count and len(limited_hook.search("hr.employee", within(reading), context=ARCHIVED_TOO)) == count
    for fields in (["id"], ["id", "write_date", "name", "company_id"]):
        assert len(limited_hook.search_read("hr.employee", [], fields, context=ARCHIVED_TOO)) == count
    if server.version >= 19:
        assert limited_hook.search_read("hr.employee", [], ["id", "name", "current_version_id"]) == []
    else:
        told = "not available on the public employee profile" if server.version < 18 else "not have enough rights"
        with pytest.raises(OdooAccessError, match=rf"(skill_ids.*{told}|{told}.*skill_ids)"):
            limited_hook.search_read("hr.employee", [], ["id", "name", "skill_ids"])


def test_a_many2many_to_a_closed_model_keeps_the_records_back_from_19_on(
    limited_hook: OdooHook, server: OdooServer
) -> None:
    fields = limited_hook.fields_get("res.groups", ["type", "relation", "store"])
    open_to = {item["model"] for item in _available(limited_hook)}
    closed = [
        name
        for name, about in fields.items()
        if about["type"] == "many2many" and about["store"] and about["relation"] not in open_to
    ]
    if not closed:
        pytest.skip("this login may read all that groups point to")
    if server.version < 19:
        assert limited_hook.search_read("res.groups", [], ["id", closed[0]], limit=1)
    else:
        with pytest.raises(OdooAccessError, match=f"Failed to read field res.groups.{closed[0]}"):
            limited_hook.search_read("res.groups", [], ["id", closed[0]], limit=1)


def _available(hook: OdooHook) -> list[Record]:
    answer = hook.execute_kw("ir.model", "get_available_models")
    assert isinstance(answer, list)
    return [item for item in answer if isinstance(item, dict)]
