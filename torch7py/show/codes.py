"""What the codes of problems mean: the pages of ``docs/codes``, which a wheel has beside this file."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from pathlib import Path

__all__ = ["page_of"]

_HERE = resources.files(__package__) / "codes"
_SOURCES = Path(__file__).parents[2] / "docs" / "codes"


@cache
def page_of(code: str) -> tuple[str, list[str]] | None:
    """The title of a code's page and its paragraphs, in Markdown; None for one without a page."""
    if not re.fullmatch(r"T7-\d+", code):
        return None
    for folder in (_HERE, _SOURCES):
        page = folder / f"{code}.md"
        if page.is_file():
            title, *paragraphs = page.read_text(encoding="utf-8").strip().split("\n\n")
            return title.removeprefix(f"# {code}: "), [" ".join(text.split()) for text in paragraphs]
    return None
