"""The application that Airflow's API server mounts at `/odoo-shadow`.

It answers GET and HEAD only, and changes nothing: runs are started by Airflow's own REST API. Every route depends on
Airflow's login, and what it shows on the right to read the mirror's DAG.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import quote

from airflow.api_fastapi.core_api.security import GetUserDep, get_user
from airflow.utils.session import create_session
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airflow_provider_odoo_shadow.page import pages
from airflow_provider_odoo_shadow.page.access import VisibleMirror, visible_mirrors
from airflow_provider_odoo_shadow.page.cards import card_of
from airflow_provider_odoo_shadow.page.links import Links
from airflow_provider_odoo_shadow.page.mirrors import find_mirrors
from airflow_provider_odoo_shadow.page.one_mirror import MOST_RUNS, mirror_page
from airflow_provider_odoo_shadow.page.one_table import RunKind, start_page, table_page
from airflow_provider_odoo_shadow.page.problems import AirflowRuns, Unreadable
from airflow_provider_odoo_shadow.page.runs import last_runs
from airflow_provider_odoo_shadow.page.shadows import ShadowReaders
from airflow_provider_odoo_shadow.page.tables import LONGEST_FILTER
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.health.overview import MirrorOverview, TableDetail, read_overview, read_table
from odoo_shadow.text.errors import ShownError, class_of
from odoo_shadow.text.log import logger

log = logger(__name__)

METHODS = ["GET", "HEAD"]
FEW_RUNS = 3
"""Of a DAG that runs one at a time: one at work, one that waits, and the last one that has ended."""
_STATIC = "/static/{name}"
_NOT_LOGGED_IN = (401, 403)

T = TypeVar("T")
router = APIRouter()


def create_app() -> FastAPI:
    """Make the application."""
    app = FastAPI(
        title="Odoo shadow",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # such redirects repeat the host that the client has sent
        dependencies=[Depends(get_user)],
        exception_handlers={StarletteHTTPException: _refuse, RequestValidationError: _not_found},
    )
    app.state.readers = ShadowReaders()
    app.include_router(router)
    return app


def with_headers(app: ASGIApp) -> ASGIApp:
    """Add the headers that every answer must have, errors included."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(pages.HEADERS)
            await send(message)

        await app(scope, receive, send_with_headers)

    return serve


@router.api_route("/", methods=METHODS)
async def show_overview(request: Request, user: GetUserDep) -> Response:
    """Show all mirrors that the user may see."""
    now, links = datetime.now(UTC), _links(request)
    mirrors = await run_in_threadpool(_mirrors_of, user)
    runs = await run_in_threadpool(_runs_of, mirrors, FEW_RUNS)
    shadows = await asyncio.gather(*(_overview(request, mirror, now) for mirror in mirrors))
    cards = [card_of(mirror, shadow, runs, links, now) for mirror, shadow in zip(mirrors, shadows, strict=True)]
    cards.sort(key=lambda card: (-card.severity, card.name))
    return await run_in_threadpool(pages.render, "overview.html", links, now, cards=cards)


@router.api_route("/mirrors/{mirror}", methods=METHODS)
async def show_mirror(request: Request, user: GetUserDep, mirror: str, q: str = "") -> Response:
    """Show one mirror."""
    now, links = datetime.now(UTC), _links(request)
    found = await _mirror(user, mirror)
    runs = await run_in_threadpool(_runs_of, [found], MOST_RUNS)
    shadow = await _overview(request, found, now)
    page = mirror_page(found, shadow, runs, q[:LONGEST_FILTER], links, now)
    return await run_in_threadpool(pages.render, "mirror.html", links, now, mirror=found.found, page=page)


@router.api_route("/mirrors/{mirror}/tables/{table}", methods=METHODS)
async def show_table(request: Request, user: GetUserDep, mirror: str, table: str) -> Response:
    """Show one table of a mirror."""
    now, links = datetime.now(UTC), _links(request)
    found = await _mirror(user, mirror)
    detail = await _table(request, found, table, now)
    if isinstance(detail, Unreadable):
        return await run_in_threadpool(_unreadable, request, found, detail.why)
    page = table_page(found, detail, links, now)
    return await run_in_threadpool(pages.render, "table.html", links, now, mirror=found.found, page=page)


