"""What a chart of bi/assets asks, as plain SQL: Superset itself is too large for `make test`."""

from __future__ import annotations

from typing import Any

from psycopg import sql

from tools.bi_assets import Document

OPERATORS = {"IN": sql.SQL("= ANY({})"), "==": sql.SQL("= {}"), "IS TRUE": sql.SQL("IS TRUE")}
_APART = ("currency", "unit_name")
"""What dashboards' filters choose one of."""
NO_CONDITION = "TEMPORAL_RANGE"
"""Superset's, for the range of a dashboard's filter: none by default."""


def columns_of(chart: Document) -> list[str]:
    """Return the columns by which a chart groups."""
    params = chart["params"]
    named = [name for key in ("groupby", "groupbyRows", "groupbyColumns") for name in params.get(key, ())]
    return [*([params["x_axis"]] if "x_axis" in params else []), *named]


def metrics_of(chart: Document) -> list[str]:
    """Return the metrics that a chart shows, or by which it is sorted."""
    params = chart["params"]
    return [
        *params.get("metrics", ()),
        *(params[key] for key in ("metric", "timeseries_limit_metric") if key in params),
    ]


def filters_of(chart: Document) -> list[tuple[str, str, Any]]:
    """Return column, operator and value of each of a chart's own filters."""
    return [(each["subject"], each["operator"], each.get("comparator")) for each in chart["params"]["adhoc_filters"]]


def query_of(chart: Document, dataset: Document) -> sql.Composed:
    """Return the statement that gives what a chart shows of all companies and months, by currency and unit."""
    expressions = expressions_of(dataset)
    by = [*columns_of(chart), *(name for name in _APART if name in expressions)]
    shown = [*(expressions[name] for name in columns_of(chart)), *(expressions[name] for name in metrics_of(chart))]
    conditions = [
        sql.SQL("{} {}").format(expressions[column], OPERATORS[operator].format(sql.Literal(value)))
        for column, operator, value in filters_of(chart)
        if operator != NO_CONDITION
    ]
    return sql.SQL("SELECT {} FROM {}{}{}").format(
        sql.SQL(", ").join(shown),
        source_of(dataset),
        sql.SQL(" WHERE {}").format(sql.SQL(" AND ").join(conditions)) if conditions else sql.SQL(""),
        sql.SQL(" GROUP BY {}").format(sql.SQL(", ").join(expressions[name] for name in by)) if by else sql.SQL(""),
    )


def source_of(dataset: Document) -> sql.Composable:
    """Return what stands behind FROM."""
    if dataset["sql"]:
        return sql.SQL("({}) AS virtual").format(sql.SQL(dataset["sql"]))
    return sql.Identifier(dataset["schema"], dataset["table_name"])


def expressions_of(dataset: Document) -> dict[str, sql.Composable]:
    """Return the expression of each column and metric, by its name."""
    columns = {
        each["column_name"]: sql.SQL(f"({each['expression']})")
        if each["expression"]
        else sql.Identifier(each["column_name"])
        for each in dataset["columns"]
    }
    return {**columns, **{each["metric_name"]: sql.SQL(f"({each['expression']})") for each in dataset["metrics"]}}
