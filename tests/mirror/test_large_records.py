"""Records with long texts: a page is bounded in bytes, too, so memory stays flat."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from odoo_shadow.source.api.http import PAGE_BYTES
from odoo_stand_in import StandIn

LARGE = 42
TEXT = f"{'lorem ipsum dolor sit amet ' * 450}\r\n" * 100
ABOVE_BASE = 200
PROTOCOLS = {"17": "xmlrpc", "19": "json2"}

_CHILD = """
import sys
from pathlib import Path
from odoo_shadow.cli import main
from odoo_shadow.mirror.proof import verify
from odoo_shadow.mirror.sync import model as mirror
def peak():  # of this program alone; getrusage would begin with what its parent had
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) // 1024
before = peak()
try:
    main.main()
finally:
    print(f"took {peak() - before}")
"""


def in_a_child(odoo: StandIn, database: str, protocol: str, *arguments: str) -> int:
    """Run the command line in a process of its own; return what it took in MiB on top of the start."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parents[2],
        env={
            **os.environ,
            "ODOO_URL": odoo.url,
            "ODOO_DB": odoo.database,
            "ODOO_USER": odoo.login,
            "ODOO_PASSWORD": odoo.api_key,
            "ODOO_PROTOCOL": protocol,
            "SUPABASE_DB_URL": database,
        },
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return int(done.stdout.rsplit("took ", 1)[1])


@pytest.fixture
def large(odoo: StandIn) -> Iterator[StandIn]:
    """Long texts here and there among short ones."""
    change = "UPDATE res_partner SET comment = %s WHERE id = ANY(%s)"
    ids = list(range(2, 2 + 2 * LARGE, 2))
    with psycopg.connect(odoo.dsn) as connection:
        connection.execute(change, [TEXT, ids])
    yield odoo
    with psycopg.connect(odoo.dsn) as connection:
        connection.execute(change, [None, ids])


@pytest.mark.nightly
@pytest.mark.timeout(240)
def test_memory_stays_flat(large: StandIn, database: str) -> None:
    with psycopg.connect(large.dsn) as connection:
        ((number, before),) = connection.execute(
            "SELECT count(*), max(length(comment)) FROM res_partner WHERE length(comment) > 1000000"
        ).fetchall()
    assert number == LARGE and number * before > 6 * PAGE_BYTES
    protocol = PROTOCOLS[large.flavour]
    assert in_a_child(large, database, protocol, "sync", "--models", "res.partner") < ABOVE_BASE
    with psycopg.connect(database) as connection:
        ((mirrored,),) = connection.execute(
            "SELECT count(*) FROM odoo_shadow.odoo_shadow_res_partner WHERE comment = %s", [TEXT]
        ).fetchall()
    assert mirrored == LARGE
    assert in_a_child(large, database, protocol, "verify", "--models", "res.partner") < ABOVE_BASE
