"""Which protocol a connection speaks, and the server's version."""

from __future__ import annotations

import re
from dataclasses import dataclass

from odoo_shadow.source.api.connection import OdooConnection, ProtocolChoice
from odoo_shadow.source.api.http import HttpTransport
from odoo_shadow.source.api.protocols.base import OdooProtocol
from odoo_shadow.source.api.protocols.json2 import Json2
from odoo_shadow.source.api.protocols.jsonrpc import JsonRpc
from odoo_shadow.source.api.protocols.xmlrpc import XmlRpc
from odoo_shadow.source.api.two_factor import API_KEY
from odoo_shadow.source.errors import OdooAuthenticationError, OdooConfigurationError
from odoo_shadow.source.types import Json
from odoo_shadow.text.shown import shown

FIRST_WITH_JSON2 = 19
_LONGEST_VERSION = 40


@dataclass(frozen=True)
class ServerVersion:
    """An Odoo server's version, such as 17.0."""

    major: int
    text: str

    @classmethod
    def parse(cls, connection: OdooConnection, answer: Json) -> ServerVersion:
        """Read what `/web/version` or `common.version` says. Raises `OdooConfigurationError`."""
        details = answer if isinstance(answer, dict) else {}
        text = details.get("version") or details.get("server_version")
        number = re.search(r"[0-9]{1,4}", text) if isinstance(text, str) else None  # hosted: "saas~18.4", "19.0+e"
        if number is None or not isinstance(text, str):
            raise OdooConfigurationError(f"{connection} does not report its version of Odoo: check the URL.")
        return cls(int(number.group()), shown(text, longest=_LONGEST_VERSION))


def server_version(transport: HttpTransport) -> ServerVersion:
    """Ask for the version, without a login. Raises an `OdooError`."""
    connection = transport.connection
    answer = transport.get("/web/version")
    if answer.status == 200 and not answer.is_html:
        return ServerVersion.parse(connection, transport.decode(answer))
    return ServerVersion.parse(connection, JsonRpc(transport).server_version())  # up to 18


def choose_protocol(transport: HttpTransport) -> OdooProtocol:
    """Return the protocol that the connection names, or the best that server and credential allow.

    :raises OdooConfigurationError: the connection demands JSON-2 of a server before 19.
    """
    connection = transport.connection
    if connection.protocol is ProtocolChoice.JSONRPC:
        return JsonRpc(transport)
    if connection.protocol is ProtocolChoice.XMLRPC:
        return XmlRpc(transport)
    version = server_version(transport)
    if connection.protocol is ProtocolChoice.JSON2:
        if version.major < FIRST_WITH_JSON2:
            raise OdooConfigurationError(
                f"{connection} is Odoo {version.text}, which has no JSON-2: set protocol to auto or jsonrpc."
            )
        return Json2(transport)
    if version.major < FIRST_WITH_JSON2 or not API_KEY.fullmatch(connection.password):
        return JsonRpc(transport)
    return _json2_if_key(transport)


def _json2_if_key(transport: HttpTransport) -> OdooProtocol:
    """Return JSON-2 if the credential really is a key, and not a password that looks like one."""
    json2 = Json2(transport)
    try:
        json2.user_id()
    except OdooAuthenticationError:
        jsonrpc = JsonRpc(transport)
        jsonrpc.user_id()
        return jsonrpc
    return json2
