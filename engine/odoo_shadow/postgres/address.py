"""Reads a database's address as people paste it: in quotes, with a driver in its scheme, or settings of other tools.

What is harmless is dropped; for the rest, messages give the true reason. They never repeat a part of the address that
could belong to a password: if a password is not escaped, a part of it is taken for the host, the port or a setting.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

from odoo_shadow.postgres.errors import WRITTEN_AS, Subject, connect_error
from odoo_shadow.text.errors import ShownError
from odoo_shadow.text.log import logger
from odoo_shadow.text.nearest import did_you_mean

log = logger(__name__)

OF_OTHER_TOOLS = frozenset(
    {
        # Prisma
        *("pgbouncer", "schema", "connection_limit", "pool_timeout", "socket_timeout", "statement_cache_size"),
        # SQLAlchemy, asyncpg
        *("prepared_statement_cache_size", "prepared_statement_name_func", "command_timeout", "pool_size"),
        # JDBC
        *("currentschema", "preparethreshold", "preferquerymode", "applicationname", "rewritebatchedinserts"),
        # Supabase's and Vercel's
        *("supa", "workaround"),
    }
)
"""Settings, in lower case, that other tools put into an address and that have no effect here."""

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

_QUOTES = {"'": "'", '"': '"', "`": "`", "\u201c": "\u201d", "\u2018": "\u2019", "<": ">"}
_URL = re.compile(r"(?:jdbc:)?postgres(?:ql)?(?:\+\w+)?://", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.:-]{0,30})://")
_PLACEHOLDER = re.compile(r"\[?\byour[-_ ]password\b\]?", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z][A-Za-z_]{0,39}")
_SCHEMA_SETTINGS = ("schema", "currentschema")


def read_address(subject: Subject, given: str, schema: str) -> dict[str, str]:
    """Return libpq's parameters.

    :param subject: whose address it is.
    :param schema: the one that is used, which a setting of another tool does not change.
    :raises ShownError: of the subject's kind: says why it cannot be used as it is.
    """
    url = _without_quotes(given)
    found = _URL.match(url)
    try:
        if found is not None:
            url = _read_url(subject, url[found.end() :], schema)
        else:
            _check_other(subject, url)
        parameters = {key: str(value) for key, value in conninfo_to_dict(url).items()}
    except psycopg.Error as error:
        raise connect_error(subject, error) from None
    check_modes(subject, parameters)
    return parameters


def check_modes(subject: Subject, parameters: Mapping[str, object]) -> None:
    """Make sure that `sslmode` is one of libpq's modes.

    :raises ShownError: of the subject's kind: it is not.
    """
    given = parameters.get("sslmode")
    where = "sslmode"
    if given is None:
        given, where = os.environ.get("PGSSLMODE") or None, "the variable PGSSLMODE"
    if given is not None and given not in SSL_MODES:
        raise subject.wrong(f"{subject}: {where} cannot be '{str(given)[:20]}'{did_you_mean(str(given), SSL_MODES)}")


def known_parameters() -> frozenset[str]:
    """Return the names of libpq's parameters."""
    return frozenset(option.keyword.decode() for option in pq.Conninfo.get_defaults())


def _without_quotes(given: str) -> str:
    text = given.strip()
    while len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    return text


def _check_other(subject: Subject, text: str) -> None:
    """Refuse what is not a PostgreSQL URL; a conninfo string such as `host=db user=me` is accepted."""
    within = _URL.search(text)
    scheme = _OTHER_SCHEME.match(text)
    if within is not None and "=" not in text[: within.start()].replace("SUPABASE_DB_URL=", "", 1):
        raise subject.wrong(f"{subject}: the address begins at 'postgresql://': remove what comes before it.")
    if scheme is not None:
        hint = " (Supabase shows it under Connect; the project's https address is for its API)"
        raise subject.wrong(
            f"{subject}: the address begins with {scheme.group(1)}://, but must be a PostgreSQL URL, "
            f"such as postgresql://user@host:5432/db{hint if scheme.group(1).startswith('http') else ''}."
        )


def _read_url(subject: Subject, rest: str, schema: str) -> str:
    """Return the URL without the settings of other tools."""
    before, _, query = rest.partition("?")
    # After an unescaped ? the rest of a password would be taken for settings, whose names messages repeat.
    if before.count("@") > 1 or "@" in before.partition("/")[2] or ("@" in query and "@" not in before):
        raise _unescaped(subject)
    if _PLACEHOLDER.search(before.rpartition("@")[0]):
        raise subject.wrong(
            f"{subject}: the address has a placeholder in place of the password: put the password "
            f"there, without brackets; {WRITTEN_AS}."
        )
    kept = [pair for pair in query.split("&") if pair and _is_kept(subject, pair, query, schema)]
    return f"postgresql://{before}{'?' if kept else ''}{'&'.join(kept)}"


def _is_kept(subject: Subject, pair: str, query: str, schema: str) -> bool:
    key, _, value = pair.partition("=")
    if key.lower() in OF_OTHER_TOOLS:
        if key.lower() in _SCHEMA_SETTINGS and value not in (schema, "public", ""):
            log.warning("'%s' in the address has no effect: the schema is %s, as its own setting says.", key, schema)
        return False
    known = known_parameters()
    if key in known or (key, value) == ("ssl", "true"):  # the only JDBC setting that libpq accepts
        return True
    if "@" in query or not _NAME.fullmatch(key):
        raise _unescaped(subject)
    raise subject.wrong(
        f"{subject}: the address has a setting '{key}', which PostgreSQL's client does not know"
        + did_you_mean("sslmode" if key == "ssl" else key, known)
    )


def _unescaped(subject: Subject) -> ShownError:
    return subject.wrong(
        f"{subject}: the address is not a PostgreSQL URL such as postgresql://user@host:5432/db; {WRITTEN_AS}."
    )
