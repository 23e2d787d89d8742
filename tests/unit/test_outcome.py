"""The sentence that sums up a run."""

from __future__ import annotations

from uuid import UUID

import pytest

from odoo_shadow.mirror.run.closing import Closed
from odoo_shadow.mirror.run.outcome import Ending, ModelOutcome, RunOutcome

RUN = UUID("5c0ffee0-0000-4000-8000-000000000001")
OWN, LATE = ModelOutcome("a.b", Ending.FAILED, None, "down"), Closed("c.d", "rolling proof", error=ValueError("down"))


@pytest.mark.parametrize(
    ("closed", "said"),
    [
        ((), "; 1 model failed (a.b): do"),
        ((Closed("a.b", "rolling proof", error=ValueError("down")),), "; 1 model failed (a.b): do"),
        ((LATE,), "; 2 models failed, 1 only at the end of the run (a.b, c.d): do"),
    ],
)
def test_its_numbers_of_failed_models_agree(closed: tuple[Closed, ...], said: str) -> None:
    summary = RunOutcome(RUN, "odoo_shadow", (OWN,), closed=closed).summary
    assert "0 models mirrored, 1 failed, in " in summary and said in summary
