"""`odoo-shadow embed`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Unpack

import click

from odoo_shadow.cli.embed_vectors import embedding, say_load, why_no_vectors
from odoo_shadow.cli.embeddings_options import EmbeddingOptions, embeddings_options
from odoo_shadow.cli.knowledge import keep_knowledge
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
from odoo_shadow.cli.terminal import say_json
from odoo_shadow.knowledge.documents.run import Failed, check_templates
from odoo_shadow.mirror.config.document_template import DocumentTemplate
from odoo_shadow.mirror.config.mirrors_file import MirrorConfig
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.health.health import no_mirror
from odoo_shadow.shadow.access.reading import check_may_read
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowPermissionError
from odoo_shadow.shadow.names import internal_schema
from odoo_shadow.shadow.owners.ownership import may_use_schema
from odoo_shadow.shadow.relations import DOCUMENT_MODEL, EMBEDDING_MODEL, META, STORED_DOCUMENT
from odoo_shadow.shadow.state.schema import schema_version
from odoo_shadow.shadow.state.schema_statements import VERSION

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
    "--dry-run",
    is_flag=True,
    help="Change nothing: print mistakes in templates, how many documents lack a vector, and what it would take.",
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
    models, templates = _listed(only), config.documents if config else None
    with shadow_database(options) as shadow, embedding(options, config) as embedder:
        _check_mirror(shadow, is_to_write=not dry_run)
        if dry_run:
            wrong = _wrong_templates(shadow, templates, models)
            why = why_no_vectors(options, config)
            say_load(shadow, embedder, models, price, wrong, why_none=why, as_json=as_json)
            if wrong:
                context.exit(SOME_FAILED)
            return
        done = keep_knowledge(
            shadow, templates, embedder, models, why_no_vectors=why_no_vectors(options, config), as_json=as_json
        )
    if as_json:
        say_json({"schema": options["schema"], **done.as_document()})
    if done.problems:
        context.exit(SOME_FAILED)


def _listed(models: str | None) -> list[str] | None:
    return None if models is None else [name.strip() for name in models.split(",") if name.strip()]


def _wrong_templates(
    shadow: ShadowDatabase, templates: Mapping[str, DocumentTemplate] | None, models: Sequence[str] | None
) -> list[Failed]:
    """Return what is wrong in templates, as far as the role may know: a reader does not see what is left out."""
    with shadow.transaction() as tx:
        can_tell = schema_version(tx) >= VERSION and may_use_schema(tx, internal_schema(tx.schema))
        return check_templates(tx, templates, models) if can_tell else []


def _check_mirror(shadow: ShadowDatabase, *, is_to_write: bool) -> None:
    with shadow.transaction() as tx:
        if is_to_write and not may_use_schema(tx, internal_schema(tx.schema)):
            raise ShadowPermissionError(
                f"Only the sync's role writes documents, and '{tx.cursor.connection.info.user}' is another one, which "
                f"may not use schema '{internal_schema(tx.schema)}': put the login that runs odoo-shadow sync into "
                "SUPABASE_DB_URL."
            )
        check_may_read(tx, (META, DOCUMENT_MODEL, STORED_DOCUMENT, EMBEDDING_MODEL))
        if not schema_version(tx):
            raise MirrorConfigurationError(f"{no_mirror(tx)}: run odoo-shadow sync first.")
