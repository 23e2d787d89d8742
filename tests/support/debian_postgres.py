"""Debian's PostgreSQL 15, the oldest that is supported, on a Unix socket in a temporary folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POSTGRES_15 = Path("/usr/lib/postgresql/15/bin")


@contextmanager
def debian_postgres() -> Iterator[str]:
    """Run it as a user without rights; yield the URL of its `postgres` database."""
    folder = Path(tempfile.mkdtemp(prefix="odoo-shadow-pg15-"))
    as_user: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
        as_user = ["setpriv", "--reuid=nobody", "--clear-groups"]

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [*as_user, str(POSTGRES_15 / program), *arguments], check=True, cwd=folder, stdout=subprocess.DEVNULL
        )

    data, log = str(folder / "data"), str(folder / "log")
    try:
        run("initdb", "--pgdata", data, "--username", "postgres", "--auth", "trust", "--no-sync", "--encoding", "UTF8")
        options = f"-c unix_socket_directories={folder} -c listen_addresses= -c fsync=off"
        run("pg_ctl", "--pgdata", data, "--log", log, "--wait", "--options", options, "start")
        try:
            yield f"postgresql://postgres:@/postgres?host={folder}"
        finally:
            run("pg_ctl", "--pgdata", data, "--mode", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
