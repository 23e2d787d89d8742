"""What a tool shows: one line for each stage, a spinner while it lasts, and one sentence when something is wrong."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from airflow_provider_odoo_shadow.job.errors import MirrorConfigurationError
from airflow_provider_odoo_shadow.source.errors import OdooError
from airflow_provider_odoo_shadow.target.errors import ShadowError
from tools import signals
from tools.trouble import ToolError

WRONG = 1
INTERRUPTED = 130
_PLAIN_WIDTH = 130


class Stage:
    """One stage in progress."""

    def __init__(self, doing: str, status: Status | None) -> None:
        self.text = doing
        self._status = status

    @property
    def is_watched(self) -> bool:
        """Whether somebody sees `show` at once."""
        return self._status is not None

    def show(self, doing: str) -> None:
        """Say how far it is; only a terminal shows this."""
        if self._status is not None:
            self._status.update(escape(doing))

    def done(self, text: str) -> None:
        """Say what there is now."""
        self.text = text


class Stages:
    """A tool's output."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, width=None if sys.stdout.isatty() else _PLAIN_WIDTH)

    @contextmanager
    def stage(self, doing: str) -> Iterator[Stage]:
        """Show what is being done; in the end one line with what there is, and how long it took."""
        started = time.monotonic()
        if self.console.is_terminal:
            with self.console.status(escape(doing)) as status:
                stage = Stage(doing, status)
                yield stage
        else:
            stage = Stage(doing, None)
            yield stage
        self.console.print(
            f"[green]ok[/]  {escape(stage.text)} [dim]({time.monotonic() - started:.1f} s)[/]", soft_wrap=True
        )

    def wrong(self, message: str, log: Path | None = None) -> None:
        """Say what is wrong, and where to read more."""
        self.console.print(f"[red]wrong[/]  {escape(message)}", soft_wrap=True)
        if log is not None:
            self.console.print(f"       The log: {log}", soft_wrap=True)


def run(tool: Callable[[Stages], None]) -> int:
    """Run a tool and return its exit code: 0, 1 when something is wrong, 130 after Ctrl-C or another signal."""
    signals.end_in_order()
    # What the engine logs, such as each try of a call, would stand between the stages.
    logging.getLogger("airflow_provider_odoo_shadow").addHandler(logging.NullHandler())
    stages = Stages()
    try:
        tool(stages)
    except KeyboardInterrupt:
        stages.console.print("Ended.")
        return INTERRUPTED
    except (ToolError, OdooError, ShadowError, MirrorConfigurationError) as error:
        stages.wrong(str(error), getattr(error, "log", None))
        return WRONG
    return 0
