"""The program `odoo-shadow` within the tests' own process, where a test can change what it calls."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from unittest import mock

from odoo_shadow.cli.main import main
from tests.support.shell import Outcome


def run_in_process(arguments: Sequence[str], env: Mapping[str, str]) -> Outcome:
    """Run the program to its end, and leave logging as it was: later tests look for lines that it would keep back.

    :param env: variables that are added to those of this process.
    """
    package, root = logging.getLogger("odoo_shadow"), logging.getLogger()
    before, propagate, level, of_root = package.handlers, package.propagate, package.level, root.handlers
    out, err, code = io.StringIO(), io.StringIO(), 0
    try:
        with (
            mock.patch.dict(os.environ, env),
            mock.patch.object(sys, "argv", ["odoo-shadow", *arguments]),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        package.handlers, package.propagate, root.handlers = before, propagate, of_root
        package.setLevel(level)
    return Outcome(code, out.getvalue(), err.getvalue())
