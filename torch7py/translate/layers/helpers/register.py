"""Where the texts are kept, by the name that each defines."""

from __future__ import annotations

__all__ = ["HELPERS", "helper"]

HELPERS: dict[str, str] = {}


def helper(name: str, text: str) -> None:
    """Register a text under the name that it defines."""
    if name in HELPERS:
        raise ValueError(f"two helpers are called {name}")
    HELPERS[name] = text
