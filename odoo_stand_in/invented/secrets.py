"""Where Odoo's own modules and those of others keep credentials, and what only sounds like one.

What starts with `x_` is a custom module's or Studio's; the rest follows the sources of modules that the captured
servers have not. The rows have marked secrets: a test can search a whole mirror for what must not be there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg

from odoo_stand_in.declared.registry import Registry
from odoo_stand_in.declared.schema import Declaration, Field
from odoo_stand_in.invented.generator import Generator, Row

SYSTEM = ("base.group_system",)
# Fields that no group may read; Odoo calls it NO_ACCESS.
NOBODY = "."


def _keeper(name: str, description: str, fields: str, module: str, **more: object) -> Declaration:
    """Return a model that only administrators may read."""
    groups = {"read_groups": SYSTEM, "write_groups": SYSTEM}
    return Declaration(name, description, fields, module=module, **{**groups, **more})  # type: ignore[arg-type]


def _more(name: str, fields: str) -> Declaration:
    """Return fields that a module adds to a model of another."""
    return Declaration(name, "", fields, extends=True)


MODELS = (
    _keeper(
        "auth.oauth.provider",
        "OAuth2 provider",
        """
        name: char required
        client_id: char
        x_client_secret: char
        auth_endpoint: char required
        scope: char
        enabled: boolean
        """,
        "auth_oauth",
    ),
    _keeper(
        "res.company.ldap",
        "Company LDAP configuration",
        """
        company: many2one res.company required ondelete=cascade
        ldap_server: char required
        ldap_binddn: char
        ldap_password: char
        """,
        "auth_ldap",
        rec_name="ldap_server",
    ),
    _keeper(
        "google.calendar.credentials",
        "Google Calendar Account Data",
        """
        calendar_rtoken: char
        calendar_token: char
        calendar_sync_token: char
        """,
        "google_calendar",
        rec_name="",
    ),
    _keeper(
        "account_edi_proxy_client.user",
        "Account EDI proxy user",
        """
        active: boolean
        id_client: char required
        company_id: many2one res.company required
        private_key: binary groups=base.group_system
        refresh_token: char groups=base.group_system
        """,
        "account_edi_proxy_client",
        rec_name="id_client",
    ),
    _keeper(
        "certificate.key",
        "Cryptographic Keys",
        """
        name: char
        content: binary
        password: char
        pem_key: binary readonly
        public: boolean readonly
        company_id: many2one res.company required
        """,
        "certificate",
        only="19",
    ),
    Declaration(
        "pos.payment.method",
        "Point of Sale Payment Methods",
        """
        name: char translate required
        adyen_api_key: char
        mp_bearer_token: char
        viva_wallet_client_secret: char
        sequence: integer
        """,
        module="point_of_sale",
    ),
    Declaration(
        "x_connector.backend",
        "Connector Backend",
        """
        name: char required
        location: char
        username: char
        password: char
        api_key: char
        client_secret: char
        webhook_url: char
        private_key: text
        auth_headers: json
        passphrase: char translate
        """,
    ),
    Declaration("x_vault.entry", "Vault Entry", "name: char required\nvalue: char"),
    Declaration("x_sync.credentials", "Sync Credentials", "name: char required\nvalue: text"),
    Declaration("x_shop.parameter", "Shop Parameter", "key: char required\nvalue: text", rec_name="key"),
    _more("hr.employee", "pin: char\npassport_id: char"),
    _more("ir.mail_server", "microsoft_outlook_access_token@17: char groups=base.group_system"),
    _more(
        "payment.provider",
        """
        adyen_merchant_account: char
        adyen_api_key: char groups=base.group_system
        adyen_hmac_key: char groups=base.group_system
        stripe_publishable_key: char
        stripe_secret_key: char groups=base.group_system
        stripe_webhook_secret: char groups=base.group_system
        payumoney_merchant_salt: char groups=base.group_system
        ogone_password: char groups=base.group_system
        x_api_key: char
        """,
    ),
    _more("product.attribute", "key: char"),
    _more(
        "res.partner",
        """
        signup_token@17: char kept groups=base.group_erp_manager
        signup_type: char groups=base.group_erp_manager
        x_edi_password: char company manual
        x_portal_password: char manual
        x_studio_password2: char manual
        x_token2: char manual
        x_ftp_pass1: char manual
        x_otp_seed: char manual
        x_studio_sftp_passwort_neu: char manual
        x_studio_char_field_4Fgh: char manual string=Mot_de_passe_du_portail
        x_studio_remark: text manual related=parent_id.x_edi_password
        x_studio_invitation: html manual depends=x_portal_password
        x_external_key: char manual
        x_cycle_key: char manual
        x_pass_criteria: text manual
        x_passenger_name: char manual
        x_clave_producto: char manual string=Clave_del_producto
        x_token_count: integer manual
        x_secretary: char manual
        x_keyboard: char manual
        x_passport: char manual
        x_compass: char manual
        x_shipping_note: char manual
        """,
    ),
    _more(
        "res.users",
        f"""
        totp_secret: char kept groups={NOBODY}
        oauth_uid: char
        oauth_access_token@17: char readonly
        oauth_access_token@19: char readonly groups={NOBODY}
        microsoft_calendar_rtoken: char groups=base.group_system
        """,
    ),
    _more(
        "res.company",
        """
        l10n_in_edi_password: char groups=base.group_system
        x_twilio_auth_token: char manual
        x_whatsapp_secret: char manual
        password_policy: selection =weak|strong
        """,
    ),
)


def _by_model(names: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    return {model: tuple(fields.split()) for model, fields in names.items()}


# The keys of `res.users.apikeys` and `auth_totp.device` themselves are no fields: what marks these models is that their
# rows have no business in a mirror.
MARKED = _by_model(
    {
        "ir.config_parameter": "value",
        "ir.mail_server": "smtp_pass smtp_ssl_private_key google_gmail_refresh_token microsoft_outlook_access_token",
        "fetchmail.server": "password",
        "payment.provider": "adyen_api_key adyen_hmac_key stripe_secret_key stripe_webhook_secret "
        "payumoney_merchant_salt ogone_password x_api_key",
        "payment.token": "provider_ref",
        "iap.account": "account_token",
        "res.users.apikeys": "name",
        "auth_totp.device": "name",
        "auth.oauth.provider": "client_id x_client_secret",
        "res.company.ldap": "ldap_password",
        "mail.ice.server": "credential",
        "mail.guest": "access_token",
        "google.calendar.credentials": "calendar_rtoken calendar_token calendar_sync_token",
        "account_edi_proxy_client.user": "private_key refresh_token",
        "certificate.key": "content password pem_key",
        "rating.rating": "access_token",
        "pos.payment.method": "adyen_api_key mp_bearer_token viva_wallet_client_secret",
        "hr.employee": "pin",
        "sale.order": "access_token",
        "purchase.order": "access_token",
        "account.move": "access_token",
        "project.task": "access_token",
        "ir.attachment": "access_token",
        "x_connector.backend": "password api_key client_secret webhook_url private_key auth_headers passphrase",
        "x_vault.entry": "value",
        "x_sync.credentials": "value",
        "x_shop.parameter": "value",
        "res.partner": "signup_token x_edi_password x_portal_password x_studio_password2 x_token2 x_ftp_pass1 "
        "x_otp_seed x_studio_sftp_passwort_neu x_studio_char_field_4Fgh x_studio_remark x_studio_invitation",
        "res.users": "totp_secret oauth_access_token microsoft_calendar_rtoken",
        "res.company": "l10n_in_edi_password x_twilio_auth_token x_whatsapp_secret",
    }
)
"""Fields whose every value is a marked secret."""
INNOCENT = _by_model(
    {
        "res.partner": "x_token_count x_secretary x_keyboard x_passport x_compass x_shipping_note "
        "x_external_key x_cycle_key x_pass_criteria x_passenger_name x_clave_producto",
        "res.company": "password_policy",
        "hr.employee": "name passport_id job_title",
        "product.attribute": "name key",
        "pos.payment.method": "name",
        "rating.rating": "feedback",
    }
)
"""Fields that only look like credentials, or stand beside them, each with a value in every row: to be mirrored."""
MARKER = "MARKED-SECRET-"
LOOK_ALIKE = "LOOKS-LIKE-A-SECRET"
ROWS = 3


def places(registry: Registry) -> dict[str, tuple[str, str]]:
    """Model and field of each marker: a value that contains it comes from there."""
    pairs = [(model, name) for model, names in MARKED.items() for name in names]
    return {
        f"{MARKER}{number:03}": pair
        for number, pair in enumerate(pairs, 1)
        if pair[0] in registry.models and pair[1] in registry.models[pair[0]].fields
    }


def populate(generator: Generator) -> None:
    """Make rows of the models that are there for their secrets, and mark the others'."""
    for name in (*MARKED, *INNOCENT):
        if name in generator.registry.models and name not in generator.rows:
            generator.counts[name] = ROWS
            generator.make(name, lambda _number, _row: None)
    for marker, model, field in _stored(generator.registry):
        for row in generator.rows[model]:
            row[field.name] = _value(field, f"{marker}-{row['id']}")
    for model_name, names in INNOCENT.items():
        for row in generator.rows[model_name]:
            row.update({name: _innocent(generator.registry.models[model_name].fields[name], row) for name in names})


