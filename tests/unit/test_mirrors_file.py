"""The YAML file as the engine reads it: nothing in it is lost, changed or passed over without a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from odoo_shadow.mirror.config.mirrors_file import MirrorConfig, read_mirror
from odoo_shadow.mirror.errors import MirrorConfigurationError


def read(folder: Path, text: str, name: str | None = "a") -> MirrorConfig:
    path = folder / "mirrors.yaml"
    path.write_text(text, encoding="utf-8")
    return read_mirror(path, name)


def refused(folder: Path, text: str) -> str:
    """Return what is said of a file, without the folder that it is in."""
    with pytest.raises(MirrorConfigurationError) as caught:
        read(folder, text)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{folder}/", "")


TWICE = [
    (
        """
mirrors:
  a:
    model_settings:
      res.partner:
        exclude_fields: [phone, mobile]
        domain: [[active, "=", true]]
        exclude_fields: [email]
""",
        "mirrors.yaml, lines 6 and 8: 'exclude_fields' is given twice in mirrors.a.model_settings.res.partner, ",
    ),
    (
        """
mirrors:
  a:
    model_settings:
      res.partner: {exclude_fields: [phone]}
      "res.partner": {}
""",
        "mirrors.yaml, lines 5 and 6: 'res.partner' is given twice in mirrors.a.model_settings, ",
    ),
    (
        """
mirrors:
  a:
    models: [res.partner]

    models: all
