"""Who may only read the shadow can ask how fresh it is; who cannot, or meets an earlier version, is told why."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from odoo_shadow.mirror.health import freshness
from odoo_shadow.mirror.health.freshness import Claim, ask_freshness
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import (
    ShadowConflictError,
    ShadowOwnershipError,
    ShadowPermissionError,
    ShadowRetriableError,
)
from odoo_shadow.shadow.trust import Trust
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.roles import as_role, new_role, reader_of, run_as_owner
from tests.support.running import mirror
from tests.support.tables import make_base

pytestmark = pytest.mark.one_flavour

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
COMPANY = "res.company"
FORMER = Path(__file__).parents[1] / "shadow" / "former"


def is_fresh(shadow: ShadowDatabase) -> bool:
    (found,) = ask_freshness(shadow, [COMPANY], Claim.FRESH, LONG_AGO)
    return found.is_met


def test_a_reader_is_answered(database: str, source: ApiSource, shadow: ShadowDatabase) -> None:
    mirror(source, shadow, COMPANY)
    with reader_of(database) as reader:
        assert is_fresh(reader)
        with shadow.transaction() as tx:
            tx.run("UPDATE {meta} SET sync_errors = 1", meta=tx.own("odoo_shadow_meta"))
        assert not is_fresh(reader)


def test_a_reader_names_the_role_that_owns_the_tables(database: str, odoo: StandIn) -> None:
    with new_role(database) as owner:
        run_as_owner(
            database,
            "CREATE SCHEMA odoo_shadow AUTHORIZATION {role}",
            "CREATE SCHEMA odoo_shadow_internal AUTHORIZATION {role}",
            role=owner,
        )
        with ShadowDatabase.from_url(as_role(database, owner)) as shadow, source_of(odoo) as source:
            mirror(source, shadow, COMPANY)
        with reader_of(database, trust=Trust(frozenset({owner}))) as reader:
            assert is_fresh(reader)
        with reader_of(database) as reader, pytest.raises(ShadowOwnershipError, match="trusted-roles"):
            is_fresh(reader)


def test_a_role_without_rights_is_told_which(database: str, shadow: ShadowDatabase) -> None:
    make_base(shadow)
    with (
        reader_of(database, has_grants=False) as reader,
        pytest.raises(ShadowPermissionError, match='GRANT USAGE ON SCHEMA "odoo_shadow"'),
    ):
        is_fresh(reader)


@pytest.mark.sampled
@pytest.mark.parametrize("former", [4, 5, 6, 7])
@pytest.mark.parametrize("as_reader", [False, True], ids=["sync's role", "reader"])
def test_a_schema_of_an_earlier_version_is_refused(
    database: str, shadow: ShadowDatabase, former: int, as_reader: bool
) -> None:
    make_base(shadow)
    run_as_owner(
        database,
        "DROP SCHEMA odoo_shadow, odoo_shadow_internal CASCADE",
        "DROP FUNCTION public.get_shadow_watermark, public.update_shadow_watermark",
    )
    with psycopg.connect(database) as connection:
        connection.execute((FORMER / f"version_{former}_base.sql").read_bytes())
    with reader_of(database) as reader, pytest.raises(ShadowConflictError, match="run the mirror once"):
        is_fresh(reader if as_reader else shadow)


def test_the_question_does_not_wait_for_a_lock(
    database: str, shadow: ShadowDatabase, source: ApiSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freshness, "LONGEST_STATEMENT", timedelta(milliseconds=200))
    mirror(source, shadow, COMPANY)
    with psycopg.connect(database) as other:
        other.execute("LOCK TABLE odoo_shadow.odoo_shadow_watermark IN ACCESS EXCLUSIVE MODE")
        begun = time.monotonic()
        with pytest.raises(ShadowRetriableError):
            is_fresh(shadow)
        assert time.monotonic() - begun < 20, "a run would have waited for 30 seconds"
    assert is_fresh(shadow)
