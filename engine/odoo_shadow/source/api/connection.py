"""The connection to Odoo as a person sets it: address, login and options, checked field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from urllib.parse import urlsplit

from odoo_shadow.source.company_ids import WANTED, read_company_ids
from odoo_shadow.source.errors import OdooConfigurationError
from odoo_shadow.source.secret_strength import ENOUGH_BITS, HOW_TO_MAKE_ONE, estimated_bits
from odoo_shadow.source.web_address import read_address
from odoo_shadow.text.given import given
from odoo_shadow.text.hosts import is_loopback
from odoo_shadow.text.nearest import did_you_mean
from odoo_shadow.text.redaction import protect

LONGEST_TIMEOUT = 86_400.0
MOST_CONNECTIONS = 1_000
MOST_CALLS_PER_SECOND = 1e6
_LEAST = 0.001
"""The smallest number that any field takes, since the timers of sockets and threads have bounds."""

EXTRAS = (
    *("protocol", "verify", "timeout", "lang", "company_ids", "max_connections", "requests_per_second", "hash_secret"),
    "allow_http",
)
"""The optional fields, by name."""

_YES = ("true", "yes", "on", "1", "")
_NO = ("false", "no", "off", "0")


_IN_A_FORM = {"host": "the host (URL)", "database": "the database (schema)", "password": "the password or API key"}
_IN_VAULT = {"host": "ODOO_URL", "database": "ODOO_DB", "login": "ODOO_USER", "password": "ODOO_PASSWORD"}
_AS_OPTIONS = {"host": "url", "database": "db", "login": "user"}


def setting_name(setting: str, *, on_command_line: bool, in_vault: bool = False) -> str:
    """Return a setting's name as its user knows it: a field of a form, an option and its variable, or a secret."""
    if in_vault and setting in _IN_VAULT:
        return f"{_IN_VAULT[setting]} in the Vault"
    if not on_command_line:
        return _IN_A_FORM.get(setting, f"the {setting}" if setting == "login" else setting)
    name = _AS_OPTIONS.get(setting, setting)
    if setting == "hash_secret":
        return "ODOO_HASH_SECRET"  # an option after it would be redacted, as what follows the word secret is
    return f"ODOO_{name.upper()} (--odoo-{name.replace('_', '-')})"


class ProtocolChoice(StrEnum):
    """How to speak to Odoo; `AUTO` depends on the server's version and on the kind of credential."""

    AUTO = "auto"
    JSON2 = "json2"
    JSONRPC = "jsonrpc"
    XMLRPC = "xmlrpc"


@dataclass(frozen=True)
class OdooConnection:
    """One Odoo database and a login to it.

    :param name: how messages call it: the Airflow connection id, or where the settings came from.
    :param url: scheme, host, port and perhaps a path prefix, without a slash at the end.
    :param database: the Odoo database's name.
    :param password: a password or an API key; never shown.
    :param verify: check the server's certificate: yes, no, or by this CA file.
    :param timeout: seconds to wait for an answer. Odoo itself ends a call after 120 s by default.
    :param lang: language of translated text; Odoo uses `en_US` when it is not given.
    :param company_ids: companies to read, the main one first; by default all that the login has access to.
    :param max_connections: how many HTTP connections one process keeps open at most.
    :param requests_per_second: upper limit of calls per second of one process; None for no limit.
    :param hash_secret: the key of fields of which only a hash is kept; never shown.
    :param allow_http: whether the password may travel unencrypted to another machine.
    :param on_command_line: whether it was given by options and variables instead of a form.
    :param in_vault: whether address and login are secrets of the Vault.
    """

    name: str
    url: str
    database: str
    login: str
    password: str = field(repr=False)
    protocol: ProtocolChoice = ProtocolChoice.AUTO
    verify: bool | str = True
    timeout: float = 120.0
    lang: str | None = None
    company_ids: tuple[int, ...] = ()
    max_connections: int = 2
    requests_per_second: float | None = None
    hash_secret: str | None = field(default=None, repr=False)
    allow_http: bool = False
    on_command_line: bool = False
    in_vault: bool = False

    def __str__(self) -> str:
        """Name, address and database: how error messages call this connection."""
        return f"Odoo connection '{self.name}' ({self.url}, database '{self.database}')"

    def setting(self, name: str) -> str:
        """Return the name of one of its settings. See `setting_name`."""
        return setting_name(name, on_command_line=self.on_command_line, in_vault=self.in_vault)

    def shared(self, tasks: int) -> OdooConnection:
        """Return the connection of one of so many processes that together keep to `requests_per_second`."""
        if self.requests_per_second is None:
            return self
        return replace(self, requests_per_second=self.requests_per_second / tasks)

    @property
    def path_hint(self) -> str:
        """What to add where no API is found: the URL may have been copied from a browser."""
        path = urlsplit(self.url).path
        return f" If the path '{path}' was copied from a browser, remove it from the URL." if path else ""

    @property
    def is_loopback(self) -> bool:
        """Whether the Odoo is on this machine."""
        return is_loopback(urlsplit(self.url).hostname or "")

    @classmethod
    def parse(
        cls,
        name: str,
        *,
        host: str | None,
        database: str | None,
        login: str | None,
        password: str | None,
        port: int | None = None,
        extras: Mapping[str, object] | None = None,
        on_command_line: bool = False,
        in_vault: bool = False,
    ) -> OdooConnection:
        """Check the fields as a person typed them.

        :param host: a URL; without a scheme, `http` is used for a loopback host, otherwise `https`.
        :param extras: the optional fields by name; empty ones count as not given.
        :param on_command_line: messages name options and variables instead of fields.
        :param in_vault: messages name secrets of the Vault instead of the fields of address and login.
        :raises OdooConfigurationError: says which field is wrong and what it should be, or that there is no such field.
        """
        reader = _Extras(name, extras or {}, on_command_line)
        # First, so that no later message can repeat them.
        protect(password.strip("\r\n") if password else None, login=(login or "").strip())
        protect(str(reader.values.get("hash_secret") or ""))
        reader.refuse_unknown()
        allow_http = reader.flag("allow_http")
        called = partial(setting_name, on_command_line=on_command_line, in_vault=in_vault)
        return cls(
            name=name,
            url=read_address(
                name,
                _required(name, called("host"), host),
                port,
                allow_http=allow_http,
                called=called,
            ),
            database=_one_line(name, called("database"), database),
            login=_one_line(name, called("login"), login),
            password=_required(name, called("password"), password).strip("\r\n"),
            protocol=reader.protocol(),
            verify=reader.verify(),
            timeout=reader.positive_number("timeout", at_most=LONGEST_TIMEOUT) or cls.timeout,
            lang=reader.text("lang"),
            company_ids=reader.ids("company_ids"),
            max_connections=reader.whole_number("max_connections", at_most=MOST_CONNECTIONS) or cls.max_connections,
            requests_per_second=reader.positive_number("requests_per_second", at_most=MOST_CALLS_PER_SECOND),
            hash_secret=reader.secret("hash_secret"),
            allow_http=allow_http,
            on_command_line=on_command_line,
            in_vault=in_vault,
        )


