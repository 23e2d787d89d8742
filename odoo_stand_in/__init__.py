"""A stand-in Odoo for tests, the demo and benchmarks: its protocols and habits over a real PostgreSQL."""

from odoo_stand_in.faults import Fault
from odoo_stand_in.stand_in import StandIn

__all__ = ["Fault", "StandIn"]
