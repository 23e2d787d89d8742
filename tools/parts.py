"""What the demo and the web interface stand on: an Odoo and a PostgreSQL, invented and embedded or one's own."""

from __future__ import annotations

import argparse
import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.connection import OdooConnection
from odoo_stand_in import Flavour, StandIn
from tools import processes, signals
from tools.airflow_home import to_stand_in
from tools.stages import Stages
from tools.trouble import ToolError

FLAVOURS = ("17", "19")
_REQUIRED = ("ODOO_URL", "ODOO_DB", "ODOO_USER", "ODOO_PASSWORD")
_PROGRAM = Path(sys.executable).with_name("odoo-shadow")
_OPTIONAL = ("protocol", "verify", "timeout", "lang", "company_ids", "allow_http")


@dataclass(frozen=True)
class Parts:
    """The parts, up and checked.

    :param folder: for temporary files; gone with the parts.
    :param stand_in: the invented Odoo; None with one's own, which is only read.
    :param own_shadow: whether the shadow database is one's own, and so outlives the parts.
    """

    folder: Path
    odoo: OdooConnection
    stand_in: StandIn | None
    shadow_url: str
    own_shadow: bool

    def odoo_shadow(self, *arguments: str) -> None:
        """Run a command of the program on them. Raises `ToolError`."""
        odoo = self.odoo
        env = {
            **os.environ,
            "ODOO_URL": odoo.url,
            "ODOO_DB": odoo.database,
            "ODOO_USER": odoo.login,
            "ODOO_PASSWORD": odoo.password,
            "SUPABASE_DB_URL": self.shadow_url,
        }
        log = self.folder / "odoo-shadow.log"
        if processes.run([str(_PROGRAM), *arguments], env, log):
            raise ToolError(f"odoo-shadow {arguments[0]} has failed.", log=log)


def odoo_of(environment: Mapping[str, str]) -> OdooConnection | None:
    """Read `ODOO_URL` and its companions; None when there are none.

    :raises ToolError: some are there and some are missing.
    :raises OdooConfigurationError: one of them makes no sense.
    """
    missing = [name for name in _REQUIRED if not environment.get(name)]
    if missing == list(_REQUIRED):
        return None
    if missing:
        given = [name for name in _REQUIRED if name not in missing]
        raise ToolError(f"{' and '.join(given)} must come with {' and '.join(missing)}: set all four, or none.")
    return OdooConnection.parse(
        "ODOO_URL",
        host=environment["ODOO_URL"],
        database=environment["ODOO_DB"],
        login=environment["ODOO_USER"],
        password=environment["ODOO_PASSWORD"],
        extras={name: environment.get(f"ODOO_{name.upper()}") for name in _OPTIONAL},
    )


def add_flavour(parser: argparse.ArgumentParser) -> None:
    """Add the option that chooses the stand-in."""
    parser.add_argument(
        "--flavour",
        choices=FLAVOURS,
        default=os.environ.get("ODOO_STAND_IN") or FLAVOURS[-1],
        help="which Odoo the stand-in stands for (default: ODOO_STAND_IN, else 19)",
    )


@contextmanager
def running_parts(stages: Stages, flavour: str) -> Iterator[Parts]:
    """Start what is needed, check that it answers, and take all of it away in the end.

    :param flavour: of the stand-in: `17` or `19`.
    :raises ToolError: a part does not start.
    :raises OdooError, ShadowError: one's own Odoo or PostgreSQL does not answer.
    """
    if flavour not in FLAVOURS:
        raise ToolError(f"There is a stand-in for Odoo {' and '.join(FLAVOURS)}, not for {flavour!r}.")
    own_odoo, own_shadow = odoo_of(os.environ), os.environ.get("SUPABASE_DB_URL")
    with ExitStack() as stack:
        folder = stack.enter_context(temporary_folder())
        server = stack.enter_context(_postgres(stages)) if own_odoo is None or not own_shadow else ""
        stand_in, odoo = None, own_odoo
        if odoo is None:
            stand_in = stack.enter_context(_stand_in(stages, server, flavour))
            odoo = to_stand_in(stand_in)
        shadow_url = own_shadow or _new_database(server)
        parts = Parts(folder, odoo, stand_in, shadow_url, own_shadow=bool(own_shadow))
        _check(stages, parts)
        stack.callback(signals.ignore)
        yield parts


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder that takes all temporary files of this process and its children, and goes with the block."""
    folder = Path(tempfile.mkdtemp(prefix="odoo-shadow-"))
    before = tempfile.tempdir
    try:
        if os.geteuid() == 0:
            folder.chmod(0o711)  # PostgreSQL then runs as another user, who must get through, but need not look round
        tempfile.tempdir = str(folder)
        os.environ["TMPDIR"] = str(folder)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)  # it makes its lock once more when Python ends
        yield folder
    except ToolError as error:
        if error.log is not None:
            error.log = _moved_out(error.log, before)
        raise
    finally:
        tempfile.tempdir = before
        shutil.rmtree(folder, ignore_errors=True)


def _moved_out(log: Path, folder: str | None) -> Path:
    handle, kept = tempfile.mkstemp(prefix="odoo-shadow-", suffix=".log", dir=folder)
    os.close(handle)
    return Path(shutil.copyfile(log, kept))


@contextmanager
def _postgres(stages: Stages) -> Iterator[str]:
    # Only now: with its import, the embedded PostgreSQL looks for the folder of its lock.
    from tools.embedded_postgres import embedded_postgres

    with ExitStack() as stack:
        with stages.stage("Starting PostgreSQL") as stage:
            try:
                with signals.held_back():
                    url = stack.enter_context(embedded_postgres())
            except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                raise ToolError(f"The embedded PostgreSQL does not start: {error}") from error
            stage.done("PostgreSQL 18 with pgvector, embedded")
        yield url


def _new_database(server: str) -> str:
    from tools.embedded_postgres import new_database

    return new_database(server, "shadow")


# A schema of one's own belongs to one address: the demo is to find it again.
_USUAL_PORT = 18069


@contextmanager
def _stand_in(stages: Stages, server: str, flavour: str) -> Iterator[StandIn]:
    with ExitStack() as stack:
        with stages.stage(f"Starting a stand-in for Odoo {flavour}") as stage:
            chosen: Flavour = "17" if flavour == "17" else "19"
            port = processes.free_port(_USUAL_PORT)
            odoo = stack.enter_context(StandIn(server, chosen, schema="business", port=port))
            stage.done(f"Odoo {flavour}, a stand-in with invented data, at {odoo.url}")
        yield odoo


def _check(stages: Stages, parts: Parts) -> None:
    with stages.stage("Asking Odoo and PostgreSQL whether they answer") as stage, OdooClient(parts.odoo) as odoo:
        odoo.user_id()
        odoo.search_count("res.partner")
        with ShadowDatabase.from_url(parts.shadow_url) as shadow, shadow.transaction() as tx:
            tx.run("SELECT 1")
        stage.done(f"Odoo {odoo.version.text} answers over {odoo.protocol.label}, PostgreSQL answers")
