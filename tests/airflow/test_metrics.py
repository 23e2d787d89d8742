"""Counters and timers of each model, as a StatsD server receives them."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from airflow_provider_odoo_shadow.metrics import send_failure, send_mirrored
from odoo_shadow.mirror.sync.result import MirrorResult
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state.watermarks import Watermark
from odoo_stand_in import StandIn
from tests.support.airflow_child import run_in_a_child
from tests.support.airflow_connections import odoo_connection, shadow_connection

pytestmark = pytest.mark.one_flavour

SECRET = "a-long-and-random-hash-secret-0123456789"


class StatsdServer:
    """Keeps what arrives by UDP."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**22)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def received(self) -> dict[str, str]:
        """Return the values of this project's metrics, with their types, by name without Airflow's prefix."""
        found: dict[str, str] = {}
        while True:
            try:
                name, _, value = self._socket.recv(65_536).decode().partition(":")
            except BlockingIOError:
                return found
            if name.startswith("airflow.odoo_shadow."):
                found[name.removeprefix("airflow.odoo_shadow.")] = value

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def statsd() -> Iterator[StatsdServer]:
    server = StatsdServer()
    yield server
    server.close()


@pytest.fixture
def run(airflow_database: None, statsd: StatsdServer, odoo: StandIn, database: str) -> Callable[..., str]:
    """Run one of the tests' DAGs in a process that sends metrics; return its state."""

    def run_dag(dag_id: str, **settings: str) -> str:
        given = {
            "AIRFLOW_CONN_ODOO_DEFAULT": odoo_connection(odoo, hash_secret=SECRET),
            "AIRFLOW_CONN_POSTGRES_DEFAULT": shadow_connection(database),
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(statsd.port),
        }
        return run_in_a_child(dag_id, {**given, **settings})

    return run_dag


@pytest.mark.nightly
def test_a_run_sends_what_it_did(run: Callable[..., str], statsd: StatsdServer, odoo: StandIn, database: str) -> None:
    assert run("one_hashed_model") == "success"
    told = statsd.received()
    with psycopg.connect(database) as connection:
        ((rows,),) = connection.execute("SELECT count(*) FROM odoo_shadow.odoo_shadow_res_partner").fetchall()
    of_model = {
        name.removeprefix("europe.res_partner."): value for name, value in told.items() if name.startswith("europe.")
    }
    assert of_model.keys() == {
        *("rows_read", "rows_inserted", "rows_updated", "rows_deleted", "calls", "lag", "duration"),
    }
    assert {name: of_model[name] for name in ("rows_read", "rows_inserted", "rows_updated", "rows_deleted")} == {
        "rows_read": f"{rows}|c",
        "rows_inserted": f"{rows}|c",
        "rows_updated": "0|c",
        "rows_deleted": "0|c",
    }
    assert 5 < float(of_model["calls"].removesuffix("|c")) <= len(odoo.calls)
    assert 0 <= float(of_model["lag"].removesuffix("|g")) < 300
    assert 1 < float(of_model["duration"].removesuffix("|ms")) < 100_000
    assert {name: value for name, value in told.items() if "europe" not in name} == of_model


@pytest.mark.nightly
def test_tags_tell_models_apart_where_they_are_on(run: Callable[..., str], statsd: StatsdServer) -> None:
    settings = {"AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True", "AIRFLOW__METRICS__LEGACY_NAMES_ON": "False"}
    assert run("one_model", **settings) == "success"
    told = statsd.received()
    assert len(told) == 7
    assert all(name.endswith(",mirror=odoo_shadow,model=res.partner") for name in told), told


@pytest.mark.nightly
def test_a_failure_is_counted(run: Callable[..., str], statsd: StatsdServer, odoo: StandIn) -> None:
    wrong = {**json.loads(odoo_connection(odoo)), "password": "wrong"}
    assert run("one_model", AIRFLOW_CONN_ODOO_DEFAULT=json.dumps(wrong)) == "failed"
    assert statsd.received() == {"failures": "1|c", "odoo_shadow.res_partner.failures": "1|c"}


@pytest.mark.nightly
def test_a_server_that_is_not_there_fails_nothing(run: Callable[..., str]) -> None:
    assert run("one_model", AIRFLOW__METRICS__STATSD_HOST="nowhere.invalid") == "success"


def test_whatever_metrics_do_the_task_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no metrics today")

    for name in ("incr", "gauge", "timing"):
        monkeypatch.setattr(f"airflow.sdk.observability.stats.{name}", fail)
    send_failure("eu", "res.partner")
    send_mirrored("eu", _result("res.partner"))


@pytest.mark.parametrize("mirror", ["eu", "é / ü", "a,b=c:1|c\nx"])
def test_names_have_only_what_statsd_takes(monkeypatch: pytest.MonkeyPatch, mirror: str) -> None:
    sent: list[str] = []
    incr = "airflow.sdk.observability.stats.incr"
    monkeypatch.setattr(incr, lambda stat, *, tags, **_: sent.extend([stat, *tags.values()]))
    send_failure(mirror, "res.partner")
    assert len(sent) == 4
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-") for name in sent), sent
    assert sent[-1].count(".") == 3


def test_a_watermark_ahead_of_this_clock_is_no_negative_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[float] = []
    monkeypatch.setattr("airflow.sdk.observability.stats.gauge", lambda *_, value, **__: sent.append(value))
    send_mirrored("eu", _result("res.partner", ahead=timedelta(minutes=5)))
    assert sent == [0.0, 0.0]


def _result(model: str, ahead: timedelta = timedelta()) -> MirrorResult:
    mark = Watermark(datetime.now(UTC) + ahead)
    return MirrorResult(model, "odoo_shadow_x", ScanKind.INCREMENTAL, RowCounts(1, 2, 3, 4), mark, 1.5)
