"""The environment of dbt: it would move versions that Airflow pins, so it gets one of its own.

It is made from a lock with hashes, beside its place, and then renamed: whoever finds it finds it whole.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from odoo_shadow.marts.errors import MartsError
from odoo_shadow.text.redaction import redact

CACHE = "XDG_CACHE_HOME"
"""The variable that names the folder of caches, if it is not `~/.cache`."""
SETUP = "odoo-shadow marts setup"
FIRST_VERSION, FIRST_NOT_SUPPORTED = (1, 11), (2, 0)

_LOCK = "requirements.lock"
_START = "from dbt.cli.main import cli; cli()"
_ASK = "from importlib.metadata import version as of; of('dbt-postgres'); print(of('dbt-core'))"
_HERE_IS_NO_CODE = "-P"
"""Python's option that keeps the working folder, which may hold a folder called dbt, out of what it imports."""
_ASK_SECONDS = 60
_INSTALL_SECONDS = 1_800


@dataclass(frozen=True)
class Dbt:
    """A dbt that can build the marts.

    :param python: the interpreter of its environment.
    """

    python: Path
    version: str

    @property
    def command(self) -> tuple[str, ...]:
        """The words that start it, as a shell would have them."""
        return (str(self.python), _HERE_IS_NO_CODE, "-c", _START)

    @property
    def program(self) -> Path:
        """Its program, for tools that want one."""
        return self.python.parent / "dbt"


def find_dbt() -> Dbt:
    """Find dbt: on PATH, beside this interpreter (the extra `marts`), or where `set_up` makes it.

    :raises MartsError: there is none of a version that serves.
    """
    others = []
    for python in (_on_path(), Path(sys.executable), _home() / "bin" / "python"):
        version = None if python is None else _version(python)
        if python is None or version is None:
            continue
        if FIRST_VERSION <= _numbers(version) < FIRST_NOT_SUPPORTED:
            return Dbt(python, version)
        others.append(f" (dbt {version} in {python.parent} does not serve: the marts need dbt-core 1.11 or later 1.x)")
    raise MartsError(f"dbt, which builds the marts, is not there: run {SETUP} once{others[0] if others else ''}.")


def set_up() -> tuple[Dbt, bool]:
    """Make dbt's environment, unless it is there; say whether it was made now.

    :raises MartsError: says what pip or the disk lacks.
    """
    home = _home()
    version = _version(home / "bin" / "python")
    if version is not None:
        return Dbt(home / "bin" / "python", version), False
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".dbt-", dir=home.parent) as beside:
            _make(Path(beside) / "made")
            _put(Path(beside) / "made", home)
    except OSError as error:
        raise MartsError(f"{home} cannot be made: {error.strerror}. {CACHE} names another folder of caches.") from None
    version = _version(home / "bin" / "python")
    if version is None:
        raise MartsError(f"dbt does not start from {home}: remove that folder, and run {SETUP} again.")
    return Dbt(home / "bin" / "python", version), True


def _home() -> Path:
    """Return where the environment of this lock and this Python is."""
    cache = Path(os.environ.get(CACHE) or Path.home() / ".cache")
    digest = hashlib.sha256(_lock().encode()).hexdigest()[:12]
    return cache / "odoo-shadow" / f"dbt-{digest}-python{sys.version_info.major}.{sys.version_info.minor}"


def _lock() -> str:
    return resources.files("odoo_shadow.marts").joinpath(_LOCK).read_text(encoding="utf-8")


def _make(folder: Path) -> None:
    lock = folder.with_name(_LOCK)
    lock.write_text(_lock(), encoding="utf-8")
    _run("a virtual environment", sys.executable, "-m", "venv", str(folder))
    # The lock lists everything, so that pip need not look for what depends on what.
    how = ("--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--require-hashes")
    _run("dbt", str(folder / "bin" / "python"), "-m", "pip", "install", *how, "-r", str(lock))
    # The scripts name the interpreter by the path that the folder has before it is renamed.
    program = folder / "bin" / "dbt"
    program.write_text(f'#!/bin/sh\nexec "$(dirname "$(readlink -f "$0")")/python" -P -c \'{_START}\' "$@"\n')
    program.chmod(0o755)


def _put(made: Path, home: Path) -> None:
    """Rename what was made; somebody may have been faster, and a broken one makes way."""
    if home.exists() and _version(home / "bin" / "python") is None:
        shutil.rmtree(home, ignore_errors=True)
    try:
        made.rename(home)
    except OSError:
        if not home.exists():
            raise


def _run(what: str, *command: str) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter, and the one that it has just made
            command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise MartsError(f"Installing {what} did not end within {_INSTALL_SECONDS // 60} minutes: try again.") from None
    if done.returncode != 0:
        lines = [line.strip() for line in redact(done.stderr or done.stdout).splitlines() if line.strip()]
        errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
        said = (errors or lines or ["it gave no reason"])[-1]
        raise MartsError(f"{SETUP} could not install {what}: {said.rstrip('.')}. It needs pip's package index.")


def _on_path() -> Path | None:
    """Return the interpreter of the program dbt on PATH; None without one, or if it is not a script of Python."""
    program = shutil.which("dbt")
    if program is None:
        return None
    try:
        with Path(program).open("rb") as file:
            first = file.readline(4_096).decode(errors="replace").strip()
    except OSError:
        return None
    python = Path(first.removeprefix("#!").split(" ")[0])
    if first.startswith("#!/bin/sh"):  # what `set_up` and pip, for long paths, write
        python = Path(program).resolve().parent / "python"
    return python if first.startswith("#!") and python.is_file() and "python" in python.name else None


def _version(python: Path) -> str | None:
    """Return the version of dbt-core in an interpreter's environment, None if dbt or its adapter is not there."""
    try:
        done = subprocess.run(  # noqa: S603 - an interpreter that PATH or this module names
            [str(python), _HERE_IS_NO_CODE, "-c", _ASK],
            capture_output=True,
            text=True,
            timeout=_ASK_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
