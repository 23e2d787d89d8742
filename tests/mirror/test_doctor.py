"""Access told as it is: what the doctor says of a server, a login, its models, and a database role."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, LiteralString
from urllib.parse import parse_qs, urlsplit

import pytest

from odoo_shadow.mirror.clock import DEFAULT_LOOK_BACK
from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.health.doctor import examine
from odoo_shadow.mirror.health.forecast import forecast
from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.mirror.report_tables import as_text, findings_table
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.text.findings import Finding, Verdict
from odoo_stand_in import StandIn
from tests.support.catalog import contents, structure
from tests.support.clients import source_of
from tests.support.counting import VISIT, CountingProxy, in_odoo, mirror_with, visits
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.source_of_truth import expected_rows
from tests.support.tcp_proxy import TcpProxy

pytestmark = pytest.mark.one_flavour

OK, WARNING, PROBLEM = Verdict.OK, Verdict.WARNING, Verdict.PROBLEM
MODELS = ("res.partner", "res.company")
HIDDEN = tuple(f"x_secret_{number}" for number in range(9))


def limited(odoo: StandIn) -> ApiSource:
    """A client of a login with few rights, and one company."""
    password = odoo.limited_api_key if odoo.flavour == "19" else odoo.limited_password
    return source_of(odoo, login=odoo.limited_login, password=password)


def findings(
    source: ApiSource,
    shadow: ShadowDatabase,
    models: tuple[str, ...] = MODELS,
    look_back: timedelta = DEFAULT_LOOK_BACK,
) -> dict[str, Finding]:
    """What the doctor finds, by subject; the last one, where there are several."""
    return {finding.subject: finding for finding in examine(source, shadow, models, look_back)}


@pytest.fixture
def hidden_fields(odoo: StandIn) -> Iterator[list[str]]:
    """Stored partner fields that groups hide from the limited login, which may read Odoo's list of fields."""
    for name in HIDDEN:
        odoo.add_field("res.partner", name, "char", groups="base.group_system")
    in_odoo(odoo, "INSERT INTO res_groups_users_rel (uid, gid) VALUES (3, 3)")
    fields = odoo.registry.models["res.partner"].fields.values()
    yield sorted(field.name for field in fields if field.store and field.groups not in (None, "base.group_user"))
    in_odoo(odoo, "DELETE FROM res_groups_users_rel WHERE uid = 3 AND gid = 3")
    for name in HIDDEN:
        odoo.remove_field("res.partner", name)


def test_all_well(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str) -> None:
    found = findings(source, shadow)
    assert found.keys() >= {"Odoo", "login", "clock", "companies", *MODELS, "database", "schema", "staging"}
    assert {finding.verdict for finding in found.values()} == {OK}
    assert found["Odoo"].text == f"{odoo.flavour}.0 at {odoo.url}, database '{odoo.database}'"
    protocol = "JSON-2" if odoo.flavour == "19" else "JSON-RPC"
    assert found["login"].text == f"'admin' (user 2) accepted over {protocol}"
    assert "companies 1, 2, 3" in found["companies"].text
    assert found["res.partner"].text.startswith(f"{len(expected_rows(odoo, 'res.partner'))} rows, ")
    assert "role 'postgres'" in found["database"].text and found["database"].text.startswith("PostgreSQL ")
    shown = without_space(as_text(findings_table(list(found.values()))).replace("│", ""))  # long texts are wrapped
    assert all(without_space(finding.text) in shown and finding.subject in shown for finding in found.values())


def without_space(text: str) -> str:
    return "".join(text.split())


def test_nothing_is_written(source: ApiSource, shadow: ShadowDatabase, database: str) -> None:
    before = structure(database)
    findings(source, shadow)
    assert structure(database) == before
    mirror_with(source, shadow, model="res.company")
    written = structure(database), contents(database)
    findings(source, shadow)
    assert (structure(database), contents(database)) == written


