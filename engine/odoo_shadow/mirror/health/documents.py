"""The state of a mirror's documents: whether they follow the rows, whether people see them, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from odoo_shadow.shadow.state.documents import MOST_WAITING, DocumentGlance, DocumentsGlance
from odoo_shadow.text.amounts import counted, first_of
from odoo_shadow.text.findings import Finding, Verdict

PATIENCE = timedelta(hours=1)
"""How long documents may be behind their tables: they follow at the end of the same run."""

_MOST_NAMED = 8
_EMBED = "run odoo-shadow embed, or let the mirror do it (knowledge: true)"


@dataclass(frozen=True)
class DocumentHealth:
    """The state of the documents of one model.

    :param now: when it is looked at.
    """

    glance: DocumentGlance
    now: datetime

    @property
    def hidden(self) -> str:
        """That nobody sees them, and what to do; empty if they are seen."""
        if self.glance.is_shown:
            return ""
        return f"are hidden until all of them have been made for those who may see their rows: {_EMBED}"

    @property
    def late(self) -> str:
        """That tables which they show have been ahead of them for longer than a run takes, and what to do."""
        found = self.glance
        if found.synced_at is None or found.behind <= timedelta(0) or self.now - found.synced_at <= PATIENCE:
            return ""
        return (
            f"were last brought up to date on {_minute(found.made_at)}, and their tables after that, on "
            f"{_minute(found.synced_at)}: {_EMBED}"
        )

    @property
    def unloaded(self) -> str:
        """That they do not say as of when they are, and what to do; empty if they do."""
        if self.glance.as_of is not None:
            return ""
        return (
            "do not say as of when they are, as while the first load of one of their tables has not ended: let that "
            f"end, then {_EMBED}"
        )

    @property
    def problems(self) -> tuple[str, ...]:
        """All that needs somebody, a sentence each."""
        return tuple(text for text in (self.hidden, self.late, self.unloaded) if text)


@dataclass(frozen=True)
class DocumentsHealth:
    """The state of all documents of a mirror."""

    glance: DocumentsGlance
    now: datetime

    @property
    def models(self) -> tuple[DocumentHealth, ...]:
        """The models that have documents, by name."""
        return tuple(DocumentHealth(item, self.now) for item in self.glance.models)

    @property
    def waiting(self) -> str:
        """How many documents have no embedding yet, in words; empty if all have one, or none shall have."""
        if self.glance.has_many_waiting:
            number = f"{MOST_WAITING:,} documents or more"
        else:
            count = sum(item.waiting or 0 for item in self.glance.models)
            number = counted(count, "document") if count else ""
        return f"{number} without an embedding: searches find them by words alone" if number else ""

    @property
    def embedded_by(self) -> str:
        """By what model documents are embedded, in words; empty where there are no documents."""
        used = self.glance.embedding
        if used is None:
            return "without embeddings: searches are by words alone" if self.glance.models else ""
        state = "" if used.is_current else ", whose first fill has not ended"
        return f"embedded by {used.name}{state}"


def examine_documents(documents: DocumentsHealth) -> Iterator[Finding]:
    """Check whether documents follow the rows; nothing where there are none."""
    for item in documents.models:
        for text in item.problems:
            yield Finding("documents", Verdict.WARNING, f"those of {item.glance.model} {text}")
    good = [item.glance.model for item in documents.models if not item.problems]
    if good:
        total = sum(item.documents for item in documents.glance.models)
        text = f"{counted(total, 'document')} {documents.embedded_by}; up to date: {first_of(good, _MOST_NAMED)}"
        yield Finding("documents", Verdict.OK, text)
    if documents.waiting:
        yield Finding("documents", Verdict.WARNING, documents.waiting)


def as_entries(documents: DocumentsHealth) -> list[dict[str, object]]:
    """Return the documents' state for programs, by model."""
    return [
        {
            "model": item.glance.model,
            "documents": item.glance.documents,
            "is_shown": item.glance.is_shown,
            "as_of": item.glance.as_of,
            "made_at": item.glance.made_at,
            "tables_synced_at": item.glance.synced_at,
            "behind_seconds": round(item.glance.behind.total_seconds()),
            "without_embedding": item.glance.waiting,
            "problems": [f"The documents of {item.glance.model} {text}" for text in item.problems],
        }
        for item in documents.models
    ]


def embedding_entry(documents: DocumentsHealth) -> dict[str, object] | None:
    """Return by what model documents are embedded, for programs; None if they are not."""
    used = documents.glance.embedding
    if used is None:
        return None
    return {"name": used.name, "dimensions": used.dimensions, "is_current": used.is_current}


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
