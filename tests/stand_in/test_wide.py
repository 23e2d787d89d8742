"""The flavour with hundreds of models: all there, and alive."""

from __future__ import annotations

import pytest

from odoo_stand_in import StandIn
from odoo_stand_in.declared.schema import LOG_ACCESS
from odoo_stand_in.invented.wide import COLUMNS, MODELS, ROWS, model_name


@pytest.mark.nightly
def test_three_hundred_models_of_fifty_columns(server: str) -> None:
    odoo = StandIn(server, "19", database="wide", schema="wide")
    try:
        names = [model_name(number) for number in range(1, MODELS + 1)]
        told = {one["model"] for one in odoo.execute("ir.model", "get_available_models")}
        assert told >= set(names)
        kinds = set()
        for name in names:
            model = odoo.registry.models[name]
            own = [field for field in model.fields.values() if field.store and field.name not in ("id", *LOG_ACCESS)]
            assert len(own) == COLUMNS
            kinds |= {field.type for field in own}
        assert len(kinds) > 12
        domain = [["model", "in", names]]
        counts = odoo.execute("ir.model", "search_read", domain, ["count"])
        assert {row["count"] for row in counts} == {ROWS}
        assert odoo.execute("ir.model.fields", "search_count", [*domain, ["store", "=", True]]) == MODELS * (
            COLUMNS + len(LOG_ACCESS) + 1
        )
        before = odoo.execute(names[-1], "read", [1], ["write_date"])[0]["write_date"]
        odoo.execute(names[-1], "write", [1], {"name": "changed"})
        (row,) = odoo.execute(names[-1], "read", [1], ["name", "write_date"])
        assert row["name"] == "changed" and row["write_date"] > before
    finally:
        odoo.stop()
