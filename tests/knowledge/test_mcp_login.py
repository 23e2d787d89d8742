"""The login of the MCP server, made as the documentation and the server's own advice say."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import DuplicateObject

from odoo_shadow.knowledge.mcp import role
from odoo_shadow.knowledge.mcp.limits import Limits
from odoo_shadow.knowledge.mcp.readable import readable_relations
from odoo_shadow.knowledge.mcp.session import ReadOnlyDatabase, Sessions
from odoo_shadow.shadow.access import reading
from odoo_shadow.shadow.connection.database import ShadowDatabase
from tests.support.roles import as_role
from tests.support.tables import make_table
from tools.embedded_postgres import drop_database, new_database

pytestmark = pytest.mark.one_flavour

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "mcp.md"


def documented() -> list[str]:
    """Return the statements that make a login outside Supabase, but for those that need a superuser."""
    blocks = re.findall(r"```sql\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line.partition(";")[0] for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("ALTER")]


def test_the_documented_login_reads_without_marts_and_what_is_mirrored_later(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_database(postgres)
    try:
        with ShadowDatabase.from_url(url) as shadow, psycopg.connect(url, autocommit=True) as connection:
            make_table(shadow)
            for statement in documented():
                with suppress(DuplicateObject):  # roles are of a whole server: another test has made the reader's
                    connection.execute(statement.encode())
            later = make_table(shadow, "sale.order")
            reader = as_role(url, role.LOGIN)
            with Sessions(lambda: ReadOnlyDatabase.from_url(reader), Limits()).open() as tx:
                assert later in readable_relations(tx).by_schema["odoo_shadow"]
            monkeypatch.setattr(reading, "READER", "no_such_reader")
            with shadow.transaction() as tx:
                advice = role.proper_role(tx)
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role.LOGIN)))
        drop_database(postgres, url)
    assert "; CREATE ROLE no_such_reader NOLOGIN; GRANT USAGE ON SCHEMA odoo_shadow TO no_such_reader; " in advice
    assert advice.endswith("; GRANT no_such_reader TO odoo_shadow_mcp")
