"""The models of a server, and which of them can be mirrored."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from odoo_shadow.source.fields import FieldsState
from odoo_shadow.source.names import LONGEST_NAME


class ModelKind(StrEnum):
    """What a model is. The texts say why others than tables are not mirrored unless they are named."""

    TABLE = "a table"
    TRANSIENT = "transient: a wizard's passing records"
    ABSTRACT = "abstract: it has no records"
    UNREADABLE = "abstract, or the login may not read it"
    VIEW = "an SQL view or a table without rows: the server shows no rows of its own behind it"
    UNKNOWN = "without write_date, and a login that may not read ir.model cannot tell a table from an SQL view"
    MISNAMED = (
        f"Odoo allows no such name: only a-z, 0-9 and _ in parts between dots, {LONGEST_NAME} characters at the most"
    )


@dataclass(frozen=True)
class ServerModel:
    """A model of the server.

    :param label: what Odoo calls it, in the connection's language.
    :param text_fields: its stored fields that hold text.
    :param fields: their state, where they had to be asked for one model at a time.
    """

    name: str
    kind: ModelKind
    label: str = ""
    text_fields: frozenset[str] = frozenset()
    fields: FieldsState | None = None


@dataclass(frozen=True)
class Discovery:
    """The models of a server, by name.

    :param is_complete: False when the login may not read `ir.model`; then models that it may not read are not listed.
    """

    models: tuple[ServerModel, ...]
    is_complete: bool
