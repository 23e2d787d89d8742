"""From source to shadow: Odoo → pages → rows → staging → table → watermark.

Rooms: `config`, `shape`, `sync` (one model's run), `proof`, `run` (many models), `health`. Each imports only rooms
before it.
"""
