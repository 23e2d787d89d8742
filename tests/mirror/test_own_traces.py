"""A login leaves a row in `res.users.log`: that of a comparison is no difference, those of others are."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.differences import Difference
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.counting import in_odoo
from tests.support.running import mirror
from tests.support.verifying import verify

LOGINS = "res.users.log"


@pytest.fixture
def logged(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> Iterator[StandIn]:
    """Logins that were mirrored, and one since, half a minute ago, of the comparison's own user."""
    odoo.add_model(LOGINS, {})
    odoo.execute(LOGINS, "create", [{}])
    in_odoo(odoo, "UPDATE res_users_log SET write_date = write_date - interval '1 day'")
    mirror(source, shadow, LOGINS)
    odoo.execute(LOGINS, "create", [{}])
    in_odoo(
        odoo,
        "UPDATE res_users_log SET create_uid = %s, write_date = write_date - interval '30 seconds' WHERE id = 2",
        source.user_id(),
    )
    yield odoo
    odoo.uninstall(LOGINS)


def test_the_comparisons_own_login_is_no_difference(logged: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    source.client.opened_at = time.monotonic() - 40
    assert verify(source, shadow, model=LOGINS).differences == 0
    source.client.opened_at = time.monotonic() - 10
    assert verify(source, shadow, model=LOGINS).ids[Difference.MISSING] == [2]


def test_that_of_somebody_else_is(logged: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    in_odoo(logged, "UPDATE res_users_log SET create_uid = 1 WHERE id = 2")
    source.client.opened_at = time.monotonic() - 40
    assert verify(source, shadow, model=LOGINS).ids[Difference.MISSING] == [2]
