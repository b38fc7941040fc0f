"""The counts of ``tds.AtomicCounter`` that several threads change."""

from __future__ import annotations

import threading

from torch7py.ops.memory import Storage
from torch7py.packages.registry import function

__all__: list[str] = []

_lock = threading.Lock()


@function("tds._add")
def add(count: Storage, number: int, start: int | None = None) -> int:
    """Add to a count, from ``start`` if that is given; returns what it was before. Nobody else changes it meanwhile."""
    with _lock:
        tensor = count.tensor()
        before = int(tensor[0].item())
        tensor[0] = (before if start is None else start) + number
    return before
