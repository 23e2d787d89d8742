"""What can go wrong with the shadow database, grouped by what to do about it, and how PostgreSQL's errors map to that.

Messages never hold a password, and never a row's values.
"""

from __future__ import annotations

import re

import psycopg
from psycopg import errors as pg

from airflow_provider_odoo_shadow.text.errors import ShownError


class ShadowError(ShownError):
    """Base of everything that the shadow database raises."""


class ShadowFatalError(ShadowError):
    """Give up now: trying again cannot help."""


class ShadowConfigurationError(ShadowFatalError):
    """The address, the database, the login or the password is wrong."""


class ShadowPermissionError(ShadowFatalError):
    """The role may not do what a mirror needs."""


class ShadowOwnershipError(ShadowFatalError):
    """The schema belongs to another Odoo database, or something in the database to a role that is not trusted."""


class ShadowConflictError(ShadowFatalError):
    """The database holds something that the mirror cannot work with, such as a column of another type."""


class RefusedRecordsError(ShadowFatalError):
    """Some records do not fit the shadow; all others are there."""


class ShadowRetriableError(ShadowError):
    """Try again later."""


class ShadowUnreachableError(ShadowRetriableError):
    """No connection, or one that broke off."""


class ShadowBusyError(ShadowRetriableError):
    """Another run writes this table."""


# What servers and poolers (PgBouncer, Supabase's) say when a person must correct the connection.
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
_UNUSABLE = re.compile(r"connection is bad: .*\binvalid (port|integer|value|\w+ value|connection option|percent)", re.S)
_NO_TLS = "server does not support SSL"
_CLEARTEXT = "server requested a cleartext password"
_CERTIFICATE = re.compile(r"certificate verify failed|server certificate for .* does not match|root certificate file")
_OWN_CONTEXT = re.compile(r"COPY odoo_shadow_staging\b|SQL statement \"|PL/pgSQL function inline_code_block |\s|$")
"""Where an error may have come up without a function of somebody else's."""
_PASSING_TROUBLE = (pg.DeadlockDetected, pg.SerializationFailure, pg.LockNotAvailable, pg.QueryCanceled)


def connect_error(name: str, error: psycopg.Error) -> ShadowError:
    """Build the error for a connection that could not be made.

    Only what the server itself said is repeated: libpq's own texts repeat pieces of the URL, and where people forget to
    escape a password, a piece of it is taken for the host or the port.
    """
    text = str(error)
    _, is_answer, answer = text.partition("FATAL:")
    said = answer.strip().splitlines()[0] if answer.strip() else ""
    if is_answer and any(refusal in said for refusal in _REFUSALS):
        return ShadowConfigurationError(f"Shadow database '{name}' refused the connection: correct it ({said}).")
    if "no password supplied" in text:
        return ShadowConfigurationError(f"Shadow database '{name}' wants a password: fill it in.")
    if _NO_TLS in text:
        return ShadowConfigurationError(
            f"Shadow database '{name}': the server offers no TLS, and without it the password and all rows would "
            "travel in the clear: turn TLS on there; only where the network is all yours, add sslmode=disable to the "
            "address."
        )
    if _CLEARTEXT in text:
        return ShadowConfigurationError(
            f"Shadow database '{name}': the server wants the password itself instead of a proof that it is known: let "
            "it use scram-sha-256; or, with sslmode=verify-full, add require_auth=password to the address."
        )
    if _CERTIFICATE.search(text):
        return ShadowConfigurationError(
            f"Shadow database '{name}': the server's certificate is not trusted, or is for another host: correct "
            "sslrootcert or the host."
        )
    if is_answer:
        return ShadowUnreachableError(f"Shadow database '{name}' cannot be reached now ({said}).")
    if isinstance(error, psycopg.ProgrammingError) or _UNUSABLE.search(text):
        return ShadowConfigurationError(
            f"Shadow database '{name}': the address is not a PostgreSQL URL such as postgresql://user@host:5432/db; "
            "special characters in a password are written as %XX."
        )
    return ShadowUnreachableError(f"Shadow database '{name}' cannot be reached: check host and port, and that it runs.")


def statement_error(name: str, role: str, error: psycopg.Error) -> ShadowError:
    """Build the error for a statement that failed."""
    said = _said(error)
    if "row-level security" in said:
        return ShadowPermissionError(
            f"Shadow database '{name}': row-level security keeps rows from the role '{role}' ({said}): let that role "
            "own the table, or give it BYPASSRLS, since a mirror must see all of it."
        )
    if isinstance(error, pg.InsufficientPrivilege):
        return ShadowPermissionError(
            f"Shadow database '{name}': the role '{role}' may not do that ({said}). It needs CREATE on the database, "
            "or to own the mirror's schema and the one beside it, whose name ends in _internal."
        )
    if isinstance(error, _PASSING_TROUBLE):
        return ShadowRetriableError(f"Shadow database '{name}' had passing trouble ({said}).")
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return ShadowUnreachableError(f"Shadow database '{name}': the connection was lost ({said}).")
    if isinstance(error, psycopg.DataError):
        return ShadowConflictError(
            f"Shadow database '{name}': a value does not fit {_place(error)} ({type(error).__name__})."
        )
    return ShadowConflictError(f"Shadow database '{name}' refused a statement: {type(error).__name__}: {said}")


def is_about_a_row(error: psycopg.Error) -> bool:
    """Say whether a statement failed for what a single row holds: other rows may pass."""
    return isinstance(error, psycopg.DataError | psycopg.IntegrityError | pg.ProgramLimitExceeded)


def refusal_of(error: psycopg.Error) -> str:
    """Say why PostgreSQL does not take a row; the text of a data error repeats the value."""
    if isinstance(error, psycopg.IntegrityError):
        return _said(error)
    what = "a value is too large" if isinstance(error, pg.ProgramLimitExceeded) else "a value does not fit"
    return f"{what} ({type(error).__name__})"


def _place(error: psycopg.Error) -> str:
    """Name the column, as far as PostgreSQL tells; a data error's own text repeats the value."""
    named = re.search(r"COPY [^,]+, line \d+, column ([^:]+):", error.diag.context or "")
    return f"column '{named.group(1)}'" if named else "its column"


def _said(error: psycopg.Error) -> str:
    """Return what PostgreSQL itself said.

    Only the primary message: DETAIL and CONTEXT repeat values of the row. The text of a trigger or a function, such as
    of a RAISE, may hold values as well.
    """
    kind = type(error).__name__
    if any(not _OWN_CONTEXT.match(line) for line in (error.diag.context or "").splitlines()):
        return f"{kind} in a function or trigger of the database"
    text = (error.diag.message_primary or str(error)).strip()
    return text.splitlines()[0] if text else kind
