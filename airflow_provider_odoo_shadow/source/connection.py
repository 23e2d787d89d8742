"""Where an Odoo is and how to talk to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from airflow_provider_odoo_shadow.source.errors import OdooConfigurationError
from airflow_provider_odoo_shadow.source.secret_strength import ENOUGH_BITS, HOW_TO_MAKE_ONE, estimated_bits
from airflow_provider_odoo_shadow.text.redaction import protect

ODOO_PLAIN_HTTP_PORT = 8069

_LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_YES = ("true", "yes", "on", "1", "")
_NO = ("false", "no", "off", "0")


class ProtocolChoice(StrEnum):
    """How to speak to Odoo; `AUTO` asks the server and looks at the credential."""

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
    :param lang: language of translated text; Odoo takes `en_US` when it is not given.
    :param company_ids: companies to read, the first is the main one; by default all that the login is allowed.
    :param max_connections: HTTP connections that one process keeps open at the most.
    :param requests_per_second: upper limit of calls per second of one process; None for no limit.
    :param hash_secret: the key of fields of which only a hash is kept; never shown.
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

    def __str__(self) -> str:
        """Name, address and database: how error messages call this connection."""
        return f"Odoo connection '{self.name}' ({self.url}, database '{self.database}')"

    @property
    def read_as(self) -> str:
        """What decides which values Odoo gives: the login, the language and the companies."""
        companies = ", ".join(map(str, self.company_ids)) or "all companies"
        return f"'{self.login}', {self.lang or 'en_US'}, {companies}"

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
    ) -> OdooConnection:
        """Check the fields as a person typed them.

        :param host: a URL; without a scheme, `http` is taken for a loopback host or port 8069, else `https`.
        :param extras: the optional fields by name; empty ones count as not given.
        :raises OdooConfigurationError: says which field is wrong and what it should be.
        """
        reader = _Extras(name, extras or {})
        # First of all: no message of what follows may repeat them.
        protect(password.strip("\r\n") if password else None, login=(login or "").strip())
        protect(str(reader.values.get("hash_secret") or ""))
        return cls(
            name=name,
            url=_base_url(name, host, port),
            database=_required(name, "database (schema)", database).strip(),
            login=_required(name, "login", login).strip(),
            password=_required(name, "password or API key", password).strip("\r\n"),
            protocol=reader.protocol(),
            verify=reader.verify(),
            timeout=reader.positive_number("timeout") or cls.timeout,
            lang=reader.text("lang"),
            company_ids=reader.ids("company_ids"),
            max_connections=reader.whole_number("max_connections") or cls.max_connections,
            requests_per_second=reader.positive_number("requests_per_second"),
            hash_secret=reader.secret("hash_secret"),
        )


def _required(name: str, what: str, value: str | None) -> str:
    if value is None or not value.strip():
        raise OdooConfigurationError(f"Odoo connection '{name}' has no {what}: fill that field in.")
    return value


def _base_url(name: str, host: str | None, port: int | None) -> str:
    text = _required(name, "host (URL)", host).strip()
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        own_port = parts.port or port
    except ValueError:
        raise OdooConfigurationError(_bad_url(name)) from None
    plain = parts.hostname in _LOOPBACK_HOSTS or own_port == ODOO_PLAIN_HTTP_PORT
    scheme = parts.scheme or ("http" if plain else "https")
    if scheme not in _DEFAULT_PORTS or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise OdooConfigurationError(_bad_url(name))
    hostname = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    # One server, one URL: it is also how a shadow knows its Odoo again.
    shown_port = "" if own_port in (None, _DEFAULT_PORTS[scheme]) else f":{own_port}"
    return f"{scheme}://{hostname}{shown_port}{parts.path.rstrip('/')}"


def _bad_url(name: str) -> str:
    # The text itself is not repeated: people paste credentials into URLs.
    return (
        f"Odoo connection '{name}': the host is not a URL such as https://erp.example.com "
        "(http or https, no login, no query)."
    )


@dataclass(frozen=True)
class _Extras:
    """Reads the optional fields, which may arrive as text, numbers or JSON."""

    name: str
    values: Mapping[str, object]

    def _wrong(self, key: str, wanted: str) -> OdooConfigurationError:
        return OdooConfigurationError(
            f"Odoo connection '{self.name}': {key} is {self.values[key]!r}, but must be {wanted}."
        )

    def text(self, key: str) -> str | None:
        value = self.values.get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self._wrong(key, "a text")
        return value.strip()

    def secret(self, key: str) -> str | None:
        value = self.values.get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or estimated_bits(value) < ENOUGH_BITS:
            raise OdooConfigurationError(
                f"Odoo connection '{self.name}': {key} is too easy to guess: make a long random one "
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

    def positive_number(self, key: str) -> float | None:
        value = self.values.get(key)
        if value is None or value == "":
            return None
        try:
            number = float(str(value))
        except ValueError:
            raise self._wrong(key, "a number above zero") from None
        if not 0 < number < float("inf"):
            raise self._wrong(key, "a number above zero")
        return number

    def whole_number(self, key: str) -> int | None:
        number = self.positive_number(key)
        if number is not None and number != int(number):
            raise self._wrong(key, "a whole number above zero")
        return None if number is None else int(number)

    def ids(self, key: str) -> tuple[int, ...]:
        value = self.values.get(key)
        if value is None or value == "":
            return ()
        parts: Sequence[object]
        if isinstance(value, str):
            parts = [part for part in value.strip(" []").split(",") if part.strip()]
        else:
            parts = value if isinstance(value, list | tuple) else [value]
        try:
            return tuple(int(str(part)) for part in parts)
        except ValueError:
            raise self._wrong(key, "company ids, such as 1,3") from None
