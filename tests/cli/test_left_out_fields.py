"""Fields that Odoo refuses a login: told once by a sync, and whenever the model is looked at."""

from __future__ import annotations

import json

import pytest

from odoo_stand_in import StandIn
from tests.support.flavours import Flavour
from tests.support.shell import Shell, shell_for
from tests.support.source_of_truth import shadow_rows

EMPLOYEES = ("--models", "hr.employee")
TOLD = "fields left out because Odoo does not return records with them to this login"


@pytest.fixture(params=["17", "19"])
def limited(request: pytest.FixtureRequest, shared_odoos: dict[Flavour, StandIn], database: str) -> Shell:
    """A shell of a login without HR rights."""
    odoo = shared_odoos[request.param]
    odoo.faults.clear()
    shell = shell_for(odoo, database)
    secret = odoo.limited_api_key if odoo.flavour == "19" else odoo.limited_password
    return Shell({**shell.env, "ODOO_USER": odoo.limited_login, "ODOO_PASSWORD": secret})


def test_they_are_told_by_every_command(limited: Shell, database: str) -> None:
    synced = limited.run("sync", *EMPLOYEES)
    assert synced.code == 0
    (warning,) = synced.err.strip().splitlines()[-1:]
    field = "skill_ids" if "skill_ids" in warning else "current_version_id"
    assert (
        f"hr.employee: Odoo does not return records with {field} to 'limited', so these fields are left out ("
        in warning
    )
    assert len(shadow_rows(database, "odoo_shadow_hr_employee")) == 6
    again = limited.run("sync", *EMPLOYEES)
    assert (again.code, again.err) == (0, "")

    status = limited.run("status")
    assert status.code == 0 and f"hr.employee: {TOLD}: {field}" in status.out
    verified = limited.run("verify")
    assert verified.code == 0 and f"hr.employee: {TOLD}: {field}" in verified.out
    assert "all is equal" in verified.out
    doctor = limited.run("doctor", *EMPLOYEES)
    assert f"{TOLD}: {field}" in " ".join(part.strip("│ ") for line in doctor.out.splitlines() for part in [line])
    why = limited.run("models", *EMPLOYEES, "--why")
    assert f"hr.employee, field {field}" in why.out and "Odoo does not return records with it" in why.out
    document = json.loads(limited.run("models", *EMPLOYEES, "--json").out)
    assert document["models"][0]["refused_fields"] == [field]
    dry = limited.run("sync", *EMPLOYEES, "--dry-run")
    assert dry.code == 0 and field not in dry.out
