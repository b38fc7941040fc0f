"""The frame of all pages."""

from __future__ import annotations

import re

from tests.html.pages import checked_page, parsed
from torch7py.html.markup import tag
from torch7py.html.page import fragment, page, style


def test_a_page_stands_alone() -> None:
    root = checked_page(page("a <b> & c", tag("p", "text")))
    assert root.one("title").text == "a <b> & c"
    assert root.one("body").text == "text"


def test_the_style_sheet_touches_nothing_but_the_parts_of_a_page() -> None:
    # A fragment stands in somebody else's page: each rule is about what is inside it.
    text = re.sub(r"/\*.*?\*/", "", style(), flags=re.DOTALL)
    selectors = [
        s.strip() for rule in re.findall(r"([^{}]*)\{", text) for s in rule.rsplit(";", 1)[-1].split(",")
    ]
    steps = ("from", "to")  # of an animation, whose name begins as the classes do
    strange = [s for s in selectors if s and not s.startswith((".t7", "@")) and s not in steps]
    assert [s for s in strange if not re.fullmatch(r"[a-z-]+: .*\)", s)] == []
    assert parsed(fragment(tag("p", "text"))).one("p").text == "text"
