"""Why a login was refused: with two-factor authentication, Odoo accepts only API keys from programs.

Its API answers this as it answers a wrong password. The route by which browsers log in does not (16.0 to 19.0): given
the right password, it asks for the second factor and returns no user's id. It is called once, after a refusal, and not
with a credential that looks like a key.
"""

from __future__ import annotations

import json
import re

from odoo_shadow.source.api.faults import refused
from odoo_shadow.source.api.http import HttpTransport
from odoo_shadow.source.errors import OdooAuthenticationError, OdooError

API_KEY = re.compile(r"[0-9a-f]{40}")  # 20 random bytes as hex: odoo/addons/base/models/res_users.py, 14 to 19


def login_refused(transport: HttpTransport) -> OdooAuthenticationError:
    """Build the error for a login that was refused."""
    connection = transport.connection
    if API_KEY.fullmatch(connection.password) or not _wants_second_factor(transport):
        return refused(connection)
    return OdooAuthenticationError(
        f"{connection} refused the login '{connection.login}' with a password, because this user has two-factor "
        "authentication: an API key is needed. Create one in the user's preferences (Account Security), and use it "
        "in place of the password."
    )


def _wants_second_factor(transport: HttpTransport) -> bool:
    connection = transport.connection
    login = {"db": connection.database, "login": connection.login, "password": connection.password}
    body = json.dumps({"jsonrpc": "2.0", "method": "call", "params": login, "id": 1}).encode()
    try:
        answer = transport.post("/web/session/authenticate", body, {"Content-Type": "application/json"})
        envelope = transport.decode(answer) if answer.status == 200 else None
    except OdooError:
        return False
    result = envelope.get("result") if isinstance(envelope, dict) else None
    return isinstance(result, dict) and "uid" in result and result["uid"] is None
