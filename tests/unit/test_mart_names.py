"""The marts that are known by name are those that a build makes."""

from __future__ import annotations

from odoo_shadow.marts.project import project_folder
from odoo_shadow.shadow.relations import MARTS


def test_they_are_the_dbt_projects() -> None:
    assert sorted(MARTS) == sorted(path.stem for path in (project_folder() / "models/marts").glob("mart_*.sql"))
