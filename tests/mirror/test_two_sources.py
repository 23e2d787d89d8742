"""One Odoo, by its API and from its own database: the same rows, and each a witness of the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.proof.verify import VerifyOptions, verify_model
from odoo_shadow.mirror.run.closing import close_run
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state.verifications import Verification
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.database import session
from odoo_shadow.source.database.connection import OdooDatabase
from odoo_shadow.source.database.source import DatabaseSource
from odoo_shadow.source.errors import OdooServerError
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import Reading
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.running import PARTNERS, mirror
from tests.support.verifying import found_by

ORDER = "sale.order"


@pytest.fixture
def tables(odoo: StandIn, source: ApiSource) -> Iterator[DatabaseSource]:
    """The same Odoo, read from its own database, with the API beside."""
    database = OdooDatabase.from_url(odoo.dsn, name="odoo_db", url=odoo.url, login=odoo.login)
    with DatabaseSource(database, source) as opened:
        yield opened


def in_odoo(odoo: StandIn, *statements: str) -> None:
    """Write past Odoo."""
    with psycopg.connect(odoo.dsn) as connection:
        for statement in statements:
            connection.execute(sql.SQL(statement))


def shown(shadow: ShadowDatabase, column: str) -> list[object]:
    with shadow.transaction() as tx:
        rows = tx.run("SELECT {column} FROM {table} ORDER BY id", column=sql.Identifier(column), table=tx.own(PARTNERS))
    return [row[0] for row in rows]


def witnessed(witness: Source, own: Source, shadow: ShadowDatabase, model: str) -> Verification:
    return verify_model(witness, shadow, model, run=Run(), options=MirrorOptions(), verify=VerifyOptions(), own=own)


def test_a_mirror_that_changes_its_source_is_not_written_again(
    source: ApiSource, tables: DatabaseSource, shadow: ShadowDatabase
) -> None:
    rows = mirror(source, shadow).counts.inserted
    assert mirror(tables, shadow).counts == RowCounts(unchanged=rows)
    assert mirror(source, shadow).counts == RowCounts(unchanged=rows)


def test_what_is_written_past_odoo_is_found_by_the_next_run(
    odoo: StandIn, tables: DatabaseSource, shadow: ShadowDatabase
) -> None:
    mirror(tables, shadow)
    in_odoo(
        odoo,
        "UPDATE res_partner SET ref = 'by SQL' WHERE id = (SELECT max(id) FROM res_partner)",
        "DELETE FROM res_partner_res_partner_category_rel",
    )
    assert mirror(tables, shadow).counts.updated > 1
    assert shown(shadow, "ref")[-1] == "by SQL" and not any(shown(shadow, "category_id"))
    assert mirror(tables, shadow).counts == RowCounts()


def test_a_savepoint_and_a_freeze_hide_and_show_nothing(
    odoo: StandIn, tables: DatabaseSource, shadow: ShadowDatabase
) -> None:
    """Within a savepoint rows are written by transactions of their own; freezing leaves the versions as they are."""
    mirror(tables, shadow)
    in_odoo(
        odoo,
        "SAVEPOINT one",
        "UPDATE res_partner SET ref = 'within' WHERE id = (SELECT min(id) FROM res_partner)",
        "RELEASE SAVEPOINT one",
    )
    assert mirror(tables, shadow).counts.updated == 1 and shown(shadow, "ref")[0] == "within"
    with psycopg.connect(odoo.dsn, autocommit=True) as connection:
        connection.execute("VACUUM (FREEZE, FULL) res_partner")
    assert mirror(tables, shadow).counts == RowCounts()


@contextmanager
def made_again(odoo: StandIn, column: str, of_type: str) -> Iterator[None]:
    """Let a column of partners be another one, with a default that no row had to be written for."""
    name = sql.Identifier(column).as_string()
    make = f"ALTER TABLE res_partner RENAME {name} TO former", f"ALTER TABLE res_partner ADD {name} {of_type}"
    in_odoo(odoo, *make)
    try:
        yield
    finally:
        in_odoo(odoo, f"ALTER TABLE res_partner DROP {name}", f"ALTER TABLE res_partner RENAME former TO {name}")


def test_a_column_that_was_made_again_is_read_again(
    odoo: StandIn, tables: DatabaseSource, shadow: ShadowDatabase
) -> None:
    """Its values are others, in rows that nothing has written."""
    mirror(tables, shadow)
    with made_again(odoo, "ref", "varchar DEFAULT 'made again'"):
        assert mirror(tables, shadow).counts.updated and set(shown(shadow, "ref")) == {"made again"}


def test_a_transaction_id_that_was_given_twice_is_told_by_the_date(odoo: StandIn, tables: DatabaseSource) -> None:
    """As by a server whose disk was set back: what shows that has become longer again."""
    reading = Reading("res.partner", ("id", "name"))
    before = tables.versions(reading)
    with made_again(odoo, "write_date", "timestamp DEFAULT '2001-01-01'"):
        after = tables.versions(reading)
    assert before is not None and after is not None and after.changed_since(before) == sorted(after.blocks)


def test_a_replica_that_lags_behind_what_was_told_is_not_read(
    tables: DatabaseSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind one address may be several: the versions of one say nothing about the rows of another."""
    reading = Reading("res.partner", ("id",))
    monkeypatch.setattr(session, "LONGEST_WAIT", timedelta(0))
    assert tables.versions(reading) is not None and tables.count(reading)
    monkeypatch.setattr(session, "position_in_log", lambda _: 1)
    with pytest.raises(OdooServerError, match="one lags"):
        tables.count(reading)


