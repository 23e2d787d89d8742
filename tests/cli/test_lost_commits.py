"""A run whose last commits are lost before it ends, after the last transaction on its table, does not end well."""

from __future__ import annotations

import json

import pytest

from tests.support.failing_over import LaggingServer
from tests.support.in_process import run_in_process
from tests.support.shell import Shell

COMPANIES = ("--models", "res.company", "--full")


def test_what_the_log_does_not_know_any_more_has_failed(
    shell: Shell, database: str, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shell.run("sync", *COMPANIES).code == 0
    server = LaggingServer(postgres, database)
    server.copy()
    monkeypatch.setattr("odoo_shadow.cli.sync_run.close_run", server.close_run)
    said = run_in_process(["sync", *COMPANIES, "--json"], shell.env)
    assert said.code == 1
    (model,) = json.loads(said.out)["models"]
    assert "the shadow's database has lost what this run wrote last" in model["error"]
    told = " ".join(said.err.split())
    assert "res.company: schema odoo_shadow: the shadow's database has lost" in told
    assert shell.run("sync", *COMPANIES).code == 0
