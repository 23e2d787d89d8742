"""What keeps from reading Odoo's database, and connections that end: in a sentence, and without the password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import LiteralString
from urllib.parse import urlsplit

import psycopg
import pytest

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.mirror.sync.result import MirrorResult
from odoo_shadow.postgres import transport
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.database.session import Sessions
from odoo_shadow.source.database.source import DatabaseSource
from odoo_shadow.source.errors import (
    OdooConfigurationError,
    OdooError,
    OdooServerError,
    OdooUnknownModelError,
    OdooUnreachableError,
)
from odoo_shadow.source.pages import CopyPage
from odoo_shadow.source.reading import EVERYWHERE, Reading
from odoo_stand_in import StandIn
from tests.support.flavours import Flavour
from tests.support.odoo_database import move_to_schema, reading_role
from tests.support.roles import run_as_owner
from tests.support.syncing import socket_of
from tests.support.tcp_proxy import Moment, TcpProxy, drop, replace, truncate
from tests.support.two_sources import database_source_of, layout_of, odoo_database, rows_of
from tools.embedded_postgres import database_url

PASSWORD = "p4ss-of-0d00-db"
MODEL, ROWS = "x_many", 30_000
READING = Reading(MODEL, ("id", "x_name"))


def said_of(url: str, **changed: str) -> OdooError:
    """Return what is said at the first use of an address."""
    with pytest.raises(OdooError) as raised, DatabaseSource(odoo_database(url, **changed)) as source:
        source.discover()
    assert PASSWORD not in str(raised.value)
    return raised.value


def test_what_is_no_database_of_odoo_is_told(shared_odoo: StandIn, postgres: str, database: str) -> None:
    """Also in another schema than Odoo's."""
    missing = said_of(database_url(postgres, "no_such_database"))
    assert isinstance(missing, OdooConfigurationError)
    assert "Odoo's database 'odoo_db' refused the connection: correct it (database" in str(missing)
    for url, schema in ((database, "public"), (shared_odoo.dsn, "erp")):
        empty = said_of(url, schema=schema)
        assert isinstance(empty, OdooConfigurationError)
        assert f"'odoo_db' is not a database of Odoo: its schema '{schema}' has no table ir_model:" in str(empty)
    with database_source_of(shared_odoo, login="nobody") as source:
        with pytest.raises(OdooConfigurationError, match="Odoo has no user 'nobody'"):
            source.companies()
        with pytest.raises(OdooUnknownModelError, match=r"'odoo_db' has no model x\.y: its module is not installed"):
            source.describe("x.y")
    with (
        database_source_of(shared_odoo, lang="xx_XX") as source,
        pytest.raises(OdooConfigurationError, match="Odoo has no language 'xx_XX'"),
    ):
        source.check_language()


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://odoo:{PASSWORD}@127.0.0.1:1/odoo",
        f"postgresql://odoo:{PASSWORD}/@127.0.0.1:1/odoo",
        f"postgresql://odoo:{PASSWORD}@127.0.0.1:{PASSWORD}/odoo",
        f"host=127.0.0.1 port=1 dbname=odoo password='{PASSWORD}",
        f"https://odoo:{PASSWORD}@erp.example.com",
        f"postgresql://odoo:{PASSWORD}@127.0.0.1:1/odoo?sslmode={PASSWORD}",
    ],
)
def test_no_message_has_the_password(address: str, caplog: pytest.LogCaptureFixture) -> None:
    assert "odoo_db" in str(said_of(address))
    assert PASSWORD not in caplog.text + repr(odoo_database(address))