def test_what_changes_in_a_table_without_write_date(
    odoo: StandIn, tables: DatabaseSource, shadow: ShadowDatabase
) -> None:
    model = "mail.followers"
    rows = mirror(tables, shadow, model).counts.inserted
    in_odoo(odoo, "DELETE FROM mail_followers WHERE id = (SELECT min(id) FROM mail_followers)")
    assert rows and mirror(tables, shadow, model).counts == RowCounts(unchanged=rows - 1, deleted=1)


def test_rows_in_another_kind_of_table_have_no_versions(odoo: StandIn, tables: DatabaseSource) -> None:
    """What another server holds has the same `xmin` after every change."""
    reading = Reading("res.partner", ("id",))
    assert tables.versions(reading) is not None
    in_odoo(
        odoo,
        "CREATE FOREIGN DATA WRAPPER beyond",
        "CREATE SERVER far FOREIGN DATA WRAPPER beyond",
        "CREATE FOREIGN TABLE res_partner_of_old () INHERITS (res_partner) SERVER far",
    )
    try:
        assert tables.versions(reading) is None
    finally:
        in_odoo(odoo, "DROP FOREIGN DATA WRAPPER beyond CASCADE")


def test_a_link_by_company_is_empty_once_its_target_is_gone(
    odoo: StandIn, tables: DatabaseSource, shadow: ShadowDatabase
) -> None:
    """Neither the record nor what says so by company is written, and the target's table is not mirrored."""

    def closed_and_linked() -> bool:
        run = Run()
        mirror(tables, shadow, run=run)
        assert all(item.error is None for item in close_run(tables, shadow, run=run, options=MirrorOptions()))
        return any(shown(shadow, "property_payment_term_id"))

    assert closed_and_linked() and closed_and_linked()
    move = "UPDATE account_payment_term SET id = id {} 1000"
    in_odoo(odoo, "SET LOCAL session_replication_role = replica", move.format("+"))
    try:
        assert not closed_and_linked()
    finally:
        in_odoo(odoo, "SET LOCAL session_replication_role = replica", move.format("-"))


def test_what_is_still_open_is_found_once_it_is_committed(
    odoo: StandIn, tables: DatabaseSource, shadow: ShadowDatabase
) -> None:
    """However many transactions have begun and ended meanwhile."""
    mirror(tables, shadow)
    with psycopg.connect(odoo.dsn) as late:
        late.execute("UPDATE res_partner SET ref = 'late' WHERE id = (SELECT min(id) FROM res_partner)")
        in_odoo(odoo, "UPDATE res_partner SET ref = 'soon' WHERE id = (SELECT max(id) FROM res_partner)")
        assert mirror(tables, shadow).counts.updated == 1
    assert mirror(tables, shadow).counts.updated == 1
    assert (shown(shadow, "ref")[0], shown(shadow, "ref")[-1]) == ("late", "soon")


def test_a_value_that_is_wrong_in_the_shadow_is_told_by_the_other_source(
    source: ApiSource, tables: DatabaseSource, shadow: ShadowDatabase
) -> None:
    mirror(source, shadow)
    with shadow.transaction() as tx:
        ((wrong,),) = tx.run(
            "UPDATE {t} SET ref = 'forged' WHERE id = (SELECT min(id) FROM {t}) RETURNING id", t=tx.own(PARTNERS)
        )
    assert found_by(witnessed(tables, source, shadow, "res.partner")) == {"differing": [wrong]}


def test_an_error_of_the_mirrors_own_source_is_not_explained_by_itself(
    odoo: StandIn, source: ApiSource, tables: DatabaseSource, shadow: ShadowDatabase
) -> None:
    """What both sources see must be the same by both, even if the shadow is as its own source says."""
    link = "INSERT INTO res_partner_res_partner_category_rel (partner_id, category_id) SELECT min(p.id), min(c.id)"
    in_odoo(odoo, f"{link} FROM res_partner p, res_partner_category c ON CONFLICT DO NOTHING")
    mirror(tables, shadow)
    with shadow.transaction() as tx:
        changed = tx.run(
            "UPDATE {t} SET category_id = '{{}}' WHERE category_id <> '{{}}' RETURNING id", t=tx.own(PARTNERS)
        )
    found = witnessed(source, tables, shadow, "res.partner")
    assert found_by(found) == {"differing": sorted(row[0] for row in changed)} and changed


def test_what_rules_hide_is_told_apart(
    odoo: StandIn, source: ApiSource, tables: DatabaseSource, shadow: ShadowDatabase
) -> None:
    with source_of(odoo, extras={"company_ids": "1"}) as narrow:
        rows = mirror(narrow, shadow, ORDER).counts.inserted
        hidden = tables.count(Reading(ORDER, ())) - rows
        with shadow.transaction() as tx:
            ((gone,),) = tx.run(
                "DELETE FROM {t} WHERE id = (SELECT min(id) FROM {t}) RETURNING id", t=tx.own("odoo_shadow_sale_order")
            )
        found = witnessed(tables, narrow, shadow, ORDER)
    assert found_by(found) == {"missing": [gone]}
    assert len(found.explained) >= hidden > 0


def test_all_tables_are_read_as_of_one_moment(odoo: StandIn, tables: DatabaseSource, shadow: ShadowDatabase) -> None:
    with tables.one_moment():
        mirror(tables, shadow)
        in_odoo(odoo, "UPDATE res_partner SET ref = 'later' WHERE id = (SELECT min(id) FROM res_partner)")
        assert mirror(tables, shadow, full=True).counts.written == 0
    assert mirror(tables, shadow).counts.updated == 1 and shown(shadow, "ref")[0] == "later"
