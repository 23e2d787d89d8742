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
DASHBOARDS = {"sales", "receivables_and_payables", "stock_and_purchasing", "finance"}


def test_a_label_is_text() -> None:
    assert as_text("{{ x }} {% y %} {# z #}") == "{ { x }} { % y %} { # z #}"
    assert as_text("<b>&") == "&lt;b&gt;&amp;"


def test_the_dashboards_name_the_marts_that_they_read() -> None:
    folder = project_folder() / "models"
    marts = {mart["name"] for mart in yaml.safe_load((folder / "marts" / "marts.yml").read_text())["models"]}
    exposures = yaml.safe_load((folder / "exposures.yml").read_text())["exposures"]
    assert {exposure["name"] for exposure in exposures} == DASHBOARDS
    read = {mart for exposure in exposures for mart in re.findall(r"'(\w+)'", " ".join(exposure["depends_on"]))}
    assert read == marts


@pytest.mark.nightly
@pytest.mark.one_flavour
def test_the_page_has_labels_and_dashboards_and_no_markup_from_odoo(
    shell: Shell, database: str, tmp_path: Path
) -> None:
    assert shell.run("sync", "--models", "res.company").code == 0
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE odoo_shadow.odoo_shadow_field SET label = %s WHERE column_name = 'name'", [EVIL])
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
