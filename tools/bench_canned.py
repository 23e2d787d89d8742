"""A server that has one model's rows ready, and for all else the answers of another server.

What the engine asks changes from version to version. So nothing here is a list of its calls: rows are found by
evaluating the domain, and everything that is not about rows is passed on once and remembered. A call that this server
cannot answer is refused by its name, never by a broken connection.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

import requests

from tools.bench_rows import ReadyRows, UnknownConditionError

SAMPLE = 500
"""Records of the other server that are repeated."""

SECONDS = 60.0
_PASSED_ON = ("authorization", "content-type", "x-odoo-database")
_NOT_ABOUT_ROWS = frozenset({"check_access_rights", "context_get", "default_get", "fields_get", "has_access"})
Arguments = Mapping[str, object]


@dataclass(frozen=True)
class Told:
    """An answer over HTTP."""

    body: bytes
    status: int = 200
    content_type: str = "application/json; charset=utf-8"

    @classmethod
    def failure(cls, status: int, name: str, message: str) -> Told:
        """Refuse as Odoo does, with the name of a class and a text."""
        return cls(json.dumps({"name": name, "message": message}).encode(), status)


@dataclass(frozen=True)
class Asked:
    """A request; the names of its headers in small letters."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class CannedAnswers:
    """What the server answers.

    :param url: of the server that gives the sample and all that is not about rows of the model.
    """

    def __init__(self, url: str, model: str, rows: int) -> None:
        self._url = url
        self._model = model
        self._count = rows
        self._session = requests.Session()
        self._session.trust_env = False
        self._told: dict[tuple[str, str, bytes], Told] = {}
        self._tails: dict[str, list[bytes]] = {}
        self._lock = threading.Lock()

    def answer(self, asked: Asked) -> Told:
        """Answer any request; trouble is told, too."""
        try:
            if asked.method == "POST" and not asked.path.startswith("/json/2/"):
                return self._unknown(asked, "another protocol than JSON-2")
            prefix = f"/json/2/{self._model}/"
            method = asked.path.removeprefix(prefix)
            if not asked.path.startswith(prefix) or method in _NOT_ABOUT_ROWS:
                return self._passed_on(asked)
            return self._of_rows(method, json.loads(asked.body or b"{}"), asked)
        except UnknownConditionError as error:
            return self._unknown(asked, str(error))
        except Exception as error:  # noqa: BLE001 - the other side must read what went wrong
            return Told.failure(500, type(error).__name__, f"the benchmarks' server failed at {asked.path}: {error}")

    def _of_rows(self, method: str, arguments: Arguments, asked: Asked) -> Told:
        work = {
            "read": self._read,
            "search": self._search,
            "search_count": self._search_count,
            "search_read": self._search_read,
        }.get(method)
        if work is None:
            return self._unknown(asked, "this method")
        return work(arguments, asked)

    def _unknown(self, asked: Asked, what: str) -> Told:
        call = asked.path.removeprefix("/json/2/").replace("/", ".")
        return Told.failure(
            501, "NotImplementedError", f"the benchmarks' server has no answer to {call}: teach it {what[:200]}"
        )

    def _search(self, arguments: Arguments, asked: Asked) -> Told:
        return Told(json.dumps(list(self._found(arguments, asked))).encode())

    def _search_count(self, arguments: Arguments, asked: Asked) -> Told:
        return Told(b"%d" % len(self._found(arguments, asked)))

    def _search_read(self, arguments: Arguments, asked: Asked) -> Told:
        return self._records(self._found(arguments, asked), arguments, asked)

    def _read(self, arguments: Arguments, asked: Asked) -> Told:
        ids = cast(list[int], arguments.get("ids") or [])
        if not all(0 < row <= self._count for row in ids):
            return Told.failure(404, "odoo.exceptions.MissingError", "Record does not exist or has been deleted.")
        return self._records(ids, arguments, asked)

    def _found(self, arguments: Arguments, asked: Asked) -> Sequence[int]:
        domain = list(cast(list[object], arguments.get("domain") or []))
        context = cast(Mapping[str, object], arguments.get("context") or {})
        if context.get("active_test", True) and not any(isinstance(term, list) and "active" in term for term in domain):
            domain.append(["active", "=", True])
        rows = ReadyRows(self._count, lambda field: self._column(field, arguments, asked))
        found = rows.search(domain, str(arguments.get("order") or ""))
        first, limit = cast(int, arguments.get("offset") or 0), cast(int | None, arguments.get("limit"))
        return found[first : first + limit] if limit else found[first:]

    def _column(self, field: str, arguments: Arguments, asked: Asked) -> list[object]:
        return [row[field] for row in self._sample([field], {**arguments, "load": ""}, asked)]

    def _records(self, ids: Sequence[int], arguments: Arguments, asked: Asked) -> Told:
        fields = cast(list[str], arguments.get("fields") or [])
        key = json.dumps([fields, arguments.get("context"), arguments.get("load")])
        if key not in self._tails:
            self._tails[key] = [_tail(row) for row in self._sample(fields, arguments, asked)]
        tails = self._tails[key]
        return Told(b"[" + b",".join(b'{"id":%d%b' % (row, tails[(row - 1) % len(tails)]) for row in ids) + b"]")

    def _sample(self, fields: Sequence[str], arguments: Arguments, asked: Asked) -> list[dict[str, object]]:
        """Read the other server's records, always the same ones, with the caller's own context and fields."""
        context = {**cast(Mapping[str, object], arguments.get("context") or {}), "active_test": False}
        wanted = {"domain": [], "fields": list(fields), "limit": SAMPLE, "order": "id", "context": context}
        wanted.update({"load": arguments["load"]} if "load" in arguments else {})
        path = f"/json/2/{self._model}/search_read"
        told = self._passed_on(Asked("POST", path, asked.headers, json.dumps(wanted).encode()))
        if told.status != 200:
            reason = json.loads(told.body).get("message", "")
            raise UnknownConditionError(f"the fields {', '.join(fields)} ({reason})")
        return cast(list[dict[str, object]], json.loads(told.body))

    def _passed_on(self, asked: Asked) -> Told:
        """Ask the other server, once."""
        key = (asked.method, asked.path, asked.body)
        with self._lock:
            if key not in self._told:
                headers = {name: asked.headers[name] for name in _PASSED_ON if name in asked.headers}
                answer = self._session.request(
                    asked.method, self._url + asked.path, data=asked.body, headers=headers, timeout=SECONDS
                )
                self._told[key] = Told(answer.content, answer.status_code, answer.headers.get("Content-Type", ""))
            return self._told[key]


def _tail(row: Mapping[str, object]) -> bytes:
    """Return what follows the id in a row's JSON."""
    rest = json.dumps({name: value for name, value in row.items() if name != "id"})[1:].encode()
    return rest if rest == b"}" else b"," + rest


def serve(answers: CannedAnswers) -> tuple[str, Callable[[], None]]:
    """Serve on a free port of 127.0.0.1, in threads; return the URL, and what ends it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, body: bytes) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            told = answers.answer(Asked(self.command, self.path, headers, body))
            self.send_response(told.status)
            self.send_header("Content-Type", told.content_type)
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def end() -> None:
        server.shutdown()
        server.server_close()

    return f"http://127.0.0.1:{server.server_port}", end
