"""An Odoo's address as a person types it, and whether a password may travel there."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import urlsplit

from odoo_shadow.source.errors import OdooConfigurationError
from odoo_shadow.text.hosts import is_loopback

ODOO_PLAIN_HTTP_PORT = 8069

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST_NAME = re.compile(r"[\w.-]+")
_WEB_CLIENT = re.compile(r"/+(?:web(?=/*$|/login/*$)|(?:jsonrpc|xmlrpc|json/[12])(?=/|$))")
"""Where Odoo's own paths begin. `/odoo`, the web client's from 18 on, may also be where a proxy keeps Odoo."""

_NEVER_IN_A_URL = re.compile(r"[\x00-\x20\x7f-\xa0\u2000-\u200f\u2028-\u202f\u2060-\u206f\ufeff\\]")
"""Blanks, line ends, control and bidi characters, which urlsplit removes silently, and the backslash."""


def read_address(name: str, text: str, port: int | None, *, allow_http: bool, called: Callable[[str], str]) -> str:
    """Return a URL without a slash at the end; a host without a scheme gets `http` on loopback, otherwise `https`.

    Odoo's own paths are cut off, such as `/web#action=…`, which people copy from a browser.

    :param name: how messages call the connection.
    :param port: from a field of its own; a port in the text takes precedence.
    :param called: returns the name of a setting as its user knows it.
    :raises OdooConfigurationError: it is not a URL, or it would send the password unencrypted.
    """
    stripped = text.strip()
    try:
        parts = urlsplit(stripped if "://" in stripped else f"//{stripped}")
        own_port, hostname = parts.port or port, parts.hostname or ""
    except ValueError:
        raise _no_url(name, called("host")) from None
    path = parts.path
    web = _WEB_CLIENT.search(path)
    if web is not None:  # as a browser shows it, with whatever it adds
        path, parts = path[: web.start()], parts._replace(query="", fragment="")
    near = is_loopback(hostname)
    unclear = not parts.scheme and not near and own_port == ODOO_PLAIN_HTTP_PORT
    scheme = parts.scheme or ("http" if near or unclear else "https")
    is_odd = parts.query or parts.fragment or _NEVER_IN_A_URL.search(stripped) or _is_odd_place(parts.netloc, hostname)
    if scheme not in _DEFAULT_PORTS or not _is_host(hostname) or is_odd:
        raise _no_url(name, called("host"))
    # One spelling for one server: a shadow recognises its Odoo by the URL.
    shown_host = f"[{hostname}]" if ":" in hostname else hostname
    shown_port = "" if own_port in (None, _DEFAULT_PORTS[scheme]) else f":{own_port}"
    url = f"{scheme}://{shown_host}{shown_port}{path.rstrip('/')}"
    if scheme == "http" and not (near or allow_http):
        raise _in_the_clear(name, url, called("allow_http"), unclear=unclear)
    return url


def _is_odd_place(netloc: str, hostname: str) -> bool:
    """Say whether it contains a login, brackets around a name, or a colon without a port."""
    return "@" in netloc or netloc.endswith(":") or ("[" in netloc) != (":" in hostname)


def _is_host(hostname: str) -> bool:
    if ":" not in hostname:
        return bool(_HOST_NAME.fullmatch(hostname))
    try:
        return IPv6Address(hostname).scope_id is None
    except AddressValueError:
        return False


def _no_url(name: str, what: str) -> OdooConfigurationError:
    # The text itself is not repeated: people paste credentials into URLs.
    return OdooConfigurationError(
        f"Odoo connection '{name}': {what} is not a URL such as https://erp.example.com "
        "(http or https, no login, no query); of an address copied from a browser, use only the part up to the host "
        "name."
    )


def _in_the_clear(name: str, url: str, how_to_allow: str, *, unclear: bool) -> OdooConfigurationError:
    meant = f"port {ODOO_PLAIN_HTTP_PORT} without a scheme means {url}, which" if unclear else url
    return OdooConfigurationError(
        f"Odoo connection '{name}': {meant} would send the password unencrypted over the network: write https://…, "
        f"or, if that network is trusted, set {how_to_allow} to true."
    )
