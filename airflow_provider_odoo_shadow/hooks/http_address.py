"""The address of an Airflow connection of type `http`, in all the ways in which people write one."""

from __future__ import annotations

from airflow.sdk import Connection

from odoo_shadow.text.hosts import is_loopback

CONN_TYPE = "http"
_SCHEMES = ("http", "https")


def address_of(stored: Connection) -> tuple[str, str]:
    """Return the URL of the host, and the path that stands in the schema, as it does if the connection is a URI.

    The host may be all of the URL, or a name, beside which the port has a field of its own. Without a scheme it is
    `http` on this machine, otherwise `https`.
    """
    scheme, path = (stored.schema or "").strip(), ""
    if scheme.lower() not in ("", *_SCHEMES):
        scheme, path = str(stored.conn_type), scheme
    host = (stored.host or "").strip()
    if "://" not in host:
        bare = host.partition("/")[0]
        host = f"{scheme.lower() or ('http' if is_loopback(bare) else 'https')}://{host}"
    beginning, _, rest = host.partition("://")
    name, slash, behind = rest.partition("/")
    if stored.port and ":" not in name:
        name = f"{name}:{stored.port}"
    return f"{beginning}://{name}{slash}{behind}", path


def joined(url: str, path: str) -> str:
    """Return a URL with a path behind it."""
    return f"{url.rstrip('/')}/{path.lstrip('/')}" if path else url
