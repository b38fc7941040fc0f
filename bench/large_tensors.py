"""One call on a tensor of a million numbers, beside the same call from Python: what is done twice shows here.

A program's old results wait for Lua's collector, so that a new one lies in memory that the processor has not in its
cache; Python drops the last result before it makes the next, in the same place. Rows of new results measure that too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch

from bench.measure import Result, alternate
from torch7py.bridge.runtime import Runtime

__all__ = ["CALLS", "results"]

LUA = """
local a, b, v = torch.rand(N, N), torch.rand(N, N), torch.rand(N)
local r, t = torch.Tensor(N, N), a:t()
local mask, index = torch.gt(a, 0.5), torch.range(1, N):long()
local x, e, c = torch.rand(N * N), torch.rand(N, N):mul(100):floor(), torch.rand(N, N)
local z, i
return function(n)
   for _ = 1, n do CALL end
end
"""
PYTHON = """
def loop(n):
    for _ in range(n):
        CALL
"""

# Lua's call, Python's.
CALLS = {
    "a:add(1)": "a.add_(1.0)",
    "a:add(b)": "a.add_(b)",
    "a:add(0.5, b)": "a.add_(b, alpha=0.5)",
    "a:cmul(b)": "a.mul_(b)",
    "a:fill(1)": "a.fill_(1)",
    "r:copy(a)": "r.copy_(a)",
    "r:copy(t)": "r.copy_(t)",
    "r:add(a, b)": "torch.add(a, b, out=r)",
    "r:cdiv(a, b)": "torch.div(a, b, out=r)",
    "r:exp(a)": "torch.exp(a, out=r)",
    "r:tanh(a)": "torch.tanh(a, out=r)",
    "r:clamp(a, 0.2, 0.8)": "torch.clamp(a, 0.2, 0.8, out=r)",
    "r:mm(a, b)": "torch.mm(a, b, out=r)",
    "z = a:sum()": "z = a.sum().item()",
    "z = a:sum(2)": "z = a.sum(1, keepdim=True)",
    "z = a:norm()": "z = a.norm().item()",
    "z, i = a:max(2)": "z, i = a.max(1, keepdim=True)",
    "z, i = a:sort(2)": "z, i = a.sort(1)",
    "z, i = x:sort()": "z, i = x.sort()",
    "z, i = e:sort(2)": "z, i = e.sort(1)",  # many equal elements: the original's quicksort
    "z, i = e:sort(1)": "z, i = e.sort(0)",
    "z, i = a:mode(2)": "z, i = a.mode(1, keepdim=True)",
    "z, i = e:mode(2)": "z, i = e.mode(1, keepdim=True)",
    "z, i = x:topk(10, 1, true)": "z, i = x.topk(10)",
    "z, i = x:topk(N * N / 10, 1, true)": "z, i = x.topk(N * N // 10)",
    "z, i = a:topk(N / 10, 2, true)": "z, i = a.topk(N // 10, 1)",
    "z, i = a:kthvalue(N / 2, 2)": "z, i = a.kthvalue(N // 2, 1, keepdim=True)",
    "z = torch.randperm(N * N)": "z = torch.randperm(N * N)",
    "z = torch.multinomial(c, N / 10, true)": "z = torch.multinomial(c, N // 10, True)",
    "r:uniform()": "r.uniform_()",
    "r:normal()": "r.normal_()",
    "r:bernoulli(0.5)": "r.bernoulli_(0.5)",
    "r:round(a)": "torch.round(a, out=r)",
    "r:cmax(a, b)": "torch.maximum(a, b, out=r)",
    "r:addcmul(a, 0.5, b, c)": "torch.addcmul(a, b, c, value=0.5, out=r)",
    "z = a:std()": "z = a.std().item()",
    "z = a:cumsum(1)": "z = a.cumsum(0)",
    "z = torch.mv(a, v)": "z = torch.mv(a, v)",
    "z = a:maskedSelect(mask)": "z = a.masked_select(mask)",
    "z = a:index(1, index)": "z = a.index_select(0, index)",
    "z = a + b": "z = a + b",
    "z = a:clone()": "z = a.clone()",
}


def calls_of(one: Callable[[], object]) -> int:
    """How many calls take about 30 ms: fewer, and the first ones, which find the other side's tensors in the caches,
    would be much of it.
    """
    one()
    start = time.perf_counter()
    one()
    return max(3, min(200, round(0.03 / (time.perf_counter() - start))))


def results(quick: bool) -> Iterator[Result]:
    size, rounds = (10, 1) if quick else (1000, 9)
    for lua, python in CALLS.items():
        a, b = (torch.rand(size, size, dtype=torch.float64) for _ in "ab")
        names: dict[str, Any] = {"torch": torch, "a": a, "b": b, "r": torch.empty_like(a), "t": a.t()}
        names.update(v=a[0].clone(), mask=a > 0.5, index=torch.arange(size), N=size)
        names.update(x=a.flatten(), e=(100 * a).floor_(), c=b.clone())
        exec(PYTHON.replace("CALL", python), names)
        calls = 1 if quick else calls_of(partial(names["loop"], 1))
        with Runtime() as runtime:
            in_lua = runtime.execute(LUA.replace("CALL", lua).replace("N", str(size)))
            ours, plain = alternate(
                partial(in_lua, calls), partial(names["loop"], calls), rounds, unit=1e-6 * calls
            )
        yield Result("large_tensors", lua, "us", ours, plain)
