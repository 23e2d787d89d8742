"""The outcome or forecast of a run, as text for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from odoo_shadow.mirror.run.choose import LeftOut
from odoo_shadow.mirror.run.closing import Closed
from odoo_shadow.mirror.run.dry_run import DryRun
from odoo_shadow.mirror.run.plan import Unchanged
from odoo_shadow.mirror.sync.result import MirrorResult
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.text.amounts import counted, first_of

_MOST_NAMED = 5

Document: TypeAlias = dict[str, object]


def named_once(model: str, text: str, what: str = "") -> str:
    """Return a text about a model, after its name; some errors begin with the name already."""
    return f"{model}: {what}{text.removeprefix(f'{model}: ')}"


class Ending(StrEnum):
    """How a model's run ended."""

    MIRRORED = "mirrored"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    FAILED = "failed"


_WORDS = {Ending.UNCHANGED: "unchanged", Ending.SKIPPED: "not installed", Ending.FAILED: "failed"}


@dataclass(frozen=True)
class ModelOutcome:
    """The outcome of one model.

    :param done: what its run did; `Unchanged` if it had no work, None if it was skipped or failed.
    :param error: why it was skipped, or failed.
    :param committed: rows that it committed before it failed.
    """

    model: str
    ending: Ending
    done: MirrorResult | Unchanged | None = None
    error: str | None = None
    committed: RowCounts = field(default_factory=RowCounts)

    @property
    def counts(self) -> RowCounts:
        """The rows that the run wrote for it."""
        return self.done.counts if isinstance(self.done, MirrorResult) else self.committed


