"""Names the key of `hashed_fields`: a name for the connection's `hash_secret` that reveals nothing about the secret.

The name is random. A digest of the secret, however short, would let whoever sees it try out secrets; so the shadow
keeps a salted scrypt of each secret to find its name again, in a table that only the sync's role can read.

Another secret has another name, so a table is read and hashed again (`read_as`). A row of `hash_secret` whose secret is
not used any more may be deleted; deleting others only means that their tables are read again.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import lru_cache
from uuid import UUID

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.state.hash_secrets import add_secret, known_secrets
from odoo_shadow.shadow.state.schema import lock_schema
from odoo_shadow.text.log import logger

log = logger(__name__)

_SALT_BYTES = 16
_COST, _BLOCK, _LANES = 2**14, 8, 1
"""Parameters of scrypt: about 50 ms and 16 MB."""


def known_key(tx: Transaction, secret: str | None) -> UUID | None:
    """Return the name of a secret, None if no run has used it. Writes nothing."""
    if secret is None:
        return None
    known = (item for item in known_secrets(tx) if hmac.compare_digest(_verifier(secret, item.salt), item.verifier))
    return next((item.key_id for item in known), None)


def key_of(tx: Transaction, secret: str | None) -> UUID | None:
    """Return the name of a secret, after giving it one if it has none; None for no secret."""
    found = known_key(tx, secret)
    if secret is None or found is not None:
        return found
    salt = secrets.token_bytes(_SALT_BYTES)
    verifier = _verifier(secret, salt)
    lock_schema(tx)
    found = known_key(tx, secret)  # another run may have been quicker
    if found is None:
        found = add_secret(tx, salt, verifier)
        log.info("The hash_secret has not been used in this schema before: from now on it is called key %s", found)
    return found


@lru_cache(maxsize=256)
def _verifier(secret: str, salt: bytes) -> bytes:
    """Compute the scrypt of a secret; once per process, not per model."""
    return hashlib.scrypt(secret.encode(errors="surrogatepass"), salt=salt, n=_COST, r=_BLOCK, p=_LANES)
