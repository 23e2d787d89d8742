"""OpenLineage: from each model in Odoo to its table in PostgreSQL, column by column.

Made of what a task knows when it has ended; nothing is asked of Odoo or PostgreSQL. OpenLineage itself is imported only
by the listener of its provider, where that is installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from airflow_provider_odoo_shadow.assets.odoo_shadow import alias_of
from airflow_provider_odoo_shadow.mirror_task import MirrorTask, Sides
from odoo_shadow.mirror.shape.origins import ColumnOrigin
from odoo_shadow.mirror.sync.result import MirrorResult
from odoo_shadow.shadow.connection.database import Place
from odoo_shadow.text.shown import shown

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from openlineage.client.event_v2 import Dataset, InputDataset, OutputDataset
    from openlineage.client.facet_v2 import DatasetFacet, RunFacet
    from openlineage.client.generated.column_lineage_dataset import Fields

    Lineage: TypeAlias = OperatorLineage[Dataset, RunFacet]

MOST_COLUMNS = 2_000
"""Columns that one event describes, about 1 MB; further tables are in it by name. Brokers refuse larger messages."""

MOST_TABLES = 1_000
_LONGEST_LABEL = 200
_PORTS = {"http": 80, "https": 443}


def lineage_of(task: MirrorTask) -> Lineage | None:
    """Return what a task has mirrored so far: a dataset per model in Odoo, and one per table.

    None if it has mirrored nothing, or OpenLineage's provider is not installed.
    """
    place = None if task.sides is None else task.sides.shadow.place
    if task.sides is None or place is None or not task.results:
        return None
    try:
        from airflow.providers.openlineage.extractors import OperatorLineage
    except ImportError:
        return None
    lineage: Lineage = OperatorLineage()
    for result, columns in _bounded(task.results):
        source = _input(task.sides, result, columns)
        lineage.inputs.append(source)
        lineage.outputs.append(_output(task.sides, place, task.mirror_name, result, columns, source))
    return lineage


def _bounded(results: Iterable[MirrorResult]) -> Iterator[tuple[MirrorResult, tuple[ColumnOrigin, ...]]]:
    """Yield the results with the columns that the event has room for: those of whole tables only."""
    left = MOST_COLUMNS
    for _, result in zip(range(MOST_TABLES), results, strict=False):
        columns = result.columns if len(result.columns) <= left else ()
        left -= len(columns)
        yield result, columns


def _input(sides: Sides, result: MirrorResult, columns: tuple[ColumnOrigin, ...]) -> InputDataset:
    from openlineage.client.event_v2 import InputDataset
    from openlineage.client.generated.input_statistics_input_dataset import InputStatisticsInputDatasetFacet

    fields = {item.field: (item.field, item.field_type, item.label) for item in columns if item.field}
    read = result.counts.written + result.counts.unchanged
    return InputDataset(
        namespace=_odoo_namespace(sides.odoo_url),
        name=f"{sides.odoo_database}.{result.model}",
        facets={"schema": _schema(fields.values())} if fields else {},
        inputFacets={"inputStatistics": InputStatisticsInputDatasetFacet(rowCount=read)},
    )


def _output(
    sides: Sides,
    place: Place,
    mirror: str,
    result: MirrorResult,
    columns: tuple[ColumnOrigin, ...],
    source: InputDataset,
) -> OutputDataset:
    from openlineage.client.event_v2 import OutputDataset
    from openlineage.client.generated.column_lineage_dataset import ColumnLineageDatasetFacet
    from openlineage.client.generated.output_statistics_output_dataset import OutputStatisticsOutputDatasetFacet
    from openlineage.client.generated.symlinks_dataset import Identifier, SymlinksDatasetFacet

    # The asset's name, by which the lineage of a DAG that is scheduled on it joins this table.
    asset = Identifier(namespace=alias_of(mirror).name, name=result.model, type="ASSET")
    facets: dict[str, DatasetFacet] = {"symlinks": SymlinksDatasetFacet(identifiers=[asset])}
    if columns:
        facets |= {
            "schema": _schema((item.name, item.type, item.label) for item in columns),
            "columnLineage": ColumnLineageDatasetFacet(
                fields={item.name: _origin(item, source) for item in columns if item.field}
            ),
        }
    return OutputDataset(
        namespace=_postgres_namespace(place),
        name=f"{place.database}.{sides.shadow.schema}.{result.table}",
        facets=facets,
        outputFacets={"outputStatistics": OutputStatisticsOutputDatasetFacet(rowCount=result.counts.written)},
    )


def _schema(fields: Iterable[tuple[str, str, str]]) -> DatasetFacet:
    from openlineage.client.generated.schema_dataset import SchemaDatasetFacet, SchemaDatasetFacetFields

    return SchemaDatasetFacet(
        fields=[
            SchemaDatasetFacetFields(name, kind, shown(label, longest=_LONGEST_LABEL) or None, position)
            for position, (name, kind, label) in enumerate(fields, start=1)
        ]
    )


def _origin(column: ColumnOrigin, source: InputDataset) -> Fields:
    from openlineage.client.generated.column_lineage_dataset import Fields, InputField, Transformation

    if column.is_hashed:
        made = Transformation("DIRECT", "TRANSFORMATION", "Only a keyed hash of the value is kept.", masking=True)
    else:
        made = Transformation("DIRECT", "IDENTITY", masking=False)
    return Fields([InputField(source.namespace, source.name, column.field, [made])])


def _odoo_namespace(url: str) -> str:
    parts = urlsplit(url)
    return f"odoo://{_host(parts.hostname or '')}:{parts.port or _PORTS.get(parts.scheme, 0)}{parts.path.rstrip('/')}"


def _postgres_namespace(place: Place) -> str:
    host = "localhost" if place.host.startswith(("/", "@")) else place.host  # a socket on this machine
    return f"postgres://{_host(host)}:{place.port}"


def _host(name: str) -> str:
    return f"[{name}]" if ":" in name else name
