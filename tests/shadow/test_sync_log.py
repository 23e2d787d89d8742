"""The log: opened before anything is read, always closed."""

from __future__ import annotations

from uuid import uuid4

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state.sync_log import (
    LogEntry,
    close_error,
    close_success,
    entries_of_run,
    log_unopened,
    open_entry,
)
from tests.support.tables import make_base

PARTNERS, USERS = "odoo_shadow_res_partner", "odoo_shadow_res_users"


def test_an_open_entry_is_running(shadow: ShadowDatabase) -> None:
    make_base(shadow)
    run = uuid4()
    with shadow.transaction() as tx:
        open_entry(tx, run, PARTNERS, {"full": True})
        assert entries_of_run(tx, run) == [LogEntry(PARTNERS, "running", 0, 0, 0, None, None)]
        ((completed, metadata),) = tx.run(
            "SELECT completed_at, metadata FROM {log}", log=tx.own("odoo_shadow_sync_log")
        )
        assert completed is None
        assert metadata == {"full": True}


def test_a_good_end_has_its_counts(shadow: ShadowDatabase) -> None:
    make_base(shadow)
    run = uuid4()
    with shadow.transaction() as tx:
        entry = open_entry(tx, run, PARTNERS, {"full": True})
        close_success(tx, entry, RowCounts(3, 2, 1), 1234)
        assert entries_of_run(tx, run) == [LogEntry(PARTNERS, "success", 3, 2, 0, 1234, None)]
        ((is_complete, metadata),) = tx.run(
            "SELECT completed_at >= started_at, metadata FROM {log}", log=tx.own("odoo_shadow_sync_log")
        )
        assert is_complete
        assert metadata == {"full": True, "rows_unchanged": 1}


def test_a_bad_end_has_its_reason(shadow: ShadowDatabase) -> None:
    make_base(shadow)
    run = uuid4()
    reason = "100% 'quoted' \\ text; DROP TABLE x; --"
    with shadow.transaction() as tx:
        entry = open_entry(tx, run, PARTNERS, {})
        close_error(tx, entry, RowCounts(inserted=2), 5, reason)
        assert entries_of_run(tx, run) == [LogEntry(PARTNERS, "error", 2, 0, 0, 5, reason)]


def test_the_next_run_closes_what_a_killed_one_left(shadow: ShadowDatabase) -> None:
    make_base(shadow)
    killed, other, following = uuid4(), uuid4(), uuid4()
    with shadow.transaction() as tx:
        open_entry(tx, killed, PARTNERS, {})
        open_entry(tx, other, USERS, {})
    with shadow.transaction() as tx:
        open_entry(tx, following, PARTNERS, {})
        (closed,) = entries_of_run(tx, killed)
        assert closed.status == "error"
        assert "killed" in (closed.error_message or "")
        assert [item.status for item in entries_of_run(tx, other)] == ["running"]
        assert [item.status for item in entries_of_run(tx, following)] == ["running"]


def test_a_closed_entry_stays_as_it_is(shadow: ShadowDatabase) -> None:
    make_base(shadow)
    run = uuid4()
    with shadow.transaction() as tx:
        entry = open_entry(tx, run, PARTNERS, {})
        close_success(tx, entry, RowCounts(1, 0, 0), 5)
        close_error(tx, entry, RowCounts(), 6, "too late")
        open_entry(tx, uuid4(), PARTNERS, {})
        assert entries_of_run(tx, run) == [LogEntry(PARTNERS, "success", 1, 0, 0, 5, None)]


def test_a_model_that_was_not_read_has_an_entry_too(shadow: ShadowDatabase) -> None:
    make_base(shadow)
    run = uuid4()
    with shadow.transaction() as tx:
        log_unopened(tx, run, PARTNERS, "skipped", "not installed")
        log_unopened(tx, run, USERS, "error", "no rights")
        assert entries_of_run(tx, run) == [
            LogEntry(PARTNERS, "skipped", 0, 0, 0, 0, "not installed"),
            LogEntry(USERS, "error", 0, 0, 0, 0, "no rights"),
        ]


def test_a_retry_counts_as_the_newest_try(shadow: ShadowDatabase) -> None:
    make_base(shadow)
    run = uuid4()
    with shadow.transaction() as tx:
        close_error(tx, open_entry(tx, run, PARTNERS, {}), RowCounts(inserted=2), 5, "broke off")
        close_success(tx, open_entry(tx, run, PARTNERS, {}), RowCounts(inserted=1), 6)
        assert [(item.status, item.rows_inserted) for item in entries_of_run(tx, run)] == [("success", 1)]
        assert entries_of_run(tx, uuid4()) == []
