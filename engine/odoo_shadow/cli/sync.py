"""`odoo-shadow sync`."""

from __future__ import annotations

from datetime import timedelta
from typing import Unpack

import click
from click.core import ParameterSource

from odoo_shadow.cli.embeddings_options import EmbeddingOptions, embeddings_options
from odoo_shadow.cli.knowledge import Knowledge, embedder_of_run, follow_run, knowledge_entry
from odoo_shadow.cli.missing import Command
from odoo_shadow.cli.notify import NotifySettings, about_sync, notify_options, notifying
from odoo_shadow.cli.odoo_options import odoo_options, odoo_source
from odoo_shadow.cli.options import (
    BoundedNumber,
    Connections,
    config_option,
    for_readers,
    json_option,
    look_back_option,
    model_choice,
    models_option,
    readers_options,
    set_up_logging,
    shadow_database,
    shadow_options,
    verbose_option,
    warn_only_elsewhere,
    warn_unused_settings,
)
from odoo_shadow.cli.sync_refusals import known_option, refuse_combinations
from odoo_shadow.cli.sync_run import mirror_all
from odoo_shadow.cli.terminal import say, say_json
from odoo_shadow.mirror.config.mirrors_file import MirrorConfig
from odoo_shadow.mirror.errors import MassDeletionError, MirrorConfigurationError
from odoo_shadow.mirror.identity import check_all
from odoo_shadow.mirror.options import (
    LARGEST_PAGE,
    LONGEST_WAIT_FOR_TABLE,
    WAIT_FOR_TABLE,
    MirrorOptions,
)
from odoo_shadow.mirror.origin import accept_database as accept
from odoo_shadow.mirror.origin import check_binding
from odoo_shadow.mirror.run.choose import NO_MATCH, Chosen, choose_models
from odoo_shadow.mirror.run.dry_run import dry_run_model
from odoo_shadow.mirror.run.housekeeping import remove_old_entries
from odoo_shadow.mirror.run.outcome import (
    Foreseen,
    ModelForecast,
    RunForecast,
    RunOutcome,
)
from odoo_shadow.mirror.run.plan import SettingsOf, as_in_last_run, warn_unmatched_patterns_of
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowConflictError
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.source.errors import OdooError, OdooUnknownModelError
from odoo_shadow.source.kind import SourceKind
from odoo_shadow.source.pages import DEFAULT_PAGE_SIZE
from odoo_shadow.source.port import Source
from odoo_shadow.text.amounts import counted

SOME_FAILED = 1
STOPPED = 130


class _Settings(Connections, NotifySettings, EmbeddingOptions):
    """The options of both sides, of the webhook, and of what makes vectors of documents."""


