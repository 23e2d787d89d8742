"""Which fields hold credentials. They are left out of every mirror."""

from __future__ import annotations

import re

from airflow_provider_odoo_shadow.source.fields import Field

# Seen on Odoo 17.0 and 19.0 and in the sources of their modules: access_token, signup_token, totp_secret, new_password,
# oauth_access_token, smtp_pass, google_gmail_authorization_code, google_calendar_rtoken, adyen_hmac_key, pin …
_SECRET = re.compile(
    r"(^|_)(password|passwd|passphrase|passwort|pwd|pass|pin|secrets?|[a-z]*tokens?|credentials?|keys"
    r"|(api|auth|private|secret)_?keys?|authorization_code|access_code|hash_?iv|salt|csid)(_|$)"
)
_KEY = re.compile(r"_keys?$")
_PUBLIC_KEY = re.compile(
    r"(^|_)(public|publishable|site|client|analytics|form|cache|talk|primary|foreign|sort)_?keys?$"
)
_TEXTUAL = frozenset({"char", "text", "html", "json"})


def is_secret(field: Field) -> bool:
    """Say whether a field's name says that its text is a credential."""
    name = field.name.lower()
    if field.type not in _TEXTUAL:
        return False
    is_key = _KEY.search(name) is not None and _PUBLIC_KEY.search(name) is None
    return is_key or _SECRET.search(name) is not None
