"""Everything works through a pooler that gives a connection back after each transaction, such as Supabase's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from urllib.parse import urlsplit

import psycopg
import pytest

from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.pgbouncer import PROGRAM, pgbouncer
from tests.support.running import StoppedError, column, mirror, statuses_of, stop_after
from tests.support.source_of_truth import assert_equal

pytestmark = [
    pytest.mark.pgbouncer,
    pytest.mark.skipif(
        PROGRAM is None, reason="the program pgbouncer is not installed (Debian: apt install pgbouncer)"
    ),
]
MODELS = ("res.partner", "account.move.line", "product.product", "res.company")


@pytest.fixture(params=[1, pytest.param(2, marks=pytest.mark.nightly)])
def pooled(request: pytest.FixtureRequest, database: str) -> Iterator[str]:
    with pgbouncer(database, request.param) as url:
        yield url


@contextmanager
def others_at_work(url: str, work: Callable[[psycopg.Connection], object]) -> Iterator[None]:
    """Let three other clients use the pool all the time, by transactions of their own."""
    end = Event()

    def use() -> int:
        done = 0
        with psycopg.connect(url, prepare_threshold=None, autocommit=True) as connection:
            while not end.is_set():
                work(connection)
                done += 1
        return done

    with ThreadPoolExecutor() as pool:
        uses = [pool.submit(use) for _ in range(3)]
        try:
            yield
        finally:
            end.set()
        assert all(future.result() > 0 for future in uses)


def read_and_write(connection: psycopg.Connection) -> None:
    with connection.transaction():
        connection.execute("CREATE TEMPORARY TABLE odoo_shadow_staging (theirs int) ON COMMIT DROP")
        connection.execute("INSERT INTO odoo_shadow_staging VALUES (1)")
    connection.execute("SET search_path TO nowhere")  # as careless clients do; it stays in the server's session


def server_sessions(url: str) -> int:
    """How many sessions the pooler keeps on the server; it must be pooling by transactions."""
    with psycopg.connect(urlsplit(url)._replace(path="/pgbouncer").geturl(), autocommit=True) as console:
        cursor = psycopg.ClientCursor(console)
        cursor.execute("SHOW POOLS")
        names = [item.name for item in cursor.description or ()]
        pools = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    (pool,) = [pool for pool in pools if pool["database"] == urlsplit(url).path.strip("/")]
    assert pool["pool_mode"] == "transaction"
    return sum(int(value) for name, value in pool.items() if name.startswith("sv_"))


def test_first_load_and_later_runs_through_the_pooler(
    odoo: StandIn, source: ApiSource, pooled: str, database: str
) -> None:
    with ShadowDatabase.from_url(pooled) as shadow, others_at_work(pooled, read_and_write):
        for model in MODELS:
            assert mirror(source, shadow, model, batch_size=100).kind is ScanKind.FIRST_LOAD
        assert server_sessions(pooled) <= 2
        assert_equal(odoo, database, MODELS)

        odoo.execute("res.partner", "write", [5, 6], {"name": "Through the pooler"})
        (created,) = odoo.execute("res.partner", "create", [{"name": "Through the pooler"}])
        for model in MODELS:
            assert mirror(source, shadow, model).kind is ScanKind.INCREMENTAL
        assert set(column(shadow, "name", [5, 6, created]).values()) == {"Through the pooler"}
        assert_equal(odoo, database, MODELS)
        assert set(statuses_of(shadow)) == {"success"}


def test_several_writers_share_one_session(shared_odoo: StandIn, database: str) -> None:
    def run(url: str, model: str) -> None:
        with source_of(shared_odoo) as own_client, ShadowDatabase.from_url(url) as own_shadow:
            mirror(own_client, own_shadow, model, batch_size=100)

    with pgbouncer(database, 1) as url, ThreadPoolExecutor() as pool:
        for future in [pool.submit(run, url, model) for model in MODELS]:
            future.result()
        assert server_sessions(url) == 1
    assert_equal(shared_odoo, database, MODELS)


def test_a_broken_off_run_goes_on_through_the_pooler(
    odoo: StandIn, source: ApiSource, pooled: str, database: str
) -> None:
    with ShadowDatabase.from_url(pooled) as shadow:
        with pytest.raises(StoppedError):
            mirror(source, shadow, batch_size=100, on_progress=stop_after(2))
        assert mirror(source, shadow).resumed
    assert_equal(odoo, database, ["res.partner"])
