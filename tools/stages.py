"""What a tool shows: one line for each stage, a spinner while it lasts, and one sentence when something is wrong."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.status import Status
from rich.text import Text

from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.source.errors import OdooError
from odoo_shadow.text.shown import shown
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
            self._status.update(Text(shown(doing)))

    def done(self, text: str) -> None:
        """Say what there is now."""
        self.text = text


class Stages:
    """A tool's output."""

    def __init__(self) -> None:
        width = None if sys.stdout.isatty() else _PLAIN_WIDTH
        self.console = Console(highlight=False, markup=False, emoji=False, width=width)

    def say(self, text: object, *, style: str = "") -> None:
        """Print one line, which may hold what Odoo or PostgreSQL says."""
        self.console.print(Text(shown(text), style), soft_wrap=True)

    @contextmanager
    def stage(self, doing: str) -> Iterator[Stage]:
        """Show what is being done; in the end one line with what there is, and how long it took."""
        started = time.monotonic()
        if self.console.is_terminal:
            with self.console.status(Text(shown(doing))) as status:
                stage = Stage(doing, status)
                yield stage
        else:
            stage = Stage(doing, None)
            yield stage
        took = (f" ({time.monotonic() - started:.1f} s)", "dim")
        self.console.print(Text.assemble(("ok", "green"), "  ", shown(stage.text), took), soft_wrap=True)

    def wrong(self, message: str, log: Path | None = None) -> None:
        """Say what is wrong, and where to read more."""
        self.console.print(Text.assemble(("wrong", "red"), "  ", shown(message)), soft_wrap=True)
        if log is not None:
            self.say(f"       The log: {log}")


def run(tool: Callable[[Stages], None]) -> int:
    """Run a tool and return its exit code: 0, 1 when something is wrong, 130 after Ctrl-C or another signal."""
    signals.end_in_order()
    # What the engine logs, such as each try of a call, would stand between the stages.
    logging.getLogger("odoo_shadow").addHandler(logging.NullHandler())
    stages = Stages()
    try:
        tool(stages)
    except KeyboardInterrupt:
        stages.say("Ended.")
        return INTERRUPTED
    except (ToolError, OdooError, ShadowError, MirrorConfigurationError) as error:
        stages.wrong(str(error), getattr(error, "log", None))
        return WRONG
    return 0
