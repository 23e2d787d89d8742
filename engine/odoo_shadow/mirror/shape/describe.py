"""Asks Odoo what a model is made of, and what else its layout depends on."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from odoo_shadow.mirror.config.model_settings import AS_USUAL, ModelSettings
from odoo_shadow.mirror.shape.layout import Labels, Layout
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.fields import Field, read_fields
from odoo_shadow.source.api.readable_only import readable_only
from odoo_shadow.source.api.reading import ARCHIVED_TOO
from odoo_shadow.source.errors import OdooAccessError, OdooConfigurationError
from odoo_shadow.text.log import logger

log = logger(__name__)

DEFAULT_LANGUAGE = "en_US"


def read_layout(
    odoo: OdooClient,
    model: str,
    settings: ModelSettings = AS_USUAL,
    *,
    unreadable: Collection[str] | None = None,
) -> Layout:
    """Ask for a model's fields and choose those that are mirrored.

    :param unreadable: models that the login may not read, as an earlier run found out; None to ask.
    :raises MirrorConfigurationError: the settings do not fit the model's fields.
    :raises OdooError: Odoo could not be asked.
    """
    fields = read_fields(odoo, model)
    has_translations = settings.all_languages and any(field.translate for field in fields)
    has_companies = settings.all_companies and any(field.company_dependent for field in fields)
    layout = Layout.of(
        model,
        fields,
        settings,
        languages=languages_of(odoo) if has_translations else None,
        companies=companies_of(odoo) if has_companies else None,
        hash_secret=odoo.connection.hash_secret,
        unreadable=closed_models(odoo, model, fields) if unreadable is None else unreadable,
    )
    return replace(layout, readable=readable_only(odoo, model))


def closed_models(odoo: OdooClient, model: str, fields: Iterable[Field]) -> set[str]:
    """Return the models that many2many fields point to and that the login may not read."""
    related = {field.relation for field in fields if field.type == "many2many" and field.store and field.relation}
    closed = related - odoo.readable_models.keys() if related and odoo.readable_models else set()
    if closed:
        log.warning(
            "%s: the login '%s' may not read %s: many2many fields to them are left out.",
            model,
            odoo.connection.login,
            ", ".join(sorted(closed)),
        )
    return closed


def check_language(odoo: OdooClient) -> None:
    """Make sure that the connection's language is one that the server has. Raises an `OdooError`."""
    connection = odoo.connection
    lang = connection.lang
    if lang and not odoo.search_count("res.lang", [("code", "=", lang)]):
        raise OdooConfigurationError(
            f"{connection}: the server has no language '{lang}': correct {connection.setting('lang')}, or activate it "
            "in Odoo."
        )


def languages_of(odoo: OdooClient) -> Labels:
    """Return the active languages; `search` on `res.lang` shows no others."""
    main = odoo.connection.lang or DEFAULT_LANGUAGE
    codes = sorted({entry.text("code") for entry in odoo.look_up("res.lang", [], ["code"])} - {""})
    return Labels(main, tuple((code, {"lang": code}) for code in codes if code != main))


def companies_of(odoo: OdooClient) -> Labels:
    """Return the companies that are read. Odoo takes the first one of the context as the main one."""
    chosen = list(odoo.connection.company_ids) or _allowed_companies(odoo)
    others = ((str(item), {"allowed_company_ids": [item, *(c for c in chosen if c != item)]}) for item in chosen[1:])
    return Labels(str(chosen[0]), tuple(others))


def _allowed_companies(odoo: OdooClient) -> list[int]:
    """Return the companies that the login is allowed, its own one first."""
    user_id = odoo.user_id()
    users = odoo.look_up("res.users", [("id", "=", user_id)], ["company_id", "company_ids"], context=ARCHIVED_TOO)
    ids = {item for user in users for item in user.ids("company_ids")}
    if not ids:
        raise OdooAccessError(
            f"{odoo.connection}: '{odoo.connection.login}' has no companies that it may read: give it some, or name "
            f"them in {odoo.connection.setting('company_ids')}."
        )
    own = users[0].whole("company_id")
    return sorted(ids, key=lambda item: (item != own, item))
