"""`odoo-shadow marts setup`: dbt's environment is made once, from a lock with hashes, whole or not at all."""

from __future__ import annotations

import hashlib
import re
import subprocess
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from odoo_shadow.marts import environment
from odoo_shadow.marts.environment import find_dbt, set_up
from odoo_shadow.marts.errors import MartsError

VERSION = "1.11.99"


def wheel(folder: Path, name: str, files: dict[str, str]) -> str:
    """Write a wheel; returns its line in a lock."""
    stem = f"{name.replace('-', '_')}-{VERSION}"
    about = f"{stem}.dist-info"
    files = {
        **files,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {VERSION}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inner, text in files.items():
            archive.writestr(inner, text)
        archive.writestr(f"{about}/RECORD", "".join(f"{inner},,\n" for inner in [*files, f"{about}/RECORD"]))
    return f"{name}=={VERSION} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of caches, a lock of small packages that are called as dbt's are, and no package index but these."""
    packages = tmp_path / "packages"
    packages.mkdir()
    cli = {"dbt/cli/main.py": "def cli():\n    print('a small dbt')\n"}
    lock = wheel(packages, "dbt-core", cli) + wheel(packages, "dbt-postgres", {"dbt/adapter.py": ""})
    monkeypatch.setattr(environment, "_lock", lambda: lock)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(packages))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    return tmp_path / "cache" / "odoo-shadow"


@pytest.mark.nightly
def test_two_at_once_over_a_half_made_one_and_then_offline(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    half_made = environment._home()
    (half_made / "bin").mkdir(parents=True)
    (half_made / "bin" / "python").symlink_to("/bin/false")
    with pytest.raises(MartsError, match=r"is not there: run odoo-shadow marts setup once"):
        find_dbt()
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _: set_up(), range(2)))
    assert {dbt.version for dbt, _ in made} == {VERSION} and any(is_new for _, is_new in made)
    assert [path.name for path in cache.iterdir()] == [half_made.name]  # nothing is left beside it
    elsewhere = {"PATH": "/usr/bin:/bin"}
    program = subprocess.run([made[0][0].program], capture_output=True, text=True, check=True, env=elsewhere)
    assert program.stdout == "a small dbt\n"  # although it was made in another place
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    assert set_up() == (find_dbt(), False)


@pytest.mark.nightly
def test_a_package_that_is_not_the_locks_is_not_installed(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = environment._lock()
    monkeypatch.setattr(environment, "_lock", lambda: lock[:-3] + "ab\n")
    with pytest.raises(MartsError, match=r"could not install dbt: THESE PACKAGES DO NOT MATCH THE HASHES"):
        set_up()
    monkeypatch.setattr(environment, "_lock", lambda: re.sub(r" --hash=\S+", "", lock))
    with pytest.raises(MartsError, match=r"could not install dbt: .*--require-hashes"):
        set_up()
    assert list(cache.iterdir()) == []
    with pytest.raises(MartsError):
        find_dbt()


def test_a_folder_of_caches_that_cannot_be_written_is_named(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.parent.mkdir()
    cache.write_text("in the way")
    with pytest.raises(MartsError, match=r"cannot be made: .* XDG_CACHE_HOME names another folder of caches"):
        set_up()
