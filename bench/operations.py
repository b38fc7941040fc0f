"""Every operation on a million numbers beside its twin in PyTorch: doubles, floats and longs.

One runtime for each type and one tensor for each name, so that all of it takes few minutes. The time is the
processor's, so that other programs of the machine count little. What a call changes has the same values in both. The
rows are for information: nothing is asked of them.

Not here are the operations without a twin (``match``, ``bhistc``, ``pstrf``, ...) and those that make no pass over
elements (``view``, ``narrow``, ``size``, ...): ``small_calls`` has those.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch

from bench.measure import Result, alternate
from torch7py.bridge.runtime import Runtime

__all__ = ["TYPES", "calls", "results"]

TYPES = {"double": torch.float64, "float": torch.float32, "long": torch.int64}

NEW = 40  # results of 8 MB, after which Lua has collected some

LUA = """
torch.manualSeed(1)
torch.setdefaulttensortype 'torch.DoubleTensor'
local M = N * N
local function numbers(...)
   local made = torch.Tensor(...)
   if 'TYPE' == 'long' then made:random(1e9) else made:uniform(0.1, 1.1) end
   return made:TYPE()
end
local a, b, c, u, r = numbers(N, N), numbers(N, N), numbers(N, N), numbers(N, N), numbers(N, N)
local t, x, v, w, s = a:t(), numbers(M), numbers(N), numbers(N), numbers(N, 2 * N):narrow(2, 1, N)
local e, p = torch.Tensor(N, N):random(100):TYPE(), torch.rand(N, N):TYPE()
local few = e:view(M)
local z, i
local new, two, three = a:clone(), numbers(2 * N, N), numbers(N, 3 * N)
local m, n = torch.gt(torch.rand(N, N), 0.6), torch.ByteTensor(N, N)
local k, g = torch.randperm(N):long(), torch.LongTensor(N, N):random(N)
local d, f = numbers(B, B, B), numbers(B, B, B)
local h, picture, kernels = numbers(B, B), numbers(4, B, B), numbers(4, 4, 5, 5)
return function(call)
   z, i = nil, nil
   collectgarbage()
   local made = loadstring('local a, b, c, u, r, t, x, v, w, s, e, p, few, new, two, three, m, n, k, g, d, f, h, ' ..
      'picture, kernels, N, M, z, i = ... return function(calls) for _ = 1, calls do ' .. call .. ' end end')
   return made(a, b, c, u, r, t, x, v, w, s, e, p, few, new, two, three, m, n, k, g, d, f, h, picture, kernels, N, M)
end
"""
PYTHON = """
def loop(calls):
    global z, i
    for _ in range(calls):
        CALL
