"""Values of rows get into no message, whoever words it: a constraint, a trigger's RAISE, a function."""

from __future__ import annotations

from typing import LiteralString

import pytest

from odoo_shadow.shadow.errors import ShadowError
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.hostile_database import Hostile
from tests.support.running import log_of, mirror

pytestmark = pytest.mark.attack

RAISES: dict[str, LiteralString] = {
    "raise": "RAISE EXCEPTION 'the name is %', NEW.name",
    "raise as another error": "RAISE EXCEPTION 'the name is %', NEW.name USING ERRCODE = 'unique_violation'",
    "raise as missing rights": "RAISE EXCEPTION 'the name is %', NEW.name USING ERRCODE = 'insufficient_privilege'",
    "raise as passing trouble": "RAISE EXCEPTION 'the name is %', NEW.name USING ERRCODE = 'lock_not_available'",
    "a cast": "PERFORM NEW.name::integer",
}


@pytest.mark.sampled
@pytest.mark.parametrize("body", RAISES.values(), ids=RAISES)
def test_what_a_trigger_says_of_a_row_stays_in_the_database(hostile: Hostile, odoo: StandIn, body: str) -> None:
    names = {str(record["name"]) for record in odoo.execute("res.company", "search_read", [], ["name"])}
    with source_of(odoo) as source, hostile.shadow() as shadow:
        mirror(source, shadow, "res.company")
        hostile.as_owner(
            f"CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NEW; END $$",
            "CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON odoo_shadow.odoo_shadow_res_company"
            " FOR EACH ROW EXECUTE FUNCTION public.refuse()",
            "ALTER TABLE odoo_shadow.odoo_shadow_res_company DISABLE TRIGGER refuse",
            "UPDATE odoo_shadow.odoo_shadow_res_company SET _sync_hash = NULL",
            "ALTER TABLE odoo_shadow.odoo_shadow_res_company ENABLE TRIGGER refuse",
        )
        with pytest.raises(ShadowError) as raised:
            mirror(source, shadow, "res.company", full=True)
        told = f"{raised.value}{log_of(shadow)}{hostile.as_owner('TABLE odoo_shadow_internal.sync_detail')}"
    assert not any(name in told for name in names)


def test_a_constraints_detail_stays_in_the_database(hostile: Hostile, odoo: StandIn) -> None:
    with source_of(odoo) as source, hostile.shadow() as shadow:
        mirror(source, shadow, "res.company")
        hostile.as_owner(
            "DELETE FROM odoo_shadow.odoo_shadow_res_company",
            "UPDATE odoo_shadow.odoo_shadow_meta SET row_count = 0",
            "ALTER TABLE odoo_shadow.odoo_shadow_res_company ADD CONSTRAINT no_names CHECK (name = '')",
        )
        with pytest.raises(ShadowError, match="no_names") as raised:
            mirror(source, shadow, "res.company", full=True)
    assert "Failing row" not in str(raised.value)
