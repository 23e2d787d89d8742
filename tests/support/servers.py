"""The servers that the contract suite asks: the stand-in in both flavours, and a real one if the environment names it.

A real server: `ODOO_TEST_URL`, `ODOO_TEST_DB`, `ODOO_TEST_USER`, `ODOO_TEST_PASSWORD` (a password or an API key).
Optional: `ODOO_TEST_DSN` (its PostgreSQL, for tests that need microseconds), `ODOO_TEST_LIMITED_USER` and
`ODOO_TEST_LIMITED_PASSWORD` (an internal user without further rights). Never name a server that people work with.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.connection import OdooConnection
from odoo_stand_in import StandIn
from tests.support.flavours import FLAVOURS

NEEDED = ("ODOO_TEST_URL", "ODOO_TEST_DB", "ODOO_TEST_USER", "ODOO_TEST_PASSWORD")
REAL = "real"
FIRST_WITH_JSON2 = 19.0
FIRST_WITH_WHOLE_SECONDS = 18.4
_API_KEY = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class OdooServer:
    """One server, and who may log in there.

    :param version: such as 17.0.
    :param password: the login's password, None when only a key is known; `api_key` the other way round.
    :param dsn: URL of its PostgreSQL database.
    :param limited: login and password of an internal user without further rights.
    :param limited_api_key: that user's key.
    :param stand_in: the stand-in itself, for what cannot be done from outside.
    :param expired_api_key: a key that is refused because it has expired.
    """

    label: str
    url: str
    database: str
    login: str
    version: float
    password: str | None
    api_key: str | None
    dsn: str | None
    limited: tuple[str, str] | None
    limited_api_key: str | None = None
    expired_api_key: str | None = None
    stand_in: StandIn | None = None

    @property
    def secret(self) -> str:
        """What the tests log in with where nothing else is said: the key if there is one."""
        return self.api_key or self.password or ""

    @property
    def has_json2(self) -> bool:
        return self.version >= FIRST_WITH_JSON2

    @property
    def task_hours(self) -> str:
        """The field of `project.task` with its planned hours."""
        return "allocated_hours" if self.version >= 17 else "planned_hours"

    @property
    def compares_whole_seconds(self) -> bool:
        """Whether a datetime in a domain stands for its whole second."""
        return self.version >= FIRST_WITH_WHOLE_SECONDS

    def credentials(self) -> dict[str, str]:
        """What is known of the login, by kind."""
        known = {"password": self.password, "API key": self.api_key}
        return {kind: secret for kind, secret in known.items() if secret}

    def connection_json(self, extras: Mapping[str, object], **changed: object) -> str:
        """Return an Airflow connection in its JSON form."""
        fields = {
            "conn_type": "odoo",
            "host": self.url,
            "schema": self.database,
            "login": self.login,
            "password": self.secret,
            "extra": dict(extras),
        }
        return json.dumps({**fields, **changed})


def labels() -> list[str]:
    """Return the labels of the servers that are there to be asked."""
    given = [name for name in NEEDED if os.environ.get(name)]
    if given and len(given) < len(NEEDED):
        missing = ", ".join(name for name in NEEDED if name not in given)
        raise RuntimeError(f"{', '.join(given)} given, but not {missing}: a real server needs all of them")
    return [*(stand_in_label(flavour) for flavour in FLAVOURS), *([REAL] if given else [])]


def stand_in_label(flavour: str) -> str:
    return f"stand-in {flavour}"


def of_stand_in(odoo: StandIn) -> OdooServer:
    """Describe a running stand-in."""
    return OdooServer(
        label=stand_in_label(odoo.flavour),
        url=odoo.url,
        database=odoo.database,
        login=odoo.login,
        version=float(odoo.flavour),
        password=odoo.password,
        api_key=odoo.api_key,
        dsn=odoo.dsn,
        limited=(odoo.limited_login, odoo.limited_password),
        limited_api_key=odoo.limited_api_key,
        stand_in=odoo,
        expired_api_key=odoo.expired_api_key if odoo.flavour == "19" else None,
    )


def real() -> OdooServer:
    """Describe the server that the environment names; asks it for its version."""
    url, database, login, secret = (os.environ[name] for name in NEEDED)
    is_key = _API_KEY.fullmatch(secret) is not None
    user, limited_secret = os.environ.get("ODOO_TEST_LIMITED_USER"), os.environ.get("ODOO_TEST_LIMITED_PASSWORD")
    connection = OdooConnection.parse("contract", host=url, database=database, login=login, password=secret)
    with OdooClient(connection) as client:
        number = re.search(r"\d+(\.\d+)?", client.version.text)
    return OdooServer(
        label=REAL,
        url=url,
        database=database,
        login=login,
        version=float(number[0]) if number else 0.0,
        password=None if is_key else secret,
        api_key=secret if is_key else None,
        dsn=os.environ.get("ODOO_TEST_DSN"),
        limited=(user, limited_secret) if user and limited_secret else None,
    )


HookTo = Callable[..., OdooHook]