""",
        "mirrors.yaml, lines 4 and 6: 'models' is given twice in mirrors.a, ",
    ),
    ("mirrors:\n  a: {}\n  b: {}\n  a: {}\n", "mirrors.yaml, lines 2 and 4: 'a' is given twice in mirrors, "),
    ("mirrors: {a: {}}\nmirrors: {b: {}}\n", "mirrors.yaml, lines 1 and 2: 'mirrors' is given twice, "),
    ("mirrors: {a: {models: all, models: all}}", "mirrors.yaml, line 1: 'models' is given twice in mirrors.a, "),
    (
        "mirrors: {a: {model_settings: {\"*\": {exclude_fields: [phone]}, '*': {}}}}",
        "mirrors.yaml, line 1: '*' is given twice in mirrors.a.model_settings, ",
    ),
    (
        "mirrors:\n  a: &a {batch_size: 5}\n  b:\n    <<: *a\n    schema: b\n    <<: {batch_size: 7}\n",
        "mirrors.yaml, lines 4 and 6: '<<' is given twice in mirrors.b, ",
    ),
    (
        "mirrors:\n  z: &z {batch_size: 5,\n    batch_size: 6}\n  a: {<<: *z}\n",
        "mirrors.yaml, lines 2 and 3: 'batch_size' is given twice in mirrors.z, ",
    ),
    (
        "mirrors:\n  a:\n    <<: {batch_size: 5,\n      batch_size: 6}\n",
        "mirrors.yaml, lines 3 and 4: 'batch_size' is given twice in mirrors.a, ",
    ),
    ("mirrors:\n  a: {}\n---\nmirrors:\n  b: {}\n", "mirrors.yaml, line 4: a second document begins here, "),
]


@pytest.mark.parametrize(("text", "said"), TWICE)
def test_a_key_that_stands_twice_is_refused_with_both_lines(tmp_path: Path, text: str, said: str) -> None:
    assert refused(tmp_path, text).startswith(said)


@pytest.mark.parametrize("key", ["yes", "on", "true", "1", "1.0", "null", "~", "2024-01-01"])
def test_a_key_that_yaml_does_not_read_as_text_is_refused(tmp_path: Path, key: str) -> None:
    """`yes` and `true` would be one mirror, as would `1` and `'1'`."""
    assert f"mirrors.yaml, line 3: {'write the date' if '-' in key else f'YAML reads the key {key} as '}" in refused(
        tmp_path, f"mirrors:\n  a: {{}}\n  {key}: {{}}\n"
    )


def test_a_key_that_is_a_list_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "mirrors:\n  a: {}\n  ? [b]\n  : {}\n") == "mirrors.yaml, line 3: a key must be text."


UNKNOWN = [
    (
        "mirrors:\n  a:\n    modles: all\n",
        "mirrors.yaml, line 3: mirror 'a': there is no setting 'modles' (did you mean models?).",
    ),
    ("mirrors:\n  a:\n    Models: all\n", "line 3: mirror 'a': there is no setting 'Models' (did you mean models?)."),
    ("mirrors:\n  a:\n    batch-size: 5\n", "there is no setting 'batch-size' (did you mean batch_size?)."),
    ("mirrors:\n  a:\n    schema_name: b\n", "there is no setting 'schema_name' (did you mean schema?)."),
    ("mirrors:\n  a:\n    odoo_con_id: b\n", "there is no setting 'odoo_con_id' (did you mean odoo_conn_id?)."),
    ("mirrors:\n  a:\n    exclude_fields: [b]\n", "there is no setting 'exclude_fields'; there are "),
    (
        "mirrors:\n  a:\n    model_settings:\n      res.partner:\n        exclude_field: [phone]\n",
        "line 5: mirror 'a', model_settings of res.partner: there is no setting 'exclude_field' "
        "(did you mean exclude_fields?).",
    ),
    (
        "mirrors: {a: {model_settings: {res.partner: {named_fields: []}}}}",
        "model_settings of res.partner: there is no setting 'named_fields' (did you mean hashed_fields?).",
    ),
    ("mirors: {a: {}}", "line 1: there must be one entry, mirrors, and not 'mirors' (did you mean mirrors?)."),
    (
        "mirrors: {a: {}}\nx-common: {}",
        "line 2: there must be one entry, mirrors, and not 'x-common'; there are mirrors.",
    ),
]


@pytest.mark.parametrize(("text", "said"), UNKNOWN)
def test_a_setting_that_there_is_not_is_refused_with_its_line_and_the_nearest_name(
    tmp_path: Path, text: str, said: str
) -> None:
    assert said in refused(tmp_path, text)


def test_the_value_of_an_unknown_setting_is_not_told(tmp_path: Path) -> None:
    """It may be a password, in a file that has no place for one."""
    assert "hunter2" not in refused(tmp_path, "mirrors: {a: {password: hunter2}}")


@pytest.mark.parametrize(
    "setting",
    [
        *(
            "batch_size: hunter2",
            "models: hunter2",
            "models: {hunter2: a}",
            "on_delete: hunter2",
            "look_back_minutes: hunter2",
        ),
        *("trusted_roles: hunter2", "model_settings: hunter2", "model_settings: {m: [hunter2]}"),
        *(
            "model_settings: {m: {domain: hunter2}}",
            "model_settings: {m: {domain: [[hunter2]]}}",
            "batch_size: [hunter2]",
        ),
        *("model_settings: {m: {exclude_fields: hunter2}}", "model_settings: {m: {all_languages: hunter2}}"),
    ],
)
def test_a_wrong_value_is_not_told(tmp_path: Path, setting: str) -> None:
    """A line that was meant for another setting, or another file, may hold a password."""
    assert "hunter2" not in refused(tmp_path, f"mirrors:\n  a:\n    {setting}\n")


WRONG = [
    ("batch_size: abc", "batch_size is text: it must be a whole number."),
    ("batch_size: true", "batch_size is True: it must be a number."),
    ("batch_size: 2000.5", "batch_size is 2000.5: it must be a whole number."),
    ("batch_size: [5]", "batch_size is a list: it must be a whole number."),
    ("look_back_minutes: soon", "look_back_minutes is text: it must be a number."),
    ("look_back_minutes: yes", "look_back_minutes is True: it must be a number."),
    ("keep_log_days: 0", "keep_log_days is 0: it must be greater than or equal to 1."),
    ("keep_log_days: 3651", "keep_log_days is 3651: it must be less than or equal to 3650."),
    ("keep_log_days: 1.5", "keep_log_days is 1.5: it must be a whole number."),
    ("models: res.partner", "models: it must be priority, business, all, or a list, such as [res.partner]."),
    ("models: {res.partner: {}}", "models is a mapping: it must be priority, business, all, or a list"),
    ("models: [no]", "models is a list: its entry 1 is False, not text: write it in quotes."),
    ("models:", "models is None: it must be priority, business, all, or a list"),
    ("on_delete: Delete", "on_delete: it must be 'delete', 'mark' or 'ignore'."),
    ("trusted_roles: admin", "trusted_roles is text: it must be a list: put [ ] around it."),
    ("trusted_roles: ['']", "trusted_roles.0: it must not be empty."),
    ("agreed_objects: {a: b}", "agreed_objects is a mapping: it must be a list."),
    ("schema: ''", "schema: A schema must have a name: choose one, such as odoo_shadow."),
    ("schema: pg_x", "Schema 'pg_x' cannot hold a mirror: PostgreSQL reserves this name."),
    ("schema: no", "schema is False: it must be text, and YAML reads yes, no, on and off as true and false"),
    ("model_settings: [res.partner]", "model_settings is a list: it must be a mapping of settings by name."),
    (
        "model_settings: {res.partner: [phone]}",
        "model_settings.res.partner is a list: it must be a mapping of settings by name.",
    ),
    (
        "model_settings: {res.partner: }",
        "model_settings.res.partner is None: it must be a mapping of settings by name.",
    ),
    (
        "model_settings: {res.partner: {exclude_fields: phone}}",
        "model_settings.res.partner.exclude_fields is text: it must be a list: put [ ] around it.",
    ),
    ("model_settings: {m: {exclude_fields: }}", "model_settings.m.exclude_fields is None: it must be a list."),
    (
        "model_settings: {m: {exclude_fields: [on]}}",
        "model_settings.m.exclude_fields.0 is True: it must be text, and",
    ),
    ("model_settings: {m: {all_languages: perhaps}}", "all_languages is text: it must be true or false."),
    ("model_settings: {Res.Partner: {}}", "'Res.Partner' is not a model's name or pattern"),
    ("model_settings: {'res.partner, res.users': {}}", "'res.partner, res.users' is not a model's name or pattern"),
    ("model_settings: {m: {exclude_fields: ['phone,mobile']}}", "'phone,mobile' is not a field's name or pattern"),
]


@pytest.mark.parametrize(("setting", "said"), WRONG)
def test_a_value_that_makes_no_sense_is_refused_with_its_line(tmp_path: Path, setting: str, said: str) -> None:
    found = refused(tmp_path, f"mirrors:\n  a:\n    {setting}\n")
    assert found.startswith("mirrors.yaml, line 3: mirror 'a'") and said in found


def test_all_that_is_wrong_is_told_each_with_its_line(tmp_path: Path) -> None:
    said = refused(
        tmp_path,
        """
