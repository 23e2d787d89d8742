"""How values are read from Odoo's own database, by the settings that a connection of the API has, too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, Self

from odoo_shadow.source.company_ids import WANTED, read_company_ids
from odoo_shadow.source.database.connection import odoo_database_called
from odoo_shadow.source.errors import OdooConfigurationError
from odoo_shadow.source.web_address import read_address as read_web_address
from odoo_shadow.text.given import given
from odoo_shadow.text.redaction import protect


class _Connection(Protocol):
    """A connection to the API, which this room does not know."""

    @property
    def url(self) -> str: ...
    @property
    def login(self) -> str: ...
    @property
    def lang(self) -> str | None: ...
    @property
    def company_ids(self) -> tuple[int, ...]: ...
    @property
    def hash_secret(self) -> str | None: ...


@dataclass(frozen=True)
class HowRead:
    """What `OdooDatabase` takes besides its address. See there."""

    url: str | None = None
    login: str | None = None
    lang: str | None = None
    company_ids: tuple[int, ...] = ()
    hash_secret: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, api: _Connection) -> Self:
        """Return the settings of the API beside it."""
        return cls(api.url, api.login, api.lang, api.company_ids, api.hash_secret)

    @classmethod
    def parse(
        cls,
        name: str,
        *,
        url: object = None,
        login: object = None,
        lang: object = None,
        company_ids: object = None,
        hash_secret: object = None,
        called: Callable[[str], str],
    ) -> Self:
        """Check the settings as a person wrote them; empty ones count as not given.

        :param name: how messages call the connection.
        :param called: returns how its user knows a setting.
        :raises OdooConfigurationError: says which is wrong, and what it should be.
        """
        protect(str(hash_secret or ""))

        def text(setting: str, value: object) -> str | None:
            if value is None or value == "":
                return None
            if not isinstance(value, str) or not value.strip().isprintable():
                raise wrong(setting, value, "text in one line")
            return value.strip() or None

        def wrong(setting: str, value: object, wanted: str) -> OdooConfigurationError:
            return OdooConfigurationError(
                f"{odoo_database_called(name)}: {called(setting)} is {given(value)}, but must be {wanted}."
            )

        address = text("host", url)
        try:
            ids = read_company_ids(company_ids)
        except ValueError:
            raise wrong("company_ids", company_ids, WANTED) from None
        return cls(
            # No password goes there.
            None if address is None else read_web_address(name, address, None, allow_http=True, called=called),
            text("login", login),
            text("lang", lang),
            ids,
            text("hash_secret", hash_secret),
        )
