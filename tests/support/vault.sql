-- A STAND-IN for Supabase's extension supabase_vault, with its SQL interface and its rights, and without encryption.

CREATE SCHEMA vault;
CREATE TABLE vault.secrets (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text,
    description text NOT NULL DEFAULT '',
    secret text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX secrets_name_idx ON vault.secrets (name) WHERE name IS NOT NULL;
-- What stands for a value that was encrypted with the key of another project.
CREATE FUNCTION vault._crypto_aead_det_decrypt(message text) RETURNS text
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF message = 'of another key' THEN
        RAISE 'invalid ciphertext %', message USING ERRCODE = 'XX000';
    END IF;
    RETURN message;
END
$$;
REVOKE EXECUTE ON FUNCTION vault._crypto_aead_det_decrypt FROM PUBLIC;
CREATE VIEW vault.decrypted_secrets AS
    SELECT id, name, description, secret, vault._crypto_aead_det_decrypt(secret) AS decrypted_secret, created_at, updated_at
    FROM vault.secrets;
CREATE FUNCTION vault.create_secret(new_secret text, new_name text DEFAULT NULL, new_description text DEFAULT '',
    new_key_id uuid DEFAULT NULL) RETURNS uuid
LANGUAGE sql SET search_path = '' AS $$
    INSERT INTO vault.secrets (secret, name, description) VALUES (new_secret, new_name, new_description) RETURNING id
$$;
CREATE FUNCTION vault.update_secret(secret_id uuid, new_secret text DEFAULT NULL, new_name text DEFAULT NULL,
    new_description text DEFAULT NULL, new_key_id uuid DEFAULT NULL) RETURNS void
LANGUAGE sql SET search_path = '' AS $$
    UPDATE vault.secrets SET secret = coalesce(new_secret, secret), name = coalesce(new_name, name),
        description = coalesce(new_description, description), updated_at = now()
    WHERE id = secret_id
$$;
