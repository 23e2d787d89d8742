"""What a chart asks, as Superset's page in a browser would put it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def query_of(params: Mapping[str, Any], *, dataset_id: int) -> dict[str, object]:
    """Return the body of a question to `/api/v1/chart/data`.

    :param params: the chart's own, without what a dashboard's filters add.
    """
    metrics = [*params.get("metrics", ()), *filter(None, [params.get("metric")])]
    order = params.get("timeseries_limit_metric") or next(iter(metrics), None)
    query: dict[str, object] = {
        "columns": _columns(params),
        "metrics": metrics,
        "filters": [
            {"col": each["subject"], "op": each["operator"], "val": each.get("comparator")}
            for each in params["adhoc_filters"]
        ],
        "orderby": [[order, not params.get("order_desc", True)]] if order else [],
        "row_limit": params.get("row_limit", 100),
        "time_range": "No filter",
    }
    return {
        "datasource": {"id": dataset_id, "type": "table"},
        "queries": [query],
        "result_format": "json",
        "result_type": "full",
        "force": True,
    }


def _columns(params: Mapping[str, Any]) -> list[object]:
    named = [name for key in ("groupby", "groupbyRows", "groupbyColumns") for name in params.get(key, ())]
    if "x_axis" in params:
        named.insert(0, params["x_axis"])
    grain = params.get("time_grain_sqla")
    return [_by_grain(name, grain) if grain and name == _time_column(params) else name for name in named]


def _time_column(params: Mapping[str, Any]) -> str | None:
    return params.get("x_axis") or next(iter(params.get("groupbyColumns", ())), None)


def _by_grain(name: str, grain: str) -> dict[str, object]:
    return {
        "label": name,
        "sqlExpression": name,
        "expressionType": "SQL",
        "columnType": "BASE_AXIS",
        "timeGrain": grain,
    }
