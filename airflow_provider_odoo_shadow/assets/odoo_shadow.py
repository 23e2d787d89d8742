"""A mirrored model as an Airflow asset: `odoo-shadow://<mirror>/<model>`, such as `odoo-shadow://odoo_shadow/sale.order`.

Airflow updates every asset that a task names when it succeeds. Ours are updated only when rows were written, so tasks
name one alias per mirror, and add to it the models whose rows they wrote.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from airflow.sdk import Asset, AssetAlias

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from airflow.providers.common.compat.openlineage.facet import Dataset

SCHEME = "odoo-shadow"
_MIRROR = re.compile(r"[A-Za-z0-9_.~%-]+")
_MODEL = re.compile(r"[a-z0-9_][a-z0-9_.]*")


def asset_of(mirror: str, model: str) -> Asset:
    """Return the asset of a mirrored model, as a DAG's `schedule` takes it.

    :param mirror: the mirror's name in `odoo_shadow.yaml`; of an operator of one's own, its `mirror` or its `schema`,
        in which a URI has what is no ASCII letter or digit as %XX.
    :param model: the Odoo model, such as `sale.order`.
    """
    return Asset(f"{alias_of(mirror).name}/{model}")


def alias_of(mirror: str) -> AssetAlias:
    """Return the alias by which tasks update a mirror's assets; a DAG's `schedule` may take it for all of them."""
    return AssetAlias(f"{SCHEME}://{quote(mirror, safe='')}")


def sanitize_uri(uri: SplitResult) -> SplitResult:
    """Check an asset's URI (provider metadata, `asset-uris`). Raises `ValueError`."""
    model = uri.path.removeprefix("/")
    if not _MIRROR.fullmatch(uri.netloc) or not _MODEL.fullmatch(model) or uri.query:
        raise ValueError(f"URI format {SCHEME}:// must contain a mirror and a model: {SCHEME}://odoo_shadow/sale.order")
    return uri


def create_asset(*, mirror: str, model: str) -> Asset:
    """Make an asset of its parts (provider metadata, `asset-uris`)."""
    return asset_of(mirror, model)


def convert_asset_to_openlineage(asset: Asset, lineage_context: object) -> Dataset:  # noqa: ARG001 - Airflow's signature
    """Return OpenLineage's dataset of an asset (provider metadata, `asset-uris`)."""
    from airflow.providers.common.compat.openlineage.facet import Dataset

    parts = urlsplit(asset.uri)
    return Dataset(namespace=f"{SCHEME}://{parts.netloc}", name=parts.path.removeprefix("/"))
