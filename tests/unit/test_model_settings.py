"""Settings of single models as a person writes them, how those of several patterns add up, and how they are kept."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from pydantic import JsonValue

from odoo_shadow.mirror.config.model_settings import DEFAULT_SETTINGS, ModelSettings, read_as, settings_of
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.source.port import Access

SECRET = "a key that nobody guesses"
KEY, OTHER_KEY = UUID(int=1), UUID(int=2)


def access(*, lang: str | None = None, hash_secret: str | None = None) -> Access:
    return Access("Odoo connection 'odoo'", "https://odoo.example.com", "odoo", "ada", lang, hash_secret=hash_secret)


def test_lists_of_all_patterns_that_match_are_united() -> None:
    by_pattern = {
        "*": ModelSettings(exclude_fields=("message_*",), hashed_fields=("email",)),
        "res.*": ModelSettings(exclude_fields=("street", "message_*"), extra_fields=("display_name",)),
        "sale.*": ModelSettings(exclude_fields=("note",)),
        "res.partner": ModelSettings(hashed_fields=("phone",), allow_fields=("x_key",)),
    }
    assert settings_of("res.partner", by_pattern) == ModelSettings(
        exclude_fields=("message_*", "street"),
        hashed_fields=("email", "phone"),
        extra_fields=("display_name",),
        allow_fields=("x_key",),
        named_fields=("phone", "x_key"),  # given for this very model, so they must be there
    )
    assert settings_of("crm.lead", by_pattern) == by_pattern["*"]


def test_of_what_is_no_list_the_last_word_counts() -> None:
    active: tuple[JsonValue, ...] = (["active", "=", True],)
    recent: tuple[JsonValue, ...] = (["id", ">", 1000],)
    by_pattern = {
        "*": ModelSettings(domain=active, all_languages=True, all_companies=True),
        "res.*": ModelSettings(exclude_fields=("street",)),
        "res.partner": ModelSettings(domain=recent, all_languages=False),
    }
    assert settings_of("res.users", by_pattern).domain == active  # a pattern that says nothing of it changes nothing
    partner = settings_of("res.partner", by_pattern)
    assert (partner.domain, partner.all_languages, partner.all_companies) == (recent, False, True)


def test_the_order_is_that_of_the_file() -> None:
    first, second = ModelSettings(domain=(["id", ">", 1],)), ModelSettings(domain=(["id", ">", 2],))
    assert settings_of("res.partner", {"res.*": first, "*": second}).domain == second.domain
    assert settings_of("res.partner", {"*": second, "res.*": first}).domain == first.domain


def test_a_model_that_nothing_matches_is_mirrored_as_usual() -> None:
    assert settings_of("res.partner", {}) == settings_of("res.partner", {"Res.*": ModelSettings(all_languages=True)})
    assert settings_of("res.partner", {}) == DEFAULT_SETTINGS


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"exclude": ["street"]}, "exclude"),
        ({"exclude_fields": ["phone,mobile"]}, "exclude_fields"),
        ({"hashed_fields": ["partner_id.phone"]}, "hashed_fields"),
        ({"exclude_fields": ["phone "]}, "exclude_fields"),
        ({"allow_fields": ["!token"]}, "allow_fields"),
        ({"exclude_fields": ["[a-"]}, "exclude_fields"),
        ({"exclude_fields": [True]}, "exclude_fields.0"),
        ({"exclude_fields": {"phone": None}}, "exclude_fields"),
        ({"exclude_fields": None}, "exclude_fields"),
        ({"all_companies": []}, "all_companies"),
        ({"exclude_fields": [""]}, "exclude_fields.0"),
        ({"exclude_fields": "street"}, "exclude_fields"),
        ({"all_languages": "perhaps"}, "all_languages"),
        ({"domain": [["active", "="]]}, "domain"),
        ({"domain": ["|", ["active", "=", True]]}, "domain"),
        ({"domain": ["!"]}, "domain"),
        ({"domain": ["and", ["active", "=", True]]}, "domain"),
        ({"domain": "[('active', '=', True)]"}, "domain"),
    ],
)
def test_what_makes_no_sense_is_told_by_model_and_setting(settings: dict[str, object], said: str) -> None:
    with pytest.raises(MirrorConfigurationError, match=rf"^The settings of res\.partner, {said}: [^\n]+\.$"):
        ModelSettings.parse("res.partner", settings)


def test_settings_are_kept_as_text_and_found_again() -> None:
    settings = ModelSettings.parse(
        "res.partner",
        {
            "domain": ["|", ["a", "=", False], ["b", "in", [1, None, "ü"]]],
            "hashed_fields": ["email"],
            "all_companies": 1,
        },
    )
    assert ModelSettings.from_text(settings.as_text()) == settings
    assert json.loads(settings.as_text()).keys() == {"domain", "hashed_fields", "all_companies", "named_fields"}
    assert ModelSettings.from_text(None) == ModelSettings.from_text(DEFAULT_SETTINGS.as_text()) == DEFAULT_SETTINGS


def test_what_decides_about_values_reads_them_again() -> None:
    usual = read_as(access(), DEFAULT_SETTINGS, None)
    hashed = ModelSettings(hashed_fields=("email",))
    different = {
        usual,
        read_as(access(), ModelSettings(domain=(["active", "=", True],)), None),
        read_as(access(hash_secret=SECRET), hashed, None),
        read_as(access(hash_secret=SECRET), hashed, KEY),
        read_as(access(hash_secret=SECRET), hashed, OTHER_KEY),
        read_as(access(hash_secret=SECRET), ModelSettings(hashed_fields=("email", "phone")), KEY),
        read_as(access(lang="fr_FR"), DEFAULT_SETTINGS, None),
    }
    assert len(different) == 7
    assert not any(SECRET in text for text in different)
    same = ModelSettings(exclude_fields=("street",), extra_fields=("display_name",), allow_fields=("x_key",))
    assert read_as(access(hash_secret=SECRET), same, KEY) == usual


def test_a_setting_that_there_is_not_is_refused_with_the_nearest_name() -> None:
    said = r"The settings of res\.partner, exclude_field: there is no such setting \(did you mean exclude_fields\?\)\."
    with pytest.raises(MirrorConfigurationError, match=said):
        ModelSettings.parse("res.partner", {"exclude_field": ["phone"]})


@pytest.mark.parametrize("settings", ["phone", ["exclude_fields"], 5, None])
def test_settings_that_are_no_mapping_are_refused(settings: object) -> None:
    with pytest.raises(MirrorConfigurationError, match="is not a mapping of settings by name"):
        ModelSettings.parse("res.partner", settings)


def test_settings_that_were_kept_before_such_rules_are_still_read() -> None:
    kept = json.dumps({"exclude_fields": ["phone,mobile"], "named_fields": ["phone,mobile"]})
    assert ModelSettings.from_text(kept).exclude_fields == ("phone,mobile",)
