"""Recognizes models and fields that hold credentials, which are left out of every mirror unless they are named."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from odoo_shadow.mirror.shape.credential_names import Hit, credential_in, words_of
from odoo_shadow.mirror.shape.credential_words import (
    DIGEST,
    FOOD,
    ONLY_IN_NAMES,
    PARTS_OF_ADDRESSES,
    PHRASES_ALONE,
    POSTAL,
    POSTCODES,
    WEAK,
    fold,
)
from odoo_shadow.source.fields import Field
from odoo_shadow.source.types import Json
from odoo_shadow.text.shown import shown

# Seen on Odoo 17.0 and 19.0, in addition to those that the rule below knows by a word in their name.
_SECRET_MODELS = frozenset(
    {
        "ir.config_parameter",  # database.secret, and whatever modules keep there
        "ir.mail_server",
        "fetchmail.server",
        "iap.account",
        "mail.ice.server",
        "mail.partner.device",
        "mail.push.device",
        "payment.provider",
        "payment.acquirer",
    }
)
_SECRET_WORD = re.compile(
    r"(^|[._])(api_?keys?|auth_?keys?|credentials?|passwords?|passkeys?|secrets?|tokens?|totp|oauth2?|vaults?|keychains?"
    r"|certificates?|private_?keys?|config_parameters?)\d*([._]|$)"
)
# Neither their names nor, in every language, their labels show it: whoever knows the value gets access.
_SECRET_FIELDS = frozenset(
    {
        *("discuss.channel.uuid", "mail.channel.uuid", "im_livechat.report.channel.uuid"),
        *("hr.employee.barcode", "restaurant.table.identifier", "account.move.l10n_vn_edi_reservation_code"),
        *("mail.push.device.keys", "mail.partner.device.keys", "res.device.session_identifier"),
        *(
            "payment.transaction.landing_route",
            "res.device.log.session_identifier",
            "res.company.l10n_gr_edi_aade_key",
            "payment.provider.iyzico_key_id",
        ),
    }
)
# They only sound like credentials: codes by which a bank approved a card payment, the end of a link to leave a mailing
# list, and India's tax numbers.
_NO_SECRET_FIELDS = frozenset(
    {
        *("pos.payment.paytm_authcode", "pos.payment.razorpay_authcode", "mailing.trace.sms_code"),
        *("res.partner.l10n_in_tan", "res.company.l10n_in_tan", "res.config.settings.l10n_in_tan"),
    }
)
# Seen on Odoo 17.0 and 19.0, in OCA's queue_job and rest_log, and in Odoo's html_editor (in any model).
_COPIES = {
    "ir.property": "value_text",  # company-dependent fields, up to 17
    "ir.default": "json_value",
    "mail.tracking.value": "old_value_char old_value_text new_value_char new_value_text",
    "bus.bus": "channel message",
    "ir.logging": "message",
    "ir.profile": "init_stack_trace sql traces_async traces_sync others qweb",
    "queue.job": "args kwargs records func_string result exc_info exc_message",
    "rest.log": "params headers result error exception_message",
}
_COPIES_FIELDS = frozenset(f"{model}.{name}" for model, names in _COPIES.items() for name in names.split())
_COPIES_ANYWHERE = frozenset({"html_field_history"})
_OLD_OR_NEW = re.compile(
    r"(x_(studio_)?)?((old|new|previous|prior|former)_(values?|vals?)|(values?|vals?)_(old|new|before|after))(_[a-z_]+)?"
)
# Programs that people write in Odoo, with their credentials for other systems.
_PROGRAMS = frozenset({"ir.actions.server.code", "ir.actions.server.history.code", "ir.cron.code"})
_KEY_AND_VALUE = frozenset({"key", "value"})
_CUSTOM_PREFIX = re.compile(r"^x_(studio_)?")
_HOLD_NONE = frozenset(
    {"boolean", "date", "datetime", "float", "monetary", "selection", "reference", "many2one_reference"}
    | {"many2one", "many2many", "one2many", "binary", "image"}
)
"""Types whose values are never credentials; for all others it depends on the name."""
_LONGEST_PATH = 100
_LONGEST_SAID = 300
_KEEPS_OTHERS = "keeps values of other fields, including those that are left out"
_IS_PROGRAM = "is a program, which may contain credentials"

RULES = f"2.{DIGEST}"
"""The version of the rules: when it changes, tables are checked again. The number counts changes of the code."""

NO_FIELDS: Mapping[str, Field] = {}


def why_secret(model: str, text_fields: Collection[str] = ()) -> str | None:
    """Return why a model is considered a store of credentials, None if it is not.

    :param text_fields: its stored text fields; a model with `key` and `value` keeps settings, and so credentials.
    """
    if model in _SECRET_MODELS:
        return "it holds credentials"
    word, hit = _SECRET_WORD.search(model), credential_in(model)
    if word is not None:
        return f"its name says that it holds credentials ('{word.group(2)}')"
    if hit is not None and hit.words not in WEAK and hit.words not in PHRASES_ALONE:
        return f"its name says that it holds credentials ('{hit.words}')"
    if {_CUSTOM_PREFIX.sub("", name) for name in text_fields} >= _KEY_AND_VALUE:
        return "it keeps settings by key, and credentials may be among them"
    return None


def is_secret_property(definition: Mapping[str, Json]) -> bool:
    """Say whether a property holds a credential, by the same rules as for a field.

    :param definition: with its name, label (`string`) and type; only the name, if the values come without definitions.
    """
    name, label, kind = (str(definition.get(key) or "")[:_LONGEST_SAID] for key in ("name", "string", "type"))
    return _is_secret_property(name, label, kind)


@lru_cache(maxsize=10_000)
def _is_secret_property(name: str, label: str, kind: str) -> bool:
    return is_secret("", Field(name, kind, label=label)) is not None


@dataclass(frozen=True)
class _Rule:
    """By which rule a field holds a credential.

    :param text: where its words are: `name` or `label`; empty if Odoo is known to keep a credential there.
    :param does: for a field that may hold any value, whatever its name: what it does.
    """

    text: str = ""
    words: str = ""
    does: str = ""

    def of(self, field: str = "") -> str:
        """Return the reason, for the field itself or for the one that it comes from."""
        if self.does:
            return f"{field}, which {self.does}" if field else f"it {self.does}"
        if not self.text:
            return f"{field}, in which Odoo keeps a credential" if field else "Odoo keeps a credential in it"
        reason = f"{self.text} says that it holds a credential ('{self.words}')"
        return f"{field}, whose {reason}" if field else f"its {reason}"


def is_secret(model: str, field: Field, others: Mapping[str, Field] = NO_FIELDS) -> str | None:
    """Return why a field is considered a credential, None if it is not.

    :param others: the model's fields by name, some of which it may be a copy of.
    """
    if field.type in _HOLD_NONE:
        return None
    rule = _rule(model, field, others)
    return rule.of() if rule is not None else next(_by_origin(model, field, others), None)


def _rule(model: str, field: Field, others: Mapping[str, Field]) -> _Rule | None:
    """Return the rule that applies to a field's own name or label."""
    name = f"{model}.{field.name}"
    if name in _NO_SECRET_FIELDS:
        return None
    if name in _SECRET_FIELDS:
        return _Rule()
    if name in _PROGRAMS:
        return _Rule(does=_IS_PROGRAM)
    if name in _COPIES_FIELDS or field.name in _COPIES_ANYWHERE or _is_old_or_new(field, others):
        return _Rule(does=_KEEPS_OTHERS)
    for what, text in (("name", field.name), ("label", field.label)):
        hit = credential_in(text)
        if hit is None or (what == "label" and hit.words in ONLY_IN_NAMES):
            continue
        if _can_hold(field, hit) and not (_is_postal(field, hit, others) or _is_food(hit, others)):
            return _Rule(what, hit.words)
    return None