"""

# Lua's call, Python's, for all types; for floating ones; for whole numbers.
ANY = {
    "c:fill(1)": "c.fill_(1)",
    "c:zero()": "c.zero_()",
    "c:copy(b)": "c.copy_(b)",
    "r:copy(t)": "r.copy_(t)",
    "r:copy(s)": "r.copy_(s)",
    "z = a:clone()": "z = a.clone()",
    "z = t:clone()": "z = t.contiguous()",
    "z = a:int()": "z = a.int()",
    "z = a:byte()": "z = a.byte()",
    "r:add(a, 1)": "torch.add(a, 1, out=r)",
    "c:add(1)": "c.add_(1)",
    "r:add(a, b)": "torch.add(a, b, out=r)",
    "r:add(t, b)": "torch.add(t, b, out=r)",
    "c:add(b)": "c.add_(b)",
    "c:add(2, b)": "c.add_(b, alpha=2)",
    "r:csub(a, b)": "torch.sub(a, b, out=r)",
    "r:mul(a, 3)": "torch.mul(a, 3, out=r)",
    "c:mul(1)": "c.mul_(1)",
    "r:cmul(a, b)": "torch.mul(a, b, out=r)",
    "c:cmul(e)": "c.mul_(e)",
    "r:addcmul(a, 2, b, u)": "torch.addcmul(a, b, u, value=2, out=r)",
    "r:addcmul(a, b, u)": "torch.addcmul(a, b, u, out=r)",
    "r:fmod(a, 7)": "torch.fmod(a, 7, out=r)",
    "r:cfmod(a, e)": "torch.fmod(a, e, out=r)",
    "r:remainder(a, 7)": "torch.remainder(a, 7, out=r)",
    "r:cremainder(a, e)": "torch.remainder(a, e, out=r)",
    "r:clamp(e, 20, 60)": "torch.clamp(e, 20, 60, out=r)",
    "r:cmax(a, b)": "torch.maximum(a, b, out=r)",
    "r:cmin(a, b)": "torch.minimum(a, b, out=r)",
    "r:cmax(e, 50)": "torch.clamp(e, min=50, out=r)",
    "r:abs(a)": "torch.abs(a, out=r)",
    "r:neg(a)": "torch.neg(a, out=r)",
    "r:sign(a)": "torch.sign(a, out=r)",
    "z = a + b": "z = a + b",
    "z = a * 3": "z = a * 3",
    "z = torch.gt(e, 50)": "z = torch.gt(e, 50)",
    "z = torch.gt(a, b)": "z = torch.gt(a, b)",
    "n:eq(e, 50)": "torch.eq(e, 50, out=n)",
    "z = torch.equal(a, a)": "z = torch.equal(a, a)",
    "z = torch.equal(a, new)": "z = torch.equal(a, new)",
    "z = a:sum()": "z = a.sum().item()",
    "z = a:sum(1)": "z = a.sum(0, keepdim=True)",
    "z = a:sum(2)": "z = a.sum(1, keepdim=True)",
    "z = t:sum()": "z = t.sum().item()",
    "z = s:sum()": "z = s.sum().item()",
    "z = a:prod()": "z = a.prod().item()",
    "z = a:prod(2)": "z = a.prod(1, keepdim=True)",
    "z = a:max()": "z = a.max().item()",
    "z = a:min()": "z = a.min().item()",
    "z, i = a:max(1)": "z, i = a.max(0, keepdim=True)",
    "z, i = a:min(2)": "z, i = a.min(1, keepdim=True)",
    "z = a:cumsum(1)": "z = a.cumsum(0)",
    "r:cumsum(a, 2)": "torch.cumsum(a, 1, out=r)",
    "z = a:cumprod(2)": "z = a.cumprod(1)",
    "z = a:trace()": "z = a.trace().item()",
    "z, i = a:sort()": "z, i = a.sort()",
    "z, i = a:sort(1, true)": "z, i = a.sort(0, True)",
    "z, i = x:sort()": "z, i = x.sort()",
    "z, i = e:sort()": "z, i = e.sort()",
    "z, i = few:sort()": "z, i = few.sort()",
    "z, i = x:topk(10, 1, true)": "z, i = x.topk(10)",
    "z, i = x:topk(10, 1, true, true)": "z, i = x.topk(10, sorted=True)",
    "z, i = a:topk(10, 2, true)": "z, i = a.topk(10)",
    "z, i = e:topk(10, 2, true)": "z, i = e.topk(10)",
    "z, i = x:topk(M / 10, 1, true)": "z, i = x.topk(M // 10)",
    "z, i = a:kthvalue(N / 2)": "z, i = a.kthvalue(N // 2)",
    "z, i = e:median()": "z, i = e.median(1)",
    "z, i = a:mode()": "z, i = a.mode()",
    "z, i = e:mode(1)": "z, i = e.mode(0)",
    "z = torch.cat(a, b, 1)": "z = torch.cat((a, b), 0)",
    "z = torch.cat(a, b, 2)": "z = torch.cat((a, b), 1)",
    "two:cat(a, b, 1)": "torch.cat((a, b), 0, out=two)",
    "three:cat({a, b, a}, 2)": "torch.cat((a, b, a), 1, out=three)",
    "z = a:repeatTensor(1, 2)": "z = a.repeat(1, 2)",
    "z = t:reshape(M)": "z = t.reshape(M)",
    "z = a:index(1, k)": "z = a.index_select(0, k)",
    "z = a:index(2, k)": "z = a.index_select(1, k)",
    "new:index(a, 1, k)": "torch.index_select(a, 0, k, out=new)",
    "c:indexCopy(1, k, b)": "c.index_copy_(0, k, b)",
    "c:indexCopy(2, k, b)": "c.index_copy_(1, k, b)",
    "c:indexAdd(1, k, b)": "c.index_add_(0, k, b)",
    "c:indexFill(2, k, 2)": "c.index_fill_(1, k, 2)",
    "z = a:gather(1, g)": "z = a.gather(0, g)",
    "z = a:gather(2, g)": "z = a.gather(1, g)",
    "new:gather(a, 2, g)": "torch.gather(a, 1, g, out=new)",
    "c:scatter(1, g, b)": "c.scatter_(0, g, b)",
    "c:scatter(2, g, b)": "c.scatter_(1, g, b)",
    "c:scatter(2, g, 2)": "c.scatter_(1, g, 2)",
    "z = a:maskedSelect(m)": "z = a.masked_select(m)",
    "c:maskedFill(m, 2)": "c.masked_fill_(m, 2)",
    "c:maskedCopy(m, b)": "c.masked_scatter_(m, b)",
    "z = m:nonzero()": "z = m.nonzero()",
    "z = a:nonzero()": "z = a.nonzero()",
    "z = few:nonzero()": "z = few.nonzero()",
    "z = a:tril()": "z = a.tril()",
    "r:triu(a)": "torch.triu(a, out=r)",
    "z = torch.diag(v)": "z = torch.diag(v)",
    "z = a:unfold(1, 10, 5):clone()": "z = a.unfold(0, 10, 5).contiguous()",
    "r:range(1, M)": "torch.arange(1, M + 1, out=r)",
    "c:random(10)": "c.random_(1, 11)",
    "c:bernoulli(0.5)": "c.bernoulli_(0.5)",
    "c:geometric(0.5)": "c.geometric_(0.5)",
    "r:zeros(N, N)": "torch.zeros(N, N, out=r)",
}
REAL = {
    **{
        f"r:{name}(a)": f"torch.{name}(a, out=r)"
        for name in (
            "acos asin atan ceil cos cosh exp floor frac log log1p round rsqrt sigmoid sin sinh sqrt tan tanh trunc"
        ).split()
    },
    "r:cinv(a)": "torch.reciprocal(a, out=r)",
    "c:round()": "c.round_()",
    "z = torch.exp(a)": "z = torch.exp(a)",
    "r:div(a, 3)": "torch.div(a, 3, out=r)",
    "r:cdiv(a, b)": "torch.div(a, b, out=r)",
    "r:addcdiv(a, 2, b, u)": "torch.addcdiv(a, b, u, value=2, out=r)",
    "r:pow(a, 2)": "torch.pow(a, 2, out=r)",
    "r:pow(a, 2.5)": "torch.pow(a, 2.5, out=r)",
    "r:pow(2, a)": "torch.pow(2, a, out=r)",
    "r:cpow(a, b)": "torch.pow(a, b, out=r)",
    "r:atan2(a, b)": "torch.atan2(a, b, out=r)",
    "r:lerp(a, b, 0.3)": "torch.lerp(a, b, 0.3, out=r)",
    **{f"z = a:{name}()": f"z = a.{name}().item()" for name in ("mean", "var", "std", "norm")},
    **{f"z = a:{name}(1)": f"z = a.{name}(0, keepdim=True)" for name in ("mean", "var", "std")},
    **{f"z = a:{name}(2)": f"z = a.{name}(1, keepdim=True)" for name in ("mean", "var", "std")},
    "z = a:norm(1)": "z = a.norm(1).item()",
    "z = a:norm(3)": "z = a.norm(3).item()",
    "z = a:norm(2, 1)": "z = a.norm(2, 0, keepdim=True)",
    "z = a:norm(2, 2)": "z = a.norm(2, 1, keepdim=True)",
    "z = a:norm(0)": "z = a.norm(0).item()",
    "z = a:dist(b)": "z = torch.dist(a, b).item()",
    "z = a:dist(b, 1)": "z = torch.dist(a, b, 1).item()",
    "z = a:dot(b)": "z = torch.dot(a.view(-1), b.view(-1)).item()",
    "z = a:renorm(2, 1, 1)": "z = a.renorm(2, 0, 1)",
    "z = torch.histc(a, 100)": "z = torch.histc(a, 100)",
    "r:linspace(0, 1, M)": "torch.linspace(0, 1, M, out=r)",
    "r:logspace(0, 1, M)": "torch.logspace(0, 1, M, out=r)",
    "c:uniform()": "c.uniform_()",
    "c:normal()": "c.normal_()",
    "c:exponential(1)": "c.exponential_(1)",
    "c:cauchy()": "c.cauchy_()",
    "c:logNormal()": "c.log_normal_()",
    "z = torch.multinomial(p, N / 10, true)": "z = torch.multinomial(p, N // 10, True)",
    "z = torch.multinomial(p, N / 10)": "z = torch.multinomial(p, N // 10)",
    "r:mm(a, b)": "torch.mm(a, b, out=r)",
    "r:mm(t, b)": "torch.mm(t, b, out=r)",
    "c:addmm(0.5, 2, a, b)": "c.addmm_(a, b, beta=0.5, alpha=2)",
    "z = torch.mv(a, v)": "z = torch.mv(a, v)",
    "c:addr(0.1, v, w)": "c.addr_(v, w, alpha=0.1)",
    "z = torch.ger(v, w)": "z = torch.outer(v, w)",
    "z = torch.bmm(d, f)": "z = torch.bmm(d, f)",
    "z = torch.inverse(h)": "z = torch.inverse(h)",
    "z = torch.xcorr2(picture, kernels, 'V')": "z = torch.conv2d(picture[None], kernels)",
}
WHOLE = {
    "r:div(a, 3)": "torch.div(a, 3, rounding_mode='trunc', out=r)",
    "r:cdiv(a, e)": "torch.div(a, e, rounding_mode='trunc', out=r)",
    "r:bitand(a, 7)": "torch.bitwise_and(a, 7, out=r)",
    "r:cbitxor(a, b)": "torch.bitwise_xor(a, b, out=r)",
    "r:lshift(a, 3)": "torch.bitwise_left_shift(a, 3, out=r)",
    "z = torch.randperm(M)": "z = torch.randperm(M)",
}


def calls(kind: str) -> dict[str, str]:
    """Lua's calls on tensors of a type, and Python's."""
    return {**ANY, **(WHOLE if kind == "long" else REAL)}


def numbers(kind: str, size: int, block: int) -> dict[str, Any]:
    """What ``LUA`` has, under the same names."""

    def some(*sizes: int) -> torch.Tensor:
        if kind == "long":
            return torch.randint(1, 10**9, sizes)
        return torch.empty(sizes, dtype=TYPES[kind]).uniform_(0.1, 1.1)

    a = some(size, size)
    e = torch.randint(1, 101, (size, size)).to(TYPES[kind])
    return {
        **{name: some(size, size) for name in ("b", "c", "u", "r", "p")},
        **{name: some(block, block, block) for name in ("d", "f")},
        "torch": torch,
        "N": size,
        "M": size * size,
        "a": a,
        "t": a.t(),
        "x": some(size * size),
        "v": some(size),
        "w": some(size),
        "s": some(size, 2 * size)[:, :size],
        "e": e,
        "few": e.view(-1),
        "new": a.clone(),
        "two": some(2 * size, size),
        "three": some(size, 3 * size),
        "m": torch.rand(size, size) > 0.6,
        "n": torch.empty(size, size, dtype=torch.bool),
        "k": torch.randperm(size),
        "g": torch.randint(0, size, (size, size)),
        "h": some(block, block),
        "picture": some(4, block, block),
        "kernels": some(4, 4, 5, 5),
    }


def results(quick: bool) -> Iterator[Result]:
    size, block, rounds = (16, 10, 1) if quick else (1000, 100, 5)
    for kind in TYPES:
        names = numbers(kind, size, block)
        with Runtime() as runtime:
            make = runtime.execute(f"local N, B = {size}, {block}\n{LUA.replace('TYPE', kind)}")
            for in_lua, in_python in calls(kind).items():
                exec(PYTHON.replace("CALL", in_python), names)
                ours, plain = make(in_lua), names["loop"]
                if in_lua.startswith("z"):
                    # Till Lua has first collected new results, each lies in memory that the system has to clear.
                    ours(1 if quick else NEW)
                    plain(1 if quick else NEW)
                once = _seconds(partial(plain, 1))
                count = 1 if quick else max(2, min(200, round(0.01 / once)))
                times = alternate(
                    partial(ours, count), partial(plain, count), rounds, 1e-6 * count, time.process_time
                )
                yield Result("operations", f"{kind}: {in_lua}", "us", *times)


def _seconds(call: partial[Any]) -> float:
    call()
    start = time.process_time()
    call()
    return max(time.process_time() - start, 1e-9)
