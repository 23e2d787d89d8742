"""What the packages are built from, copied: a build writes into its source, which other tests read meanwhile."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "docker" / "Dockerfile"

_IN_IMAGE = "/home/airflow/odoo-shadow"
_LEFT_BY_BUILDS = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "dist")


def copy_sources(folder: Path) -> list[str]:
    """Copy what the Dockerfile copies, as it does; return what that is, relative to the repository's root."""
    copied = []
    for line in re.findall(r"^COPY (?:--\S+ )*(.+)$", DOCKERFILE.read_text(encoding="utf-8"), re.M):
        *sources, target = line.split()
        to = folder / Path(target).relative_to(_IN_IMAGE)
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, to, ignore=_LEFT_BY_BUILDS)
            else:
                shutil.copy(ROOT / source, to)
        copied += sources
    return copied