@click.command(cls=Command)
@odoo_options
@shadow_options()
@config_option
@models_option("the 13 priority models")
@click.option("--full", is_flag=True, help="Read everything again, not only what changed.")
@click.option(
    "--batch-size",
    type=click.IntRange(1, LARGEST_PAGE),
    default=DEFAULT_PAGE_SIZE,
    show_default=True,
    help="Records per page.",
)
@look_back_option
@click.option(
    "--on-delete",
    type=click.Choice([str(choice) for choice in OnDelete]),
    help="What to do with rows that are gone from Odoo: delete them, mark them in _deleted_at, or ignore them."
    "  [default: as in the last run; delete in the first run]",
)
@readers_options
@click.option(
    "--allow-mass-delete", is_flag=True, help="Allow a suspicious share of a table's rows to be removed at once."
)
@click.option(
    "--wait",
    type=BoundedNumber(min=0, max=LONGEST_WAIT_FOR_TABLE.total_seconds()),
    default=WAIT_FOR_TABLE.total_seconds(),
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a table that another run writes. A run that was killed keeps its table for 90 seconds.",
)
@click.option(
    "--accept-database",
    is_flag=True,
    help="Go on with another database at the same address, such as a restored backup: every table is read again.",
)
@known_option
@click.option("--dry-run", is_flag=True, help="Only show what would be read, written and created.")
@embeddings_options
@notify_options
@json_option
@verbose_option
@click.pass_context
def sync(
    context: click.Context,
    config: MirrorConfig | None,
    models: str | None,
    full: bool,
    batch_size: int,
    look_back: float,
    on_delete: str | None,
    row_level_security: str | None,
    realtime_broadcast: bool | None,
    allow_mass_delete: bool,
    wait: float,
    accept_database: bool,
    i_know_that_record_rules_do_not_apply: bool,
    dry_run: bool,
    as_json: bool,
    verbose: bool,
    **connections: Unpack[_Settings],
) -> None:
    """Mirror Odoo: the whole model at first, then only what changed.

    If it is stopped, the next call goes on from the last committed page. Without --config each model is mirrored with
    the settings of its last run. If the mirrors file says knowledge: true, documents follow, as odoo-shadow embed
    makes them.

    \b
    Exit codes: 0 all is well, 1 a model failed, 2 the run could not begin, 130 stopped by Ctrl-C.

    \b
    Example:
        export ODOO_URL=https://erp.example.com ODOO_DB=prod
        export ODOO_USER=integration@example.com ODOO_PASSWORD=...
        export SUPABASE_DB_URL=postgresql://postgres@db.example.com:5432/postgres
        odoo-shadow sync --models res.partner,sale.order --dry-run
    """  # noqa: D301 - click wants a backspace, not a backslash
    set_up_logging(verbose)
    choice = model_choice(models)
    refuse_combinations(
        choice,
        SourceKind(connections["source"]),
        is_known=i_know_that_record_rules_do_not_apply,
        accepts=accept_database,
        is_dry=dry_run,
    )
    settings = config.settings_of if config else as_in_last_run
    options = MirrorOptions(
        full=full,
        batch_size=batch_size,
        look_back=timedelta(minutes=look_back),
        on_delete=OnDelete(on_delete) if on_delete else None,
        allow_mass_delete=allow_mass_delete,
        wait=timedelta(seconds=wait),
    )
    with (
        notifying(connections, "sync", connections["schema"], is_silent=dry_run) as notice,
        shadow_database(connections) as shadow,
        odoo_source(connections, shadow) as odoo,
        embedder_of_run(connections, config, is_dry=dry_run) as embedder,
    ):
        odoo.user_id()
        if accept_database:
            accept(odoo, shadow)
        try:
            chosen = choose_models(odoo, choice, shadow)
            if chosen.left_out:
                left_out = counted(len(chosen.left_out), "model is left out", "models are left out")
                say(f"{left_out}; odoo-shadow models --why shows why.", err=True)
            for item in chosen.left_out:
                if item.reason == NO_MATCH:
                    say(f"{item.model} {item.reason}.", err=True)
            warn_unused_settings(config, odoo, chosen)
            outcome: RunForecast | RunOutcome
            knowledge: Knowledge | None = None
            if dry_run:
                outcome = _dry_run_all(odoo, shadow, chosen, options, settings, as_json=as_json)
            else:
                is_whole = context.get_parameter_source("models") is not ParameterSource.COMMANDLINE
                outcome = mirror_all(
                    odoo,
                    shadow,
                    chosen,
                    options,
                    settings,
                    is_whole_mirror=is_whole,
                    readers=for_readers(row_level_security, realtime_broadcast),
                    as_json=as_json,
                )
                remove_old_entries(shadow, config.keep_log_days if config else None)
                outcome, knowledge = follow_run(shadow, config, embedder, outcome, connections, as_json=as_json)
        except KeyboardInterrupt:
            say("Stopped; the next call goes on from the last committed page.", err=True)
            context.exit(STOPPED)
    if as_json:
        say_json({**outcome.as_document(), **knowledge_entry(knowledge, is_dry=dry_run)})
    say(outcome.summary, err=as_json)
    notice.send(about_sync(outcome))
    if not outcome.is_good:
        context.exit(SOME_FAILED)


def _dry_run_all(
    odoo: Source,
    shadow: ShadowDatabase,
    chosen: Chosen,
    options: MirrorOptions,
    settings: SettingsOf,
    *,
    as_json: bool,
) -> RunForecast:
    check_binding(odoo, shadow)
    warn_only_elsewhere(shadow)
    if not options.full:
        check_all(odoo, shadow)
    warn_unmatched_patterns_of(odoo, chosen.models, settings)
    found = []
    for model in chosen.models:
        try:
            dry_run = dry_run_model(odoo, shadow, model, options=options, settings=settings(model))
            item = ModelForecast(model, Foreseen.MIRRORED, dry_run)
        except OdooUnknownModelError as error:
            item = ModelForecast(model, Foreseen.SKIPPED, error=str(error))
        except (OdooError, ShadowConflictError, MassDeletionError, MirrorConfigurationError) as error:
            item = ModelForecast(model, Foreseen.FAILED, error=str(error))
        if not as_json or item.ending is Foreseen.FAILED:
            say(item, err=item.ending is Foreseen.FAILED)
        found.append(item)
    return RunForecast(shadow.schema, tuple(found), chosen.left_out)
