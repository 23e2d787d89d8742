"""JSON-2: `/json/2/<model>/<method>` with named arguments, a bearer key and real HTTP statuses (19 flavour)."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from typing import Any

from odoo_stand_in.orm import records
from odoo_stand_in.orm.errors import UserError
from odoo_stand_in.wire.answers import Answer
from odoo_stand_in.wire.errors import HttpProblem, describe
from odoo_stand_in.wire.services import Services

JSON = "application/json; charset=utf-8"
_BEARER = re.compile(r"^bearer\s+(.+)$", re.IGNORECASE)


def answer(services: Services, model: str, method: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Return the bare result, or the error with its own status."""
    try:
        result = services.retried(lambda: _call(services, model, method, headers, body))
        return Answer(200, json.dumps(result, ensure_ascii=False).encode(), JSON)
    except Exception as error:  # noqa: BLE001 - every error is told to the caller
        return _failure(error)


def _failure(error: Exception) -> Answer:
    """Return the answer that tells of an error."""
    extra = {}
    status = 500
    if isinstance(error, HttpProblem):
        status = error.status
        extra = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    elif isinstance(error, UserError):
        status = error.http_status
    return Answer(status, json.dumps(describe(error), ensure_ascii=False).encode(), JSON, extra)


def _call(services: Services, model_name: str, name: str, headers: Mapping[str, str], body: bytes) -> Any:
    arguments: dict[str, Any] = json.loads(body or b"{}")
    bearer = _BEARER.match(headers.get("authorization", ""))
    if bearer is None:
        raise HttpProblem(401, "User not authenticated, use an API Key with a Bearer Authorization header.")
    with services.as_key_owner(bearer[1]) as env:
        ids = arguments.pop("ids", ())
        context = arguments.pop("context", None) or {}
        if model_name not in env.registry.models:
            raise HttpProblem(404, f"the model {model_name!r} does not exist")
        inner = env.with_context(**context)
        model = inner.model(model_name)
        try:
            method = records.public_method(inner, model, name)
        except AttributeError as error:
            raise HttpProblem(404, str(error)) from error
        if getattr(method, "_api_model", False) and ids:
            raise HttpProblem(422, f"cannot call {model_name}.{name} with ids")
        recordset = records.browse(inner, model, records.as_ids(ids))
        try:
            inspect.signature(method).bind(recordset, **arguments)
        except TypeError as error:
            raise HttpProblem(422, str(error)) from error
        return services.rewritten(model_name, name, method(recordset, **arguments))
