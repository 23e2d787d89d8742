"""Which fields hold credentials. They are left out of every mirror."""

from __future__ import annotations

import re

from airflow_provider_odoo_shadow.source.fields import Field

# Seen on Odoo 17.0 and 19.0: access_token, signup_token, totp_secret, new_password, oauth_access_token, smtp_pass,
# google_calendar_rtoken …
_SECRET = re.compile(
    r"(^|_)(password|passwd|passphrase|passwort|pwd|pass|secrets?|[a-z]*tokens?|(api|auth|private|secret)_?keys?"
    r"|credentials?)(_|$)"
)
_TEXTUAL = frozenset({"char", "text", "html", "json"})


def is_secret(field: Field) -> bool:
    """Say whether a field's name says that its text is a credential."""
    return field.type in _TEXTUAL and _SECRET.search(field.name.lower()) is not None
