"""The PostgreSQL that tests, demo and benchmarks stand on starts without a word, whoever starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import os
before = os.environ.get("XDG_RUNTIME_DIR")
from tools.embedded_postgres import embedded_postgres
with embedded_postgres() as url:
    print(url.partition(":")[0])
assert os.environ.get("XDG_RUNTIME_DIR") == before
"""


@pytest.mark.parametrize("runtime_folder", [None, "/"], ids=["none", "another's"])
@pytest.mark.nightly
def test_no_warning_greets_anybody(runtime_folder: str | None) -> None:
    env = {name: value for name, value in os.environ.items() if name not in ("XDG_RUNTIME_DIR", "PYTHONWARNINGS")}
    env |= {} if runtime_folder is None else {"XDG_RUNTIME_DIR": runtime_folder}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("postgresql\n", "")
