"""The page in Airflow's navigation, and the application behind it.

Every process of Airflow imports the plugins, and only the API server serves the page. So this module imports
nothing heavy, and the application is imported when it is first asked for.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from airflow_provider_odoo_shadow.links.route import ROUTE

_Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_Serve: TypeAlias = Callable[[MutableMapping[str, Any], _Receive, _Send], Awaitable[None]]

NAME = "Odoo shadow"


class LazyPage:
    """An ASGI application that imports the real one when it is first called."""

    def __init__(self) -> None:
        self._serve: _Serve | None = None
        self._lock = threading.Lock()

    async def __call__(self, scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> None:
        """Serve a request."""
        serve = self._serve
        if serve is None:
            serve = await asyncio.to_thread(self._load)  # meanwhile, the API server serves others
        await serve(scope, receive, send)

    def _load(self) -> _Serve:
        """Make the real application, once, however many ask for it first."""
        with self._lock:
            if self._serve is None:
                from airflow_provider_odoo_shadow.page.app import create_app, with_headers

                self._serve = with_headers(create_app())
            return self._serve


FASTAPI_APP = {"app": LazyPage(), "url_prefix": f"/{ROUTE}", "name": NAME}

EXTERNAL_VIEW = {
    "name": NAME,
    "href": f"{ROUTE}/",  # relative to Airflow's own address, which may have a path
    "destination": "nav",
    "url_route": ROUTE,
    "nav_top_level": True,
    "icon": f"{ROUTE}/static/icon.svg",
    "icon_dark_mode": f"{ROUTE}/static/icon-dark.svg",
}
