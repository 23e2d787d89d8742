"""A verified, read-only shadow of an Odoo ERP in PostgreSQL or Supabase, kept by Apache Airflow."""

__version__ = "0.2.0"
