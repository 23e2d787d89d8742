"""Which key fields are hashed with: a name for the connection's `hash_secret` that tells nothing of the secret.

The name is random. A digest of the secret, however short, would let whoever sees it try out secrets; so what the shadow
keeps to find the name again is a salted scrypt of each secret, where only the sync's role may read.

Another secret has another name, so a table is read and hashed anew (`read_as`). A row of `hash_secret` whose secret is
in use no more may be deleted; deleting the others only means that their tables are read again.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import lru_cache
from uuid import UUID

from odoo_shadow.shadow.database import Transaction
from odoo_shadow.shadow.state.hash_secrets import add_secret, known_secrets
from odoo_shadow.shadow.state.schema import lock_schema
from odoo_shadow.text.log import logger

log = logger(__name__)

_SALT_BYTES = 16
_COST, _BLOCK, _LANES = 2**14, 8, 1
"""What scrypt takes: some 50 ms and 16 MB."""


def known_key(tx: Transaction, secret: str | None) -> UUID | None:
    """Return what a secret is called here, None when no run has used it. Writes nothing."""
    if secret is None:
        return None
    known = (item for item in known_secrets(tx) if hmac.compare_digest(_verifier(secret, item.salt), item.verifier))
    return next((item.key_id for item in known), None)


def key_of(tx: Transaction, secret: str | None) -> UUID | None:
    """Return what a secret is called here, and give it a name if it has none; None for no secret."""
    found = known_key(tx, secret)
    if secret is None or found is not None:
        return found
    salt = secrets.token_bytes(_SALT_BYTES)
    verifier = _verifier(secret, salt)
    lock_schema(tx)
    found = known_key(tx, secret)  # another run may have been quicker
    if found is None:
        found = add_secret(tx, salt, verifier)
        log.info("The hash_secret has not been used here before: from now on it is called key %s", found)
    return found


@lru_cache(maxsize=256)
def _verifier(secret: str, salt: bytes) -> bytes:
    """Make what a secret is known by; once a process, not once a model."""
    return hashlib.scrypt(secret.encode(errors="surrogatepass"), salt=salt, n=_COST, r=_BLOCK, p=_LANES)
