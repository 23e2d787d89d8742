"""`docs/reference/json.md` has every key that the commands print, and none besides."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.json_reference import documented
from tests.support.shell import Shell

MODEL = ("--models", "res.company")


@pytest.mark.parametrize("command", ["sync", "sync --dry-run", "status", "verify", "models"])
def test_every_key_is_documented(shell: Shell, command: str) -> None:
    if command in ("status", "verify"):
        assert shell.run("sync", *MODEL).code == 0
    arguments = [*command.split(), "--json", *(() if command == "status" else MODEL)]
    document: dict[str, Any] = json.loads(shell.run(*arguments).out)
    assert set(document) == documented(f"## {command}")
    (entry,) = document["models"]
    assert set(entry) == documented(f"### Entries of {command}")


def test_every_key_of_the_doctor_is_documented(shell: Shell) -> None:
    document: dict[str, Any] = json.loads(shell.run("doctor", "--json", *MODEL).out)
    assert set(document) == documented("## doctor") and document["is_good"]
    assert {key for entry in document["findings"] for key in entry} == documented("### Entries of doctor")
