"""Proves the marts of a mirror one by one, and stores what was found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from uuid import uuid4

from odoo_shadow.marts.errors import MartsError
from odoo_shadow.marts.proof.catalogue import COMPARISONS
from odoo_shadow.marts.proof.document import save
from odoo_shadow.marts.proof.verify import MartProof, Prover, Verdict, side_of
from odoo_shadow.marts.whose import check_owners, check_whose
from odoo_shadow.mirror.identity import check_all
from odoo_shadow.mirror.origin import check_binding
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.source.errors import OdooError
from odoo_shadow.source.port import Source
from odoo_shadow.text.amounts import counted, first_of
from odoo_shadow.text.nearest import did_you_mean

_PREFIX = "mart_"
_MOST_NAMED = 10


def chosen_marts(names: str | None) -> tuple[str, ...]:
    """Read a choice of marts, such as `sales,mart_stock`; all if there is none.

    :raises MartsError: there is no such mart.
    """
    given = [part.strip() for part in (names or "").split(",") if part.strip()]
    wanted = [name if name.startswith(_PREFIX) else _PREFIX + name for name in given]
    for name, typed in zip(wanted, given, strict=True):
        if name not in COMPARISONS:
            raise MartsError(f"There is no mart '{typed}'" + did_you_mean(name, COMPARISONS))
    return tuple(name for name in COMPARISONS if name in wanted or not wanted)


def prove_marts(
    odoo: Source, shadow: ShadowDatabase, schema: str, time_zone: str, marts: Sequence[str]
) -> Iterator[MartProof]:
    """Prove marts one by one, and store each outcome; a side that cannot be asked about one leaves it unproven.

    :param schema: of the marts.
    :param time_zone: the one that the marts were built with.
    :raises MartsError: no marts have been built, or they are somebody else's.
    :raises OdooError: the login is refused.
    :raises ShadowError: the outcome cannot be stored, or the shadow is another Odoo's.
    """
    odoo.user_id()
    check_binding(odoo, shadow)
    check_all(odoo, shadow)
    with shadow.transaction() as tx:
        check_owners(tx, schema)
        check_whose(tx, schema)
    side = side_of(shadow, schema, time_zone)
    if side is None:
        raise MartsError(f"Schema '{schema}' has no marts: run odoo-shadow marts build first.")
    prover, run_id = Prover(odoo, shadow, side), uuid4()
    for mart in marts:
        try:
            proof = prover.prove(mart)
        except (OdooError, ShadowError) as error:
            proof = MartProof(mart, Verdict.NOT_PROVEN, datetime.now(UTC), because=str(error))
        save(shadow, run_id, schema, [proof])
        yield proof


def sentences(proof: MartProof) -> list[str]:
    """Return what there is to say of a mart: each difference, what was not asked, and why it is not proven."""
    said = [f"{proof.mart}: {item.comparison}: {item.cause}: {item}" for item in proof.differences]
    said += [f"{proof.mart}: not asked: {item}" for item in proof.not_asked]
    return [*said, f"{proof.mart}: {proof.verdict}: {proof.because}"] if proof.because else said


def verdict_of_all(proofs: Iterable[MartProof]) -> str:
    """Return the result in one line."""
    listed = list(proofs)
    parts = []
    for verdict in Verdict:
        found = [proof.mart for proof in listed if proof.verdict is verdict]
        if found:
            parts.append(f"{len(found)} {verdict} ({first_of(found, _MOST_NAMED)})")
    figures = counted(sum(proof.compared for proof in listed), "figure")
    return f"Compared {figures} of {counted(len(listed), 'mart')} with Odoo: {'; '.join(parts)}."
