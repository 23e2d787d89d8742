"""Metrics of each mirrored model, through Airflow's own: StatsD, Datadog or OpenTelemetry, as `[metrics]` says.

Each is sent with the tags `mirror` and `model`; and, for servers that have no tags, under a name that contains both,
unless `[metrics] legacy_names_on` is off: as Airflow does with its own metrics.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

from airflow.sdk import conf
from airflow.sdk.observability import stats

from odoo_shadow.mirror.sync.result import MirrorResult
from odoo_shadow.text.log import logger

log = logger(__name__)

PREFIX = "odoo_shadow"


class _Send(Protocol):
    def __call__(self, stat: str, *, tags: dict[str, str]) -> None: ...


def send_mirrored(mirror: str, result: MirrorResult) -> None:
    """Send what a run did to one model. Raises nothing."""
    counts = result.counts
    read = {"rows_read": counts.written + counts.unchanged}
    rows = {"rows_inserted": counts.inserted, "rows_updated": counts.updated, "rows_deleted": counts.deleted}
    lag = (datetime.now(UTC) - result.watermark.last_write_date).total_seconds()
    with _harmless():
        for name, number in {**read, **rows, "calls": result.calls}.items():
            _send(mirror, result.model, name, partial(stats.incr, count=number))
        _send(mirror, result.model, "lag", partial(stats.gauge, value=max(lag, 0.0)))
        _send(mirror, result.model, "duration", partial(stats.timing, dt=timedelta(seconds=result.seconds)))


def send_failure(mirror: str, model: str) -> None:
    """Count a model that could not be mirrored. Raises nothing."""
    with _harmless():
        _send(mirror, model, "failures", partial(stats.incr, count=1))


def _send(mirror: str, model: str, name: str, send: _Send) -> None:
    send(f"{PREFIX}.{name}", tags={"mirror": _plain(mirror), "model": _plain(model)})
    if conf.getboolean("metrics", "legacy_names_on", fallback=True):
        send(f"{PREFIX}.{_segment(mirror)}.{_segment(model)}.{name}", tags={})


def _plain(name: str) -> str:
    return stats.normalize_name_for_stats(name, log_warning=False)


def _segment(name: str) -> str:
    """Return a name as one part of a metric's name, which dots separate."""
    return _plain(name).replace(".", "_")


@contextmanager
def _harmless() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever a metrics server or its client does, the rows are there
        log.warning("Metrics were not sent: %s", error)
