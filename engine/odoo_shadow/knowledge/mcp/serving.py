"""Begins to serve: after the role was examined, over stdio or HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from odoo_shadow.knowledge.mcp.http import listen, serve_http
from odoo_shadow.knowledge.mcp.limits import Limits
from odoo_shadow.knowledge.mcp.readable import readable_relations
from odoo_shadow.knowledge.mcp.role import open_to_everyone
from odoo_shadow.knowledge.mcp.server import ShadowServer
from odoo_shadow.knowledge.mcp.session import ReadOnlyDatabase, Sessions
from odoo_shadow.knowledge.mcp.stdio import serve_stdio

if TYPE_CHECKING:
    from odoo_shadow.knowledge.embedding.port import Embedder
    from odoo_shadow.knowledge.mcp.address import Address

__all__ = ["ReadOnlyDatabase", "serve"]


def serve(
    shadow: Callable[[], ReadOnlyDatabase],
    address: Address | None,
    token: str,
    say: Callable[[str], None],
    embedder: Embedder | None = None,
) -> None:
    """Serve until the client has gone, or Ctrl-C.

    :param shadow: makes what one request uses.
    :param address: where to listen for HTTP; None for stdio.
    :param token: what callers over HTTP must send: see `check_token`.
    :param embedder: makes vectors of questions; None to search by words alone.
    :param say: tells whoever started the server.
    :raises ShadowPermissionError: the role could do more than read.
    :raises ShadowOwnershipError: what would be read belongs to a role that is not trusted.
    :raises ShadowConfigurationError: the address cannot be listened at.
    :raises ShadowError: the database cannot be asked.
    """
    sessions = Sessions(shadow, Limits())
    with sessions.open() as tx:
        readable_relations(tx)
        everyone = open_to_everyone(tx)
    if everyone:
        say(
            f"Everyone in this database, and so this login, may {'; '.join(everyone[:3])}: the server lets no "
            "statement do that, but to revoke it from PUBLIC would be safer."
        )
    server = ShadowServer(sessions, embedder).protocol()
    if address is None:
        serve_stdio(server)
        return
    with listen(address) as listening:
        say(f"Serving MCP at {address.url(listening.getsockname()[1])}, until Ctrl-C.")
        if not address.is_loopback:
            say("Other machines can reach this address, unencrypted: put a proxy with TLS in front of it.")
        serve_http(server, listening, token, is_loopback=address.is_loopback)
