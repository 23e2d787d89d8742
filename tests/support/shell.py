"""The program `odoo-shadow`, run as a person runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from odoo_stand_in import StandIn
from tests.support.forked import run_forked

PROGRAM = Path(sys.executable).parent / "odoo-shadow"
PG_PASSWORD = "pg-hunter2"


@dataclass(frozen=True)
class Outcome:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def last_error(self) -> str:
        """The last line on standard error."""
        lines = self.err.strip().splitlines()
        return lines[-1] if lines else ""


@dataclass(frozen=True)
class Shell:
    """An environment with the variables that the program reads."""

    env: dict[str, str]
    secrets: tuple[str, ...] = field(default=(PG_PASSWORD,))

    def run(self, *arguments: str, **changed: str | None) -> Outcome:
        """Run the program to its end, with some variables changed, or left out (None)."""
        return Outcome(*run_forked(arguments, self.changed_env(**changed), timeout=60))

    def start(self, *arguments: str, **changed: str | None) -> subprocess.Popen[str]:
        """Start the installed program and leave it running."""
        return self._started(arguments, self.changed_env(**changed), subprocess.DEVNULL)

    def start_to_talk_with(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the installed program and leave it running, with a pipe to its standard input."""
        return self._started(arguments, self.env, subprocess.PIPE)

    def _started(self, arguments: tuple[str, ...], env: dict[str, str], stdin: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [PROGRAM, *arguments],
            env=env,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_listen_to_ctrl_c,
        )

    def changed_env(self, **changed: str | None) -> dict[str, str]:
        merged = {**self.env, **changed}
        return {name: value for name, value in merged.items() if value is not None}


def _listen_to_ctrl_c() -> None:
    # Whoever was started in the background, these tests for one, hands on that SIGINT is ignored.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def shell_for(odoo: StandIn, database: str) -> Shell:
    """Return a shell whose variables point at a stand-in and a database."""
    secret = odoo.api_key if odoo.flavour == "19" else odoo.password
    with_password = urlsplit(database)._replace(netloc=f"postgres:{PG_PASSWORD}@").geturl()
    env = {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "ODOO_URL": odoo.url,
        "ODOO_DB": odoo.database,
        "ODOO_USER": odoo.login,
        "ODOO_PASSWORD": secret,
        "SUPABASE_DB_URL": with_password,
        **inherited(),
    }
    # The password "admin" is the login as well, and so no secret that one could look for.
    return Shell(env, (PG_PASSWORD, odoo.api_key, odoo.limited_api_key, odoo.expired_api_key))


def inherited() -> dict[str, str]:
    """Return what a started program needs of this one's environment to import the same code."""
    return {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}


def done_to(outcome: Outcome, model: str) -> str:
    """Return what the table says of a model."""
    rows = [[cell.strip() for cell in line.split("│")] for line in outcome.out.splitlines() if line.startswith("│")]
    (what,) = [row[2] for row in rows if row[1] == model]
    return what
