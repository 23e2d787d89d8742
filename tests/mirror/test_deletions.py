"""Nothing stays that is gone: deletions are found cheaply, and a suspicious share does not go unasked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from odoo_shadow.mirror.errors import MassDeletionError
from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.mirror.sync import id_check
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.errors import OdooAccessError
from odoo_stand_in import StandIn
from tests.support.catalog import structure
from tests.support.clients import source_of
from tests.support.counting import (
    VISIT,
    VISITS,
    CountingProxy,
    in_odoo,
    in_shadow,
    mirror_with,
    row_count,
    visits,
)
from tests.support.running import PARTNERS, column, log_of, mirror, statuses_of
from tests.support.source_of_truth import assert_equal, expected_rows, shadow_rows

pytestmark = pytest.mark.one_flavour

MARK = MirrorOptions(on_delete=OnDelete.MARK)
IGNORE = MirrorOptions(on_delete=OnDelete.IGNORE)
ALLOWED = MirrorOptions(allow_mass_delete=True)


@pytest.fixture
def source(odoo: StandIn, proxy: CountingProxy) -> Iterator[ApiSource]:
    """A client whose calls are counted."""
    with source_of(odoo, host=proxy.url) as opened:
        yield opened


@pytest.fixture
def set_companies(odoo: StandIn) -> Iterator[Callable[..., None]]:
    """What limits the administrator to some companies; afterwards all are allowed again."""

    def allow(*companies: int) -> None:
        in_odoo(odoo, "DELETE FROM res_company_users_rel WHERE user_id = 2")
        for company in companies:
            in_odoo(odoo, "INSERT INTO res_company_users_rel (user_id, cid) VALUES (2, %s)", company)

    yield allow
    allow(1, 2, 3)


def ids_of(database: str, table: str = VISITS) -> set[int]:
    return set(shadow_rows(database, table))


def marked(shadow: ShadowDatabase) -> dict[int, object]:
    return dict(in_shadow(shadow, "SELECT id, _deleted_at FROM {odoo_shadow_x_visit} WHERE _deleted_at IS NOT NULL"))


@pytest.mark.parametrize("model", ["res.partner", "mail.followers"], ids=["by write_date", "without write_date"])
def test_deleted_rows_leave_the_shadow_and_archived_ones_stay(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, model: str
) -> None:
    table = "odoo_shadow_" + model.replace(".", "_")
    values: list[dict[str, object]] = [{"name": f"Row {number}"} for number in range(3)]
    if model == "mail.followers":
        values = [{"res_model": "res.partner", "res_id": 900 + number, "partner_id": 5} for number in range(3)]
    first, second, third = odoo.execute(model, "create", values)
    mirror(source, shadow, model)
    odoo.execute(model, "unlink", [first, second])
    if model == "res.partner":
        odoo.execute(model, "action_archive", [third])
    result = mirror(source, shadow, model)
    assert result.counts.deleted == 2
    assert log_of(shadow)[-1]["rows_deleted"] == 2
    assert {first, second, third} & ids_of(database, table) == {third}
    assert_equal(odoo, database, [model])
    assert row_count(shadow, table) == len(shadow_rows(database, table))
    assert mirror(source, shadow, model).counts.deleted == 0


@pytest.mark.parametrize("model", ["res.partner.category", "res.partner.bank"], ids=["of its own", "of another model"])
def test_rows_that_a_cascade_deletes_go_too(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, model: str
) -> None:
    if model == "res.partner.bank":
        (above,) = odoo.execute("res.partner", "create", [{"name": "Has accounts"}])
        values = [{"acc_number": f"XX99 {number}", "partner_id": above} for number in range(2)]
        doomed, parent = odoo.execute(model, "create", values), "res.partner"
    else:
        (above,) = odoo.execute(model, "create", [{"name": "Above"}])
        (below,) = odoo.execute(model, "create", [{"name": "Below", "parent_id": above}])
        doomed, parent = [above, below], model
        doomed += odoo.execute(model, "create", [{"name": "Further below", "parent_id": below}])
    table = "odoo_shadow_" + model.replace(".", "_")
    mirror(source, shadow, model)
    assert set(doomed) <= ids_of(database, table)
    odoo.execute(parent, "unlink", [above])  # nothing tells of the rows below it
    assert mirror(source, shadow, model).counts.deleted == len(doomed)
    assert_equal(odoo, database, [model])


def test_one_deleted_and_one_created_at_once(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    (old,) = odoo.execute("res.partner", "create", [{"name": "Old"}])
    mirror(source, shadow)
    before = row_count(shadow, PARTNERS)
    odoo.execute("res.partner", "unlink", [old])
    odoo.execute("res.partner", "create", [{"name": "New"}])
    result = mirror(source, shadow)
    assert row_count(shadow, PARTNERS) == before
    assert (result.counts.inserted, result.counts.deleted) == (1, 1)
    assert_equal(odoo, database, ["res.partner"])


def test_a_row_that_no_window_showed_is_read_when_the_counts_differ(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    with visits(odoo, 50):
        with odoo.transaction() as slow:
            (late,) = slow.execute(VISIT, "create", [{"x_name": "Late"}])
            odoo.execute(VISIT, "create", [{"x_name": "In time"}])
            mirror(source, shadow, VISIT)
        in_odoo(odoo, "UPDATE x_visit SET write_date = write_date - interval '1 day' WHERE id = %s", late)
        assert late not in ids_of(database)
        assert mirror(source, shadow, VISIT).counts.inserted == 1
        assert column(shadow, "x_name", [late], VISITS) == {late: "Late"}
        assert row_count(shadow) == len(ids_of(database)) == 52


def test_marking_keeps_the_row_and_says_when(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    with visits(odoo, 50):
        mirror_with(source, shadow, MARK)
        before = shadow_rows(database, VISITS)
        odoo.execute(VISIT, "unlink", [7, 9])
        assert mirror_with(source, shadow, MARK).counts.deleted == 2
        first = marked(shadow)
        assert set(first) == {7, 9} and row_count(shadow) == 48
        after = shadow_rows(database, VISITS)
        assert after[7] | {"_deleted_at": None} == before[7]
        assert mirror_with(source, shadow, MARK).counts.deleted == 0
        assert marked(shadow) == first


def test_who_reads_through_the_view_sees_the_mark(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    with visits(odoo, 5):
        mirror_with(source, shadow, MARK)
    seen = {row[3] for row in structure(database)["columns"] if row[:2] == ("public", VISITS)}
    assert "_deleted_at" in seen


@pytest.mark.parametrize("written", [False, True], ids=["as it was", "written since"])
def test_a_marked_row_that_is_there_again_is_marked_no_more(
    odoo: StandIn,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    set_companies: Callable[..., None],
    written: bool,
) -> None:
    with visits(odoo, 50):
        in_odoo(odoo, "UPDATE x_visit SET company_id = 3 WHERE id = 7")
        mirror_with(source, shadow, MARK)
        set_companies(1, 2)
        mirror_with(source, shadow, MARK)
        assert set(marked(shadow)) == {7}
        set_companies(1, 2, 3)
        if written:
            odoo.execute(VISIT, "write", [7], {"x_name": "Written since"})
        mirror_with(source, shadow, MARK)
        assert marked(shadow) == {} and row_count(shadow) == 50
        assert_equal(odoo, database, [VISIT])


def test_ignoring_leaves_the_row_and_says_that_no_count_can_tell(
    odoo: StandIn, proxy: CountingProxy, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    with visits(odoo, 50):
        mirror_with(source, shadow, IGNORE)
        odoo.execute(VISIT, "unlink", [7])
        proxy.clear()
        result = mirror_with(source, shadow, IGNORE)
        assert result.counts.deleted == 0 and "counts cannot show" in str(result)
        assert 7 in ids_of(database)
        # Whether Odoo's database is the same, the fields, what was written, how many there are, and which.
        assert len(proxy.calls) == 5
        mirror_with(source, shadow, MirrorOptions(on_delete=OnDelete.DELETE))  # somebody changes their mind
        assert_equal(odoo, database, [VISIT])


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("rows", "gone", "is_stopped"),
    [(600, 120, False), (600, 121, True), (300, 100, False), (300, 101, True)],
    ids=["a fifth", "more than a fifth", "a hundred", "more than a hundred"],
)
def test_a_suspicious_share_does_not_go_unasked(
    odoo: StandIn,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    rows: int,
    gone: int,
    is_stopped: bool,
) -> None:
    with visits(odoo, rows):
        mirror_with(source, shadow)
        in_odoo(odoo, "DELETE FROM x_visit WHERE id <= %s", gone)
        if is_stopped:
            with pytest.raises(MassDeletionError, match=rf"{gone} of {rows} rows.*--allow-mass-delete"):
                mirror_with(source, shadow)
            assert len(shadow_rows(database, VISITS)) == row_count(shadow) == rows
            assert statuses_of(shadow) == ["success", "error"]
        assert mirror_with(source, shadow, ALLOWED if is_stopped else None).counts.deleted == gone
        assert_equal(odoo, database, [VISIT])


def test_a_suspicious_share_is_not_marked_either(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    with visits(odoo, 300):
        mirror_with(source, shadow, MARK)
        in_odoo(odoo, "DELETE FROM x_visit WHERE id > 150")
        with pytest.raises(MassDeletionError, match="150 of 300"):
            mirror_with(source, shadow, MARK)
        assert marked(shadow) == {}


def test_what_changed_arrives_though_a_run_stops_at_deletions(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    with visits(odoo, 300):
        mirror_with(source, shadow)
        in_odoo(odoo, "DELETE FROM x_visit WHERE id > 150")
        odoo.execute(VISIT, "write", [7], {"x_name": "Written meanwhile"})
        with pytest.raises(MassDeletionError):
            mirror_with(source, shadow)
        assert column(shadow, "x_name", [7], VISITS) == {7: "Written meanwhile"}


@pytest.mark.parametrize("rows", [600, 40], ids=["a large table", "a small one"])
def test_lost_companies_do_not_empty_a_table(
    odoo: StandIn,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    set_companies: Callable[..., None],
    rows: int,
) -> None:
    with visits(odoo, rows, company=2):
        mirror_with(source, shadow)
        set_companies(1)  # the record rule hides all rows; Odoo does not call that an error
        with pytest.raises(MassDeletionError, match=f"{rows} of {rows} rows.*lost rights or companies"):
            mirror_with(source, shadow)
        assert len(ids_of(database)) == rows
        set_companies(1, 2, 3)
        assert mirror_with(source, shadow).counts.deleted == 0
        assert_equal(odoo, database, [VISIT])


def test_lost_rights_on_the_model_remove_nothing(odoo: StandIn, shadow: ShadowDatabase, database: str) -> None:
    limited = odoo.limited_api_key if odoo.flavour == "19" else odoo.limited_password
    with source_of(odoo) as before, source_of(odoo, login=odoo.limited_login, password=limited) as after:
        mirror(before, shadow, "account.move")
        rows = ids_of(database, "odoo_shadow_account_move")
        with pytest.raises(OdooAccessError):
            mirror(after, shadow, "account.move")
    assert rows and ids_of(database, "odoo_shadow_account_move") == rows


@pytest.fixture
def large(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A mirrored table that is to the limits as one of 600,000 rows; gives its number of rows."""
    for limit in ("FEW_IDS", "IDS_PER_CALL", "ROWS_PER_BLOCK"):
        monkeypatch.setattr(id_check, limit, getattr(id_check, limit) // 100)
    with visits(odoo, 6000):
        mirror_with(source, shadow)
        yield 6000


@pytest.mark.sampled
@pytest.mark.parametrize("gone", [1, 3333, 5999])
def test_one_deleted_row_of_many_costs_few_calls(
    odoo: StandIn,
    proxy: CountingProxy,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    large: int,
    gone: int,
) -> None:
    odoo.execute(VISIT, "unlink", [gone])
    proxy.clear()
    result = mirror_with(source, shadow, MirrorOptions(look_back=timedelta(0)))
    assert result.counts.deleted == 1
    assert gone not in ids_of(database) and row_count(shadow) == large - 1
    assert len(proxy.calls) <= 12 + id_check.MOST_BLOCKS
    assert proxy.answered("search") <= large // 4
    assert proxy.most_answered("search") <= id_check.IDS_PER_CALL


def test_equal_counts_cost_a_call_for_each_block(
    proxy: CountingProxy, source: ApiSource, shadow: ShadowDatabase, large: int
) -> None:
    proxy.clear()
    mirror_with(source, shadow, MirrorOptions(look_back=timedelta(0)))
    blocks = id_check.MOST_BLOCKS
    # Whether Odoo's database is the same, the fields, what was written, all rows, and each block.
    assert len(proxy.calls) == 4 + blocks
    assert proxy.calls[-1].method == "search_count" and proxy.answered("search") == 0


def test_a_gap_in_the_ids_is_passed_in_few_calls(
    odoo: StandIn, proxy: CountingProxy, source: ApiSource, shadow: ShadowDatabase, database: str, large: int
) -> None:
    in_odoo(odoo, "INSERT INTO x_visit (id, x_name, write_date) VALUES (2000000000, 'Far off', now())")
    mirror_with(source, shadow)
    odoo.execute(VISIT, "unlink", [4000])
    proxy.clear()
    mirror_with(source, shadow)
    assert ids_of(database) == set(expected_rows(odoo, VISIT))
    assert len(proxy.calls) <= 40
    assert proxy.answered("search") <= large // 2


def test_many_deleted_rows_are_found_by_listing(
    odoo: StandIn, proxy: CountingProxy, source: ApiSource, shadow: ShadowDatabase, database: str, large: int
) -> None:
    in_odoo(odoo, "DELETE FROM x_visit WHERE id %% 70 = 0")
    proxy.clear()
    mirror_with(source, shadow)
    assert ids_of(database) == set(expected_rows(odoo, VISIT))
    assert len(proxy.calls) <= 6 + 2 * id_check.MOST_BLOCKS  # each block is counted, and listed
    assert proxy.most_answered("search") <= id_check.IDS_PER_CALL
