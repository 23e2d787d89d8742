"""Which models and fields hold credentials. They are left out of every mirror, unless they are named."""

from __future__ import annotations

import re
from collections.abc import Collection

from airflow_provider_odoo_shadow.source.fields import Field

# Seen on Odoo 17.0 and 19.0 and in the sources of their modules: access_token, signup_token, totp_secret, new_password,
# oauth_access_token, smtp_pass, google_gmail_authorization_code, google_calendar_rtoken, adyen_hmac_key, pin …
_SECRET = re.compile(
    r"(^|_)(password|passwd|passphrase|passwort|pwd|pass|pin|secrets?|[a-z]*tokens?|credentials?|keys"
    r"|(api|auth|private|secret)_?keys?|authorization_code|auth(orization)?_headers?|bearer|access_code|webhook_(url|uuid)|callback_hash|session_identifier|hash_?iv|salt|csid)(_|$)"
)
_KEY = re.compile(r"_keys?$")
_PUBLIC_KEY = re.compile(
    r"(^|_)(public|publishable|site|client|analytics|form|cache|talk|primary|foreign|sort)_?keys?$"
)
# Seen on Odoo 17.0 and 19.0, besides those that the rule below knows by a word in their name.
_SECRET_MODELS = frozenset(
    {
        "ir.config_parameter",  # database.secret, and whatever modules keep there
        "ir.mail_server",
        "fetchmail.server",
        "iap.account",
        "mail.ice.server",
        "mail.partner.device",
        "mail.push.device",
        "payment.provider",
        "payment.acquirer",
    }
)
_SECRET_WORD = re.compile(
    r"(^|[._])(api_?keys?|auth_?keys?|credentials?|passwords?|passkeys?|secrets?|tokens?|totp|oauth2?|vaults?|keychains?"
    r"|certificates?|private_?keys?|config_parameters?)([._]|$)"
)
# Their names say nothing: who knows them, comes in.
_SECRET_FIELDS = frozenset({"discuss.channel.uuid", "mail.channel.uuid", "hr.employee.barcode"})
_SECRET_LABEL = re.compile(
    r"password|passwort|passphrase|mot de passe|contraseña|senha|wachtwoord|\bapi[ _-]?(key|token)|access[ _-]token"
    r"|client secret|secret key|private key",
    re.IGNORECASE,
)
_KEY_AND_VALUE = frozenset({"key", "value"})
_TEXTUAL = frozenset({"char", "text", "html", "json"})


def why_secret(model: str, text_fields: Collection[str] = ()) -> str | None:
    """Say why a model is taken for a store of credentials, None when it is not.

    :param text_fields: its stored text fields; who keeps a text by key, keeps settings, and with them credentials.
    """
    if model in _SECRET_MODELS:
        return "it holds credentials"
    word = _SECRET_WORD.search(model)
    if word is not None:
        return f"its name says that it holds credentials ('{word.group(2)}')"
    if set(text_fields) >= _KEY_AND_VALUE:
        return "it keeps settings by key, and credentials may be among them"
    return None


def is_secret(model: str, field: Field) -> bool:
    """Say whether a field's name or label says that its text is a credential."""
    if field.type not in _TEXTUAL:
        return False
    name = field.name.lower()
    is_key = _KEY.search(name) is not None and _PUBLIC_KEY.search(name) is None
    is_named = is_key or _SECRET.search(name) is not None or f"{model}.{name}" in _SECRET_FIELDS
    return is_named or _SECRET_LABEL.search(field.label) is not None