@router.api_route("/mirrors/{mirror}/tables/{table}/start/{what}", methods=METHODS)
async def ask_to_start(request: Request, user: GetUserDep, mirror: str, table: str, what: RunKind) -> Response:
    """Ask whether to start a run for one table."""
    now, links = datetime.now(UTC), _links(request)
    found = await _mirror(user, mirror)
    detail = await _table(request, found, table, now)
    if isinstance(detail, Unreadable):
        return await run_in_threadpool(_unreadable, request, found, detail.why)
    page = start_page(found, detail.health, what, links)
    if page is None:
        raise HTTPException(404)
    back = links.table(found.found.name, detail.health.table)
    return await run_in_threadpool(pages.render, "start.html", links, now, mirror=found.found, page=page, back=back)


@router.api_route(_STATIC, methods=METHODS)
async def show_static(name: str) -> Response:
    """Return the style sheet or the script."""
    if name not in pages.STATIC:
        raise HTTPException(404)
    return pages.static(name)


def _links(request: Request) -> Links:
    page = str(request.scope.get("root_path", ""))
    return Links(str(request.scope.get("app_root_path", "")).rstrip("/"), page.rstrip("/"))


def _mirrors_of(user: GetUserDep, name: str | None = None) -> list[VisibleMirror]:
    """Return the mirrors that the user may see, all or those of one name.

    An auth manager may ask a server of its own about each DAG, so no connection to the metadata is held meanwhile.
    """
    with create_session(scoped=False) as session:
        found = find_mirrors(session)
    return visible_mirrors([mirror for mirror in found if name in (None, mirror.name)], user)


def _runs_of(mirrors: Sequence[VisibleMirror], most: int) -> AirflowRuns:
    dag_ids: Collection[str] = {dag_id for mirror in mirrors for dag_id in mirror.runs_of}
    with create_session(scoped=False) as session:
        return last_runs(session, dag_ids, most)


async def _mirror(user: GetUserDep, name: str) -> VisibleMirror:
    """Return a mirror. One that the user may not see does not exist for them."""
    for mirror in await run_in_threadpool(_mirrors_of, user, name):
        return mirror
    raise HTTPException(404)


async def _overview(request: Request, mirror: VisibleMirror, now: datetime) -> MirrorOverview | Unreadable:
    return await _read(request.app.state.readers.read(mirror.found, lambda tx: read_overview(tx, now)))


async def _table(request: Request, mirror: VisibleMirror, table: str, now: datetime) -> TableDetail | Unreadable:
    found = await _read(request.app.state.readers.read(mirror.found, lambda tx: read_table(tx, table, now)))
    if found is None:
        raise HTTPException(404)
    return found


async def _read(reading: Awaitable[T]) -> T | Unreadable:
    """Return what was read, or why it could not be."""
    try:
        return await reading
    except MirrorConfigurationError as error:
        return Unreadable(str(error), is_missing=True)
    except ShownError as error:
        return Unreadable(str(error))
    except Exception as error:
        log.exception("The shadow cannot be shown")  # one mirror must not take the others along
        return Unreadable(f"The shadow cannot be shown ({class_of(error)}): the API server's log says why.")


def _unreadable(request: Request, mirror: VisibleMirror, why: str) -> Response:
    links, now = _links(request), datetime.now(UTC)
    connection = links.connection(mirror.found.postgres_conn_id)
    return pages.render("unreadable.html", links, now, status=503, mirror=mirror.found, why=why, connection=connection)


async def _refuse(request: Request, error: Exception) -> Response:
    """Answer an error: lead people who are not logged in to Airflow's login, and show a page otherwise."""
    status = error.status_code if isinstance(error, StarletteHTTPException) else 500
    links, now = _links(request), datetime.now(UTC)
    if status in _NOT_LOGGED_IN:
        route = request.scope.get("route")
        if getattr(route, "path", _STATIC) == _STATIC or "authorization" in request.headers:
            return JSONResponse({"detail": "Not authenticated"}, status_code=401)
        return RedirectResponse(links.login(_asked_for(request, links)), status_code=302)
    return await run_in_threadpool(pages.render, "message.html", links, now, status=status, code=status)


async def _not_found(request: Request, _: Exception) -> Response:
    return await _refuse(request, HTTPException(404))


def _asked_for(request: Request, links: Links) -> str:
    """Return the address that was asked for, without a host: where to go after the login."""
    path = str(request.scope["path"])
    inner = path.removeprefix(links.page)
    is_plain = path.startswith(f"{links.page}/") and not {"", ".", ".."} & set(inner.strip("/").split("/"))
    if not is_plain or "\\" in path or not path.isprintable():
        return links.overview()
    query = request.url.query
    return quote(path) + (f"?{query}" if query else "")
