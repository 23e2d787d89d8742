"""Which columns change without `write_date`, as the catalogue tells."""

from __future__ import annotations

from dataclasses import replace

import pytest

from odoo_shadow.mirror.run.untracked import untracked_columns
from odoo_shadow.shadow.state.mirrored_columns import MirroredColumn

PLAIN = MirroredColumn("x", "x", "char", "text", None, is_translated=False, is_company_dependent=False, is_custom=False)
TRANSLATED = replace(PLAIN, is_translated=True)
ALL_LANGUAGES = replace(TRANSLATED, name="x__translations", column_type="jsonb")


@pytest.mark.parametrize(
    ("column", "lang", "is_untracked"),
    [
        (PLAIN, None, False),
        (TRANSLATED, None, False),
        (TRANSLATED, "en_US", False),
        (TRANSLATED, "fr_FR", True),
        (ALL_LANGUAGES, None, True),
        (replace(TRANSLATED, odoo_type="x_made_by_a_module", column_type="jsonb"), None, True),
        (replace(TRANSLATED, odoo_type="serialized", column_type="jsonb"), None, True),
        (replace(PLAIN, odoo_type="x_made_by_a_module", column_type="jsonb"), None, False),
        (replace(PLAIN, odoo_type="properties", column_type="jsonb"), None, True),
        (replace(PLAIN, odoo_type="many2many", column_type="bigint[]"), None, True),
        (replace(PLAIN, is_company_dependent=True), None, True),
        (replace(PLAIN, odoo_type="selection", is_custom=True), None, True),
        (replace(PLAIN, odoo_type="many2one", column_type="bigint"), None, True),
        (replace(PLAIN, odoo_type="many2one", column_type="bigint", points_to="watched"), None, False),
    ],
)
def test_what_changes_without_write_date(column: MirroredColumn, lang: str | None, is_untracked: bool) -> None:
    assert untracked_columns("x.model", [column], lang, ["watched"]) == ([column.name] if is_untracked else [])
