"""Finds out what a login and a database role can do, and what they cannot, by trying it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from odoo_shadow.mirror.health.documents import examine_documents
from odoo_shadow.mirror.health.exposures import examine_exposures
from odoo_shadow.mirror.health.forecast import forecast
from odoo_shadow.mirror.health.health import only_elsewhere, read_documents, read_marts
from odoo_shadow.mirror.health.marts import examine_marts
from odoo_shadow.mirror.health.readers import examine_readers
from odoo_shadow.mirror.health.record_names import ADVICE, is_called_otherwise, shown_as_in_odoo
from odoo_shadow.mirror.health.two_sources import examine_two_sources
from odoo_shadow.mirror.hidden import Hidden, hidden_of
from odoo_shadow.mirror.identity import check_all
from odoo_shadow.mirror.origin import check_binding
from odoo_shadow.mirror.pace import late_proof
from odoo_shadow.mirror.run.choose import LeftOut
from odoo_shadow.mirror.shape.describe import closed_models
from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.mirror.shape.refused_fields import REFUSED
from odoo_shadow.postgres.transport import CHECKED_MODES, is_local
from odoo_shadow.shadow.connection.circumstances import has_room, hidden_tables, why_read_only
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.shadow.names import table_name
from odoo_shadow.shadow.owners.ownership import list_foreign
from odoo_shadow.shadow.owners.rights import Rights, read_rights
from odoo_shadow.shadow.state.registry import TableStatus, list_tables
from odoo_shadow.shadow.state.schema import may_see_internal, schema_version
from odoo_shadow.shadow.state.watermarks import latest_commit
from odoo_shadow.shadow.vault import how_to_swap_back, swapped_secrets
from odoo_shadow.shadow.views.public_views import (
    PUBLIC,
    READ_BY_MANY,
    check_own_place,
    foreign_names,
    in_the_way,
)
from odoo_shadow.source.errors import OdooError, OdooUnknownModelError
from odoo_shadow.source.kind import SourceKind
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import Reading
from odoo_shadow.text.amounts import counted, first_of
from odoo_shadow.text.findings import Finding, Verdict

SHORTEST_LOOK_BACK = timedelta(minutes=2)
"""Odoo's default `limit_time_real`; imports and crons may take longer."""

LONGEST_COUNT = timedelta(seconds=20)

_MOST_NAMES = 8


@dataclass
class _Seen:
    """What was seen of models, for findings about all of them.

    :param cells: how many values each has.
    :param otherwise: those whose records Odoo calls otherwise; None if names are not compared.
    :param hidden: what the API's login does not see of what Odoo's own database has.
    """

    otherwise: list[str] | None
    cells: dict[str, int] = field(default_factory=dict)
    layouts: dict[str, Layout] = field(default_factory=dict)
    hidden: dict[str, Hidden] = field(default_factory=dict)


def examine(
    odoo: Source,
    shadow: ShadowDatabase,
    models: Sequence[str],
    look_back: timedelta,
    *,
    left_out: Sequence[LeftOut] = (),
    compares_names: bool = True,
    counts_for: timedelta = LONGEST_COUNT,
) -> list[Finding]:
    """Examine both sides; a side that cannot be reached becomes a finding, too.

    :param left_out: models that patterns do not take.
    :param compares_names: whether some records of each model are read, to compare what Odoo calls them.
    :param counts_for: how long Odoo's own database may count in how many rows it differs from the API.
    """
    findings: list[Finding] = []
    answers = True
    seen = _Seen([] if compares_names else None)
    for examination in (
        odoo.examine(),
        _models(odoo, models, seen),
        examine_two_sources(odoo, seen.layouts, seen.hidden, left_out, counts_for),
    ):
        try:
            findings += examination
        except OdooError as error:
            findings.append(Finding("Odoo", Verdict.PROBLEM, str(error)))
            answers = False
            break
    try:
        with shadow.transaction() as tx:
            for item in _database(tx, look_back, models, seen.cells):
                findings.append(item)  # what is known before it fails
            findings += _called_otherwise(tx, seen.otherwise or ())
        if answers and not any(item.subject == "owner" for item in findings):
            check_binding(odoo, shadow)
            check_all(odoo, shadow)
    except (ShadowError, OdooError) as error:
        findings.append(Finding("database", Verdict.PROBLEM, str(error)))
    return findings


