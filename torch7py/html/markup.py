"""HTML as text that cannot be broken by what is put into it.

Strings are escaped wherever they are put in, so that a class named ``<script>`` is text. Only what ``tag`` gives, which
is ``Markup``, goes in as it is.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TypeAlias

__all__ = ["Content", "Markup", "escape", "join", "tag"]

VOID = frozenset("br col hr img input link meta wbr".split())


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Content: TypeAlias = "str | int | float | Iterable[Content] | None"


def escape(value: str) -> Markup:
    """A string as text of a page. What no page may hold, such as a NUL or half of a pair of surrogates, is replaced."""
    if isinstance(value, Markup):
        return value
    return Markup(html.escape("".join(map(_allowed, value))))


def _allowed(character: str) -> str:
    code = ord(character)
    if code < 32 and character not in "\t\n":
        return chr(0x2400 + code)  # the picture of a control character
    if 0xD800 <= code < 0xE000 or code in (0xFFFE, 0xFFFF) or 0x7F <= code < 0xA0:
        return "\N{REPLACEMENT CHARACTER}"
    return character


def join(*content: Content) -> Markup:
    """Several pieces, one after the other; None is nothing."""
    pieces: list[str] = []
    for item in content:
        if item is None:
            continue
        if isinstance(item, str):
            pieces.append(escape(item))
        elif isinstance(item, (int, float)):
            pieces.append(str(item))
        else:
            pieces.append(join(*item))
    return Markup("".join(pieces))


def tag(name: str, /, *content: Content, **attributes: str | int | float | bool | None) -> Markup:
    """An element. ``class_`` is ``class``, ``aria_label`` ``aria-label``; False and None leave an attribute out."""
    opening = name
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        key = key.rstrip("_").replace("_", "-")
        opening += f" {key}" if value is True else f' {key}="{escape(str(value))}"'
    if name in VOID:
        return Markup(f"<{opening}>")
    return Markup(f"<{opening}>{join(*content)}</{name}>")
