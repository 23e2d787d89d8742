"""Another state of Odoo's database, or another one under its name: what each command says, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from odoo_stand_in import StandIn
from tests.support.catalog import contents
from tests.support.counting import VISIT, visits
from tests.support.restoring import UUID, Backup, set_uuid
from tests.support.shell import Outcome, Shell
from tests.support.source_of_truth import assert_equal

ONLY = ("--models", VISIT)
ROWS = 30


@pytest.fixture
def backup(odoo19: StandIn) -> Iterator[Backup]:
    """A backup of a small model."""
    with visits(odoo19, ROWS):
        yield Backup(odoo19, [VISIT])
    set_uuid(odoo19, UUID)


def refused(outcome: Outcome, code: int = 2) -> str:
    """It said why, in one line, and had nothing else to say."""
    assert outcome.code == code, outcome.err
    (sentence,) = outcome.err.splitlines()
    return sentence


def test_a_restored_backup(shell: Shell, odoo19: StandIn, backup: Backup, database: str) -> None:
    assert shell.run("sync", *ONLY).code == 0
    odoo19.execute(VISIT, "write", [7], {"x_name": "edited after the backup"})
    assert shell.run("sync", *ONLY).code == 0
    backup.restore()
    before = contents(database), contents(database, "odoo_shadow_internal")
    for command in (("sync",), ("sync", "--dry-run"), ("verify", "--repair")):
        said = refused(shell.run(*command, *ONLY))
        assert said.startswith("Error: x_visit 7 was written at 20") and "has a backup been restored" in said
        assert "odoo-shadow sync --accept-database reads every table again" in said
        assert f"sync --full --models {VISIT} is enough." in said
    doctor = shell.run("doctor", *ONLY)
    assert doctor.code == 1 and "has a backup been restored" in " ".join(doctor.out.split())
    assert (contents(database), contents(database, "odoo_shadow_internal")) == before
    assert shell.run("sync", "--full", *ONLY).code == 0
    assert_equal(odoo19, database, [VISIT])
    assert shell.run("sync", *ONLY).code == 0


def test_another_database(shell: Shell, odoo19: StandIn, backup: Backup, database: str) -> None:
    assert shell.run("sync", *ONLY).code == 0
    odoo19.execute(VISIT, "write", [7], {"x_name": "edited after the backup"})
    assert shell.run("sync", *ONLY).code == 0
    backup.restore(uuid="another-uuid")
    for command in (("sync",), ("sync", "--full"), ("verify",)):
        assert f"its database.uuid is another-uuid, not {UUID}" in refused(shell.run(*command, *ONLY))
    assert "writes nothing" in shell.run("sync", *ONLY, "--accept-database", "--dry-run").last_error
    accepted = shell.run("sync", *ONLY, "--accept-database")
    assert accepted.code == 0 and "first load" in accepted.out
    assert "the next run reads every table whole" in accepted.last_error
    assert_equal(odoo19, database, [VISIT])
    assert shell.run("verify", *ONLY).code == 0
