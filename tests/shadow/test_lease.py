"""One writer per table: busy, expired, taken over, lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowBusyError, ShadowRetriableError
from odoo_shadow.shadow.state.lease import Lease, release_lease, renew_lease, take_lease
from odoo_shadow.shadow.tables.merge import merge_rows
from tests.support.tables import COLUMNS, hash_of, make_table, row, rows_of
from tests.support.waiting import wait_until_blocked


def lease(holder: str = "run A") -> Lease:
    return Lease(holder, uuid4())


def take(shadow: ShadowDatabase, table: str, claim: Lease) -> None:
    with shadow.transaction() as tx:
        take_lease(tx, table, claim)


def renew(shadow: ShadowDatabase, table: str, claim: Lease) -> None:
    with shadow.transaction() as tx:
        renew_lease(tx, table, claim)


def expire(shadow: ShadowDatabase, table: str) -> None:
    with shadow.transaction() as tx:
        tx.run("UPDATE {leases} SET held_until = now() - interval '1 s'", leases=tx.internal("lease"))


def test_a_held_table_is_busy_and_says_who_holds_it(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    first = lease("odoo-shadow on worker-1, process 7")
    take(shadow, table, first)
    with pytest.raises(ShadowBusyError) as raised:
        take(shadow, table, lease("run B"))
    assert isinstance(raised.value, ShadowRetriableError)
    assert "odoo_shadow.odoo_shadow_res_partner is being written by odoo-shadow on worker-1, process 7" in str(
        raised.value
    )
    renew(shadow, table, first)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_the_end_of_a_claim_is_told_in_utc(shadow: ShadowDatabase, database: str, zone: str) -> None:
    table = make_table(shadow)
    take(shadow, table, lease())
    with ShadowDatabase.from_url(f"{database}&options=-c%20TimeZone%3D{zone}") as other, other.transaction() as tx:
        ((until,),) = tx.run(
            "SELECT to_char(held_until AT TIME ZONE 'UTC', 'HH24:MI:SS') FROM {leases}", leases=tx.internal("lease")
        )
        with pytest.raises(ShadowBusyError, match=f"at {until} UTC"):
            take_lease(tx, table, lease("run B"))


def test_other_tables_are_free(shadow: ShadowDatabase) -> None:
    take(shadow, make_table(shadow, "res.partner"), lease("run A"))
    take(shadow, make_table(shadow, "res.users"), lease("run B"))


def test_an_expired_claim_is_taken_over(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    dead, heir = lease("run A"), lease("run B")
    take(shadow, table, dead)
    expire(shadow, table)
    take(shadow, table, heir)
    renew(shadow, table, heir)
    with pytest.raises(ShadowBusyError, match="taken over by run B"):
        renew(shadow, table, dead)


def test_a_retry_of_the_same_run_takes_over_at_once(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    first_try, second_try = lease("dag run 1, res.partner"), lease("dag run 1, res.partner")
    take(shadow, table, first_try)
    take(shadow, table, second_try)
    renew(shadow, table, second_try)
    with pytest.raises(ShadowBusyError, match="taken over by dag run 1"):
        renew(shadow, table, first_try)


def test_a_claim_that_ran_out_unnoticed_goes_on(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    slow = lease()
    take(shadow, table, slow)
    expire(shadow, table)
    renew(shadow, table, slow)
    with pytest.raises(ShadowBusyError):
        take(shadow, table, lease("run B"))


def test_who_lost_the_claim_writes_nothing_more(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    loser = lease("run A")
    take(shadow, table, loser)
    expire(shadow, table)
    take(shadow, table, lease("run B"))
    with pytest.raises(ShadowBusyError), shadow.transaction() as tx:
        merge_rows(tx, hash_of(tx, table), list(COLUMNS), [row(1, "late")])
        renew_lease(tx, table, loser)
    assert rows_of(shadow, table) == []


def test_a_given_back_table_is_free(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    first = lease("run A")
    take(shadow, table, first)
    with shadow.transaction() as tx:
        release_lease(tx, table, first)
    take(shadow, table, lease("run B"))


def test_only_the_holder_gives_a_table_back(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    loser, heir = lease("run A"), lease("run B")
    take(shadow, table, loser)
    expire(shadow, table)
    take(shadow, table, heir)
    with shadow.transaction() as tx:
        release_lease(tx, table, loser)
    with pytest.raises(ShadowBusyError, match="written by run B"):
        take(shadow, table, lease("run C"))


def test_of_two_that_come_at_once_one_gets_it(shadow: ShadowDatabase, database: str) -> None:
    table = make_table(shadow)

    def come_second() -> None:
        with ShadowDatabase.from_url(database) as other:
            take(other, table, lease("run B"))

    with ThreadPoolExecutor() as pool:
        with shadow.transaction() as tx:
            take_lease(tx, table, lease("run A"))
            second = pool.submit(come_second)
            wait_until_blocked(database)
        with pytest.raises(ShadowBusyError, match="written by run A"):
            second.result()


def test_nobody_slips_in_between_two_statements(shadow: ShadowDatabase, database: str) -> None:
    table = make_table(shadow)
    earlier = lease()
    take(shadow, table, earlier)
    with shadow.transaction() as tx:
        release_lease(tx, table, earlier)

    def come_first_and_pause() -> None:
        with ShadowDatabase.from_url(f"{database}&options=-c%20test.pauses%3Don") as other:
            take(other, table, lease("run B"))

    with psycopg.connect(database, autocommit=True) as admin, ThreadPoolExecutor() as pool:
        admin.execute(
            "CREATE FUNCTION public.pause() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF current_setting('test.pauses', true) = 'on' THEN PERFORM pg_advisory_xact_lock(1); END IF;"
            " RETURN NULL; END $$"
        )
        admin.execute(
            "CREATE TRIGGER pause AFTER INSERT ON odoo_shadow.odoo_shadow_watermark"
            " FOR EACH STATEMENT EXECUTE FUNCTION public.pause()"
        )
        admin.execute("SELECT pg_advisory_lock(1)")
        paused = pool.submit(come_first_and_pause)
        wait_until_blocked(database)
        with shadow.transaction() as tx:
            take_lease(tx, table, lease("run A"))
            admin.execute("SELECT pg_advisory_unlock(1)")
            wait_until_blocked(database)
        with pytest.raises(ShadowBusyError, match="written by run A"):
            paused.result()


def test_nobody_takes_over_while_a_page_is_being_written(shadow: ShadowDatabase, database: str) -> None:
    table = make_table(shadow)
    writer = lease("run A")
    take(shadow, table, writer)
    expire(shadow, table)

    def take_over() -> None:
        with ShadowDatabase.from_url(database) as other:
            take(other, table, lease("run B"))

    with ThreadPoolExecutor() as pool:
        with shadow.transaction() as tx:
            renew_lease(tx, table, writer)
            merge_rows(tx, hash_of(tx, table), list(COLUMNS), [row(1, "in time")])
            second = pool.submit(take_over)
            wait_until_blocked(database)
        with pytest.raises(ShadowBusyError, match="written by run A"):
            second.result()
    assert len(rows_of(shadow, table)) == 1
