"""What a run says of its table besides counts: columns and their fields, calls, where the table is."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.shadow.connection.database import Place, ShadowDatabase
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import Fault, StandIn
from tests.support.clients import source_of
from tests.support.counting import VISIT, mirror_with, visits

pytestmark = pytest.mark.one_flavour


@pytest.fixture
def source(odoo: StandIn) -> Iterator[ApiSource]:
    with visits(odoo, 5), source_of(odoo, extras={"hash_secret": "a key that nobody guesses"}) as opened:
        yield opened


def test_a_result_has_the_columns_of_the_table(source: ApiSource, shadow: ShadowDatabase, database: str) -> None:
    settings = ModelSettings(hashed_fields=("x_name",), extra_fields=("display_name",))
    result = mirror_with(source, shadow, settings=settings)
    with psycopg.connect(database) as connection:
        there = connection.execute(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attnum > 0 AND NOT attisdropped AND attrelid = 'odoo_shadow.odoo_shadow_x_visit'::regclass"
        ).fetchall()
    assert sorted((item.name, item.type) for item in result.columns) == sorted(there)
    fields = {item.name: (item.field, item.field_type) for item in result.columns}
    assert fields["company_id"] == ("company_id", "many2one")
    assert fields["display_name"] == ("display_name", "char")
    assert fields["id"] == ("id", "integer")
    assert fields["_odoo_write_date"] == ("write_date", "datetime")
    assert {name for name, (field, _) in fields.items() if not field} == {"_synced_at", "_sync_hash"}
    assert {item.name for item in result.columns if item.is_hashed} == {"x_name"}


def test_a_result_counts_the_calls_of_its_model_and_those_that_failed(
    source: ApiSource, shadow: ShadowDatabase, odoo: StandIn
) -> None:
    mirror_with(source, shadow)
    odoo.calls.clear()
    again = mirror_with(source, shadow)
    assert again.calls == len(odoo.calls) > 0
    odoo.faults.add(Fault(model=VISIT, method="search_read", status=503))
    odoo.calls.clear()
    assert mirror_with(source, shadow).calls == len(odoo.calls) >= again.calls + 1


def test_the_shadow_says_where_it_is(shadow: ShadowDatabase, database: str) -> None:
    before = shadow.place
    with shadow.transaction():
        pass
    assert before is None
    with psycopg.connect(database) as connection:
        info = connection.info
        assert shadow.place == Place(info.host, info.port, info.dbname)
    shadow.close()
    assert shadow.place is not None
