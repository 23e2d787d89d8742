"""The table of Odoo's own fields, `docs/credential-fields.md`: it says what the rules do, and how it is made."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from odoo_shadow.mirror.shape.secrets import is_secret
from odoo_shadow.source.fields import Field
from tools import credential_fields

TABLE = Path(__file__).parents[2] / "docs" / "credential-fields.md"
ROW = re.compile(r"\| `(\w+)` \| (\w+) \| (.+) \| (.+) \|")
SOURCE = """
from odoo import api, fields, models

class Backend(models.Model):
    _name = "x.backend"
    name = fields.Char(required=True)
    x_ftp_pass1 = fields.Char("Access")
    remark = fields.Text(string="Mot de passe")
    sort_key = fields.Char()
    pin = fields.Integer()
    token_ids = fields.One2many("x.token", "backend_id")
    not_a_field = api.model(None)

class Partner(models.Model):
    _inherit = ["res.partner", "mail.thread"]
    copied = fields.Char(related="backend_id.api_key", store=True)
"""


def test_what_the_table_says_is_left_out_is_left_out_by_that_rule() -> None:
    rows = [found.groups() for found in map(ROW.fullmatch, TABLE.read_text(encoding="utf-8").splitlines()) if found]
    assert len(rows) > 150
    for name, kind, rule, models in rows:
        if not rule.startswith(("its label", "it is a copy")):  # those depend on what is not in the table
            assert {is_secret(model, Field(name, kind)) for model in models.split(", ")} == {rule}, name


def test_what_the_table_says_is_mirrored_is_mirrored() -> None:
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("- `")]
    mirrored = [re.fullmatch(r"- `(\w+)` of (.+)", line) for line in lines]
    assert len(mirrored) > 150
    for found in mirrored:
        assert found is not None
        assert {is_secret(model, Field(found[1], "char")) for model in found[2].split(", ")} == {None}, found[1]


def test_business_keys_are_among_what_is_mirrored() -> None:
    text = TABLE.read_text(encoding="utf-8")
    for name in ("x_external_key", "x_cycle_key", "kpi_key", "skill_key", "pass_criteria", "passport_id"):
        assert f"- `{name}` of " in text


def test_the_table_is_made_from_sources_and_from_a_model_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "src" / "models").mkdir(parents=True)
    (tmp_path / "src" / "models" / "backend.py").write_text(SOURCE)
    (tmp_path / "src" / "models" / "broken.py").write_text("class:")
    (tmp_path / "src" / "i18n").mkdir()
    (tmp_path / "src" / "i18n" / "de.po").write_text(
        "#: model:ir.model.fields,field_description:x.field_x_backend__api_key\n"
        'msgid "API Key"\nmsgstr "API-Schlüssel"\n'
    )
    field = {"name": "x_token2", "type": "Char", "store": True}
    fields = [field, {**field, "name": "kpi_key"}, {**field, "type": "Date"}]
    index = {"models": [{"name": "x.other", "fields": fields}]}
    (tmp_path / "index.json").write_text(json.dumps(index))
    table = tmp_path / "table.md"
    arguments = ["tool", f"sources={tmp_path / 'src'}", f"index={tmp_path / 'index.json'}", "--output", str(table)]
    monkeypatch.setattr(sys, "argv", arguments)
    credential_fields.main()
    assert "To be looked at" in capsys.readouterr().err
    text = table.read_text(encoding="utf-8")
    assert "| `x_ftp_pass1` | char | its name says that it holds a credential ('pass') | x.backend |" in text
    assert "| `remark` | text | its label says that it holds a credential ('mot passe') | x.backend |" in text
    assert "| `pin` | integer | its name says that it holds a credential ('pin') | x.backend |" in text
    assert "| `copied` | char | it is a copy of backend_id.api_key, whose name" in text
    assert "| `x_token2` | char |" in text and "token_ids" not in text
    assert "- `sort_key` of x.backend" in text and "- `kpi_key` of x.other" in text
    assert "Of 1 translations into 1 languages" in text and "100%" in text
    credential_fields.main()
    assert capsys.readouterr().err == "To be looked at, as no table had them before: nothing\n"
