"""What each protocol tells of an exception, and those that are none of the ORM's."""

from __future__ import annotations

import traceback
from typing import Any

import psycopg


class OperationalError(Exception):
    """PostgreSQL does not let Odoo in, as psycopg2 tells it."""

    odoo_name = "psycopg2.OperationalError"


NAMES = {400: "BadRequest", 401: "Unauthorized", 404: "NotFound", 422: "UnprocessableEntity"}


class HttpProblem(Exception):  # noqa: N818 - not an error of the server's own
    """An HTTP status of its own, as werkzeug raises it inside Odoo (JSON-2 only)."""

    def __init__(self, status: int, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.odoo_name = f"werkzeug.exceptions.{NAMES[status]}"


def odoo_name(error: Exception) -> str:
    """Return the dotted class name that Odoo would tell for the error."""
    named: str | None = getattr(error, "odoo_name", None)
    if named is not None:
        return named
    kind = type(error)
    if isinstance(error, psycopg.Error):
        # Odoo speaks to PostgreSQL through psycopg2, which has the same class names.
        return f"{kind.__module__.replace('psycopg', 'psycopg2')}.{kind.__name__}"
    return f"{kind.__module__}.{kind.__name__}"


def describe(error: Exception) -> dict[str, Any]:
    """Return the error as JSON-RPC (`error.data`) and JSON-2 (the body) tell it."""
    # Odoo joins the arguments; the messages of psycopg2 end with a line break.
    message = "\n".join(map(str, error.args)) if error.args else str(error)
    if isinstance(error, psycopg.Error) and not message.endswith("\n"):
        message += "\n"
    arguments: list[Any] = [_plain(argument) for argument in error.args]
    if isinstance(error, HttpProblem):
        arguments = [error.description, error.status]
    elif isinstance(error, psycopg.Error):
        arguments = [message]
    return {
        "name": odoo_name(error),
        "message": message,
        "arguments": arguments,
        "context": {},
        "debug": "".join(traceback.format_exception(error)),
    }


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | bool | None) else repr(value)
