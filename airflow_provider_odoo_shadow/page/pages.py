"""Renders the page's HTML, and the headers that every answer carries.

Every value that a template writes is first made visible on one line, without credentials and cut (`shown`), and then
escaped: what Odoo calls its models and fields is text here, whatever it contains.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from airflow_provider_odoo_shadow.page import wording
from airflow_provider_odoo_shadow.page.links import Links
from odoo_shadow.text.shown import shown

LONGEST = 600
"""Characters of one value."""

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
)
"""No inline script or style runs, and only Airflow itself may show the page in a frame."""

STATIC: Mapping[str, str] = MappingProxyType(
    {
        "page.css": "text/css",
        "page.js": "text/javascript",
        "icon.svg": "image/svg+xml",
        "icon-dark.svg": "image/svg+xml",
    }
)
"""The files that are served as they are, and their types."""


def render(template: str, links: Links, now: datetime, *, status: int = 200, **values: object) -> Response:
    """Render a template."""
    html = _environment().get_template(template).render(links=links, now=now, **values)
    return HTMLResponse(html, status_code=status)


def static(name: str) -> Response:
    """Return the style sheet or the script."""
    content = files(__package__).joinpath("static", name).read_bytes()
    return Response(content, media_type=STATIC[name])


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_as_text,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(wording=wording)
    return environment


def _as_text(value: object) -> object:
    return value if isinstance(value, Markup | int | float) else shown(value, longest=LONGEST)
