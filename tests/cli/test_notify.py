"""`--notify`: who is told what, through a real webhook, and that nothing depends on it."""

from __future__ import annotations

import json
from datetime import timedelta

import psycopg
import pytest

from odoo_shadow.cli.notify import NOTIFY_ALLOW_HTTP, NOTIFY_URL
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_stand_in import Fault, StandIn
from tests.support.raw_server import Reply
from tests.support.shell import Outcome, Shell
from tests.support.verifying import let_pass
from tests.support.webhooks import KEY, PATH, chat

COMPANIES = ("--models", "res.company")
REFUSED = json.dumps({"name": "odoo.exceptions.AccessError", "message": "@all: not allowed", "debug": "Traceback"})


def refuse(odoo: StandIn, model: str) -> None:
    header = {"Content-Type": "application/json"}
    odoo.faults.add(Fault(model=model, method="search_read", times=100, status=403, headers=header, body=REFUSED))


def is_silent_about(outcome: Outcome, *secrets: str) -> bool:
    return not any(secret in outcome.out + outcome.err for secret in secrets)


def test_a_run_that_is_well_tells_nobody(shell: Shell) -> None:
    with chat() as mattermost:
        assert shell.run("sync", *COMPANIES, "--notify", mattermost.url).code == 0
        assert shell.run("verify", "--notify", mattermost.url).code == 0
        assert mattermost.texts == []


def test_a_model_that_failed_is_told_without_its_error(shell: Shell, odoo19: StandIn) -> None:
    refuse(odoo19, "res.country")
    with chat() as mattermost:
        outcome = shell.run("sync", "--models", "res.company,res.country", **{NOTIFY_URL: mattermost.url})
        (text,) = mattermost.texts
    assert outcome.code == 1
    assert text.startswith(
        "Odoo shadow, schema `odoo_shadow`: `odoo-shadow sync` failed: 1 model mirrored, 1 failed (`res.country`); "
        "rows: "
    )
    assert "@" not in text and "allowed" not in text and odoo19.login not in text
    assert is_silent_about(outcome, KEY)


def test_repaired_rows_are_told_although_all_is_well(shell: Shell, database: str) -> None:
    assert shell.run("sync", *COMPANIES).code == 0
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE odoo_shadow.odoo_shadow_res_company SET name = 'Somebody else' WHERE id = 1")
    with chat() as mattermost:
        assert shell.run("verify", "--notify", mattermost.url).code == 1
        assert shell.run("verify", "--repair", "--notify", mattermost.url).code == 0
        differing, repaired = mattermost.texts
    start = "Odoo shadow, schema `odoo_shadow`: `odoo-shadow verify`"
    assert differing == f"{start} failed: 1 model compared with Odoo, 1 row differs (`odoo_shadow_res_company`)."
    assert repaired == (
        f"{start} succeeded: 1 model compared with Odoo, 1 row was wrong in the shadow until now and is repaired."
    )


def test_the_rolling_proof_tells_what_it_repaired(shell: Shell, database: str) -> None:
    assert shell.run("sync", *COMPANIES).code == 0
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE odoo_shadow.odoo_shadow_res_company SET name = 'Somebody else' WHERE id = 1")
    with ShadowDatabase.from_url(database) as shadow:
        let_pass(shadow, timedelta(days=1))
    with chat() as mattermost:
        assert shell.run("sync", *COMPANIES, "--notify", mattermost.url).code == 0
        (text,) = mattermost.texts
    assert "`odoo-shadow sync` succeeded: " in text
    assert "1 row was wrong in the shadow until now and is repaired" in text


def test_a_run_that_cannot_begin_is_told(shell: Shell, odoo19: StandIn) -> None:
    with chat() as mattermost:
        wrong = {"ODOO_PASSWORD": "wrong-secret-1", NOTIFY_URL: mattermost.url}
        outcome = shell.run("sync", *COMPANIES, **wrong)
        assert outcome.code == 2
        assert shell.run("sync", *COMPANIES, "--dry-run", **wrong).code == 2
        (text,) = mattermost.texts
    assert text == (
        "Odoo shadow, schema `odoo_shadow`: `odoo-shadow sync` failed: it stopped with OdooAuthenticationError; its "
        "output says why."
    )


@pytest.mark.parametrize("reply", [Reply(404), Reply(302, headers={"Location": "http://127.0.0.1:1/"})])
def test_a_webhook_that_refuses_changes_nothing_but_a_warning(shell: Shell, odoo19: StandIn, reply: Reply) -> None:
    refuse(odoo19, "res.country")
    arguments = ("sync", "--models", "res.country")
    without = shell.run(*arguments)
    with chat(reply) as mattermost:
        outcome = shell.run(*arguments, "--notify", mattermost.url, "--verbose")
        told = shell.run(*arguments, "--json", **{NOTIFY_URL: mattermost.url.replace(PATH, "/hooks/none")})
    assert (without.code, outcome.code, told.code) == (1, 1, 1)
    assert json.loads(told.out)["is_good"] is False
    assert f"The webhook at 127.0.0.1 ({NOTIFY_URL}, --notify) " in outcome.err
    assert is_silent_about(outcome, KEY)


def test_an_address_that_makes_no_sense_stops_the_run_before_it_begins(shell: Shell, odoo19: StandIn) -> None:
    odoo19.calls.clear()
    for url in (f"http://chat.example.com/hooks/{KEY}", f"chat.example.com/{KEY}", f"ftp://chat.example.com/{KEY}"):
        outcome = shell.run("sync", *COMPANIES, "--notify", url)
        assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
        assert is_silent_about(outcome, KEY, url)
    assert (
        f"set {NOTIFY_ALLOW_HTTP} (--notify-allow-http) to true"
        in shell.run("verify", **{NOTIFY_URL: "http://chat.example.com/hooks/x1"}).err
    )
    assert not odoo19.calls


def test_a_usage_error_does_not_repeat_the_address(shell: Shell) -> None:
    with chat() as mattermost:
        outcome = shell.run("sync", mattermost.url, "--notify", mattermost.url)
        assert (outcome.code, mattermost.texts) == (2, [])
        assert is_silent_about(outcome, KEY)


def test_a_misspelt_variable_is_no_quiet_silence(shell: Shell) -> None:
    misspelt = NOTIFY_URL.replace("URL", "ULR")
    outcome = shell.run("sync", *COMPANIES, **{misspelt: f"https://chat.example.com{PATH}"})
    assert outcome.err.strip() == f"The variable {misspelt} is not read: did you mean {NOTIFY_URL}?"
