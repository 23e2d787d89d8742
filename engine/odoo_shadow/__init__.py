"""A verified, read-only shadow of an Odoo ERP in PostgreSQL or Supabase: the engine and its command line."""

__version__ = "0.2.0"
