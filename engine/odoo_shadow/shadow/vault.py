"""Odoo's address and login, where Supabase Vault keeps them: in the shadow's own database, encrypted.

Statements name the secrets, never a value: what PostgreSQL logs and shows of running statements holds none. Names are
not read either, since the most common mistake, `vault.create_secret` with name and value swapped, makes a name of a
password.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import LiteralString, NoReturn
from urllib.parse import urlsplit

import psycopg
from psycopg import errors as pg
from psycopg import sql

from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.errors import ShadowConfigurationError, ShadowOwnershipError, ShadowPermissionError
from odoo_shadow.shadow.owners.foreign_query import TRUSTED_ROLES
from odoo_shadow.text.amounts import first_of
from odoo_shadow.text.redaction import protect

URL, DATABASE, LOGIN, PASSWORD = SECRETS = ("ODOO_URL", "ODOO_DB", "ODOO_USER", "ODOO_PASSWORD")
"""The names of the secrets."""
LONGEST = 4_096
"""Characters of one secret."""
_SHORTEST_TELLING = 6
_LOCAL = ("localhost", "127.0.0.1", "::1")

_VIEW: LiteralString = (
    "SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),"
    " c.relowner IN {trusted} AND n.nspowner IN {trusted}, pg_get_userbyid(c.relowner)::text, current_user::text"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = 'vault' AND c.relname = 'decrypted_secrets' AND c.relkind = 'v'"
)
_READ: LiteralString = (
    "SELECT name, left(decrypted_secret, {longest} + 1) FROM vault.decrypted_secrets WHERE name = ANY({names})"
    " ORDER BY name LIMIT 100"
)
_SWAPPED: LiteralString = (
    "SELECT DISTINCT decrypted_secret FROM vault.decrypted_secrets WHERE decrypted_secret = ANY({names})"
)
_SWAP_BACK = (
    "SELECT vault.update_secret(id, name, decrypted_secret) FROM vault.decrypted_secrets WHERE decrypted_secret IN ({})"
)


class OdooCredentials(StrEnum):
    """Where Odoo's address and login come from."""

    CONNECTION = "connection"
    VAULT = "vault"


@dataclass(frozen=True, repr=False)
class OdooLogin:
    """What the Vault says of Odoo; not shown.

    :param password: a password or an API key.
    """

    url: str
    database: str
    login: str
    password: str


def read_odoo_login(shadow: ShadowDatabase) -> OdooLogin:
    """Read the four secrets; from then on nothing that is shown repeats them.

    :raises ShadowConfigurationError: there is no Vault, or which secrets are missing, swapped with their names, empty,
        too long or there twice.
    :raises ShadowPermissionError: the role cannot read the Vault.
    :raises ShadowOwnershipError: what is called so belongs to a role that is not trusted.
    """
    with shadow.transaction() as tx:
        problem = _unusable(tx, shadow.name)
        if problem is not None:
            raise problem
        found = _asked(tx, shadow.name, _READ, longest=LONGEST, names=list(SECRETS))
        for name, value in found:
            _keep_secret(str(name), str(value or ""))
        missing = [name for name in SECRETS if name not in {row[0] for row in found}]
        if missing:
            _refuse_missing(tx, shadow.name, missing)
    return OdooLogin(
        *(_only(shadow.name, name, [str(value or "") for key, value in found if key == name]) for name in SECRETS)
    )


def swapped_secrets(tx: Transaction) -> list[str]:
    """Return which of the names stand in the Vault as values; none where the role cannot read a Vault.

    Such an entry shows its value, which may be the password, as a name.
    """
    if _unusable(tx, "") is not None:
        return []
    try:
        with tx.cursor.connection.transaction():
            rows = tx.run(_SWAPPED, names=list(SECRETS))
    except (pg.InsufficientPrivilege, psycopg.DataError, psycopg.InternalError):
        return []
    return [name for name in SECRETS if (name,) in rows]


def how_to_swap_back(names: Sequence[str]) -> str:
    """Return what to do about secrets that stand in the Vault as names."""
    exposed = "; then change the password in Odoo, which has been readable" if PASSWORD in names else ""
    swap_back = _SWAP_BACK.format(", ".join(f"'{name}'" for name in names))
    return (
        f"name and value are swapped of {first_of(names, len(SECRETS))} (vault.create_secret takes the value first), "
        f"and names are not encrypted: {swap_back}{exposed}"
    )