def test_other_hosts_must_offer_tls(shared_odoo: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback counts as another machine here, since tests reach no other."""
    monkeypatch.setattr(transport, "_is_local_host", lambda _: False)
    with TcpProxy(socket_of(shared_odoo.dsn)) as proxy:
        url = f"postgresql://postgres:{PASSWORD}@127.0.0.1:{proxy.port}{urlsplit(shared_odoo.dsn).path}"
        refused = said_of(url)
        assert isinstance(refused, OdooConfigurationError) and "the server offers no TLS" in str(refused)
        with DatabaseSource(odoo_database(f"{url}?sslmode=disable")) as source:
            assert source.has_model("res.partner")


def test_tables_in_another_schema(postgres: str) -> None:
    odoo = StandIn(postgres, "19", database="in_another_schema", scale=0.1, schema="tables", copied=True)
    with database_source_of(odoo) as source:
        before = {model: rows_of(source, layout_of(source, model)) for model in ("x_kinds", "res.partner")}
    move_to_schema(odoo.dsn, "Erp of 'us'")
    with (
        reading_role(odoo.dsn, schema="Erp of 'us'") as url,
        DatabaseSource(odoo_database(url, schema="Erp of 'us'")) as source,
    ):
        assert {model: rows_of(source, layout_of(source, model)) for model in before} == before
        assert source.versions(Reading("x_kinds", ("id", "x_partner_ids"))) is not None
        assert next(iter(source.examine())).subject == "Odoo"
    odoo.stop()


def test_a_moment_in_a_database_without_an_encoding(postgres: str) -> None:
    """There texts arrive as bytes, unless another encoding is asked for."""
    run_as_owner(postgres, "CREATE DATABASE no_encoding TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    sessions = Sessions(odoo_database(database_url(postgres, "no_encoding")))
    with sessions.one_moment(datetime.now(UTC)):
        assert sessions.moment is not None
    sessions.close()


@pytest.fixture(scope="module")
def many(awkward_odoos: dict[Flavour, StandIn]) -> Iterator[StandIn]:
    """A stand-in with a model of this module's own, whose records fill the buffers of a connection many times."""
    odoo = awkward_odoos["19"]
    odoo.add_model(MODEL, {"x_name": "char"})
    run_as_owner(
        odoo.dsn,
        "INSERT INTO x_many (x_name, write_date) SELECT repeat('x', 500) || n, now() FROM generate_series(1, 30000) n",
    )
    yield odoo
    odoo.uninstall(MODEL)


END: LiteralString = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
CANCEL: LiteralString = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
STATES: LiteralString = "SELECT state FROM pg_stat_activity"


def of_sessions(odoo: StandIn, statement: LiteralString) -> list[object]:
    """Run a statement on what PostgreSQL tells of the source's sessions; return its first column."""
    with psycopg.connect(odoo.dsn, autocommit=True) as connection:
        own: LiteralString = " WHERE application_name = 'odoo-shadow' AND datname = current_database()"
        return [row[0] for row in connection.execute(statement + own).fetchall()]


@pytest.fixture
def source(many: StandIn) -> Iterator[DatabaseSource]:
    with database_source_of(many) as opened:
        yield opened


def copied(source: DatabaseSource, after_id: int = 0) -> Iterator[CopyPage]:
    pages = source.copy_pages(READING, EVERYWHERE, after_id=after_id, up_to_id=ROWS, page_size=100)
    assert pages is not None
    for page in pages:
        assert isinstance(page, CopyPage)
        yield page


@pytest.mark.parametrize("is_seen", [True, False], ids=["before it is taken", "between that and its use"])
def test_a_session_that_the_server_has_ended_is_replaced(
    is_seen: bool, many: StandIn, source: DatabaseSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_seen:
        monkeypatch.setattr("odoo_shadow.source.database.session._has_ended", lambda _: False)
    assert source.count(READING) == ROWS
    assert any(of_sessions(many, END))
    assert source.count(READING) == ROWS


def test_a_short_limit_that_somebody_left_in_a_session_does_no_harm(many: StandIn) -> None:
    """As a pooler's sessions keep it: until a transaction has its own settings, it counts for these, too."""
    level = b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; "
    with TcpProxy(socket_of(many.dsn)) as proxy:
        proxy.at(Moment(level), replace(level, b"SELECT pg_sleep(60);"))
        url = f"postgresql://postgres@127.0.0.1:{proxy.port}{urlsplit(many.dsn).path}"
        with DatabaseSource(
            odoo_database(f"{url}?sslmode=disable&gssencmode=disable&options=-cstatement_timeout%3D50ms")
        ) as source:
            assert (source.count(READING), proxy.awaits) == (ROWS, 0)


def test_a_stream_that_ends_is_an_error(many: StandIn, source: DatabaseSource) -> None:
    pages = copied(source)
    read = next(pages)
    of_sessions(many, END)
    with pytest.raises(OdooUnreachableError, match="'odoo_db': x_many: the connection was lost"):
        list(pages)
    assert sum(page.text.count(b"\n") for page in (read, *copied(source, read.last_id))) == ROWS


def test_a_statement_that_is_cancelled_is_an_error(many: StandIn, source: DatabaseSource) -> None:
    pages = copied(source)
    next(pages)
    of_sessions(many, CANCEL)
    with pytest.raises(OdooServerError, match=r"'odoo_db': x_many could not be read now .*cancel"):
        list(pages)
    assert source.count(READING) == ROWS


def test_whoever_stops_in_the_middle_of_a_stream_leaves_nothing_open(many: StandIn, source: DatabaseSource) -> None:
    pages = copied(source)
    next(pages)
    pages.close()  # type: ignore[attr-defined]
    assert source.count(READING) == ROWS
    assert set(of_sessions(many, STATES)) == {"idle"}


BREAKS = {
    "before the statement": (Moment(b"TO STDOUT"), drop),
    "in the middle": (Moment(b"TO STDOUT", answered=True), truncate(200_000)),
    "at the end": (Moment(b"TO STDOUT", then=b"ROLLBACK"), drop),
}


@pytest.mark.sampled
@pytest.mark.parametrize("how", BREAKS)
def test_a_first_load_whose_connection_breaks_goes_on_at_the_next_try(
    how: str, many: StandIn, shadow: ShadowDatabase
) -> None:
    with TcpProxy(socket_of(many.dsn)) as proxy:
        url = (
            f"postgresql://postgres@127.0.0.1:{proxy.port}{urlsplit(many.dsn).path}?sslmode=disable&gssencmode=disable"
        )
        with DatabaseSource(odoo_database(url)) as source:
            proxy.at(*BREAKS[how])
            with suppressed(how == "at the end"):
                mirror(source, shadow)
            again = mirror(source, shadow)
    if how == "in the middle":
        assert again.resumed or again.counts.inserted == ROWS
    with shadow.transaction() as tx:
        ((rows, ids),) = tx.run("SELECT count(*), count(DISTINCT id) FROM {t}", t=tx.own("odoo_shadow_x_many"))
    assert rows == ids == ROWS


@contextmanager
def suppressed(may_end_well: bool) -> Iterator[None]:
    """An error that may be tried again is expected."""
    try:
        yield
    except (OdooUnreachableError, OdooServerError):
        return
    assert may_end_well, "the break was not noticed"


def mirror(source: DatabaseSource, shadow: ShadowDatabase) -> MirrorResult:
    return mirror_model(source, shadow, MODEL, run=Run(), options=MirrorOptions(batch_size=500, wait=timedelta(0)))