mirrors:
  a:
    batch_size: many
    modles: all
    on_delete: Delete
    schedule: every 4 hours
    model_settings:
      res.partner: {exclude_field: [phone]}
      Res.Users: {all_languages: perhaps}
""",
    )
    assert said == (
        "mirrors.yaml, line 5: mirror 'a': there is no setting 'modles' (did you mean models?). "
        "line 9: mirror 'a', model_settings of res.partner: there is no setting 'exclude_field' "
        "(did you mean exclude_fields?). "
        "line 4: mirror 'a', batch_size is text: it must be a whole number. "
        "line 6: mirror 'a', on_delete: it must be 'delete', 'mark' or 'ignore'. "
        "line 10: mirror 'a', model_settings.Res.Users.all_languages is text: it must be true or false. "
        "line 7: mirror 'a', schedule: it must be a cron expression of five fields, such as "
        "'0 */4 * * *' for every four hours, or a preset such as @hourly."
    )


def test_of_very_many_mistakes_the_first_are_told(tmp_path: Path) -> None:
    lines = "".join(f"    wrong{number}: 1\n" for number in range(500))
    said = refused(tmp_path, f"mirrors:\n  a:\n{lines}")
    told = said.count("there is no setting")
    assert told > 1 and said.endswith(f" {500 - told} more mistakes are not shown.") and len(said) <= 1000


@pytest.mark.parametrize(
    "schedule",
    ["0 */4 * * *", "@hourly", "@daily", "0 2 * * MON-FRI", "15,45 8-18/2 1 JAN *", "0 2 L * *", "0 2 * * 5#2"],
)
def test_a_schedule_is_a_cron_expression_or_a_preset(tmp_path: Path, schedule: str) -> None:
    assert read(tmp_path, f"mirrors: {{a: {{schedule: '{schedule}', verify_schedule: null}}}}") == MirrorConfig(
        name="a", schedule=schedule, verify_schedule=None
    )


@pytest.mark.parametrize("schedule", ["every 4 hours", "4h", "hourly", "", "* * * *", "run at 4 in morning", "@evry"])
def test_a_schedule_that_is_none_is_refused_without_airflow_too(tmp_path: Path, schedule: str) -> None:
    said = refused(tmp_path, f"mirrors: {{a: {{verify_schedule: '{schedule}'}}}}")
    assert "mirror 'a', verify_schedule: it must be a cron expression" in said


@pytest.mark.parametrize(
    ("value", "read_as"), [("010", "8"), ("1:30", "90"), ("0x10", "16"), ("0b11", "3"), ("00", "0"), ("1:30.5", "90.5")]
)
def test_a_number_that_yaml_reads_as_another_is_refused(tmp_path: Path, value: str, read_as: str) -> None:
    said = refused(tmp_path, f"mirrors:\n  a:\n    batch_size: {value}\n")
    assert said == f"mirrors.yaml, line 3: YAML reads {value} as {read_as}: write that, or '{value}' in quotes."


def test_a_date_is_written_in_quotes(tmp_path: Path) -> None:
    text = "mirrors:\n  a:\n    model_settings:\n      m:\n        domain: [[d, '>', 2024-01-01]]\n"
    assert refused(tmp_path, text) == "mirrors.yaml, line 5: write the date 2024-01-01 in quotes."
    (term,) = read(tmp_path, text.replace("2024-01-01", "'2024-01-01'")).settings_of("m").domain
    assert term == ["d", ">", "2024-01-01"]


def test_merges_and_anchors_are_read_as_yaml_says(tmp_path: Path) -> None:
    text = """
