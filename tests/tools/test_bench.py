"""Every benchmark runs to its end at a tiny size, and says what it is there to say."""

from __future__ import annotations

import subprocess
from datetime import date
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from tools.bench import BENCHMARKS, main
from tools.bench_report import Circumstances, Measured, commit_of, kept_by_hand, markdown

LINES = {
    "engine": [
        "columns a row",
        "drain, rows/s",
        "whole sync, rows/s",
        "whole sync ÷ drain",
        "engine ceiling, rows/s",
    ],
    "database": [
        "Odoo's own database: columns a row",
        "plain COPY of 200 rows, rows/s",
        "first load of these, rows/s",
        "first load ÷ plain COPY, seconds",
        "the same rows by API and thrown away, rows/s",
        "first load ÷ API, rows/s",
        "peak memory of a first load, 20 rows",
        "peak memory of a first load, 200 rows",
    ],
    "models": [
        "schema of 6 models of 53 columns from nothing, seconds",
        "first load of 6 models, seconds",
        "planning 6 models, seconds",
        "calls a model of that",
        "a run in which 5 of 6 models changed, seconds",
        "the same with a run of every model, seconds",
        "planned ÷ every model",
    ],
    "proof": [
        "no-change run of 200 rows, calls",
        "quick verification of 200 rows, rows/s",
        "one deleted row among 200, calls of that run",
        "fields read to fill one new column",
    ],
    "marts": [
        "marts of few rows, seconds, most of them dbt's own",
        "one read of 200 journal items or more, seconds",
        "marts of these, seconds",
        "the same built again, seconds",
        "that ÷ marts of few rows",
    ],
    "untracked": [
        "no-change run of one model, calls: its own + at the run's end",
        "29 columns that change without write_date, seconds per million rows",
        "rolling proof, every cell, seconds per million rows",
        "rows that point to 1,000 removed ones, seconds per million rows",
    ],
    "retrieval": [
        "documents written, documents/s",
        "documents embedded by the local model, documents/s",
        "words and names: nDCG@10 and recall@10 of 230 questions",
        "vectors: nDCG@10 and recall@10 of 230 questions",
        "all of them, as searches do: nDCG@10 and recall@10 of 230 questions",
        "each row's columns in one embedding: nDCG@10 and recall@10 of 230 questions",
        "from a change committed in Odoo to the search that finds it, seconds",
        "a search of 700 documents that everybody sees, ms: p50, p95",
        "the same with row-level security by company, seeing all, ms: p50, p95",
        "the same, seeing 0.5 %, ms: p50, p95",
        "index of words, 700 documents, MB",
        "index of spellings, 700 documents, MB",
        "index of vectors of 512 numbers, 700 documents, MB",
    ],
    "memory": ["peak memory, 2 rows", "peak memory, 200 rows"],
}
BALLAST = 256 * 2**20
TINY = ["--rows", "700", "--large", "200", "--models", "6", "--rounds", "1"]


def cells(page: str) -> list[list[str]]:
    """The rows of a page's table, without its head."""
    return [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")][2:]


def databases(postgres: str) -> set[str]:
    with psycopg.connect(postgres) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


def test_every_benchmark_is_run_here() -> None:
    assert set(LINES) == set(BENCHMARKS)


@pytest.mark.nightly
@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark(name: str, postgres: str, tmp_path: Path) -> None:
    before = databases(postgres)
    held = b"x" * (BALLAST if name == "memory" else 0)
    report = tmp_path / "docs" / "benchmarks.md"
    done = CliRunner().invoke(
        main, [*TINY, "--only", name, "--postgres", postgres, "--output", str(report)], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    measured = {line[0]: line[1] for line in cells(report.read_text())}
    assert list(measured) == LINES[name]
    assert all(measured.values())
    if name == "memory":  # the mirror's own, not what the process held that started it
        assert all(float(value.removesuffix(" MB")) < len(held) / 2**20 for value in measured.values())
    assert all(what in done.output for what in LINES[name])
    assert "700 rows, 200 where a line says so, 6 models, the median of 1" in report.read_text()
    assert databases(postgres) == before


def git(folder: Path, *arguments: str) -> str:
    options = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *options, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_commit(tmp_path: Path) -> None:
    report = tmp_path / "docs" / "benchmarks.md"
    assert commit_of(tmp_path, report) == "unknown (no git checkout)"
    git(tmp_path, "init", "--quiet")
    (tmp_path / "code.py").write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "one")
    short = git(tmp_path, "rev-parse", "--short", "HEAD")
    assert commit_of(tmp_path, report) == short
    report.parent.mkdir()
    report.write_text("what the last run wrote is no change of the code")
    assert commit_of(tmp_path, report) == short
    assert commit_of(tmp_path, None) == f"{short}, with uncommitted changes"
    assert commit_of(tmp_path, Path("/elsewhere/benchmarks.md")) == f"{short}, with uncommitted changes"
    (tmp_path / "code.py").write_text("2")
    assert commit_of(tmp_path, report) == f"{short}, with uncommitted changes"


def test_the_page(postgres: str) -> None:
    circumstances = Circumstances.now(postgres, None, embedded=True)
    assert "GiB of memory" in circumstances.machine and "cores" in circumstances.machine
    assert "a load of " in circumstances.machine
    assert "Python 3." in circumstances.software and "PostgreSQL 18" in circumstances.software
    lines: list[Measured] = [("one | two,\nrows/s", "1,000", "≥ 10"), ("three", "3", "")]
    page = markdown(lines, Circumstances("a machine", "some software", "abc1234", date(2026, 11, 26)), "few rows")
    assert "- Commit: abc1234\n- Date: 2026-11-26\n- Sizes: few rows\n" in page
    assert page.endswith("| one \\| two, rows/s | 1,000 | ≥ 10 |\n| three | 3 |  |\n")


def test_what_was_taken_by_hand_stays(tmp_path: Path) -> None:
    report = tmp_path / "benchmarks.md"
    assert kept_by_hand(report) == ""
    report.write_text("# Benchmarks\n\n| a | 1 |  |\n")
    assert kept_by_hand(report) == ""
    by_hand = "\n## Taken by hand\n\n| b | 2 |  |\n"
    report.write_text("# Benchmarks\n\n| a | 1 |  |\n" + by_hand)
    assert kept_by_hand(report) == by_hand
