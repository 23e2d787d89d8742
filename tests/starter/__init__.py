"""What `odoo-shadow init` writes, and what it then does."""
