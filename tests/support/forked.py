"""The program `odoo-shadow` in a process forked from one that has imported it: most of a start are its imports."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from odoo_shadow.cli.main import main

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload([__name__])


def run_forked(arguments: Sequence[str], env: Mapping[str, str], timeout: float) -> tuple[int, str, str]:
    """Run the program to its end; return its exit code, and what it wrote to standard output and standard error."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = _FORKING.Process(target=_program, args=(list(arguments), dict(env), out, err))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise AssertionError(f"odoo-shadow {' '.join(arguments)} did not end within {timeout} s")
        return process.exitcode, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")


def _program(arguments: Sequence[str], env: Mapping[str, str], out: Path, err: Path) -> None:
    """Be what the console script is."""
    for number, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["odoo-shadow", *arguments]
    try:
        main()
    except Exception:  # noqa: BLE001 - what nobody caught, as Python shows it
        sys.excepthook(*sys.exc_info())
        sys.exit(1)
