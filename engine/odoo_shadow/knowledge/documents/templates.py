"""The templates of documents that the project brings along, and those that a mirror has."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from odoo_shadow.knowledge.documents.plan import Wanted
from odoo_shadow.knowledge.documents.store import known_models
from odoo_shadow.mirror.config.document_template import DocumentTemplate
from odoo_shadow.shadow.connection.database import Transaction

_FILE = files("odoo_shadow.knowledge.documents") / "templates.toml"


@cache
def own_templates() -> Mapping[str, DocumentTemplate]:
    """Return the project's own templates, by model."""
    document = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {model: DocumentTemplate.parse(model, settings) for model, settings in document.items()}


def wanted_documents(tx: Transaction, given: Mapping[str, DocumentTemplate] | None) -> list[Wanted]:
    """Return the models that shall have documents, and their templates.

    The project's own come first, as far as their models are mirrored; templates of a person take their place.

    :param given: those of the mirrors file; None for those of the last pass.
    """
    own = own_templates()
    if given is None:
        given = {
            model: DocumentTemplate.from_text(item.template)
            for model, item in known_models(tx).items()
            if item.is_given
        }
    return [Wanted(model, template, model in given) for model, template in {**own, **given}.items()]
