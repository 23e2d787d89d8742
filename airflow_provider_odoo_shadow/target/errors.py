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
    """The schema belongs to another Odoo database."""


class ShadowConflictError(ShadowFatalError):
    """The database holds something that the mirror cannot work with, such as a column of another type."""


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
    said = _first_line(error)
    if isinstance(error, pg.InsufficientPrivilege):
        return ShadowPermissionError(
            f"Shadow database '{name}': the role '{role}' may not do that ({said}). It needs CREATE on the database, "
            "or to own the mirror's schema."
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


def _place(error: psycopg.Error) -> str:
    """Name the column, as far as PostgreSQL tells; a data error's own text repeats the value."""
    named = re.search(r"COPY [^,]+, line \d+, column ([^:]+):", error.diag.context or "")
    return f"column '{named.group(1)}'" if named else "its column"


def _first_line(error: psycopg.Error) -> str:
    # Only the primary message: DETAIL and CONTEXT repeat values of the row.
    text = error.diag.message_primary or str(error)
    return text.strip().splitlines()[0] if text.strip() else type(error).__name__
