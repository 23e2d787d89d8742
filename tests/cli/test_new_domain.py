"""Another `domain` in the mirrors file: what a run and a dry run say of it."""

from __future__ import annotations

import json
from pathlib import Path

from odoo_stand_in import StandIn
from tests.support.shell import Shell
from tests.support.source_of_truth import expected_rows


def of(path: Path, settings: str) -> tuple[str, str]:
    path.write_text(f"mirrors: {{one: {{models: [res.country], model_settings: {{res.country: {settings}}}}}}}")
    return ("--config", str(path))


def test_a_new_domain_is_called_so_and_what_it_does_is_told(shell: Shell, odoo19: StandIn, tmp_path: Path) -> None:
    path, everything = tmp_path / "mirrors.yaml", len(expected_rows(odoo19, "res.country"))
    assert shell.run("sync", *of(path, "{}")).code == 0
    some = of(path, "{domain: [[id, '<=', 2]]}")
    dry = shell.run("sync", *some, "--dry-run")
    assert dry.out.startswith("res.country: new domain, would read 2 rows of ") and " within it into " in dry.out
    assert f"would remove {everything - 2} rows that are outside of the domain or gone from Odoo: " in dry.out
    kept = shell.run("sync", *some, "--dry-run", "--on-delete", "ignore")
    assert kept.out.splitlines()[0].endswith("; rows outside of it stay as they are.")
    outcome = shell.run("sync", *some)
    assert " new domain " in outcome.out and outcome.code == 0
    (line,) = outcome.err.splitlines()
    assert line.endswith(
        'res.country: its domain was none, and is now [["id", "<=", 2]]: rows within it are read again, '
        "rows outside of it leave the shadow (on_delete: delete)"
    )
    back = shell.run("sync", *of(path, "{}"), "--json")
    assert "is now none: all rows are read again" in back.err
    (entry,) = json.loads(back.out)["models"]
    assert (entry["kind"], entry["rows_inserted"]) == ("new domain", everything - 2)


def test_an_error_names_its_model_once(shell: Shell, odoo19: StandIn) -> None:
    made = odoo19.execute("res.partner.category", "create", [{"name": f"Tag {number}"} for number in range(300)])
    assert shell.run("sync", "--models", "res.partner.category").code == 0
    odoo19.execute("res.partner.category", "unlink", made)
    outcome = shell.run("sync", "--models", "res.partner.category")
    assert outcome.code == 1 and outcome.err.startswith("res.partner.category: 300 of ")
