"""The mirrors file's settings of alerts and of how DAGs appear, as the command line checks them, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from odoo_shadow.mirror.config.mirrors_file import MirrorConfig, read_mirror
from odoo_shadow.mirror.errors import MirrorConfigurationError


def read(folder: Path, settings: str) -> MirrorConfig:
    path = folder / "mirrors.yaml"
    path.write_text(f"mirrors: {{a: {{{settings}}}}}", encoding="utf-8")
    return read_mirror(path, "a")


def test_they_are_read(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        "owner: Plattform-Team, tags: [finance, 'Küche'], pool: odoo, notify_conn_id: chat, notify_each_run: true, "
        "fresh_within_minutes: 300",
    )
    assert (config.owner, config.tags, config.pool) == ("Plattform-Team", ("finance", "Küche"), "odoo")
    assert (config.notify_conn_id, config.notify_each_run, config.fresh_within_minutes) == ("chat", True, 300)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("owner: ''", "owner: it must not be empty"),
        ("owner: ' me'", "owner: it must be printable text without blanks at its ends"),
        ("owner: [me]", "owner is a list: it must be text"),
        ("tags: finance", "tags is text: it must be a list: put [ ] around it"),
        ("tags: ['']", "tags.0: it must not be empty"),
        (f"tags: [{'x' * 101}]", "tags.0: it is too long"),
        (r'tags: ["a\u202eb"]', "tags.0: it must be printable text"),
        ("pool: ''", "pool: it must not be empty"),
        ("notify_conn_id: '{{ x }}'", "notify_conn_id: it should match"),
        ("notify_conn_id: 'https://chat.example.com/hooks/?x'", "notify_conn_id: it should match"),
        ("notify_each_run: true", "notify_each_run is True: it needs notify_conn_id, the connection to post to"),
        ("notify_conn_id: chat, notify_each_run: 5", "notify_each_run is 5"),
        ("fresh_within_minutes: 0", "fresh_within_minutes is 0"),
        ("fresh_within_minutes: true", "fresh_within_minutes is True: it must be a number"),
        ("fresh_within_minutes: 1.5", "fresh_within_minutes is 1.5: it must be a whole number"),
        ("fresh_within_minutes: 100000000", "fresh_within_minutes is 100000000"),
    ],
)
def test_nonsense_is_refused(tmp_path: Path, settings: str, says: str) -> None:
    with pytest.raises(MirrorConfigurationError) as caught:
        read(tmp_path, settings)
    assert f"mirror 'a', {says}" in str(caught.value)
