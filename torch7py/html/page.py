"""The frame of a page: one file that holds all it needs, asks nothing of the network and runs no scripts."""

from __future__ import annotations

from functools import cache
from importlib import resources

from torch7py.html.markup import Content, Markup, tag

__all__ = ["fragment", "page", "style"]

# What a browser is allowed to do with a page: to style it, and to show pictures that are in it.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@cache
def style() -> str:
    """The style sheet of all pages."""
    return (resources.files("torch7py") / "html" / "style.css").read_text(encoding="utf-8")


def page(title: str, *body: Content) -> str:
    """A whole document."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
        tag("meta", name="generator", content="torch7py"),
        tag("title", title),
        _style(),
        "\n",
    )
    document = tag("html", head, "\n", tag("body", *body, class_="t7 t7-page"), lang="en")
    return f"<!DOCTYPE html>\n{document}\n"


def fragment(*body: Content) -> Markup:
    """A part of somebody else's page, such as a notebook, with the same look."""
    return tag("div", _style(), *body, class_="t7")


def _style() -> Markup:
    return Markup(f"<style>\n{style()}</style>")
