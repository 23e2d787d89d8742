"""`odoo-shadow init`: files for Supabase and for the schedulers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from odoo_shadow.cli.options import config_option
from odoo_shadow.cli.terminal import say
from odoo_shadow.mirror.config.mirrors_file import DEFAULT_NAME, DEFAULT_SCHEDULE, MirrorConfig
from odoo_shadow.shadow.access.mode import RowLevelSecurity
from odoo_shadow.shadow.connection.database import DEFAULT_SCHEMA, check_schema
from odoo_shadow.starter.files import (
    Ending,
    StarterFile,
    recall_options,
    remember_options,
    write_files,
    write_new,
)
from odoo_shadow.starter.migrations import new_migrations
from odoo_shadow.starter.schedule import check_schedule
from odoo_shadow.starter.schedulers import dag_files, github_files, n8n_files
from odoo_shadow.starter.supabase_project import README, supabase_files, supabase_pieces

Function = TypeVar("Function", bound=Callable[..., Any])

NO_SCHEDULE = "none"

_schema_option = click.option(
    "--schema", default=DEFAULT_SCHEMA, show_default=True, help="The schema that holds the shadow."
)
_schedule_option = click.option(
    "--schedule",
    metavar="CRON",
    help="When the sync starts, in UTC: minute, hour, day, month, day of the week."
    f"  [default: as the last time; {DEFAULT_SCHEDULE} the first time]",
)


def _output_options(command: Function) -> Function:
    """Add the options of every kind of files."""
    output = click.option(
        "--output",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path(),
        metavar="DIR",
        help="The project that the files are written into.  [default: the current folder]",
    )
    force = click.option("--force", is_flag=True, help="Also replace files that somebody has changed.")
    return output(force(command))


@click.group()
def init() -> None:
    """Write complete files for Supabase, GitHub Actions, n8n or Airflow, which start the sync.

    Nothing is connected to. Running a command again writes what is new, and leaves alone what somebody has changed.
    """


@init.command()
@_output_options
@config_option
@_schema_option
@_schedule_option
@click.option(
    "--row-level-security",
    type=click.Choice([str(mode) for mode in RowLevelSecurity]),
    help="Which rows readers see: those of their companies, or all.  [default: as the last time; else as it is]",
)
def supabase(
    output: Path,
    force: bool,
    config: MirrorConfig | None,
    schema: str,
    schedule: str | None,
    row_level_security: str | None,
) -> None:
    """Write migrations for supabase db push, Edge Functions, and the five steps to a running mirror.

    A migration is written only if it makes something else than the newest one of its kind: it then gets a later time,
    and those before it stay. Each may be applied twice. --schedule none writes no cron job.
    """
    check_schema(schema)
    what, given = f"supabase, schema {schema}", {"schedule": schedule, "row_level_security": row_level_security}
    options = recall_options(output, what, given)
    when, mirror = _schedule_of(options["schedule"]), _mirror_of(config)
    chosen = options["row_level_security"]
    pieces = supabase_pieces(schema, when, None if chosen is None else RowLevelSecurity(chosen))
    _report(output, write_files(output, supabase_files(schema, mirror, when), force=force))
    _report(output, write_new(output, new_migrations(output, pieces, datetime.now(UTC))))
    remember_options(output, what, options)
    say(f"Next: the five steps in {output / README}.")


@init.command("github-actions")
@_output_options
@config_option
@_schema_option
@_schedule_option
def github_actions(output: Path, force: bool, config: MirrorConfig | None, schema: str, schedule: str | None) -> None:
    """Write a workflow that installs odoo-shadow alone and runs the sync.

    It runs by its schedule, by hand, and when the Edge Function ops-job-worker asks for it.
    """
    check_schema(schema)
    with _remembered(output, "github-actions", schedule) as when:
        files = github_files(schema, _mirror_of(config), check_schedule(when))
        _report(output, write_files(output, files, force=force))
    say(
        "Next: add the secrets ODOO_URL, ODOO_DB, ODOO_USER, ODOO_PASSWORD and SUPABASE_DB_URL to the repository "
        "(Settings > Secrets and variables > Actions), commit the workflow to its default branch, and run it by hand."
    )


@init.command()
@_output_options
@config_option
@_schedule_option
def n8n(output: Path, force: bool, config: MirrorConfig | None, schedule: str | None) -> None:
    """Write an n8n workflow that starts the sync, waits for its end, and tells Mattermost.

    It posts to the Edge Function ops-job-worker.
    """
    with _remembered(output, "n8n", schedule) as when:
        _report(output, write_files(output, n8n_files(_mirror_of(config), check_schedule(when)), force=force))
    say("Next: import the file into n8n (Workflows > Import from file), and follow the note in it.")


@init.command()
@_output_options
@_schedule_option
def dags(output: Path, force: bool, schedule: str | None) -> None:
    """Write the DAG files of Airflow, and the mirrors file that they read.

    --schedule none is for mirrors that something else starts, such as Supabase cron.
    """
    with _remembered(output, "dags", schedule) as when:
        _report(output, write_files(output, dag_files(_schedule_of(when)), force=force))
    say(
        "Next: install airflow-provider-odoo-shadow, and add the connections odoo_default (type Odoo) and "
        "odoo_shadow_db (type Postgres)."
    )


@contextmanager
def _remembered(output: Path, what: str, schedule: str | None) -> Iterator[str]:
    """Yield the schedule that is given, or that was given last; remember it once the files are written."""
    options = recall_options(output, what, {"schedule": schedule})
    yield options["schedule"] or DEFAULT_SCHEDULE
    remember_options(output, what, options)


def _schedule_of(text: str | None) -> str | None:
    text = text or DEFAULT_SCHEDULE
    return None if text.strip() == NO_SCHEDULE else check_schedule(text)


def _mirror_of(config: MirrorConfig | None) -> str:
    return config.name if config else DEFAULT_NAME


def _report(output: Path, endings: Iterable[tuple[StarterFile, Ending]]) -> None:
    for file, ending in endings:
        path = output / file.path
        match ending:
            case Ending.WRITTEN:
                say(f"Wrote {path}")
            case Ending.RENEWED:
                say(f"Renewed {path}")
            case Ending.UNCHANGED:
                say(f"Unchanged: {path}")
            case Ending.KEPT:
                say(f"Kept {path}: somebody has changed it. --force replaces it.", err=True)