@dataclass(frozen=True)
class RunOutcome:
    """The outcome of a run.

    :param closed: what the end of the run did.
    :param end_error: why the end of the run stopped early.
    :param corrected: rows that were wrong until the rolling proof found and repaired them.
    :param problems: what keeps people from reading what was mirrored.
    :param knowledge_problems: why documents, or what is made of them, are not up to date; they followed the models.
    :param seconds: from the plan to the end.
    """

    run_id: UUID
    schema: str
    models: tuple[ModelOutcome, ...]
    left_out: tuple[LeftOut, ...] = ()
    closed: tuple[Closed, ...] = ()
    end_error: str | None = None
    corrected: int = 0
    problems: tuple[str, ...] = ()
    knowledge_problems: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether nothing failed."""
        return not (self.failed or self.problems or self.knowledge_problems) and self.end_error is None

    @property
    def failed(self) -> tuple[str, ...]:
        """Models that failed, in their own run or at the end of the run."""
        names = [item.model for item in self.models if item.ending is Ending.FAILED]
        return tuple(dict.fromkeys([*names, *(item.model for item in self.closed if item.error is not None)]))

    @property
    def counts(self) -> RowCounts:
        """The rows of all models."""
        counts = [*(item.counts for item in self.models), *(item.counts for item in self.closed)]
        return sum(counts, RowCounts())

    @property
    def summary(self) -> str:
        """The outcome in one sentence, and what to do next."""
        by_ending = {ending: sum(item.ending is ending for item in self.models) for ending in Ending}
        parts = [f"{counted(by_ending[Ending.MIRRORED], 'model')} mirrored"]
        parts += [f"{by_ending[item]} {word}" for item, word in _WORDS.items() if by_ending[item]]
        counts = self.counts
        text = (
            f"{', '.join(parts)}, in {self.seconds:.1f} s: {counted(counts.inserted, 'row')} inserted, "
            f"{counts.updated} updated, {counts.deleted} deleted"
        )
        if self.failed:
            named, failed = first_of(self.failed, _MOST_NAMED), counted(len(self.failed), "model")
            late = len(self.failed) - by_ending[Ending.FAILED]
            when = f", {late} only at the end of the run" if late else ""
            text += (
                f"; {failed} failed{when} ({named}): do what the messages above say, then run odoo-shadow sync again, "
                "which goes on from the last committed page"
            )
        if self.corrected:
            wrong = counted(self.corrected, "row was wrong", "rows were wrong")
            text += f"; {wrong} in the shadow until now and {'is' if self.corrected == 1 else 'are'} repaired"
        if self.end_error is not None:
            text += "; the end of the run failed: do what its message above says, then run odoo-shadow sync again"
        if self.problems:
            text += "; some views in public are not the shadow's: do what the message above says"
        if self.knowledge_problems:
            text += (
                "; not all documents are up to date: do what the messages above say, then run odoo-shadow embed with "
                "the same --config"
            )
        return f"{text}."

    def as_document(self) -> Document:
        """Return the outcome for programs."""
        return {
            "run_id": str(self.run_id),
            "schema": self.schema,
            "dry_run": False,
            "is_good": self.is_good,
            "seconds": round(self.seconds, 3),
            **_rows(self.counts),
            "models": [_as_entry(item) for item in self.models],
            "afterwards": [_as_closed(item) for item in self.closed],
            "end_error": self.end_error,
            "corrected": self.corrected,
            "left_out": _as_left_out(self.left_out),
            "problems": list(self.problems),
            "knowledge_problems": list(self.knowledge_problems),
        }


def _as_entry(item: ModelOutcome) -> Document:
    done, result = item.done, item.done if isinstance(item.done, MirrorResult) else None
    return {
        "model": item.model,
        "table": done.table if done else None,
        "outcome": str(item.ending),
        "kind": str(result.kind) if result else None,
        **_rows(item.counts),
        "seconds": round(result.seconds, 3) if result else None,
        "watermark": done.watermark.last_write_date if done else None,
        "resumed": bool(result and result.resumed),
        "unstorable_cells": result.unstorable_cells if result else 0,
        "cannot_know": bool(result and result.cannot_know),
        "error": item.error,
    }


def _as_closed(item: Closed) -> Document:
    error = None if item.error is None else str(item.error)
    return {"model": item.model, "what": item.what, **_rows(item.counts), "error": error}


def _as_left_out(items: Sequence[LeftOut]) -> list[Document]:
    return [{"model": item.model, "reason": item.reason} for item in items]


def _rows(counts: RowCounts) -> Mapping[str, int]:
    return {
        "rows_inserted": counts.inserted,
        "rows_updated": counts.updated,
        "rows_unchanged": counts.unchanged,
        "rows_deleted": counts.deleted,
    }


class Foreseen(StrEnum):
    """What a run would do with a model."""

    MIRRORED = "would be mirrored"
    SKIPPED = "would be skipped"
    FAILED = "would fail"


@dataclass(frozen=True)
class ModelForecast:
    """What a run would do with one model.

    :param error: why it would be skipped, or fail.
    """

    model: str
    ending: Foreseen
    dry_run: DryRun | None = None
    error: str | None = None

    def __str__(self) -> str:
        """Return one line for a person."""
        if self.dry_run is not None:
            return f"{self.dry_run}."
        return named_once(self.model, self.error or "", f"{self.ending}: ")


@dataclass(frozen=True)
class RunForecast:
    """What a run would do."""

    schema: str
    models: tuple[ModelForecast, ...]
    left_out: tuple[LeftOut, ...] = field(default=())

    @property
    def is_good(self) -> bool:
        """Whether nothing would fail."""
        return all(item.ending is not Foreseen.FAILED for item in self.models)

    @property
    def summary(self) -> str:
        """The last line of a dry run."""
        return "Nothing was written."

    def as_document(self) -> Document:
        """Return the forecast for programs, with all ids of rows that would be removed."""
        return {
            "schema": self.schema,
            "dry_run": True,
            "is_good": self.is_good,
            "models": [_as_forecast(item) for item in self.models],
            "left_out": _as_left_out(self.left_out),
        }


def _as_forecast(item: ModelForecast) -> Document:
    dry_run = item.dry_run
    return {
        "model": item.model,
        "table": dry_run.change.table if dry_run else None,
        "outcome": str(item.ending),
        "kind": str(dry_run.kind) if dry_run else None,
        "since": dry_run.low if dry_run else None,
        "rows_read": dry_run.rows if dry_run else None,
        "columns": dry_run.columns if dry_run else None,
        "rows_removed": len(dry_run.gone) if dry_run else None,
        "removed_ids": list(dry_run.gone) if dry_run else [],
        "on_delete": str(dry_run.on_delete) if dry_run else None,
        "hidden_rows": dry_run.hidden.rows if dry_run and dry_run.hidden else None,
        "changes": [str(change) for change in dry_run.change.changes] if dry_run else [],
        "error": item.error,
    }
