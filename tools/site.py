"""A hook of mkdocs (see mkdocs.yml): the pages of the repository's root in the site, and links out of docs/.

README.md is the site's first page. Links to files that are no pages of the site lead to the repository; those that name
a page by its file, as one reads them in the repository, have its title.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

__all__ = ["on_files", "on_page_content", "on_page_markdown"]

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
# Files of the root, and their places among those of docs/.
ROOT_PAGES = {"README.md": "index.md"} | {
    name: name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
}
PLACES = {ROOT / name: DOCS / place for name, place in ROOT_PAGES.items()}
SOURCES = {place: name for name, place in ROOT_PAGES.items()}
LINK = re.compile(r"(?<=\]\()(?![a-z]+:)([^)#\s]+)")
NAMED = re.compile(
    r"\[(?:docs/)?([\w/]+\.md)\](?=\((?:docs/)?\1[)#])"
)  # a link whose text is the file's name


def on_files(files: Any, config: Any) -> Any:
    for name, place in ROOT_PAGES.items():
        files.append(File.generated(config, place, content=ROOT.joinpath(name).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    place = page.file.src_uri
    source = ROOT / SOURCES[place] if place in SOURCES else DOCS / place

    def target(link: re.Match[str]) -> str:
        path = Path(os.path.normpath(source.parent / link[0]))
        if path in PLACES or (DOCS in path.parents and not path.is_dir()):
            return os.path.relpath(PLACES.get(path, path), DOCS.joinpath(place).parent)
        if not path.exists():
            return link[0]  # which mkdocs reports
        kind = "tree" if path.is_dir() else "blob"
        return f"{config.extra['repository']}/{kind}/main/{path.relative_to(ROOT).as_posix()}"

    titles = _titles(config.nav)
    markdown = NAMED.sub(lambda link: f"[{titles.get(link[1], link[1])}]", markdown)
    return LINK.sub(target, markdown)


def _titles(entry: Any) -> dict[str, str]:
    """What the site's map calls each page."""
    if isinstance(entry, list):
        return {place: title for item in entry for place, title in _titles(item).items()}
    ((title, inside),) = entry.items()
    return {inside: title} if isinstance(inside, str) else _titles(inside)


def on_page_content(html: str, **_: Any) -> str:
    """Docstrings announce an example by ``::``, which Markdown would show."""
    return re.sub(r"<p>::</p>|(?<=[.:]) ?::(?=</p>)", "", html)
