"""Everything works through a pooler that gives a connection back after each transaction, such as Supabase's."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.pgbouncer import PROGRAM, others_at_work, pgbouncer, read_and_write, server_sessions
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
