"""A pass over the documents of all models of a mirror."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from odoo_shadow.knowledge.documents.catalogue import Catalogue, read_catalogue
from odoo_shadow.knowledge.documents.plan import Wanted
from odoo_shadow.knowledge.documents.readers import Readers, read_readers
from odoo_shadow.knowledge.documents.refresh import Refreshed, refresh_model
from odoo_shadow.knowledge.documents.resolve import make_plan
from odoo_shadow.knowledge.documents.store import forget_model, known_models
from odoo_shadow.knowledge.documents.templates import wanted_documents
from odoo_shadow.knowledge.errors import TemplateError
from odoo_shadow.mirror.config.document_template import DocumentTemplate
from odoo_shadow.shadow.access.documents import renew_document_policy, tables_with_other_policies
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.shadow.install import ensure_base
from odoo_shadow.shadow.state.schema import Origin, recorded_origin
from odoo_shadow.shadow.views.documents import forget_lost_columns, renew_document_view
from odoo_shadow.shadow.views.search import renew_search
from odoo_shadow.text.amounts import counted, first_of
from odoo_shadow.text.log import logger
from odoo_shadow.text.nearest import did_you_mean

log = logger(__name__)

_MOST_NAMED = 5


@dataclass(frozen=True)
class Failed:
    """Why the documents of a model are not up to date; they are due again."""

    model: str
    error: str


@dataclass(frozen=True)
class Pass:
    """What a pass has to do.

    :param wanted: the models whose documents it brings up to date.
    :param failed: those that cannot have documents, and why.
    :param removed: those that have none any more.
    """

    catalogue: Catalogue
    readers: Readers
    origin: Origin | None
    wanted: tuple[Wanted, ...]
    failed: tuple[Failed, ...] = ()
    removed: tuple[Refreshed, ...] = ()


def begin_pass(
    shadow: ShadowDatabase, given: Mapping[str, DocumentTemplate] | None, models: Collection[str] | None = None
) -> Pass:
    """Find out which models have documents; remove those of models that have none any more.

    :param given: the templates of the mirrors file; None for those of the last pass.
    :param models: only these, which must be among them; None for all.
    :raises TemplateError: one of them has no template.
    :raises ShadowError: the database does not let it.
    """
    with shadow.transaction() as tx:
        ensure_base(tx)
        forget_lost_columns(tx)
    with shadow.transaction() as tx:
        catalogue = read_catalogue(tx)
        there, failed = _with_a_table(catalogue, wanted_documents(tx, given))
        over = sorted(known_models(tx).keys() - {item.model for item in there})
        removed = [Refreshed(model, 0, 0, forget_model(tx, model), 0, 0) for model in over]
        readers, origin = read_readers(tx), recorded_origin(tx)
    there, failed = _chosen(there, failed, models)
    return Pass(catalogue, readers, origin, tuple(there), tuple(failed), tuple(removed))


def _with_a_table(catalogue: Catalogue, wanted: Sequence[Wanted]) -> tuple[list[Wanted], list[Failed]]:
    """Sort models into those that the shadow has a table of, and those of which a person wants documents in vain."""
    there = [item for item in wanted if item.model in catalogue.by_model]
    failed = [
        Failed(
            item.model,
            f"There are no documents of {item.model}: the shadow has no table of it; add it to the models of the "
            "mirror and run odoo-shadow sync, or, if this Odoo has no such model, take its template away.",
        )
        for item in wanted
        if item.is_given and item.model not in catalogue.by_model
    ]
    return there, failed


def _chosen(
    there: list[Wanted], failed: list[Failed], models: Collection[str] | None
) -> tuple[list[Wanted], list[Failed]]:
    if models is None:
        return there, failed
    by_model, hopeless = {item.model: item for item in there}, {item.model: item for item in failed}
    for model in models:
        if model not in by_model and model not in hopeless:
            raise TemplateError(
                f"There are no documents of {model}: give it a template, under documents in the mirrors file"
                + did_you_mean(model, sorted(by_model))
            )
    return (
        [by_model[model] for model in models if model in by_model],
        [hopeless[model] for model in models if model in hopeless],
    )


def check_templates(
    tx: Transaction, given: Mapping[str, DocumentTemplate] | None, models: Collection[str] | None = None
) -> list[Failed]:
    """Say what is wrong in the templates, without a change; the arguments and errors are those of `begin_pass`."""
    catalogue = read_catalogue(tx)
    there, failed = _chosen(*_with_a_table(catalogue, wanted_documents(tx, given)), models)
    for item in there:
        try:
            make_plan(catalogue, item)
        except TemplateError as error:
            if item.is_given:
                failed.append(Failed(item.model, str(error)))
    return failed


def refresh_documents(
    shadow: ShadowDatabase,
    given: Mapping[str, DocumentTemplate] | None,
    on_progress: Callable[[str, int, int], None],
    models: Collection[str] | None = None,
) -> list[Refreshed | Failed]:
    """Bring the documents of all models up to date, and let readers see them; return what was done, model by model.

    :param given: the templates of the mirrors file; None for those of the last pass.
    :param on_progress: is told how many documents of how many of a model have been written.
    :param models: only these, which must be among them; None for all.
    :raises TemplateError: one of them has no template.
    :raises ShadowError: the database does not let it begin, or does not let readers see them.
    """
    work = begin_pass(shadow, given, models)
    show_documents(shadow)
    done = list(_refresh_all(shadow, work, on_progress))
    show_documents(shadow)
    return done


def _refresh_all(
    shadow: ShadowDatabase, work: Pass, on_progress: Callable[[str, int, int], None]
) -> Iterator[Refreshed | Failed]:
    yield from work.failed
    yield from work.removed
    for item in work.wanted:
        try:
            yield refresh_wanted(shadow, work, item, partial(on_progress, item.model))
        except (TemplateError, ShadowError) as error:
            yield Failed(item.model, str(error))


def refresh_wanted(
    shadow: ShadowDatabase, work: Pass, wanted: Wanted, on_progress: Callable[[int, int], None]
) -> Refreshed:
    """Bring a model's documents up to date; with its last template if the one that it shall have is wrong.

    Where that is wrong, too, because of what has gone or must not be shown any more, they are removed.

    :param on_progress: is told how many documents of how many have been written.
    :raises TemplateError: a person's template is wrong; the message says if documents were removed because of it.
    :raises ShadowError: the database does not let it.
    """
    try:
        return refresh_model(shadow, work.catalogue, work.readers, work.origin, wanted, on_progress)
    except TemplateError as error:
        wrong = error
    with shadow.transaction() as tx:
        known = known_models(tx).get(wanted.model)
    removed = 0
    if known is not None:
        last = Wanted(wanted.model, DocumentTemplate.from_text(known.template), known.is_given)
        try:
            refresh_model(shadow, work.catalogue, work.readers, work.origin, last, on_progress)
        except TemplateError as cause:
            with shadow.transaction() as tx:
                removed = forget_model(tx, wanted.model)
            log.warning("The documents of %s were removed: %s", wanted.model, cause)
    if wanted.is_given:
        raise TemplateError(f"{wrong}{f' {_gone(removed)}' if removed else ''}")
    return Refreshed(wanted.model, 0, 0, removed, 0, 0)


def _gone(removed: int) -> str:
    return (
        f"What it has shown until now must not be shown any more, so {counted(removed, 'document')} of it were removed."
    )


def show_documents(shadow: ShadowDatabase) -> None:
    """Let readers see the documents: renew their view, and the policy that says who sees which. Raises a `ShadowError`.

    At the beginning of a pass as well as at its end: documents whose readers have changed are hidden meanwhile.
    """
    with shadow.transaction() as tx:
        renew_document_view(tx)
        renew_search(tx)
        renew_document_policy(tx)
        hidden = tables_with_other_policies(tx)
    if hidden:
        log.warning(
            "Documents that show rows of %s are shown to nobody but their owner: policies of somebody's own hide rows "
            "of these tables, and documents cannot follow them.",
            first_of(hidden, _MOST_NAMED),
        )