def test_a_refused_key_is_told_and_the_database_still_examined(odoo: StandIn, shadow: ShadowDatabase) -> None:
    with source_of(odoo, password="0123456789abcdef") as source:
        found = findings(source, shadow)
    assert found["Odoo"].verdict is PROBLEM
    assert "refused the login 'admin'" in found["Odoo"].text and "API keys expire" in found["Odoo"].text
    assert found["database"].verdict is OK
    assert "0123456789abcdef" not in str(found)


def test_an_odoo_that_is_not_there(odoo: StandIn, shadow: ShadowDatabase) -> None:
    with source_of(odoo, host="http://127.0.0.1:9") as source:
        found = findings(source, shadow)
    assert found["Odoo"].verdict is PROBLEM and "cannot be reached" in found["Odoo"].text
    assert found["database"].verdict is OK


def test_models_that_the_key_cannot_read(odoo: StandIn, shadow: ShadowDatabase) -> None:
    with limited(odoo) as source:
        found = findings(source, shadow, ("res.partner", "account.move", "helpdesk.ticket", "mail.thread"))
    assert found["account.move"].verdict is PROBLEM
    assert "'limited' is not allowed to call" in found["account.move"].text
    assert found["mail.thread"].verdict is PROBLEM
    assert found["helpdesk.ticket"].verdict is WARNING and "not installed" in found["helpdesk.ticket"].text
    assert "rows" in found["res.partner"].text


def test_fields_behind_groups(odoo: StandIn, shadow: ShadowDatabase, hidden_fields: list[str]) -> None:
    with limited(odoo) as source:
        found = findings(source, shadow)
    partners = found["res.partner"]
    assert partners.verdict is WARNING
    first, second, *_ = hidden_fields
    assert f"groups hide {len(hidden_fields)}: {first}, {second}, " in partners.text and partners.text.endswith(" …")
    assert found["res.company"].verdict is OK and "hide" not in found["res.company"].text
    assert "fields" not in found


def test_a_login_that_may_not_ask_for_fields_is_told_so(odoo: StandIn, shadow: ShadowDatabase) -> None:
    with limited(odoo) as source:
        found = findings(source, shadow)
    assert found["fields"].verdict is WARNING and "hidden fields are not known" in found["fields"].text


def test_companies_that_the_connection_leaves_out(odoo: StandIn, shadow: ShadowDatabase) -> None:
    with source_of(odoo, extras={"company_ids": "1"}) as source:
        found = findings(source, shadow)["companies"]
    assert found.verdict is WARNING
    assert "companies 1, 2, 3; company_ids leaves out 2, 3" in found.text


