"""XML-RPC: `/xmlrpc/2/common` and `/xmlrpc/2/object`, with Odoo's fault codes."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any
from xmlrpc.client import Fault, Marshaller, loads

from odoo_stand_in.orm.errors import UserError
from odoo_stand_in.wire.answers import Answer
from odoo_stand_in.wire.services import Services

XML = "text/xml; charset=utf-8"
APPLICATION_ERROR = 1
# XML 1.0 has no place for control characters; Odoo drops them.
_CONTROL = dict.fromkeys(set(range(32)) - {9, 10, 13})


class _OdooMarshaller(Marshaller):
    dispatch = dict(Marshaller.dispatch)  # noqa: RUF012 - as in the base class

    def dump_text(self, value: str, write: Callable[[str], object]) -> None:
        self.dump_unicode(value.translate(_CONTROL), write)

    dispatch[str] = dump_text  # type: ignore[assignment]


def parse(body: bytes) -> tuple[str, list[Any]]:
    """Return method and arguments of a call."""
    params, method = loads(body)
    return str(method), list(params)


def answer(services: Services, service: str, method: str, args: list[Any]) -> Answer:
    """Return the result or a fault, both with HTTP 200."""
    try:
        return Answer(200, _response((services.dispatch(service, method, args),)), XML)
    except Exception as error:  # noqa: BLE001 - every error is told to the caller
        return Answer(200, _response(_fault(error)), XML)


def _fault(error: Exception) -> Fault:
    if isinstance(error, UserError):
        return Fault(error.fault_code, str(error))
    return Fault(APPLICATION_ERROR, "".join(traceback.format_exception(error)))


def _response(value: tuple[Any] | Fault) -> bytes:
    marshalled = _OdooMarshaller(allow_none=False).dumps(value)
    return f"<?xml version='1.0'?>\n<methodResponse>\n{marshalled}</methodResponse>\n".encode()
