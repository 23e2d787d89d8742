"""What can go wrong with the shadow database, grouped by what to do about it, and how PostgreSQL's errors map to that.

Messages never contain a password, and never the values of a row.
"""

from __future__ import annotations

import re

import psycopg
from psycopg import errors as pg
from psycopg import sql

from odoo_shadow.postgres.errors import Subject, is_of_connection, is_of_full_disk
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
    """Another run writes this table.

    :ivar holder: who does; None where that is not known.
    """

    def __init__(self, message: str, holder: str | None = None) -> None:
        super().__init__(message)
        self.holder = holder


_OWN_CONTEXT = re.compile(r"COPY odoo_shadow_staging\b|SQL statement \"|PL/pgSQL function inline_code_block |\s|$")
"""The contexts of an error that no function of somebody else's took part in."""
_EXPLAINED_IN_DETAIL = frozenset({pg.InvalidColumnReference.sqlstate, pg.ObjectNotInPrerequisiteState.sqlstate})
"""Errors of publications and the like: DETAIL has the reason, without any value."""
_OF_STATEMENT_POOLING = "statement pooling mode"
"""What PgBouncer says of a transaction where it pools by statements; never translated."""
_TEMPORARY_ERRORS = (pg.DeadlockDetected, pg.SerializationFailure, pg.LockNotAvailable, pg.QueryCanceled)


def shadow_called(name: str) -> Subject:
    """Return what messages about the shadow database call it, and its errors."""
    return Subject(f"Shadow database '{name}'", ShadowConfigurationError, ShadowUnreachableError)


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
    if _OF_STATEMENT_POOLING in reason:
        return ShadowConfigurationError(
            f"Shadow database '{name}': its pooler lends a connection for one statement only ({reason}): let it pool "
            "by transactions or sessions, or give the server's own address."
        )
    if isinstance(error, psycopg.InterfaceError) or is_of_connection(error):
        return ShadowUnreachableError(
            f"Shadow database '{name}': the connection was lost ({reason}): check that the server is running, and try "
            "again."
        )
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
