"""What the demo and the web interface put on this machine is nobody else's."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

from tools.embedded_postgres import embedded_postgres
from tools.parts import temporary_folder

pytestmark = pytest.mark.attack

NOBODY = 65534


@pytest.mark.nightly
def test_other_users_come_near_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    # The folder changes it, for its process and all children.
    monkeypatch.setenv("TMPDIR", os.environ.get("TMPDIR", tempfile.gettempdir()))
    with temporary_folder() as folder:
        with embedded_postgres() as url:
            with psycopg.connect(url) as connection:
                assert connection.execute("SELECT 1").fetchall() == [(1,)]
            assert_private(folder)
        assert_private(folder)


def assert_private(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) & 0o066 == 0  # others cannot look round
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        if os.geteuid() == 0:
            looked = subprocess.run(["ls", path], user=NOBODY, group=NOBODY, capture_output=True, check=False)
            assert looked.returncode != 0
