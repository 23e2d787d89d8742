"""What a field's name or label says: credentials of every spelling and language stay out, business data comes in.

The names are invented, of the kinds that custom modules and Studio have; those of Odoo itself stand in
`docs/credential-fields.md`, which `test_credential_fields.py` holds to the rule.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from odoo_shadow.mirror.shape.secrets import is_secret, why_secret
from odoo_shadow.source.fields import Field

KNOWN = tomllib.loads((Path(__file__).parent / "credential_names.toml").read_text(encoding="utf-8"))
CREDENTIALS: list[str] = KNOWN["credentials"].split()
BUSINESS: list[str] = KNOWN["business"].split()
UNTOLD = "x_studio_char_field_7h2Ab"


@pytest.mark.parametrize("name", CREDENTIALS)
def test_a_name_that_says_credential(name: str) -> None:
    found = is_secret("x.model", Field(name, "char"))
    assert found is not None and found.startswith("its name says that it holds a credential ('")


@pytest.mark.parametrize("name", BUSINESS)
def test_a_name_that_only_sounds_so(name: str) -> None:
    assert is_secret("x.model", Field(name, "char")) is None


@pytest.mark.parametrize("label", KNOWN["labels_of_credentials"])
def test_a_label_that_says_credential(label: str) -> None:
    found = is_secret("x.model", Field(UNTOLD, "char", label=label))
    if label == "रหัสผ่าน":
        return  # Devanagari and Thai in one word: nobody's
    assert found is not None and found.startswith("its label says that it holds a credential ('")


@pytest.mark.parametrize("label", KNOWN["labels_of_business"])
def test_a_label_that_only_sounds_so(label: str) -> None:
    assert is_secret("x.model", Field(UNTOLD, "char", label=label)) is None


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("Clé secrète", "cle secrete"),
        ("パスワード (旧)", "パスワード"),
        ("Mot de passe", "mot passe"),
        ("API-Schlüssel", "api schlussel"),
    ],
)
def test_the_words_are_told(label: str, words: str) -> None:
    assert is_secret("x.model", Field(UNTOLD, "char", label=label)) == (
        f"its label says that it holds a credential ('{words}')"
    )


@pytest.mark.parametrize("kind", ["char", "text", "html", "json", "serialized", "properties", "somebodys_own"])
def test_every_type_that_holds_text_may_hold_a_credential(kind: str) -> None:
    assert is_secret("x.model", Field("x_ftp_pass1", kind))


@pytest.mark.parametrize(
    "kind",
    [
        *("boolean", "date", "datetime", "float", "monetary", "selection", "reference", "many2one", "many2many"),
        *("one2many", "many2one_reference", "binary", "image"),
    ],
)
def test_other_types_hold_none(kind: str) -> None:
    assert is_secret("x.model", Field("x_ftp_password1", kind, label="Password")) is None


@pytest.mark.parametrize(
    "name", ["x_pin", "x_pin2", "x_pin_code", "pin_number", "x_otp", "x_cvv", "x_password", "x_code_secret"]
)
def test_a_whole_number_may_be_a_credential(name: str) -> None:
    assert is_secret("x.model", Field(name, "integer"))


@pytest.mark.parametrize(
    "name",
    [
        *("token_count", "x_tokens", "password_length", "password_lower", "totp_last_counter", "sips_key_version"),
        *("x_api_key_count", "x_secret_level", "pin_count", "x_salt", "minlength"),
    ],
)
def test_a_whole_number_that_counts_or_measures(name: str) -> None:
    assert (
        is_secret("x.model", Field(name, "integer", label="Minimum Password Length" if name == "minlength" else ""))
        is None
    )


def fields(**types: str) -> dict[str, Field]:
    return {name: Field(name, kind) for name, kind in types.items()}


def test_a_pin_code_is_a_postal_code_where_the_address_has_no_other() -> None:
    pin = Field("x_pin_code", "char", label="PIN Code")
    indian = fields(x_street="char", x_city="char", x_state_id="many2one", x_pin_code="char")
    assert is_secret("x_patient", pin, indian) is None
    assert is_secret("res.partner", pin, {**indian, **fields(zip="char")})  # there, the postal code is `zip`
    assert is_secret("x_lock", pin, fields(name="char", x_city="char"))
    assert is_secret("x_lock", pin)
    for name, label in (("x_pincode", "Postal PIN"), ("delivery_pincode", ""), ("pin_code", "Pin Code of the area")):
        assert is_secret("x_lock", Field(name, "char", label=label)) is None
    assert is_secret("x_patient", Field("x_pin", "char", label="PIN"), indian)


def test_salt_is_eaten_where_the_fields_beside_it_are_parts_of_food() -> None:
    salt = Field("x_salt", "char", label="Salt")
    assert is_secret("x.model", salt, fields(x_login="char", x_sugar_free="boolean"))
    assert is_secret("x_food", salt, fields(x_sugars="float", x_fat="float", x_salt="char")) is None


@pytest.mark.parametrize("name", ["session_id", "x_jetons", "x_login_data", "x_nonce", "x_account_key"])
def test_a_whole_number_is_no_such_text(name: str) -> None:
    assert is_secret("x.model", Field(name, "char"))
    assert is_secret("x.model", Field(name, "integer")) is None


def test_a_session_of_the_point_of_sale_is_none_of_a_browser() -> None:
    assert is_secret("pos.session", Field("name", "char", label="Session ID")) is None
    assert is_secret("pos.order", Field("session_id", "many2one", relation="pos.session", label="Session")) is None
    assert is_secret("x.model", Field("session_id", "char"))


def test_indias_tax_number_is_no_tan_of_a_bank() -> None:
    assert is_secret("res.partner", Field("l10n_in_tan", "char", label="TAN")) is None
    link = {"partner_id": Field("partner_id", "many2one", relation="res.partner")}
    copy = Field("l10n_in_tan", "char", label="TAN", related="partner_id.l10n_in_tan")
    assert is_secret("res.company", copy, link) is None


@pytest.mark.parametrize("related", ["partner_id.x_edi_password", "x_backend_id.x_api_token_3", "x_ftp_pass1"])
def test_a_copy_is_known_by_what_it_is_a_copy_of(related: str) -> None:
    others = fields(x_ftp_pass1="char")
    found = is_secret("x.model", Field("x_remark", "char", related=related), others)
    assert found is not None and found.startswith(
        f"it is a copy of {related}, whose name says that it holds a credential"
    )


def test_a_copy_of_what_odoo_keeps_a_credential_in() -> None:
    others = {"employee_id": Field("employee_id", "many2one", relation="hr.employee")}
    copy = Field("x_code", "char", related="employee_id.barcode")
    assert (
        is_secret("res.users", copy, others) == "it is a copy of employee_id.barcode, in which Odoo keeps a credential"
    )
    assert is_secret("x.model", Field("x_code", "char", related="user_id.employee_id.barcode"))
    assert is_secret("x.model", Field("x_code", "char", related="product_id.barcode")) is None
    other = {"employee_id": Field("employee_id", "many2one", relation="x.machine")}
    assert is_secret("x.model", copy, other) is None


def test_what_is_computed_from_a_credential_is_one() -> None:
    others = {**fields(access_token="char", name="char", has_password="boolean", x_mark="char")}
    others["x_mark"] = Field("x_mark", "char", label="Passwort")
    url = Field("videocall_location", "char", depends=("name", "access_token"))
    said = "it is computed from access_token, whose name says that it holds a credential ('token')"
    assert is_secret("calendar.event", url, others) == said
    assert is_secret("x.model", Field("x_note", "text", depends=("x_mark",)), others)
    assert is_secret("x.model", Field("x_note", "text", depends=("partner_id.signup_token",)), others)
    assert (
        is_secret("x.model", Field("x_note", "text", depends=("name", "has_password", "partner_id.name")), others)
        is None
    )
    assert is_secret("x.model", Field("x_is_set", "boolean", depends=("access_token",)), others) is None


def test_what_a_copy_is_called_is_told_without_what_a_terminal_obeys() -> None:
    found = is_secret("x.model", Field("x_note", "char", related="a\x1b[31m" + "b" * 500 + ".password"))
    assert found is None or ("\x1b" not in found and len(found) < 300)


@pytest.mark.parametrize("name", ["discuss.channel.uuid", "hr.employee.barcode", "restaurant.table.identifier"])
def test_what_odoo_keeps_credentials_in_under_other_names(name: str) -> None:
    model, _, field = name.rpartition(".")
    assert is_secret(model, Field(field, "char")) == "Odoo keeps a credential in it"
    assert is_secret("x.model", Field(field, "char")) is None


KEEPS = "it keeps values of other fields, including those that are left out"


@pytest.mark.parametrize(
    "name",
    [
        *("ir.property.value_text", "ir.default.json_value", "mail.tracking.value.old_value_char", "bus.bus.message"),
        *("mail.tracking.value.new_value_text", "queue.job.kwargs", "queue.job.args", "ir.logging.message"),
        *("ir.profile.sql", "project.task.html_field_history", "rest.log.params"),
    ],
)
def test_copies_of_values_of_other_fields(name: str) -> None:
    model, _, field = name.rpartition(".")
    for kind in ("char", "json", "job_serialized"):
        assert is_secret(model, Field(field, kind)) == KEEPS


def test_numbers_and_links_of_such_models_come_in() -> None:
    for name, kind in (("old_value_integer", "integer"), ("new_value_float", "float"), ("field_id", "many2one")):
        assert is_secret("mail.tracking.value", Field(name, kind)) is None
    assert is_secret("ir.property", Field("value_reference", "char")) is None
    assert is_secret("queue.job", Field("state", "selection")) is None


def test_both_sides_of_a_change_are_copies_and_one_alone_is_none() -> None:
    sides = fields(x_old_value="char", x_new_value="char", old_value_text="text", value_before="text", name="char")
    for name in ("x_old_value", "x_new_value", "old_value_text", "value_before"):
        assert is_secret("x_audit.line", sides[name], sides) == KEEPS
    assert is_secret("x_asset", Field("old_value", "char"), fields(old_value="char", name="char")) is None
    for kind in ("float", "integer"):
        assert is_secret("gamification.karma.tracking", Field("old_value", kind), sides) is None


def test_programs_are_left_out_and_so_is_what_shows_them() -> None:
    said = "is a program, which may contain credentials"
    assert is_secret("ir.actions.server", Field("code", "text")) == f"it {said}"
    action = {"ir_actions_server_id": Field("ir_actions_server_id", "many2one", relation="ir.actions.server")}
    shown = Field("source", "text", related="ir_actions_server_id.code")
    assert is_secret("x.schedule", shown, action) == f"it is a copy of ir_actions_server_id.code, which {said}"
    assert is_secret("account.account", Field("code", "char")) is None


@pytest.mark.parametrize(
    "model",
    [
        *("x_passwords", "x_password2", "x_wifi_passwort", "x_zugangsdaten", "x_api_keys2", "auth.api.key"),
        *("x_secret2", "x_studio_tokens", "x_kennwort", "x_clave_acceso", "ir.config_parameter", "res.users.apikeys"),
    ],
)
def test_models_that_hold_credentials(model: str) -> None:
    assert why_secret(model)


@pytest.mark.parametrize(
    "model", ["x_passenger", "x_key_account", "x_secretary", "x_boarding_pass", "cte.40.pass", "x_pin"]
)
def test_models_that_hold_none(model: str) -> None:
    assert why_secret(model) is None


@pytest.mark.parametrize(
    "names", [("key", "value"), ("x_key", "x_value"), ("x_studio_key", "x_studio_value", "x_name")]
)
def test_a_model_that_keeps_settings_by_key(names: tuple[str, ...]) -> None:
    assert why_secret("x_parameter", names) == "it keeps settings by key, and credentials may be among them"
    assert why_secret("x_parameter", names[1:]) is None
