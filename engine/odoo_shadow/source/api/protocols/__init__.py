"""Odoo's three wire protocols behind one interface."""
