"""The documents of a mirror: those that need somebody first, then by model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_provider_odoo_shadow.page.severity import Fact, Problem, Severity
from airflow_provider_odoo_shadow.page.wording import ago, grouped, in_words
from odoo_shadow.mirror.health.documents import DocumentHealth, DocumentsHealth
from odoo_shadow.text.amounts import counted, first_of

MOST_LISTED = 50
"""Models in the list; the project's own templates make eight."""
_MOST_NAMED = 3


@dataclass(frozen=True)
class DocumentRow:
    """The documents of a model in the list.

    :param state: what is wrong with them in a word, or that nothing is.
    :param waiting: how many have no embedding yet; empty where nothing is embedded.
    :param why: what makes it so, and what to do; empty where nothing is.
    """

    model: str
    severity: Severity
    state: str
    documents: str
    waiting: str
    as_of: datetime | None
    made_at: datetime
    why: str


def rate_documents(item: DocumentHealth, goal: timedelta | None) -> tuple[Severity, str, str]:
    """Say how well a model's documents are, in a word what they are, and why.

    :param goal: how much later than they their tables may have been brought up to date; None if nobody has said so.
    """
    late = item.late
    if not late and goal is not None and item.glance.behind > goal:
        late = f"are behind their tables by {in_words(item.glance.behind)}: let the mirror's DAG run"
    for severity, word, why in (
        (Severity.WARNING, "hidden", item.hidden),
        (Severity.WARNING, "late", late),
        (Severity.WARNING, "not loaded", item.unloaded),
    ):
        if why:
            return severity, word, why
    return Severity.GOOD, "up to date", ""


def rows_of_documents(documents: DocumentsHealth, goal: timedelta | None) -> tuple[DocumentRow, ...]:
    """List the models' documents, the worst ones first, and no more than `MOST_LISTED` of them."""
    rated = sorted(((*rate_documents(item, goal), item.glance) for item in documents.models), key=lambda one: -one[0])
    many = "many" if documents.glance.has_many_waiting else ""
    return tuple(
        DocumentRow(
            model=found.model,
            severity=severity,
            state=state,
            documents=grouped(found.documents),
            waiting=many if found.waiting is None else grouped(found.waiting),
            as_of=found.as_of,
            made_at=found.made_at,
            why=why,
        )
        for severity, state, why, found in rated[:MOST_LISTED]
    )


def document_problems(documents: DocumentsHealth, goal: timedelta | None) -> list[Problem]:
    """Return what is wrong with the documents, a few by name."""
    rated = [(*rate_documents(item, goal), item.glance.model) for item in documents.models]
    found = [(severity, why, model) for severity, _, why, model in rated if why]
    problems = [Problem(severity, f"The documents of {model} {why}.") for severity, why, model in found[:_MOST_NAMED]]
    if len(found) > _MOST_NAMED:
        more = counted(len(found) - _MOST_NAMED, "more model")
        problems.append(Problem(Severity.WARNING, f"{more} with documents that need somebody: see the list."))
    return problems


def documents_fact(documents: DocumentsHealth, goal: timedelta | None, now: datetime) -> tuple[Fact, ...]:
    """Say whether the documents follow the rows; nothing where there are none."""
    if not documents.models:
        return ()
    rated = [(*rate_documents(item, goal), item.glance) for item in documents.models]
    bad = [glance.model for severity, *_, glance in rated if severity >= Severity.WARNING]
    total = counted(sum(glance.documents for *_, glance in rated), "document")
    if bad:
        words = sorted({state for severity, state, *_ in rated if severity >= Severity.WARNING})
        what = f"{counted(len(bad), 'model')} {', '.join(words)}"
        return (Fact("Documents", Severity.WARNING, what, f"{first_of(bad, _MOST_NAMED)}; {total}"),)
    oldest = min(glance.as_of for *_, glance in rated if glance.as_of is not None)
    if documents.waiting:
        return (Fact("Documents", Severity.NEUTRAL, "not all embedded", f"{total}; {documents.waiting}"),)
    detail = f"{total}, {documents.embedded_by}; the oldest as of {ago(oldest, now)}"
    return (Fact("Documents", Severity.GOOD, "up to date", detail),)
