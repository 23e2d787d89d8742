"""`docs/reference/json.md` has every key that the commands print, and none besides."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.shell import Shell

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "json.md"
MODEL = ("--models", "res.company")


def documented(heading: str) -> set[str]:
    """Return the keys of the table right below a heading."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"{heading}\n\n")
    table = rest.partition("\n\n")[0].splitlines()
    return {key for line in table if line.startswith("| `") for key in re.findall(r"`(\w+)`", line.split("|")[1])}


@pytest.mark.parametrize("command", ["sync", "sync --dry-run", "status", "verify", "models"])
def test_every_key_is_documented(shell: Shell, command: str) -> None:
    if command in ("status", "verify"):
        assert shell.run("sync", *MODEL).code == 0
    arguments = [*command.split(), "--json", *(() if command == "status" else MODEL)]
    document: dict[str, Any] = json.loads(shell.run(*arguments).out)
    assert set(document) == documented(f"## {command}")
    (entry,) = document["models"]
    assert set(entry) == documented(f"### Entries of {command}")
