"""What `odoo-shadow verify` says of rows that Odoo wrote after the last sync: they are behind, not wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest

from odoo_stand_in import StandIn
from tests.support.counting import in_odoo
from tests.support.shell import Shell, shell_for
from tests.support.source_of_truth import assert_equal

PARTNERS = ("--models", "res.partner")
AGE = "UPDATE res_partner SET write_date = write_date - interval '1 day'"


@pytest.fixture(params=["19"])
def odoo(request: pytest.FixtureRequest, postgres: str) -> Iterator[StandIn]:
    """A stand-in of this module's own, whose partners are a day old."""
    with StandIn(postgres, flavour=request.param, database="newer", scale=0.3, copied=True) as running:
        in_odoo(running, AGE)
        yield running


@pytest.fixture
def behind(odoo: StandIn, database: str) -> Shell:
    """A mirror whose last sync was a minute ago; since then partner 20 was written in Odoo."""
    shell = shell_for(odoo, database)
    assert shell.run("sync", *PARTNERS).code == 0
    with psycopg.connect(database) as connection:
        connection.execute(
            "UPDATE odoo_shadow.odoo_shadow_watermark SET last_write_date = last_write_date - interval '1 minute'"
        )
    odoo.execute("res.partner", "write", [20], {"ref": "changed"})
    in_odoo(odoo, "UPDATE res_partner SET write_date = write_date - interval '20 seconds' WHERE id = 20")
    return shell


def test_it_is_told_apart_from_what_is_wrong(behind: Shell, odoo: StandIn, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE odoo_shadow.odoo_shadow_res_partner SET city = 'Elsewhere' WHERE id = 5")
    outcome = behind.run("verify")
    assert outcome.code == 1
    assert "not all is equal: 2 rows differ; 1 row was written in Odoo after the last sync.\n" in outcome.out
    assert "verify: 1 row differs from Odoo" in " ".join(behind.run("status", "--json").out.split())
    mended = json.loads(behind.run("verify", "--repair", "--json").out)
    (partners,) = mended["models"]
    assert mended["is_equal"] and (partners["repaired"], partners["newer"]) == (2, 1)
    assert_equal(odoo, database, ["res.partner"])


def test_alone_it_leaves_no_trace(behind: Shell, odoo: StandIn, database: str) -> None:
    assert behind.run("verify").code == 1
    assert behind.run("status").code == 0
    assert behind.run("sync", *PARTNERS).code == 0
    equal = behind.run("verify")
    assert equal.code == 0 and equal.out.endswith("all is equal.\n")
    assert_equal(odoo, database, ["res.partner"])


def test_a_date_that_lies_ahead_excuses_nothing(behind: Shell, odoo: StandIn, database: str) -> None:
    in_odoo(odoo, "UPDATE res_partner SET write_date = now() AT TIME ZONE 'UTC' + interval '1 year' WHERE id = 20")
    outcome = behind.run("verify")
    assert outcome.code == 1 and outcome.out.endswith("not all is equal: 1 row differs.\n")


def test_a_row_of_the_same_version_is_wrong_though_the_next_sync_reads_it(behind: Shell, database: str) -> None:
    """After a replay was asked for, or when the sync itself read it after the watermark."""
    with psycopg.connect(database, options="-c search_path=odoo_shadow") as connection:
        connection.execute("UPDATE odoo_shadow_watermark SET last_write_date = last_write_date - interval '9 days'")
        connection.execute("UPDATE odoo_shadow_res_partner SET city = 'Elsewhere' WHERE id = 5")
    outcome = behind.run("verify")
    assert "not all is equal: 2 rows differ; 1 row was written in Odoo after the last sync.\n" in outcome.out
    assert behind.run("status").code == 1
    assert behind.run("sync", *PARTNERS).code == 0
    assert behind.run("verify").code == behind.run("status").code == 0


def test_a_row_that_differs_even_when_it_is_read_anew_is_noted(behind: Shell, database: str) -> None:
    with psycopg.connect(database, options="-c search_path=odoo_shadow") as connection:
        connection.execute(
            "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN IF new.id = 20 THEN new.name := 'wrong'; END IF; RETURN new; END$$"
        )
        connection.execute(
            "CREATE TRIGGER spoil BEFORE UPDATE ON odoo_shadow_res_partner FOR EACH ROW EXECUTE FUNCTION spoil()"
        )
        connection.execute("UPDATE odoo_shadow_res_partner SET city = 'Elsewhere' WHERE id = 5")
    outcome = behind.run("verify", "--repair")
    assert outcome.code == 1
    assert "1 row differs; 1 row was wrong in the shadow until now and is repaired; 1 row was written" in outcome.out
    assert behind.run("status").code == 1
