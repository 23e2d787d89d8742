"""The dashboards in bi/assets, and how they are made to fit one database's marts."""

from __future__ import annotations

import copy
import io
import zipfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml

ASSETS = Path(__file__).parents[1] / "bi" / "assets"
SCHEMA = "odoo_marts"
"""The schema that the files name."""
_DATABASE = "databases/odoo_shadow.yaml"
_METADATA = "metadata.yaml"
_FROM_MART = f"FROM {SCHEMA}."

Document = dict[str, Any]
Assets = dict[str, Document]


def read_assets(folder: Path = ASSETS) -> Assets:
    """Read all files of a folder, by their path below it."""
    return {
        path.relative_to(folder).as_posix(): yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.yaml"))
    }


def of_kind(assets: Assets, kind: str) -> dict[str, Document]:
    """Return the assets of a kind, such as `charts`, by the name of their file."""
    return {PurePosixPath(path).stem: each for path, each in assets.items() if path.startswith(f"{kind}/")}


def marts_of(assets: Assets) -> list[str]:
    """Return the marts that the dashboards are made of."""
    return sorted(each["table_name"] for each in of_kind(assets, "datasets").values() if not each["sql"])


def fit(assets: Assets, *, url: str | None = None, schema: str = SCHEMA, left_out: Collection[str] = ()) -> Assets:
    """Return assets that show the marts of one database.

    :param url: of the database, as SQLAlchemy writes it; the file's own by default.
    :param schema: the marts' schema.
    :param left_out: marts that are not there: what shows them is left out, too.
    """
    fitted = copy.deepcopy(assets)
    if url is not None:
        fitted[_DATABASE]["sqlalchemy_uri"] = url
        _keep_options(fitted[_DATABASE], url)
    for path, dataset in of_paths(fitted, "datasets"):
        dataset["schema"] = schema
        if dataset["sql"]:
            dataset["sql"] = _with_marts(dataset["sql"], schema, left_out)
        if dataset["table_name"] in left_out or dataset["sql"] == "":
            del fitted[path]
    datasets = {dataset["uuid"] for dataset in of_kind(fitted, "datasets").values()}
    for path, chart in of_paths(fitted, "charts"):
        if chart["dataset_uuid"] not in datasets:
            del fitted[path]
    charts = {chart["uuid"] for chart in of_kind(fitted, "charts").values()}
    for _, dashboard in of_paths(fitted, "dashboards"):
        dashboard["position"] = _without_gaps(dashboard["position"], charts)
        metadata = dashboard["metadata"]
        metadata["native_filter_configuration"] = [
            each
            for each in metadata["native_filter_configuration"]
            if all(target.get("datasetUuid") in {None, *datasets} for target in each["targets"])
        ]
    return fitted


def _keep_options(database: Document, url: str) -> None:
    """Let the address's own `options`, such as a role, hold beside those of the file, which would replace them."""
    arguments = database["extra"]["engine_params"]["connect_args"]
    own = dict(parse_qsl(urlsplit(url).query)).get("options", "")
    arguments["options"] = f"{own} {arguments['options']}".strip()


def of_paths(assets: Assets, kind: str) -> Iterator[tuple[str, Document]]:
    """Yield the assets of a kind with their paths; they may be taken out meanwhile."""
    yield from [(path, each) for path, each in assets.items() if path.startswith(f"{kind}/")]


def as_texts(assets: Assets, *, kind: str) -> dict[str, str]:
    """Return the files' texts.

    :param kind: what Superset is told that they are: `assets` for its command, `Dashboard` for its page.
    """
    whole = {**assets, _METADATA: {**assets[_METADATA], "type": kind}}
    return {path: yaml.safe_dump(each, sort_keys=False, allow_unicode=True) for path, each in whole.items()}


def as_archive(assets: Assets) -> bytes:
    """Return the archive that Superset imports on its page of dashboards."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in as_texts(assets, kind="Dashboard").items():
            archive.writestr(f"odoo_shadow/{path}", text)
    return out.getvalue()


def _with_marts(statement: str, schema: str, left_out: Collection[str]) -> str:
    """Return a statement without the lines that read what is left out; nothing if none reads a mart then."""
    quoted = '"' + schema.replace('"', '""') + '"'
    kept = [line for line in statement.splitlines() if not any(f"{_FROM_MART}{mart} " in line for mart in left_out)]
    reads = any(_FROM_MART in line for line in kept)
    return "\n".join(kept).replace(_FROM_MART, f"FROM {quoted}.") if reads else ""


def _without_gaps(position: Mapping[str, Any], charts: Collection[str]) -> Document:
    """Return a layout without the charts that are not there, and without rows that had nothing else."""
    gone = {key for key, item in position.items() if _is(item, "CHART") and item["meta"]["uuid"] not in charts}
    gone |= {key for key, item in position.items() if _is(item, "ROW") and gone.issuperset(item["children"])}
    kept = {key: item for key, item in position.items() if key not in gone}
    for item in kept.values():
        if isinstance(item, dict) and "children" in item:
            item["children"] = [child for child in item["children"] if child not in gone]
    return kept


def _is(item: object, kind: str) -> bool:
    return isinstance(item, dict) and item.get("type") == kind
