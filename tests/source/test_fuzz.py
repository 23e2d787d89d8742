"""Whatever Odoo answers, over all protocols: an error of this project's own, and nothing half written."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.errors import MassDeletionError, MirrorConfigurationError
from odoo_shadow.mirror.health.doctor import examine
from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.mirror.run.dry_run import dry_run_model
from odoo_shadow.mirror.shape.describe import read_layout
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.source.api import client as client_module
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.errors import OdooError
from odoo_shadow.source.reading import Reading
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.counting import VISIT, VISITS, in_odoo, in_shadow, mirror_with, visits
from tests.support.emptying import empty
from tests.support.hostile_odoo import HostileProxy, Spoiled, plans
from tests.support.planning import plan
from tests.support.stories.telling import SEED, STORIES
from tests.support.verifying import verify
from tools.embedded_postgres import drop_database, new_database

pytestmark = pytest.mark.attack

ROWS = 12
EXPECTED = (OdooError, ShadowError, MirrorConfigurationError, MassDeletionError)
PROTOCOLS = ("jsonrpc", "json2", "xmlrpc")
OPTIONS = MirrorOptions(batch_size=5, wait=timedelta(0))
MOST_SECONDS = 60
"""Of one operation; a loop without end would take more, whatever the machine."""

MOST_MEBIBYTES = 600


@pytest.fixture(scope="module")
def proxy(postgres: str) -> Iterator[tuple[StandIn, HostileProxy]]:
    with StandIn(postgres, flavour="19", database="fuzz") as odoo, visits(odoo, ROWS):
        hostile = HostileProxy(odoo)
        with hostile.server:
            yield odoo, hostile


@pytest.fixture(scope="module")
def url(postgres: str) -> Iterator[str]:
    made = new_database(postgres)
    yield made
    drop_database(postgres, made)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "LONGEST_WAIT", 0.0)


def fuzzed(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a function with so many examples, seeded as the stories are."""
    print(f"ODOO_SHADOW_SEED={SEED}")  # noqa: T201 - pytest shows it with a failure
    chosen = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    return lambda function: seed(SEED)(chosen(function))


def source_through(odoo: StandIn, hostile: HostileProxy, protocol: str) -> ApiSource:
    extras = {"protocol": protocol, "timeout": 10}
    return source_of(odoo, host=hostile.server.url, password=odoo.api_key, extras=extras)


def pages_of(odoo: ApiSource) -> None:
    reading = Reading(VISIT, ("id", "x_name", "write_date"))
    for _ in odoo.pages(reading, up_to_id=odoo.highest_id(reading), page_size=5):
        pass


READS: Mapping[str, Callable[[ApiSource], object]] = {
    "user_id": ApiSource.user_id,
    "version": lambda odoo: odoo.client.version,
    "server_time": ApiSource.clock,
    "readable_models": lambda odoo: odoo.readable_models,
    "discover": ApiSource.discover,
    "field_states": lambda odoo: odoo.field_states([VISIT, "res.partner"]),
    "read_layout": lambda odoo: read_layout(odoo, "res.partner", ModelSettings(all_languages=True, all_companies=True)),
    "search_count": lambda odoo: odoo.client.search_count("res.partner"),
    "pages": pages_of,
}


def try_out(what: Callable[[], object]) -> BaseException | None:
    """Do something; return the error, if it is one of those that may come."""
    began = time.monotonic()
    try:
        what()
    except EXPECTED as error:
        assert len(str(error)) < 1200 and "\n" not in str(error)
        return error
    finally:
        assert time.monotonic() - began < MOST_SECONDS
    return None


def used_mebibytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@pytest.mark.timeout(0)
def test_reading_survives_any_answer(proxy: tuple[StandIn, HostileProxy]) -> None:
    odoo, hostile = proxy
    before = used_mebibytes()

    @fuzzed(2 * STORIES)
    @given(st.sampled_from(sorted(READS)), st.sampled_from(PROTOCOLS), plans)
    def read(name: str, protocol: str, spoiling: Mapping[int, Spoiled]) -> None:
        hostile.spoil(spoiling)
        with source_through(odoo, hostile, protocol) as source:
            note(str(try_out(partial(READS[name], source))))

    read()
    assert used_mebibytes() - before < MOST_MEBIBYTES


JOBS: Mapping[str, Callable[[ApiSource, ShadowDatabase], object]] = {
    "mirror": lambda odoo, shadow: mirror_with(odoo, shadow, OPTIONS),
    "mirror all": lambda odoo, shadow: mirror_with(odoo, shadow, MirrorOptions(full=True, batch_size=50)),
    "plan": lambda odoo, shadow: plan(odoo, shadow, [VISIT, "res.partner"], OPTIONS),
    "verify": verify,
    "repair": lambda odoo, shadow: verify(odoo, shadow, repair=True),
    "dry run": lambda odoo, shadow: dry_run_model(odoo, shadow, VISIT, options=OPTIONS),
    "doctor": lambda odoo, shadow: examine(odoo, shadow, [VISIT], timedelta(minutes=15)),
}


def rows_of(shadow: ShadowDatabase) -> list[tuple[Any, ...]]:
    return in_shadow(shadow, f"SELECT id, x_name, company_id FROM {{{VISITS}}} ORDER BY id")  # noqa: S608 - our own


def books_of(shadow: ShadowDatabase) -> list[tuple[Any, ...]]:
    return in_shadow(
        shadow, "SELECT last_write_date::text, scan_last_id, scan_high::text, rows_synced FROM {odoo_shadow_watermark}"
    )


@pytest.mark.timeout(0)
def test_mirroring_survives_any_answer(proxy: tuple[StandIn, HostileProxy], url: str) -> None:
    """A page that fails leaves rows and books as they were."""
    odoo, hostile = proxy
    before = used_mebibytes()

    @fuzzed(max(STORIES // 3, 1))
    @given(st.sampled_from(sorted(JOBS)), st.sampled_from(PROTOCOLS), plans, st.booleans())
    def work(name: str, protocol: str, spoiling: Mapping[int, Spoiled], loaded: bool) -> None:
        hostile.spoil({})
        with ShadowDatabase.from_url(url, name="fuzz_db") as shadow:
            if loaded:
                with source_through(odoo, hostile, "jsonrpc") as source:
                    mirror_with(source, shadow)
                in_odoo(odoo, "UPDATE x_visit SET x_name = x_name || '!', write_date = now() AT TIME ZONE 'UTC'")
                had, knew = rows_of(shadow), books_of(shadow)
            hostile.spoil(spoiling)
            with source_through(odoo, hostile, protocol) as source:
                error = try_out(partial(JOBS[name], source, shadow))
            note(str(error))
            if error is not None and loaded and name != "repair":
                assert rows_of(shadow) == had or books_of(shadow) != knew
        empty(url)

    work()
    assert used_mebibytes() - before < MOST_MEBIBYTES
