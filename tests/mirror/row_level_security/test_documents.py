"""Nobody sees a document of a record that they do not see, nor in a document a name that its record hides from them."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import psycopg
import pytest
from psycopg import sql

from odoo_shadow.knowledge.documents import refresh as refreshing
from odoo_shadow.knowledge.documents.run import Failed
from odoo_shadow.mirror.run.for_readers import update_for_readers
from odoo_shadow.shadow.access.mode import RowLevelSecurity
from odoo_shadow.shadow.connection.database import ShadowDatabase
from tests.support.companies import OF_ONE, ONE, TWO, caller, ids, sync
from tests.support.documents import refresh
from tests.support.memory_source import MemorySource
from tests.support.roles import as_role, new_role, run_as_owner
from tools.embedded_postgres import drop_database, new_database

pytestmark = pytest.mark.attack

_NAMES = {"title": ["name"], "fields": ["partner_id", "company_id"]}
TEMPLATES: dict[str, dict[str, object]] = {
    "res.partner": {
        "title": ["name"],
        "fields": ["company_id", "country_id"],
        "lines": [{"model": "sale.order", "by": "partner_id", "fields": ["name", "company_id"]}],
    },
    "sale.order": {**_NAMES, "lines": [{"model": "sale.line", "by": "order_id", "fields": ["name", "partner_id"]}]},
    "sale.line": {"title": ["name"], "fields": ["order_id", "order_id.partner_id", "partner_id"]},
    "sale.subline": {"title": ["name"], "fields": ["line_id", "line_id.order_id", "partner_id"]},
    "account.account": {"title": ["name"], "fields": ["company_ids"]},
    "mail.note": {"title": ["name"]},
    "res.company": {"title": ["name"]},
    "res.country": {"title": ["name"]},
}
CALLERS: tuple[list[int], ...] = ([ONE], [TWO], [ONE, TWO], [99], [])


@pytest.fixture(scope="module")
def made(server: str, project: tuple[str, MemorySource]) -> Iterator[tuple[str, MemorySource]]:
    """Every record has a name of its own, and rows of each company point to rows of the other and to shared ones."""
    url, odoo = new_database(server, template=project[0]), deepcopy(project[1])
    for model in TEMPLATES:
        for number in odoo.models[model].records:
            odoo.write(model, [number], name=f"{model}/{number}.")
    odoo.create("res.partner", name="res.partner/4.", company_id=TWO, country_id=1)
    odoo.write("sale.order", [ONE], partner_id=4)  # a customer of the other company
    odoo.write("sale.line", [TWO], partner_id=ONE)
    odoo.write("sale.line", [3], order_id=TWO, partner_id=3)
    odoo.write("sale.subline", [3], line_id=False, partner_id=TWO)
    with ShadowDatabase.from_url(url) as shadow:
        assert sync(odoo, shadow) == ()
        refresh(shadow, TEMPLATES)
    yield url, odoo
    drop_database(server, url)


@pytest.fixture
def mixed(made: tuple[str, MemorySource]) -> MemorySource:
    return deepcopy(made[1])


@pytest.fixture
def restricted(server: str, made: tuple[str, MemorySource]) -> Iterator[str]:
    """The URL of this test's copy."""
    url = new_database(server, template=made[0])
    yield url
    drop_database(server, url)


def _documents(connection: psycopg.Connection) -> dict[tuple[str, int], str]:
    rows = connection.execute(
        "SELECT odoo_model, odoo_id, title || ' ' || body FROM odoo_shadow.odoo_shadow_document"
    ).fetchall()
    return {(str(model), int(number)): str(text) for model, number, text in rows}


