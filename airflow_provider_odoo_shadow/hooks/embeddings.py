"""What makes embeddings: the local model, nothing, or the endpoint behind an Airflow connection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from airflow_provider_odoo_shadow.hooks.extras import ExtrasError, read_extras
from airflow_provider_odoo_shadow.hooks.http_address import CONN_TYPE, address_of, joined
from airflow_provider_odoo_shadow.hooks.masking import mask
from odoo_shadow.knowledge.embedding.choice import EmbeddingSettings, make_embedder
from odoo_shadow.knowledge.embedding.errors import (
    EmbeddingConfigurationError,
    EmbeddingError,
    EmbeddingRetriableError,
)
from odoo_shadow.knowledge.embedding.port import Embedder
from odoo_shadow.text.nearest import did_you_mean

EXTRAS = ("model", "dimensions", "timeout", "allow_http")
_YES = (True, "true", "True", "1", 1)
_IN_CONNECTION = {
    "EMBEDDINGS_API_KEY": "the password",
    "EMBEDDINGS_MODEL": "the extra model",
    "EMBEDDINGS_DIMENSIONS": "the extra dimensions",
    "EMBEDDINGS_ALLOW_HTTP=true": "the extra allow_http=true",
    "EMBEDDINGS": "the host",
}
"""What the engine's messages call the settings, and where they are in a connection; longer names first."""


@contextmanager
def embedder_of(embeddings: str | None, embeddings_conn_id: str | None) -> Iterator[Embedder | None]:
    """Yield what makes a mirror's embeddings, None for none, and close it afterwards.

    :param embeddings: `local`, `none`, or None for the local model where it is installed.
    :param embeddings_conn_id: a connection of type `http`, of an endpoint that speaks OpenAI's protocol.
    :raises EmbeddingConfigurationError: there is no such connection, a field of it is wrong, or the local model is
        wanted and not installed. What the endpoint's errors advise is said of the connection, too.
    """
    embedder = None
    try:
        embedder = make_embedder(
            EmbeddingSettings(embeddings) if embeddings_conn_id is None else _settings(embeddings_conn_id)
        )
        yield embedder
    except (EmbeddingConfigurationError, EmbeddingError) as error:
        if embeddings_conn_id is None:
            raise
        raise _about_connection(error, embeddings_conn_id) from None
    finally:
        if embedder is not None:
            embedder.close()


def _settings(conn_id: str) -> EmbeddingSettings:
    try:
        stored = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise EmbeddingConfigurationError(
            f"There is no Airflow connection '{conn_id}' for embeddings: add it, of type HTTP, under Admin > "
            "Connections."
        ) from None
    mask(stored.password)
    try:
        extras = read_extras(stored.extra, CONN_TYPE)
    except ExtrasError as error:
        raise _wrong(conn_id, f"{error}.") from None
    for name in extras:
        if name not in EXTRAS:
            raise _wrong(conn_id, f"there is no extra field '{name}'" + did_you_mean(name, EXTRAS))
    if stored.login:
        raise _wrong(conn_id, "an endpoint has a key, in the password, and no login.")
    model = extras.get("model")
    return EmbeddingSettings(
        joined(*address_of(stored)),
        model=None if model is None else str(model),
        key=stored.password,
        dimensions=_dimensions(conn_id, extras),
        timeout=_timeout(conn_id, extras),
        allow_http=extras.get("allow_http") in _YES,
    )


def _dimensions(conn_id: str, extras: Mapping[str, object]) -> int | None:
    given = extras.get("dimensions")
    if given in (None, ""):
        return None
    if isinstance(given, bool) or not str(given).strip().isdecimal():
        raise _wrong(conn_id, "its extra dimensions must be a whole number, such as 512.")
    return int(str(given))


def _timeout(conn_id: str, extras: Mapping[str, object]) -> float:
    given = extras.get("timeout", EmbeddingSettings.timeout)
    try:
        seconds = float(str(given))
    except ValueError:
        seconds = 0.0
    if isinstance(given, bool) or not 0 < seconds <= 3_600:
        raise _wrong(conn_id, "its extra timeout must be a number of seconds, such as 60.")
    return seconds


def _wrong(conn_id: str, what: str) -> EmbeddingConfigurationError:
    return EmbeddingConfigurationError(f"Airflow connection '{conn_id}' for embeddings: {what}")


def _about_connection(
    error: EmbeddingConfigurationError | EmbeddingError, conn_id: str
) -> EmbeddingConfigurationError | EmbeddingError:
    """Return an error that names the fields of the connection, where the engine names its own settings."""
    text = str(error)
    for name, place in _IN_CONNECTION.items():
        text = text.replace(name, f"{place} of Airflow connection '{conn_id}'")
    text = text[:1].upper() + text[1:]
    if isinstance(error, EmbeddingRetriableError):
        return EmbeddingRetriableError(text, retry_after=error.retry_after)
    return type(error)(text)
