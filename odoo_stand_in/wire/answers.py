"""What goes back over HTTP, before there is a web framework in sight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NOT_FOUND = (
    b"<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
    b"<p>The requested URL was not found on the server. If you entered the URL manually please check your"
    b" spelling and try again.</p>\n"
)
NO_DATABASE = (
    b"<!DOCTYPE html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
    b"<p>No database is selected and the requested URL was not found in the server-wide controllers.</p>\n"
    b"<p>Please verify the hostname, <a href=/web/login>login</a> and try again.</p>\n\n"
    b"<!-- Alternatively, use the X-Odoo-Database header. -->\n"
)


@dataclass(frozen=True)
class Answer:
    """Status, body, content type, headers."""

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


def not_found() -> Answer:
    """Return the page that werkzeug shows for an unknown address."""
    return Answer(404, NOT_FOUND, "text/html; charset=utf-8")


def no_database() -> Answer:
    """Return the page that Odoo shows when it cannot tell which database is meant."""
    return Answer(404, NO_DATABASE, "text/html; charset=utf-8")
