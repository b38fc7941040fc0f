"""A loop over a table by ``pairs``, which puts string keys in a fixed order, beside Lua's own ``pairs``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bench.measure import Result, Target, alternate
from torch7py.bridge.runtime import Runtime

__all__ = ["TABLES", "results"]

# How a table is filled, and what is done to it before each loop.
TABLES = {
    "string keys": ("t['k' .. i] = i", ""),
    "string keys, another one each time": ("t['k' .. i] = i", "n = n + 1 t['n' .. n] = 0"),
    "string keys, 5000 others each time": (
        "t['k' .. i] = i",
        "for _ = 1, 5000 do n = n + 1 t['n' .. n] = 0 end",
    ),
    "array": ("t[i] = i", ""),
}

PROGRAM = """
local t, n = {}, 0
for i = 1, COUNT do FILL end
return function()
   CHANGE
   local sum = 0
   for _, v in pairs(t) do sum = sum + v end
   return sum
end
"""


def results(quick: bool) -> Iterator[Result]:
    count, rounds = (1000, 1) if quick else (1_000_000, 9)
    for what, (fill, change) in TABLES.items():
        program = PROGRAM.replace("COUNT", str(count)).replace("FILL", fill).replace("CHANGE", change)
        with Runtime(pairs="sorted") as sorted_keys, Runtime(pairs="native") as native:
            ours, own = sorted_keys.execute(program), native.execute(program)
            assert ours() == own()
            times = alternate(partial(ours), partial(own), rounds, unit=1e-3)
        yield Result("pairs", f"{what} (Lua's own)", "ms", *times, Target(3))
