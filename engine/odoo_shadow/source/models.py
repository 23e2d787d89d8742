"""The models of a server, and which of them can be mirrored."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from odoo_shadow.source.fields import FieldsState
from odoo_shadow.source.names import LONGEST_NAME


class ModelKind(StrEnum):
    """What a model is. The texts say why models other than tables are not mirrored unless they are named."""

    TABLE = "a table"
    TRANSIENT = "transient: a wizard's temporary records"
    ABSTRACT = "abstract: it has no records"
    UNREADABLE = "abstract, or the login has no right to read it"
    WITHOUT_TABLE = "abstract, or made of a query in Odoo's code, whose records only the API can give"
    CLOSED = "its table cannot be read: the role lacks SELECT on it, or the table does not belong to Odoo"
    VIEW = "an SQL view or a table without rows: the server reports neither a table nor rows of its own"
    UNKNOWN = "without write_date, and without the right to read ir.model a table cannot be told from an SQL view"
    MISNAMED = f"Odoo allows no such name: only a-z, 0-9 and _ in parts between dots, at most {LONGEST_NAME} characters"


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

    :param is_complete: False without the right to read `ir.model`; then models that the login cannot read are missing.
    """

    models: tuple[ServerModel, ...]
    is_complete: bool
