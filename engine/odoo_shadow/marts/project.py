"""Runs dbt on the project that ships beside this module, which is never written to: it may be read-only."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from odoo_shadow.marts.environment import Dbt
from odoo_shadow.marts.errors import MartsError
from odoo_shadow.text.redaction import redact
from odoo_shadow.text.shown import shown

_NOT_FOR_DBT = ("ODOO_", "SUPABASE_", "NOTIFY", "DBT_")
"""How variables begin that dbt does not get: the engine's secrets, and settings of somebody's own project of dbt."""
_FAILED = frozenset({"error", "fail", "runtime error", "skipped"})
_HEADING = re.compile(r"[A-Z]\w+ Error( in .*)?")
_BEGUN_WITH_ERROR = "Encountered an error:"


@dataclass(frozen=True)
class DbtRun:
    """What a run of dbt came to.

    :param failed: what did not go well, a sentence each; empty if all did.
    :param could_not_begin: why it has no results at all; None if it has.
    :param output: all that dbt said.
    """

    failed: tuple[str, ...]
    could_not_begin: str | None
    output: str = field(repr=False)


def project_folder() -> Path:
    """Return the folder of the dbt project."""
    return Path(str(resources.files("odoo_shadow.marts").joinpath("dbt")))


def run_dbt(
    dbt: Dbt,
    words: Sequence[str],
    *,
    connection: Mapping[str, str],
    variables: Mapping[str, object],
    target: Path,
    project: Path | None = None,
) -> DbtRun:
    """Run dbt once.

    :param words: the command and its options.
    :param connection: variables of the environment that lead to the shadow.
    :param variables: the project's variables.
    :param target: a folder for everything that dbt writes.
    :param project: a project other than the one that ships.
    :raises MartsError: dbt cannot be started.
    """
    folder = project or project_folder()
    own = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_FOR_DBT)}
    settings = {
        "DBT_PROJECT_DIR": str(folder),
        "DBT_PROFILES_DIR": str(folder),
        "DBT_TARGET_PATH": str(target),
        "DBT_LOG_PATH": str(target),
        "DBT_LOG_LEVEL_FILE": "none",
        "DBT_USE_COLORS": "false",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_VERSION_CHECK": "true",
    }
    command = [*dbt.command, *words, "--vars", json.dumps(variables)]
    try:
        done = subprocess.run(  # noqa: S603 - the dbt that find_dbt has found
            command,
            env={**own, **settings, **connection},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=target,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise MartsError(f"dbt at {dbt.python} cannot be started: {error.strerror}.") from None
    output = redact(done.stdout)
    results = _results(target)
    if results is None:
        return DbtRun((), None if done.returncode == 0 else _first_error(output), output)
    failed = tuple(_as_sentence(result) for result in results if _has_failed(result))
    if done.returncode != 0 and not failed:
        failed = (_first_error(output),)
    return DbtRun(failed, None, output)


def _results(target: Path) -> list[dict[str, object]] | None:
    try:
        document = json.loads((target / "run_results.json").read_text(encoding="utf-8"))
        return [result for result in document["results"] if isinstance(result, dict)]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _has_failed(result: Mapping[str, object]) -> bool:
    """Say whether a result is bad news; a skipped test only follows from a mart that failed."""
    is_model = str(result.get("unique_id", "")).startswith("model.")
    return result.get("status") in _FAILED and (is_model or result.get("status") != "skipped")


def _as_sentence(result: Mapping[str, object]) -> str:
    """Name what failed, and say why: of an error the line after dbt's heading, of a test how many rows it found."""
    kind, _, name = str(result.get("unique_id", "")).partition(".")
    name = name.removeprefix("odoo_shadow.").split(".")[0]
    if result.get("status") == "skipped":
        return shown(f"{name}: not built, since something that it is made of failed")
    lines = [line.strip() for line in str(result.get("message") or "").splitlines() if line.strip()]
    if result.get("status") == "fail":
        found = str(result.get("failures") or "some")
        return shown(f"test {name} failed: it found {found} {'row' if found == '1' else 'rows'} that must not be there")
    said = lines[1] if len(lines) > 1 and " Error" in lines[0] else (lines or ["it failed without a reason"])[0]
    return shown(f"{'test ' if kind == 'test' else ''}{name}: {said.rstrip('.')}")


def _first_error(output: str) -> str:
    """Return what dbt says after its heading, without the time before each line."""
    lines = [line.split("  ", 1)[-1].strip() for line in output.splitlines()]
    start = next((number for number, line in enumerate(lines) if _BEGUN_WITH_ERROR in line), None)
    said = [line for line in (lines if start is None else lines[start + 1 :]) if line]
    if len(said) > 1 and _HEADING.fullmatch(said[0]):
        said = said[1:]
    return shown((said or ["dbt ended without a word"])[0].rstrip("."))
