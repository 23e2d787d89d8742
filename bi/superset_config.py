"""Settings of the Superset that `make bi` runs: on loopback, for one session, calling nobody.

Take from it what you like for a Superset of your own. It reads two variables: `ODOO_SHADOW_BI_HOME`, the folder of its
metadata, and `ODOO_SHADOW_BI_SECRET_KEY`, which signs sessions and encrypts the database's password there.
"""

from __future__ import annotations

import os

SECRET_KEY = os.environ["ODOO_SHADOW_BI_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = f"sqlite:///{os.environ['ODOO_SHADOW_BI_HOME']}/superset.db"

APP_NAME = "Odoo shadow"
SESSION_COOKIE_NAME = "odoo_shadow_bi"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

# Names and texts come from Odoo, where customers may choose them: they are shown, never run.
FEATURE_FLAGS = {
    "ALERT_REPORTS": False,
    "ENABLE_TEMPLATE_PROCESSING": False,
    "ENABLE_JAVASCRIPT_CONTROLS": False,
    "ESCAPE_MARKDOWN_HTML": True,
}
HTML_SANITIZATION = True

# Nothing is fetched from elsewhere and nobody is told: a browser that is asked to anyway, refuses.
os.environ["SCARF_ANALYTICS"] = "false"
TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'"],
        "script-src": ["'self'", "'strict-dynamic'"],
        "frame-ancestors": ["'none'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": False,
}

# Every chart asks the database anew: what is shown is what its reader may see now.
CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}

# One person's session on one machine.
RATELIMIT_ENABLED = False
AUTH_RATE_LIMITED = False
ENABLE_UI_THEME_ADMINISTRATION = False
ROW_LIMIT = 10_000
