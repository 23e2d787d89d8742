"""Mirrors a model without the fields together with which Odoo does not give its records, and remembers which these are.

Such fields are found while records are read (`source.refused_fields`); the run then goes on without them from where it
was. Their columns are treated like those of fields that are gone: values that were mirrored before stay, are written no
more, and the catalogue says since when. Later runs leave the fields out at once. They are tried again with `full`, when
the model's fields change, when the login may read more models, and when the model is read in another way.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TypeVar

from airflow_provider_odoo_shadow.job.layout import Layout
from airflow_provider_odoo_shadow.source.client import OdooClient
from airflow_provider_odoo_shadow.source.errors import OdooRefusedFieldsError
from airflow_provider_odoo_shadow.source.pages import read_pages
from airflow_provider_odoo_shadow.target import registry
from airflow_provider_odoo_shadow.target.changes import plan_change
from airflow_provider_odoo_shadow.target.database import ShadowDatabase
from airflow_provider_odoo_shadow.text.log import logger

log = logger(__name__)

_LARGEST_SENT = 2**31 - 1
"""The largest id that every protocol can carry."""

REFUSED = "fields that are left out, since Odoo does not give the login records together with them"
"""What is said of them wherever a model is looked at."""

Result = TypeVar("Result")


def leave_out_refused(
    odoo: OdooClient, shadow: ShadowDatabase, layout: Layout, kept: registry.ReadSettings, read_as: str, *, full: bool
) -> Layout:
    """Leave out the fields that an earlier run found refused, or, if anything has changed, look at one record anew.

    So is done before the first load of a model that the login may not really read, lest its table gets columns that
    nothing fills.

    :param kept: how the last run read the model.
    :param read_as: what decides which values Odoo gives now.
    :raises OdooError: the record could not be read, and it is not the fields.
    """
    known = kept.unreadable_fields
    if known and kept.read_as == read_as and not full and not kept.unreadable & odoo.readable_models.keys():
        fewer = _without(odoo, layout, known)
        if not _has_other_columns(shadow, fewer):
            return fewer
    if known or (kept.read_as != read_as and layout.model not in odoo.readable_models):
        return without_refused(odoo, layout, lambda fewer: _try_one(odoo, fewer), known=known)
    return layout


def _has_other_columns(shadow: ShadowDatabase, layout: Layout) -> bool:
    """Say whether the model's fields are others than the table was last given."""
    with shadow.transaction() as tx:
        table = registry.name_table(tx, layout.model)
        return bool(plan_change(tx, table, [item.column for item in layout.all_columns], layout.left_out).changes)


def _try_one(odoo: OdooClient, layout: Layout) -> Layout:
    """Read one record, if there is one."""
    next(read_pages(odoo, layout.reading, up_to_id=_LARGEST_SENT, page_size=1))
    return layout


def without_refused(
    odoo: OdooClient, layout: Layout, work: Callable[[Layout], Result], known: Collection[str] = ()
) -> Result:
    """Do something with a model's records, again and again without the fields that turn out to be refused.

    :param known: fields of which everybody has been told.
    """
    while True:
        try:
            return work(layout)
        except OdooRefusedFieldsError as error:
            fewer = _without(odoo, layout, error.fields)
            if len(fewer.all_columns) == len(layout.all_columns):
                raise
            layout = fewer
            news = sorted(set(error.fields) - set(known))
            if news:
                log.warning(
                    "%s: Odoo does not give '%s' records together with %s: left out (%s). They are tried again with "
                    "full (--full), and when the model's fields or the login's rights change.",
                    layout.model,
                    odoo.connection.login,
                    ", ".join(news),
                    error.reason,
                )


def _without(odoo: OdooClient, layout: Layout, refused: Collection[str]) -> Layout:
    """Leave fields out, and note which models the login may not read that may be why.

    Once it may read one of them, the next plan lets the fields be tried again.
    """
    fewer = layout.without(refused)
    columns = [item.column for item in layout.all_columns if item.key in refused]
    behind = {layout.model, *(item.description.relation for item in columns if item.description.relation)}
    needed = {item.column.description.relation for item in fewer.columns if item.column.odoo_type == "many2many"}
    hidden = behind - odoo.readable_models.keys() - needed
    return replace(fewer, unreadable=fewer.unreadable | hidden)
