"""What goes over HTTP: the addresses and protocols of an Odoo server, and trouble on demand."""
