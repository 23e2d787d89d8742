"""Output for people: tables and a progress display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressDisplay
from rich.table import Column

from airflow_provider_odoo_shadow.job.progress import Progress, not_more_often_than

SECONDS_BETWEEN_LINES = 10.0
_PLAIN_WIDTH = 160


def console(*, stderr: bool = False) -> Console:
    """Return a console as wide as the terminal, or wide enough for a log."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else _PLAIN_WIDTH)


def numbers(*names: str) -> list[Column]:
    """Return columns for numbers: to the right."""
    return [Column(name, justify="right") for name in names]


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show on a terminal that something goes on."""
    if sys.stdout.isatty():
        with console().status(what):
            yield
    else:
        yield


@contextmanager
def progress_of(model: str) -> Iterator[Callable[[Progress], None]]:
    """Show how far a model is: a bar on a terminal, now and then a line elsewhere."""
    if not sys.stdout.isatty():
        yield not_more_often_than(SECONDS_BETWEEN_LINES, lambda progress: click.echo(str(progress)))
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}% {task.fields[counts]}"),
        TimeElapsedColumn(),
    )
    with ProgressDisplay(*columns, transient=True) as display:
        bar = display.add_task(model, total=1.0, counts="")
        yield lambda progress: display.update(bar, completed=progress.done, counts=str(progress.counts))
