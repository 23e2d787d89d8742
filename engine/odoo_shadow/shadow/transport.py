"""How the connection to the shadow database is protected on its way.

libpq's own default (`sslmode=prefer`) sends the password without TLS to whoever says that he has none.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from typing import TypeAlias

from psycopg import pq

from odoo_shadow.shadow.errors import ShadowConfigurationError

Parameters: TypeAlias = Mapping[str, str]

REQUIRE = "require"
CHECKED_MODES = frozenset({"verify-ca", "verify-full"})
"""The modes that also find out whether the server is the right one."""

_FIRST_WITH_REQUIRE_AUTH = 160000
_NO_CLEARTEXT = "!password"


def protected(name: str, parameters: Parameters) -> dict[str, str]:
    """Return connection parameters with TLS demanded, and no password in the clear, wherever they do not say otherwise.

    A server on this machine, by socket or loopback, is left as it is.

    :param parameters: libpq's, such as `host` and `sslmode`; what is missing libpq takes from the environment.
    :raises ShadowConfigurationError: they name a service, whose file alone knows the host.
    """
    own = {key: str(value) for key, value in parameters.items()}
    names_host = "host" in own or "hostaddr" in own
    if "service" in own or (not names_host and os.environ.get("PGSERVICE")):
        if "sslmode" not in own:
            raise ShadowConfigurationError(
                f"Shadow database '{name}' is a service of pg_service.conf: say sslmode beside it, such as "
                "service=shadow sslmode=verify-full."
            )
        return own
    if is_local(own):
        return own
    if "sslmode" not in own and not os.environ.get("PGSSLMODE"):
        own["sslmode"] = REQUIRE
    if "require_auth" not in own and not os.environ.get("PGREQUIREAUTH") and pq.version() >= _FIRST_WITH_REQUIRE_AUTH:
        own["require_auth"] = _NO_CLEARTEXT
    return own


def is_local(parameters: Parameters) -> bool:
    """Say whether all hosts are this machine: a socket's folder, or a loopback address."""
    where = parameters.get("hostaddr") or os.environ.get("PGHOSTADDR")
    where = where or parameters.get("host") or os.environ.get("PGHOST") or ""
    return all(_is_local_host(host.strip()) for host in where.split(","))


def _is_local_host(host: str) -> bool:
    if host in ("", "localhost") or host.startswith(("/", "@")):  # nothing: libpq takes its socket
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
