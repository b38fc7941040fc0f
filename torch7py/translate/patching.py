"""Attributes replaced for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

__all__ = ["altered", "patched"]


@contextlib.contextmanager
def patched(changes: list[tuple[Any, str, Any]]) -> Iterator[None]:
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in changes]
    for owner, name, value in changes:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


def altered(owner: object, **values: Any) -> contextlib.AbstractContextManager[None]:
    """While these attributes of one object have other values."""
    return patched([(owner, name, value) for name, value in values.items()])
