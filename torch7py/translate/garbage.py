"""Garbage collection while programs are translated: not in between, and seldom."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

__all__ = ["uncollected"]

# So many objects may wait for the collector: some 100 MB, of 40000 lines of Lua.
MOST_OBJECTS = 1_000_000

_waiting = 0  # objects that translations have left since the last collection
_others_freeze = False  # whether the process has frozen objects, which take long to count


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Without garbage collection.

    Nearly all that a translation makes lives as long as it, and then goes at once. Looking through it in vain each time
    was 40 % of the time, and once after each translation still 15 %. So what it leaves counts as old at once, and all
    is collected when much has come together: that is still a seventh of the time of a process that translates many.
    """
    global _waiting, _others_freeze
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        _waiting += gc.get_count()[0]
        _others_freeze = _others_freeze or gc.get_freeze_count() > 0
        if _waiting > MOST_OBJECTS:
            _waiting = 0
            gc.collect()
        elif not _others_freeze:  # what somebody has frozen stays so
            gc.freeze()  # these two make all objects old without looking at them
            gc.unfreeze()
        gc.enable()
