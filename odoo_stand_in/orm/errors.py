"""The exceptions of Odoo's own names."""

from __future__ import annotations


class UserError(Exception):
    """What Odoo raises for anything that a user can mend."""

    odoo_name = "odoo.exceptions.UserError"
    http_status = 422
    fault_code = 2


class AccessDenied(UserError):  # noqa: N818 - Odoo's own name
    """Login, password or key are wrong."""

    odoo_name = "odoo.exceptions.AccessDenied"
    http_status = 403
    fault_code = 3

    def __init__(self, message: str = "Access Denied") -> None:
        super().__init__(message)


class AccessError(UserError):
    """The user has no right to do that."""

    odoo_name = "odoo.exceptions.AccessError"
    http_status = 403
    fault_code = 4


class MissingError(UserError):
    """The record is gone."""

    odoo_name = "odoo.exceptions.MissingError"
    http_status = 404


class ValidationError(UserError):
    """A constraint of the model or of the database is violated."""

    odoo_name = "odoo.exceptions.ValidationError"
