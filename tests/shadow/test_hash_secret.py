"""The key of hashed fields: nobody can try it out, and a changed one leaves no old hash."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.mirror.run.dry_run import dry_run_model
from odoo_shadow.mirror.shape import hash_keys
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.catalog import contents
from tests.support.clients import source_of
from tests.support.counting import VISIT, VISITS, in_odoo, in_shadow, mirror_with, visits
from tests.support.planning import passed_over, plan, plan_and_mirror, work_of
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.running import column
from tests.support.searching import places_of, words_of
from tests.support.verifying import found_by, verify

pytestmark = [pytest.mark.one_flavour, pytest.mark.attack]

SECRET, OTHER_SECRET = "1f0c4be97a62d38e5b9074c1da386e2f", "c83a5d09e6f17b42908ed1c637fb5a40"
ROWS = 12
NAMELESS = ModelSettings(hashed_fields=("x_name",))


def hash_of(value: object, field: str = "x_name", secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), f"{field}\0{value}".encode(), hashlib.sha256).hexdigest()


@pytest.fixture
def visiting(shared_odoo: StandIn) -> Iterator[ApiSource]:
    """A client with a secret, of an Odoo with a small model."""
    with source_of(shared_odoo, extras={"hash_secret": SECRET}) as source, visits(shared_odoo, ROWS):
        yield source


@pytest.fixture
def rotated(visiting: ApiSource, shared_odoo: StandIn) -> Iterator[ApiSource]:
    """A client of the same Odoo with another secret."""
    with source_of(shared_odoo, extras={"hash_secret": OTHER_SECRET}) as source:
        yield source


def read_as_of(shadow: ShadowDatabase, model: str = VISIT) -> str:
    with shadow.transaction() as tx:
        ((text,),) = tx.run(
            "SELECT s.read_as FROM {state} s JOIN {meta} m USING (table_name) WHERE m.odoo_model = {model}",
            state=tx.internal("table_state"),
            meta=tx.own("odoo_shadow_meta"),
            model=model,
        )
        return str(text)


def key_of(shadow: ShadowDatabase, model: str = VISIT) -> UUID:
    return UUID(read_as_of(shadow, model).rpartition(" with key ")[2])


def known_keys(shadow: ShadowDatabase) -> list[UUID]:
    with shadow.transaction() as tx:
        return [key for (key,) in tx.run("SELECT key_id FROM {keys} ORDER BY 1", keys=tx.internal("hash_secret"))]


def names(shadow: ShadowDatabase) -> dict[int, Any]:
    return column(shadow, "x_name", range(1, ROWS + 1), VISITS)


# What is told of it.


def test_the_key_has_a_random_name(visiting: ApiSource, shadow: ShadowDatabase, database: str) -> None:
    mirror_with(visiting, shadow, settings=NAMELESS)
    with ShadowDatabase.from_url(database, schema="second_mirror") as second:
        mirror_with(visiting, second, settings=NAMELESS)
        assert key_of(second) != key_of(shadow)  # so it is made of no secret
    assert known_keys(shadow) == [key_of(shadow)]


def test_nothing_that_can_be_read_lets_secrets_be_tried_out(
    visiting: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror_with(visiting, shadow, settings=NAMELESS)
    former = hashlib.blake2b(
        b"odoo-shadow", key=hashlib.blake2b(SECRET.encode(), digest_size=32).digest(), digest_size=4
    ).hexdigest()
    assert places_of(database, f"{SECRET}|{former}|{hashlib.sha256(SECRET.encode()).hexdigest()[:8]}") == set()
    with new_role(database) as reader:
        run_as_owner(
            database,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {reader}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO {reader}",
            reader=reader,
        )
        with (
            psycopg.connect(as_role(database, reader)) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("SELECT salt, verifier FROM odoo_shadow_internal.hash_secret")
    assert words_of(database, "hashed x_name with key [-0-9a-f]+") == {f"hashed x_name with key {key_of(shadow)}"}


def test_the_name_stays_over_models_and_runs(visiting: ApiSource, shadow: ShadowDatabase) -> None:
    mirror_with(visiting, shadow, settings=NAMELESS)
    mirror_with(visiting, shadow, model="res.country", settings=ModelSettings(hashed_fields=("name",)))
    hash_keys._verifier.cache_clear()  # as in another process
    assert mirror_with(visiting, shadow).kind is ScanKind.INCREMENTAL
    assert known_keys(shadow) == [key_of(shadow)] == [key_of(shadow, "res.country")]


def test_the_slow_proof_is_made_once_a_process(
    visiting: ApiSource, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = 0
    scrypt = hashlib.scrypt

    def counting(*args: Any, **named: Any) -> bytes:
        nonlocal made
        made += 1
        return scrypt(*args, **named)

    monkeypatch.setattr(hashlib, "scrypt", counting)
    for _ in range(3):
        plan_and_mirror(visiting, shadow, settings=NAMELESS)
        mirror_with(visiting, shadow)
        verify(visiting, shadow)
    assert made == 1


def test_fields_that_are_not_hashed_need_no_proof(visiting: ApiSource, shadow: ShadowDatabase) -> None:
    mirror_with(visiting, shadow)
    assert known_keys(shadow) == []
    assert "key" not in read_as_of(shadow)


# The field's name is hashed as well.


def test_equal_values_of_two_fields_differ_and_of_one_name_are_joined(
    visiting: ApiSource, shared_odoo: StandIn, shadow: ShadowDatabase
) -> None:
    shared_odoo.add_field(VISIT, "x_other", "char")
    in_odoo(shared_odoo, "UPDATE x_visit SET x_name = 'same', x_other = 'same' WHERE id = 7")
    both = ModelSettings(hashed_fields=("x_name", "x_other"))
    mirror_with(visiting, shadow, settings=both)
    assert names(shadow)[7] == hash_of("same") != hash_of("same", "x_other")
    assert column(shadow, "x_other", [7], VISITS) == {7: hash_of("same", "x_other")}
    shared_odoo.add_model("x_note", {"x_name": "char"})
    try:
        shared_odoo.execute("x_note", "create", [{"x_name": "same"}])
        mirror_with(visiting, shadow, model="x_note", settings=NAMELESS)
        assert in_shadow(shadow, "SELECT x_name FROM {odoo_shadow_x_note}") == [(hash_of("same"),)]
    finally:
        shared_odoo.uninstall("x_note")


def former_hash_of(value: object) -> str:
    return hmac.new(SECRET.encode(), str(value).encode(), hashlib.sha256).hexdigest()


def test_values_that_were_hashed_in_the_former_way_are_hashed_anew(
    visiting: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror_with(visiting, shadow)
    values = names(shadow)
    mirror_with(visiting, shadow, settings=NAMELESS)
    for number, value in values.items():
        former = former_hash_of(value)
        in_shadow(
            shadow, "UPDATE {odoo_shadow_x_visit} SET x_name = {former} WHERE id = {id}", former=former, id=number
        )
    with shadow.transaction() as tx:  # as version 4 wrote it
        tx.run(
            "UPDATE {state} SET read_as = regexp_replace(read_as, 'with key .*', 'with key 1a2b3c4d')",
            state=tx.internal("table_state"),
        )
        tx.run("DELETE FROM {keys}", keys=tx.internal("hash_secret"))
    assert work_of(plan(visiting, shadow)) == {VISIT: "it is read differently from before"}
    assert mirror_with(visiting, shadow).kind is ScanKind.READ_AGAIN
    assert names(shadow) == {number: hash_of(value) for number, value in values.items()}
    assert places_of(database, former_hash_of(values[1])) == set()


# Another secret.


@pytest.mark.sampled
@pytest.mark.parametrize("on_delete", OnDelete)
def test_after_a_rotation_no_old_hash_stays(
    visiting: ApiSource,
    rotated: ApiSource,
    shared_odoo: StandIn,
    shadow: ShadowDatabase,
    database: str,
    on_delete: OnDelete,
) -> None:
    options = MirrorOptions(on_delete=on_delete)
    shared_odoo.add_field(VISIT, "x_gone", "char", default="was here")
    mirror_with(visiting, shadow, options, settings=ModelSettings(hashed_fields=("x_name", "x_gone")))
    old, old_key = names(shadow), key_of(shadow)
    shared_odoo.remove_field(VISIT, "x_gone")
    shared_odoo.execute(VISIT, "unlink", [7])
    mirror_with(visiting, shadow, options)
    removed = {old[7]} if on_delete is OnDelete.DELETE else set()
    old_hashes = "|".join([*old.values(), hash_of("was here", "x_gone")])
    assert words_of(database, old_hashes) == set(old_hashes.split("|")) - removed

    assert work_of(plan(rotated, shadow, options=options)) == {VISIT: "it is read differently from before"}
    assert mirror_with(rotated, shadow, options).kind is ScanKind.READ_AGAIN
    assert words_of(database, old_hashes) == set()
    ((name,),) = in_odoo(shared_odoo, "SELECT x_name FROM x_visit WHERE id = 5")
    assert names(shadow)[5] == hash_of(name, secret=OTHER_SECRET)
    assert key_of(shadow) != old_key
    assert found_by(verify(rotated, shadow, options=options)) == {}


def test_another_login_keeps_the_hashes_of_rows_that_are_gone(
    visiting: ApiSource, shared_odoo: StandIn, shadow: ShadowDatabase
) -> None:
    options = MirrorOptions(on_delete=OnDelete.MARK)
    mirror_with(visiting, shadow, options, settings=NAMELESS)
    old = names(shadow)
    shared_odoo.execute(VISIT, "unlink", [7])
    mirror_with(visiting, shadow, options)
    with source_of(shared_odoo, extras={"hash_secret": SECRET, "company_ids": [1]}) as other:
        assert mirror_with(other, shadow, options).kind is ScanKind.READ_AGAIN
    assert names(shadow) == old


def test_a_secret_that_comes_back_has_its_name_again_until_its_row_is_deleted(
    visiting: ApiSource, rotated: ApiSource, shadow: ShadowDatabase
) -> None:
    mirror_with(visiting, shadow, settings=NAMELESS)
    first = key_of(shadow)
    mirror_with(rotated, shadow)
    second = key_of(shadow)
    mirror_with(visiting, shadow)
    assert key_of(shadow) == first
    with shadow.transaction() as tx:
        tx.run("DELETE FROM {keys} WHERE key_id <> {first}", keys=tx.internal("hash_secret"), first=first)
    assert passed_over(plan_and_mirror(visiting, shadow)) == [] and passed_over(plan(visiting, shadow)) == [VISIT]
    mirror_with(rotated, shadow)
    assert key_of(shadow) not in (first, second)


def test_a_dry_run_foretells_it_and_writes_nothing(
    visiting: ApiSource, rotated: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    options = MirrorOptions()
    assert dry_run_model(visiting, shadow, VISIT, options=options, settings=NAMELESS).rows == ROWS
    mirror_with(visiting, shadow, settings=NAMELESS)
    assert dry_run_model(visiting, shadow, VISIT, options=options).rows == 0
    before = contents(database)
    assert dry_run_model(rotated, shadow, VISIT, options=options).rows == ROWS
    assert contents(database) == before
