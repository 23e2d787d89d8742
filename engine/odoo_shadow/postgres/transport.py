"""Demands TLS for connections to a PostgreSQL database.

libpq's own default (`sslmode=prefer`) sends the password without TLS to any server that says it has none.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from typing import TypeAlias

from psycopg import pq

from odoo_shadow.postgres.errors import Subject

Parameters: TypeAlias = Mapping[str, str]

REQUIRE = "require"
CHECKED_MODES = frozenset({"verify-ca", "verify-full"})
"""The modes that also verify the server's certificate."""

KEEPALIVES = {
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""libpq's parameters that detect within about a minute that the other side is gone; without them a run hangs for
hours."""

_FIRST_WITH_REQUIRE_AUTH = 160000
_NO_CLEARTEXT = "!password"


def protected(subject: Subject, parameters: Parameters) -> dict[str, str]:
    """Return connection parameters that demand TLS and an encrypted password, unless they say otherwise.

    Those of a server on this machine, by socket or loopback, are not changed.

    :param parameters: libpq's, such as `host` and `sslmode`; libpq takes what is missing from the environment.
    :raises ShownError: of the subject's kind: they name a service, of which only its file knows the host.
    """
    own = {key: str(value) for key, value in parameters.items()}
    names_host = "host" in own or "hostaddr" in own
    if "service" in own or (not names_host and os.environ.get("PGSERVICE")):
        if "sslmode" not in own:
            raise subject.wrong(
                f"{subject} is a service of pg_service.conf: add sslmode to it, such as "
                "service=NAME sslmode=verify-full."
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
    if host in ("", "localhost") or host.startswith(("/", "@")):  # empty: libpq uses its socket
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
