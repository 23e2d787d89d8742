"""Properties of which it is not certain where they are defined, as far as Odoo's tables go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.health.doctor import examine
from odoo_shadow.mirror.health.inventory import take_inventory
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.proof.verify import VerifyOptions, verify_model
from odoo_shadow.mirror.run.closing import close_run
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.source.port import Source
from odoo_shadow.text.findings import Verdict
from odoo_stand_in import StandIn
from tests.support.two_sources import both_sources_of, database_source_of, layout_of

KINDS, FIELD = "x_kinds", "x_properties"
SETTINGS = ModelSettings(exclude_fields=("x_partner_ids",))  # of which the API lists less
NOW = MirrorOptions(wait=timedelta(0))
REASON = "where these properties are defined is in no table of Odoo's: give the API's address and login as well"


@pytest.fixture
def unclear(awkward_odoo: StandIn) -> Iterator[StandIn]:
    """A stand-in in which two links could lead to the definition, as far as its tables tell."""
    with psycopg.connect(awkward_odoo.dsn, autocommit=True) as connection:
        ((link,),) = connection.execute(
            "INSERT INTO ir_model_fields (model, model_id, name, ttype, relation, store, state, field_description)"
            " SELECT model, model_id, 'x_other_id', ttype, relation, false, state, field_description"
            " FROM ir_model_fields WHERE model = 'x_kinds' AND name = 'x_parent_id' RETURNING id"
        ).fetchall()
        yield awkward_odoo
        connection.execute("DELETE FROM ir_model_fields WHERE id = %s", (link,))


def mirror(source: Source, shadow: ShadowDatabase) -> RowCounts:
    return mirror_model(source, shadow, KINDS, run=Run(), options=NOW, settings=SETTINGS).counts


def test_they_are_left_out_and_told_and_all_others_are_mirrored(
    unclear: StandIn, shadow: ShadowDatabase, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING", logger="odoo_shadow")
    with database_source_of(unclear) as source:
        mirror(source, shadow)
        assert [record.getMessage() for record in caplog.records] == [f"{KINDS}: {FIELD} is left out: {REASON}."]
        mirror(source, shadow)
        assert len(caplog.records) == 1
        (entry,) = take_inventory(source, shadow, [KINDS], lambda _: SETTINGS)
        assert entry.left_out_because[FIELD] == REASON and entry.refused_fields == ()
        told = [item for item in examine(source, shadow, [KINDS], timedelta(0)) if FIELD in item.text]
        assert told[0].verdict is Verdict.WARNING and f"{FIELD} is left out: {REASON}" in told[0].text
        found = verify_model(source, shadow, KINDS, run=Run(), options=NOW, verify=VerifyOptions())
        assert found.is_settled and found.not_compared == (FIELD,)
        assert not layout_of(source, KINDS, ModelSettings(exclude_fields=(FIELD,))).not_given
        with pytest.raises(MirrorConfigurationError, match="is in no table"):
            layout_of(source, KINDS, ModelSettings(extra_fields=(FIELD,)))
    with psycopg.connect(database) as connection:
        left_out = connection.execute(
            "SELECT reason FROM odoo_shadow.odoo_shadow_left_out WHERE odoo_model = %s AND field_name = %s",
            (KINDS, FIELD),
        ).fetchall()
        columns = {name for (name,) in connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'odoo_shadow_x_kinds'"
        )}  # fmt: skip
    assert left_out == [(REASON,)]
    assert FIELD not in columns and {"x_text", "x_properties_definition"} <= columns


def test_with_the_api_beside_they_are_what_it_says(unclear: StandIn, shadow: ShadowDatabase) -> None:
    with both_sources_of(unclear) as both:
        assert layout_of(both.helped, KINDS, SETTINGS).omitted == layout_of(both.api, KINDS, SETTINGS).omitted
        mirror(both.helped, shadow)
        found = verify_model(both.api, shadow, KINDS, run=Run(), options=NOW, verify=VerifyOptions())
    assert found.is_settled and found.not_compared == () and found.rows > 5


def test_a_mirror_by_api_that_changes_its_source_fails_once(unclear: StandIn, shadow: ShadowDatabase) -> None:
    with both_sources_of(unclear) as both:
        mirror(both.api, shadow)
        with pytest.raises(MirrorConfigurationError, match=f"{FIELD} any more"):
            mirror(both.database, shadow)
        mirror(both.database, shadow)


def test_once_the_api_is_gone_the_run_fails_and_once_it_is_back_they_come_again(
    unclear: StandIn, shadow: ShadowDatabase
) -> None:
    with both_sources_of(unclear) as both:
        given, alone = (source.field_states([KINDS])[KINDS].digest for source in (both.helped, both.database))
        assert given != alone  # so the next plan looks at the model
        mirror(both.helped, shadow)
        with pytest.raises(MirrorConfigurationError, match=f"{FIELD} any more"):
            mirror(both.database, shadow)
        mirror(both.database, shadow)
        mirror(both.helped, shadow)
        run = Run()
        mirror_model(both.helped, shadow, KINDS, run=run, options=NOW, settings=SETTINGS)
        for _ in close_run(both.helped, shadow, run=run, options=NOW):
            pass
        mirror(both.helped, shadow)
        found = verify_model(both.api, shadow, KINDS, run=Run(), options=NOW, verify=VerifyOptions())
    assert found.is_settled and found.not_compared == ()
