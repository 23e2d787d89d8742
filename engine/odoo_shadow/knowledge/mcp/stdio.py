"""Runs the server over stdio: nothing but the protocol is written to standard output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
from mcp.server.stdio import stdio_server

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server


def serve_stdio(server: Server[Any]) -> None:
    """Serve until the client closes its end, or Ctrl-C."""

    async def serve() -> None:
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())

    anyio.run(serve)
