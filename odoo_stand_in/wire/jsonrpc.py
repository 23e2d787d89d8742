"""JSON-RPC: `/jsonrpc`, answered with HTTP 200 whatever happens."""

from __future__ import annotations

import json
from typing import Any

from odoo_stand_in.wire.answers import Answer
from odoo_stand_in.wire.errors import describe
from odoo_stand_in.wire.services import Services

JSON = "application/json; charset=utf-8"


def parse(body: bytes) -> tuple[Any, str, str, list[Any]]:
    """Request id, service, method and arguments."""
    request = json.loads(body)
    params = request["params"]
    return request.get("id"), params["service"], params["method"], params["args"]


def answer(services: Services, request_id: Any, service: str, method: str, args: list[Any]) -> Answer:
    """Return the result, or the error as Odoo describes it."""
    reply: dict[str, Any] = {"jsonrpc": "2.0", "id": request_id}
    try:
        result = services.dispatch(service, method, args)
        if result is not None:
            reply["result"] = result
        return Answer(200, json.dumps(reply, ensure_ascii=False).encode(), JSON)
    except Exception as error:  # noqa: BLE001 - every error is told to the caller
        code = 0 if services.flavour == "19" else 200
        reply["error"] = {"code": code, "message": "Odoo Server Error", "data": describe(error)}
        return Answer(200, json.dumps(reply, ensure_ascii=False).encode(), JSON)
