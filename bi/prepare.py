"""Makes a Superset's metadata, in Superset's own environment: tables, roles, one administrator, and the dashboards.

It reads one JSON document from standard input, so that no password is ever in a list of processes, or in a file that
others could open: `password` of the administrator `admin`, and `files`, the assets by path.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import superset
from flask_migrate import upgrade
from superset.app import create_app


def main() -> int:
    """Make all of it, once."""
    wanted = json.load(sys.stdin)
    with create_app().app_context():
        # Its parts can be imported only where there is an application.
        from superset.commands.importers.v1.assets import ImportAssetsCommand
        from superset.extensions import appbuilder, db, security_manager
        from superset.utils.core import override_user

        upgrade(directory=str(Path(superset.__file__).with_name("migrations")))
        appbuilder.add_permissions(update_perms=True)
        security_manager.sync_role_definitions()
        role = security_manager.find_role("Admin")
        admin = security_manager.add_user("admin", "Admin", "", "admin@localhost", role, password=wanted["password"])
        if not admin:
            print("The administrator could not be made.", file=sys.stderr)  # noqa: T201 - this is a program
            return 1
        db.session.commit()
        with override_user(admin):
            ImportAssetsCommand(wanted["files"]).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
