"""Servers for benchmarks, each in a process of its own so that it does not share the measured process's interpreter."""

from __future__ import annotations

import json
import multiprocessing
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any

from airflow_provider_odoo_shadow.source.connection import OdooConnection
from odoo_stand_in import StandIn

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
def stand_in_server(postgres_url: str, rows: int) -> Iterator[Server]:
    """Run the stand-in Odoo (19) with at least so many partners."""
    with _process(_serve_stand_in, postgres_url, rows) as server:
        yield server


@contextmanager
def wide_server(postgres_url: str) -> Iterator[Server]:
    """Run the stand-in Odoo (19) with 300 models."""
    with _process(_serve_wide, postgres_url) as server:
        yield server


@contextmanager
def canned_server(sample: list[dict[str, object]], fields: dict[str, dict[str, object]], rows: int) -> Iterator[Server]:
    """Run a server that answers with ready-made pages, at hardly any cost: what is left is the engine's own time.

    :param sample: records that are repeated under ascending ids.
    """
    with _process(_serve_canned, sample, fields, rows) as server:
        yield server


@contextmanager
def _process(target: Callable[..., None], *args: object) -> Iterator[Server]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=target, args=(theirs, *args), daemon=True)
    child.start()
    try:
        yield ours.recv()
    finally:
        ours.close()  # the child waits for this
        child.join(timeout=20)
        if child.is_alive():
            child.terminate()
            child.join()


def _serve_stand_in(ready: Connection, postgres_url: str, rows: int) -> None:
    with StandIn(postgres_url, flavour="19", database=f"bench_{rows}") as odoo:
        present = len(odoo.execute(MODEL, "search", [], context={"active_test": False}))
        if rows > present:
            odoo.fill(MODEL, rows - present)
        ready.send(Server(odoo.url, odoo.database, odoo.login, odoo.api_key, odoo.dsn))
        _wait_for_end(ready)


def _serve_wide(ready: Connection, postgres_url: str) -> None:
    with StandIn(postgres_url, flavour="19", database="bench_wide", schema="wide") as odoo:
        ready.send(Server(odoo.url, odoo.database, odoo.login, odoo.api_key, odoo.dsn))
        _wait_for_end(ready)


def _serve_canned(
    ready: Connection, sample: list[dict[str, object]], fields: dict[str, dict[str, object]], rows: int
) -> None:
    tails = [json.dumps({key: value for key, value in row.items() if key != "id"})[1:].encode() for row in sample]

    constant = {
        "/json/2/res.users/context_get": b'{"uid": 2}',
        f"/json/2/{MODEL}/fields_get": json.dumps(fields).encode(),
        f"/json/2/{MODEL}/search": b"[%d]" % rows,
        f"/json/2/{MODEL}/search_count": b"%d" % rows,
        "/json/2/ir.config_parameter/search_read": b"[]",
        "/json/2/ir.model/search_read": b"[]",
        "/json/2/res.users/search_read": b"[]",
    }

    def page(body: Mapping[str, Any]) -> bytes:
        after = next(value for name, operator, value in body["domain"] if (name, operator) == ("id", ">"))
        after = max(after, 0)
        ids = range(after + 1, min(after + body["limit"], rows) + 1)
        return b"[" + b",".join(b'{"id":%d,%b' % (i, tails[i % len(tails)]) for i in ids) + b"]"

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(b'{"version": "19.0"}')

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(constant.get(self.path) or page(body))

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ready.send(Server(f"http://127.0.0.1:{server.server_port}", "canned", "admin", "0" * 40))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _wait_for_end(ready)
    server.shutdown()


def _wait_for_end(ready: Connection) -> None:
    try:
        ready.recv()
    except EOFError:
        return
