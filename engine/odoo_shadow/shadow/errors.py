"""What can go wrong with the shadow database, grouped by what to do about it, and how PostgreSQL's errors map to that.

Messages never contain a password, and never the values of a row.
"""

from __future__ import annotations

import re

import psycopg
from psycopg import errors as pg
from psycopg import sql

from odoo_shadow.text.errors import ShownError


class ShadowError(ShownError):
    """Base of everything that the shadow database raises."""


class ShadowFatalError(ShadowError):
    """Give up now: trying again cannot help."""


class ShadowConfigurationError(ShadowFatalError):
    """The address, the database, the login or the password is wrong."""


class ShadowPermissionError(ShadowFatalError):
    """The role lacks a right that a mirror needs."""


class ShadowOwnershipError(ShadowFatalError):
    """The schema belongs to another Odoo database, or something in the database to a role that is not trusted."""


class ShadowConflictError(ShadowFatalError):
    """The database holds something that the mirror cannot work with, such as a column of another type."""


class RefusedRecordsError(ShadowFatalError):
    """PostgreSQL does not take some records; all others are written."""


class ShadowRetriableError(ShadowError):
    """Try again later."""


class ShadowUnreachableError(ShadowRetriableError):
    """No connection, or one that broke off."""


class ShadowBusyError(ShadowRetriableError):
    """Another run writes this table."""


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

_OWN_CONTEXT = re.compile(r"COPY odoo_shadow_staging\b|SQL statement \"|PL/pgSQL function inline_code_block |\s|$")
"""The contexts of an error that no function of somebody else's took part in."""
_EXPLAINED_IN_DETAIL = frozenset({pg.InvalidColumnReference.sqlstate, pg.ObjectNotInPrerequisiteState.sqlstate})
"""Errors of publications and the like: DETAIL has the reason, without any value."""
_NO_SPACE = ("No space left on device", "Disk quota exceeded")
_FULL_AT_CONNECT = "could not write init file"
"""All that PostgreSQL 15 says when a new session cannot write its first files; never translated."""
_TEMPORARY_ERRORS = (pg.DeadlockDetected, pg.SerializationFailure, pg.LockNotAvailable, pg.QueryCanceled)


def connect_error(name: str, error: psycopg.Error) -> ShadowError:
    """Build the error for a connection that could not be made.

    Only what the server itself said is repeated: libpq's own texts repeat parts of the URL, and if a password is not
    escaped, libpq takes a part of it for the host or the port.
    """
    text = str(error)
    answer = _ANSWER.search(text)
    said = answer.group(1).strip() if answer else ""
    if any(refusal in said for refusal in _REFUSALS):
        hint = f" If it is part of a URL, {WRITTEN_AS}." if "password authentication" in said else ""
        return ShadowConfigurationError(f"Shadow database '{name}' refused the connection: correct it ({said}).{hint}")
    if "no password supplied" in text:
        return ShadowConfigurationError(f"Shadow database '{name}' requires a password: fill it in.")
    if said == _FULL_AT_CONNECT or any(sign in said for sign in _NO_SPACE):
        return ShadowUnreachableError(
            f"Shadow database '{name}' accepts no connections, because its disk is full ({said}): free some space or "
            "get a larger disk. What is mirrored is kept, and the next run continues from there."
        )
    for sign, sentence in _WHAT_TO_CORRECT.items():
        if re.search(sign, text):
            return ShadowConfigurationError(f"Shadow database '{name}': {sentence}.")
    if answer:
        return ShadowUnreachableError(f"Shadow database '{name}' cannot be reached now ({said}).")
    setting = _UNKNOWN_VALUE.search(text)
    if setting is not None:
        return ShadowConfigurationError(
            f"Shadow database '{name}': PostgreSQL's client does not know the value of '{setting.group(1)}' in the "
            "address: correct it."
        )
    if isinstance(error, psycopg.ProgrammingError) or _UNUSABLE.search(text):
        return ShadowConfigurationError(
            f"Shadow database '{name}': the address is not a PostgreSQL URL such as postgresql://user@host:5432/db; "
            f"{WRITTEN_AS}."
        )
    reason = next((reason for sign, reason in _UNREACHABLE.items() if re.search(sign, text)), "")
    return ShadowUnreachableError(
        f"Shadow database '{name}' cannot be reached{reason}: check the host, the port, and that it is running."
    )


