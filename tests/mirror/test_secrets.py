"""A server full of marked secrets is mirrored whole; then the whole shadow database is searched for the mark."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run import plan
from odoo_shadow.mirror.run.choose import Chosen
from odoo_shadow.mirror.run.closing import close_run
from odoo_shadow.mirror.run.plan import plan_run
from odoo_shadow.mirror.shape import layout
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from odoo_stand_in.invented.secrets import INNOCENT, LOOK_ALIKE, MARKER, places
from tests.support.clients import source_of
from tests.support.counting import in_odoo, in_shadow
from tests.support.flavours import FLAVOURS, Flavour
from tests.support.running import mirror, mirror_all
from tests.support.searching import places_of, words_of
from tests.support.source_of_truth import shadow_rows
from tests.support.verifying import found_by, verify

"""What the rules let through; `test_headers_are_known_for_what_they_hold` fails because of it."""


@pytest.fixture(scope="module")
def secret_odoos(postgres: str) -> Iterator[dict[Flavour, StandIn]]:
    running = {
        flavour: StandIn(postgres, flavour=flavour, database=f"secret{flavour}", scale=0.1, schema="secrets")
        for flavour in FLAVOURS
    }
    for odoo in running.values():
        # By this a shadow knows its Odoo again: it is kept on purpose, and no credential.
        in_odoo(odoo, "UPDATE ir_config_parameter SET value = 'a database' WHERE key = 'database.uuid'")
        odoo.start()
    yield running
    for odoo in running.values():
        odoo.stop()


@pytest.fixture(params=FLAVOURS)
def odoo(request: pytest.FixtureRequest, secret_odoos: dict[Flavour, StandIn]) -> StandIn:
    return secret_odoos[request.param]


@pytest.fixture
def source(odoo: StandIn) -> Iterator[ApiSource]:
    with source_of(odoo, extras={"hash_secret": "a key that nobody guesses"}) as opened:
        yield opened


def table_of(model: str) -> str:
    return "odoo_shadow_" + model.replace(".", "_")


def markers_in(database: str, odoo: StandIn) -> set[tuple[str, str]]:
    """Which marked fields, by model and name, are anywhere in the shadow."""
    known = places(odoo.registry)
    return {known[marker] for marker in words_of(database, MARKER + "[0-9]{3}")}


def test_no_secret_is_anywhere_and_what_only_looks_like_one_is_there(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        results = mirror_all(source, shadow)
        for model in results:
            verify(source, shadow, model=model)
    assert len(results) > 45
    assert markers_in(database, odoo) == set()
    assert MARKER not in caplog.text
    for model, names in INNOCENT.items():
        rows = shadow_rows(database, table_of(model)).values()
        assert len(rows) == in_odoo(odoo, f"SELECT count(*) FROM {odoo.registry.models[model].table}")[0][0]  # noqa: S608
        for name in names:
            is_text = odoo.registry.models[model].fields[name].type in ("char", "text")
            assert all(row[name] is not None for row in rows), (model, name)
            assert not is_text or all(row[name].startswith(LOOK_ALIKE) for row in rows), (model, name)


def test_headers_are_known_for_what_they_hold(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror(source, shadow, "x_connector.backend")
    assert markers_in(database, odoo) == set()


def test_the_search_finds_what_is_there(shadow: ShadowDatabase, source: ApiSource, database: str) -> None:
    """Whatever part of the database it stands in; otherwise finding nothing would prove nothing."""
    mirror(source, shadow, "res.country")
    statements = (
        "UPDATE {odoo_shadow_res_country} SET name = 'a %s' WHERE id = 1",
        "UPDATE {odoo_shadow_sync_log} SET metadata = jsonb_build_object('a', ARRAY['%s'])",
        "COMMENT ON COLUMN {odoo_shadow_res_country}.id IS '%s'",
        "CREATE VIEW public.somebodys AS SELECT '%s'::text AS word",
    )
    for statement in statements:
        in_shadow(shadow, statement % f"{MARKER}1")
    assert places_of(database, MARKER) == {
        *("odoo_shadow.odoo_shadow_res_country", "odoo_shadow.odoo_shadow_res_country_named"),
        "public.odoo_shadow_res_country_named",
        *("public.odoo_shadow_res_country", "odoo_shadow.odoo_shadow_sync_log", "public.odoo_shadow_sync_log"),
        *("public.somebodys", "comment", "view"),
    }


def test_models_whose_name_was_given_let_in_what_is_no_secret_by_its_own_name(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    """An explicit model is let in; its fields that hold credentials by name stay out all the same."""
    mirror(source, shadow, "x_vault.entry")
    assert markers_in(database, odoo) == {("x_vault.entry", "value")}
    mirror(source, shadow, "fetchmail.server")
    mirror(source, shadow, "payment.provider")
    assert markers_in(database, odoo) == {("x_vault.entry", "value")}


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("model", "field"),
    [
        ("x_connector.backend", "webhook_url"),
        ("x_connector.backend", "auth_headers"),
        ("res.partner", "x_edi_password"),
        ("hr.employee", "pin"),
        ("fetchmail.server", "password"),
        ("res.partner", "x_ftp_pass1"),
        ("res.partner", "x_studio_char_field_4Fgh"),
        ("res.partner", "x_studio_remark"),
        ("res.partner", "x_studio_invitation"),
    ],
)
def test_an_explicit_entry_lets_exactly_that_one_in(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, model: str, field: str
) -> None:
    mirror(source, shadow, model, settings=ModelSettings(allow_fields=(field,)))
    assert markers_in(database, odoo) == {(model, field)}
    mirror(source, shadow, model, settings=ModelSettings())
    assert markers_in(database, odoo) == set()


def test_variants_and_fields_that_are_not_stored_let_none_in(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    everything = ModelSettings(all_languages=True, all_companies=True)
    for model in ("x_connector.backend", "res.partner", "res.users", "pos.payment.method"):
        mirror(source, shadow, model, settings=everything)
    assert markers_in(database, odoo) == set()
    assert "name__translations" in next(iter(shadow_rows(database, table_of("pos.payment.method")).values()))


def properties_of(label: str, default: str = "") -> list[dict[str, str]]:
    wifi = {"name": "aa01", "type": "char", "string": label, "default": default}
    return [wifi, {"name": "aa02", "type": "char", "string": "Colour", "default": "red"}]


def test_properties_that_are_called_credentials_are_left_out(
    own_odoo: StandIn, shadow: ShadowDatabase, database: str
) -> None:
    """By the label that people see in Odoo; one that is called so later is removed with the next run."""
    projects = own_odoo.execute("project.project", "search", [])
    tasks = own_odoo.execute("project.task", "search", [["project_id", "!=", False]])
    kept = {"aa01": "hunter2-kept", "aa02": "red-kept"}

    def define(label: str) -> None:
        definition = {"task_properties_definition": properties_of(label, "hunter2-by-default")}
        own_odoo.execute("project.project", "write", projects, definition)

    define("WiFi password")
    own_odoo.execute("project.task", "write", tasks, {"task_properties": kept})
    with source_of(own_odoo) as source:

        def run_once() -> None:
            run = Run()
            for model in ("project.project", "project.task"):
                mirror(source, shadow, model, run=run)
            list(close_run(source, shadow, run=run, options=MirrorOptions(wait=timedelta(0))))
            for model in ("project.project", "project.task"):
                assert not found_by(verify(source, shadow, model=model))

        run_once()
        assert places_of(database, "red-kept") and places_of(database, "WiFi password")
        assert places_of(database, "hunter2") == set()
        define("Room")
        run_once()
        assert places_of(database, "hunter2-kept") and places_of(database, "hunter2-by-default")
        define("Code of the door, access code")
        run_once()
        assert places_of(database, "hunter2") == set()


def test_an_entry_lets_all_properties_in(own_odoo: StandIn, shadow: ShadowDatabase, database: str) -> None:
    projects = own_odoo.execute("project.project", "search", [])
    tasks = own_odoo.execute("project.task", "search", [["project_id", "!=", False]])
    definition = {"task_properties_definition": properties_of("WiFi password")}
    own_odoo.execute("project.project", "write", projects, definition)
    own_odoo.execute("project.task", "write", tasks, {"task_properties": {"aa01": "hunter2-kept"}})
    with source_of(own_odoo) as source:
        mirror(source, shadow, "project.task", settings=ModelSettings(allow_fields=("task_properties",)))
        assert places_of(database, "hunter2-kept")
        assert not found_by(verify(source, shadow, model="project.task"))


def test_copies_of_values_do_not_come_in_by_a_log_of_changes(
    own_odoo: StandIn, shadow: ShadowDatabase, database: str
) -> None:
    sides = {"x_field": "char", "x_old_value": "text", "x_new_value": "text", "x_old_value_float": "float"}
    own_odoo.add_model("x_audit", sides)
    values = {"x_field": "x_ftp_pass", "x_old_value": "hunter2-old", "x_new_value": "hunter2-new"}
    own_odoo.execute("x_audit", "create", [{**values, "x_old_value_float": 7.5}])
    with source_of(own_odoo) as source:
        mirror(source, shadow, "x_audit")
    assert places_of(database, "hunter2") == set()
    (row,) = shadow_rows(database, "odoo_shadow_x_audit").values()
    assert (row["x_field"], row["x_old_value_float"]) == ("x_ftp_pass", 7.5)


def test_a_field_that_is_recognised_later_is_removed(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    """As after an upgrade of this project: a name that was let through before is known for what it is."""
    everything = ("password", "api_key", "client_secret", "webhook_url", "private_key", "auth_headers", "passphrase")
    model = "x_connector.backend"
    mirror(source, shadow, model, settings=ModelSettings(allow_fields=everything, all_languages=True))
    assert markers_in(database, odoo) == {(model, name) for name in everything}
    assert places_of(database, r"\(fr\)") >= {"odoo_shadow." + table_of(model)}
    mirror(source, shadow, model, settings=ModelSettings())
    assert markers_in(database, odoo) == set()


def test_rules_that_changed_with_an_upgrade_reach_tables_that_have_no_other_work(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise what the rules of before let through would stay where nothing changes in Odoo."""
    chosen, options = Chosen(("res.partner",)), MirrorOptions(look_back=timedelta(0))
    with monkeypatch.context() as before:
        before.setattr(layout, "is_secret", lambda *_: None)
        before.setattr(plan, "RULES", "those of before")
        for _ in range(2):
            planned = plan_run(source, shadow, chosen, run=Run(), options=options)
            for item in planned.work:
                mirror(source, shadow, item.model, look_back=timedelta(0))
    assert planned.work == ()
    assert ("res.partner", "x_ftp_pass1") in markers_in(database, odoo)
    (work,) = plan_run(source, shadow, chosen, run=Run(), options=options).work
    assert work.reason == "its fields changed"
    mirror(source, shadow, "res.partner", look_back=timedelta(0))
    assert markers_in(database, odoo) == set()
    assert plan_run(source, shadow, chosen, run=Run(), options=options).work == ()
