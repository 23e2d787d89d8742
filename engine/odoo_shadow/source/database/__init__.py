"""Odoo's own PostgreSQL as a source: reads tables instead of calling methods, and never writes.

It sees what record rules and groups hide from every login, and what `write_date` does not show.
"""
