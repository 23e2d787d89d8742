"""Documents of a shadow, brought up to date as `odoo-shadow embed` does it, and looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from odoo_shadow.knowledge.documents.refresh import Refreshed
from odoo_shadow.knowledge.documents.run import Failed, refresh_documents
from odoo_shadow.mirror.config.document_template import DocumentTemplate
from odoo_shadow.shadow.connection.database import ShadowDatabase


def told_nobody(model: str, written: int, of: int) -> None:
    """Report progress to nobody."""


def refresh(
    shadow: ShadowDatabase,
    templates: Mapping[str, dict[str, object]] | None = None,
    on_progress: Callable[[str, int, int], None] = told_nobody,
) -> dict[str, Refreshed | Failed]:
    """Bring all documents up to date; return what was done by model.

    :param templates: None for those of the last pass.
    """
    parsed = None
    if templates is not None:
        parsed = {model: DocumentTemplate.parse(model, item) for model, item in templates.items()}
    done = refresh_documents(shadow, parsed, on_progress)
    return {item.model: item for item in done}


def touched(done: Mapping[str, Refreshed | Failed]) -> dict[str, tuple[int, int, int]]:
    """Return how many documents of each model were added, changed and removed, where any was."""
    assert not [item for item in done.values() if isinstance(item, Failed)], done
    return {
        item.model: (item.added, item.changed, item.removed)
        for item in done.values()
        if isinstance(item, Refreshed) and not item.is_unchanged
    }


def texts(shadow: ShadowDatabase, model: str) -> dict[int, str]:
    """Return title and text of a model's documents, by the ids of their records."""
    with shadow.transaction() as tx:
        rows = tx.run(
            "SELECT odoo_id, title || E'\\n' || body FROM {view} WHERE odoo_model = {model} ORDER BY 1",
            view=tx.own("odoo_shadow_document"),
            model=model,
        )
    return {int(odoo_id): str(text) for odoo_id, text in rows}
