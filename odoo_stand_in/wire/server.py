"""The HTTP side: addresses, faults, and a uvicorn in a thread."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from odoo_stand_in.wire import json2, jsonrpc, xmlrpc
from odoo_stand_in.wire.answers import Answer, no_database, not_found
from odoo_stand_in.wire.faults import Calls, Faults
from odoo_stand_in.wire.services import Services

TRANSPORT = "odoo_stand_in.transport"


class _Protocol(H11Protocol):
    """HTTP/1.1 that lets the application at the connection, so that it can be closed without an answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        inner = self.app

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await inner({**scope, TRANSPORT: transport}, receive, send)

        self.app = app


class Application:
    """The addresses of an Odoo server."""

    def __init__(self, services: Services, faults: Faults, calls: Calls) -> None:
        self.services = services
        self.faults = faults
        self.calls = calls
        routes = [
            Route("/jsonrpc", self.jsonrpc, methods=["GET", "POST"]),
            Route("/xmlrpc/2/{service}", self.xmlrpc, methods=["POST"]),
        ]
        if services.flavour == "19":
            routes += [
                Route("/json/2/{model}/{method}", self.json2, methods=["POST"]),
                Route("/web/version", self.version, methods=["GET"]),
            ]
        self.asgi = Starlette(routes=routes, exception_handlers={404: self.not_found})

    async def jsonrpc(self, request: Request) -> Response:
        """`/jsonrpc`."""
        request_id, service, method, args = jsonrpc.parse(await request.body())
        return await self._answer(
            request, *_target(service, method, args), jsonrpc.answer, self.services, request_id, service, method, args
        )

    async def xmlrpc(self, request: Request) -> Response:
        """`/xmlrpc/2/common` and `/xmlrpc/2/object`."""
        service = request.path_params["service"]
        method, args = xmlrpc.parse(await request.body())
        return await self._answer(
            request, *_target(service, method, args), xmlrpc.answer, self.services, service, method, args
        )

    async def json2(self, request: Request) -> Response:
        """`/json/2/<model>/<method>`."""
        model, method = request.path_params["model"], request.path_params["method"]
        headers = {key.lower(): value for key, value in request.headers.items()}
        wanted = headers.get("x-odoo-database")
        if wanted not in (None, self.services.database):
            self.calls.append((model, method))
            return _response(no_database())
        body = await request.body()
        return await self._answer(request, model, method, json2.answer, self.services, model, method, headers, body)

    async def version(self, request: Request) -> Response:
        """`/web/version`."""
        series = int(self.services.flavour)
        told = {"version_info": [series, 0, 0, "final", 0, ""], "version": f"{series}.0"}
        return await self._answer(
            request, "web", "version", Answer, 200, json.dumps(told).encode(), "application/json; charset=utf-8"
        )

    async def not_found(self, _request: Request, _error: Exception) -> Response:
        """Any other address."""
        return _response(not_found())

    async def _answer(self, request: Request, model: str, method: str, work: Any, *arguments: Any) -> Response:
        self.calls.append((model, method))
        fault = self.faults.take(model, method)
        if fault is not None:
            if fault.delay:
                await asyncio.sleep(fault.delay)
            if fault.close:
                request.scope[TRANSPORT].close()
                await asyncio.sleep(0.05)
                return Response(status_code=500)
            if fault.answers:
                kind = "text/html; charset=utf-8"
                return Response(
                    fault.content,
                    fault.status or 200,
                    {"content-type": kind, **{key.lower(): value for key, value in fault.headers.items()}},
                )
        return _response(await run_in_threadpool(work, *arguments))


def _target(service: str, method: str, args: list[Any]) -> tuple[str, str]:
    """Return what a call is about: the model's method for `execute_kw`, else the service's."""
    if service == "object" and len(args) >= 5:
        return str(args[3]), str(args[4])
    return service, method


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, {"content-type": answer.content_type, **answer.headers})


class Server:
    """uvicorn in a thread of its own, on a free port unless one is named."""

    def __init__(self, application: Application, port: int = 0) -> None:
        # asyncio sends without delay (TCP_NODELAY) only where the socket says that it is TCP.
        self._socket = socket.socket(proto=socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            application.asgi,
            http=_Protocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_level="error",
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="odoo-stand-in", daemon=True
        )

    def start(self) -> None:
        """Serve; returns when connections are accepted."""
        self._socket.listen(128)
        self._thread.start()

    def stop(self) -> None:
        """End, without waiting for clients that hold connections open."""
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._socket.close()
