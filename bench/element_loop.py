"""``x[i] = x[i] * 2 + 1`` over all elements: Lua that touches a tensor element by element."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from bench.measure import Result, Target, alternate
from torch7py.bridge.runtime import Runtime

__all__ = ["results"]

PROGRAM = """
local x = torch.DoubleTensor(...):zero()
return function(n)
   for i = 1, n do x[i] = x[i] * 2 + 1 end
end
"""


def results(quick: bool) -> Iterator[Result]:
    elements = 1000 if quick else 1_000_000
    rounds = 1 if quick else 15
    x = torch.zeros(elements, dtype=torch.float64)
    with Runtime() as runtime:
        loop = runtime.execute(PROGRAM.replace("...", str(elements)))
        ours, plain = alternate(
            lambda: loop(elements), lambda: x.mul_(2).add_(1), rounds, unit=1e-9 * elements
        )
    # A Python loop over the elements would be no measure; the whole tensor at once is what a port would do.
    yield Result(
        benchmark="element_loop",
        what="x[i] = x[i]*2+1",
        unit="ns",
        ours=ours,
        plain=plain,
        target=Target(10, "figure"),
        for_scale=True,
    )
