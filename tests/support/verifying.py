"""Comparisons with Odoo as tests ask for them."""

from __future__ import annotations

from datetime import timedelta

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.proof.verify import Depth, VerifyOptions, verify_model
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state.verifications import Verification
from odoo_shadow.source.port import Source
from tests.support.counting import VISIT

PAGES = MirrorOptions(batch_size=20)


def verify(
    odoo: Source,
    shadow: ShadowDatabase,
    depth: Depth = Depth.FULL,
    *,
    repair: bool = False,
    options: MirrorOptions = PAGES,
    model: str = VISIT,
    run: Run | None = None,
) -> Verification:
    """Compare one model, by default in a run of its own."""
    return verify_model(odoo, shadow, model, run=run or Run(), options=options, verify=VerifyOptions(depth, repair))


def found_by(verification: Verification) -> dict[str, list[int]]:
    """What was found, by kind; kinds of which there is nothing are left out."""
    return {str(kind): list(ids) for kind, ids in verification.ids.items() if ids}


def let_pass(shadow: ShadowDatabase, time: timedelta) -> None:
    """Let the last slice have been so long ago."""
    with shadow.transaction() as tx:
        tx.run("UPDATE {p} SET slice_at = slice_at - {time}", p=tx.internal("proof"), time=time)
