"""The Airflow hook for Odoo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from airflow_provider_odoo_shadow.hooks.extras import ExtrasError, read_extras
from airflow_provider_odoo_shadow.hooks.masking import mask
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.connection import OdooConnection
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.errors import OdooConfigurationError, OdooError, OdooUnreadableRecordsError
from odoo_shadow.source.pages import DEFAULT_PAGE_SIZE
from odoo_shadow.source.reading import Reading
from odoo_shadow.source.types import Argument, Context, Domain, Json, Record
from odoo_shadow.text.amounts import counted
from odoo_shadow.text.shown import shown


class OdooHook(BaseHook):
    """Calls an Odoo server, over JSON-2, JSON-RPC or XML-RPC.

    Errors are subclasses of `OdooFatalError` (trying again cannot help) or `OdooRetriableError`.
    Methods that only read are tried again up to three times; others never, as they may have been carried out.

    :param odoo_conn_id: an Airflow connection of type `odoo`.
    """

    conn_name_attr = "odoo_conn_id"
    default_conn_name = "odoo_default"
    conn_type = "odoo"
    hook_name = "Odoo"

    def __init__(self, odoo_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.odoo_conn_id = odoo_conn_id

    @cached_property
    def connection(self) -> OdooConnection:
        """The connection's fields, checked. Raises `OdooConfigurationError`."""
        try:
            stored = self.get_connection(self.odoo_conn_id)
        except AirflowNotFoundException:
            raise OdooConfigurationError(
                f"There is no Airflow connection '{self.odoo_conn_id}': add it under Admin > Connections."
            ) from None
        mask(stored.password, login=stored.login or "")
        extras = extras_of(self.odoo_conn_id, stored.extra)
        return OdooConnection.parse(
            self.odoo_conn_id,
            host=stored.host,
            port=stored.port,
            database=stored.schema,
            login=stored.login,
            password=stored.password,
            extras=extras,
        )

    @cached_property
    def source(self) -> ApiSource:
        """What the engine mirrors from."""
        return ApiSource(OdooClient(self.connection))

    @property
    def _client(self) -> OdooClient:
        return self.source.client

    def get_conn(self) -> OdooClient:
        """Return the client behind this hook; it keeps its HTTP connections open."""
        return self._client

    def execute_kw(
        self, model: str, method: str, args: Sequence[Argument] = (), kwargs: Mapping[str, Argument] | None = None
    ) -> Json:
        """Call any public method of a model. Over JSON-2, name the arguments of methods that are not Odoo's own."""
        return self._client.execute_kw(model, method, args, kwargs)

    def search_read(
        self,
        model: str,
        domain: Domain = (),
        fields: Sequence[str] = (),
        *,
        limit: int | None = None,
        offset: int = 0,
        order: str | None = None,
        context: Context | None = None,
        load: str = "",
    ) -> list[Record]:
        """Read records in one call.

        :param fields: all that the login may read when none are named.
        :param context: `{"active_test": False}` to get archived records too.
        :param load: empty gives a many2one as a bare id; `_classic_read` as `[id, name]`, at twice the cost.
        """
        return self._client.search_read(
            model, domain, fields, limit=limit, offset=offset, order=order, context=context, load=load
        )

    def search(
        self,
        model: str,
        domain: Domain = (),
        *,
        limit: int | None = None,
        order: str | None = None,
        context: Context | None = None,
    ) -> list[int]:
        """Return the ids of the records that match."""
        return self._client.search(model, domain, limit=limit, order=order, context=context)

    def search_count(self, model: str, domain: Domain = (), *, context: Context | None = None) -> int:
        """Return how many records match."""
        return self._client.search_count(model, domain, context=context)

    def fields_get(self, model: str, attributes: Sequence[str] = ()) -> dict[str, dict[str, Json]]:
        """Return the fields that the login may read: name to attributes."""
        return self._client.fields_get(model, attributes)

    def iter_pages(
        self, model: str, fields: Sequence[str], domain: Domain = (), *, page_size: int = DEFAULT_PAGE_SIZE
    ) -> Iterator[list[Record]]:
        """Yield the records that match, archived ones too, in pages by ascending id; no row is lost while others write.

        Records that are created while this runs are not waited for. Of `ir.attachment` up to Odoo 16, a login without
        the right to change settings gets those files that Odoo lets it read.

        :raises OdooUnreadableRecordsError: after all others, that there are records which Odoo cannot give.
        """
        reading = Reading(model, tuple(fields), domain)
        up_to_id = self.source.highest_id(reading)
        unreadable = []
        for page in self.source.pages(reading, up_to_id=up_to_id, page_size=page_size):
            if page.unreadable is not None:
                unreadable.append(page.unreadable)
            if page.records:
                yield page.records
        if unreadable:
            raise OdooUnreadableRecordsError(
                f"{self.connection}: {model}: Odoo cannot give {counted(len(unreadable), 'record')}; all others were "
                f"read. The first, {unreadable[0].id}: {unreadable[0].reason}"
            )

    def test_connection(self) -> tuple[bool, str]:
        """Log in, and return one sentence that says what works or what is wrong."""
        try:
            client = self.get_conn()
            user_id = client.user_id()
            partners = client.search_count("res.partner")
        except OdooError as error:
            return False, str(error)
        return True, shown(
            f"Connected to Odoo {client.version.text}, database '{self.connection.database}', over "
            f"{client.protocol.label} as user {user_id} ('{self.connection.login}'), who sees {partners} partners."
        )


def extras_of(odoo_conn_id: str, given: str | None) -> dict[str, object]:
    """Read the extras of a connection, and let Airflow hide the secret among them. Raises `OdooConfigurationError`."""
    try:
        extras = read_extras(given, OdooHook.conn_type)
    except ExtrasError as error:
        raise OdooConfigurationError(f"Odoo connection '{odoo_conn_id}': {error}.") from None
    mask(extras.get("hash_secret"))
    return extras
