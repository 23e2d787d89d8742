"""What a person may ask for: models, options; what is kept secret; how often progress is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from odoo_shadow.mirror.clock import DEFAULT_LOOK_BACK
from odoo_shadow.mirror.config.patterns import BUSINESS_MODELS, PRIORITY_MODELS, ModelChoice
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.options import LARGEST_PAGE, MirrorOptions, Run
from odoo_shadow.mirror.shape.secrets import is_secret, why_secret
from odoo_shadow.mirror.sync.progress import Progress, not_more_often_than
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.source.fields import Field
from odoo_shadow.source.odoo_models import odoo_models


def test_the_priority_models_are_these_thirteen() -> None:
    assert list(PRIORITY_MODELS) == [
        *("res.partner", "res.users", "res.company"),
        *("account.move", "account.move.line", "account.account"),
        *("sale.order", "sale.order.line", "purchase.order"),
        *("product.product", "product.template", "project.project", "project.task"),
    ]
    assert ModelChoice.parse("priority").names == PRIORITY_MODELS
    assert ModelChoice.parse("priority").is_plain


def test_business_is_the_priority_models_and_what_they_refer_to() -> None:
    chosen = ModelChoice.parse("business")

    assert chosen.is_plain
    assert chosen.names == BUSINESS_MODELS
    assert chosen.names[: len(PRIORITY_MODELS)] == PRIORITY_MODELS
    assert set(chosen.names) <= set(odoo_models())
    assert {"purchase.order.line", "stock.quant", "crm.lead", "res.currency.rate", "uom.uom"} <= set(chosen.names)
    assert not [model for model in chosen.names if why_secret(model) or model.startswith(("ir.", "mail."))]
    assert "hr.employee" not in ModelChoice.parse("business,!hr.*").names


@pytest.mark.parametrize("name", ["res.partner", "x_awkward", "x_studio.model2", "crm"])
def test_names_that_models_have(name: str) -> None:
    assert ModelChoice.parse(iter([name])).names == (name,)


@pytest.mark.parametrize(
    "name",
    ["", " ", ".", "res.", ".res", "res..partner", "res partner", "res.partner\n", "rés", "a;b", 'a"b', "a-b", "a/b"],
)
def test_names_that_no_model_has(name: str) -> None:
    with pytest.raises(MirrorConfigurationError, match=r"res\.partner"):
        ModelChoice.parse(["res.company", name])


def test_no_models_or_one_twice_make_no_sense() -> None:
    with pytest.raises(MirrorConfigurationError, match="No models"):
        ModelChoice.parse([])
    with pytest.raises(MirrorConfigurationError, match=r"listed twice: res\.company, res\.partner"):
        ModelChoice.parse(["res.partner", "res.company", "res.users", "res.company", "res.partner"])


@pytest.mark.parametrize("batch_size", [1, 2000, LARGEST_PAGE])
def test_pages_of_sensible_size(batch_size: int) -> None:
    assert MirrorOptions(batch_size=batch_size).batch_size == batch_size


@pytest.mark.parametrize("batch_size", [0, -1, LARGEST_PAGE + 1])
def test_pages_of_no_sensible_size(batch_size: int) -> None:
    with pytest.raises(MirrorConfigurationError, match=f"batch_size is {batch_size}"):
        MirrorOptions(batch_size=batch_size)


def test_the_look_back_is_a_quarter_of_an_hour_unless_asked_otherwise() -> None:
    assert MirrorOptions().look_back == DEFAULT_LOOK_BACK == timedelta(minutes=15)
    assert MirrorOptions(look_back=timedelta(0)).look_back == timedelta(0)
    with pytest.raises(MirrorConfigurationError, match="look_back"):
        MirrorOptions(look_back=timedelta(seconds=-1))


def test_two_runs_of_one_process_have_ids_of_their_own() -> None:
    assert Run().id != Run().id


@pytest.mark.parametrize(
    "name",
    [
        *("password", "new_password", "smtp_pass", "sync_passwd", "x_API_KEY", "apikey", "api_key_test"),
        *("access_token", "signup_token", "oauth_access_token", "token", "totp_secret", "secret", "client_secret"),
        *("private_key", "privatekey", "aws_credentials", "credential", "stripe_secret_key"),
        *("google_calendar_rtoken", "adyen_hmac_key", "worldline_webhook_key", "keys", "pin", "ecpay_hashIV"),
        *("google_gmail_authorization_code", "aps_access_code", "ogone_shakey_secret"),
    ],
)
@pytest.mark.parametrize("kind", ["char", "text", "html", "json"])
def test_texts_that_are_credentials_by_name(name: str, kind: str) -> None:
    assert is_secret("x.model", Field(name, kind))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("name", "char"),
        ("passport_number", "char"),
        ("compass", "char"),
        ("tokenized_name", "char"),
        ("secretary", "char"),
        ("key", "char"),
        ("monkey", "char"),
        ("stripe_publishable_key", "char"),
        ("recaptcha_public_key", "char"),
        ("pinned_note", "char"),
        ("shipping_method", "char"),
        ("password_expires_on", "datetime"),
        ("has_password", "boolean"),
        ("payment_token_id", "many2one"),
        ("token_count", "integer"),
    ],
)
def test_fields_that_are_no_credentials(name: str, kind: str) -> None:
    assert not is_secret("x.model", Field(name, kind))


def progress(done: float) -> Progress:
    return Progress("res.partner", ScanKind.FIRST_LOAD, RowCounts(3, 2, 1), done)


def test_progress_is_told_now_and_then() -> None:
    told: list[float] = []
    report = not_more_often_than(3600, lambda item: told.append(item.done))
    for page in range(1, 11):
        report(progress(page / 10))
    assert told == [0.1, 1.0]  # and the end in any case


def test_progress_is_told_each_time_when_no_pause_is_asked() -> None:
    told: list[float] = []
    report = not_more_often_than(0, lambda item: told.append(item.done))
    for page in range(1, 4):
        report(progress(page / 4))
    assert told == [0.25, 0.5, 0.75]


def test_progress_is_one_line() -> None:
    assert str(progress(0.5)) == "res.partner: first load, 50%, 3 inserted, 2 updated, 1 unchanged"


def test_counts_add_up() -> None:
    total = RowCounts(1, 2, 3) + RowCounts(10, 20, 30)
    assert total == RowCounts(11, 22, 33)
    assert total.written == 33


@pytest.mark.parametrize(
    ("terms", "taken", "not_taken"),
    [
        ("all", ["res.partner", "mail.message"], []),
        ("all,!mail.*", ["res.partner"], ["mail.message", "mail.mail"]),
        ("!mail.*", ["res.partner"], ["mail.message"]),
        ("sale.*,res.partner", ["sale.order", "sale.order.line", "res.partner"], ["res.users", "sale_order"]),
        ("priority,crm.lead", ["res.partner", "crm.lead"], ["crm.stage"]),
        ("priority,!res.users", ["res.partner"], ["res.users"]),
        ("account.mov?", ["account.move"], ["account.move.line"]),
        (["all", "!res.partner"], ["res.users"], ["res.partner"]),
    ],
)
def test_choices(terms: str | list[str], taken: list[str], not_taken: list[str]) -> None:
    choice = ModelChoice.parse(terms)
    assert [model for model in (*taken, *not_taken) if choice.matches(model)] == taken


def test_only_patterns_need_the_server() -> None:
    assert not ModelChoice.parse("all").is_plain
    assert not ModelChoice.parse("res.partner,sale.*").is_plain
    assert ModelChoice.parse("res.partner,!res.users").is_plain
