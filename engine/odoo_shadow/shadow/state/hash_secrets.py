"""Recognises the secrets of hashed fields: a random name for each, and a verifier that is slow to compute."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import HASH_SECRET


@dataclass(frozen=True)
class KnownSecret:
    """A secret that some run has hashed fields with.

    :param key_id: the secret's name; random, so that it reveals nothing.
    :param verifier: the result of a slow function of the secret and the salt.
    """

    key_id: UUID
    salt: bytes
    verifier: bytes


def known_secrets(tx: Transaction) -> list[KnownSecret]:
    """Return the verifiers of all secrets, newest first."""
    rows = tx.run(
        "SELECT key_id, salt, verifier FROM {secrets} ORDER BY created_at DESC, key_id",
        secrets=tx.internal(HASH_SECRET),
    )
    return [KnownSecret(key_id, bytes(salt), bytes(verifier)) for key_id, salt, verifier in rows]


def add_secret(tx: Transaction, salt: bytes, verifier: bytes) -> UUID:
    """Save a secret's verifier; return the secret's name."""
    ((key_id,),) = tx.run(
        "INSERT INTO {secrets} (salt, verifier) VALUES ({salt}, {verifier}) RETURNING key_id",
        secrets=tx.internal(HASH_SECRET),
        salt=salt,
        verifier=verifier,
    )
    return UUID(str(key_id))
