"""Turns proofs into what is stored, and into what programs read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from odoo_shadow.marts.proof.differences import Difference
from odoo_shadow.marts.proof.verify import MartProof
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state.mart_verifications import Example, MartVerification, save_mart_verification
from odoo_shadow.source.groups import KeyPart

_MOST_IDS = 20
"""Ids of each kind that are stored."""


def save(shadow: ShadowDatabase, run_id: UUID, marts_schema: str, proofs: Iterable[MartProof]) -> None:
    """Store what was found of some marts of one schema. Raises a `ShadowError`."""
    with shadow.transaction() as tx:
        for proof in proofs:
            found = MartVerification(
                marts_schema,
                proof.mart,
                str(proof.verdict),
                proof.because,
                proof.started_at,
                proof.seconds,
                proof.as_of,
                proof.compared,
                proof.equal,
                proof.time_zone,
                proof.definition,
            )
            save_mart_verification(tx, run_id, found, [_example(item) for item in proof.differences])


def _example(found: Difference) -> Example:
    return {
        "comparison": found.comparison,
        "cause": str(found.cause),
        "company_id": found.company_id,
        "key": {name: _plain(part) for name, part in found.key},
        "figures": [name for name, _, _ in found.figures],
        "rows": found.rows,
        "differing": list(found.differing[:_MOST_IDS]),
        "newer": list(found.newer[:_MOST_IDS]),
        "gone": list(found.gone[:_MOST_IDS]),
    }


def as_document(proofs: Iterable[MartProof]) -> dict[str, object]:
    """Return proofs as JSON has them; figures are text, so that no digit is lost."""
    listed = list(proofs)
    return {"is_proven": all(proof.is_good for proof in listed), "marts": [_entry(proof) for proof in listed]}


def _entry(proof: MartProof) -> dict[str, object]:
    return {
        "mart": proof.mart,
        "verdict": str(proof.verdict),
        "reason": proof.because,
        "as_of": proof.as_of,
        "figures_compared": proof.compared,
        "figures_equal": proof.equal,
        "asked": list(proof.asked),
        "not_asked": list(proof.not_asked),
        "differences": [_difference(item) for item in proof.differences],
        "seconds": round(proof.seconds, 3),
    }


def _difference(found: Difference) -> dict[str, object]:
    return {
        "comparison": found.comparison,
        "cause": str(found.cause),
        "company_id": found.company_id,
        "key": {name: _plain(part) for name, part in found.key},
        "figures": [{"name": name, "odoo": str(odoo), "mart": str(mart)} for name, odoo, mart in found.figures],
        "rows": found.rows,
        "differing": list(found.differing),
        "newer": list(found.newer),
        "gone": list(found.gone),
        "has_more_rows": found.more,
    }


def _plain(part: KeyPart) -> str | int | None:
    return part.isoformat() if isinstance(part, date) else part
