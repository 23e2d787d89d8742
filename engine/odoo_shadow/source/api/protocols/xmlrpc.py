"""XML-RPC at `/xmlrpc/2`: slow; only used when the connection demands it."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Mapping, Sequence
from typing import cast
from xml.parsers.expat import ExpatError

from odoo_shadow.source.api.answers import is_json
from odoo_shadow.source.api.faults import LONGEST_READ, odoo_error, user_id_in
from odoo_shadow.source.api.http import HttpAnswer, HttpTransport
from odoo_shadow.source.api.protocols import xml_text
from odoo_shadow.source.api.two_factor import login_refused
from odoo_shadow.source.errors import OdooError, OdooRequestError
from odoo_shadow.source.types import Argument, Json

_HEADERS = {"Content-Type": "text/xml"}
_CALL = '  File "'
_DECLARATION = b"<!DOCTYPE"
# What Python's own reader raises for XML that is not XML-RPC: missing and misplaced parts, wrong names and values.
_MALFORMED = (
    AttributeError,
    ExpatError,
    LookupError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
    xmlrpc.client.ResponseError,
)
# Odoo's own fault codes (odoo/http.py, /xmlrpc/2); code 1 carries a traceback whose last line names the class.
_CLASS_OF_CODE = {2: "odoo.exceptions.UserError", 3: "odoo.exceptions.AccessDenied", 4: "odoo.exceptions.AccessError"}


def _last_error(lines: Sequence[str]) -> str:
    """Return the line of a traceback that names the error; PostgreSQL's message continues after it (`LINE 1: …`)."""
    calls = [at for at, line in enumerate(lines) if line.startswith(_CALL)]
    said = [line for line in lines[calls[-1] if calls else 0 :] if line and not line.startswith((" ", "Traceback"))]
    return next(iter(said if calls else reversed(said)), "unknown error")


class XmlRpc:
    """Calls models with login and password (or API key) in each request's body."""

    label = "XML-RPC"

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
        params: tuple[object, ...] = (*login, model, method, list(args), dict(kwargs))
        return self._post("/xmlrpc/2/object", "execute_kw", params, f"{model}.{method}", can_split=can_split)

    def user_id(self) -> int:
        """Log in once and return the user's id. Raises an `OdooError`."""
        if self._uid is None:
            connection = self._connection
            params: tuple[object, ...] = (connection.database, connection.login, connection.password, {})
            uid = self._post("/xmlrpc/2/common", "authenticate", params, "common.authenticate")
            if uid is False:
                raise login_refused(self._transport)
            self._uid = user_id_in(connection, "common.authenticate", uid)
        return self._uid

    def _post(
        self, path: str, method: str, params: tuple[object, ...], target: str, *, can_split: bool = False
    ) -> Json:
        body = self._dumps(method, params, target)
        answer = self._transport.post(path, body, _HEADERS, can_split=can_split)
        if answer.status == 404:
            raise self._transport.no_api(path)
        return self._loads(answer, target)

    def _dumps(self, method: str, params: tuple[object, ...], target: str) -> bytes:
        marshallable = cast("tuple[xmlrpc.client._Marshallable, ...]", params)
        try:
            return xmlrpc.client.dumps(marshallable, method, allow_none=True).encode()
        except (OverflowError, TypeError, ValueError) as error:
            raise OdooRequestError(
                f"{self._connection}: XML-RPC cannot carry the arguments of {target} ({type(error).__name__}), such as "
                f"numbers beyond {xmlrpc.client.MAXINT}: set protocol to jsonrpc."
            ) from None

    def _loads(self, answer: HttpAnswer, target: str) -> Json:
        if answer.is_html:
            raise self._transport.not_data(answer)
        # Python's parser keeps text in pieces, split at line ends and entities.
        self._transport.check_values(sum(answer.body.count(sign) for sign in (b"<", b"&", b"\n", b"\r")))
        try:
            if _DECLARATION in answer.body:  # entities, which may grow without end; no XML-RPC has any
                raise self._transport.not_data(answer)
            values, method = xml_text.loads(answer.body)
        except xmlrpc.client.Fault as fault:
            raise self._error(fault, target) from None
        except _MALFORMED:
            raise self._transport.not_data(answer) from None
        value: object = values[0] if len(values) == 1 and method is None else b""
        if not is_json(value):
            raise self._transport.not_data(answer)
        return value

    def _error(self, fault: xmlrpc.client.Fault, target: str) -> OdooError:
        text = str(fault.faultString)
        name = _CLASS_OF_CODE.get(fault.faultCode, "") if isinstance(fault.faultCode, int) else ""
        if not name:
            lines = text[-LONGEST_READ:].rstrip().splitlines()
            whole = lines if len(text) <= LONGEST_READ else lines[1:]  # half a secret would not be recognised
            name, _, text = _last_error(whole).partition(": ")
        return odoo_error(self._connection, target, name, text)
