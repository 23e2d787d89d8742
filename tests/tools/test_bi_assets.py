"""The dashboards in bi/assets hang together, and agree with the marts that they show."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from odoo_shadow.marts.project import project_folder
from odoo_shadow.shadow.relations import MART_FRESHNESS
from tests.support.chart_queries import NO_CONDITION, columns_of, filters_of, metrics_of
from tools.bi_assets import Document, as_archive, fit, marts_of, of_kind, read_assets
from tools.bi_database import sqlalchemy_url

ASSETS = read_assets()
CHARTS = of_kind(ASSETS, "charts")
DASHBOARDS = of_kind(ASSETS, "dashboards")
DATASETS = {each["uuid"]: each for each in of_kind(ASSETS, "datasets").values()}
MARTS = {
    mart["name"]: mart for mart in yaml.safe_load((project_folder() / "models/marts/marts.yml").read_text())["models"]
}


def named(dataset: Document) -> set[str]:
    return {each["column_name"] for each in dataset["columns"]}


def charts_on(dashboard: Document) -> list[Document]:
    return [item for item in items_of(dashboard).values() if item["type"] == "CHART"]


def charts_of(dashboard: Document) -> list[str]:
    return [item["meta"]["uuid"] for item in charts_on(dashboard)]


def items_of(dashboard: Document) -> dict[str, Any]:
    return {key: item for key, item in dashboard["position"].items() if isinstance(item, dict)}


def test_datasets_have_the_marts_columns_with_their_meanings() -> None:
    found = {
        each["table_name"]: {
            column["column_name"]: column["description"] for column in each["columns"] if column["expression"] is None
        }
        for each in DATASETS.values()
        if each["table_name"] in MARTS
    }
    assert found == {
        name: {column["name"]: column["description"] for column in mart["columns"]} for name, mart in MARTS.items()
    }
    assert set(marts_of(ASSETS)) == {*MARTS, MART_FRESHNESS}
    for dataset in DATASETS.values():
        names = Counter(each["column_name"] for each in dataset["columns"])
        names.update(each["metric_name"] for each in dataset["metrics"])
        assert max(names.values()) == 1, "a metric would be taken for a column"


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_refers_to_what_its_dataset_has(name: str) -> None:
    chart = CHARTS[name]
    dataset = DATASETS[chart["dataset_uuid"]]
    assert {*columns_of(chart), *(column for column, _, _ in filters_of(chart))} <= named(dataset)
    assert set(metrics_of(chart)) <= {each["metric_name"] for each in dataset["metrics"]}
    assert chart["params"]["viz_type"] == chart["viz_type"]
    if chart["viz_type"] in ("table", "pivot_table_v2"):
        assert chart["params"]["allow_render_html"] is False, "names in Odoo would be shown as HTML"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_is_laid_out_of_charts_that_there_are(name: str) -> None:
    dashboard = DASHBOARDS[name]
    items = items_of(dashboard)
    hung = Counter(child for item in items.values() for child in item.get("children", ()))
    assert set(hung) == set(items) - {"ROOT_ID", "HEADER_ID"} and set(hung.values()) == {1}
    known = {chart["uuid"]: chart["slice_name"] for chart in CHARTS.values()}
    for item in items.values():
        if item["type"] == "CHART":
            assert known[item["meta"]["uuid"]] == item["meta"]["sliceName"]
        if item["type"] == "ROW":
            assert sum(items[child]["meta"]["width"] for child in item["children"]) <= 12
    ids = {item["meta"]["chartId"] for item in items.values() if item["type"] == "CHART"}
    for each in dashboard["metadata"]["native_filter_configuration"]:
        assert set(each["scope"]["excluded"]) <= ids
        for target in each["targets"]:
            if target:
                dataset = DATASETS[target["datasetUuid"]]
                assert target["column"]["name"] in named(dataset)
                assert each.get("sortMetric") in {None, *(metric["metric_name"] for metric in dataset["metrics"])}


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_filter_reaches_every_chart_that_it_does_not_leave_out(name: str) -> None:
    by_uuid = {chart["uuid"]: chart for chart in CHARTS.values()}
    shown = {item["meta"]["chartId"]: by_uuid[item["meta"]["uuid"]] for item in charts_on(DASHBOARDS[name])}
    for each in DASHBOARDS[name]["metadata"]["native_filter_configuration"]:
        for number, chart in shown.items():
            follows = number not in each["scope"]["excluded"]
            if each["filterType"] == "filter_time":
                assert follows == any(operator == NO_CONDITION for _, operator, _ in filters_of(chart))
            elif follows:
                assert each["targets"][0]["column"]["name"] in named(DATASETS[chart["dataset_uuid"]])


def test_every_chart_is_in_one_dashboard_and_each_shows_how_fresh_it_is() -> None:
    shown = Counter(uuid for dashboard in DASHBOARDS.values() for uuid in charts_of(dashboard))
    assert shown == Counter(chart["uuid"] for chart in CHARTS.values())
    by_uuid = {chart["uuid"]: chart for chart in CHARTS.values()}
    exposures = yaml.safe_load((project_folder() / "models/exposures.yml").read_text())["exposures"]
    declared = {each["name"]: {ref.split("'")[1] for ref in each["depends_on"]} for each in exposures}
    for name, dashboard in DASHBOARDS.items():
        charts = [by_uuid[uuid] for uuid in charts_of(dashboard)]
        marts = {DATASETS[chart["dataset_uuid"]]["table_name"] for chart in charts}
        assert marts == {*declared[name], MART_FRESHNESS}
        fresh = [
            filters_of(chart) for chart in charts if DATASETS[chart["dataset_uuid"]]["table_name"] == MART_FRESHNESS
        ]
        assert [[set(marts) for _, _, marts in filters] for filters in fresh] == [[declared[name]]] * 2
    assert {name: dashboard["dashboard_title"] for name, dashboard in DASHBOARDS.items()} == {
        each["name"]: each["label"] for each in exposures
    }


def test_what_is_left_out_leaves_the_rest() -> None:
    left_out = {"mart_pipeline", "mart_stock", "mart_invoices"}
    assets = fit(ASSETS, url="postgresql+psycopg2://reader@db/shadow", schema='my "marts"', left_out=left_out)
    assert {"mart_sales", "mart_purchases"} <= set(marts_of(assets)) and not left_out & set(marts_of(assets))
    known = {chart["uuid"] for chart in of_kind(assets, "charts").values()}
    assert known and all(set(charts_of(each)) <= known for each in of_kind(assets, "dashboards").values())
    for dashboard in of_kind(assets, "dashboards").values():
        items = items_of(dashboard)
        assert {child for item in items.values() for child in item.get("children", ())} <= set(items)
        assert all(item["children"] for item in items.values() if item["type"] == "ROW")
    stock = of_kind(assets, "dashboards")["stock_and_purchasing"]["metadata"]["native_filter_configuration"]
    assert [each["name"] for each in stock] == ["Currency", "Company", "Months"]
    datasets = of_kind(assets, "datasets")
    assert {each["schema"] for each in datasets.values()} == {'my "marts"'}
    assert 'FROM "my ""marts""".mart_sales ' in datasets["companies"]["sql"]
    assert "mart_invoices" not in datasets["companies"]["sql"]
    assert of_kind(assets, "databases")["odoo_shadow"]["sqlalchemy_uri"] == "postgresql+psycopg2://reader@db/shadow"
    books = fit(ASSETS, left_out=set(MARTS) - {"mart_receivables", "mart_payables"})
    filters = of_kind(books, "dashboards")["receivables_and_payables"]["metadata"]["native_filter_configuration"]
    assert [each["name"] for each in filters] == ["Currency", "Company"]
    nothing = fit(ASSETS, left_out=MARTS)
    assert len(of_kind(nothing, "charts")) == 2 * len(DASHBOARDS) and marts_of(nothing) == [MART_FRESHNESS]


