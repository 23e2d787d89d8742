"""Databases in which somebody hostile has a login, on PostgreSQL 18 and, where Debian's is installed, 15."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.security.hostile import Hostile
from tests.target.roles import new_role
from tools.embedded_postgres import drop_database, new_database

POSTGRES_15 = Path("/usr/lib/postgresql/15/bin")


@contextmanager
def _postgres_15() -> Iterator[str]:
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


@pytest.fixture(scope="session")
def postgres_15() -> Iterator[str]:
    """The URL of a PostgreSQL 15's maintenance database."""
    if not (POSTGRES_15 / "pg_ctl").exists():
        pytest.skip("PostgreSQL 15 is not installed (Debian: postgresql-15)")
    with _postgres_15() as url:
        yield url


@pytest.fixture(params=["18", "15"])
def server(request: pytest.FixtureRequest) -> str:
    """The URL of each server's maintenance database, one after the other."""
    return str(request.getfixturevalue("postgres" if request.param == "18" else "postgres_15"))


@pytest.fixture(params=["superuser", "least rights"])
def hostile(request: pytest.FixtureRequest, server: str) -> Iterator[Hostile]:
    """A database where `mallory` may create in `public`, mirrored by the most and the least privileged role."""
    url = new_database(server)
    with new_role(url) as mallory, new_role(url) as mirror:
        role = None if request.param == "superuser" else mirror
        database = Hostile(url, mallory, role)
        database.open_public()
        yield database
    drop_database(server, url)
