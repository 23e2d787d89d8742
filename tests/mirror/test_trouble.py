"""What stops a run: the error says what to do, the log is closed, and nothing is half-written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from odoo_shadow.mirror.options import Run
from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowBusyError, ShadowConflictError
from odoo_shadow.shadow.state.registry import list_tables
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.errors import (
    OdooAccessError,
    OdooAuthenticationError,
    OdooError,
    OdooFatalError,
    OdooServerError,
    OdooTimeoutError,
    OdooUnknownModelError,
    OdooUnreachableError,
)
from odoo_stand_in import Fault, StandIn
from tests.support.clients import limited_source_of, source_of
from tests.support.running import PARTNERS, column, log_of, mirror, statuses_of, watermark_of
from tests.support.source_of_truth import assert_equal, shadow_rows

PAGE = 100
ALWAYS = 1000
HTML = Fault("res.partner", "search_read", times=ALWAYS, after=2, status=200, body="<html>Maintenance</html>")
CUT_OFF = Fault("res.partner", "search_read", times=ALWAYS, after=2, status=200, body='{"jsonrpc": "2.0", "resu')


def test_a_model_that_is_not_installed_is_skipped(shared_source: ApiSource, shadow: ShadowDatabase) -> None:
    run = Run()
    with pytest.raises(OdooUnknownModelError, match=r"has no model helpdesk\.ticket: its module is not installed"):
        mirror(shared_source, shadow, "helpdesk.ticket", run=run)
    (entry,) = log_of(shadow)
    assert (entry["table_name"], entry["status"]) == ("odoo_shadow_helpdesk_ticket", "skipped")
    assert entry["sync_run_id"] == str(run.id) and entry["completed_at"] is not None
    assert "helpdesk.ticket" in entry["error_message"]
    with shadow.transaction() as tx:
        assert list_tables(tx) == []


def test_a_model_that_was_uninstalled_keeps_its_rows(own_odoo: StandIn, shadow: ShadowDatabase, database: str) -> None:
    own_odoo.add_model("x_visit", {"x_name": "char"})
    own_odoo.execute("x_visit", "create", [{"x_name": "kept"}])
    with source_of(own_odoo) as source:
        mirror(source, shadow, "x_visit")
        own_odoo.uninstall("x_visit")
        with pytest.raises(OdooUnknownModelError):
            mirror(source, shadow, "x_visit")
    assert statuses_of(shadow) == ["success", "skipped"]
    assert len(shadow_rows(database, "odoo_shadow_x_visit")) == 1
    with shadow.transaction() as tx:
        assert [table.sync_errors for table in list_tables(tx)] == [0]  # no error


@pytest.mark.parametrize("known", [False, True], ids=["never read", "read before"])
def test_a_model_without_rights_is_an_error(
    shared_odoo: StandIn, shared_source: ApiSource, shadow: ShadowDatabase, known: bool
) -> None:
    if known:
        mirror(shared_source, shadow, "account.move")
    with limited_source_of(shared_odoo) as source, pytest.raises(OdooAccessError) as raised:
        mirror(source, shadow, "account.move")
    assert "'limited' is not allowed to call" in str(raised.value) and "account.move" in str(raised.value)
    entry = log_of(shadow)[-1]
    assert (entry["table_name"], entry["status"]) == ("odoo_shadow_account_move", "error")
    assert entry["error_message"] == str(raised.value)
    assert entry["completed_at"] is not None
    if known:
        with shadow.transaction() as tx:
            (status,) = list_tables(tx)
        assert (status.sync_errors, status.last_error) == (1, str(raised.value))


def test_an_abstract_model_is_an_error(shared_source: ApiSource, shadow: ShadowDatabase) -> None:
    with pytest.raises(OdooFatalError):
        mirror(shared_source, shadow, "mail.thread")
    assert statuses_of(shadow) == ["error"]


def test_a_login_with_few_rights_mirrors_what_it_may_read(
    shared_odoo: StandIn, shadow: ShadowDatabase, database: str
) -> None:
    with limited_source_of(shared_odoo) as source:
        mirror(source, shadow)
    rows = shadow_rows(database, PARTNERS).values()
    assert rows and "credit_limit" not in next(iter(rows))  # a field for accountants


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        (HTML, OdooServerError),
        (CUT_OFF, OdooServerError),
        (Fault("res.partner", "search_read", times=ALWAYS, after=2, status=502, body="Bad Gateway"), OdooServerError),
        (Fault("res.partner", "search_read", times=ALWAYS, after=2, close=True), OdooUnreachableError),
        (Fault("res.partner", "search_read", times=ALWAYS, after=2, delay=0.6), OdooTimeoutError),
    ],
    ids=["a page of HTML", "half a body", "502", "no answer", "a page that times out"],
)
def test_trouble_with_a_page_ends_the_run_and_keeps_the_pages_before(
    odoo: StandIn, shadow: ShadowDatabase, database: str, fault: Fault, wanted: type[OdooError]
) -> None:
    odoo.faults.add(Fault(**vars(fault)))
    # What is too short for a slow page may be too short for a good one, too, where others are at work.
    with source_of(odoo, extras={"timeout": 0.3 if wanted is OdooTimeoutError else 10}) as source:
        with pytest.raises(wanted) as raised:
            mirror(source, shadow, batch_size=PAGE)
        assert "odoo_test" in str(raised.value) and "\n" not in str(raised.value)
        assert len(shadow_rows(database, PARTNERS)) == PAGE
        (entry,) = log_of(shadow)
        assert (entry["status"], entry["rows_inserted"]) == ("error", PAGE)
        assert entry["error_message"] == str(raised.value)
        odoo.faults.clear()
    with source_of(odoo) as source:
        assert mirror(source, shadow).resumed
    assert_equal(odoo, database, ["res.partner"])


def test_passing_trouble_goes_unnoticed(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    odoo.faults.add(Fault("res.partner", "search_read", times=1, after=1, status=503, body="busy"))
    mirror(source, shadow, batch_size=PAGE)
    assert statuses_of(shadow) == ["success"]
    assert_equal(odoo, database, ["res.partner"])


@pytest.fixture
def keys(odoo: StandIn) -> Iterator[Callable[[], None]]:
    """What lets all API keys expire; afterwards they are valid again."""

    def set_end(moment: str) -> None:
        with psycopg.connect(odoo.dsn) as connection:
            statement = "UPDATE res_users_apikeys SET expiration_date = {} WHERE name NOT LIKE 'expired%'"
            connection.execute(sql.SQL(statement).format(sql.SQL(moment)))

    yield lambda: set_end("now() AT TIME ZONE 'UTC'")
    set_end("NULL")


def test_a_key_that_expires_meanwhile_ends_the_run(
    odoo: StandIn, keys: Callable[[], None], shadow: ShadowDatabase, database: str
) -> None:
    with source_of(odoo, password=odoo.api_key) as source:
        with pytest.raises(OdooAuthenticationError, match="API keys expire") as raised:
            mirror(source, shadow, batch_size=50, on_progress=lambda _: keys())
        assert odoo.api_key not in str(raised.value)
    (entry,) = log_of(shadow)
    assert entry["status"] == "error" and entry["rows_inserted"] >= 50
    assert odoo.api_key not in str(entry)


def drop_name(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "name"}


ANSWERS = {
    "not in order": lambda rows: rows[::-1],
    "twice the same": lambda rows: [*rows, rows[-1]],
    "without ids": lambda rows: [{**row, "id": False} for row in rows],
    "a field lacks": lambda rows: [*rows[:-1], drop_name(rows[-1])],
    "texts for numbers": lambda rows: [{**row, "color": "red"} for row in rows],
    "broken dates": lambda rows: [{**row, "create_date": "soon"} for row in rows],
    "no list at all": lambda rows: {"rows": rows},
}


@pytest.mark.sampled
@pytest.mark.parametrize("alter", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_makes_no_sense_is_not_written(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, alter: Any
) -> None:
    odoo.rewrite = lambda model, rows: alter(rows) if model == "res.partner" and _is_second_page(rows) else rows
    with pytest.raises((OdooServerError, ShadowConflictError)):
        mirror(source, shadow, batch_size=PAGE)
    assert len(shadow_rows(database, PARTNERS)) == PAGE
    assert statuses_of(shadow) == ["error"]
    odoo.rewrite = None
    mirror(source, shadow, batch_size=PAGE)
    assert_equal(odoo, database, ["res.partner"])


def _is_second_page(rows: list[dict[str, Any]]) -> bool:
    return rows[0]["id"] > 1 and rows[0].keys() > {"id", "write_date"}


def test_a_server_that_caps_its_pages_is_read_to_the_end(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    odoo.rewrite = lambda _, rows: rows[:30]
    mirror(source, shadow, batch_size=PAGE)
    odoo.rewrite = None
    assert_equal(odoo, database, ["res.partner"])


def test_of_two_runs_at_once_one_is_told_who_is_there(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    refusals: list[str] = []

    def come_second(progress: Progress) -> None:
        if progress.done == 1:
            return  # then the table is free
        with ShadowDatabase.from_url(database) as other, source_of(odoo) as second_client:
            with pytest.raises(ShadowBusyError) as raised:
                mirror(second_client, other, run=Run(holder="the second run"))
            refusals.append(str(raised.value))
            mirror(second_client, other, "res.users", run=Run(holder="the second run"))  # another table is free

    mirror(source, shadow, batch_size=200, run=Run(holder="the first run"), on_progress=come_second)
    assert refusals and all("is being written by the first run" in refusal for refusal in refusals)
    assert_equal(odoo, database, ["res.partner", "res.users"])
    assert set(statuses_of(shadow)) == {"success"}


def test_a_run_that_lost_its_table_writes_nothing_more(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    def fall_silent(_: Progress) -> None:
        with shadow.transaction() as tx:
            tx.run("UPDATE {w} SET held_until = now() - interval '1 s'", w=tx.internal("lease"))
        with ShadowDatabase.from_url(database) as other, source_of(odoo) as second_client:
            odoo.execute("res.partner", "write", [200], {"name": "What the heir read"})
            mirror(second_client, other, run=Run(holder="the heir"))

    with pytest.raises(ShadowBusyError, match="taken over"):
        mirror(source, shadow, batch_size=PAGE, run=Run(holder="the silent one"), on_progress=fall_silent)
    assert column(shadow, "name", [200]) == {200: "What the heir read"}
    assert watermark_of(shadow) is not None
    assert_equal(odoo, database, ["res.partner"])
    statuses = {entry["holder"]: entry["status"] for entry in log_of(shadow)}
    assert statuses == {"the silent one": "error", "the heir": "success"}


def as_killed(shadow: ShadowDatabase) -> None:
    with shadow.transaction() as tx:
        tx.run("UPDATE {log} SET status = 'running', completed_at = NULL", log=tx.own("odoo_shadow_sync_log"))


def test_the_entry_of_a_killed_run_is_closed_by_the_next(source: ApiSource, shadow: ShadowDatabase) -> None:
    mirror(source, shadow)
    as_killed(shadow)
    mirror(source, shadow, look_back=timedelta(0))
    assert statuses_of(shadow) == ["error", "success"]


def test_so_it_is_by_a_run_that_does_not_come_to_read(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    mirror(source, shadow)
    as_killed(shadow)
    odoo.faults.add(Fault("res.partner", "fields_get", times=ALWAYS, status=500, body="no"))
    with pytest.raises(OdooServerError):
        mirror(source, shadow)
    assert statuses_of(shadow) == ["error", "error"]
