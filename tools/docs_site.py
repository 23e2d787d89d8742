"""What `make docs` does besides MkDocs: pages from the repository's root, and links out of docs/.

Pages are written so that they can be read in the repository, too: a link to a file beside docs/ is a relative one.
The site does not hold those files, so such a link becomes plain text there, after a look whether the file exists.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # MkDocs has an environment of its own
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
FROM_ROOT = {"contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md", "security.md": "SECURITY.md"}
"""Pages of the site, and the files of the repository's root that they show."""

LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<target>[^)#\s]*)(?P<anchor>#[^)\s]*)?\)")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that stand in the repository's root."""
    from mkdocs.structure.files import File

    for page, name in FROM_ROOT.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - MkDocs's signature
    """Turn links into the repository into links on the site, or into text."""
    place = page.file.src_uri
    return LINK.sub(lambda link: site_link(place, link), markdown)


def site_link(place: str, link: re.Match[str]) -> str:
    """Return what a link of a page becomes on the site.

    :param place: the page, below docs/.
    """
    target = link["target"]
    if not target or "://" in target or target.startswith("mailto:"):
        return link[0]
    folder = ROOT if place in FROM_ROOT else (ROOT / "docs" / place).parent
    path = (folder / target).resolve()
    inside = _page_of(path)
    if inside is not None:
        up = "../" * place.count("/")
        return f"[{link['text']}]({up}{inside}{link['anchor'] or ''})"
    return link["text"] if path.exists() else link[0]


def _page_of(path: Path) -> str | None:
    """Return the page of the site that shows a file, None when none does."""
    for page, name in FROM_ROOT.items():
        if path == ROOT / name:
            return page
    docs = ROOT / "docs"
    return path.relative_to(docs).as_posix() if path.is_relative_to(docs) and path.exists() else None