def test_documents_are_seen_like_their_rows_and_show_no_others(mixed: MemorySource, restricted: str) -> None:
    everything = {f"{model}/{number}." for model in TEMPLATES for number in mixed.models[model].records}
    shown = set()
    for companies in CALLERS:
        with caller(restricted, company_ids=companies) as user:
            rows = {(model, number) for model in TEMPLATES for number in ids(user, model)}
            documents = _documents(user)
        visible = {f"{model}/{number}." for model, number in rows}
        assert documents.keys() <= rows
        # What only members of two companies together see has no document that they see: narrower, never wider.
        assert rows - documents.keys() <= {("sale.line", TWO), ("sale.subline", TWO)}
        text = " ".join(documents.values())
        assert not [name for name in everything - visible if name in text]
        shown |= {name for name in everything if name in text}
    assert "res.partner/4." in shown and "sale.line/1." in shown
    with caller(restricted, company_ids=[ONE]) as user:
        documents = _documents(user)
        assert "res.partner/4." not in documents["sale.order", ONE]  # the order's customer, which is of company Two
        assert "sale.line/1." in documents["sale.order", ONE]


def test_without_a_name_in_the_database_nobody_sees_one(mixed: MemorySource, restricted: str) -> None:
    with (
        caller(restricted, role="anon", company_ids=[ONE]) as user,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        _documents(user)
    with caller(restricted, company_ids=[ONE]) as user:
        stored = user.execute("SELECT count(*) FROM odoo_shadow.odoo_shadow_stored_document").fetchall()
        assert stored == [(len(_documents(user)),)]  # the table beneath shows no more


def test_a_record_that_moves_to_another_company_takes_its_document_along(
    mixed: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    mixed.write("sale.order", [ONE], company_id=TWO)
    assert sync(mixed, shadow) == ()
    refresh(shadow)
    with caller(restricted, company_ids=[ONE]) as user:
        assert ("sale.order", ONE) not in _documents(user)
        assert "sale.order/1." not in " ".join(_documents(user).values())
    with caller(restricted, company_ids=[TWO]) as user:
        assert "res.partner/4." in _documents(user)["sale.order", ONE]


def test_documents_made_for_everyone_are_hidden_when_rows_are_restricted(
    mixed: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    """Until they have been made anew; no document is shown in between that was written for others."""
    run_as_owner(restricted, OF_ONE.replace("ada", "eve"))
    assert sync(mixed, shadow, mode=RowLevelSecurity.NONE) == ()
    refresh(shadow)
    with caller(restricted) as user:
        assert "res.partner/4." in _documents(user)["sale.order", ONE]  # as all rows are shown
    assert sync(mixed, shadow, mode=RowLevelSecurity.COMPANY) == ()
    for companies in CALLERS:
        with caller(restricted, company_ids=companies) as user:
            assert _documents(user) == {}
            assert user.execute("SELECT FROM odoo_shadow.odoo_shadow_stored_document").fetchall() == []
    refresh(shadow)
    with caller(restricted, company_ids=[ONE]) as user:
        assert "res.partner/4." not in _documents(user)["sale.order", ONE]


def test_a_table_that_loses_what_restricts_it_hides_the_documents_that_show_it(
    mixed: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    assert sync(mixed, shadow, ["sale.order"], excluding=["company_id"], full=True) is not None
    with caller(restricted, company_ids=[ONE, TWO]) as user:
        assert ids(user, "sale.order") == []
        assert {model for model, _ in _documents(user)}.isdisjoint({"sale.order", "sale.line", "res.partner"})
    refresh(shadow)
    with caller(restricted, company_ids=[ONE, TWO]) as user:
        assert "sale.order/" not in " ".join(_documents(user).values())


@pytest.mark.sampled
@pytest.mark.parametrize("mode", RowLevelSecurity)
def test_whoever_may_not_read_a_table_sees_no_document_that_shows_it(
    mixed: MemorySource, shadow: ShadowDatabase, restricted: str, mode: RowLevelSecurity
) -> None:
    assert sync(mixed, shadow, mode=mode) == ()
    refresh(shadow)
    run_as_owner(restricted, "REVOKE SELECT ON odoo_shadow.odoo_shadow_res_country FROM odoo_shadow_reader")
    assert update_for_readers(shadow) == ()
    with caller(restricted, company_ids=[ONE, TWO]) as user:
        assert {model for model, _ in _documents(user)} == TEMPLATES.keys() - {"res.country", "res.partner"}
    run_as_owner(
        restricted,
        "GRANT SELECT ON odoo_shadow.odoo_shadow_res_country TO odoo_shadow_reader",
        "CREATE POLICY mine ON odoo_shadow.odoo_shadow_res_company AS RESTRICTIVE FOR SELECT USING (id = 1)",
        "ALTER TABLE odoo_shadow.odoo_shadow_res_company ENABLE ROW LEVEL SECURITY",
    )
    update_for_readers(shadow)
    with caller(restricted, company_ids=[ONE, TWO]) as user:
        found = {model for model, _ in _documents(user)}
        assert "res.country" in found and found.isdisjoint({"res.company", "sale.order", "res.partner"})
        rows = user.execute(
            sql.SQL("SELECT FROM odoo_shadow.odoo_shadow_stored_document WHERE odoo_model = {}").format("res.company")
        )
        assert rows.fetchall() == []


def test_the_policy_is_renewed_when_somebody_has_changed_it(
    mixed: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    run_as_owner(restricted, "ALTER POLICY odoo_shadow_readers ON odoo_shadow.odoo_shadow_stored_document USING (true)")
    with caller(restricted, company_ids=[ONE]) as user:
        assert ("sale.order", TWO) in _documents(user)
    assert update_for_readers(shadow) == ()
    with caller(restricted, company_ids=[ONE]) as user:
        assert ("sale.order", TWO) not in _documents(user)


def test_who_may_see_rows_is_asked_again_before_documents_are_shown(
    mixed: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    """Another run restricts the rows while a pass writes documents for everyone."""
    assert sync(mixed, shadow, mode=RowLevelSecurity.NONE) == ()
    refresh(shadow)
    run_as_owner(restricted, "UPDATE odoo_shadow.odoo_shadow_sale_order SET name = name || '.'")

    def restrict(*_: object) -> None:
        with ShadowDatabase.from_url(restricted) as other:
            assert sync(mixed, other, mode=RowLevelSecurity.COMPANY) == ()

    done = refresh(shadow, on_progress=restrict)
    assert any(
        isinstance(item, Failed) and "has changed while they were written" in item.error for item in done.values()
    )
    with caller(restricted, company_ids=[ONE]) as user:
        assert _documents(user) == {}
    refresh(shadow)
    with caller(restricted, company_ids=[ONE]) as user:
        assert ("sale.order", ONE) in _documents(user) and ("sale.order", TWO) not in _documents(user)


def test_a_template_that_shows_less_hides_nothing_less_before_it_has_been_used(
    mixed: MemorySource, shadow: ShadowDatabase, restricted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The texts still show the partner, whom the reader must not see."""
    assert sync(mixed, shadow, mode=RowLevelSecurity.NONE) == ()
    refresh(shadow)
    run_as_owner(restricted, "REVOKE SELECT ON odoo_shadow.odoo_shadow_res_partner FROM odoo_shadow_reader")

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(refreshing, "write_documents", end)
    with pytest.raises(KeyboardInterrupt):
        refresh(shadow, {"sale.order": {"title": ["name"], "fields": []}})
    assert update_for_readers(shadow) == ()
    with caller(restricted) as user:
        assert "sale.order" not in {model for model, _ in _documents(user)}


def test_a_right_on_columns_of_the_documents_is_no_right_on_what_they_show(
    mixed: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    assert sync(mixed, shadow, mode=RowLevelSecurity.NONE) == ()
    with new_role(restricted) as role:
        run_as_owner(
            restricted,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
            "GRANT SELECT (odoo_model, title) ON odoo_shadow.odoo_shadow_stored_document TO {role}",
            "GRANT SELECT ON odoo_shadow.odoo_shadow_document_model, odoo_shadow.odoo_shadow_res_company TO {role}",
            role=role,
        )
        refresh(shadow)
        with psycopg.connect(as_role(restricted, role)) as user:
            seen = user.execute("SELECT DISTINCT odoo_model FROM odoo_shadow.odoo_shadow_stored_document").fetchall()
        run_as_owner(restricted, "DROP OWNED BY {role}", role=role)
    assert seen == [("res.company",)]
