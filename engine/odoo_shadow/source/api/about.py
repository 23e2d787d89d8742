"""Questions about an Odoo other than its records: languages, companies, labels, stored fields."""

from __future__ import annotations

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.domains import ARCHIVED_TOO
from odoo_shadow.source.errors import OdooAccessError, OdooConfigurationError, OdooError, OdooUnknownModelError
from odoo_shadow.source.port import DEFAULT_LANGUAGE, ModelAbout
from odoo_shadow.source.reading import Labels


def check_language(client: OdooClient) -> None:
    """Make sure that the connection's language is one that the server has. Raises an `OdooError`."""
    connection = client.connection
    lang = connection.lang
    if lang and not client.search_count("res.lang", [("code", "=", lang)]):
        raise OdooConfigurationError(
            f"{connection}: the server has no language '{lang}': correct {connection.setting('lang')}, or activate it "
            "in Odoo."
        )


def languages(client: OdooClient) -> Labels:
    """Return the active languages; `search` on `res.lang` shows no others."""
    main = client.connection.lang or DEFAULT_LANGUAGE
    codes = sorted({entry.text("code") for entry in client.look_up("res.lang", [], ["code"])} - {"", main})
    return Labels(main, tuple(codes))


def companies(client: OdooClient) -> Labels:
    """Return the companies that are read. Odoo uses the first one of the context as the main one."""
    main, *others = list(client.connection.company_ids) or _allowed_companies(client)
    return Labels(str(main), tuple(map(str, others)))


def _allowed_companies(client: OdooClient) -> list[int]:
    """Return the companies that the login has access to, its own first."""
    user_id = client.user_id()
    users = client.look_up("res.users", [("id", "=", user_id)], ["company_id", "company_ids"], context=ARCHIVED_TOO)
    ids = {item for user in users for item in user.ids("company_ids")}
    if not ids:
        connection = client.connection
        raise OdooAccessError(
            f"{connection}: '{connection.login}' has no companies that it may read: assign it some, or list "
            f"them in {connection.setting('company_ids')}."
        )
    own = users[0].whole("company_id")
    return sorted(ids, key=lambda item: (item != own, item))


def about(client: OdooClient, model: str) -> ModelAbout:
    """Return a model's label, and the modules that define or extend it if the login may know them."""
    try:
        found = client.look_up("ir.model", [("model", "=", model)], ["name", "modules"])
    except OdooAccessError:
        return ModelAbout(client.readable_models.get(model, ""), None)
    return ModelAbout(found[0].text("name"), found[0].text("modules") or None) if found else ModelAbout("", None)


def has_model(client: OdooClient, model: str) -> bool:
    """Say whether the server has a model, even if the login may not read it; its own run reports other trouble."""
    try:
        client.fields_get(model, ["type"])
    except OdooUnknownModelError:
        return False
    except OdooError:
        return True
    return True


def stored_fields(client: OdooClient, models: list[str]) -> dict[str, set[str]] | None:
    """Return the names of models' stored fields as the server lists them, None when the login has no right to ask."""
    try:
        entries = client.look_up("ir.model.fields", [("model", "in", models), ("store", "=", True)], ["model", "name"])
    except OdooError:
        return None
    found: dict[str, set[str]] = {}
    for entry in entries:
        found.setdefault(entry.text("model"), set()).add(entry.text("name"))
    return found