def statement_error(name: str, role: str, error: psycopg.Error) -> ShadowError:
    """Build the error for a statement that failed."""
    reason = said(error)
    if isinstance(error, pg.InsufficientPrivilege):
        return ShadowPermissionError(
            f"Shadow database '{name}': the role '{role}' is not allowed to do that ({reason}). It needs CREATE on the "
            "database, or must own the mirror's schema and the one beside it, whose name ends in _internal."
        )
    if is_of_full_disk(error):
        return ShadowRetriableError(
            f"Shadow database '{name}': its disk is full ({reason}): free some space or get a larger disk. What is "
            "mirrored is kept, and the next run continues from there."
        )
    if isinstance(error, _TEMPORARY_ERRORS):
        return ShadowRetriableError(f"Shadow database '{name}' failed temporarily ({reason}).")
    if isinstance(error, psycopg.InterfaceError) or _is_of_connection(error):
        return ShadowUnreachableError(f"Shadow database '{name}': the connection was lost ({reason}).")
    if isinstance(error, psycopg.OperationalError):
        return ShadowRetriableError(f"Shadow database '{name}' reported trouble of its own ({reason}).")
    if isinstance(error, psycopg.DataError):
        return ShadowConflictError(
            f"Shadow database '{name}': a value does not fit {_place(error)} ({type(error).__name__})."
        )
    if isinstance(error, psycopg.IntegrityError):
        return ShadowConflictError(
            f"Shadow database '{name}': something that was added to a table rejects rows: {refusal_of(error)}."
        )
    return ShadowConflictError(f"Shadow database '{name}' refused a statement: {type(error).__name__}: {reason}")


def is_of_full_disk(error: psycopg.Error) -> bool:
    """Say whether the disk is full; an exhausted quota has no SQLSTATE of its own."""
    return isinstance(error, pg.DiskFull) or any(sign in str(error) for sign in _NO_SPACE)


def _is_of_connection(error: psycopg.Error) -> bool:
    """Say whether the connection broke off: libpq's own errors have no SQLSTATE."""
    state = error.sqlstate
    return isinstance(error, psycopg.OperationalError) and (state is None or state.startswith(("08", "57P")))


def is_about_a_row(error: psycopg.Error) -> bool:
    """Say whether a statement failed because of the values of a single row: other rows may be accepted."""
    return isinstance(error, psycopg.DataError | psycopg.IntegrityError | pg.ProgramLimitExceeded)


_ABOUT_THE_TABLE = frozenset({"0A", "21", "22", "23", "2B", "38", "39", "42", "54", "55", "P0", "XX"})
"""Classes of SQLSTATE that are about a table and what is on it, and not about the connection or the server."""
_NOT_ABOUT_THE_TABLE = frozenset({"42501", "55P03", "55006", "55P02", "XX001", "XX002"})
"""Rights, locks, objects in use by another session, settings and damage."""


def is_about_the_table(error: psycopg.Error) -> bool:
    """Say whether changing a table failed because of what is on it: trying again is useless, another way may work."""
    state = error.sqlstate or ""
    is_about_it = state[:2] in _ABOUT_THE_TABLE and state not in _NOT_ABOUT_THE_TABLE
    return is_about_it and not is_of_full_disk(error)


def refusal_of(error: psycopg.Error) -> str:
    """Return why PostgreSQL does not take a row, without the value, which the text of a data error repeats."""
    if isinstance(error, psycopg.IntegrityError):
        statement = _lifting_statement(error)
        return f"{said(error)}; to lift that: {statement}" if statement else said(error)
    what = "a value is too large" if isinstance(error, pg.ProgramLimitExceeded) else "a value does not fit"
    return f"{what} ({type(error).__name__})"


def _lifting_statement(error: psycopg.IntegrityError) -> str:
    """Return the statement that lifts a constraint that somebody has put on a table, empty if it is not known."""
    diag = error.diag
    if not (diag.schema_name and diag.table_name):
        return ""
    if error.sqlstate == pg.NotNullViolation.sqlstate and diag.column_name:
        change = sql.SQL("ALTER COLUMN {} DROP NOT NULL").format(sql.Identifier(diag.column_name))
    elif diag.constraint_name:
        change = sql.SQL("DROP CONSTRAINT {}").format(sql.Identifier(diag.constraint_name))
    else:
        return ""
    lifted = sql.SQL("ALTER TABLE {} {}").format(sql.Identifier(diag.schema_name, diag.table_name), change).as_string()
    if error.sqlstate == pg.UniqueViolation.sqlstate and diag.constraint_name:
        index = sql.Identifier(diag.schema_name, diag.constraint_name).as_string()
        lifted += f" (DROP INDEX {index} if it is an index only)"
    return lifted


def _place(error: psycopg.Error) -> str:
    """Name the column, if PostgreSQL says which; the text of a data error itself repeats the value."""
    named = re.search(r"COPY [^,]+, line \d+, column ([^:]+):", error.diag.context or "")
    return f"column '{named.group(1)}'" if named else "its column"


def said(error: psycopg.Error) -> str:
    """Return what PostgreSQL itself said.

    Only the primary message: DETAIL and CONTEXT repeat values of the row. The text of a RAISE in a trigger or function
    may contain values, too.
    """
    kind = type(error).__name__
    if any(not _OWN_CONTEXT.match(line) for line in (error.diag.context or "").splitlines()):
        return f"{kind} in a function or trigger of the database"
    text = (error.diag.message_primary or str(error)).strip()
    if error.sqlstate in _EXPLAINED_IN_DETAIL:
        text = f"{text}: {error.diag.message_detail or error.diag.message_hint or kind}".rstrip(".")
    return text.splitlines()[0] if text else kind
