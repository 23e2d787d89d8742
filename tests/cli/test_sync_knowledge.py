"""`odoo-shadow sync` brings documents up to date at its end, if the mirrors file says `knowledge: true`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from odoo_stand_in import StandIn
from tests.support.counting import in_odoo
from tests.support.shell import Shell
from tests.support.source_of_truth import expected_rows

MODELS = ["res.partner", "res.country"]


def config(folder: Path, **settings: object) -> str:
    path = folder / "mirrors.yaml"
    path.write_text(yaml.safe_dump({"mirrors": {"own": {"models": MODELS, "knowledge": True, **settings}}}))
    return str(path)


def synced(shell: Shell, path: str) -> tuple[int, dict[str, Any], str]:
    outcome = shell.run("sync", "--config", path, "--json")
    return outcome.code, json.loads(outcome.out), outcome.err


def test_documents_go_with_the_rows_and_what_fails_is_named(shell: Shell, odoo19: StandIn, tmp_path: Path) -> None:
    odd = {"res.country": {}, "hr.employee": {"title": ["name"]}}
    code, document, err = synced(shell, config(tmp_path, embeddings="none", documents=odd))
    problem = (
        "hr.employee: There are no documents of hr.employee: the shadow has no table of it; add it to the models of "
        "the mirror and run odoo-shadow sync, or, if this Odoo has no such model, take its template away."
    )
    partners = len(expected_rows(odoo19, "res.partner"))
    assert (code, document["is_good"], document["knowledge_problems"]) == (1, False, [problem])
    assert [item["error"] for item in document["models"]] == [None, None]
    assert {item["model"]: item["added"] for item in document["knowledge"]["documents"]} == {
        "res.partner": partners,
        "res.country": len(expected_rows(odoo19, "res.country")),
    }
    assert problem in err and "not all documents are up to date: do what the messages above say" in err

    ((some, *was),) = in_odoo(odoo19, "SELECT id, name, write_date FROM res_partner ORDER BY id LIMIT 1")
    rename = "UPDATE res_partner SET name = %s, write_date = %s WHERE id = %s"
    in_odoo(odoo19, rename, "Renamed", datetime.now(UTC).replace(tzinfo=None), some)
    code, document, err = synced(shell, config(tmp_path, embeddings_conn_id="endpoint"))
    done = document["knowledge"]
    assert (code, document["knowledge_problems"]) == (0, [])
    gone, entry = done["documents"]
    assert (gone["model"], gone["total"], gone["removed"] > 0) == ("res.country", 0, True)
    assert (entry["model"], entry["total"]) == ("res.partner", partners)
    assert 1 <= entry["changed"] <= 10, "its own document, and those of its contacts and company"
    assert "Embeddings are left to Airflow, which has their connection" in done["embeddings"]["error"]
    assert done["embeddings"]["model"] is None, "the local model would take the place of the endpoint's"

    plain = shell.run("sync", "--models", "res.country", "--json")
    assert json.loads(plain.out)["knowledge"] is None
    dry = shell.run("sync", "--config", config(tmp_path), "--dry-run", "--json")
    assert (dry.code, "knowledge" in json.loads(dry.out)) == (0, False)

    wrong = config(tmp_path, documents={"res.country": {"title": ["nam"]}})
    told = shell.run("embed", "--config", wrong, "--embeddings", "none", "--dry-run", "--json")
    (mistake,) = json.loads(told.out)["failed"]
    assert (told.code, mistake["model"]) == (1, "res.country") and "(did you mean name?)" in mistake["error"]
    assert mistake["error"] in told.err
    assert shell.run("embed", "--config", config(tmp_path), "--embeddings", "none", "--dry-run").code == 0
    in_odoo(odoo19, rename, *was, some)  # the stand-in is shared
