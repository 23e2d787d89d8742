"""A stand-in Odoo for tests, the demo and benchmarks: its protocols and habits over a real PostgreSQL."""

from odoo_stand_in.declared.schema import Declaration, Field, Flavour, Model
from odoo_stand_in.invented.schemas import registry_of
from odoo_stand_in.orm.errors import AccessError, UserError, ValidationError
from odoo_stand_in.stand_in import Caller, StandIn
from odoo_stand_in.wire.faults import Fault

__all__ = [
    "AccessError",
    "Caller",
    "Declaration",
    "Fault",
    "Field",
    "Flavour",
    "Model",
    "StandIn",
    "UserError",
    "ValidationError",
    "registry_of",
]
