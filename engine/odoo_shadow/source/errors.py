"""What can go wrong with Odoo, grouped by what to do about it.

`OdooFatalError`: trying again gives the same answer, so give up and report it.
`OdooRetriableError`: the same call may succeed later.

Every message is one sentence or two that name the connection, the model and what to do. It is safe to show: it never
contains a credential or a traceback of the server.
"""

from __future__ import annotations

from collections.abc import Sequence

from odoo_shadow.text.errors import ShownError
from odoo_shadow.text.shown import shown

_LONGEST_ID = 40
"""Characters that are shown of text in the place of an id."""


class OdooError(ShownError):
    """Base of everything that a call to Odoo raises."""


class OdooFatalError(OdooError):
    """Give up now: trying again cannot help."""


class OdooConfigurationError(OdooFatalError):
    """The connection's fields are wrong: URL, database, protocol, certificate."""


class OdooAuthenticationError(OdooFatalError):
    """Odoo refused the login, the password or the API key."""


class OdooAccessError(OdooFatalError):
    """The login has no right to do this with this model.

    :ivar said: what Odoo says about it.
    """

    def __init__(self, message: str, *, said: str = "") -> None:
        super().__init__(message)
        self.said = said


class OdooUnknownModelError(OdooFatalError):
    """The server has no such model: its module is not installed."""


class OdooUnknownFieldError(OdooFatalError):
    """The model has no such field."""


class OdooRequestError(OdooFatalError):
    """Odoo understood the call and refused it for another reason.

    :ivar kind: the server's exception class, such as `UndefinedColumn`; empty when it is not known.
    :ivar said: what Odoo says about it.
    """

    def __init__(self, message: str, *, kind: str = "", said: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.said = said


class OdooUnknownArgumentError(OdooRequestError):
    """The server says that the method does not take an argument that it was given.

    :ivar argument: its name.
    """

    def __init__(self, message: str, *, argument: str = "") -> None:
        super().__init__(message)
        self.argument = argument


class OdooUnreadableRecordsError(OdooFatalError):
    """Odoo cannot give some records, even one by one; the others were read."""


class OdooRecordIdError(OdooFatalError):
    """Records without unique ids, such as rows of an SQL view: rows of the shadow could not be told apart."""


class OdooRefusedFieldsError(OdooFatalError):
    """Odoo refuses or drops records when some fields are read with them, and gives them without these fields.

    :ivar fields: their names, or the keys under which a record has their variants.
    :ivar reason: what Odoo says.
    """

    def __init__(self, message: str, *, fields: Sequence[str] = (), reason: str = "") -> None:
        super().__init__(message)
        self.fields = tuple(fields)
        self.reason = reason


class OdooRetriableError(OdooError):
    """Try again later.

    :ivar retry_after: seconds that the server asked to wait, if it did.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OdooUnreachableError(OdooRetriableError):
    """No connection, or one that broke off in the middle of an answer."""


class OdooTimeoutError(OdooRetriableError):
    """No answer within the connection's timeout."""


class OdooThrottledError(OdooRetriableError):
    """HTTP 429: too many calls."""


class OdooServerError(OdooRetriableError):
    """A 5xx status, a page of HTML, half a body, a serialization failure: trouble on the server or a proxy.

    :ivar is_misfit: the answer was complete, but not what was asked for; asking for less would not help.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, is_misfit: bool = False) -> None:
        super().__init__(message, retry_after=retry_after)
        self.is_misfit = is_misfit


class OdooLargeAnswerError(OdooServerError):
    """The records of one call are too large to be held in memory together: ask for fewer.

    :ivar answer_bytes: the size of the answer, or the part of it that was read.
    """

    def __init__(self, message: str, *, answer_bytes: int) -> None:
        super().__init__(message)
        self.answer_bytes = answer_bytes


ERRORS_OF_ONE_MODEL = (
    OdooAccessError,
    OdooRequestError,
    OdooServerError,
    OdooTimeoutError,
    OdooUnknownFieldError,
    OdooUnknownModelError,
)
"""Errors that one model may cause while the others can be read: a count of a very large table may take too long."""


def text_for_id(asked: str, given: str) -> OdooRecordIdError:
    """Build the error for a record whose id is text."""
    return OdooRecordIdError(
        f"{asked} has a record whose id is not an integer ('{shown(given, longest=_LONGEST_ID)}'), as SQL views may "
        "have: rows of the shadow are identified by integers, so this model cannot be mirrored; leave it out."
    )


def shared_id(asked: str, record_id: int) -> OdooRecordIdError:
    """Build the error for several records with the same id."""
    return OdooRecordIdError(
        f"{asked} has more than one record with the id {record_id}, as SQL views may have: rows of the shadow are "
        "identified by their ids, so this model cannot be mirrored; leave it out."
    )


def misfit(asked: str, what: str) -> OdooServerError:
    """Build the error for an answer that is not what was asked for."""
    return OdooServerError(
        f"{asked} gave an answer that Odoo would not give: {what}; none of it was written.", is_misfit=True
    )
