"""What `odoo-shadow init` writes: complete files for Supabase and for the schedulers, which start a sync.

The files themselves stand in the folders beside these modules, under the paths that they get.
"""
