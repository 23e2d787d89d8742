"""Calls in a process of their own, whose memory is measured."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.raw_clients import SECRET

_CHILD = """
import json, sys
from pathlib import Path
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.connection import OdooConnection
from odoo_shadow.source.errors import OdooError
def peak():  # of this program alone; getrusage would begin with what its parent had
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) // 1024
url, password, protocol, call = sys.argv[1:]
connection = OdooConnection.parse(
    "odoo_raw", host=url, database="db", login="someone", password=password, extras={"protocol": protocol}
)
before = peak()
with OdooClient(connection) as odoo:
    try:
        told = ["", str(eval(call, {"odoo": odoo}))[:100]]
    except OdooError as error:
        told = [type(error).__name__, str(error)]
print(json.dumps([*told, peak() - before]))
"""


@dataclass(frozen=True)
class Outcome:
    """What became of one call in a process of its own.

    :param error: the error's class; empty when the call went well.
    :param mebibytes: what it took on top of the start.
    """

    error: str
    text: str
    mebibytes: int


def in_a_child(url: str, call: str, protocol: str = "jsonrpc") -> Outcome:
    """Make one call in a process of its own, and measure its memory; it is killed after a minute."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, url, SECRET, protocol, call],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    return Outcome(*json.loads(done.stdout))
