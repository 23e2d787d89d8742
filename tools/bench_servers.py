"""Servers for benchmarks, each in a process of its own so that it does not share the measured process's interpreter."""

from __future__ import annotations

import multiprocessing
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection

from odoo_shadow.source.api.connection import OdooConnection
from odoo_stand_in import StandIn
from odoo_stand_in.invented.wide import FEW
from tools.bench_canned import CannedAnswers, serve
from tools.embedded_postgres import database_url, drop_database, new_database

MODEL = "res.partner"


@dataclass(frozen=True)
class Server:
    """Where a server is and how to log in."""

    url: str
    database: str
    login: str
    password: str
    dsn: str = ""


def client_fields(server: Server) -> OdooConnection:
    """Return the connection to a server."""
    return OdooConnection.parse(
        "bench", host=server.url, database=server.database, login=server.login, password=server.password
    )


@contextmanager
def stand_in_server(
    postgres_url: str, rows: int = 0, schema: str = "standard", *, model: str = MODEL
) -> Iterator[Server]:
    """Run the stand-in Odoo (19) with at least so many records of a model, on a database of its own."""
    database = f"bench_{uuid.uuid4().hex[:12]}"
    try:
        with _process(_serve_stand_in, postgres_url, database, rows, schema, model) as server:
            yield server
    finally:
        drop_database(postgres_url, database_url(postgres_url, database))


def wide_server(postgres_url: str, models: int) -> AbstractContextManager[Server]:
    """Run the stand-in Odoo (19) with at least so many models, at most 300."""
    return stand_in_server(postgres_url, schema="wide" if models > FEW else "wide, but few")


@contextmanager
def canned_server(odoo: Server, rows: int) -> Iterator[Server]:
    """Run a server that answers with ready-made pages, at hardly any cost: what is left is the engine's own time.

    :param odoo: gives the records that are repeated under ascending ids, and answers what is not about them.
    """
    with _process(_serve_canned, odoo, rows) as server:
        yield server


@contextmanager
def fresh_database(postgres_url: str) -> Iterator[str]:
    """Make an empty database, and drop it in the end."""
    url = new_database(postgres_url)
    try:
        yield url
    finally:
        drop_database(postgres_url, url)


@contextmanager
def _process(target: Callable[..., None], *args: object) -> Iterator[Server]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=target, args=(theirs, *args), daemon=True)
    child.start()
    theirs.close()  # so that a child that fails is not waited for
    try:
        yield ours.recv()
    finally:
        ours.close()  # the child waits for this
        child.join(timeout=20)
        if child.is_alive():
            child.terminate()
            child.join()


def _serve_stand_in(ready: Connection, postgres_url: str, database: str, rows: int, schema: str, model: str) -> None:
    with StandIn(postgres_url, flavour="19", database=database, schema=schema) as odoo:
        present = len(odoo.execute(model, "search", [], context={"active_test": False}))
        if rows > present:
            odoo.fill(model, rows - present)
        ready.send(Server(odoo.url, odoo.database, odoo.login, odoo.api_key, odoo.dsn))
        _wait_for_end(ready)


def _serve_canned(ready: Connection, odoo: Server, rows: int) -> None:
    url, end = serve(CannedAnswers(odoo.url, MODEL, rows))
    ready.send(replace(odoo, url=url, dsn=""))
    _wait_for_end(ready)
    end()


def _wait_for_end(ready: Connection) -> None:
    try:
        ready.recv()
    except EOFError:
        return
