"""What the command line logs."""

from __future__ import annotations

import logging

import pytest

from odoo_shadow.cli.options import set_up_logging
from odoo_shadow.text.log import logger


@pytest.mark.parametrize("verbose", [False, True])
def test_off_a_terminal_a_log_line_is_one_line(
    verbose: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What begins a line may mean something to a CI job, and a name from Odoo may stand anywhere in one."""
    package = logging.getLogger("odoo_shadow")
    for name in ("handlers", "propagate", "level"):
        monkeypatch.setattr(package, name, getattr(package, name))
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    set_up_logging(verbose)
    logger("odoo_shadow.test").warning("%s", "word " * 100 + "::error::x")
    (line,) = capsys.readouterr().err.splitlines()
    assert "WARNING" in line and line.count("word") == 100
