"""The doctor's findings about the server and the login, apart from single models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from odoo_shadow.source.api.about import check_language
from odoo_shadow.source.api.answers import Entry
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.domains import ARCHIVED_TOO
from odoo_shadow.source.api.protocols.json2 import Json2
from odoo_shadow.source.values import moment_in
from odoo_shadow.text.amounts import first_of
from odoo_shadow.text.findings import Finding, Verdict

TOLERATED_SKEW = timedelta(seconds=60)

_MOST_NAMES = 8


def examine(client: OdooClient) -> Iterator[Finding]:
    """Check the server and the login. Raises an `OdooError`."""
    user_id = client.user_id()
    connection = client.connection
    yield Finding("Odoo", Verdict.OK, f"{client.version.text} at {connection.url}, database '{connection.database}'")
    yield Finding("login", Verdict.OK, f"'{connection.login}' (user {user_id}) accepted over {client.protocol.label}")
    skew = abs(datetime.now(UTC) - client.server_time())
    verdict = Verdict.OK if skew <= TOLERATED_SKEW else Verdict.WARNING
    yield Finding(
        "clock",
        verdict,
        f"Odoo's differs from this machine's by {skew.total_seconds():.0f} s; only Odoo's counts, unless it is ahead",
    )
    users = client.look_up("res.users", [("id", "=", user_id)], ["company_ids", "login_date"], context=ARCHIVED_TOO)
    if client.protocol.label != Json2.label:  # a key at JSON-2 leaves no trace of its login
        yield from _database_clock(client, users)
    yield _companies(client, users)
    if connection.lang:
        check_language(client)
        yield Finding("language", Verdict.OK, f"the server has '{connection.lang}'")


def _database_clock(client: OdooClient, users: Sequence[Entry]) -> Iterator[Finding]:
    """Compare the clock that sets `write_date` with the one that sets watermarks: Odoo has just recorded this login."""
    noted = moment_in(users[0].text("login_date")) if users else None
    if noted is None:
        return
    behind = (client.server_time() - noted).total_seconds()
    verdict = Verdict.OK if abs(behind) <= TOLERATED_SKEW.total_seconds() else Verdict.PROBLEM
    yield Finding(
        "write_date",
        verdict,
        f"the clock of Odoo's database, which sets it, is {behind:.0f} s behind Odoo's; look-back must exceed that",
    )


def _companies(client: OdooClient, users: Sequence[Entry]) -> Finding:
    ids = {item for user in users for item in user.ids("company_ids")}
    chosen = set(client.connection.company_ids) or ids
    text = f"the login may read companies {first_of(sorted(ids), _MOST_NAMES)}"
    beyond = sorted(set(client.search("res.company", context=ARCHIVED_TOO)) - ids)
    left_out = sorted(ids - chosen)
    if beyond:
        text = f"{text}; it has no access to {first_of(beyond, _MOST_NAMES)}"
    if left_out:
        text = f"{text}; {client.connection.setting('company_ids')} leaves out {first_of(left_out, _MOST_NAMES)}"
    if beyond or left_out:
        return Finding("companies", Verdict.WARNING, text)
    return Finding("companies", Verdict.OK, f"{text}; records of other companies are not mirrored")
