"""`odoo-shadow marts docs`: one page, with Odoo's labels as text, and the dashboards that read the marts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from odoo_shadow.marts.documentation import as_text
from odoo_shadow.marts.project import project_folder
from tests.support.shell import Shell

EVIL = "{{ 1 / 0 }} </script><script>alert(1)</script> ': [&x *y"
ASSETS = Path(__file__).parents[2] / "bi" / "assets"
COLUMN = "</script><script>alert(2)"
DASHBOARDS = {"sales", "receivables_and_payables", "stock_and_purchasing", "finance"}


def read(path: Path) -> dict[str, Any]:
    document = yaml.safe_load(path.read_text())
    assert isinstance(document, dict)
    return document


def test_a_label_is_text() -> None:
    assert as_text("{{ x }} {% y %} {# z #}") == "{ { x }} { % y %} { # z #}"
    assert as_text("<b>&") == "&lt;b&gt;&amp;"


def test_the_project_knows_which_dashboard_reads_which_marts() -> None:
    exposures = read(project_folder() / "models" / "exposures.yml")["exposures"]
    found = {item["name"]: {*re.findall(r"'(\w+)'", " ".join(item["depends_on"]))} for item in exposures}
    tables = {each["uuid"]: each["table_name"] for each in map(read, ASSETS.glob("datasets/*/*.yaml"))}
    charts = {each["uuid"]: tables[each["dataset_uuid"]] for each in map(read, ASSETS.glob("charts/*.yaml"))}
    shown = {
        path.stem: {charts[uuid] for uuid in re.findall(r"[0-9a-f-]{36}", path.read_text()) if uuid in charts}
        for path in ASSETS.glob("dashboards/*.yaml")
    }
    assert set(found) == DASHBOARDS
    assert found == {name: marts - {"mart_freshness"} for name, marts in shown.items()}


@pytest.mark.one_flavour
@pytest.mark.nightly
def test_the_page_has_labels_and_dashboards_and_no_markup_from_odoo(
    shell: Shell, database: str, tmp_path: Path
) -> None:
    assert shell.run("sync", "--models", "res.company").code == 0
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE odoo_shadow.odoo_shadow_field SET label = %s WHERE column_name = 'name'", [EVIL])
        connection.execute(f'ALTER TABLE odoo_shadow.odoo_shadow_res_company ADD "{COLUMN}" text'.encode())
    outcome = shell.run("marts", "docs", "--output", str(tmp_path / "docs"))
    assert (outcome.code, outcome.err) == (0, "")
    page = (tmp_path / "docs" / "index.html").read_text()
    assert "<script>alert" not in page
    manifest: dict[str, Any] = json.JSONDecoder().raw_decode(page, page.index('{"metadata"'))[0]
    exposures = {exposure["name"]: exposure for exposure in manifest["exposures"].values()}
    assert set(exposures) == DASHBOARDS
    assert exposures["finance"]["depends_on"]["nodes"] == ["model.odoo_shadow.mart_trial_balance"]
    company = manifest["sources"]["source.odoo_shadow.odoo_shadow.odoo_shadow_res_company"]
    assert company["columns"]["name"]["description"] == as_text(EVIL)
