"""Where the server listens over HTTP, and what callers must send."""

from __future__ import annotations

import re
from dataclasses import dataclass

from odoo_shadow.shadow.errors import ShadowConfigurationError
from odoo_shadow.text.hosts import is_loopback

TOKEN = "ODOO_SHADOW_MCP_TOKEN"  # noqa: S105 - a variable's name
SHORTEST_TOKEN = 32
PATH = "/mcp"
_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\[\]:/@\s]*)):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True)
class Address:
    """Where the server listens."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host.lower())

    def url(self, port: int) -> str:
        """Return what callers use.

        :param port: the one that it got, if it was any.
        """
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{port}{PATH}"


def read_address(given: str) -> Address:
    """Read HOST:PORT; without a host it is this machine alone.

    :raises ShadowConfigurationError: it is no address.
    """
    found = _ADDRESS.fullmatch(given.strip())
    port = int(found["port"]) if found else 0
    if found is None or not 0 <= port < 2**16:
        raise ShadowConfigurationError(f"--http '{given}' is not an address: write HOST:PORT, such as 127.0.0.1:8765.")
    return Address(found["six"] or found["host"] or "127.0.0.1", port)


def check_token(token: str | None) -> str:
    """Return the token that callers must send.

    :raises ShadowConfigurationError: there is none, or one that could be guessed.
    """
    given = (token or "").strip()
    if len(given) < SHORTEST_TOKEN or not given.isascii() or not given.isprintable() or len(set(given)) < 10:
        raise ShadowConfigurationError(
            f"{TOKEN} must be a secret of at least {SHORTEST_TOKEN} characters, which callers send as a bearer token: "
            "make one by: openssl rand -hex 32"
        )
    return given
