"""Odoo's database through a pooler that gives a connection back after each transaction."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.database import session
from odoo_shadow.source.database.source import DatabaseSource
from odoo_shadow.source.reading import EVERYWHERE, Reading
from odoo_stand_in import StandIn
from tests.support.pgbouncer import PROGRAM, others_at_work, pgbouncer, server_sessions
from tests.support.running import mirror
from tests.support.two_sources import database_source_of, layout_of, odoo_database, rows_of

pytestmark = [
    pytest.mark.pgbouncer,
    pytest.mark.skipif(
        PROGRAM is None, reason="the program pgbouncer is not installed (Debian: apt install pgbouncer)"
    ),
]
KINDS = "x_kinds"


def leave_settings(connection: psycopg.Connection) -> None:
    """Set what stays in the server's session, as careless clients do."""
    connection.execute("SET search_path TO nowhere")
    connection.execute("SET extra_float_digits TO -15")
    connection.execute("SET bytea_output TO 'escape'")
    connection.execute("SET transform_null_equals TO on")


def test_what_others_leave_in_a_session_changes_nothing(awkward_odoo: StandIn) -> None:
    with database_source_of(awkward_odoo) as direct:
        expected = rows_of(direct, layout_of(direct, KINDS))
    with (
        pgbouncer(awkward_odoo.dsn, 2) as url,
        others_at_work(url, leave_settings),
        DatabaseSource(odoo_database(url)) as source,
    ):
        assert rows_of(source, layout_of(source, KINDS), page_size=4) == expected
        assert server_sessions(url) == 2


def test_a_single_session_is_enough(awkward_odoo: StandIn, shadow: ShadowDatabase) -> None:
    with (
        pgbouncer(awkward_odoo.dsn, 1) as url,
        others_at_work(url, leave_settings),
        DatabaseSource(odoo_database(url)) as source,
    ):
        assert mirror(source, shadow, "mail.followers").counts.inserted > 0
        assert mirror(source, shadow, "mail.followers").counts.written == 0
        assert server_sessions(url) == 1


def test_a_moment_needs_two_sessions(awkward_odoo: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a pooler has one, the moment would keep it, and everything else would wait for minutes."""
    reading = Reading("mail.followers", ("id", "res_id"))
    for sessions, is_one_moment in ((2, True), (1, False)):
        monkeypatch.setattr(session, "SHARED_WITHIN", timedelta(seconds=10 if is_one_moment else 0.3))
        with (
            pgbouncer(awkward_odoo.dsn, sessions) as url,
            DatabaseSource(odoo_database(url)) as source,
            source.one_moment(),
        ):
            before = source.count(reading)
            (added,) = awkward_odoo.execute(
                "mail.followers", "create", [{"res_model": "res.partner", "res_id": 900, "partner_id": 7}]
            )
            assert source.count(reading) == before + (0 if is_one_moment else 1)
            pages = source.copy_pages(reading, EVERYWHERE, after_id=0, up_to_id=added, page_size=5)
            assert pages is not None and list(pages)[-1].is_last
            assert server_sessions(url) == sessions
        awkward_odoo.execute("mail.followers", "unlink", [added])
