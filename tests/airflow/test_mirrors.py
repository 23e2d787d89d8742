"""The YAML file: one DAG per mirror, and clear errors for nonsense."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_odoo_shadow.dag_factory.config import load_mirrors, read_mirrors
from airflow_provider_odoo_shadow.dag_factory.sync_dag import build_sync_dag
from odoo_shadow.mirror.config.patterns import PRIORITY_MODELS
from odoo_shadow.mirror.errors import MirrorConfigurationError
from tests.support.airflow_home import DAGS_FOLDER


def mirrors_file(folder: Path, text: str) -> Path:
    path = folder / "mirrors.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_mirror_that_ships() -> None:
    (mirror,) = read_mirrors(DAGS_FOLDER / "odoo_shadow.yaml")
    dag = build_sync_dag(mirror)
    assert dag.dag_id == "odoo_shadow_sync"
    schedule: object = dag.schedule
    assert schedule == "0 */4 * * *"
    assert (dag.catchup, dag.max_active_runs) == (False, 1)
    assert mirror.choice.names == PRIORITY_MODELS
    assert (mirror.odoo_conn_id, mirror.postgres_conn_id) == ("odoo_default", "odoo_shadow_db")
    mirrored = dag.get_task("mirror")
    assert mirrored.retries == 3
    assert mirrored.retry_exponential_backoff == 2


def test_settings_may_be_left_out(tmp_path: Path) -> None:
    (mirror,) = read_mirrors(mirrors_file(tmp_path, "mirrors: {odoo_shadow: }"))
    assert mirror == read_mirrors(DAGS_FOLDER / "odoo_shadow.yaml")[0]


def test_all_models_and_patterns(tmp_path: Path) -> None:
    text = "mirrors: {whole: {models: all}, some: {schema: some, models: ['sale.*', '!mail.*', res.partner]}}"
    whole, some = read_mirrors(mirrors_file(tmp_path, text))
    assert whole.choice.patterns == ("*",)
    assert (some.choice.names, some.choice.patterns, some.choice.excluded) == (
        ("res.partner",),
        ("sale.*",),
        ("mail.*",),
    )


def test_settings_of_several_patterns_are_united(tmp_path: Path) -> None:
    text = """
    mirrors:
      a:
        model_settings:
          "*": {exclude_fields: [message_ids], all_languages: true}
          res.partner: {exclude_fields: [comment], hashed_fields: ["*_iban"], domain: [[active, "=", true]]}
    """
    (mirror,) = read_mirrors(mirrors_file(tmp_path, text))
    partner, other = mirror.settings_of("res.partner"), mirror.settings_of("sale.order")
    assert partner.exclude_fields == ("message_ids", "comment")
    assert (partner.hashed_fields, partner.domain) == (("*_iban",), (["active", "=", True],))
    assert (partner.all_languages, other.all_languages) == (True, True)
    assert (other.exclude_fields, other.hashed_fields, other.domain) == (("message_ids",), (), ())


def test_several_mirrors_become_several_dags(tmp_path: Path) -> None:
    text = "mirrors: {north: {schema: north, models: [res.partner]}, south: {schema: south, schedule: null}}"
    north, south = read_mirrors(mirrors_file(tmp_path, text))
    assert (north.sync_dag_id, north.choice.names) == ("north_sync", ("res.partner",))
    assert build_sync_dag(south).schedule is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "there must be one entry, mirrors"),
        ("mirrors: {}", "there must be one entry, mirrors"),
        ("mirror: {a: {}}", "there must be one entry, mirrors"),
        ("mirrors: [a", "this is not YAML"),
        ("mirrors: {a: 5}", "mirror 'a' must be a mapping of settings"),
        ("mirrors: {'a b': {}}", "mirror 'a b', name: it should match"),
        ("mirrors: {a: {modles: priority}}", "mirror 'a': there is no setting 'modles' (did you mean models?)."),
        ("mirrors: {a: {schdule: '0 4 * * *'}}", "no setting 'schdule' (did you mean schedule?)."),
        ("mirrors: {a: {name: b}}", "no setting 'name'; there are agreed_objects, "),
        ("mirrors: {a: {retries: true}}", "mirror 'a', retries is True: it must be a number."),
        ("mirrors: {a: {schedule: 5}}", "mirror 'a', schedule is 5: it must be text."),
        ("mirrors: {a: {models: some}}", "mirror 'a', models"),
        ("mirrors: {a: {models: []}}", "name at least one"),
        ("mirrors: {a: {models: ['res partner']}}", "'res partner' is not a model's name"),
        ("mirrors: {a: {models: [res.partner, res.partner]}}", "are listed twice"),
        ("mirrors: {a: {schedule: every day}}", "it must be a cron expression"),
        ("mirrors: {a: {schedule: every 4 hours}}", "it must be a cron expression"),
        ("mirrors: {a: {schedule: '99 * * * *'}}", "it must be a cron expression"),
        ("mirrors: {a: {retries: -1}, b: {schedule: 4h}}", "mirror 'b', schedule: it must be a cron expression"),
        ("mirrors: {a: {batch_size: 0}}", "mirror 'a', batch_size is 0"),
        ("mirrors: {a: {batch_size: big}}", "mirror 'a', batch_size is text"),
        ("mirrors: {a: {look_back_minutes: -1}}", "mirror 'a', look_back_minutes is -1"),
        ("mirrors: {a: {models: [all, 'sale..*']}}", "'sale..*' is not a model's name"),
        ("mirrors: {a: {models: ['*', '*']}}", "are listed twice"),
        ("mirrors: {a: {models: [!mail.* ]}}", "this is not YAML"),
        ("mirrors: {a: {model_settings: [res.partner]}}", "mirror 'a', model_settings is a list"),
        (
            "mirrors: {a: {model_settings: {m: {hashed: [x]}}}}",
            "mirror 'a', model_settings of m: there is no setting 'hashed' (did you mean hashed_fields?).",
        ),
        ("mirrors: {a: {model_settings: {m: {hashed_fields: x}}}}", "model_settings.m.hashed_fields is text"),
        (
            "mirrors: {a: {model_settings: {m: {exclude_fields: ['']}}}}",
            "model_settings.m.exclude_fields.0: it must not be empty",
        ),
        ("mirrors: {a: {model_settings: {m: {domain: [[a, b]]}}}}", "its part 1 is not a condition such as"),
        ("mirrors: {a: {model_settings: {m: {domain: active}}}}", "model_settings.m.domain is text"),
        ("mirrors: {a: {model_settings: {m: {all_languages: 5}}}}", "model_settings.m.all_languages is 5"),
        ("mirrors: {a: {embeddings: local}}", "mirror 'a', embeddings: it needs knowledge: true"),
        ("mirrors: {a: {knowledge: true, embeddings: openai}}", "mirror 'a', embeddings"),
        (
            "mirrors: {a: {knowledge: true, embeddings: none, embeddings_conn_id: b}}",
            "mirror 'a', embeddings_conn_id: embeddings says already what makes them",
        ),
        ("mirrors: {a: {knowledge: true, embeddings_conn_id: '{{ x }}'}}", "mirror 'a', embeddings_conn_id"),
        ("mirrors: {a: {}, b: {}}", "mirrors 'a' and 'b' share schema 'odoo_shadow'"),
        (f"mirrors: {{a: {{schema: {'s' * 63}}}, b: {{schema: {'s' * 64}}}}}", "longer than 63 bytes"),
    ],
)
def test_nonsense_is_told_in_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    path = mirrors_file(tmp_path, text)
    with pytest.raises(MirrorConfigurationError) as caught:
        read_mirrors(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MirrorConfigurationError, match="cannot be read"):
        read_mirrors(tmp_path / "absent.yaml")


def test_the_file_can_be_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, airflow_database: None) -> None:
    from airflow.dag_processing.dagbag import DagBag

    path = mirrors_file(tmp_path, "mirrors: {elsewhere: {models: [res.partner]}}")
    monkeypatch.setenv("AIRFLOW__ODOO_SHADOW__MIRRORS_FILE", str(path))
    assert "elsewhere_sync" in DagBag(str(DAGS_FOLDER)).dags


def test_nonsense_is_an_import_error_of_the_dag_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, airflow_database: None
) -> None:
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv("AIRFLOW__ODOO_SHADOW__MIRRORS_FILE", str(mirrors_file(tmp_path, "mirrors: 7")))
    errors = DagBag(str(DAGS_FOLDER)).import_errors
    assert len(errors) == 3  # of the files that sync, verify and build marts
    assert all("there must be one entry, mirrors" in error for error in errors.values())


@pytest.mark.parametrize("name", ["MIRROR_FILE", "MIRRORSFILE", "SCHEMA"])
def test_a_setting_of_airflow_that_nobody_reads_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the mirrors would be those of the default file."""
    monkeypatch.setenv(f"AIRFLOW__ODOO_SHADOW__{name}", "/somewhere/mirrors.yaml")
    with pytest.raises(MirrorConfigurationError, match=rf"\[odoo_shadow\] has no setting '{name.lower()}'"):
        load_mirrors(DAGS_FOLDER / "odoo_shadow.yaml")


def test_the_file_may_be_named_by_a_command_or_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__ODOO_SHADOW__MIRRORS_FILE_CMD", f"echo {DAGS_FOLDER / 'odoo_shadow.yaml'}")
    assert load_mirrors(DAGS_FOLDER / "odoo_shadow.yaml")
