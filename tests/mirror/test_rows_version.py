"""`rows_version` grows with every change of a table's rows, whatever writes them, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import psycopg
import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run.closing import close_run
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.ageing import age
from tests.support.clients import source_of
from tests.support.counting import mirror_with
from tests.support.leads import LEADS, NOW, POINTING
from tests.support.roles import run_as_owner
from tests.support.row_versions import witnessing
from tests.support.running import mirror
from tests.support.verifying import verify

pytestmark = pytest.mark.one_flavour

TEAMS = "odoo_shadow_x_team"


@pytest.fixture
def leads(own_odoo: StandIn) -> StandIn:
    own_odoo.add_model("x_team")
    own_odoo.add_model("x_lead", {**POINTING, "x_kind": {"type": "selection", "selection": [["a", "A"], ["b", "B"]]}})
    first, second = own_odoo.execute("x_team", "create", [{"x_name": "North"}, {"x_name": "South"}])
    pointing = {"x_team_id": second, "x_team_ids": [[6, 0, [first, second]]]}
    own_odoo.execute("x_lead", "create", [{"x_name": f"Lead {number}", **pointing} for number in range(5)])
    age(own_odoo, "x_team", "x_lead")
    return own_odoo


@pytest.fixture
def source(leads: StandIn) -> Iterator[ApiSource]:
    with source_of(leads) as opened:
        yield opened


def test_the_version_grows_with_every_writer_and_only_then(
    leads: StandIn,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The witness looks at every transaction; here stands which tables each step changes."""

    def run(model: str = "x_lead", **changed: object) -> None:
        options = {"batch_size": 2, "look_back": timedelta(0), "wait": timedelta(0), **changed}
        mirror_with(source, shadow, MirrorOptions(**options), model=model)  # type: ignore[arg-type]

    def odoo(*statements: str) -> None:
        with psycopg.connect(leads.dsn) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def step(what: str, work: Callable[[], object], *tables: str) -> None:
        before = len(changed)
        work()
        assert set(changed[before:]) == set(tables), what

    def run_and_close() -> None:
        whole = Run()
        mirror(source, shadow, "x_lead", run=whole)
        assert not [item.error for item in close_run(source, shadow, run=whole, options=NOW) if item.error]

    with witnessing(monkeypatch, database) as changed:
        step("first load of teams", lambda: run("x_team"), TEAMS)
        step("first load", run, LEADS)
        step("nothing to do", run)
        leads.execute("x_lead", "write", [3], {"x_name": "Edited"})
        step("an edit", run, LEADS)
        step("nothing more", lambda: run(full=True))
        odoo("UPDATE x_lead SET x_kind = 'b' WHERE id < 3")
        step("an untracked change", run_and_close, LEADS)
        odoo("DELETE FROM x_team WHERE id = 2")
        step("a deletion", lambda: run("x_team"), TEAMS)
        step("rows that pointed to it", run_and_close, LEADS)
        run_as_owner(database, "UPDATE odoo_shadow.odoo_shadow_x_lead SET x_name = 'Corrupted' WHERE id = 4")
        step("a repair", lambda: verify(source, shadow, repair=True, model="x_lead"), LEADS)
        step("nothing to repair", lambda: verify(source, shadow, repair=True, model="x_lead"))
        leads.execute("x_lead", "unlink", [5])
        step("a column of marks, and a mark", lambda: run(on_delete=OnDelete.MARK), LEADS)
        odoo("INSERT INTO x_lead (id, x_name, write_date) VALUES (5, 'Back', now() AT TIME ZONE 'UTC')")
        step("a row that is back", run, LEADS)
        leads.add_field("x_lead", "x_new", "integer")
        odoo("UPDATE x_lead SET x_new = id")
        step("a new column, filled", lambda: mirror(source, shadow, "x_lead"), LEADS)
        run_as_owner(database, "UPDATE odoo_shadow_internal.mirror SET hash_key = DEFAULT")
        step("hashes with another key", run, LEADS)
        step("hashes of a table without changes", lambda: run("x_team"), TEAMS)
        without = ModelSettings.parse("x_lead", {"exclude_fields": ["x_new"]})
        step("a column that must go", lambda: mirror(source, shadow, "x_lead", settings=without), LEADS)
        leads.remove_field("x_lead", "x_name")
        leads.add_field("x_lead", "x_name", "integer")
        step("a type that is replaced", lambda: mirror(source, shadow, "x_lead"), LEADS)
        leads.remove_field("x_lead", "x_name")
        leads.add_field("x_lead", "x_name", "char")
        step("a type that is widened", lambda: mirror(source, shadow, "x_lead"), LEADS)
        run_as_owner(database, "ALTER TABLE odoo_shadow.odoo_shadow_x_lead RENAME x_about TO mine")
        step("a column that somebody renamed", lambda: mirror(source, shadow, "x_lead"), LEADS)
        run_as_owner(database, "DROP TABLE odoo_shadow.odoo_shadow_x_lead CASCADE")
        step("a table that somebody dropped", run, LEADS)
        step("and at last nothing", run_and_close)
