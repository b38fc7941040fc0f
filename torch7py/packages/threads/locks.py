"""The mutexes and conditions that the Lua states of the package threads share, by number.

Threads run one after the other here, so nothing can be waited for: a call that would wait for ever is an error.
"""

from __future__ import annotations

import itertools

from torch7py.ops.errors import TorchError
from torch7py.ops.support import restricted, unsupported
from torch7py.packages.registry import function

__all__: list[str] = []

_numbers = itertools.count(1)
_locked: dict[int, bool] = {}  # mutex -> whether it is locked
_signalled: dict[int, int] = {}  # condition -> signals that nobody has waited for


@function("threads._mutex_new")
def mutex_new() -> int:
    number = next(_numbers)
    _locked[number] = False
    return number


@function("threads._mutex_known")
def mutex_known(number: int) -> bool:
    return number in _locked


@function("threads._mutex_set")
def mutex_set(number: int, locked: bool) -> None:
    if number not in _locked:
        raise TorchError("this mutex has been freed")
    if locked and _locked[number]:
        raise TorchError("this mutex is locked already: the thread would wait for ever")
    _locked[number] = locked


@function("threads._condition_new")
def condition_new() -> int:
    number = next(_numbers)
    _signalled[number] = 0
    return number


@function("threads._condition_known")
def condition_known(number: int) -> bool:
    return number in _signalled


@function("threads._condition_signal")
def condition_signal(number: int) -> None:
    if number not in _signalled:
        raise TorchError("this condition has been freed")
    _signalled[number] += 1


@function("threads._condition_take")
def condition_take(number: int) -> bool:
    """Whether the condition has been signalled since it was last waited for."""
    if number not in _signalled:
        raise TorchError("this condition has been freed")
    signalled = _signalled[number] > 0
    _signalled[number] = 0
    return signalled


@function("threads._free")
def free(number: int) -> None:
    _locked.pop(number, None)
    _signalled.pop(number, None)


restricted(
    "threads.Threads",
    "not parallel: a job runs in a Lua state of its own, to its end, as soon as a thread of the pool has no result to "
    "keep: when it is added or when a result is taken",
)
restricted("threads.Thread", "not parallel: it runs when it is first waited for")
restricted("threads.Condition", "not parallel: waiting for what no thread has signalled is an error")
restricted("threads.Mutex", "not parallel: locking it twice is an error")
restricted(
    "threads.sharedserialize",
    "shares tensors, storages and counters; each thread has a copy of a tds.Hash or tds.Vec, which cannot be changed",
)
unsupported("threads.AtomicCounter", "it is tds.AtomicCounter")
