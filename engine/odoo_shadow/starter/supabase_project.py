"""What `odoo-shadow init supabase` writes into a Supabase project."""

from __future__ import annotations

from odoo_shadow.shadow.access.mode import RowLevelSecurity
from odoo_shadow.shadow.access.reader_role import reader_statements
from odoo_shadow.shadow.connection.database import SEARCH_PATH
from odoo_shadow.shadow.ddl_files import base_migration
from odoo_shadow.starter.cron_job import cron_piece, job_name
from odoo_shadow.starter.files import StarterFile
from odoo_shadow.starter.migrations import Piece
from odoo_shadow.starter.templates import folder, template

README = "supabase/README.odoo-shadow.md"


def supabase_pieces(schema: str, schedule: str | None, row_level_security: RowLevelSecurity | None) -> list[Piece]:
    """Return the migrations, in the order in which they have to run.

    :param schedule: a cron expression, or None for no cron job.
    :param row_level_security: None to leave it as it is.
    """
    pieces = [Piece("base", schema, base_migration(schema)), _reader_piece(schema, row_level_security)]
    return pieces if schedule is None else [*pieces, cron_piece(schema, schedule)]


def _reader_piece(schema: str, row_level_security: RowLevelSecurity | None) -> Piece:
    rows = "" if row_level_security is None else f" Row-level security: {row_level_security}."
    lines = [
        f"-- Role odoo_shadow_reader may read schema {schema}; to let logged-in users read, grant it to them.{rows}",
        "-- Written by odoo-shadow init supabase; running it twice does no harm.",
        "--   GRANT odoo_shadow_reader TO authenticated;",
        "",
        f"SET search_path = {SEARCH_PATH};",
        "",
        *(f"{statement.as_string()};\n" for statement in reader_statements(schema, row_level_security)),
        "RESET search_path;",
        "",
    ]
    return Piece("reader", schema, "\n".join(lines))


def supabase_files(schema: str, mirror: str, schedule: str | None) -> list[StarterFile]:
    """Return the Edge Functions, the script of former habits, and the page of the five steps.

    :param mirror: names the DAGs that the job worker starts.
    """
    readme = template(
        "supabase/README.md",
        {
            "schema": schema,
            "mirror": mirror,
            "job": job_name(schema),
            "schedule": "not scheduled" if schedule is None else f"`{schedule}` in UTC",
        },
    )
    return [
        *folder("supabase/functions", "supabase/functions"),
        *folder("supabase/scripts", "scripts"),
        StarterFile(README, readme),
    ]