def _is_old_or_new(field: Field, others: Mapping[str, Field]) -> bool:
    """Say whether a text is the old or the new value of a change, as change logs keep them for any field."""
    if field.type == "integer" or not _OLD_OR_NEW.fullmatch(field.name):
        return False
    return any(name != field.name and _OLD_OR_NEW.fullmatch(name) for name in others)


def _can_hold(field: Field, hit: Hit) -> bool:
    return hit.may_be_number if field.type == "integer" else True


def _is_postal(field: Field, hit: Hit, others: Mapping[str, Field]) -> bool:
    """Say whether a PIN code is India's postal code: it says so, or is in an address that has no other one."""
    hit_words, words = {*hit.words.split()}, {*words_of(fold(f"{field.name} {field.label}"))}
    if not {"pin"} <= hit_words <= {"pin", "code"}:
        return False
    if POSTCODES & words or ("code" in words and POSTAL & words):
        return True
    if "code" not in hit_words:
        return False
    beside = {word for name in others if name != field.name for word in name.split("_")}
    return len(PARTS_OF_ADDRESSES & beside) > 1 and not POSTCODES & beside


def _is_food(hit: Hit, others: Mapping[str, Field]) -> bool:
    """Say whether salt is listed among other ingredients of food."""
    return hit.words == "salt" and len(FOOD & {word for name in others for word in name.split("_")}) > 1


def _by_origin(model: str, field: Field, others: Mapping[str, Field]) -> Iterator[str]:
    """Yield the reasons of the fields that it is a copy of, or computed from."""
    for path in (field.related,) if field.related else field.depends:
        *through, last = path.split(".")
        origin = others.get(last, _UNKNOWN) if not through else Field(last, "char")
        rule = None if origin.type in _HOLD_NONE else _rule(_model_at(model, through, last, others), origin, others)
        if rule is not None:
            how = "a copy of" if field.related else "computed from"
            yield f"it is {how} {rule.of(shown(path, longest=_LONGEST_PATH))}"


def _model_at(model: str, through: Sequence[str], last: str, others: Mapping[str, Field]) -> str:
    """Return the model to which a path leads, as far as one can tell without asking Odoo."""
    if not through:
        return model
    link = others.get(through[0])
    if link is not None and len(through) == 1:
        return link.relation or ""
    end = "." + re.sub(r"_ids?$", "", through[-1])  # `employee_id` points to a model whose name ends so
    return next((known for known, name in _KNOWN if name == last and known.endswith(end)), "")


_UNKNOWN = Field("", "boolean")
_KNOWN = sorted((name.rpartition(".")[0], name.rpartition(".")[2]) for name in _SECRET_FIELDS | _NO_SECRET_FIELDS)