mirrors:
  base: &base
    batch_size: 5
    models: [res.partner]
    model_settings: &settings
      res.partner: {exclude_fields: [phone]}
  other: &other {batch_size: 7, on_delete: mark}
  a:
    models: all          # its own counts, wherever it stands
    <<: [*base, *other]  # of several the first
    schema: a
"""
    found = read(tmp_path, text)
    assert (found.batch_size, found.models, found.on_delete, found.schema_name) == (5, "all", "mark", "a")
    assert found.settings_of("res.partner").exclude_fields == ("phone",)
    said = "mirrors.yaml, line 3: mirror 'a': there is no setting 'bach_size' (did you mean batch_size?)."
    assert refused(tmp_path, "mirrors:\n  z: &z\n    bach_size: 5\n  a: {<<: *z}\n") == said


def test_an_empty_document_and_comments_around_do_no_harm(tmp_path: Path) -> None:
    assert read(tmp_path, "# mirrors\n---\nmirrors: {a: {batch_size: '5'}}\n---\n").batch_size == 5
    assert read(tmp_path, "\ufeffmirrors: {a: }\n") == MirrorConfig(name="a")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mirrors: {a: &a {b: *a}}", "line 1: an alias refers to a value that contains it."),
        ("mirrors: {a: !!set {b}}", "line 1: there is no type tag:yaml.org,2002:set."),
        (
            "mirrors: {a: !!python/object:os.system {}}",
            "line 1: there is no type tag:yaml.org,2002:python/object:os.system.",
        ),
        ("mirrors:\n  a: [", "line 2: this is not YAML: "),
        ("mirrors: \x00", "this is not YAML: "),
        ("mirrors: {a: {models: [!mail.* ]}}", "Write exclusions in quotes: '!mail.*'."),
        ("mirrors:\n  a:\n    models: [all, !mail.*]\n", "Write exclusions in quotes: '!mail.*'."),
        ("mirrors:\n  a:\n    models:\n      - all\n      - !mail.*\n", "Write exclusions in quotes: '!mail.*'."),
        ("mirrors: " + "[" * 5_000, "nested too deeply"),
    ],
)
def test_what_is_no_plain_yaml_is_refused(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(tmp_path, text)


def test_aliases_that_repeat_without_end_cost_no_memory(tmp_path: Path) -> None:
    lines = ["mirrors:", "  l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"  l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "more than 100000 values" in refused(tmp_path, "\n".join(lines))


def test_settings_for_a_model_that_is_nearly_called_so_are_refused() -> None:
    config = MirrorConfig.model_validate(
        {"model_settings": {"res.partnr": {}, "crm.lead": {}, "sale.*": {}, "x_none.*": {}, "sale.order.line": {}}}
    )
    asked: list[str] = []

    def ask() -> list[str]:
        asked.append("the server")
        return ["crm.lead", "sale.order.line", "res.partner"]

    with pytest.raises(
        MirrorConfigurationError, match=r"there is no model 'res\.partnr' \(did you mean res\.partner\?\)"
    ):
        config.unused_settings(["res.partner", "sale.order"], ask)
    assert config.unused_settings(["res.users", "sale.order"], ask) == ["res.partnr", "x_none.*"]
    asked.clear()
    assert MirrorConfig.model_validate({"model_settings": {"res.*": {}}}).unused_settings(["res.users"], ask) == []
    assert asked == []


@pytest.mark.parametrize(
    "key", ["res.partners", "Res.Partner", "res_partner", "res.partne", "resp.artner", "ress.partner"]
)
def test_slips_of_a_model_are_seen(key: str) -> None:
    with pytest.raises(MirrorConfigurationError, match=r"did you mean res\.partner"):
        MirrorConfig.model_validate({"model_settings": {key: {}}}).unused_settings(["res.partner"], list)


@pytest.mark.parametrize("key", ["res.partner.bank", "res.company", "product.pricelist", "hr.employee", "res.lang"])
def test_other_models_are_no_slips(key: str) -> None:
    config = MirrorConfig.model_validate({"model_settings": {key: {}}})
    assert config.unused_settings(["res.partner", "product.product", "res.users"], list) == [key]


@pytest.mark.parametrize(
    "models",
    [
        "{<<: *a, exclude_fields: [email]}",
        "{<<: [*b, *a]}",
    ],
)
def test_a_list_does_not_take_the_place_of_a_merged_one_without_a_word(tmp_path: Path, models: str) -> None:
    said = refused(
        tmp_path,
        "common:\n- &a {exclude_fields: [phone]}\n- &b {exclude_fields: [email]}\n"
        f"mirrors:\n  x:\n    models:\n      res.partner: {models}\n",
    )
    assert said.startswith("mirrors.yaml, line 7: 'exclude_fields' replaces a list that << merges in")
