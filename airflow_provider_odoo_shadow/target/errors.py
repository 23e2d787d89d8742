"""What can go wrong with the shadow database, grouped by what to do about it, and how PostgreSQL's errors map to that.

Messages never hold a password, and never a row's values.
"""

from __future__ import annotations

import psycopg
from psycopg import errors as pg


class ShadowError(Exception):
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


_BAD_LOGIN = ("password authentication failed", "no password supplied", "no pg_hba.conf entry", "role ")
_PASSING_TROUBLE = (pg.DeadlockDetected, pg.SerializationFailure, pg.LockNotAvailable, pg.QueryCanceled)


def connect_error(name: str, error: psycopg.Error) -> ShadowError:
    """Build the error for a connection that could not be made."""
    said = _first_line(error)
    if isinstance(error, psycopg.ProgrammingError):
        return ShadowConfigurationError(
            f"Shadow database '{name}': the address is not a PostgreSQL URL such as postgresql://user@host:5432/db."
        )
    if any(text in said for text in _BAD_LOGIN) or ("database " in said and "does not exist" in said):
        return ShadowConfigurationError(f"Shadow database '{name}' refused the connection: correct it ({said}).")
    return ShadowUnreachableError(
        f"Shadow database '{name}' cannot be reached: check host and port, and that it runs ({said})."
    )


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
    return ShadowConflictError(f"Shadow database '{name}' refused a statement: {type(error).__name__}: {said}")


def _first_line(error: psycopg.Error) -> str:
    # Only the primary message: DETAIL and CONTEXT repeat values of the row.
    text = error.diag.message_primary or str(error)
    return text.strip().splitlines()[0] if text.strip() else type(error).__name__
