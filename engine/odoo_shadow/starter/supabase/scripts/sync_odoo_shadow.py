#!/usr/bin/env python3
"""Starts `odoo-shadow sync` with the flags and variables that this script always had, for cron lines that name it.

    python scripts/sync_odoo_shadow.py [--full] [--models a,b] [--batch-size N] [--dry-run] [--verbose]

It reads ODOO_URL, ODOO_DB, ODOO_USER, ODOO_PASSWORD and SUPABASE_DB_URL. SUPABASE_URL and SUPABASE_SERVICE_KEY are not
needed: rows travel by SQL, in one transaction with the watermark that vouches for them. All other options of
`odoo-shadow sync` work, too; the exit code is its own.
"""

import os
import shutil
import sys

program = shutil.which("odoo-shadow")
if program is None:
    sys.exit("odoo-shadow is not installed: run pipx install odoo-shadow, then try again.")
os.execv(program, [program, "sync", *sys.argv[1:]])
