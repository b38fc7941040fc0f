"""Lua text from templates: ``$name`` stands for what a program calls it."""

from __future__ import annotations

from collections.abc import Iterable
from string import Template

__all__ = ["block", "fill", "lines_of"]


def fill(text: str, **names: object) -> str:
    """Names that are not given stay, to be filled later."""
    return Template(text).safe_substitute({name: str(value) for name, value in names.items()})


def block(head: str, body: Iterable[str], end: str = "end") -> list[str]:
    return [head, *(f"  {line}" for line in body), end]


def lines_of(text: str) -> list[str]:
    """A template of several lines, without its first indentation."""
    lines = text.strip("\n").splitlines()
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return [line[indent:] for line in lines]
