"""Proof on demand: verify compares with Odoo itself, tells what differs, and mends just that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from odoo_shadow.mirror.config.patterns import PRIORITY_MODELS
from odoo_shadow.mirror.errors import MassDeletionError, MirrorConfigurationError
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.proof.verify import QUICK_PAGE, Depth, VerifyOptions, verify_model
from odoo_shadow.mirror.sync import id_check
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.differences import Difference
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.errors import OdooUnreadableRecordsError
from odoo_stand_in import StandIn
from tests.support.catalog import contents, structure
from tests.support.clients import source_of
from tests.support.counting import (
    VISIT,
    VISITS,
    Call,
    CountingProxy,
    in_odoo,
    in_shadow,
    mirror_with,
    row_count,
    visits,
)
from tests.support.running import column
from tests.support.running import mirror as mirror_one
from tests.support.source_of_truth import assert_equal, shadow_rows
from tests.support.verifying import found_by, verify

ROWS = 60
DEPTHS = [Depth.QUICK, Depth.FULL]
MODELS = (*PRIORITY_MODELS, "x_awkward", "mail.followers")
# write_date moves, though the row was not mirrored since.
WRITTEN = "UPDATE x_visit SET x_name = 'News', write_date = now() AT TIME ZONE 'UTC' - interval '1 hour'"
WRITTEN_LATELY = WRITTEN.replace("hour", "minute")


@pytest.fixture
def source(odoo: StandIn, proxy: CountingProxy, shadow: ShadowDatabase) -> Iterator[ApiSource]:
    """A client whose calls are counted; a small model has been mirrored."""
    with source_of(odoo, host=proxy.url) as opened, visits(odoo, ROWS):
        mirror_with(opened, shadow)
        proxy.clear()
        yield opened


def saved(shadow: ShadowDatabase) -> list[dict[str, Any]]:
    return [row for (row,) in in_shadow(shadow, "SELECT to_jsonb(v) FROM {odoo_shadow_verification} v ORDER BY id")]


def test_a_fresh_mirror_differs_nowhere(shared_source: ApiSource, shadow: ShadowDatabase, database: str) -> None:
    for model in MODELS:
        mirror_with(shared_source, shadow, model=model)
        rows = len(shadow_rows(database, "odoo_shadow_" + model.replace(".", "_")))
        for depth in DEPTHS:
            verification = verify(shared_source, shadow, depth, model=model)
            assert found_by(verification) == {}, model
            assert verification.rows == rows > 0
            assert verification.is_settled


def lost_from_the_shadow(odoo: StandIn, shadow: ShadowDatabase) -> None:
    in_shadow(shadow, "DELETE FROM {odoo_shadow_x_visit} WHERE id IN (7, 60)")


def gone_from_odoo(odoo: StandIn, shadow: ShadowDatabase) -> None:
    in_odoo(odoo, "DELETE FROM x_visit WHERE id IN (7, 60)")


def never_in_odoo(odoo: StandIn, shadow: ShadowDatabase) -> None:
    in_shadow(shadow, "INSERT INTO {odoo_shadow_x_visit} (id, x_name) VALUES (9999, 'Who is this?')")


def written_in_odoo(odoo: StandIn, shadow: ShadowDatabase) -> None:
    in_odoo(odoo, f"{WRITTEN} WHERE id IN (7, 60)")


def changed_behind_write_date(odoo: StandIn, shadow: ShadowDatabase) -> None:
    in_odoo(odoo, "UPDATE x_visit SET x_name = 'By a module' WHERE id IN (7, 60)")


def emptied_behind_write_date(odoo: StandIn, shadow: ShadowDatabase) -> None:
    in_odoo(odoo, "UPDATE x_visit SET company_id = NULL WHERE id = 7")


def changed_in_the_shadow(odoo: StandIn, shadow: ShadowDatabase) -> None:
    in_shadow(shadow, "UPDATE {odoo_shadow_x_visit} SET x_name = 'By a stranger' WHERE id = 7")  # its hash is kept


def older_in_odoo(odoo: StandIn, shadow: ShadowDatabase) -> None:
    in_odoo(odoo, "UPDATE x_visit SET write_date = write_date - interval '1 year' WHERE id = 7")


@pytest.mark.parametrize(
    ("change", "kind", "ids", "depths"),
    [
        (lost_from_the_shadow, "missing", [7, 60], DEPTHS),
        (gone_from_odoo, "extra", [7, 60], DEPTHS),
        (never_in_odoo, "extra", [9999], DEPTHS),
        (written_in_odoo, "stale", [7, 60], DEPTHS),
        (older_in_odoo, "differing", [7], DEPTHS),
        (changed_behind_write_date, "differing", [7, 60], [Depth.FULL]),
        (emptied_behind_write_date, "differing", [7], [Depth.FULL]),
        (changed_in_the_shadow, "differing", [7], [Depth.FULL]),
    ],
)
def test_each_kind_of_difference_is_found_and_mended(
    odoo: StandIn,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    change: Callable[[StandIn, ShadowDatabase], None],
    kind: str,
    ids: list[int],
    depths: list[Depth],
) -> None:
    change(odoo, shadow)
    for depth in DEPTHS:
        verification = verify(source, shadow, depth)
        assert found_by(verification) == ({kind: ids} if depth in depths else {})
        assert verification.is_settled is (depth not in depths) and verification.repaired == 0
    repaired = verify(source, shadow, repair=True)
    assert found_by(repaired) == {kind: ids}
    assert repaired.repaired == len(ids) and repaired.is_settled
    assert_equal(odoo, database, [VISIT])
    assert row_count(shadow) == len(shadow_rows(database, VISITS))
    assert found_by(verify(source, shadow)) == {}


def all_kinds(odoo: StandIn, shadow: ShadowDatabase) -> dict[str, list[int]]:
    in_shadow(shadow, "DELETE FROM {odoo_shadow_x_visit} WHERE id IN (3, 31)")
    in_odoo(odoo, "DELETE FROM x_visit WHERE id = 4")
    in_odoo(odoo, f"{WRITTEN} WHERE id IN (5, 32, 59)")
    in_odoo(odoo, "UPDATE x_visit SET x_name = 'By a module' WHERE id IN (6, 33)")
    return {"missing": [3, 31], "extra": [4], "stale": [5, 32, 59], "differing": [6, 33]}


def test_what_was_found_is_kept(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    wanted, first, second = all_kinds(odoo, shadow), Run(), Run()
    assert found_by(verify(source, shadow, run=first)) == wanted
    verify(source, shadow, Depth.QUICK, repair=True, run=second)
    full, quick = saved(shadow)
    assert (full["run_id"], full["table_name"], full["kind"]) == (str(first.id), VISITS, "full")
    assert [full[kind] for kind in ("missing", "extra", "stale", "differing", "repaired")] == [2, 1, 3, 2, 0]
    assert full["examples"] == wanted
    assert full["rows_compared"] == ROWS - 1 and full["duration_ms"] >= 0
    assert full["started_at"] <= full["completed_at"]
    assert (quick["run_id"], quick["kind"], quick["differing"], quick["repaired"]) == (str(second.id), "quick", 0, 6)


def test_only_some_examples_are_kept(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    in_odoo(odoo, "UPDATE x_visit SET x_name = 'By a module'")
    assert len(verify(source, shadow).ids[Difference.DIFFERING]) == ROWS
    (entry,) = saved(shadow)
    assert entry["differing"] == ROWS and entry["examples"] == {"differing": list(range(1, 21))}


def test_verifying_writes_nothing_but_what_it_found(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    all_kinds(odoo, shadow)
    before = structure(database), contents(database)
    verify(source, shadow)
    after = structure(database), contents(database)
    assert len(after[1].pop("odoo_shadow_verification")) == 1
    before[1].pop("odoo_shadow_verification")
    (told,), (_,) = after[1].pop("odoo_shadow_meta"), before[1].pop("odoo_shadow_meta")
    assert "odoo_shadow_x_visit" in told  # that its last look has failed, for status
    assert after == before


def versions(shadow: ShadowDatabase) -> dict[int, str]:
    return dict(in_shadow(shadow, "SELECT id, xmin::text FROM {odoo_shadow_x_visit}"))


def test_a_repair_touches_exactly_what_differs(
    odoo: StandIn, proxy: CountingProxy, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    wanted = all_kinds(odoo, shadow)
    before = versions(shadow)
    assert verify(source, shadow, repair=True).repaired == 8
    after = versions(shadow)
    touched = {number for number in before.keys() | after.keys() if before.get(number) != after.get(number)}
    assert touched == {number for ids in wanted.values() for number in ids}
    by_id = [call.ids for call in proxy.of("search_read") if call.ids is not None]
    looked_again, read = sorted(touched), sorted(touched - set(wanted["extra"]))
    shown = sorted({*wanted["stale"], *wanted["differing"]})[:5]
    assert by_id == [looked_again, shown, read, looked_again]  # the last time to see that it is equal now
    assert_equal(odoo, database, [VISIT])


def test_what_counts_cannot_tell(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(id_check, "FEW_IDS", 1)  # a smaller table's ids are listed
    odoo.execute(VISIT, "unlink", [4])
    mirror_with(source, shadow)
    in_odoo(odoo, "INSERT INTO x_visit (id, x_name, write_date) VALUES (4, 'Restored', '2024-01-01')")
    in_odoo(odoo, "DELETE FROM x_visit WHERE id = 32")
    assert mirror_with(source, shadow).counts.deleted == 0  # as many here as there
    assert found_by(verify(source, shadow, repair=True)) == {"missing": [4], "extra": [32]}
    assert_equal(odoo, database, [VISIT])


def on_first(proxy: CountingProxy, method: str, action: Callable[[], object]) -> None:
    """Do something in the moment before a method's first call is passed on."""

    def act(call: Call) -> None:
        if call.method == method:
            proxy.before = lambda _: None
            action()

    proxy.before = act