def _required(name: str, what: str, value: str | None) -> str:
    if value is None or not value.strip():
        raise OdooConfigurationError(f"Odoo connection '{name}': {what} is empty: fill it in.")
    return value


def _one_line(name: str, what: str, value: str | None) -> str:
    """Return a field that is sent in headers and appears in messages, without blanks around it."""
    text = _required(name, what, value).strip()
    if not text.isprintable():
        raise OdooConfigurationError(f"Odoo connection '{name}': {what} contains control characters: type it again.")
    return text


@dataclass(frozen=True)
class _Extras:
    """Reads the optional fields, which may arrive as text, numbers or JSON."""

    name: str
    values: Mapping[str, object]
    on_command_line: bool

    def _called(self, key: str) -> str:
        return setting_name(key, on_command_line=self.on_command_line)

    def refuse_unknown(self) -> None:
        """Refuse unknown fields: with `company_ids` misspelled, all companies would be mirrored."""
        for key in self.values:
            if key not in EXTRAS:
                raise OdooConfigurationError(
                    f"Odoo connection '{self.name}': there is no extra field '{key}'" + did_you_mean(str(key), EXTRAS)
                )

    def _wrong(self, key: str, wanted: str) -> OdooConfigurationError:
        return OdooConfigurationError(
            f"Odoo connection '{self.name}': {self._called(key)} is {given(self.values[key])}, but must be {wanted}."
        )

    def text(self, key: str) -> str | None:
        value = self.values.get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self._wrong(key, "text")
        return value.strip() or None

    def secret(self, key: str) -> str | None:
        value = self.values.get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or estimated_bits(value) < ENOUGH_BITS:
            raise OdooConfigurationError(
                f"Odoo connection '{self.name}': {self._called(key)} is too easy to guess: make a long random one "
                f"({HOW_TO_MAKE_ONE})."
            )
        return value

    def protocol(self) -> ProtocolChoice:
        value = self.values.get("protocol") or ProtocolChoice.AUTO
        try:
            return ProtocolChoice(str(value).lower())
        except ValueError:
            raise self._wrong("protocol", "one of " + ", ".join(ProtocolChoice)) from None

    def verify(self) -> bool | str:
        value = self.values.get("verify", True)
        if value is None or isinstance(value, bool):
            return value is not False
        if not isinstance(value, str):
            raise self._wrong("verify", "true, false or the path of a CA file")
        if value.strip().lower() in _YES:
            return True
        return False if value.strip().lower() in _NO else value.strip()

    def flag(self, key: str) -> bool:
        """Read a boolean; not given is false."""
        value = self.values.get(key)
        if value is None or isinstance(value, bool):
            return value is True
        text = value.strip().lower() if isinstance(value, str) else "?"
        if text not in (*_YES, *_NO):
            raise self._wrong(key, "true or false")
        return text in _YES and text != ""

    def positive_number(self, key: str, *, at_most: float) -> float | None:
        value = self.values.get(key)
        if value is None or value == "":
            return None
        try:
            number = float(str(value))
        except ValueError:
            raise self._wrong(key, "a number above zero") from None
        if not 0 < number < float("inf"):
            raise self._wrong(key, "a number above zero")
        if not _LEAST <= number <= at_most:
            raise self._wrong(key, f"between {_LEAST:g} and {at_most:g}")
        return number

    def whole_number(self, key: str, *, at_most: int) -> int | None:
        number = self.positive_number(key, at_most=at_most)
        if number is not None and number != int(number):
            raise self._wrong(key, "a whole number above zero")
        return None if number is None else int(number)

    def ids(self, key: str) -> tuple[int, ...]:
        try:
            return read_company_ids(self.values.get(key))
        except ValueError:
            raise self._wrong(key, WANTED) from None
