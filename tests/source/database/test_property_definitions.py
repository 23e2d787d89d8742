"""Properties of which Odoo's tables do not tell where they are defined."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.health.doctor import examine
from odoo_shadow.mirror.health.inventory import take_inventory
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.port import Source
from odoo_shadow.text.findings import Verdict
from odoo_stand_in import StandIn
from tests.support.two_sources import both_sources_of, database_source_of, differing, layout_of, rows_of

REASON = "Odoo's tables do not tell where these properties are defined; with the API's address and login, it does"
KINDS, FIELD = "x_kinds", "x_properties"
SETTINGS = ModelSettings(exclude_fields=("x_partner_ids",))  # of which the API lists less


@pytest.fixture
def unclear(awkward_odoo: StandIn) -> Iterator[StandIn]:
    """A stand-in in which two fields could hold the definition, as far as its tables tell."""
    with psycopg.connect(awkward_odoo.dsn, autocommit=True) as connection:
        ((definition,),) = connection.execute(
            "INSERT INTO ir_model_fields (model, model_id, name, ttype, store, state, field_description)"
            " SELECT model, model_id, 'x_other_definition', ttype, store, state, field_description"
            " FROM ir_model_fields WHERE model = 'x_kinds' AND name = 'x_definition' RETURNING id"
        ).fetchall()
        yield awkward_odoo
        connection.execute("DELETE FROM ir_model_fields WHERE id = %s", (definition,))


def mirror(source: Source, shadow: ShadowDatabase) -> None:
    mirror_model(source, shadow, KINDS, run=Run(), options=MirrorOptions(wait=timedelta(0)), settings=SETTINGS)


def test_they_are_left_out_and_told_and_all_others_are_mirrored(
    unclear: StandIn, shadow: ShadowDatabase, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING", logger="odoo_shadow")
    with database_source_of(unclear) as source:
        mirror(source, shadow)
        assert [record.getMessage() for record in caplog.records] == [f"{KINDS}: {FIELD} is left out: {REASON}."]
        (entry,) = take_inventory(source, shadow, [KINDS], lambda _: SETTINGS)
        assert entry.left_out_because[FIELD] == REASON
        (told,) = [item for item in examine(source, shadow, [KINDS], timedelta(0)) if item.subject == KINDS]
        assert told.verdict is Verdict.WARNING and f"{FIELD} is left out: {REASON}" in told.text
        caplog.clear()
        assert FIELD not in layout_of(source, KINDS, ModelSettings(exclude_fields=(FIELD,))).not_given
        assert not caplog.records
    with psycopg.connect(database) as connection:
        left_out = connection.execute(
            "SELECT reason FROM odoo_shadow.odoo_shadow_left_out WHERE odoo_model = %s AND field_name = %s",
            (KINDS, FIELD),
        ).fetchall()
        columns = {name for (name,) in connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'odoo_shadow_x_kinds'"
        )}  # fmt: skip
    assert left_out == [(REASON,)]
    assert FIELD not in columns and {"x_text", "x_definition"} <= columns


def test_with_the_api_beside_they_are_what_it_says(unclear: StandIn) -> None:
    with both_sources_of(unclear) as both:
        layout = layout_of(both.api, KINDS, SETTINGS)
        assert layout_of(both.helped, KINDS, SETTINGS).omitted == layout.omitted
        told = rows_of(both.api, layout)
        assert any(row[FIELD] != "[]" for row in told.values())
        assert differing(told, rows_of(both.helped, layout)) == {}
