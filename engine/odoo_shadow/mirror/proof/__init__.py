"""Compares the shadow with Odoo, and repairs it."""
