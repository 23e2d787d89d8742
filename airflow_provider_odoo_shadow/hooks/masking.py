"""Secrets of Airflow connections, kept out of every task's log, whoever writes the line."""

from __future__ import annotations

from airflow.sdk.log import mask_secret

from odoo_shadow.text.log import logger
from odoo_shadow.text.redaction import SHORTEST, forms_of, protect

# What these say of a server's answer is the server's own text.
for _library in ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry"):
    logger(_library)


def mask(secret: object, *, login: str = "") -> None:
    """Let Airflow hide a secret in whatever form a library or a server repeats it, also in other libraries' exceptions.

    Airflow by itself knows only a connection's password, and only as it is.

    :param login: that goes with it; a password that equals its login is no secret.
    """
    if not isinstance(secret, str) or len(secret.strip()) < SHORTEST or secret == login:
        return
    protect(secret, login=login)
    # Without a name: by name, Airflow would also hide values that are not secret.
    mask_secret([form for form in forms_of(secret, login) if len(form.strip()) >= SHORTEST])
