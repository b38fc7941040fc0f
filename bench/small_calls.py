"""One call on a small tensor: what it costs to get from Lua to PyTorch and back.

In-place calls on short vectors of doubles stay in LuaJIT and say nothing of the way to PyTorch; the same calls on
floats and on a matrix go it.

The loops around the calls are a Lua loop on one side and a Python loop on the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch

from bench.measure import Result, Target, alternate
from torch7py.bridge.runtime import Runtime

__all__ = ["results"]

IN_PLACE = {
    "x:add(1)": "x.add_(1)",
    "x:add(y)": "x.add_(y)",
    "x:mul(2)": "x.mul_(2)",
    "x:zero()": "x.zero_()",
    "x:fill(1)": "x.fill_(1)",
    "x:copy(y)": "x.copy_(y)",
}
RETURNING = {
    "torch.add(x, 1)": "torch.add(x, 1)",
    "x + y": "x + y",
    "x:clone()": "x.clone()",
    "x:narrow(1, 2, 3)": "x.narrow(0, 1, 3)",
    "x:sum()": "x.sum().item()",
    "x:size(1)": "x.size(0)",
    "x:index(1, i)": "x.index_select(0, i)",
    "torch.Tensor(10)": "torch.empty(10, dtype=torch.float64)",
}

# What programs do all the time, beside one addition in Python whatever the call: the most that each may take of it.
# The original took 0.8 us for an addition, 0.35 for a fill, 0.27 for a size, 0.8 for a narrow.
OF_AN_ADDITION = {
    "x:add(1)": 0.6,
    "x:mul(2)": 0.6,
    "x:fill(1)": 0.4,
    "x:copy(y)": 0.4,
    "x:sum()": 0.4,
    "x:size(1)": 0.15,
    "x:narrow(1, 2, 3)": 0.9,
    "m:select(1, 2)": 0.9,
}
ADDITION = "x.add_(1.0)"

# What the calls are made on: the rows' suffix, the tensor in Lua, in Python.
VECTOR = ("", "torch.Tensor(10)", "torch.zeros(10, dtype=torch.float64)")
OTHERS = (
    (" float", "torch.FloatTensor(10)", "torch.zeros(10, dtype=torch.float32)"),
    (" 4x4", "torch.Tensor(4, 4)", "torch.zeros(4, 4, dtype=torch.float64)"),
)

LUA = """
local x, y, i = MAKE:zero(), MAKE:zero(), torch.LongTensor {2, 4, 6}
local m = torch.Tensor(5, 2):zero()
return function(n)
   for _ = 1, n do local result = CALL end
end
"""
PYTHON = """
def loop(n):
    for _ in range(n):
        CALL
"""


def python_loop(call: str, make: str = VECTOR[2]) -> Callable[[int], None]:
    """A function of n that makes a call n times, on the tensors that ``LUA`` has."""
    names: dict[str, Any] = {"torch": torch, "i": torch.tensor([1, 3, 5])}
    names["x"], names["y"] = eval(make, names), eval(make, names)
    exec(PYTHON.replace("CALL", call), names)
    loop: Callable[[int], None] = names["loop"]
    return loop


def results(quick: bool) -> Iterator[Result]:
    # A round is long enough for Lua's collector to come round in it.
    rounds, calls = (1, 10) if quick else (15, 10_000)
    groups = [(VECTOR, IN_PLACE, Target(1.5)), (VECTOR, RETURNING, Target(3.5))]
    groups += [(other, IN_PLACE, Target(1.5)) for other in OTHERS]
    rows = [
        (lua, suffix, make_lua, python_loop(python, make_python), target)
        for (suffix, make_lua, make_python), pairs, target in groups
        for lua, python in pairs.items()
    ]
    rows += [
        (lua, f" ({ADDITION})", VECTOR[1], python_loop(ADDITION), Target(limit))
        for lua, limit in OF_AN_ADDITION.items()
    ]
    for lua, suffix, make_lua, in_python, target in rows:
        # a runtime each, so that none clears away what another has left
        with Runtime() as runtime:
            in_lua = runtime.execute(LUA.replace("MAKE", make_lua).replace("CALL", lua))
            ours, plain = alternate(
                partial(in_lua, calls), partial(in_python, calls), rounds, unit=1e-9 * calls
            )
        yield Result("small_calls", lua + suffix, "ns", ours, plain, target)
