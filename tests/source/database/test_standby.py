"""Odoo's database read from a standby, which becomes the primary in the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import LiteralString

import psycopg
import pytest

from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowOwnershipError
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.source.database.source import DatabaseSource
from odoo_shadow.source.reading import Reading
from odoo_stand_in import StandIn
from tests.support.debian_postgres import POSTGRES_15, Standby, debian_postgres, standby_of
from tests.support.running import mirror
from tests.support.two_sources import odoo_database

pytestmark = pytest.mark.skipif(
    not (POSTGRES_15 / "pg_basebackup").exists(),
    reason="Debian's PostgreSQL 15 is not installed",
)
FOLLOWERS, PARTNERS = "mail.followers", "res.partner"


@dataclass
class Pair:
    """A primary and its standby, with Odoo's tables."""

    primary: str
    standby: Standby

    def write(self, statement: LiteralString) -> None:
        """Write on the primary, and wait until the standby has it."""
        with psycopg.connect(self.primary, autocommit=True) as connection:
            connection.execute(statement)
        self.standby.catch_up(self.primary)


@pytest.fixture
def pair() -> Iterator[Pair]:
    with debian_postgres() as url:
        odoo = StandIn(url, "19", database="replicated", scale=0.1)
        with standby_of(url) as standby:
            yield Pair(odoo.dsn, standby)
        odoo.stop()


def test_a_standby_is_read_like_its_primary(pair: Pair, shadow: ShadowDatabase) -> None:
    reading = Reading(FOLLOWERS, ("id", "res_id"))
    with DatabaseSource(odoo_database(pair.standby.url_of(pair.primary))) as source:
        with source.one_moment():
            before = source.count(reading)
            pair.write("INSERT INTO mail_followers (res_model, res_id, partner_id) VALUES ('res.partner', 900, 7)")
            assert source.count(reading) == before
        assert source.count(reading) == before + 1
        assert mirror(source, shadow, FOLLOWERS).counts.inserted == before + 1
        pair.write("UPDATE mail_followers SET res_id = 901 WHERE id = 1; DELETE FROM mail_followers WHERE res_id = 900")
        assert mirror(source, shadow, FOLLOWERS).counts == RowCounts(updated=1, unchanged=before - 1, deleted=1)
        with DatabaseSource(odoo_database(pair.primary)) as primary:
            assert mirror(primary, shadow, FOLLOWERS).counts == RowCounts()

        pair.standby.promote()
        after = mirror(source, shadow, FOLLOWERS)
        assert after.kind is ScanKind.FULL and after.counts.written == 0
        assert mirror(source, shadow, FOLLOWERS).counts == RowCounts()


def test_a_standby_that_lags_behind_what_was_mirrored_is_not_taken_for_a_backup(
    pair: Pair, shadow: ShadowDatabase
) -> None:
    """The run is refused, as for a backup; once the standby has caught up, the next one goes on."""
    with (
        DatabaseSource(odoo_database(pair.primary)) as primary,
        DatabaseSource(odoo_database(pair.standby.url_of(pair.primary))) as standby,
    ):
        mirror(primary, shadow, PARTNERS)
        with psycopg.connect(pair.standby.url_of(pair.primary), autocommit=True) as connection:
            connection.execute("SELECT pg_wal_replay_pause()")
            while connection.execute("SELECT pg_get_wal_replay_pause_state()").fetchall() != [("paused",)]:
                time.sleep(0.05)
            with psycopg.connect(pair.primary, autocommit=True) as odoo:
                odoo.execute("UPDATE res_partner SET write_date = now(), city = 'Ghent'")
            mirror(primary, shadow, PARTNERS)
            with pytest.raises(ShadowOwnershipError, match=r"if this is a replica that lags .* the next run goes on"):
                mirror(standby, shadow, PARTNERS)
            connection.execute("SELECT pg_wal_replay_resume()")
        pair.standby.catch_up(pair.primary)
        assert mirror(standby, shadow, PARTNERS).counts.written == 0
