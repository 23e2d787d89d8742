"""Fields that make Odoo refuse or drop records are found, left out and told; the records are mirrored without them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run.choose import Chosen
from odoo_shadow.mirror.run.plan import plan_run
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api import refused_fields
from odoo_shadow.source.api.pages import MOST_SEARCHES
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.errors import (
    OdooAccessError,
    OdooRefusedFieldsError,
    OdooServerError,
    OdooUnreadableRecordsError,
)
from odoo_stand_in import AccessError, StandIn
from tests.support.clients import source_of
from tests.support.counting import (
    VISIT,
    VISITS,
    Call,
    CountingProxy,
    in_odoo,
    in_shadow,
    mirror_with,
)
from tests.support.raw_server import HTML_TYPE, Reply
from tests.support.refusing_fields import PAGES, ROWS, Rows, refuse, refused, source_of_fields
from tests.support.running import column, statuses_of
from tests.support.source_of_truth import shadow_rows
from tests.support.verifying import found_by, verify

EMPLOYEES = "odoo_shadow_hr_employee"


@pytest.fixture
def source(odoo: StandIn, proxy: CountingProxy) -> Iterator[ApiSource]:
    with source_of_fields(odoo, proxy) as opened:
        yield opened


@pytest.fixture
def limited(odoo: StandIn) -> Iterator[ApiSource]:
    secret = odoo.limited_api_key if odoo.flavour == "19" else odoo.limited_password
    with source_of(odoo, login=odoo.limited_login, password=secret) as opened:
        yield opened


def drop(odoo: StandIn, field: str, ids: Collection[int] = range(1, 10_000)) -> None:
    """Let Odoo drop records that are read with a field, without a word."""
    odoo.rewrite = lambda model, rows: [
        row for row in rows if model != VISIT or field not in row or row["id"] not in ids
    ]


def active_columns(shadow: ShadowDatabase, table: str = VISITS) -> set[str]:
    rows = in_shadow(
        shadow,
        "SELECT column_name FROM {odoo_shadow_field} WHERE table_name = {table} AND vanished_at IS NULL",
        table=table,
    )
    return {name for (name,) in rows}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "left out" in record.getMessage()]


def test_a_login_without_hr_rights_gets_the_employees_without_what_only_hr_may_see(
    odoo: StandIn, limited: ApiSource, shadow: ShadowDatabase, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    field = "skill_ids" if odoo.flavour == "17" else "current_version_id"
    mirror_with(limited, shadow, PAGES, model="hr.employee")
    rows = shadow_rows(database, EMPLOYEES)
    assert set(rows) == {number for (number,) in in_odoo(odoo, "SELECT id FROM hr_employee")}
    assert all(field not in row and row["name"] for row in rows.values())
    assert refused(shadow, EMPLOYEES) == [field]
    (warning,) = warnings(caplog)
    assert (
        f"hr.employee: Odoo does not return records with {field} to 'limited', so these fields are left out ("
        in warning
    )
    assert ("not available on the public employee profile" in warning) is (odoo.flavour == "17")
    caplog.clear()
    mirror_with(limited, shadow, PAGES, model="hr.employee")
    assert warnings(caplog) == [] and statuses_of(shadow) == ["success", "success"]
    found = verify(limited, shadow, model="hr.employee")
    assert (found_by(found), found.not_compared) == ({}, (field,))


def test_a_portal_login_whose_rights_nobody_tells_gets_what_it_may_have(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    """`get_available_models` is empty for it, so that no field is known to be closed; no column is made of any."""
    source.client.__dict__["readable_models"] = {}
    refuse(odoo, "x_c")
    mirror_with(source, shadow, PAGES)
    rows = shadow_rows(database, VISITS)
    assert len(rows) == ROWS and all("x_c" not in row and row["x_d"] == "d" for row in rows.values())


@pytest.mark.sampled
@pytest.mark.parametrize("ids", [(), (7,), (40,), (3, 22)], ids=str)
@pytest.mark.parametrize("how", [refuse, drop])
def test_one_field_is_found_whichever_records_it_concerns(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, how: Callable[..., None], ids: tuple[int, ...]
) -> None:
    how(odoo, "x_c", ids=ids) if ids else how(odoo, "x_c")
    mirror_with(source, shadow, PAGES)
    assert refused(shadow) == ["x_c"] and statuses_of(shadow) == ["success"]
    assert {"x_a", "x_b", "x_d", "x_name"} <= active_columns(shadow) and "x_c" not in active_columns(shadow)
    assert column(shadow, "x_d", range(1, ROWS + 1), VISITS) == dict.fromkeys(range(1, ROWS + 1), "d")
    found = verify(source, shadow)
    assert (found.rows, found_by(found), found.not_compared) == (ROWS, {}, ("x_c",))


def test_fields_that_are_refused_together_lose_one_of_them(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    refuse(odoo, "x_b", "x_e", together=True)
    mirror_with(source, shadow, PAGES)
    assert refused(shadow) in (["x_b"], ["x_e"]) and len(shadow_rows(database, VISITS)) == ROWS


def test_many_fields_are_found_in_few_calls(
    odoo: StandIn, source: ApiSource, proxy: CountingProxy, shadow: ShadowDatabase, database: str
) -> None:
    names = [f"x_field_{number:02}" for number in range(40)]
    for name in names:
        odoo.add_field(VISIT, name, "char", default="x")
    proxy.clear()
    refuse(odoo, *names[::8])
    mirror_with(source, shadow, PAGES)
    assert refused(shadow) == names[::8] and len(shadow_rows(database, VISITS)) == ROWS
    assert len(proxy.of("search_read")) <= 5 * (6 + 1) + 20


def test_when_too_many_are_refused_the_model_fails(
    odoo: StandIn,
    source: ApiSource,
    proxy: CountingProxy,
    shadow: ShadowDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(refused_fields, "MOST_REFUSED", 5)
    names = [f"x_field_{number:02}" for number in range(12)]
    for name in names:
        odoo.add_field(VISIT, name, "char")
    refuse(odoo, *names[::2])
    proxy.clear()
    with pytest.raises(OdooAccessError):
        mirror_with(source, shadow, PAGES)
    assert len(proxy.calls) < MOST_SEARCHES * 60 and refused(shadow) == []


def test_values_that_were_mirrored_before_stay_and_are_known_to_be_old(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, proxy: CountingProxy, caplog: pytest.LogCaptureFixture
) -> None:
    mirror_with(source, shadow, PAGES)
    odoo.execute(VISIT, "write", [5], {"x_c": "news", "x_d": "news"})
    refuse(odoo, "x_c")
    with pytest.raises(MirrorConfigurationError, match="records with x_c any more"):
        mirror_with(source, shadow, PAGES)
    assert column(shadow, "x_c", [4, 5], VISITS) == {4: "c", 5: "c"}
    assert column(shadow, "x_d", [4, 5], VISITS) == {4: "d", 5: "news"}
    assert "x_c" not in active_columns(shadow)
    assert len(warnings(caplog)) == 1
    proxy.clear()
    mirror_with(source, shadow, PAGES)
    assert len(warnings(caplog)) == 1 and len(proxy.of("search_read")) <= 2  # known: nothing is tried again


@pytest.mark.sampled
@pytest.mark.parametrize("how", ["full", "fields", "login"])
def test_what_is_given_again_comes_back(
    odoo: StandIn, source: ApiSource, proxy: CountingProxy, shadow: ShadowDatabase, database: str, how: str
) -> None:
    refuse(odoo, "x_c")
    mirror_with(source, shadow, PAGES)
    odoo.rewrite = None
    mirror_with(source, shadow, PAGES)
    assert refused(shadow) == ["x_c"]
    if how == "full":
        mirror_with(source, shadow, replace(PAGES, full=True))
    elif how == "fields":
        odoo.add_field(VISIT, "x_new", "char")
        mirror_with(source, shadow, PAGES)
    else:
        with source_of(odoo, host=proxy.url, extras={"lang": "fr_FR"}) as other:
            mirror_with(other, shadow, PAGES)
    assert refused(shadow) == [] and "x_c" in active_columns(shadow)
    assert {row["x_c"] for row in shadow_rows(database, VISITS).values()} == {"c"}


def test_a_full_run_that_finds_it_refused_again_says_nothing_new(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    refuse(odoo, "x_c")
    mirror_with(source, shadow, PAGES)
    mirror_with(source, shadow, replace(PAGES, full=True))
    assert refused(shadow) == ["x_c"] and len(warnings(caplog)) == 1
    changes = in_shadow(shadow, "SELECT change FROM {odoo_shadow_schema_log} WHERE column_name = 'x_c'")
    assert [change for (change,) in changes] == ["column no longer written"]


def test_a_plan_gives_the_model_to_a_run_once_the_login_may_read_more(
    odoo: StandIn, limited: ApiSource, shadow: ShadowDatabase
) -> None:
    chosen = Chosen(("hr.employee",))
    mirror_with(limited, shadow, PAGES, model="hr.employee")

    def reasons() -> list[str]:
        limited.client.__dict__.pop("readable_models", None)
        plan = plan_run(limited, shadow, chosen, run=Run(), options=MirrorOptions())
        return [item.reason for item in plan.work]

    plan_run(limited, shadow, chosen, run=Run(), options=MirrorOptions())
    mirror_with(limited, shadow, PAGES, model="hr.employee")
    assert reasons() == []
    in_odoo(odoo, "INSERT INTO res_groups_users_rel (uid, gid) SELECT 3, id FROM res_groups WHERE id = 3")
    try:
        assert reasons() == ["the login can read models now that it could not read before"]
        mirror_with(limited, shadow, PAGES, model="hr.employee")
        assert refused(shadow, EMPLOYEES) == []
    finally:
        in_odoo(odoo, "DELETE FROM res_groups_users_rel WHERE uid = 3 AND gid = 3")


def test_a_column_of_a_view_that_is_not_there_is_left_out(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    """As `on_time_rate` of `vendor.delay.report`, which Odoo shows as stored: whoever asks, of one record or many."""
    stamp = "timestamp '2024-02-29'"
    stamps = f"1 AS create_uid, {stamp} AS create_date, 1 AS write_uid, {stamp} AS write_date"
    for name, rows in (("x_view", 1), ("x_wide_view", 50)):
        query = f"SELECT n AS id, 'n' AS x_name, {stamps} FROM generate_series(1, {rows}) AS n"  # noqa: S608
        odoo.add_view(name, query, {"x_name": "char", "x_gone": "char", "x_never": "integer"})
        try:
            mirror_with(source, shadow, PAGES, model=name)
            table = f"odoo_shadow_{name}"
            assert refused(shadow, table) == ["x_gone", "x_never"]
            assert len(shadow_rows(database, table)) == rows
        finally:
            odoo.uninstall(name)


def break_with(odoo: StandIn, field: str, ids: Collection[int]) -> None:
    """Let Odoo stumble over the values of a field: an error that is no refusal."""

    def stumble(model: str, rows: Rows) -> Rows:
        if model == VISIT and any(row["id"] in ids and field in row for row in rows):
            raise ValueError("a value that cannot be read")
        return rows

    odoo.rewrite = stumble


def test_a_field_that_every_record_stumbles_over_is_left_out(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    break_with(odoo, "x_c", range(1, ROWS + 1))
    mirror_with(source, shadow, PAGES)
    assert refused(shadow) == ["x_c"] and len(shadow_rows(database, VISITS)) == ROWS


def test_single_broken_values_cost_no_column(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    break_with(odoo, "x_c", (7, 23))
    with pytest.raises(OdooUnreadableRecordsError, match="the records 7, 23;"):
        mirror_with(source, shadow, PAGES)
    assert refused(shadow) == [] and "x_c" in active_columns(shadow)


def test_no_field_is_blamed_for_a_server_in_trouble(
    odoo: StandIn, source: ApiSource, proxy: CountingProxy, shadow: ShadowDatabase
) -> None:
    """Not even when the trouble begins while the fields are being halved."""
    refuse(odoo, "x_c")
    asked: list[Call] = []

    def fail(call: Call) -> Reply | None:
        if call.model == VISIT and call.method == "search_read":
            asked.append(call)
            if len(asked) > 6:
                return Reply(502, "<html>Bad Gateway</html>", HTML_TYPE)
        return None

    proxy.before = fail
    with pytest.raises(OdooServerError):
        mirror_with(source, shadow, PAGES)
    assert refused(shadow) == []
    proxy.before = lambda _: None
    mirror_with(source, shadow, PAGES)
    assert refused(shadow) == ["x_c"]


def test_records_that_go_while_the_fields_are_halved_are_not_blamed_on_one(
    odoo: StandIn, source: ApiSource, proxy: CountingProxy, shadow: ShadowDatabase, database: str
) -> None:
    drop(odoo, "x_c", ids=(7, 8))

    def disturb(call: Call) -> None:
        if call.ids == [7] and "x_a" in call.fields:
            proxy.before = lambda _: None
            odoo.execute(VISIT, "unlink", [7])

    proxy.before = disturb
    mirror_with(source, shadow, PAGES)
    assert refused(shadow) == ["x_c"] and set(shadow_rows(database, VISITS)) == set(range(1, ROWS + 1)) - {7}


def test_rights_that_are_lost_while_it_is_read_are_no_fields_fault(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    def refuse_all(model: str, rows: Rows) -> Rows:
        if model == VISIT and any(row["id"] > 15 for row in rows):
            raise AccessError("You are not allowed to access 'Visit' (x_visit) records.")
        return rows

    odoo.rewrite = refuse_all
    with pytest.raises(OdooAccessError, match="is not allowed to call search_read on x_visit"):
        mirror_with(source, shadow, PAGES)
    assert refused(shadow) == []


def test_records_that_are_refused_with_any_field_cost_no_column(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    """As those that a rule hides from a read, though a search finds them."""

    def refuse_record(model: str, rows: Rows) -> Rows:
        if model == VISIT and any(row["id"] == 15 and len(row) > 1 for row in rows):
            raise AccessError("Sorry, limited doesn't have 'read' access to: Visit (x_visit: 15)")
        return rows

    odoo.rewrite = refuse_record
    with pytest.raises(OdooUnreadableRecordsError, match="the records 15;"):
        mirror_with(source, shadow, PAGES)
    assert refused(shadow) == [] and set(shadow_rows(database, VISITS)) == set(range(1, ROWS + 1)) - {15}


def test_a_new_field_that_is_refused_when_it_is_filled_is_left_out(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror_with(source, shadow, PAGES)
    odoo.add_field(VISIT, "x_new", "char", default="n")
    odoo.add_field(VISIT, "x_other", "char", default="o")
    refuse(odoo, "x_new", ids=(30,))
    odoo.execute(VISIT, "write", [3], {"x_name": "News"})
    mirror_with(source, shadow, PAGES)
    rows = shadow_rows(database, VISITS)
    assert refused(shadow) == ["x_new"] and {row["x_other"] for row in rows.values()} == {"o"}
    assert rows[3]["x_name"] == "News" and statuses_of(shadow) == ["success", "success"]


def test_a_field_that_is_not_stored_is_left_out_too(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    settings = ModelSettings.parse(VISIT, {"extra_fields": ["display_name"]})
    refuse(odoo, "display_name")
    mirror_with(source, shadow, PAGES, settings=settings)
    assert refused(shadow) == ["display_name"] and statuses_of(shadow) == ["success"]
    mirror_with(source, shadow, PAGES, settings=settings)
    assert statuses_of(shadow) == ["success", "success"]


@pytest.mark.parametrize("how", ["refused", "dropped"])
def test_what_odoo_gives_in_one_language_only_is_kept_in_that_one(
    odoo: StandIn, source: ApiSource, proxy: CountingProxy, shadow: ShadowDatabase, database: str, how: str
) -> None:
    odoo.add_field(VISIT, "x_title", "char", translate=True, default="Title")
    odoo.add_field(VISIT, "x_other_title", "char", translate=True, default="Other")
    in_odoo(odoo, "UPDATE res_lang SET active = true WHERE code = 'fr_FR'")
    error = {"name": "odoo.exceptions.AccessError", "message": "No French for you"}
    if odoo.flavour == "17":
        answer: dict[str, object] = {"error": {"data": error}} if how == "refused" else {"result": []}
        reply = Reply(body=json.dumps({"jsonrpc": "2.0", "id": 1, **answer}))
    else:
        reply = Reply(403, json.dumps(error)) if how == "refused" else Reply(body="[]")

    def without_french(call: Call) -> Reply | None:
        if call.model == VISIT and call.named.get("context", {}).get("lang") == "fr_FR" and "x_title" in call.fields:
            return reply
        return None

    proxy.before = without_french
    mirror_with(source, shadow, PAGES, settings=ModelSettings.parse(VISIT, {"all_languages": True}))
    assert refused(shadow) == ["x_title@translations"]
    rows = shadow_rows(database, VISITS)
    assert len(rows) == ROWS and {row["x_title"] for row in rows.values()} == {"Title"}
    assert all("fr_FR" in row["x_other_title__translations"] for row in rows.values())


def test_verify_says_what_a_sync_would_have_to_leave_out(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    mirror_with(source, shadow, PAGES)
    refuse(odoo, "x_c")
    with pytest.raises(OdooRefusedFieldsError, match=r"together with x_c \(.*A sync leaves these fields out"):
        verify(source, shadow)
    assert any("searching for the field that Odoo refuses" in record.getMessage() for record in caplog.records)
    with pytest.raises(MirrorConfigurationError, match="records with x_c any more"):
        mirror_with(source, shadow, replace(PAGES, full=True))
    mirror_with(source, shadow, PAGES)
    assert found_by(verify(source, shadow, repair=True)) == {}


def test_a_value_that_xml_rpc_cannot_say_costs_its_field(
    odoo: StandIn, proxy: CountingProxy, source: ApiSource, shadow: ShadowDatabase
) -> None:
    """As unset properties on 17.0."""

    def unset(model: str, rows: Rows) -> Rows:
        has_none = model == VISIT and any("x_c" in row for row in rows)
        return [{**row, "x_c": None} if has_none and row["id"] in (7, 23) else row for row in rows]

    odoo.rewrite = unset
    with source_of(odoo, host=proxy.url, extras={"protocol": "xmlrpc"}) as other:
        mirror_with(other, shadow, PAGES)
    assert refused(shadow) == ["x_c"]
    assert len(in_shadow(shadow, "SELECT id FROM {odoo_shadow_x_visit}")) == ROWS
