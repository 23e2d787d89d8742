"""What has to do with a word: by its name, its label, the labels of its columns and choices, or as people call it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from odoo_shadow.knowledge.mcp import answer
from odoo_shadow.knowledge.mcp.words import forms, models_of
from odoo_shadow.shadow.relations import FIELD, SELECTION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from odoo_shadow.knowledge.mcp.answer import Json
    from odoo_shadow.shadow.connection.database import Transaction

_MOST_MODELS = 20
_MOST_A_MODEL = 3
_LONGEST = 80


@dataclass(frozen=True)
class Matching:
    """A word that everything has to do with; None for whatever there is."""

    word: str | None

    @property
    def is_all(self) -> bool:
        """Nothing is left out."""
        return self.word is None

    def fits(self, *texts: object) -> bool:
        """Say whether one of some texts has the word, in the singular at least."""
        if self.word is None:
            return True
        folded = [str(text or "").casefold() for text in texts]
        return any(form in text for form in forms(self.word) for text in folded)

    def fits_model(self, model: str, label: str) -> bool:
        """Say whether a model has the word in its name or label, or is what people mean by it."""
        return self.fits(model, label) or model in models_of(self.word or "")

    def place_of_model(self, found: tuple[str, object, object, object]) -> tuple[int, str]:
        """Return by what models are sorted: what people mean by the word comes first, then by name."""
        meant = models_of(self.word or "")
        return meant.index(found[0]) if found[0] in meant else len(meant), found[0]

    def columns(self, tx: Transaction, models: Mapping[str, str]) -> dict[str, Json]:
        """Return some columns that have the word in their name, their label or that of a choice, by model.

        :param models: of each table that may be named.
        """
        if self.word is None:
            return {}
        rows = tx.run(
            "WITH wanted AS (SELECT unnest({forms}::text[]) AS form),"
            " named AS (SELECT table_name, column_name, label, label AS said, 1 AS kind FROM {field}"
            "  WHERE vanished_at IS NULL AND table_name = ANY({tables}::text[])"
            "  UNION ALL SELECT s.table_name, s.column_name, s.label, s.value || '=' || s.label, 0 FROM {selection} s"
            "  JOIN {field} f USING (table_name, column_name)"
            "  WHERE f.vanished_at IS NULL AND table_name = ANY({tables}::text[])),"
            " found AS (SELECT table_name, column_name, min(kind) AS kind, (array_agg(said ORDER BY kind,"
            "  NOT EXISTS (SELECT FROM wanted WHERE strpos(lower(label), form) > 0), said))[1] AS said"
            "  FROM named WHERE EXISTS (SELECT FROM wanted"
            "   WHERE strpos(lower(said), form) > 0 OR kind = 1 AND strpos(column_name, form) > 0) GROUP BY 1, 2),"
            " numbered AS (SELECT *, row_number() OVER (PARTITION BY table_name ORDER BY kind, column_name) AS place"
            "  FROM found)"
            " SELECT table_name, column_name, said FROM numbered WHERE place <= {most} ORDER BY table_name, place",
            forms=list(forms(self.word)),
            tables=list(models),
            field=tx.own(FIELD),
            selection=tx.own(SELECTION),
            most=_MOST_A_MODEL,
        )
        listed: dict[str, list[Json]] = {}
        for table, column, label in rows:
            said = answer.text(f"{column}: {label}" if label else column, _LONGEST)
            listed.setdefault(models[str(table)], []).append(said)
        first = sorted(listed, key=lambda model: self.place_of_model((model, None, None, None)))
        return {model: listed[model] for model in first[:_MOST_MODELS]}

    def hint(self, otherwise: str) -> str:
        """Return what to do where nothing fits, such as list everything."""
        return (
            f"Nothing here has '{answer.text(self.word or '', _LONGEST)}' in its name, its label or its choices: try "
            f"another word, or leave matching out to {otherwise}; search finds records by what they say."
        )
