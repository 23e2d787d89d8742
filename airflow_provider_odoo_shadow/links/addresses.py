"""Addresses of pages that people open: of this provider's page in Airflow, and of lists in Odoo."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from urllib.parse import quote, urlsplit

from airflow.sdk import conf

from airflow_provider_odoo_shadow.links.route import ROUTE

_ACTIONS = "list_actions.txt"
_NEVER_IN_A_LINK = frozenset("<>|\"'`\\ ")
"""What would end or change a link in a chat."""
_LONGEST_BASE_URL = 300


def page(mirror: str, table: str | None = None, anchor: str = "") -> str:
    """Return the address of a mirror's or a table's page within Airflow's interface.

    It begins with `[api] base_url`, or if that is not set, with a slash; it is empty if that is no address for a
    browser.

    :param table: its bare name.
    """
    base = airflows_address()
    if base is None:
        return ""
    # Airflow shows `/plugin/<route><path>` as a frame with the path, which counts from the host's root.
    path = f"{urlsplit(base).path}/{ROUTE}/mirrors/{quote(mirror, safe='')}"
    if table is not None:
        path += f"/tables/{quote(table, safe='')}"
    return f"{base}/plugin/{ROUTE}{path}" + (f"#{anchor}" if anchor else "")


def airflows_address() -> str | None:
    """Return `[api] base_url`, without a slash at the end: empty if it is not set, None if no browser could open it."""
    base = str(conf.get("api", "base_url", fallback="") or "").rstrip("/")
    is_good = _is_for_browsers(base) and len(base) <= _LONGEST_BASE_URL and not _NEVER_IN_A_LINK & {*base}
    return base if is_good or not base else None


def list_in_odoo(url: str, model: str | None) -> str:
    """Return the address of a model's list in Odoo's web client; Odoo's own if there is no such list.

    In a new session, the web client of Odoo 16 to 19 opens no list of a model without a window action. It knows actions
    by their external ids, so Odoo need not be asked for one; 18 and 19 still take the form of address of 16 and 17.

    :param url: Odoo's address; empty is returned if a browser could not open it.
    """
    if not _is_for_browsers(url):
        return ""
    action = None if model is None else _list_actions().get(model)
    start = f"{url.rstrip('/')}/web"
    return start if model is None or action is None else f"{start}#action={action}&model={quote(model)}&view_type=list"


def _is_for_browsers(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


@cache
def _list_actions() -> dict[str, str]:
    lines = files(__package__).joinpath(_ACTIONS).read_text(encoding="utf-8").splitlines()
    return dict(line.split() for line in lines if line and not line.startswith("#"))
