"""A stand-in for Supabase Vault: its SQL interface and its rights, without encryption, and without unique names."""

from __future__ import annotations

import psycopg

from odoo_stand_in import StandIn

_VAULT = """
CREATE SCHEMA vault;
CREATE TABLE vault.secrets (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text, secret text NOT NULL);
CREATE FUNCTION vault._crypto_aead_det_decrypt(message text) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN
    IF message = 'of another key' THEN RAISE 'invalid ciphertext %', message USING ERRCODE = 'XX000'; END IF;
    RETURN message; END $$;
REVOKE EXECUTE ON FUNCTION vault._crypto_aead_det_decrypt FROM PUBLIC;
CREATE VIEW vault.decrypted_secrets AS
    SELECT id, name, secret, vault._crypto_aead_det_decrypt(secret) AS decrypted_secret FROM vault.secrets;
CREATE FUNCTION vault.create_secret(new_secret text, new_name text DEFAULT NULL) RETURNS uuid LANGUAGE sql AS
    $$ INSERT INTO vault.secrets (secret, name) VALUES (new_secret, new_name) RETURNING id $$;
CREATE FUNCTION vault.update_secret(secret_id uuid, new_secret text DEFAULT NULL, new_name text DEFAULT NULL)
    RETURNS void LANGUAGE sql AS $$ UPDATE vault.secrets SET secret = coalesce(new_secret, secret),
    name = coalesce(new_name, name) WHERE id = secret_id $$;
"""


def make_vault(database: str, **secrets: str) -> None:
    """Make a Vault that holds secrets by name."""
    with psycopg.connect(database) as connection:
        connection.execute(_VAULT)
        for name, value in secrets.items():
            connection.execute("SELECT vault.create_secret(%s, %s)", (value, name))


def secrets_of(odoo: StandIn) -> dict[str, str]:
    """Return a stand-in's address and login, as the Vault is to hold them."""
    password = odoo.api_key if odoo.flavour == "19" else odoo.password
    return {"ODOO_URL": odoo.url, "ODOO_DB": odoo.database, "ODOO_USER": odoo.login, "ODOO_PASSWORD": password}