def _stored(registry: Registry) -> Iterator[tuple[str, str, Field]]:
    for marker, (model, name) in places(registry).items():
        field = registry.models[model].fields[name]
        if field.column or field.attached:
            yield marker, model, field


def _value(field: Field, marked: str) -> Any:
    if field.type == "binary":
        return marked.encode()
    if field.type == "json":
        return {"Authorization": f"Bearer {marked}"}
    if field.translate:
        return {"en_US": marked, "fr_FR": f"{marked} (fr)"}
    if field.company_dependent:
        return {str(company): marked for company in (1, 2, 3)}
    return f"https://hooks.example.com/services/{marked}" if field.name.endswith("url") else marked


def _innocent(field: Field, row: Row) -> Any:
    if field.type == "integer":
        return row["id"] % 7
    if field.type == "selection":
        return field.selection[row["id"] % len(field.selection)]
    text = f"{LOOK_ALIKE} {row['id']}"
    return {"en_US": text} if field.translate else text


def company_values(connection: psycopg.Connection[Any], registry: Registry) -> None:
    """Mark the company-dependent values that Odoo keeps in a table of their own up to 17."""
    for marker, (model, name) in places(registry).items():
        field = registry.models[model].fields[name]
        if field.company_dependent and not field.store:
            connection.execute(
                "UPDATE ir_property p SET value_text = %s || '-' || split_part(p.res_id, ',', 2)"
                " FROM ir_model_fields f WHERE f.id = p.fields_id AND f.model = %s AND f.name = %s",
                (marker, model, name),
            )
