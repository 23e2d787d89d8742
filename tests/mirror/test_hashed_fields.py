"""Personal data of which only a keyed hash is kept: the value itself is nowhere in the shadow."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.counting import VISIT, VISITS, in_odoo, in_shadow, mirror_with, row_count, visits
from tests.support.running import PARTNERS, column, log_of, mirror
from tests.support.searching import places_of
from tests.support.source_of_truth import assert_equal, expected_rows, shadow_rows
from tests.support.verifying import found_by, verify

pytestmark = pytest.mark.one_flavour

SECRET = "a key that nobody guesses"
OTHER_SECRET = "a key that was rotated in"
RAW = "raw-person-4711"
HASHED = ModelSettings(hashed_fields=("email*", "x_visits", "lang", "barcode", "x_last_visit"))
HASHED_NAMES = ("email", "email_normalized", "x_visits", "lang", "barcode", "x_last_visit")
NAMELESS = ModelSettings(hashed_fields=("x_name",))
AS_IT_IS = ModelSettings()


@pytest.fixture
def source(odoo: StandIn) -> Iterator[ApiSource]:
    """A client with a key for hashes."""
    with source_of(odoo, extras={"hash_secret": SECRET}) as opened:
        yield opened


@pytest.fixture
def visiting(odoo: StandIn, source: ApiSource) -> Iterator[ApiSource]:
    """That client, of an Odoo in which one visitor is not to be known."""
    with visits(odoo, 30):
        in_odoo(odoo, "UPDATE x_visit SET x_name = %s WHERE id = 7", RAW)
        yield source


def hash_of(value: Any, field: str = "x_name", secret: str = SECRET) -> str | None:
    """Return what a column should hold of a text, a number or a choice."""
    if value is None:
        return None
    return hmac.new(secret.encode(), f"{field}\0{value}".encode(), hashlib.sha256).hexdigest()


def test_hashes_stand_in_for_values_of_every_type(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    emails = [f"{RAW}@example.com", None, "Ünï 🚚", ""]
    for number, email in enumerate(emails, 20):
        in_odoo(odoo, "UPDATE res_partner SET email = %s, email_normalized = NULL WHERE id = %s", email, number)
    mirror(source, shadow, settings=HASHED)
    rows, wanted = shadow_rows(database, PARTNERS), expected_rows(odoo, "res.partner")
    assert rows.keys() == wanted.keys()
    for number, row in wanted.items():
        for name in ("email", "email_normalized", "x_visits", "lang", "barcode"):
            assert rows[number][name] == hash_of(row[name], name), (number, name)
        unhashed = [name for name in row if name not in HASHED_NAMES]
        assert {name: str(rows[number][name]) for name in unhashed} == {name: str(row[name]) for name in unhashed}
    assert rows[21]["email"] is None and rows[20]["email_normalized"] is None
    assert len({row["x_last_visit"] for row in rows.values()}) > 1
    moments = {number: row["x_last_visit"] for number, row in wanted.items()}
    assert all((moments[number] is None) == (row["x_last_visit"] is None) for number, row in rows.items())


def test_neither_the_value_nor_the_key_is_anywhere(
    visiting: ApiSource, odoo: StandIn, shadow: ShadowDatabase, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    mirror_with(visiting, shadow, settings=NAMELESS)
    odoo.execute(VISIT, "write", [8], {"x_name": f"{RAW} once more"})
    mirror_with(visiting, shadow)
    verify(visiting, shadow, repair=True)
    assert places_of(database, str(hash_of(RAW))) >= {f"odoo_shadow.{VISITS}", f"public.{VISITS}"}
    assert places_of(database, RAW) == set()
    assert places_of(database, SECRET) == set()
    assert RAW not in caplog.text and SECRET not in caplog.text


def test_without_a_key_nothing_is_read(odoo: StandIn, shadow: ShadowDatabase) -> None:
    with source_of(odoo) as keyless, visits(odoo, 3):
        odoo.calls.clear()
        with pytest.raises(MirrorConfigurationError, match=r"x_visit has hashed_fields.*no hash_secret: set it"):
            mirror_with(keyless, shadow, settings=NAMELESS)
        assert (VISIT, "search_read") not in odoo.calls
    assert [entry["status"] for entry in log_of(shadow)] == ["error"]


def test_a_table_with_hashes_takes_no_raw_values_when_the_key_is_lost(
    visiting: ApiSource, odoo: StandIn, shadow: ShadowDatabase, database: str
) -> None:
    mirror_with(visiting, shadow, settings=NAMELESS)
    with source_of(odoo) as keyless, pytest.raises(MirrorConfigurationError, match="hash_secret"):
        mirror_with(keyless, shadow)
    assert places_of(database, RAW) == set()


def test_another_key_reads_everything_again(visiting: ApiSource, odoo: StandIn, shadow: ShadowDatabase) -> None:
    mirror_with(visiting, shadow, settings=NAMELESS)
    assert mirror_with(visiting, shadow).kind is ScanKind.INCREMENTAL
    with source_of(odoo, extras={"hash_secret": OTHER_SECRET}) as rotated:
        with pytest.raises(MirrorConfigurationError, match="run a sync with this connection first"):
            verify(rotated, shadow, repair=True)  # half of the rows would have hashes of either key
        assert column(shadow, "x_name", [7], VISITS) == {7: hash_of(RAW)}
        result = mirror_with(rotated, shadow)
        assert (result.kind, result.counts.updated) == (ScanKind.READ_AGAIN, 30)
        assert column(shadow, "x_name", [7], VISITS) == {7: hash_of(RAW, secret=OTHER_SECRET)}
        assert found_by(verify(rotated, shadow)) == {}


def test_verify_compares_hashes_and_repairs_them(visiting: ApiSource, odoo: StandIn, shadow: ShadowDatabase) -> None:
    mirror_with(visiting, shadow, settings=NAMELESS)
    assert found_by(verify(visiting, shadow)) == {}
    in_odoo(odoo, "UPDATE x_visit SET x_name = 'By SQL' WHERE id = 5")
    in_shadow(shadow, "UPDATE {odoo_shadow_x_visit} SET x_name = 'no hash' WHERE id = 7")
    assert found_by(verify(visiting, shadow)) == {"differing": [5, 7]}
    assert verify(visiting, shadow, repair=True).repaired == 2
    assert column(shadow, "x_name", [5, 7], VISITS) == {5: hash_of("By SQL"), 7: hash_of(RAW)}


def test_a_field_that_is_hashed_no_more_is_raw_again(
    visiting: ApiSource, odoo: StandIn, shadow: ShadowDatabase, database: str
) -> None:
    numbers = ModelSettings(hashed_fields=("x_name", "company_id"))
    mirror_with(visiting, shadow, settings=numbers)
    assert column(shadow, "company_id", [7], VISITS) == {7: hash_of(1, "company_id")}
    mirror_with(visiting, shadow, settings=AS_IT_IS)
    assert_equal(odoo, database, [VISIT])


# What was mirrored raw before, and is hashed from now on.


def test_rows_that_were_raw_are_hashed_however_old_they_are(
    visiting: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror_with(visiting, shadow)
    assert places_of(database, RAW)
    mirror_with(visiting, shadow, settings=NAMELESS)
    assert column(shadow, "x_name", [7], VISITS) == {7: hash_of(RAW)}
    assert row_count(shadow) == 30
    assert places_of(database, RAW) == set()


@pytest.mark.parametrize("on_delete", [OnDelete.MARK, OnDelete.IGNORE])
def test_rows_that_are_gone_from_odoo_keep_no_raw_value(
    visiting: ApiSource, odoo: StandIn, shadow: ShadowDatabase, database: str, on_delete: OnDelete
) -> None:
    options = MirrorOptions(on_delete=on_delete)
    mirror_with(visiting, shadow, options)
    odoo.execute(VISIT, "unlink", [7])
    mirror_with(visiting, shadow, options)
    mirror_with(visiting, shadow, options, settings=NAMELESS)
    assert places_of(database, RAW) == set()


def test_translations_that_were_raw_go(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str) -> None:
    slogan = "raw-slogan-4711"
    in_odoo(odoo, "UPDATE res_partner SET x_slogan = jsonb_build_object('en_US', %s::text) WHERE id = 7", slogan)
    mirror(source, shadow, settings=ModelSettings(all_languages=True))
    mirror(source, shadow, settings=ModelSettings(all_languages=True, hashed_fields=("x_slogan",)))
    assert column(shadow, "x_slogan", [7]) == {7: hash_of(slogan, "x_slogan")}
    in_odoo(odoo, "UPDATE res_partner SET x_slogan = NULL WHERE id = 7")
    assert places_of(database, slogan) == set()


def test_a_column_that_is_kept_aside_keeps_no_raw_value(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    raw = 47_114_711
    in_odoo(odoo, "UPDATE res_partner SET x_visits = %s WHERE id = 7", raw)
    mirror(source, shadow)
    in_shadow(shadow, "CREATE VIEW public.somebodys AS SELECT x_visits FROM {odoo_shadow_res_partner}")
    mirror(source, shadow, settings=ModelSettings(hashed_fields=("x_visits",)))
    assert column(shadow, "x_visits", [7]) == {7: hash_of(raw, "x_visits")}
    in_odoo(odoo, "UPDATE res_partner SET x_visits = 0 WHERE id = 7")
    assert places_of(database, str(raw)) == set()
