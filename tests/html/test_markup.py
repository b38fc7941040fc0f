"""Markup: whatever is put in comes out of a parser again as it was, and as nothing else."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from torch7py.html.markup import Markup, escape, join, tag


class Read(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc", "Cn"])))
def test_text_and_attributes_come_out_as_they_went_in(text: str) -> None:
    read = Read(tag("p", text, title=text))
    assert read.elements == [("p", {"title": text})]
    assert "".join(read.texts) == text


def test_what_no_page_may_hold_is_replaced() -> None:
    assert escape("a\0b\x1b[0m\ud800\x85") == "a␀b␛[0m��"


def test_pieces() -> None:
    assert tag("a", "x < ", [tag("b", 1), None], href="?a=1&b=2", class_="k", hidden=True, id=None) == (
        '<a href="?a=1&amp;b=2" class="k" hidden>x &lt; <b>1</b></a>'
    )
    assert tag("br") == "<br>"
    assert join("<", Markup("<i>"), None, ["&"]) == "&lt;<i>&amp;"
    assert tag("meta", name="viewport", aria_label="l") == '<meta name="viewport" aria-label="l">'
