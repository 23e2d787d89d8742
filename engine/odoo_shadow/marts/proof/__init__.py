"""Compares the marts' figures with Odoo's own answers.

Odoo adds up its own records, in its own reports where it has them; no question is derived from how a mart is made.
"""
