"""pgvector in the shadow's database: where it is, whether it serves, and its creation where there is none yet."""

from __future__ import annotations

import re
from dataclasses import dataclass

from psycopg import sql

from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.text.errors import ShownError
from odoo_shadow.text.log import logger
from odoo_shadow.text.shown import shown

log = logger(__name__)

NAME = "vector"
OLDEST = (0, 8)
"""The first version whose searches go on until they have found enough rows that the caller may see."""

_WORDS_ALONE = "search is by words alone"


class NoVectorsError(ShownError):
    """The database has no pgvector that serves; the message says what to do. Everything else works."""


@dataclass(frozen=True)
class Extension:
    """pgvector as it is installed.

    :param schema: where its types and operators are.
    """

    schema: str

    def halfvec(self, dimensions: int) -> sql.Composed:
        """Return the type of a column of vectors, two bytes a number."""
        return sql.SQL("{}({})").format(sql.Identifier(self.schema, "halfvec"), dimensions)

    @property
    def cosine_operators(self) -> sql.Identifier:
        """Return the operator class of an index by cosine distance."""
        return sql.Identifier(self.schema, "halfvec_cosine_ops")


def find_extension(tx: Transaction) -> Extension:
    """Return pgvector, if it is installed and serves. Raises a `NoVectorsError`."""
    rows = tx.run(
        "SELECT n.nspname, e.extversion, r.rolname, r.rolsuper OR r.rolname = current_user AS is_own,"
        " has_schema_privilege(n.oid, 'USAGE'), current_user"
        " FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
        " LEFT JOIN pg_type t ON t.typnamespace = n.oid AND t.typname = 'halfvec'"
        " LEFT JOIN pg_roles r ON r.oid = coalesce(t.typowner, e.extowner) WHERE e.extname = {name}",
        name=NAME,
    )
    if not rows:
        there = tx.run("SELECT 1 FROM pg_available_extensions WHERE name = {name}", name=NAME)
        first = "" if there else "install pgvector 0.8 or later on its server, and "
        raise NoVectorsError(
            f"The database has no extension {NAME} (pgvector), so {_WORDS_ALONE}: {first}have an administrator run "
            f"CREATE EXTENSION {NAME}."
        )
    schema, version, owner, is_own, may_use, role = rows[0]
    if _numbers(str(version)) < OLDEST:
        raise NoVectorsError(
            f"The database's extension {NAME} is of version {shown(version)}, and 0.8 is needed, so {_WORDS_ALONE}: "
            f"have an administrator run ALTER EXTENSION {NAME} UPDATE."
        )
    if not may_use:
        place, grantee = (sql.Identifier(name).as_string(tx.cursor) for name in (schema, role))
        raise NoVectorsError(
            f"This role may not use the schema of the database's extension {NAME}, so {_WORDS_ALONE}: have an "
            f"administrator run GRANT USAGE ON SCHEMA {place} TO {grantee}."
        )
    if not is_own and owner not in tx.trust.roles:
        # Its code runs with this role's rights.
        raise NoVectorsError(
            f"The database's extension {NAME} belongs to role '{shown(owner)}', which is not trusted, so "
            f"{_WORDS_ALONE}: trust it by name (trusted_roles, --trusted-roles)."
        )
    return Extension(str(schema))


def ensure_extension(shadow: ShadowDatabase) -> Extension:
    """Return pgvector; create it if the server has it and this role may.

    :raises NoVectorsError: there is none that serves.
    :raises ShadowError: the database cannot be reached.
    """
    with shadow.transaction() as tx:
        offered = tx.run(
            "SELECT default_version, installed_version FROM pg_available_extensions WHERE name = {name}", name=NAME
        )
        ((has_place,),) = tx.run("SELECT to_regnamespace('extensions') IS NOT NULL")
        if not offered or offered[0][1] is not None or _numbers(str(offered[0][0])) < OLDEST:
            return find_extension(tx)
    try:
        with shadow.transaction() as tx:
            schema = sql.Identifier("extensions" if has_place else "public")
            tx.run("CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA {schema}", schema=schema)
            log.info("Created the extension %s in schema %s", NAME, schema.as_string(tx.cursor))
    except ShadowError as error:
        log.info("The extension %s could not be created: %s", NAME, error)
    with shadow.transaction() as tx:
        return find_extension(tx)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d{1,6}", version)[:2])
