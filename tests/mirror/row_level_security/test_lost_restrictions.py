"""What goes from Odoo, the settings or the database never shows more rows; the doctor says what is hidden, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import LiteralString

import psycopg
import pytest

from odoo_shadow.mirror.run.for_readers import update_for_readers
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.fields import Field
from tests.support.companies import ONE, RESTRICTED, TWO, caller, each, ids, one_value, seen, sync, told
from tests.support.memory_source import MemorySource
from tests.support.roles import new_role, run_as_owner

pytestmark = pytest.mark.attack

ALL = [1, 2, 3]
ORDER = Field("order_id", "many2one", relation="sale.order")
ANY = Field("order_id", "many2one_reference")


def test_a_policy_keeps_no_column_from_changing(odoo: MemorySource, shadow: ShadowDatabase, restricted: str) -> None:
    """The order's company becomes a text and, as a new column that is filled again, a company once more."""
    fields = odoo.models["sale.order"].fields
    company = fields["company_id"]
    fields["company_id"] = Field("company_id", "char")
    assert sync(odoo, shadow, ["sale.order"]) == ()
    assert "odoo_shadow_sale_order shows no rows to readers, because its model has a company that is not" in told(
        shadow
    )
    with caller(restricted, sub="ada") as user:
        assert ids(user, "sale.order") == [] and ids(user, "sale.subline") == [3]
    with psycopg.connect(restricted) as owner:
        columns = "SELECT string_agg(attname || ' ' || atttypid::regtype, ', ') FROM pg_attribute WHERE attrelid ="
        found = one_value(owner, f"{columns} 'odoo_shadow.odoo_shadow_sale_order'::regclass AND attname ~ '^company'")
        assert found == "company_id text"  # in place: none is kept beside it
    fields["company_id"] = company
    assert sync(odoo, shadow, ["sale.order"]) == ()
    with caller(restricted, sub="ada") as user:
        assert seen(user, RESTRICTED) == each([ONE, 3])


def _becomes(field: Field) -> Callable[[dict[str, Field]], None]:
    return lambda fields: fields.update({field.name: field})


NEW = ("text", "dependent", "elsewhere")
"""Models that get an order of company One."""
LOSSES: dict[str, tuple[str, Callable[[dict[str, Field]], object] | None]] = {
    "text": ("order_id", _becomes(Field("order_id", "char"))),
    "dependent": (
        "order_id",
        _becomes(Field("order_id", "many2one", relation="sale.order", company_dependent=True)),
    ),
    "elsewhere": ("order_id", _becomes(Field("order_id", "many2one", relation="res.country"))),
    "mail.note": ("res_id", lambda fields: fields.pop("res_id")),
    "sale.subline": ("line_id", lambda fields: fields.pop("line_id")),
    "sale.line": ("order_id", None),
}
"""By model: which link is lost, and how; by the database, if not so."""


