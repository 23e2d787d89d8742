"""What a mirror leaves out, and why, is in the shadow, for people who ask whether it is complete."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.config.patterns import ALL, ModelChoice
from odoo_shadow.mirror.health.overview import read_overview, read_table
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run.choose import Chosen, LeftOut, choose_models
from odoo_shadow.mirror.run.plan import plan_run
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state.left_out import MOST_FIELDS, MOST_MODELS, note_left_out_fields, note_left_out_models
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.counting import VISIT, VISITS, CountingProxy, in_shadow, mirror_with
from tests.support.refusing_fields import refuse, source_of_fields
from tests.support.statements import noting
from tests.support.tables import make_base

pytestmark = pytest.mark.one_flavour

NOW = datetime.now(UTC)
WIDE = MirrorOptions(batch_size=10)


@pytest.fixture
def source(odoo: StandIn, proxy: CountingProxy) -> Iterator[ApiSource]:
    with source_of_fields(odoo, proxy) as opened:
        yield opened


def fields_left_out(shadow: ShadowDatabase) -> dict[str, str]:
    with shadow.transaction() as tx:
        found = read_table(tx, VISITS, NOW)
    assert found
    return {item.field: item.reason for item in found.left_out if item.model == VISIT}


def models_left_out(shadow: ShadowDatabase) -> dict[str, str]:
    rows = in_shadow(shadow, "SELECT odoo_model, reason FROM {odoo_shadow_left_out} WHERE field_name = ''")
    return {str(model): str(reason) for model, reason in rows}


def written(shadow: ShadowDatabase) -> list[tuple[object, ...]]:
    """Every row's version: unchanged if nothing was written, nor locked."""
    return in_shadow(shadow, "SELECT ctid::text, xmin::text, xmax::text FROM {odoo_shadow_left_out} ORDER BY ctid")


def plan(source: ApiSource, shadow: ShadowDatabase, chosen: Chosen) -> None:
    plan_run(source, shadow, chosen, run=Run(), options=MirrorOptions())


def test_a_plan_notes_the_models_that_it_leaves_out(odoo: StandIn, shadow: ShadowDatabase) -> None:
    with source_of(odoo) as source:
        chosen = choose_models(source, ModelChoice.parse([ALL, "!sale.*", "no.such.*"]))
        assert len(chosen.left_out) > 3
        plan(source, shadow, Chosen(("res.company",), chosen.left_out))
        assert models_left_out(shadow) == {item.model: item.reason for item in chosen.left_out}
        before = written(shadow)
        plan(source, shadow, Chosen(("res.company",), chosen.left_out))
        assert written(shadow) == before
        with shadow.transaction() as tx:
            found = read_overview(tx, NOW)
        assert {item.model for item in found.left_out if not item.field} == {item.model for item in chosen.left_out}
        assert found.left_out_total == len(before)


def test_the_newest_plan_counts(odoo: StandIn, shadow: ShadowDatabase) -> None:
    with source_of(odoo) as source:
        plan(source, shadow, Chosen(("res.company",), (LeftOut("a.b", "one"), LeftOut("c.d", "two"))))
        plan(source, shadow, Chosen(("res.company",), (LeftOut("c.d", "three"), LeftOut("e.f", "four"))))
        assert models_left_out(shadow) == {"c.d": "three", "e.f": "four"}
        plan(source, shadow, Chosen(("res.company",)))
        assert models_left_out(shadow) == {}


def test_a_run_notes_the_fields_that_its_table_leaves_out(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    odoo.add_field(VISIT, "x_password", "char")
    odoo.add_field(VISIT, "x_photo", "binary")
    settings = ModelSettings(exclude_fields=("x_a",))
    mirror_with(source, shadow, settings=settings)
    found = fields_left_out(shadow)
    assert found["x_a"] == "the settings exclude it"
    assert found["x_photo"] == "binary fields are never mirrored"
    assert "x_password" in found and found.keys().isdisjoint({"x_b", "x_name"})
    before = written(shadow)
    mirror_with(source, shadow, settings=settings)
    assert written(shadow) == before
    mirror_with(source, shadow, settings=ModelSettings(allow_fields=("x_password",)))
    assert fields_left_out(shadow).keys() == {"x_photo"}


def test_a_refused_field_is_noted_until_odoo_gives_it(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    refuse(odoo, "x_b")
    mirror_with(source, shadow, WIDE)
    assert fields_left_out(shadow) == {"x_b": "Odoo does not return records with it to this login"}
    odoo.rewrite = None
    mirror_with(source, shadow, MirrorOptions(full=True))
    assert fields_left_out(shadow) == {}


def test_models_and_fields_do_not_replace_each_other(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    mirror_with(source, shadow, settings=ModelSettings(exclude_fields=("x_a",)))
    plan(source, shadow, Chosen((VISIT,), (LeftOut(VISIT, "a name of both"),)))
    mirror_with(source, shadow, model="res.company")
    assert fields_left_out(shadow).keys() == {"x_a"} and models_left_out(shadow).keys() == {VISIT}


def test_any_number_of_names_is_bounded(shadow: ShadowDatabase, database: str) -> None:
    make_base(shadow)
    with noting(database) as (noted, statements), noted.transaction() as tx:
        note_left_out_models(tx, {f"m{number}": "\x1b[31m" + "x" * 10_000 for number in range(MOST_MODELS + 5)})
        note_left_out_fields(tx, "a.b", {f"f{number}\0": "y" for number in range(MOST_FIELDS + 1)})
        statements.clear()
        note_left_out_fields(tx, "a.b", {f"f{number}\0": "y" for number in range(MOST_FIELDS + 1)})
        assert len(statements) == 1  # nothing has changed
    found = models_left_out(shadow)
    assert len(found) == MOST_MODELS + 1 and "5 more models" in found
    assert all(len(reason) < 400 and reason.isprintable() for reason in found.values())
    ((fields, least),) = in_shadow(
        shadow, "SELECT count(*), min(field_name) FROM {odoo_shadow_left_out} WHERE odoo_model = 'a.b'"
    )
    assert (fields, least) == (MOST_FIELDS + 1, "1 more field")
