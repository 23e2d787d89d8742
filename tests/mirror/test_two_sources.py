"""One Odoo, by its API and from its own database: the same rows, and each a witness of the other."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.proof.verify import VerifyOptions, verify_model
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state.verifications import Verification
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.database.connection import OdooDatabase
from odoo_shadow.source.database.source import DatabaseSource
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
