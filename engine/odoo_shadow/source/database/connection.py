"""Where Odoo's own PostgreSQL is, and how its values are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self, TypeAlias

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from odoo_shadow.postgres.address import read_address
from odoo_shadow.postgres.errors import Subject
from odoo_shadow.postgres.transport import KEEPALIVES, protected
from odoo_shadow.source.errors import OdooConfigurationError, OdooUnreachableError
from odoo_shadow.source.secret_strength import ENOUGH_BITS, HOW_TO_MAKE_ONE, estimated_bits
from odoo_shadow.text.redaction import protect, protect_url

PgConnection: TypeAlias = psycopg.Connection[TupleRow]

DEFAULT_SCHEMA = "public"
"""Odoo makes all its tables there."""


def odoo_database_called(name: str) -> Subject:
    """Return what messages about Odoo's own database call it, and its errors."""
    return Subject(f"Odoo's database '{name}'", OdooConfigurationError, OdooUnreachableError)


@dataclass(frozen=True)
class OdooDatabase:
    """Odoo's own PostgreSQL database, and how values are read from it.

    :param name: how messages call it: the Airflow connection id, or where the address came from.
    :param connect: opens a psycopg 3 connection.
    :param schema: where Odoo's tables are.
    :param url: Odoo's web address, for links to records and to know the Odoo again; None for what Odoo itself says
        (`web.base.url`).
    :param login: the login whose company counts where a value differs by company; None for the first company.
    :param lang: of translated texts; None for `DEFAULT_LANGUAGE`.
    :param company_ids: of values that differ by company the first one counts; none for the login's.
    :param hash_secret: the key of fields of which only a hash is kept; never shown.
    """

    name: str
    connect: Callable[[], PgConnection] = field(repr=False)
    schema: str = DEFAULT_SCHEMA
    url: str | None = None
    login: str | None = None
    lang: str | None = None
    company_ids: tuple[int, ...] = ()
    hash_secret: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse a secret that could be guessed. Raises `OdooConfigurationError`."""
        if self.hash_secret is not None:
            protect(self.hash_secret)
            if estimated_bits(self.hash_secret) < ENOUGH_BITS:
                raise OdooConfigurationError(f"{self}: the hash secret could be guessed: {HOW_TO_MAKE_ONE}.")

    def __str__(self) -> str:
        """Name it, as messages do."""
        return str(self.subject)

    @property
    def subject(self) -> Subject:
        """What messages call it, and which errors are raised about it."""
        return odoo_database_called(self.name)

    @classmethod
    def from_url(
        cls,
        address: str,
        *,
        name: str = "ODOO_DATABASE_URL",
        schema: str = DEFAULT_SCHEMA,
        url: str | None = None,
        login: str | None = None,
        lang: str | None = None,
        company_ids: Sequence[int] = (),
        hash_secret: str | None = None,
    ) -> Self:
        """Use a PostgreSQL URL or conninfo string; TLS is demanded of other machines, unless it says otherwise.

        :raises OdooConfigurationError: the secret could be guessed; what is wrong with the address is told when it is
            first used.
        """
        protect_url(address)
        subject = odoo_database_called(name)

        def connect() -> PgConnection:
            own = {"application_name": "odoo-shadow", "connect_timeout": "10", **KEEPALIVES}
            given = read_address(subject, address, schema)
            return psycopg.connect(make_conninfo("", **{**own, **protected(subject, given)}))

        return cls(name, connect, schema, url, login, lang, tuple(company_ids), hash_secret)
