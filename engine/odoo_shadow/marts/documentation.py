"""Writes dbt's documentation of the marts, with the shadow's tables and columns as the catalogue describes them.

Labels come from Odoo: in the generated file they are text, and neither YAML, nor Jinja, nor HTML.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from odoo_shadow.marts.building import MartsSettings
from odoo_shadow.marts.environment import Dbt
from odoo_shadow.marts.errors import MartsError
from odoo_shadow.marts.project import project_folder, run_dbt
from odoo_shadow.marts.target import connection_variables, place_variables
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.relations import FIELD, META
from odoo_shadow.text.shown import shown

PAGE = "index.html"

_MANIFEST, _CATALOG = '"MANIFEST.JSON INLINE DATA"', '"CATALOG.JSON INLINE DATA"'
"""Where dbt's page has room for its data."""
_SOURCES = Path("models") / "sources.yml"
_JINJA = re.compile(r"\{(?=[{%#])")
_LONGEST_LABEL = 500


def write_documentation(dbt: Dbt, shadow: ShadowDatabase, url: str, settings: MartsSettings, output: Path) -> Path:
    """Write the documentation as one page; returns its path.

    :param url: the shadow's, as `shadow` was made from.
    :param output: the folder to write to.
    :raises MartsError: dbt could not make it, or it cannot be written.
    :raises ShadowError: the database cannot be reached.
    """
    with shadow.transaction() as tx:
        sources = yaml.safe_dump(_sources(tx), sort_keys=False, allow_unicode=True)
        place = place_variables(tx.cursor.connection.info)
    connection = {**connection_variables(shadow.name, url, shadow.schema), **place}
    try:
        with tempfile.TemporaryDirectory(prefix="odoo-marts-") as made:
            project, target = Path(made) / "project", Path(made) / "target"
            shutil.copytree(project_folder(), project)
            target.mkdir()
            (project / _SOURCES).chmod(0o600)
            (project / _SOURCES).write_text(sources, encoding="utf-8")
            run = run_dbt(
                dbt,
                ["docs", "generate"],
                connection=connection,
                variables=settings.variables(shadow.schema),
                target=target,
                project=project,
            )
            problem = run.could_not_begin or "; ".join(run.failed)
            if problem:
                raise MartsError(f"dbt could not write the documentation: {problem}.")
            page = _page(target)
        output.mkdir(parents=True, exist_ok=True)
        (output / PAGE).write_text(page, encoding="utf-8")
    except OSError as error:
        raise MartsError(f"{error.filename or output} cannot be read or written: {error.strerror}.") from None
    return output / PAGE


def _page(target: Path) -> str:
    """Return dbt's page with its data in it. dbt itself would write them so that a label could end the script."""
    before, _, rest = (target / PAGE).read_text(encoding="utf-8").partition(_MANIFEST)
    between, _, after = rest.partition(_CATALOG)
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    catalog = _plain(json.loads((target / "catalog.json").read_text(encoding="utf-8")))
    return f"{before}{_in_script(manifest)}{between}{_in_script(catalog)}{after}"


def _in_script(document: object) -> str:
    return json.dumps(document).replace("<", "\\u003c").replace(">", "\\u003e")


def _plain(document: object) -> object:
    """Return dbt's catalog with comments of tables and columns, which hold labels from Odoo, as text."""
    if isinstance(document, dict):
        return {
            name: as_text(value) if name == "comment" and isinstance(value, str) else _plain(value)
            for name, value in document.items()
        }
    return [_plain(item) for item in document] if isinstance(document, list) else document


def _sources(tx: Transaction) -> dict[str, object]:
    """Return what is mirrored, and what the marts know besides, as dbt's sources."""
    shipped = yaml.safe_load((project_folder() / _SOURCES).read_text(encoding="utf-8"))
    (source,) = shipped["sources"]
    tables = {table["name"]: table for table in source["tables"]}
    tables.update({str(table["name"]): table for table in _mirrored(tx)})
    return {**shipped, "sources": [{**source, "tables": [tables[name] for name in sorted(tables)]}]}


def _mirrored(tx: Transaction) -> Iterator[dict[str, object]]:
    described: dict[str, list[tuple[str, str, str]]] = {}
    for table, column, label, relation in tx.run(
        "SELECT table_name, column_name, coalesce(label, ''), coalesce(relation, '') FROM {field}"
        " WHERE vanished_at IS NULL ORDER BY table_name, column_number, column_name",
        field=tx.own(FIELD),
    ):
        described.setdefault(table, []).append((column, label, relation))
    for table, model in tx.run("SELECT table_name, odoo_model FROM {meta} ORDER BY table_name", meta=tx.own(META)):
        yield {
            "name": table,
            "description": f"The model {as_text(model)}.",
            "columns": list(_columns(described.get(table, ()))),
        }


def _columns(described: Iterable[tuple[str, str, str]]) -> Iterator[dict[str, str]]:
    for column, label, relation in described:
        leads = f" ({as_text(relation)})" if relation else ""
        yield {"name": column, "description": f"{as_text(label)}{leads}"}


def as_text(label: str) -> str:
    """Return a label from Odoo as a description in which nothing is Jinja or HTML."""
    return html.escape(_JINJA.sub("{ ", shown(label, longest=_LONGEST_LABEL)))