@pytest.mark.parametrize("repair", [False, True], ids=["", "repairing"])
@pytest.mark.parametrize("depth", DEPTHS)
def test_rows_that_odoo_writes_meanwhile_are_not_reported(
    odoo: StandIn, proxy: CountingProxy, source: ApiSource, shadow: ShadowDatabase, depth: Depth, repair: bool
) -> None:
    in_odoo(odoo, f"{WRITTEN} WHERE id = 41")

    def write() -> None:
        odoo.execute(VISIT, "write", [8, 40], {"x_name": "Written meanwhile"})
        odoo.execute(VISIT, "create", [{"x_name": "Created meanwhile"}])

    on_first(proxy, "search", write)  # which asks for the highest id, before the first page
    verification = verify(source, shadow, depth, repair=repair)
    assert found_by(verification) == {"stale": [41]}
    assert verification.repaired == repair


def test_rows_that_a_run_writes_meanwhile_are_not_reported(
    odoo: StandIn, proxy: CountingProxy, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    has_run = False

    def run_before_the_page_arrives(_: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        nonlocal has_run
        if not has_run:
            has_run = True
            with ShadowDatabase.from_url(database) as other, source_of(odoo, host=proxy.url) as second:
                in_odoo(odoo, f"{WRITTEN_LATELY} WHERE id = 9")
                mirror_with(second, other)
        return rows

    odoo.rewrite = run_before_the_page_arrives
    assert found_by(verify(source, shadow)) == {}
    assert has_run and column(shadow, "x_name", [9], VISITS) == {9: "News"}


def test_quick_asks_for_no_more_than_it_compares(
    proxy: CountingProxy, source: ApiSource, shadow: ShadowDatabase
) -> None:
    verify(source, shadow, Depth.QUICK)
    assert [(call.fields, call.limit) for call in proxy.of("search_read")] == [(["id", "write_date"], QUICK_PAGE)]
    proxy.clear()
    verify(source, shadow)
    assert [call.limit for call in proxy.of("search_read")] == [20, 20, 20]
    assert all({"id", "write_date", "x_name", "company_id"} <= set(call.fields) for call in proxy.of("search_read"))


def test_a_repair_does_not_remove_a_suspicious_share(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    odoo.fill(VISIT, 140, company_id=1)
    mirror_with(source, shadow)
    in_odoo(odoo, "DELETE FROM x_visit WHERE id > 90")
    with pytest.raises(MassDeletionError, match="110 of 200"):
        verify(source, shadow, repair=True)
    assert len(shadow_rows(database, VISITS)) == 200
    allowed = verify(source, shadow, repair=True, options=MirrorOptions(allow_mass_delete=True))
    assert allowed.repaired == 110
    assert_equal(odoo, database, [VISIT])


def test_marked_rows_are_not_there_and_a_repair_marks_too(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mark = MirrorOptions(on_delete=OnDelete.MARK)
    odoo.execute(VISIT, "unlink", [7])
    mirror_with(source, shadow, mark)
    assert found_by(verify(source, shadow)) == {}
    odoo.execute(VISIT, "unlink", [8])
    in_shadow(shadow, "UPDATE {odoo_shadow_x_visit} SET _deleted_at = now() WHERE id = 9")
    repaired = verify(source, shadow, repair=True, options=mark)
    assert found_by(repaired) == {"extra": [8], "missing": [9]}
    rows = shadow_rows(database, VISITS)
    assert {number for number, row in rows.items() if row["_deleted_at"]} == {7, 8}
    assert row_count(shadow) == ROWS - 2
    assert found_by(verify(source, shadow)) == {}


def test_a_repair_leaves_rows_that_are_to_be_left(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    ignore = MirrorOptions(on_delete=OnDelete.IGNORE)
    odoo.execute(VISIT, "unlink", [7])
    mirror_with(source, shadow, ignore)
    verify(source, shadow, repair=True, options=ignore)
    assert 7 in shadow_rows(database, VISITS)


def test_a_model_without_write_date(odoo: StandIn, shadow: ShadowDatabase, database: str) -> None:
    model = "mail.followers"
    with source_of(odoo) as source:
        mirror_with(source, shadow, model=model)
        in_odoo(odoo, "UPDATE mail_followers SET partner_id = CASE partner_id WHEN 5 THEN 6 ELSE 5 END WHERE id = 9")
        in_shadow(shadow, "DELETE FROM {odoo_shadow_mail_followers} WHERE id = 10")
        assert found_by(verify(source, shadow, Depth.QUICK, model=model)) == {"missing": [10]}
        assert found_by(verify(source, shadow, repair=True, model=model)) == {"missing": [10], "differing": [9]}
    assert_equal(odoo, database, [model])


def test_a_model_without_a_table_is_told(source: ApiSource, shadow: ShadowDatabase) -> None:
    with pytest.raises(MirrorConfigurationError, match=r"res\.partner has no table .* run a sync first"):
        verify(source, shadow, model="res.partner")


def test_a_new_field_is_no_difference_before_its_column_is_there(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    odoo.add_field(VISIT, "x_grade", "char", default="A")
    assert found_by(verify(source, shadow)) == {}
    mirror_with(source, shadow)
    in_odoo(odoo, "UPDATE x_visit SET x_grade = 'B' WHERE id = 7")
    assert found_by(verify(source, shadow)) == {"differing": [7]}


def test_a_record_that_cannot_be_read_is_told_with_its_id(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    def stumble(_: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if any(row["id"] == 21 for row in rows):
            raise ValueError("a value that cannot be read")
        return rows

    odoo.rewrite = stumble
    in_shadow(shadow, "UPDATE {odoo_shadow_x_visit} SET x_name = 'wrong' WHERE id = 23")
    with pytest.raises(
        OdooUnreadableRecordsError, match=r"x_visit 21 cannot be read, so it cannot be compared: .*a value that cannot"
    ):
        verify(source, shadow, repair=True)
    assert column(shadow, "x_name", [23], VISITS) == {23: "X name 23"}  # all others are compared, and repaired
    found = in_shadow(shadow, "SELECT proven_up_to FROM {odoo_shadow_meta} WHERE odoo_model = 'x_visit'")
    assert found == [(None,)]


def test_what_is_written_otherwise_than_it_was_read_is_not_repaired(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    """Such as by a trigger that somebody agreed to: only a second look is proof."""
    mirror_one(source, shadow, "res.country")
    with psycopg.connect(database) as connection:
        connection.execute(
            "CREATE FUNCTION public.shout() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN NEW.name := upper(NEW.name); RETURN NEW; END $$"
        )
        connection.execute(
            "CREATE TRIGGER shout BEFORE UPDATE ON odoo_shadow.odoo_shadow_res_country"
            " FOR EACH ROW EXECUTE FUNCTION public.shout()"
        )
        connection.execute("UPDATE odoo_shadow.odoo_shadow_res_country SET name = 'x' WHERE id = 1")
    found = verify_model(
        source,
        shadow,
        "res.country",
        run=Run(),
        options=MirrorOptions(),
        verify=VerifyOptions(repair=True),
    )
    assert (found.differences, found.repaired, found.is_settled) == (1, 0, False)
