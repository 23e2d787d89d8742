"""What readers get beside a run's rows, brought up to date at the run's end, whatever became of its models."""

from __future__ import annotations

from dataclasses import dataclass

from odoo_shadow.shadow.access.documents import restrict_documents
from odoo_shadow.shadow.access.examination import opened_tables
from odoo_shadow.shadow.access.grants import renew_view_grants
from odoo_shadow.shadow.access.mode import RowLevelSecurity, read_mode
from odoo_shadow.shadow.access.protection import open_tables, renew_policies, set_mode
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.shadow.state.broadcast import broadcast_changes, broadcasts, keep_broadcasting
from odoo_shadow.shadow.views.invokers import exposing_views, renew_invokers
from odoo_shadow.shadow.views.named_views import renew_due_views
from odoo_shadow.shadow.views.postgrest import tell_postgrest
from odoo_shadow.shadow.views.relationships import renew_relationships
from odoo_shadow.text.amounts import counted, first_of
from odoo_shadow.text.log import logger

log = logger(__name__)

_MOST_NAMED = 5


@dataclass(frozen=True)
class ForReaders:
    """What a run is told of what readers get; None for as in the last run.

    :param row_level_security: which rows they see.
    :param realtime_broadcast: whether Supabase Realtime is told of changed tables.
    """

    row_level_security: RowLevelSecurity | None = None
    realtime_broadcast: bool | None = None


AS_BEFORE = ForReaders()


def begin_for_readers(shadow: ShadowDatabase, wanted: ForReaders) -> None:
    """Restrict what readers see, before anything is read; what cannot be done yet is done, or reported, at the end.

    :raises ShadowError: the settings cannot be changed.
    """
    set_mode(shadow, wanted.row_level_security)
    if wanted.realtime_broadcast is not None:
        with shadow.transaction() as tx:
            keep_broadcasting(tx, is_wanted=wanted.realtime_broadcast)
    for problem in (*renew_policies(shadow), *restrict_documents(shadow)):
        log.warning("%s", problem)


def update_for_readers(shadow: ShadowDatabase) -> tuple[str, ...]:
    """Renew what shows the tables to readers; return what could not be done and must not stay unnoticed.

    What can wait for the next run is only logged.
    """
    problems = _restrict_rows(shadow)
    renew_due_views(shadow)
    problems += renew_invokers(shadow)
    _grant_views(shadow)
    renew_relationships(shadow)
    _warn_of_exposing_views(shadow)
    tell_postgrest(shadow)  # it announces all of the above
    _broadcast(shadow)
    return problems


def _restrict_rows(shadow: ShadowDatabase) -> tuple[str, ...]:
    """Restrict the rows of all tables; a run must not end well over one that shows more than it should."""
    try:
        problems = (*renew_policies(shadow), *restrict_documents(shadow))
        with shadow.transaction() as tx:
            opened = opened_tables(tx)
            if read_mode(tx) is RowLevelSecurity.COMPANY and (shown := open_tables(tx)) and not problems:
                problems = (f"Nothing restricts the rows of {first_of(shown, _MOST_NAMED)}, which must be a table.",)
    except ShadowError as error:
        return (f"Row-level security may not be up to date: {error}",)
    if opened:
        problems += (
            f"Somebody's own policies show more rows than row-level security: {first_of(opened, _MOST_NAMED)}: "
            "make them restrictive (AS RESTRICTIVE), or drop them.",
        )
    return problems


def _warn_of_exposing_views(shadow: ShadowDatabase) -> None:
    try:
        with shadow.transaction() as tx:
            views = exposing_views(tx)
    except ShadowError as error:
        log.warning("Views that others built on the mirror could not be checked: %s", error)
        return
    if views:
        log.warning("%s show the rows of all companies that their owner sees.", first_of(views, _MOST_NAMED))


def _grant_views(shadow: ShadowDatabase) -> None:
    try:
        with shadow.transaction() as tx:
            renew_view_grants(tx)
    except ShadowError as error:
        log.warning("The rights on the views are renewed next time: %s", error)


def _broadcast(shadow: ShadowDatabase) -> None:
    """Tell Realtime which tables have changed, if it is to be told: last, so that who is told finds all the rest."""
    try:
        with shadow.transaction() as tx:
            told = broadcast_changes(tx) if broadcasts(tx) else []
    except ShadowError as error:
        log.warning("%s", error)
    else:
        if told:
            log.info("Realtime was told of %s", counted(len(told), "changed table"))
