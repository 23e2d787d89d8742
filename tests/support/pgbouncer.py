"""PgBouncer in front of a server, which gives a connection back after each transaction."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CONFIG = """
[databases]
* = host={sockets}{forced}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = {auth}
auth_file = {users}
admin_users = postgres
pool_mode = {mode}
default_pool_size = {pool_size}
max_client_conn = 50
"""


@contextmanager
def pgbouncer(database: str, pool_size: int, *, mode: str = "transaction", roles: Sequence[str] = ()) -> Iterator[str]:
    """Run PgBouncer in front of the embedded server; yield the database's URL through it.

    :param roles: those that may connect, each as itself; by default everybody may, as the superuser.
    """
    parts = urlsplit(database)
    (sockets,) = parse_qs(parts.query)["host"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="odoo-shadow-pgbouncer-"))
    folder.chmod(0o755)
    config = folder / "pgbouncer.ini"
    users = folder / "users.txt"
    users.write_text("".join(f'"{role}" ""\n' for role in (*roles, "postgres")))
    forced, auth = ("", "trust") if roles else (" user=postgres", "any")
    config.write_text(
        CONFIG.format(sockets=sockets, port=port, pool_size=pool_size, mode=mode, forced=forced, auth=auth, users=users)
    )
    as_user = ["-u", Path(sockets).owner()] if os.geteuid() == 0 else []  # it refuses to run as root
    assert PROGRAM is not None
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([PROGRAM, *as_user, str(config)], stdout=log, stderr=log)
    url = f"postgresql://postgres@127.0.0.1:{port}{parts.path}"
    try:
        _wait_for(url, process, folder / "log")
        yield url
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(500):
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.01)
        else:
            return
    raise AssertionError(log.read_text())
