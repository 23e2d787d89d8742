"""From source to shadow: Odoo → pages → rows → staging → table → watermark.

Rooms, from what people ask for to what they are told: `config`, `shape`, `sync` (one model's run), `proof`, `run` (many
models), `health`. Each knows those before it only.
"""
