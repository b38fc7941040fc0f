"""A loop over a table by ``pairs``, which puts string keys in a fixed order, beside Lua's own ``next``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bench.measure import Result, Target, alternate
from torch7py.bridge.runtime import Runtime

__all__ = ["TABLES", "results"]

TABLES = {"string keys": "t['k' .. i] = i", "array": "t[i] = i"}

PROGRAM = """
local t = {}
for i = 1, N do FILL end
local function by_pairs() local sum = 0 for _, v in pairs(t) do sum = sum + v end return sum end
local function by_next() local sum = 0 for _, v in next, t do sum = sum + v end return sum end
return by_pairs, by_next
"""


def results(quick: bool) -> Iterator[Result]:
    count, rounds = (1000, 1) if quick else (1_000_000, 9)
    for what, fill in TABLES.items():
        with Runtime() as runtime:
            ours, own = runtime.execute(PROGRAM.replace("N", str(count)).replace("FILL", fill))
            assert ours() == own()
            ours, own = alternate(partial(ours), partial(own), rounds, unit=1e-3)
        yield Result("pairs", f"{what} (next)", "ms", ours, own, Target(3))
