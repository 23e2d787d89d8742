"""Text that people see: without credentials, without anything that a terminal, a log or a page would obey.

Whatever comes from outside (Odoo, PostgreSQL, other roles' objects, headers, parameters) passes through `shown`.
"""
