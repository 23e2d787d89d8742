"""Reads a model's fields from Odoo, and what else its layout depends on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from odoo_shadow.mirror.config.model_settings import DEFAULT_SETTINGS, ModelSettings
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.mirror.shape.record_name import fields_by_company
from odoo_shadow.source.errors import OdooAccessError
from odoo_shadow.source.fields import Field
from odoo_shadow.source.kind import SourceKind
from odoo_shadow.source.port import Source, beside_of
from odoo_shadow.source.reading import Labels
from odoo_shadow.text.log import logger

log = logger(__name__)


def read_layout(
    odoo: Source,
    model: str,
    settings: ModelSettings = DEFAULT_SETTINGS,
    *,
    unreadable: Collection[str] | None = None,
) -> Layout:
    """Read a model's fields and choose those that are mirrored.

    :param unreadable: models that the login cannot read, as an earlier run found; None to ask Odoo.
    :raises MirrorConfigurationError: the settings do not fit the model's fields.
    :raises OdooError: Odoo could not be asked.
    """
    fields = odoo.describe(model)
    _check_computed(odoo, model, fields, settings)
    has_translations = settings.all_languages and any(field.translate for field in fields)
    return Layout.of(
        model,
        fields,
        settings,
        languages=odoo.languages() if has_translations else None,
        companies=_companies(odoo, model, fields, settings),
        hash_secret=odoo.access.hash_secret,
        unreadable=closed_models(odoo, model, fields) if unreadable is None else unreadable,
    )


def _check_computed(odoo: Source, model: str, fields: Sequence[Field], settings: ModelSettings) -> None:
    """Say what helps, if fields are asked for that are in no table."""
    if odoo.access.kind is SourceKind.API or beside_of(odoo) is not None:
        return
    missing = sorted({*settings.extra_fields} - {field.name for field in fields})
    if missing:
        raise MirrorConfigurationError(
            f"{model}, field '{missing[0]}': {odoo.access} has no column of it; if Odoo computes it, give the API's "
            "address and login as well; otherwise correct extra_fields."
        )


def _companies(odoo: Source, model: str, fields: Sequence[Field], settings: ModelSettings) -> Labels | None:
    if settings.all_companies and any(field.company_dependent for field in fields):
        return odoo.companies()
    by_name = {field.name: field for field in fields}
    if not fields_by_company(model, by_name, settings, ()):
        return None
    try:
        return odoo.companies()
    except OdooAccessError as error:
        log.warning("%s: names are those of the login's own company only: %s", model, error)
        return None


def closed_models(odoo: Source, model: str, fields: Iterable[Field]) -> set[str]:
    """Return the models that many2many fields point to and that the login cannot read."""
    related = {field.relation for field in fields if field.type == "many2many" and field.store and field.relation}
    closed = related - odoo.readable_models.keys() if related and odoo.readable_models else set()
    if closed:
        log.warning(
            "%s: the login '%s' cannot read %s: many2many fields to them are left out.",
            model,
            odoo.access.login,
            ", ".join(sorted(closed)),
        )
    return closed
