"""The mirror's own schemas: made once, under a lock, upgraded when `VERSION` grows, and bound to one Odoo database."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field, replace

from psycopg import sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.errors import ShadowOwnershipError
from odoo_shadow.shadow.names import internal_schema
from odoo_shadow.shadow.owners.ownership import check_trust, exists, may_use_schema
from odoo_shadow.shadow.relations import ACCEPT_DATABASE, META, MIRROR
from odoo_shadow.shadow.state.schema_statements import VERSION

FORMER_MIRROR = "odoo_shadow_mirror"
"""The table that recorded the schema's Odoo database up to version 4."""


ORIGIN_COLUMNS = sql.SQL(
    # A former version's table has fewer columns.
    "odoo_url, odoo_database, odoo_uuid, (to_jsonb(m) ->> 'is_neutralized')::boolean, to_jsonb(m) ->> 'cluster',"
    " coalesce((to_jsonb(m) ->> 'is_api_url')::boolean, true), coalesce(to_jsonb(m) ->> 'source', 'api')"
)
"""What `Origin` is read from, in its order; `m` is the table."""


@dataclass(frozen=True)
class Origin:
    """An Odoo database: the one that a schema mirrors, or one that is about to be read.

    :param url: where its API is, or what it calls itself (`web.base.url`).
    :param uuid: Odoo's own `database.uuid`, None when the login has no right to read it.
    :param is_neutralized: whether it is a copy that Odoo has made harmless; None when that is not known.
    :param cluster: the identity of the PostgreSQL cluster that holds it, None when it was never read there, or does not
        say; empty when somebody has accepted any.
    :param is_api_url: whether the API answers at the URL. What a database calls itself changes with the address at
        which its administrator logs in.
    :param source: through which source it is read, or was read last: `api` or `database`.
    """

    url: str
    database: str
    uuid: str | None = None
    is_neutralized: bool | None = field(default=None, compare=False)
    cluster: str | None = field(default=None, compare=False)
    is_api_url: bool = field(default=True, compare=False)
    source: str = field(default="api", compare=False)

    @property
    def called(self) -> str:
        """What messages call it; a role that may not read Odoo's parameters knows no address."""
        return f"'{self.database}' at {self.url}" if self.url else f"'{self.database}'"

    def read_again(self, found: Origin) -> Origin:
        """Return what is known of this database after it was read again."""
        return replace(
            found,
            url=found.url if found.is_api_url or not self.is_api_url else self.url,
            is_api_url=found.is_api_url or self.is_api_url,
            uuid=found.uuid or self.uuid,
            is_neutralized=self.is_neutralized if found.is_neutralized is None else found.is_neutralized,
            cluster=found.cluster or self.cluster,
        )

    def accepting(self, found: Origin) -> Origin:
        """Return what is known of this database when another one may be in its place: its name, and its address."""
        return replace(self, uuid=found.uuid, is_neutralized=None, cluster="" if self.cluster is not None else None)

    def is_in_other_cluster(self, found: Origin) -> bool:
        """Say whether another one is in a PostgreSQL cluster that is known to be another one."""
        return None not in (self.cluster, found.cluster) and self.cluster not in ("", found.cluster)

    def is_at_place_of(self, found: Origin) -> bool:
        """Say whether another one is where this one is known to be.

        The place of an API is its address. That of a database is its cluster, which a replica shares and a copy does
        not, wherever it is reached. To a source that is new to the mirror the place is not known: then both must have
        one uuid, or one address.
        """
        if self.database != found.database or self.is_in_other_cluster(found):
            return False
        if self.is_api_url and found.is_api_url:
            return self.url == found.url
        is_cluster_known = None not in (self.cluster, found.cluster)
        return is_cluster_known or self.url == found.url or (self.uuid is not None and self.uuid == found.uuid)


def schema_version(tx: Transaction) -> int:
    """Return the version of the schema, 0 when there is none, after checking who owns what is in it.

    :raises ShadowOwnershipError: something that the sync would use belongs to a role that is not trusted.
    """
    check_trust(tx)
    if not exists(tx, tx.schema, META):
        return 0  # never created, or dropped without the schema beside it
    if exists(tx, internal_schema(tx.schema), MIRROR):
        if not may_see_internal(tx):
            return VERSION  # a reader of the shadow; only the sync's role upgrades it
        rows = tx.run("SELECT schema_version FROM {mirror}", mirror=tx.internal(MIRROR))
    elif exists(tx, tx.schema, FORMER_MIRROR):
        rows = tx.run("SELECT schema_version FROM {mirror}", mirror=tx.own(FORMER_MIRROR))
    else:
        rows = []
    return int(rows[0][0]) if rows else 0


def lock_schema(tx: Transaction) -> None:
    """Keep others from changing this schema's tables until the transaction ends.

    The lock is on a row that only the sync's role can reach: any login could hold an advisory lock.
    """
    tx.run("SELECT 1 FROM {mirror} FOR UPDATE", mirror=tx.internal(MIRROR))


