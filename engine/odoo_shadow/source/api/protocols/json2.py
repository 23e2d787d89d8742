"""JSON-2 at `/json/2/<model>/<method>`: Odoo 19 on; named arguments only, real HTTP statuses, API keys only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from odoo_shadow.source.api.faults import (
    first_line,
    odoo_error,
    request_error,
    unknown_database,
    user_id_in,
)
from odoo_shadow.source.api.http import HttpAnswer, HttpTransport
from odoo_shadow.source.api.two_factor import login_refused
from odoo_shadow.source.errors import OdooConfigurationError, OdooError, OdooRequestError
from odoo_shadow.source.types import Argument, Json

# The names of the positional arguments of Odoo's own methods (odoo/orm/models.py of 19.0).
_POSITIONAL = {
    "create": ("vals_list",),
    "fields_get": ("allfields", "attributes"),
    "name_search": ("name", "domain", "operator", "limit"),
    "read": ("ids", "fields", "load"),
    "search": ("domain", "offset", "limit", "order"),
    "search_count": ("domain", "limit"),
    "search_read": ("domain", "fields", "offset", "limit", "order"),
    "unlink": ("ids",),
    "write": ("ids", "vals"),
}


class Json2:
    """Calls models with the API key as a bearer token."""

    label = "JSON-2"

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport
        self._connection = transport.connection
        self._headers = {
            "Authorization": f"bearer {self._sendable('password or API key', self._connection.password)}",
            "Content-Type": "application/json",
            "X-Odoo-Database": self._sendable("database's name", self._connection.database),
        }
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
        """Call a model's public method. Raises an `OdooError`; positional arguments of unknown methods are refused."""
        named = {**self._named(model, method, args), **kwargs}
        body = json.dumps(named).encode()
        answer = self._transport.post(f"/json/2/{model}/{method}", body, self._headers, can_split=can_split)
        if answer.status == 200:
            return self._transport.decode(answer)
        raise self._error(answer, f"{model}.{method}")

    def user_id(self) -> int:
        """Return the id of the user that the key belongs to. Raises an `OdooError`."""
        if self._uid is None:
            context = self.call("res.users", "context_get", [], {})
            uid = context.get("uid") if isinstance(context, dict) else None
            self._uid = user_id_in(self._connection, "res.users.context_get", uid)
        return self._uid

    def _sendable(self, what: str, value: str) -> str:
        try:
            value.encode("latin-1")  # all that an HTTP header can carry
        except UnicodeEncodeError:
            raise OdooConfigurationError(
                f"{self._connection}: JSON-2 cannot send the {what}, which contains characters outside Latin-1: "
                "correct it, or set protocol to jsonrpc."
            ) from None
        if not value.isprintable():
            raise OdooConfigurationError(
                f"{self._connection}: JSON-2 cannot send the {what}, which contains control characters: type it again."
            )
        return value

    def _named(self, model: str, method: str, args: Sequence[Argument]) -> dict[str, Argument]:
        names = _POSITIONAL.get(method, ())
        if len(args) > len(names):
            raise OdooRequestError(
                f"{self._connection}: JSON-2 takes named arguments only; name those of {model}.{method}."
            )
        return dict(zip(names, args, strict=False))

    def _error(self, answer: HttpAnswer, target: str) -> OdooError:
        if answer.is_html:
            if answer.status == 404 and b"No database is selected" in answer.body:
                return unknown_database(self._connection)
            return self._transport.not_data(answer)
        details = self._transport.decode(answer)
        if answer.status == 401:
            return login_refused(self._transport)
        if not isinstance(details, dict) or (answer.status >= 500 and "name" not in details):
            return self._transport.not_data(answer)  # a gateway's own JSON: Odoo's has a name
        name, message = str(details.get("name") or f"HTTP {answer.status}"), str(details.get("message") or "")
        if name.endswith("UnprocessableEntity"):
            return request_error(
                f"{self._connection} refused the arguments of {target}: {first_line(message)}", message
            )
        return odoo_error(self._connection, target, name, message)