def test_the_files_have_no_secret_and_go_into_an_archive() -> None:
    database = of_kind(ASSETS, "databases")["odoo_shadow"]
    assert urlsplit(database["sqlalchemy_uri"]).password is None
    assert (database["allow_dml"], database["allow_file_upload"]) == (False, False)
    assert "{{" not in json.dumps(ASSETS) and "{%" not in json.dumps(ASSETS)
    with zipfile.ZipFile(io.BytesIO(as_archive(ASSETS))) as archive:
        assert set(archive.namelist()) == {f"odoo_shadow/{path}" for path in ASSETS}
        assert yaml.safe_load(archive.read("odoo_shadow/metadata.yaml"))["type"] == "Dashboard"


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("postgresql://me@/shadow?host=/tmp/a%20b", "postgresql+psycopg2://me@/shadow?host=%2Ftmp%2Fa+b"),
        ("postgres://me:p%40ss%2F@127.0.0.1:5433/my%20db", "postgresql+psycopg2://me:p%40ss%2F@127.0.0.1:5433/my%20db"),
        ("host=::1 user=me dbname=shadow", "postgresql+psycopg2://me@[::1]/shadow"),
        (
            "postgresql://me:x@a.example:1,b.example:2/shadow?sslmode=verify-full",
            "postgresql+psycopg2://me:x@/shadow?sslmode=verify-full&require_auth=%21password"
            "&host=a.example%2Cb.example&port=1%2C2",
        ),
    ],
)
def test_an_address_is_translated_for_superset(given: str, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGSSLMODE", raising=False)
    assert sqlalchemy_url(given) == wanted


def test_an_address_elsewhere_demands_encryption_and_can_hide_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PGSSLMODE", raising=False)
    url = sqlalchemy_url("postgresql://me:secret@db.example.com/shadow", hide_password=True)
    assert "sslmode=require" in url and "secret" not in url
