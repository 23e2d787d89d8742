"""A schema belongs to one Odoo database, wherever that is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from odoo_shadow.mirror.health.doctor import examine
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.proof.verify import VerifyOptions, verify_model
from odoo_shadow.mirror.run.dry_run import dry_run_model
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowOwnershipError
from odoo_shadow.shadow.state.schema import Origin, recorded_origin
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.text.findings import Verdict
from odoo_stand_in import StandIn
from tests.support.catalog import contents, structure
from tests.support.clients import limited_source_of, source_of
from tests.support.flavours import Flavour
from tests.support.running import mirror, statuses_of

pytestmark = pytest.mark.one_flavour

UUID = "database.uuid"


@pytest.fixture
def foreign(shared_odoos: dict[Flavour, StandIn]) -> Iterator[StandIn]:
    """Another Odoo database: its uuid is another one, too."""
    odoo = shared_odoos["17"]

    def answer(model: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return (
            [{**row, "value": "uuid-of-another-database"} for row in rows] if model == "ir.config_parameter" else rows
        )

    odoo.rewrite = answer
    yield odoo
    odoo.rewrite = None


def origin_of(shadow: ShadowDatabase) -> Origin | None:
    with shadow.transaction() as tx:
        return recorded_origin(tx)


def elsewhere(odoo: StandIn, **changed: object) -> ApiSource:
    """A client that knows the same stand-in by another address."""
    return source_of(odoo, host=odoo.url.replace("127.0.0.1", "localhost"), **changed)


def test_a_schema_notes_where_it_comes_from(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    mirror(source, shadow, "res.company")
    assert origin_of(shadow) == Origin(odoo.url, odoo.database, "7c9e6679-7425-40de-944b-e07fc1f90ae7")


def test_another_database_is_refused_and_nothing_changes(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, foreign: StandIn, database: str
) -> None:
    mirror(source, shadow, "res.company")
    before = structure(database), contents(database)
    with source_of(foreign) as stranger, pytest.raises(ShadowOwnershipError) as raised:
        mirror(stranger, shadow, "res.company")
    said = f"'odoo_shadow' mirrors the Odoo database '{odoo.database}' at {odoo.url}, not '{foreign.database}' at"
    assert said in str(raised.value)
    assert (structure(database), contents(database)) == before
    with source_of(foreign) as stranger, pytest.raises(ShadowOwnershipError):
        dry_run_model(stranger, shadow, "res.company", options=MirrorOptions())
    mirror(source, shadow, "res.company")
    assert statuses_of(shadow) == ["success", "success"]


def test_another_database_is_neither_compared_nor_repaired_from(
    source: ApiSource, shadow: ShadowDatabase, foreign: StandIn, database: str
) -> None:
    mirror(source, shadow, "res.company")
    before = contents(database)
    with source_of(foreign) as stranger:
        for repair in (False, True):
            with pytest.raises(ShadowOwnershipError):
                verify_model(
                    stranger,
                    shadow,
                    "res.company",
                    run=Run(),
                    options=MirrorOptions(),
                    verify=VerifyOptions(repair=repair),
                )
        found = examine(stranger, shadow, (), timedelta(minutes=15))
    assert contents(database) == before
    assert any(finding.verdict is Verdict.PROBLEM and "mirrors the Odoo database" in finding.text for finding in found)


def test_another_schema_takes_it(source: ApiSource, shadow: ShadowDatabase, foreign: StandIn, database: str) -> None:
    mirror(source, shadow, "res.company")
    with ShadowDatabase.from_url(database, schema="other") as other, source_of(foreign) as stranger:
        mirror(stranger, other, "res.company")
        assert origin_of(other) != origin_of(shadow)


def test_a_copy_of_the_database_is_refused_until_somebody_says_that_it_moved(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror(source, shadow, "res.company")
    before = structure(database), contents(database)
    with elsewhere(odoo) as moved:
        with pytest.raises(
            ShadowOwnershipError, match="if it is the same database and has moved, record that once"
        ) as raised:
            mirror(moved, shadow, "res.company")
        assert (structure(database), contents(database)) == before
        statement = str(raised.value).partition("record that once: ")[2].rstrip(".")
        with psycopg.connect(database) as connection:
            connection.execute(statement.encode())
        odoo.calls.clear()
        mirror(moved, shadow, "res.company")
        assert ("ir.config_parameter", "search_read") not in odoo.calls  # once for each client


def test_whose_uuid_cannot_be_read_is_known_by_its_address(odoo: StandIn, shadow: ShadowDatabase) -> None:
    with limited_source_of(odoo) as source:
        mirror(source, shadow, "res.company")
        assert origin_of(shadow) == Origin(odoo.url, odoo.database, None)
        mirror(source, shadow, "res.company")
    with limited_source_of(odoo) as moved, pytest.raises(ShadowOwnershipError):
        object.__setattr__(moved.access, "url", odoo.url.replace("127.0.0.1", "localhost"))
        mirror(moved, shadow, "res.company")


def test_two_databases_of_one_server_are_two(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, shared_odoos: dict[Flavour, StandIn]
) -> None:
    with limited_source_of(odoo) as without_uuid:
        mirror(without_uuid, shadow, "res.company")
    other = shared_odoos["19" if odoo.flavour == "17" else "17"]
    with limited_source_of(other) as stranger, pytest.raises(ShadowOwnershipError):
        mirror(stranger, shadow, "res.company")