def _unusable(
    tx: Transaction, name: str
) -> ShadowConfigurationError | ShadowPermissionError | ShadowOwnershipError | None:
    """Return why the Vault cannot be read: its view runs code, so that it must belong to somebody who is trusted."""
    rows = tx.run(_VIEW, trusted=sql.SQL(TRUSTED_ROLES).format(roles=sorted(tx.trust.roles)))
    if not rows:
        return ShadowConfigurationError(
            f"Shadow database '{name}' has no Vault (vault.decrypted_secrets): enable the extension supabase_vault "
            "there, or set odoo_credentials (--odoo-credentials, ODOO_CREDENTIALS) to connection."
        )
    ((may_read, is_trusted, owner, role),) = rows
    if not is_trusted:
        return ShadowOwnershipError(
            f"Shadow database '{name}': vault.decrypted_secrets belongs to the role '{owner}', or its schema to one "
            "that is not trusted either, so it is not read: the Vault of Supabase belongs to a superuser."
        )
    return None if may_read else _no_right(name, str(role))


def _no_right(name: str, user: str) -> ShadowPermissionError:
    role = sql.Identifier(user).as_string()
    return ShadowPermissionError(
        f"Shadow database '{name}': the role '{user}' cannot read the Vault: let somebody who can, such as "
        f"postgres, run GRANT USAGE ON SCHEMA vault TO {role}; GRANT SELECT ON vault.decrypted_secrets TO {role}; "
        f"GRANT EXECUTE ON FUNCTION vault._crypto_aead_det_decrypt TO {role}."
    )


def _asked(tx: Transaction, name: str, query: LiteralString, **parts: object) -> list[tuple[object, ...]]:
    """Run a query that decrypts. The errors of that repeat what was stored, and are not shown."""
    try:
        return tx.run(query, **parts)
    except pg.InsufficientPrivilege:  # the view may be read, and the function that decrypts not be called
        error: Exception = _no_right(name, tx.cursor.connection.info.user)
    except (psycopg.DataError, psycopg.InternalError):
        error = ShadowConfigurationError(
            f"Shadow database '{name}': its Vault cannot decrypt {first_of(SECRETS, len(SECRETS))}, as after a restore "
            "in another project, which has another key: store them again (vault.update_secret)."
        )
    raise error


def _refuse_missing(tx: Transaction, name: str, missing: Sequence[str]) -> NoReturn:
    swapped = swapped_secrets(tx)
    if swapped:
        raise ShadowConfigurationError(f"Shadow database '{name}', Vault: {how_to_swap_back(swapped)}.")
    calls = "; ".join(f"SELECT vault.create_secret('the value', '{item}')" for item in missing)
    raise ShadowConfigurationError(
        f"Shadow database '{name}', Vault: no {first_of(missing, len(SECRETS), ' and no ')}: add what is missing on "
        f"the Vault's page in Supabase's dashboard, or by {calls}."
    )


def _only(name: str, secret: str, values: Sequence[str]) -> str:
    problem = None
    if len(values) > 1:
        problem = "is there more than once: delete all but one"
    elif not values[0].strip():
        problem = "is empty: store its value (vault.update_secret)"
    elif len(values[0]) > LONGEST:
        problem = f"is longer than {LONGEST} characters: store what is meant (vault.update_secret)"
    if problem is not None:
        raise ShadowConfigurationError(f"Shadow database '{name}', Vault: {secret} {problem}.")
    return values[0]


def _keep_secret(name: str, value: str) -> None:
    """Let nothing repeat a value, unless it is an ordinary word: those would be hidden in every sentence."""
    text = value.strip()
    if name == PASSWORD:
        protect(value)
        protect(text)
        return
    if len(text) >= _SHORTEST_TELLING and not text.replace("_", "").isalnum():
        protect(text)
    if name == URL:
        host = _host(text)
        if host and host not in _LOCAL:
            protect(host)


def _host(url: str) -> str:
    try:
        return urlsplit(url if "://" in url else f"//{url}").hostname or ""
    except ValueError:
        return ""
