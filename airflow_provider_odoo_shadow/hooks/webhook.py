"""The incoming webhook behind an Airflow connection."""

from __future__ import annotations

from collections.abc import Sequence

from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from airflow_provider_odoo_shadow.hooks.extras import ExtrasError, read_extras
from airflow_provider_odoo_shadow.hooks.http_address import CONN_TYPE, address_of, joined
from airflow_provider_odoo_shadow.hooks.masking import mask
from odoo_shadow.text.nearest import did_you_mean
from odoo_shadow.webhook.address import Webhook, WebhookError, secrets_of

EXTRAS = ("path", "allow_http")
_YES = (True, "true", "True", "1", 1)


def webhook_of(notify_conn_id: str) -> Webhook:
    """Return the webhook of a connection of type `http`, and let Airflow hide its secret parts.

    :raises WebhookError: there is no such connection, or its fields make no webhook.
    """
    try:
        stored = BaseHook.get_connection(notify_conn_id)
    except AirflowNotFoundException:
        raise WebhookError(
            f"There is no Airflow connection '{notify_conn_id}' to notify: add it, of type HTTP, under Admin > "
            "Connections."
        ) from None
    mask(stored.password)
    try:
        extras = read_extras(stored.extra, CONN_TYPE)
    except ExtrasError as error:
        raise WebhookError(f"Webhook connection '{notify_conn_id}': {error}.") from None
    for name in extras:
        if name not in EXTRAS:
            raise WebhookError(
                f"Webhook connection '{notify_conn_id}': there is no extra field '{name}'" + did_you_mean(name, EXTRAS)
            )
    url = _url(notify_conn_id, stored, extras.get("path"))
    mask_all(secrets_of(url))
    return Webhook.parse(
        f"connection '{notify_conn_id}'",
        url,
        allow_http=extras.get("allow_http") in _YES,
        how_to_allow="the extra allow_http to true",
    )


def mask_all(secrets: Sequence[str]) -> None:
    """Let Airflow hide several secrets."""
    for secret in secrets:
        mask(secret)


def _url(conn_id: str, stored: Connection, path: object) -> str:
    """Put the URL together: all of it in the host or the password, or a host and, elsewhere, its secret path.

    A connection that is written as a URI, as people paste a webhook's URL into `AIRFLOW_CONN_…`, has its path in the
    schema.
    """
    address, in_schema = address_of(stored)
    paths = [str(item).strip() for item in (stored.password, path, in_schema) if item]
    if stored.login or len(paths) > 1:
        raise WebhookError(
            f"Webhook connection '{conn_id}': a webhook has one secret path, in the password, and no login."
        )
    secret = paths[0] if paths else ""
    if "://" in secret:
        return secret
    return joined(address, secret)
