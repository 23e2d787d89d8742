"""One try of a run that has an identity beyond its process, as Airflow's tasks have.

`python -m tests.support.one_try RUN_ID MODEL PAGE_SIZE`, with the variables that `odoo-shadow` reads.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from uuid import UUID

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.connection import OdooConnection
from odoo_shadow.source.api.source import ApiSource


def main() -> None:
    run_id, model, page_size = sys.argv[1:]
    connection = OdooConnection.parse(
        "odoo_default",
        host=os.environ["ODOO_URL"],
        database=os.environ["ODOO_DB"],
        login=os.environ["ODOO_USER"],
        password=os.environ["ODOO_PASSWORD"],
        extras={},
    )
    options = MirrorOptions(batch_size=int(page_size), wait=timedelta(0))
    with ApiSource(OdooClient(connection)) as odoo, ShadowDatabase.from_url(os.environ["SUPABASE_DB_URL"]) as shadow:
        run = Run(UUID(run_id), f"DAG odoo_shadow_sync, run {run_id}")
        sys.stdout.write(f"{mirror_model(odoo, shadow, model, run=run, options=options)}\n")


if __name__ == "__main__":
    main()
