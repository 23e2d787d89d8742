"""What an error of Odoo's PostgreSQL means for whoever reads from it."""

from __future__ import annotations

import psycopg
from psycopg import errors as pg
from psycopg import sql

from odoo_shadow.postgres.errors import is_of_connection
from odoo_shadow.source.errors import (
    OdooAccessError,
    OdooError,
    OdooRequestError,
    OdooServerError,
    OdooUnreachableError,
)

_CHANGED_MEANWHILE = (pg.UndefinedTable, pg.UndefinedColumn, pg.InvalidColumnReference, pg.DatatypeMismatch)
_REPORTED_BY_POLICIES = ("check_enable_rls", "get_row_security_policies", "process_policies")
_TEMPORARY = (pg.SerializationFailure, pg.DeadlockDetected, pg.LockNotAvailable, pg.QueryCanceled)


class BadValueError(OdooRequestError):
    """A value that cannot be converted to its field's type."""


def changed(asked: str, what: str) -> OdooServerError:
    """Build the error for a table that has become another since the model was described."""
    return OdooServerError(f"{asked}: its table is not what it was ({what}); was a module upgraded meanwhile?")


def fault_of(asked: str, role: str, error: psycopg.Error) -> OdooError:
    """Build the error for a statement that failed.

    Only PostgreSQL's own sentence is repeated, and not that of a value that does not fit, nor that of a function that a
    view calls: they may repeat values.

    :param asked: the database, and the model.
    """
    reason = _said(error)
    if error.diag.source_function in _REPORTED_BY_POLICIES:
        return OdooAccessError(
            f"{asked}: policies for rows apply to the role '{role}', so that some would be missing ({reason}): use the "
            f"owner of Odoo's tables, or ALTER ROLE {sql.Identifier(role).as_string()} BYPASSRLS.",
            said=reason,
        )
    if isinstance(error, pg.InsufficientPrivilege):
        return OdooAccessError(f"{asked}: the role '{role}' lacks a right ({reason}): grant it SELECT.", said=reason)
    if isinstance(error, _CHANGED_MEANWHILE):
        return changed(asked, reason)
    if isinstance(error, _TEMPORARY):
        return OdooServerError(f"{asked} could not be read now ({reason}).")
    if isinstance(error, psycopg.InterfaceError) or is_of_connection(error):
        return OdooUnreachableError(f"{asked}: the connection was lost ({reason}).")
    if isinstance(error, psycopg.OperationalError):
        return OdooServerError(f"{asked}: the server reported trouble of its own ({reason}).")
    if isinstance(error, psycopg.DataError):
        return BadValueError(
            f"{asked}: a value in its table is not what Odoo would write there ({type(error).__name__}): correct "
            "it, or exclude the field.",
            kind=type(error).__name__,
        )
    return OdooRequestError(f"{asked}: PostgreSQL refused a statement ({type(error).__name__}: {reason}).")


def _said(error: psycopg.Error) -> str:
    kind = type(error).__name__
    if any(not line.startswith("COPY ") for line in (error.diag.context or "").splitlines()):
        return f"{kind} in a function of the database"
    said = (error.diag.message_primary or "").splitlines()[:1]
    return said[0] if said else kind
