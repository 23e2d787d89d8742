"""Supabase's own command line, from npm, in a folder where the next run finds it again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import fasteners
import pytest

VERSION = "2.117.0"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "odoo-shadow"
_FOLDER = _CACHE / f"supabase-{VERSION}"


@cache
def supabase() -> str:
    """Return the path of the program, installed if it is not there (136 MB); skips the test where it cannot be."""
    program = _FOLDER / "node_modules" / ".bin" / "supabase"
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed, from which Supabase's command line comes")
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with fasteners.InterProcessLock(_CACHE / f"supabase-{VERSION}.lock"):
        if not program.exists():
            install = [npm, "install", "--no-save", "--no-audit", "--no-fund", "--prefix", str(_FOLDER)]
            done = subprocess.run([*install, f"supabase@{VERSION}"], capture_output=True, text=True, timeout=200)
            if done.returncode or not program.exists():
                pytest.skip(f"npm cannot install supabase@{VERSION}: {done.stderr.strip()[-200:]}")
    return str(program)


def advice(database: str) -> list[dict[str, Any]]:
    """Return what `supabase db advisors` finds in a database on a Unix socket."""
    # The host counts only for the program's own check of the address; the socket's folder is where it connects.
    url = database.replace("postgres:@/", "postgres:any@localhost:5432/") + "&sslmode=disable"
    arguments = ["db", "advisors", "--type", "all", "--level", "info", "--fail-on", "none", "--db-url", url]
    done = subprocess.run(
        [supabase(), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100, cwd=_FOLDER
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.startswith("[") else []