def _called_otherwise(tx: Transaction, models: Sequence[str]) -> Iterator[Finding]:
    known = shown_as_in_odoo(tx) if models and schema_version(tx) else set()
    for model in models:
        if model not in known:
            yield Finding(model, Verdict.WARNING, ADVICE)


def _models(odoo: Source, models: Sequence[str], seen: _Seen) -> Iterator[Finding]:
    """Examine models one by one."""
    all_fields = odoo.stored_fields(models)
    if all_fields is None:
        yield Finding("fields", Verdict.WARNING, "the login cannot read ir.model.fields: hidden fields are not known")
    for model in models:
        try:
            yield _model(odoo, model, set((all_fields or {}).get(model, ())), seen)
        except OdooUnknownModelError:
            yield Finding(model, Verdict.WARNING, "not installed, so it is skipped")
        except OdooError as error:
            yield Finding(model, Verdict.PROBLEM, str(error))


def _model(odoo: Source, model: str, all_fields: set[str], seen: _Seen) -> Finding:
    fields = odoo.describe(model)
    readable = {item.name for item in fields}
    rows = odoo.count(Reading(model, ()))
    layout = Layout.of(model, fields, unreadable=closed_models(odoo, model, fields))
    seen.layouts[model] = layout
    seen.cells[model] = rows * len(layout.columns)
    if seen.otherwise is not None and is_called_otherwise(odoo, layout, fields):
        seen.otherwise.append(model)
    hidden = sorted(all_fields - readable)
    text = f"{counted(rows, 'row')}, {counted(len(readable), 'field')} readable, {len(layout.columns)} mirrored"
    if odoo.access.kind is SourceKind.DATABASE:  # no group applies
        from_login = hidden_of(odoo, layout.reading, rows, layout.reading.fields)
        if from_login:
            seen.hidden[model] = from_login
            text = f"{text}; {from_login}"
        for name, why in layout.not_given.items():
            text = f"{text}; {name} is left out: {why}"
        return Finding(model, Verdict.WARNING if from_login or layout.not_given else Verdict.OK, text)
    if hidden:
        return Finding(model, Verdict.WARNING, f"{text}; groups hide {len(hidden)}: {first_of(hidden, _MOST_NAMES)}")
    return Finding(model, Verdict.OK, text)


def _database(
    tx: Transaction, look_back: timedelta, models: Sequence[str], cells: Mapping[str, int]
) -> Iterator[Finding]:
    rights = read_rights(tx)
    yield from _transport(tx)
    foreign = list_foreign(tx)
    for item in foreign:
        yield Finding(
            "owner",
            Verdict.PROBLEM,
            f"{item} must not be used: drop or revoke it, make '{rights.role}' its owner, or agree to it",
        )
    yield Finding("database", Verdict.OK, f"PostgreSQL {rights.version}, role '{rights.role}'")
    yield from _writing(tx, rights)
    swapped = swapped_secrets(tx)
    if swapped:
        yield Finding("Vault", Verdict.PROBLEM, how_to_swap_back(swapped))
    if rights.tables_not_writable:
        named = first_of(rights.tables_not_writable, _MOST_NAMES)
        yield Finding("tables", Verdict.PROBLEM, f"the role cannot write {len(rights.tables_not_writable)}: {named}")
    yield _right(
        "staging", rights.may_create_temporary, "can create temporary tables", "needs TEMPORARY on the database"
    )
    if not rights.may_create_public:
        yield Finding("public", Verdict.WARNING, "the role cannot create in schema public: there will be no views")
    if foreign:
        return  # nothing more is asked of what is not trusted
    if rights.other_writers:
        others = first_of(rights.other_writers, _MOST_NAMES)
        text = f"other roles than '{rights.role}' can do more than read the shadow: {others}"
        yield Finding("writers", Verdict.WARNING, text)
    is_made = bool(schema_version(tx))
    tables = list_tables(tx, with_errors=may_see_internal(tx)) if is_made else []
    yield from _place(tx, models, tables, is_made=is_made)
    room = forecast(tx, cells, {item.model for item in tables if item.has_been_mirrored})
    if room is not None:
        yield Finding("room", Verdict.PROBLEM if room.is_too_much else Verdict.OK, room.text)
    if is_made:
        yield from _refused(tables)
        yield from _proven_late(tables)
        yield from examine_readers(tx)
        yield from examine_exposures(tx)
        yield from examine_marts(*read_marts(tx, datetime.now(UTC)))
        yield from examine_documents(read_documents(tx, datetime.now(UTC)))
        yield _look_back(latest_commit(tx), look_back)


