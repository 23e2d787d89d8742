"""What can go wrong with the connection to a PostgreSQL database, in a sentence that names the database."""

from __future__ import annotations

import re
from dataclasses import dataclass

import psycopg
from psycopg import errors as pg

from odoo_shadow.text.errors import ShownError


@dataclass(frozen=True)
class Subject:
    """A database that messages are about, and the errors that are raised about it.

    :param called: how messages call it, such as `Shadow database 'shadow_db'`.
    :param wrong: for what a person must correct.
    :param unreachable: for what may be temporary.
    """

    called: str
    wrong: type[ShownError]
    unreachable: type[ShownError]

    def __str__(self) -> str:
        return self.called


# What servers and poolers (PgBouncer, Supabase's) answer when a person must correct the connection.
_REFUSALS = (
    "authentication failed",
    "no pg_hba.conf entry",
    "not permitted to log in",
    "does not exist",
    "permission denied for database",
    "no such database",
    "no such user",
    "user not found",
)
# A level such as FATAL, in the server's language, and two spaces; before that, libpq's own text.
_ANSWER = re.compile(r"^(?:.* failed: )?[^\W\d_]+:  (.*)$", re.MULTILINE)
_UNUSABLE = re.compile(r"connection is bad: .*\binvalid (port|integer|value|\w+ value|connection option|percent)", re.S)
_UNKNOWN_VALUE = re.compile(r"\b(?:invalid (?!integer\b)(?=\w+ value\b)|bad value for )(\w+)")
_WHAT_TO_CORRECT = {
    "server does not support SSL": (
        "the server offers no TLS, and without it the password and all rows would travel unencrypted: turn on TLS "
        "there; only on a network of your own, add sslmode=disable to the address"
    ),
    "server requested a cleartext password": (
        "the server asks for the password itself instead of a proof that it is known: let it use scram-sha-256; or, "
        "with sslmode=verify-full, add require_auth=password to the address"
    ),
    "certificate verify failed|server certificate for .* does not match|root certificate file": (
        "the server's certificate is not trusted, or is for another host: correct sslrootcert or the host"
    ),
    "invalid response to SSL negotiation|expected authentication request from server": (
        "what answers at this host and port is not a PostgreSQL server: correct them"
    ),
}
"""What a person must correct, by what libpq says."""
_UNREACHABLE = {
    "Connection refused": ", because nothing listens there",
    "could not translate host name|failed to resolve host|Name or service not known|getaddrinfo failed": (
        ", because its host name cannot be resolved"
    ),
    r"Network is unreachable|No route to host": (
        ", because there is no route to it (a Supabase project's own address needs IPv6, its pooler's does not)"
    ),
    r"timeout expired|timed out": ", because nothing answers",
    r"SSL error|SSL SYSCALL error": ", because the TLS handshake broke off",
    "server closed the connection unexpectedly": ", because the server closed the connection without an answer",
}
"""What may be temporary, by what libpq says."""
WRITTEN_AS = (
    "special characters in a password are written as %XX, such as %40 for @, %2F for /, %3F for ?, %23 for # and "
    "%25 for %"
)
"""What people forget when they put a password into a URL."""

_NO_SPACE = ("No space left on device", "Disk quota exceeded")
_FULL_AT_CONNECT = "could not write init file"
"""All that PostgreSQL 15 says when a new session cannot write its first files; never translated."""


def connect_error(subject: Subject, error: psycopg.Error) -> ShownError:
    """Build the error for a connection that could not be made.

    Only what the server itself said is repeated: libpq's own texts repeat parts of the URL, and if a password is not
    escaped, libpq takes a part of it for the host or the port.
    """
    text = str(error)
    answer = _ANSWER.search(text)
    said = answer.group(1).strip() if answer else ""
    if any(refusal in said for refusal in _REFUSALS):
        hint = f" If it is part of a URL, {WRITTEN_AS}." if "password authentication" in said else ""
        return subject.wrong(f"{subject} refused the connection: correct it ({said}).{hint}")
    if "no password supplied" in text:
        return subject.wrong(f"{subject} requires a password: fill it in.")
    if said == _FULL_AT_CONNECT or any(sign in said for sign in _NO_SPACE):
        return subject.unreachable(
            f"{subject} accepts no connections, because its disk is full ({said}): free some space or "
            "get a larger disk. Nothing that was mirrored is lost, and the next run continues from there."
        )
    for sign, sentence in _WHAT_TO_CORRECT.items():
        if re.search(sign, text):
            return subject.wrong(f"{subject}: {sentence}.")
    if answer:
        return subject.unreachable(f"{subject} cannot be reached now ({said}).")
    setting = _UNKNOWN_VALUE.search(text)
    if setting is not None:
        return subject.wrong(
            f"{subject}: PostgreSQL's client does not know the value of '{setting.group(1)}' in the "
            "address: correct it."
        )
    if isinstance(error, psycopg.ProgrammingError) or _UNUSABLE.search(text):
        return subject.wrong(
            f"{subject}: the address is not a PostgreSQL URL such as postgresql://user@host:5432/db; {WRITTEN_AS}."
        )
    reason = next((reason for sign, reason in _UNREACHABLE.items() if re.search(sign, text)), "")
    return subject.unreachable(
        f"{subject} cannot be reached{reason}: check the host, the port, and that it is running."
    )


def is_of_full_disk(error: psycopg.Error) -> bool:
    """Say whether the disk is full; an exhausted quota has no SQLSTATE of its own."""
    return isinstance(error, pg.DiskFull) or any(sign in str(error) for sign in _NO_SPACE)


def is_of_connection(error: psycopg.Error) -> bool:
    """Say whether the connection broke off: libpq's own errors have no SQLSTATE."""
    state = error.sqlstate
    return isinstance(error, psycopg.OperationalError) and (state is None or state.startswith(("08", "57P")))
