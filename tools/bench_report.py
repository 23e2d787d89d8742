"""What was measured, on what, as Markdown for the docs."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import psutil
import psycopg

Measured = tuple[str, str, str]
"""What, how much, and what was asked for ("" for nothing)."""

ROOT = Path(__file__).parents[1]


BY_HAND = "## Taken by hand"
"""What stands below this heading of the page is not measured here, and stays."""


@dataclass(frozen=True)
class Circumstances:
    """On what, of what and when figures were taken."""

    machine: str
    software: str
    commit: str
    day: date

    @classmethod
    def now(cls, postgres: str, report: Path | None, *, embedded: bool) -> Circumstances:
        """Look at this machine and this checkout.

        :param postgres: the URL of the server that is measured.
        :param report: the file that figures go to; that it changed says nothing about the code.
        """
        return cls(
            _machine(), _software(postgres, embedded=embedded), commit_of(ROOT, report), datetime.now(UTC).date()
        )


def kept_by_hand(report: Path) -> str:
    """Return what a page has beside the measured lines."""
    _, heading, text = (report.read_text(encoding="utf-8") if report.exists() else "").partition(f"\n{BY_HAND}\n")
    return f"{heading}{text}"


def markdown(lines: Iterable[Measured], circumstances: Circumstances, sizes: str) -> str:
    """Write a page."""
    rows = [("what", "measured", "asked for"), ("---", "---", "---"), *lines]
    table = "\n".join("| " + " | ".join(map(_cell, row)) + " |" for row in rows)
    return f"""\
# Benchmarks

Written by `make bench`, which takes these figures anew. They hold as ratios: machines differ, and this one may have
been shared (a load near or above the number of cores says that it was). One process mirrors; where nothing else is said
it mirrors `res.partner` of the stand-in for Odoo 19, over JSON-2, in pages of 2,000 records. The marts are built by dbt
from a small business whose journal entries are repeated.

- Machine: {circumstances.machine}
- Software: {circumstances.software}
- Commit: {circumstances.commit}
- Date: {circumstances.day.isoformat()}
- Sizes: {sizes}

{table}
"""


def commit_of(root: Path, report: Path | None) -> str:
    """Return the commit that a folder's files are, and whether something in it was changed since."""
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return "unknown (no git checkout)"
    apart = [f":(exclude){os.path.relpath(report, root)}"] if report and report.resolve().is_relative_to(root) else []
    commit = _told_by(git, root, "rev-parse", "--short", "HEAD")
    changed = _told_by(git, root, "status", "--porcelain", "--", ".", *apart)
    return f"{commit}, with uncommitted changes" if changed else commit


def _told_by(git: str, root: Path, *arguments: str) -> str:
    command: Sequence[str] = [git, "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - no shell


def _machine() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{_processor()}, {cores} cores, {memory:.0f} GiB of memory, a load of {os.getloadavg()[0]:.1f} before the run"
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    for line in cpuinfo.read_text().splitlines() if cpuinfo.exists() else ():
        name, _, value = line.partition(":")
        if name.strip() == "model name" and value.strip():
            return " ".join(value.split())
    return platform.processor() or platform.machine()


def _software(postgres: str, *, embedded: bool) -> str:
    with psycopg.connect(postgres) as connection:
        (version,) = connection.execute("SELECT current_setting('server_version')").fetchone() or ("?",)
    where = "embedded, its default settings" if embedded else "one that runs already"
    return f"Python {platform.python_version()}, PostgreSQL {version} ({where}), {platform.system()}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
