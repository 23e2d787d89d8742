"""JSON-RPC at `/jsonrpc`: every Odoo up to 21; errors come with HTTP 200."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from odoo_shadow.source.api.faults import odoo_error, user_id_in
from odoo_shadow.source.api.http import HttpTransport
from odoo_shadow.source.api.two_factor import login_refused
from odoo_shadow.source.errors import OdooError
from odoo_shadow.source.types import Argument, Json

_HEADERS = {"Content-Type": "application/json"}


class JsonRpc:
    """Calls models with login and password (or API key) in each request's body."""

    label = "JSON-RPC"

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport
        self._connection = transport.connection
        self._uid: int | None = None

    def call(
        self,
        model: str,
        method: str,
        args: Sequence[Argument],
        kwargs: Mapping[str, Argument],
        *,
        can_split: bool = False,
    ) -> Json:
        """Call a model's public method. Raises an `OdooError`."""
        connection = self._connection
        login: list[Argument] = [connection.database, self.user_id(), connection.password]
        params: list[Argument] = [*login, model, method, list(args), kwargs]
        return self._post("object", "execute_kw", params, f"{model}.{method}", can_split=can_split)

    def user_id(self) -> int:
        """Log in once and return the user's id. Raises an `OdooError`."""
        if self._uid is None:
            connection = self._connection
            args: list[Argument] = [connection.database, connection.login, connection.password, {}]
            uid = self._post("common", "authenticate", args, "common.authenticate")
            if uid is False:
                raise login_refused(self._transport)
            self._uid = user_id_in(connection, "common.authenticate", uid)
        return self._uid

    def server_version(self) -> Json:
        """Return what `common.version` says; needs no login."""
        return self._post("common", "version", [], "common.version")

    def _post(
        self, service: str, method: str, args: Sequence[Argument], target: str, *, can_split: bool = False
    ) -> Json:
        body = {"jsonrpc": "2.0", "method": "call", "params": {"service": service, "method": method, "args": args}}
        sent = json.dumps({**body, "id": 1}).encode()
        answer = self._transport.post("/jsonrpc", sent, _HEADERS, can_split=can_split)
        if answer.status == 404:
            raise self._transport.no_api("/jsonrpc")
        envelope = self._transport.decode(answer)
        if not isinstance(envelope, dict) or not ("result" in envelope or "error" in envelope):
            raise self._transport.not_data(answer)
        if "error" in envelope:
            raise self._error(envelope["error"], target)
        if answer.status != 200:
            raise self._transport.not_data(answer)
        return envelope["result"]

    def _error(self, error: Json, target: str) -> OdooError:
        data = error.get("data") if isinstance(error, dict) else None
        details = data if isinstance(data, dict) else {}
        name, message = details.get("name"), details.get("message")
        return odoo_error(self._connection, target, str(name or "unknown error"), str(message or ""))
