"""`python -m odoo_stand_in --postgres-url …`: a stand-in Odoo in a process of its own."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from odoo_stand_in.invented.schemas import SCHEMAS
from odoo_stand_in.stand_in import StandIn


def main() -> int:
    """Fill a database, print how to reach the server, serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="odoo_stand_in", description=__doc__)
    parser.add_argument("--postgres-url", required=True, help="URL of a PostgreSQL server's maintenance database")
    parser.add_argument("--flavour", choices=("17", "19"), default="17")
    parser.add_argument("--database", default="acme")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--schema", choices=tuple(SCHEMAS), default="standard")
    given = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    odoo = StandIn(
        given.postgres_url, given.flavour, given.database, given.seed, given.scale, given.schema, port=given.port
    )
    with odoo:
        for line in (odoo.url, odoo.database, odoo.login, odoo.password, odoo.api_key):
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
