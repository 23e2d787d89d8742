"""A stand-in for Supabase Vault, in SQL (`vault.sql`), and secrets in it."""

from __future__ import annotations

from pathlib import Path

import psycopg

from odoo_stand_in import StandIn

_STAND_IN = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


def make_vault(database: str, **secrets: str) -> None:
    """Make a Vault that holds secrets by name."""
    with psycopg.connect(database) as connection:
        connection.execute(_STAND_IN.encode())
    store_secrets(database, **secrets)


def store_secrets(database: str, **secrets: str) -> None:
    """Store secrets in Vault by their names."""
    with psycopg.connect(database) as connection:
        for name, value in secrets.items():
            connection.execute("SELECT vault.create_secret(%s, %s)", [value, name])


def secrets_of(odoo: StandIn) -> dict[str, str]:
    """Return a stand-in's address and login, as the Vault is to hold them."""
    password = odoo.api_key if odoo.flavour == "19" else odoo.password
    return {"ODOO_URL": odoo.url, "ODOO_DB": odoo.database, "ODOO_USER": odoo.login, "ODOO_PASSWORD": password}
