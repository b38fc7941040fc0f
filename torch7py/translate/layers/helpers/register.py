"""Where the texts are kept, by the name that each defines."""

from __future__ import annotations

__all__ = ["DERIVED", "DRAWING", "HELPERS", "helper"]

HELPERS: dict[str, str] = {}
DERIVED: dict[
    str, str
] = {}  # classes that are used as the module of PyTorch's that they derive from, with it
DRAWING: set[str] = set()  # functions that draw the first weights of what they are given


def helper(name: str, text: str, derives: bool = False, draws: bool = False) -> None:
    """Register a text under the name that it defines, and what it is."""
    if name in HELPERS:
        raise ValueError(f"two helpers are called {name}")
    HELPERS[name] = text
    if derives:
        DERIVED[name] = text.partition("(")[2].partition(")")[0]
    if draws:
        DRAWING.add(name)
