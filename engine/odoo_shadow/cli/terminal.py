"""Output for people: tables and a progress display on a terminal, plain lines elsewhere.

Whatever is shown may come from Odoo or from another role's objects: it is text, never markup or an escape code.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TextIO

import click
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressDisplay
from rich.table import Column
from rich.text import Text

from odoo_shadow.mirror.sync.progress import Progress, not_more_often_than
from odoo_shadow.text.redaction import redact
from odoo_shadow.text.shown import shown

SECONDS_BETWEEN_LINES = 10.0
LONGEST_LINE = 20_000
_PLAIN_WIDTH = 160


def say(text: object, *, err: bool = False) -> None:
    """Print one line."""
    click.echo(shown(text, longest=LONGEST_LINE), err=err)


def fitting(text: str) -> str:
    """Return as much of a text as fits one line of the terminal, up to the end of a word; all of it elsewhere."""
    line = shown(text, longest=LONGEST_LINE)
    if not _stream(err=False).isatty():
        return line
    width = console().width
    if cell_len(line) <= width:
        return line
    cut = set_cell_size(line, width - 2).rstrip()
    return f"{cut.rpartition(' ')[0] or cut} …"


def say_json(document: object) -> None:
    """Print JSON for programs: texts are unchanged, except that credentials are redacted. Times are in UTC.

    JSON escapes by itself every character that a terminal would obey, except DEL.
    """
    click.echo(json.dumps(_redacted(document), indent=2, default=_as_text).replace("\x7f", "\\u007f"))


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return redact(str(value))


def _redacted(value: object) -> object:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(str(key)): _redacted(item) for key, item in value.items()}
    return [_redacted(item) for item in value] if isinstance(value, list | tuple) else value


def console(*, stderr: bool = False) -> Console:
    """Return a console as wide as the terminal, or wide enough for a log."""
    stream = _stream(stderr)
    width = None if stream.isatty() else _PLAIN_WIDTH
    return Console(file=stream, width=width, markup=False, emoji=False, highlight=False)


def _stream(err: bool) -> TextIO:
    return sys.stderr if err else sys.stdout


def numbers(*names: str) -> list[Column]:
    """Return columns for numbers, aligned to the right."""
    return [Column(name, justify="right") for name in names]


def now_and_then(*, err: bool = False) -> Callable[[str], None]:
    """Return what prints a line about long work, unless the last one was printed a moment ago."""
    last = time.monotonic()

    def tell(text: str) -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            say(text, err=err)

    return tell


@contextmanager
def working(what: str, *, err: bool = False) -> Iterator[None]:
    """Show on a terminal that work is in progress.

    :param err: on standard error: a program reads standard output.
    """
    if _stream(err).isatty():
        with console(stderr=err).status(Text(shown(what))):
            yield
    else:
        yield


@contextmanager
def progress_of(model: str, *, err: bool = False) -> Iterator[Callable[[Progress], None]]:
    """Show a model's progress: a bar on a terminal, elsewhere a line now and then, but none for the end.

    :param err: on standard error: a program reads standard output.
    """
    if not _stream(err).isatty():
        report = not_more_often_than(SECONDS_BETWEEN_LINES, lambda progress: say(progress, err=err))
        yield lambda progress: report(progress) if progress.done < 1 else None
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}% {task.fields[counts]}", markup=False),
        TimeElapsedColumn(),
    )
    with ProgressDisplay(*columns, console=console(stderr=err), transient=True) as display:
        bar = display.add_task(shown(model), total=1.0, counts="")
        yield lambda progress: display.update(bar, completed=progress.done, counts=shown(progress.counts))
