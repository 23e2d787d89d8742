"""PgBouncer in front of a server, which gives a connection back after each transaction."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from urllib.parse import parse_qs, urlsplit

import psycopg

from tools.processes import free_port

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
    port = free_port()
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


@contextmanager
def others_at_work(url: str, work: Callable[[psycopg.Connection], object]) -> Iterator[None]:
    """Let three other clients use the pool all the time, by transactions of their own."""
    end = Event()

    def use() -> int:
        done = 0
        with psycopg.connect(url, prepare_threshold=None, autocommit=True) as connection:
            while not end.is_set():
                work(connection)
                done += 1
        return done

    with ThreadPoolExecutor() as pool:
        uses = [pool.submit(use) for _ in range(3)]
        try:
            yield
        finally:
            end.set()
        assert all(future.result() > 0 for future in uses)


def read_and_write(connection: psycopg.Connection) -> None:
    with connection.transaction():
        connection.execute("CREATE TEMPORARY TABLE odoo_shadow_staging (theirs int) ON COMMIT DROP")
        connection.execute("INSERT INTO odoo_shadow_staging VALUES (1)")
    connection.execute("SET search_path TO nowhere")  # as careless clients do; it stays in the server's session


def server_sessions(url: str) -> int:
    """How many sessions the pooler keeps on the server; it must be pooling by transactions."""
    with psycopg.connect(urlsplit(url)._replace(path="/pgbouncer").geturl(), autocommit=True) as console:
        cursor = psycopg.ClientCursor(console)
        cursor.execute("SHOW POOLS")
        names = [item.name for item in cursor.description or ()]
        pools = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    (pool,) = [pool for pool in pools if pool["database"] == urlsplit(url).path.strip("/")]
    assert pool["pool_mode"] == "transaction"
    return sum(int(value) for name, value in pool.items() if name.startswith("sv_"))