def may_see_internal(tx: Transaction) -> bool:
    """Say whether there is an internal schema and this role may read it."""
    internal = internal_schema(tx.schema)
    return exists(tx, internal, MIRROR) and may_use_schema(tx, internal)


def recorded_origin(tx: Transaction) -> Origin | None:
    """Return the Odoo database that the schema mirrors, None while there is none or when this role cannot read it."""
    if may_see_internal(tx):
        mirror = tx.internal(MIRROR)
    elif exists(tx, tx.schema, FORMER_MIRROR):
        mirror = tx.own(FORMER_MIRROR)
    else:
        return None
    rows = tx.run(
        "SELECT {columns} FROM {mirror} m WHERE odoo_database IS NOT NULL", columns=ORIGIN_COLUMNS, mirror=mirror
    )
    return Origin(*rows[0]) if rows else None


def claim_origin(tx: Transaction, origin: Origin) -> None:
    """Bind the schema to an Odoo database, or check that it is bound to this one.

    :raises ShadowOwnershipError: the schema mirrors another Odoo database.
    """
    lock_schema(tx)
    owner = recorded_origin(tx)
    if owner is not None:
        check_origin(tx, owner, origin)
        origin = owner.read_again(origin)
    tx.run(
        "UPDATE {mirror} SET odoo_url = {url}, odoo_database = {database}, odoo_uuid = {uuid},"
        " is_neutralized = {is_neutralized}, cluster = {cluster}, is_api_url = {is_api_url}, source = {source}",
        mirror=tx.internal(MIRROR),
        url=origin.url,
        database=origin.database,
        uuid=origin.uuid,
        is_neutralized=origin.is_neutralized,
        cluster=origin.cluster,
        is_api_url=origin.is_api_url,
        source=origin.source,
    )


def is_recorded(owner: Origin | None, origin: Origin) -> bool:
    """Say whether claiming a schema of this owner would change nothing."""
    return owner is not None and astuple(owner.read_again(origin)) == astuple(owner)


def check_origin(tx: Transaction, owner: Origin, origin: Origin) -> None:
    """Compare two Odoo databases by place and name, and by their own uuid where both are known.

    The uuid alone proves nothing: a copy, such as a staging server's, keeps it.

    :raises ShadowOwnershipError: they are not the same.
    """
    is_same_place = owner.is_at_place_of(origin)
    is_same_uuid = not owner.uuid or not origin.uuid or owner.uuid == origin.uuid
    is_copy = owner.is_neutralized is False and origin.is_neutralized is True
    if is_same_place and is_same_uuid and not is_copy:
        return
    if is_same_place or (owner.database == origin.database and owner.is_in_other_cluster(origin)):
        raise ShadowOwnershipError(
            f"The Odoo database {origin.called} is not the one that schema '{tx.schema}' mirrors: "
            f"{_difference(owner, origin)}: has a backup been restored, or another database "
            f"put in its place? Nothing was written; {acceptance(tx.schema)}; or give it another schema."
        )
    what_to_do = "give this one another schema, or correct the name"
    if is_same_uuid and origin.is_api_url:
        moved = sql.SQL("UPDATE {} SET odoo_url = {}, odoo_database = {}").format(
            tx.internal(MIRROR), origin.url, origin.database
        )
        what_to_do += f"; or, if it is the same database and has moved, record that once: {moved.as_string(tx.cursor)}"
    elif is_same_uuid and owner.database == origin.database:
        what_to_do += (
            "; or, if it is the same database, say so: set ODOO_URL (in Airflow, the extra odoo_url of its connection) "
            f"to {owner.url}"
        )
    raise ShadowOwnershipError(
        f"Schema '{tx.schema}' mirrors the Odoo database {owner.called}, not {origin.called}: {what_to_do}."
    )


def _difference(owner: Origin, origin: Origin) -> str:
    """Say what tells two databases of one name apart."""
    if owner.uuid and origin.uuid and owner.uuid != origin.uuid:
        return f"its database.uuid is {origin.uuid}, not {owner.uuid}"
    if owner.is_neutralized is False and origin.is_neutralized is True:
        return "it is a neutralized copy, for tests (database.is_neutralized)"
    return f"it is in another PostgreSQL cluster (system identifier {origin.cluster}, not {owner.cluster})"


def acceptance(schema: str) -> str:
    """Return what a person does to continue with whatever database is there now."""
    statement = sql.SQL("SELECT {}()").format(sql.Identifier(internal_schema(schema), ACCEPT_DATABASE)).as_string()
    return (
        "to continue with what is there now, odoo-shadow sync --accept-database reads every table again (in Airflow, "
        f"run once on the shadow's database: {statement})"
    )


def accept_origin(tx: Transaction) -> None:
    """Forget which database it was, and all watermarks: the next runs read everything that is there now."""
    lock_schema(tx)
    tx.run("SELECT {accept}()", accept=tx.internal(ACCEPT_DATABASE))
