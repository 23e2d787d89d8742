"""`odoo-shadow embed`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Unpack

import click
from rich.table import Table

from odoo_shadow.cli.embed_vectors import embedding, make_vectors, say_load
from odoo_shadow.cli.embeddings_options import EmbeddingOptions, embeddings_options
from odoo_shadow.cli.missing import Command
from odoo_shadow.cli.options import (
    BoundedNumber,
    ShadowSettings,
    config_option,
    json_option,
    set_up_logging,
    shadow_database,
    shadow_options,
    verbose_option,
)
from odoo_shadow.cli.terminal import console, now_and_then, numbers, say, say_json, working
from odoo_shadow.knowledge.documents.refresh import Refreshed
from odoo_shadow.knowledge.documents.run import Failed, begin_pass, refresh_documents, show_documents
from odoo_shadow.mirror.config.mirrors_file import MirrorConfig
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.health.health import no_mirror
from odoo_shadow.mirror.report_tables import add_row
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state.schema import schema_version
from odoo_shadow.text.amounts import counted

SOME_FAILED = 1


class _Options(ShadowSettings, EmbeddingOptions):
    """The options of the shadow, and of what makes vectors."""


@click.command(cls=Command)
@shadow_options()
@config_option
@click.option(
    "--models", "only", metavar="A,B", help="Documents of these models only.  [default: all that have a template]"
)
@embeddings_options
@click.option(
    "--dry-run", is_flag=True, help="Change nothing: print how many documents lack a vector, and what it would take."
)
@click.option(
    "--price",
    type=BoundedNumber(min=0, max=1_000_000),
    metavar="AMOUNT",
    help="What the endpoint takes for a million tokens, for the estimate of --dry-run.",
)
@json_option
@verbose_option
@click.pass_context
def embed(
    context: click.Context,
    config: MirrorConfig | None,
    only: str | None,
    dry_run: bool,
    price: float | None,
    as_json: bool,
    verbose: bool,
    **options: Unpack[_Options],
) -> None:
    """Bring documents up to date, one of each partner, order, invoice, product, task, lead and employee; then vectors.

    Only documents are made anew that show rows which have changed since; those of records that are gone are removed.
    Without --config the templates of the last call are used. Vectors are made of documents whose text has changed;
    another model's go into another column, and searches use it when all are there.

    \b
    Exit codes: 0 all is up to date, 1 a model or the endpoint failed, 2 it could not begin, 130 stopped by Ctrl-C.
    """  # noqa: D301 - click wants a backspace, not a backslash
    set_up_logging(verbose)
    models = _listed(only)
    with shadow_database(options) as shadow, embedding(options) as embedder:
        _check_mirror(shadow)
        if dry_run:
            say_load(shadow, embedder, models, price, as_json=as_json)
            return
        work = begin_pass(shadow, config.documents if config else None, models)
        show_documents(shadow)
        tell = now_and_then(err=as_json)
        with working("Writing documents", err=as_json):
            done = list(refresh_documents(shadow, work, partial(_tell, tell)))
        show_documents(shadow)
        failed = [item for item in done if isinstance(item, Failed)]
        refreshed = [item for item in done if isinstance(item, Refreshed)]
        if not as_json:
            _print(refreshed)
        vectors = make_vectors(shadow, embedder, models, as_json=as_json)
    if as_json:
        say_json(
            {
                "schema": options["schema"],
                "documents": [asdict(item) for item in refreshed],
                "failed": [asdict(item) for item in failed],
                "embeddings": vectors.as_document(),
            }
        )
    for item in failed:
        say(f"{item.model}: {item.error}", err=True)
    if failed or vectors.has_failed:
        context.exit(SOME_FAILED)


def _listed(models: str | None) -> list[str] | None:
    return None if models is None else [name.strip() for name in models.split(",") if name.strip()]


def _tell(tell: Callable[[str], None], model: str, written: int, of: int) -> None:
    tell(f"{model}: {written:,} of {counted(of, 'changed document')} written")


def _check_mirror(shadow: ShadowDatabase) -> None:
    with shadow.transaction() as tx:
        if not schema_version(tx):
            raise MirrorConfigurationError(f"{no_mirror(tx)}: run odoo-shadow sync first.")


def _print(refreshed: Sequence[Refreshed]) -> None:
    table = Table("documents of", *numbers("added", "changed", "removed", "in all"))
    for item in refreshed:
        add_row(table, item.model, item.added, item.changed, item.removed, item.total)
    console().print(table)
    total = counted(sum(item.total for item in refreshed), "document")
    changed = sum(item.added + item.changed + item.removed for item in refreshed)
    say(f"{total} up to date, {changed or 'none'} of them changed." if refreshed else "There are no documents.")
