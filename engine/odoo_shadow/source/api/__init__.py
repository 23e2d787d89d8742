"""Odoo through its API: JSON-2, JSON-RPC, XML-RPC."""
