"""What `odoo-shadow init github-actions`, `init n8n` and `init dags` write."""

from __future__ import annotations

import hashlib
import json

from odoo_shadow import __version__
from odoo_shadow.mirror.config.mirrors_file import DEFAULT_SCHEDULE
from odoo_shadow.starter.files import StarterFile
from odoo_shadow.starter.templates import folder, template

_SCHEDULE = f'    schedule: "{DEFAULT_SCHEDULE}"\n'


def github_files(schema: str, mirror: str, schedule: str) -> list[StarterFile]:
    """Return the workflow that runs the command line in GitHub Actions.

    :param mirror: runs of one mirror wait for each other.
    :param schedule: a cron expression, in UTC.
    """
    # A JSON text is a YAML text, too; GitHub would take two braces for the beginning of an expression.
    quoted = json.dumps(schema, ensure_ascii=False).replace("${{", "${{ '${{' }}")
    values = {"schema": quoted, "mirror": mirror, "schedule": schedule, "version": __version__}
    return [StarterFile(".github/workflows/odoo-shadow.yml", template("github/odoo-shadow.yml", values))]


def n8n_files(mirror: str, schedule: str) -> list[StarterFile]:
    """Return the workflow that n8n imports.

    :param schedule: a cron expression, in UTC.
    """
    # With an id, n8n's command line imports it, too, and a later generation takes the place of this one.
    identity = f"odooShadow{hashlib.sha256(mirror.encode()).hexdigest()[:6]}"
    text = template("n8n/odoo-shadow.json", {"id": identity, "mirror": mirror, "schedule": schedule})
    return [StarterFile("n8n/odoo-shadow.json", text)]


def dag_files(schedule: str | None) -> list[StarterFile]:
    """Return the files of the DAGs, and the mirrors file.

    :param schedule: a cron expression, or None for runs by hand, and by others.
    """
    own = "    schedule: null\n" if schedule is None else f'    schedule: "{schedule}"\n'
    return [StarterFile(file.path, file.text.replace(_SCHEDULE, own, 1)) for file in folder("dags", "dags")]
