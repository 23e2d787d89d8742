"""`odoo-shadow mcp`."""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import Unpack

import click

from odoo_shadow.cli.embeddings_options import EmbeddingOptions, embedder_of, embeddings_options
from odoo_shadow.cli.missing import Command
from odoo_shadow.cli.options import ShadowSettings, set_up_logging, shadow_as, shadow_options, verbose_option
from odoo_shadow.cli.terminal import say
from odoo_shadow.knowledge.mcp.address import TOKEN as MCP_TOKEN
from odoo_shadow.knowledge.mcp.address import check_token, read_address
from odoo_shadow.mirror.errors import MirrorConfigurationError

_PACKAGES = ("mcp", "mcp_types", "sqlglot", "sse_starlette", "starlette", "uvicorn")


class _Options(ShadowSettings, EmbeddingOptions):
    pass


@click.command(cls=Command)
@shadow_options()
@click.option(
    "--http",
    metavar="HOST:PORT",
    help=f"Serve over HTTP at this address, for callers with the token in {MCP_TOKEN}.  [default: over stdio]",
)
@embeddings_options
@verbose_option
def mcp(http: str | None, verbose: bool, **options: Unpack[_Options]) -> None:
    """Serve the shadow to AI systems by the Model Context Protocol: they search, describe and query it, read-only.

    SUPABASE_DB_URL must name a login that can only read; any other is refused, with the SQL that makes one.
    TRUSTED_ROLES names the role that syncs, unless that is a superuser. A program that starts its servers itself, such
    as Claude Desktop or an editor, is told so in its settings:

    \b
    {"mcpServers": {"odoo": {
        "command": "odoo-shadow", "args": ["mcp"],
        "env": {"SUPABASE_DB_URL": "postgresql://odoo_shadow_mcp:…@host:5432/db", "TRUSTED_ROLES": "postgres"}}}}

    Others connect to --http 127.0.0.1:8765 (path /mcp) and send the token as a bearer token.

    \b
    Exit codes: 0 the client has gone, 2 it cannot be served, 130 stopped by Ctrl-C.
    """  # noqa: D301 - click wants a backspace, not a backslash
    set_up_logging(verbose)
    address = None if http is None else read_address(http)
    token = "" if address is None else check_token(os.environ.get(MCP_TOKEN))
    serving = _server()
    if address is None and sys.stdin.isatty():
        say("Waiting for an MCP client on standard input; --help shows how a program starts this one.", err=True)
    serving.serve(
        lambda: shadow_as(serving.ReadOnlyDatabase, options),
        address,
        token,
        lambda text: say(text, err=True),
        embedder_of(options),
    )


def _server() -> ModuleType:
    """Return the server's module. Raises `MirrorConfigurationError` where its packages are not installed."""
    try:
        from odoo_shadow.knowledge.mcp import serving
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _PACKAGES:
            raise
        raise MirrorConfigurationError(
            "odoo-shadow mcp needs packages that are not installed: pip install 'odoo-shadow[mcp]'."
        ) from None
    return serving