def test_what_has_lost_what_restricted_it_is_closed(
    odoo: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    for model in NEW:
        odoo.add_model(model, ORDER, Field("name", "char"))
        odoo.create(model, order_id=ONE)
    odoo.wait()
    assert sync(odoo, shadow, NEW) == ()
    with caller(restricted, sub="ada") as user:
        assert seen(user, NEW) == each([1], NEW)
    for model, (_, lose) in LOSSES.items():
        if lose is not None:
            lose(odoo.models[model].fields)
    run_as_owner(restricted, "ALTER TABLE odoo_shadow.odoo_shadow_sale_line DROP COLUMN order_id CASCADE")
    assert sync(odoo, shadow, [model for model, (_, lose) in LOSSES.items() if lose is not None]) == ()
    with caller(restricted, sub="ada") as user:
        assert seen(user, list(LOSSES)) == each([], LOSSES)
    for model, (field, _) in LOSSES.items():
        reason = f"because it has lost {field}, which restricted it"
        assert f"odoo_shadow_{model.replace('.', '_')} shows no rows to readers, {reason}" in told(shadow)


def test_who_forgets_a_lost_link_has_the_others_restrict(
    odoo: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    """The link is lost by the settings."""
    odoo.write("sale.line", [ONE], partner_id=TWO)
    odoo.wait()
    assert sync(odoo, shadow, ["sale.line"], excluding=["order_id"]) == ()
    with caller(restricted, sub="ada") as user:
        assert ids(user, "sale.line") == [] and ids(user, "sale.subline") == [3]
    assert "odoo_shadow_sale_line shows no rows to readers, because it has lost order_id" in told(shadow)
    run_as_owner(restricted, "DELETE FROM odoo_shadow_internal.known_link WHERE field_name = 'order_id'")
    assert update_for_readers(shadow) == ()
    with caller(restricted, sub="ada") as user:
        assert ids(user, "sale.line") == [TWO, 3]


def test_a_company_that_is_left_out_closes_its_table(
    odoo: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    """By the settings, or because Odoo does not have it any more."""
    del odoo.models["account.account"].fields["company_ids"]
    assert sync(odoo, shadow, ["sale.order"], excluding=["company_id"]) == ()
    assert sync(odoo, shadow, ["account.account"]) == ()
    with caller(restricted, sub="ada") as user:
        assert seen(user, ["sale.order", "account.account", "sale.line"]) == {
            "sale.order": [],
            "account.account": [],
            "sale.line": [3],
        }
    for table in ("odoo_shadow_sale_order", "odoo_shadow_account_account"):
        assert f"{table} shows no rows to readers, because its model has a company that is not mirrored" in told(shadow)


def test_rows_without_a_company_are_hidden_where_another_company_field_is_lost(
    odoo: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    odoo.models["account.account"].fields["company_id"] = Field("company_id", "many2one", relation="res.company")
    for record in odoo.models["account.account"].records.values():
        record["company_id"] = False
    odoo.write("account.account", [ONE], company_id=ONE)
    odoo.wait()
    assert sync(odoo, shadow, ["account.account"]) == ()
    del odoo.models["account.account"].fields["company_ids"]
    assert sync(odoo, shadow, ["account.account"]) == ()
    with caller(restricted, sub="ada") as user:
        assert ids(user, "account.account") == [ONE]


def test_what_points_to_a_table_that_is_not_there_is_closed_until_it_is(
    odoo: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    view = "VIEW odoo_shadow.odoo_shadow_sale_order"
    run_as_owner(restricted, "DROP TABLE odoo_shadow.odoo_shadow_sale_order CASCADE")
    sync(odoo, shadow, ["sale.line"])
    for statement in (f"CREATE {view} AS SELECT 1::bigint AS id", f"DROP {view}"):
        with caller(restricted, sub="ada") as user:
            assert ids(user, "sale.line") == []
        assert "it points to odoo_shadow_sale_order, which has yet to be created" in told(shadow)
        with psycopg.connect(restricted, autocommit=True) as owner:
            owner.execute(statement.encode())
        update_for_readers(shadow)
    assert sync(odoo, shadow) == ()
    with caller(restricted, sub="ada") as user:
        assert ids(user, "sale.line") == [ONE, 3]


ORDERS, LINES = "odoo_shadow.odoo_shadow_sale_order", "odoo_shadow.odoo_shadow_sale_line"
IN_THE_WAY: dict[str, list[LiteralString]] = {
    "order_id points to sale.order, which restricted it and is no longer mirrored": [
        "DELETE FROM odoo_shadow.odoo_shadow_meta WHERE odoo_model = 'sale.order'"
    ],
    "odoo_shadow_sale_order shows no rows to readers, because another table has its name until": [
        f"CREATE TABLE odoo_shadow.fake (LIKE {ORDERS})",
        f"ALTER TABLE {ORDERS} RENAME TO former",
        "ALTER TABLE odoo_shadow.fake RENAME TO odoo_shadow_sale_order",
        f"GRANT SELECT ON {ORDERS} TO odoo_shadow_reader",
    ],
    "it points to odoo_shadow_sale_order, which has yet to be created": [
        f"ALTER TABLE {ORDERS} RENAME COLUMN id TO former",
        f"ALTER TABLE {ORDERS} ADD COLUMN id bigint",
        f"UPDATE {ORDERS} SET id = former, company_id = 1",  # noqa: S608
    ],
    "it has lost order_id, which restricted it": [
        f"DROP VIEW {LINES}_named, public.odoo_shadow_sale_line, public.odoo_shadow_sale_line_named CASCADE",
        f"DROP POLICY odoo_shadow_readers ON {LINES}",
        f"ALTER TABLE {LINES} ALTER order_id TYPE text",
    ],
}
"""By what the doctor says: how orders, or how lines point to them, are not what the mirror has made any more."""


@pytest.mark.parametrize("reason", IN_THE_WAY)
def test_what_takes_the_place_of_something_shows_no_more(
    shadow: ShadowDatabase, restricted: str, reason: LiteralString
) -> None:
    run_as_owner(restricted, *IN_THE_WAY[reason])
    assert update_for_readers(shadow) == ()
    assert reason in told(shadow)
    with caller(restricted, sub="ada") as user:
        assert ids(user, "sale.line") == [] and ids(user, "sale.subline") == [3]


def test_what_has_no_values_yet_shows_no_row(
    odoo: MemorySource, shadow: ShadowDatabase, restricted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three models get a company and links, and the runs end before they have filled the columns."""
    new = {"mail.note": Field("company_id", "many2one", relation="res.company"), "res.country": ORDER, "uom.uom": ANY}
    for model, field in new.items():
        odoo.models[model].fields[field.name] = field
        for record in odoo.models[model].records.values():
            record[field.name] = TWO if model == "mail.note" else False
    monkeypatch.setattr("odoo_shadow.mirror.sync.model_run.fill_new_columns", lambda *_: 1 / 0)
    for model in new:
        with pytest.raises(ZeroDivisionError):
            sync(odoo, shadow, [model])
    assert update_for_readers(shadow) == ()
    with caller(restricted, sub="ada") as user:
        assert seen(user, list(new)) == each([], new)
    monkeypatch.undo()
    assert sync(odoo, shadow, list(new)) == ()
    with caller(restricted, company_ids=TWO) as user:
        assert seen(user, list(new)) == {"mail.note": ALL, "res.country": [1], "uom.uom": [1]}


def test_the_doctor_lists_who_sees_all_rows(shadow: ShadowDatabase, restricted: str) -> None:
    with new_role(restricted) as role, new_role(restricted) as other:
        run_as_owner(
            restricted,
            "ALTER ROLE {role} BYPASSRLS",
            "ALTER ROLE {other} BYPASSRLS",
            "GRANT odoo_shadow_reader TO {role}",
            role=role,
            other=other,
        )
        assert told(shadow).split(" | ") == [
            "OK readers see the rows of their companies",
            f"OK members of the owner, and roles with BYPASSRLS, see all rows: {role}",
        ]


def test_the_doctor_tells_what_cannot_be_restricted(
    odoo: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    """Links that were left out from the start, and to models that are not mirrored; no table is closed by them."""
    run_as_owner(restricted, "TRUNCATE odoo_shadow.odoo_shadow_company_access")
    thread = Field("thread_id", "many2one", relation="mail.thread", required=True)
    optional = Field("mailing_id", "many2one", relation="mail.mailing")
    odoo.add_model("mail.draft", thread, optional, ORDER, Field("country_id", "many2one", relation="res.country"))
    assert sync(odoo, shadow, ["mail.draft"], excluding=["order_id", "country_id"]) == ()
    assert told(shadow).split(" | ") == [
        "WARNING odoo_shadow_company_access has no entries, so only tokens with the claim company_ids show rows: "
        "insert the companies of users or roles",
        "WARNING rows cannot be restricted by models that are not mirrored; mirror those that have a company: "
        "mail.mailing (odoo_shadow_mail_draft), mail.thread (odoo_shadow_mail_draft)",
        "WARNING links that are left out or hashed restrict nothing; mirror those that say whose the rows are: "
        "odoo_shadow_mail_draft.order_id (sale.order)",
    ]