def _place(
    tx: Transaction, models: Sequence[str], tables: Sequence[TableStatus], *, is_made: bool
) -> Iterator[Finding]:
    """Check whether the schema is a good place for the mirror, and whether its names in `public` are free."""
    if tx.schema == PUBLIC:
        yield Finding("mirror", Verdict.WARNING, READ_BY_MANY)
    if not is_made:
        check_own_place(tx, list(map(table_name, models)))
    elsewhere = only_elsewhere(tx)
    if elsewhere is not None:
        yield Finding("mirror", Verdict.WARNING, f"{elsewhere}; a sync would create another one")
    in_public = foreign_names(tx, sorted({*map(table_name, models), *(item.table for item in tables)}))
    if in_public:
        yield Finding("public", Verdict.PROBLEM, in_the_way(in_public))


def _writing(tx: Transaction, rights: Rights) -> Iterator[Finding]:
    """Check whether the role can write the schema, and whether policies hide rows from it."""
    if rights.is_read_only:
        yield Finding("database", Verdict.PROBLEM, f"it {why_read_only(tx.cursor)[0]}")
    else:
        good = f"can write schema '{tx.schema}'"
        yield _right("schema", rights.may_create_schema, good, "needs CREATE on the database")
        if rights.may_create_temporary and not has_room(tx.cursor):
            text = "its disk is full, so nothing can be mirrored: free some space, or use a larger disk"
            yield Finding("disk", Verdict.PROBLEM, text)
    hidden = hidden_tables(tx.cursor, tx.schema)
    if hidden:
        yield Finding("policies", Verdict.PROBLEM, hidden)


def _refused(tables: Sequence[TableStatus]) -> Iterator[Finding]:
    for item in tables:
        if item.unreadable_fields:
            yield Finding(item.model, Verdict.WARNING, f"{REFUSED}: {first_of(item.unreadable_fields, _MOST_NAMES)}")


def _proven_late(tables: Sequence[TableStatus]) -> Iterator[Finding]:
    for item in tables:
        late = late_proof(item, datetime.now(UTC))
        if late:
            yield Finding(item.model, Verdict.WARNING, late)


def _transport(tx: Transaction) -> Iterator[Finding]:
    """Check how the connection to the database is protected."""
    connection = tx.cursor.connection
    given = connection.info.get_parameters()
    if is_local({name: str(value) for name, value in given.items()}):
        return
    mode = given.get("sslmode", "")
    if not connection.pgconn.ssl_in_use:
        text = "the connection has no TLS: anybody on the way can read and change everything; set sslmode=verify-full"
        yield Finding("TLS", Verdict.WARNING, text)
    elif mode not in CHECKED_MODES:
        text = "encrypted, but the server's certificate is not checked: set sslmode=verify-full and sslrootcert"
        yield Finding("TLS", Verdict.WARNING, text)
    else:
        yield Finding("TLS", Verdict.OK, f"encrypted, the certificate is checked ({mode})")


def _look_back(latest: timedelta | None, look_back: timedelta) -> Finding:
    if look_back < SHORTEST_LOOK_BACK:
        text = f"{look_back} is shorter than a call to Odoo may take: rows that are committed late will be lost"
        return Finding("look-back", Verdict.PROBLEM, text)
    if latest is None:
        return Finding("look-back", Verdict.OK, f"{look_back}; no row has been found late so far")
    verdict = Verdict.OK if latest <= look_back / 2 else Verdict.WARNING
    return Finding("look-back", verdict, f"{look_back}; the latest row so far was found {latest} after its write_date")


def _right(subject: str, has_it: bool, good: str, bad: str) -> Finding:
    return Finding(subject, Verdict.OK if has_it else Verdict.PROBLEM, good if has_it else f"the role {bad}")
