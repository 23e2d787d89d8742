"""Where Odoo's own modules and those of others keep credentials, and what only sounds like one.

The lines follow Odoo's sources; what starts with `x_` is a custom module's or Studio's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from odoo_stand_in.schema import Declaration

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
        "ir.mail_server",
        "Mail Server",
        """
        name: char required
        from_filter: char
        smtp_host: char
        smtp_port: integer
        smtp_authentication: selection =login|certificate|gmail required
        smtp_user: char groups=base.group_system
        smtp_pass: char groups=base.group_system
        smtp_encryption: selection =none|starttls|ssl required
        smtp_ssl_private_key: binary groups=base.group_system
        google_gmail_refresh_token: char groups=base.group_system
        microsoft_outlook_access_token: char groups=base.group_system
        sequence: integer
        active: boolean
        """,
        "base",
    ),
    _keeper(
        "fetchmail.server",
        "Incoming Mail Server",
        """
        name: char required
        active: boolean
        state: selection =draft|done readonly
        server: char
        port: integer
        server_type: selection =imap|pop|local required
        user: char
        password: char
        """,
        "mail",
    ),
    _keeper(
        "payment.provider",
        "Payment Provider",
        """
        name: char translate required
        code: selection =none|adyen|stripe|custom required
        state: selection =disabled|enabled|test required
        company_id: many2one res.company required
        adyen_merchant_account: char
        adyen_api_key: char groups=base.group_system
        adyen_hmac_key: char groups=base.group_system
        stripe_publishable_key: char
        stripe_secret_key: char groups=base.group_system
        stripe_webhook_secret: char groups=base.group_system
        payumoney_merchant_salt: char groups=base.group_system
        ogone_password: char groups=base.group_system
        x_api_key: char
        allow_tokenization: boolean
        """,
        "payment",
    ),
    Declaration(
        "payment.token",
        "Payment Token",
        """
        provider_id: many2one payment.provider required
        payment_details: char
        partner_id: many2one res.partner required
        provider_ref: char required
        active: boolean
        """,
        rec_name="payment_details",
        module="payment",
        write_groups=SYSTEM,
    ),
    Declaration(
        "iap.account",
        "IAP Account",
        """
        name: char
        service_name@17: char readonly
        account_token: char
        warning_threshold@19: float
        """,
        module="iap",
    ),
    Declaration(
        "auth_totp.device",
        "Authentication Device",
        """
        name: char required readonly
        user_id: many2one res.users required readonly ondelete=cascade
        scope: char readonly
        create_date: datetime readonly
        """,
        module="auth_totp",
        log_access=False,
        auto=False,
        write_groups=SYSTEM,
    ),
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
        "mail.ice.server",
        "ICE server",
        """
        server_type: selection =stun|turn required
        uri: char required
        username: char
        credential: char
        """,
        "mail",
        rec_name="uri",
    ),
    _keeper(
        "mail.guest",
        "Guest",
        """
        name: char required
        access_token: char required readonly groups=base.group_system
        lang: selection =
        """,
        "mail",
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
        "rating.rating",
        "Rating",
        """
        res_model: char
        res_id: many2one_reference res_model
        rating: float
        feedback: text
        access_token: char
        """,
        module="rating",
        rec_name="res_model",
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
        "product.attribute",
        "Product Attribute",
        """
        name: char translate required
        key: char
        sequence: integer
        """,
        module="product",
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
MARKED: Mapping[str, tuple[str, ...]] = {
    "ir.config_parameter": ("value",),
    "ir.mail_server": (
        "smtp_pass",
        "smtp_ssl_private_key",
        "google_gmail_refresh_token",
        "microsoft_outlook_access_token",
    ),
    "fetchmail.server": ("password",),
    "payment.provider": (
        "adyen_api_key",
        "adyen_hmac_key",
        "stripe_secret_key",
        "stripe_webhook_secret",
        "payumoney_merchant_salt",
        "ogone_password",
        "x_api_key",
    ),
    "payment.token": ("provider_ref",),
    "iap.account": ("account_token",),
    # The keys themselves are no fields: what marks these is that their rows have no business in a mirror.
    "res.users.apikeys": ("name",),
    "auth_totp.device": ("name",),
    "auth.oauth.provider": ("client_id", "x_client_secret"),
    "res.company.ldap": ("ldap_password",),
    "mail.ice.server": ("credential",),
    "mail.guest": ("access_token",),
    "google.calendar.credentials": ("calendar_rtoken", "calendar_token", "calendar_sync_token"),
    "account_edi_proxy_client.user": ("private_key", "refresh_token"),
    "certificate.key": ("content", "password", "pem_key"),
    "rating.rating": ("access_token",),
    "pos.payment.method": ("adyen_api_key", "mp_bearer_token", "viva_wallet_client_secret"),
    "hr.employee": ("pin",),
    "sale.order": ("access_token",),
    "purchase.order": ("access_token",),
    "account.move": ("access_token",),
    "project.task": ("access_token",),
    "ir.attachment": ("access_token",),
    "x_connector.backend": (
        "password",
        "api_key",
        "client_secret",
        "webhook_url",
        "private_key",
        "auth_headers",
        "passphrase",
    ),
    "x_vault.entry": ("value",),
    "x_sync.credentials": ("value",),
    "x_shop.parameter": ("value",),
    "res.partner": (
        *("signup_token", "x_edi_password", "x_portal_password", "x_studio_password2", "x_token2", "x_ftp_pass1"),
        *("x_otp_seed", "x_studio_sftp_passwort_neu", "x_studio_char_field_4Fgh", "x_studio_remark"),
        "x_studio_invitation",
    ),
    "res.users": ("totp_secret", "oauth_access_token", "microsoft_calendar_rtoken"),
    "res.company": ("l10n_in_edi_password", "x_twilio_auth_token", "x_whatsapp_secret"),
}
"""Fields whose every value is a marked secret."""
INNOCENT: Mapping[str, tuple[str, ...]] = {
    "res.partner": (
        *("x_token_count", "x_secretary", "x_keyboard", "x_passport", "x_compass", "x_shipping_note"),
        *("x_external_key", "x_cycle_key", "x_pass_criteria", "x_passenger_name", "x_clave_producto"),
    ),
    "res.company": ("password_policy",),
    "hr.employee": ("name", "passport_id", "job_title"),
    "product.attribute": ("name", "key"),
    "pos.payment.method": ("name",),
    "rating.rating": ("feedback",),
}
"""Fields that only look like credentials, or stand beside them, each with a value in every row: to be mirrored."""


def models() -> Iterator[Declaration]:
    """Return the models and fields that keep credentials."""
    yield from MODELS