def test_companies_that_are_out_of_the_logins_reach(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    in_odoo(odoo, "DELETE FROM res_company_users_rel WHERE user_id = 2 AND cid = 3")
    try:
        found = findings(source, shadow)["companies"]
    finally:
        in_odoo(odoo, "INSERT INTO res_company_users_rel (user_id, cid) VALUES (2, 3)")
    assert "may read companies 1, 2" in found.text
    assert found.verdict is WARNING and "3" in found.text  # an administrator sees that there is one more


@pytest.mark.parametrize("minutes", [5, -5])
def test_a_clock_that_is_wrong(odoo: StandIn, proxy: CountingProxy, shadow: ShadowDatabase, minutes: int) -> None:
    proxy.ahead = timedelta(minutes=minutes)
    with source_of(odoo, host=proxy.url) as source:
        found = findings(source, shadow)
    assert found["clock"].verdict is WARNING and "only Odoo's counts" in found["clock"].text
    assert "write_date" not in found or odoo.flavour != "19"  # a key leaves no trace of its login


@pytest.fixture
def role(database: str) -> Iterator[str]:
    """A role that may log in and nothing else."""
    with new_role(database) as name:
        yield name


def name_of(database: str) -> str:
    return urlsplit(database).path.removeprefix("/")


def database_findings(source: ApiSource, url: str) -> dict[str, Finding]:
    with ShadowDatabase.from_url(url) as shadow:
        return findings(source, shadow, ())


def test_a_role_that_may_do_nothing(source: ApiSource, database: str, role: str) -> None:
    found = database_findings(source, as_role(database, role))
    assert found["database"].text.endswith(f"role '{role}'")
    assert (found["schema"].verdict, found["schema"].text) == (PROBLEM, "the role needs CREATE on the database")
    assert found["staging"].verdict is OK
    assert found["public"].verdict is WARNING and "there will be no views" in found["public"].text


def test_a_role_that_may_create(source: ApiSource, database: str, role: str) -> None:
    grants: tuple[LiteralString, ...] = (
        "GRANT CREATE ON DATABASE {name} TO {role}",
        "GRANT CREATE ON SCHEMA public TO {role}",
    )
    run_as_owner(database, *grants, name=name_of(database), role=role)
    found = database_findings(source, as_role(database, role))
    assert {finding.verdict for subject, finding in found.items() if subject != "fields"} == {OK}
    assert "public" not in found


def test_a_role_that_may_not_make_temporary_tables(source: ApiSource, database: str, role: str) -> None:
    name = name_of(database)
    run_as_owner(database, "REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC", name=name)
    try:
        found = database_findings(source, as_role(database, role))["staging"]
    finally:
        run_as_owner(database, "GRANT TEMPORARY ON DATABASE {name} TO PUBLIC", name=name)
    assert (found.verdict, found.text) == (PROBLEM, "the role needs TEMPORARY on the database")


SEE: LiteralString = "GRANT USAGE ON SCHEMA odoo_shadow TO {role}"
READ: LiteralString = "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO {role}"
CREATE: LiteralString = "GRANT CREATE ON SCHEMA odoo_shadow TO {role}"


@pytest.mark.parametrize(
    "grants",
    [(), (SEE,), (SEE, READ), (SEE, READ, CREATE)],
    ids=["no rights", "sees the schema", "reads", "reads and creates, but does not write what is there"],
)
def test_a_role_that_cannot_write_the_schema_that_is_there(
    source: ApiSource, shadow: ShadowDatabase, database: str, role: str, grants: tuple[LiteralString, ...]
) -> None:
    mirror_with(source, shadow, model="res.company")
    run_as_owner(database, *grants, role=role)
    with ShadowDatabase.from_url(as_role(database, role)) as as_that_role:
        found = examine(source, as_that_role, (), DEFAULT_LOOK_BACK)
    assert PROBLEM in {finding.verdict for finding in found}


def test_a_single_table_that_may_not_be_written_and_another_role_that_writes_are_told(
    source: ApiSource, shadow: ShadowDatabase, database: str, role: str
) -> None:
    mirror_with(source, shadow, model="res.company")
    run_as_owner(
        database,
        "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA odoo_shadow TO {role}",
        "REVOKE UPDATE ON odoo_shadow.odoo_shadow_res_company FROM {role}",
        role=role,
    )
    writers = findings(source, shadow, ())["writers"]
    assert writers.verdict is WARNING and writers.text.endswith(f"can do more than read the shadow: {role}")
    found = database_findings(source, as_role(database, role))["tables"]
    assert (found.verdict, found.text) == (PROBLEM, "the role cannot write 1: odoo_shadow_res_company")


def test_a_database_that_is_not_there(source: ApiSource) -> None:
    found = database_findings(source, "postgresql://someone:pg-hunter2@127.0.0.1:9/nowhere")
    assert found["database"].verdict is PROBLEM and "cannot be reached" in found["database"].text
    assert found["login"].verdict is OK
    assert "pg-hunter2" not in str(found)


def test_a_look_back_that_is_short_for_the_latest_row(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    look_back = MirrorOptions(look_back=timedelta(minutes=15))
    with visits(odoo, 10):
        mirror_with(source, shadow, look_back)
        found = findings(source, shadow)["look-back"]
        assert (found.verdict, found.text) == (OK, "0:15:00; no row has been found late so far")
        in_odoo(
            odoo,
            "INSERT INTO x_visit (x_name, write_date) VALUES"
            " ('An import of ten minutes', now() AT TIME ZONE 'UTC' - interval '10 minutes')",
        )
        mirror_with(source, shadow, look_back)
    verdicts = {}
    for minutes in (5, 15, 60):
        found = findings(source, shadow, (VISIT,), timedelta(minutes=minutes))["look-back"]
        verdicts[minutes] = found.verdict
        assert "the latest row so far was found 0:09:" in found.text or "was found 0:10:" in found.text
    assert verdicts == {5: WARNING, 15: WARNING, 60: OK}
    short = findings(source, shadow, (VISIT,), timedelta(seconds=90))["look-back"]
    assert short.verdict is PROBLEM and "0:01:30 is shorter than a call to Odoo may take" in short.text


def test_a_full_disk_is_told_wherever_it_is(source: ApiSource, shadow: ShadowDatabase, database: str) -> None:
    assert "disk" not in findings(source, shadow)
    run_as_owner(
        database,
        "CREATE FUNCTION public.no_room() RETURNS event_trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$",
        "CREATE EVENT TRIGGER no_room ON ddl_command_start WHEN TAG IN ('CREATE TABLE AS')"
        " EXECUTE FUNCTION public.no_room()",
    )
    try:
        found = findings(source, shadow)
    finally:
        run_as_owner(database, "DROP EVENT TRIGGER no_room", "DROP FUNCTION public.no_room")
    assert found["disk"].verdict is PROBLEM and "its disk is full" in found["disk"].text
    assert found["staging"].verdict is OK and "room" in found


def test_a_forecast_knows_what_is_free_only_on_this_machine(shadow: ShadowDatabase, database: str) -> None:
    little, much = {"res.partner": 1000}, {"res.partner": 10**15}
    with shadow.transaction() as tx:
        fits, does_not = forecast(tx, little, ()), forecast(tx, much, ())
        assert forecast(tx, little, ["res.partner"]) is None
    assert fits is not None and not fits.is_too_much and "its disk has" in fits.text
    assert does_not is not None and does_not.is_too_much
    parts = urlsplit(database)
    (folder,) = parse_qs(parts.query)["host"]
    with TcpProxy(f"{folder}/.s.PGSQL.5432") as proxy:
        url = f"postgresql://postgres@127.0.0.1:{proxy.port}{parts.path}?sslmode=disable&gssencmode=disable"
        with ShadowDatabase.from_url(url) as elsewhere, elsewhere.transaction() as tx:
            fits, may_not = forecast(tx, little, ()), forecast(tx, much, ())
    assert fits is not None and "check that at its host" in fits.text and "500 MB" not in fits.text
    assert may_not is not None and not may_not.is_too_much and "turns read-only at 500 MB" in may_not.text


@pytest.mark.parametrize("settings", [ModelSettings(), ModelSettings(extra_fields=("display_name",))])
def test_records_that_odoo_calls_otherwise(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, settings: ModelSettings
) -> None:
    def rewrite(model: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {**row, "display_name": "Otherwise"} if model == VISIT and "display_name" in row else row for row in rows
        ]

    with visits(odoo, 3):
        assert findings(source, shadow, (VISIT,))[VISIT].verdict is OK
        odoo.rewrite = rewrite
        mirror_with(source, shadow, settings=settings)
        found = findings(source, shadow, (VISIT, "res.partner"))
        is_told = not settings.extra_fields
        assert (found[VISIT].verdict is WARNING and "extra_fields: [display_name]" in found[VISIT].text) is is_told
        assert found["res.partner"].verdict is OK
