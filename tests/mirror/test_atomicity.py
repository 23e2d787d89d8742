"""The connection dies in the middle of a page: rows, checkpoint, counts and watermark stand or fall together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString

import psycopg
import pytest

from odoo_shadow.mirror.options import Run
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowRetriableError, ShadowUnreachableError
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.running import (
    PARTNERS,
    StoppedError,
    log_of,
    mirror,
    scan_of,
    statuses_of,
    stop_after,
    watermark_of,
)
from tests.support.source_of_truth import assert_equal, shadow_rows

pytestmark = pytest.mark.one_flavour

PAGE = 100

# Where the server ends the session, by the statement that it is about to carry out.
MOMENTS: dict[str, LiteralString] = {
    "while rows are merged": (
        "CREATE TRIGGER fatal BEFORE INSERT OR UPDATE ON odoo_shadow_res_partner"
        " FOR EACH ROW WHEN (NEW.id % 150 = 0) EXECUTE FUNCTION public.end_session()"
    ),
    "after the merge, before the counts": (
        "CREATE TRIGGER fatal BEFORE UPDATE ON odoo_shadow_meta"
        " FOR EACH ROW WHEN (NEW.row_count > OLD.row_count) EXECUTE FUNCTION public.end_session()"
    ),
    "after the counts, before the checkpoint": (
        "CREATE TRIGGER fatal BEFORE UPDATE ON odoo_shadow_watermark"
        " FOR EACH ROW WHEN (NEW.scan_last_id > OLD.scan_last_id) EXECUTE FUNCTION public.end_session()"
    ),
    "after the checkpoint, at the commit": (
        "CREATE CONSTRAINT TRIGGER fatal AFTER UPDATE ON odoo_shadow_watermark DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW WHEN (NEW.scan_last_id > OLD.scan_last_id) EXECUTE FUNCTION public.end_session()"
    ),
    "after the last page, before the watermark": (
        "CREATE TRIGGER fatal BEFORE UPDATE ON odoo_shadow_watermark"
        " FOR EACH ROW WHEN (NEW.last_write_date > OLD.last_write_date) EXECUTE FUNCTION public.end_session()"
    ),
    "after the watermark, before the log is closed": (
        "CREATE TRIGGER fatal BEFORE UPDATE ON odoo_shadow_sync_log"
        " FOR EACH ROW WHEN (NEW.status = 'success') EXECUTE FUNCTION public.end_session()"
    ),
}


@contextmanager
def ending_the_session(database: str, moment: str) -> Iterator[None]:
    with psycopg.connect(database, autocommit=True, options="-c search_path=odoo_shadow") as connection:
        connection.execute(
            "CREATE FUNCTION public.end_session() RETURNS trigger LANGUAGE plpgsql AS $$"
            " BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$"
        )
        connection.execute(MOMENTS[moment])
        yield
        connection.execute("DROP FUNCTION public.end_session() CASCADE")


@pytest.mark.parametrize("moment", MOMENTS)
def test_nothing_is_half_written(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, moment: str
) -> None:
    run = Run()
    with pytest.raises(StoppedError):  # so that there are tables to lay a trigger on
        mirror(source, shadow, run=run, batch_size=PAGE, on_progress=stop_after(1))
    with ending_the_session(database, moment), pytest.raises(ShadowUnreachableError, match="the connection was lost"):
        mirror(source, shadow, run=run, batch_size=PAGE)

    rows, scan = shadow_rows(database, PARTNERS), scan_of(shadow)
    if scan is None:  # it ended when all was read, but before the log entry was closed
        assert watermark_of(shadow) is not None and statuses_of(shadow)[-1] == "error"
        assert_equal(odoo, database, ["res.partner"])
        return
    assert watermark_of(shadow) is None
    assert max(rows) == scan.last_id and len(rows) % PAGE == 0
    with shadow.transaction() as tx:
        ((counted, synced),) = tx.run(
            "SELECT row_count, rows_synced FROM {m} JOIN {w} USING (table_name)",
            m=tx.own("odoo_shadow_meta"),
            w=tx.own("odoo_shadow_watermark"),
        )
    assert counted == synced == len(rows)
    assert [entry["status"] for entry in log_of(shadow)] == ["error", "error"]  # closed through a new connection

    assert mirror(source, shadow, run=run, batch_size=PAGE).resumed
    assert_equal(odoo, database, ["res.partner"])
    assert [entry["status"] for entry in log_of(shadow)] == ["error", "error", "success"]


def test_the_next_run_closes_what_could_not_be_closed(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    run = Run()
    with pytest.raises(StoppedError):
        mirror(source, shadow, run=run, batch_size=PAGE, on_progress=stop_after(1))
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION public.end_session() RETURNS trigger LANGUAGE plpgsql AS $$"
            " BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$"
        )
        connection.execute(
            "CREATE TRIGGER fatal BEFORE UPDATE ON odoo_shadow.odoo_shadow_sync_log"
            " FOR EACH ROW WHEN (OLD.status = 'running') EXECUTE FUNCTION public.end_session()"
        )
        with pytest.raises(ShadowRetriableError):
            mirror(source, shadow, run=run, batch_size=PAGE)
        connection.execute("DROP FUNCTION public.end_session() CASCADE")
    assert [entry["status"] for entry in log_of(shadow)] == ["error", "running"]

    mirror(source, shadow, run=run, batch_size=PAGE)

    _, left_open, last = log_of(shadow)
    assert (left_open["status"], last["status"]) == ("error", "success")
    assert "killed" in left_open["error_message"] and left_open["completed_at"] is not None
    assert_equal(odoo, database, ["res.partner"])


def test_a_connection_that_is_cut_from_outside_can_be_tried_again(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    def cut(_: object) -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    with pytest.raises(ShadowRetriableError):
        mirror(source, shadow, batch_size=PAGE, on_progress=cut)
    (entry,) = log_of(shadow)
    assert (entry["status"], entry["rows_inserted"]) == ("error", PAGE)
    mirror(source, shadow, batch_size=PAGE)
    assert_equal(odoo, database, ["res.partner"])


def test_a_full_run_keeps_the_old_watermark_until_its_end(source: ApiSource, shadow: ShadowDatabase) -> None:
    first = mirror(source, shadow).watermark
    with pytest.raises(StoppedError):
        mirror(source, shadow, full=True, batch_size=PAGE, on_progress=stop_after(2))
    assert (mark := watermark_of(shadow)) is not None
    assert mark.last_write_date == first.last_write_date
