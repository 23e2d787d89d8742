"""Debian's PostgreSQL 15, the oldest that is supported, on a Unix socket in a temporary folder; and its standby."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

POSTGRES_15 = Path("/usr/lib/postgresql/15/bin")
_USER = "postgres"


@contextmanager
def debian_postgres() -> Iterator[str]:
    """Run it as a user without rights; yield the URL of its `postgres` database."""
    with _folder() as folder:
        data = str(folder / "data")
        _run("initdb", "--pgdata", data, "--username", _USER, "--auth", "trust", "--no-sync", "--encoding", "UTF8")
        with _started(folder):
            yield f"postgresql://{_USER}:@/postgres?host={folder}"


@dataclass(frozen=True)
class Standby:
    """A server that replays what another one writes."""

    folder: Path

    def url_of(self, primary: str) -> str:
        """Return the URL of one of the primary's databases there."""
        return urlsplit(primary)._replace(query=f"host={self.folder}").geturl()

    def catch_up(self, primary: str) -> None:
        """Wait until it has replayed what is written now."""
        with (
            psycopg.connect(primary, autocommit=True) as there,
            psycopg.connect(self.url_of(primary), autocommit=True) as here,
        ):
            ((position,),) = there.execute("SELECT pg_current_wal_lsn()::text").fetchall()
            for _ in range(1000):
                if here.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [position]).fetchall() == [(True,)]:
                    return
                time.sleep(0.01)
        raise AssertionError("the standby should have replayed what its primary has written")

    def promote(self) -> None:
        """Let it write, too."""
        _run("pg_ctl", "--pgdata", str(self.folder / "data"), "--wait", "promote")


@contextmanager
def standby_of(url: str) -> Iterator[Standby]:
    """Copy a running server, and run the copy as its standby."""
    (primary,) = parse_qs(urlsplit(url).query)["host"]
    with _folder() as folder:
        copied = ("--pgdata", str(folder / "data"), "--write-recovery-conf", "--checkpoint", "fast", "--no-sync")
        _run("pg_basebackup", "--host", primary, "--username", _USER, *copied)
        with _started(folder):
            yield Standby(folder)


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="odoo-shadow-pg15-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _started(folder: Path) -> Iterator[None]:
    data, log = str(folder / "data"), str(folder / "log")
    options = f"-c unix_socket_directories={folder} -c listen_addresses= -c fsync=off"
    _run("pg_ctl", "--pgdata", data, "--log", log, "--wait", "--options", options, "start")
    try:
        yield
    finally:
        _run("pg_ctl", "--pgdata", data, "--mode", "immediate", "stop")


def _run(program: str, *arguments: str) -> None:
    as_user = ["setpriv", "--reuid=nobody", "--clear-groups"] if os.geteuid() == 0 else []
    command = [*as_user, str(POSTGRES_15 / program), *arguments]
    subprocess.run(command, check=True, cwd=tempfile.gettempdir(), stdout=subprocess.DEVNULL)
