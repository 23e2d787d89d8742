"""A run whose last commits are lost before it ends, after the last transaction on its table, does not end well."""

from __future__ import annotations

import json

import pytest

from odoo_shadow.cli.main import main
from tests.support.failing_over import LaggingServer
from tests.support.shell import Shell

COMPANIES = ("--models", "res.company", "--full")


def test_what_the_log_does_not_know_any_more_has_failed(
    shell: Shell, database: str, postgres: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shell.run("sync", *COMPANIES).code == 0
    server = LaggingServer(postgres, database)
    server.copy()
    monkeypatch.setattr("odoo_shadow.cli.sync_run.close_run", server.close_run)
    for name, value in shell.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["odoo-shadow", "sync", *COMPANIES, "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code == 1
    (model,) = json.loads(said.out)["models"]
    assert "the shadow's database has lost what this run wrote last" in model["error"]
    told = " ".join(said.err.split())
    assert "res.company: schema odoo_shadow: the shadow's database has lost" in told
    assert shell.run("sync", *COMPANIES).code == 0
