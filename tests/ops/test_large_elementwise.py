"""Elementwise operations on large tensors of every type, in every form of the call, against numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from torch7py.bridge.runtime import Runtime
from torch7py.ops import types

N = 5003  # more than Lua's own loops for small tensors take

Array = np.ndarray[Any, Any]

# What a call of Lua leaves in r or z, with the number v.
ANY: dict[str, Callable[[Array, Array, Any], Array]] = {
    "r:copy(b)": lambda a, b, v: b,
    "r:fill(v)": lambda a, b, v: np.full_like(a, v),
    "r:zero()": lambda a, b, v: np.zeros_like(a),
    "r:add(a, v)": lambda a, b, v: a + v,
    "r:copy(a):add(v)": lambda a, b, v: a + v,
    "r:add(a, b)": lambda a, b, v: a + b,
    "torch.add(r, a, b)": lambda a, b, v: a + b,
    "r:copy(a):csub(b)": lambda a, b, v: a - b,
    "r:csub(a, v)": lambda a, b, v: a - v,
    "r:mul(a, v)": lambda a, b, v: a * v,
    "r:copy(a):cmul(b)": lambda a, b, v: a * b,
    "r:cmax(a, v)": lambda a, b, v: np.where(a > v, a, v),
    "r:copy(a):cmin(v)": lambda a, b, v: np.where(a < v, a, v),
    "r:abs(a)": lambda a, b, v: np.abs(a),
    "r:copy(a):abs()": lambda a, b, v: np.abs(a),
    "torch.neg(r, a)": lambda a, b, v: -a,
    "m:gt(a, b)": lambda a, b, v: a > b,
    "torch.le(m, a, v)": lambda a, b, v: a <= v,
    "z = a + b": lambda a, b, v: a + b,
    "z = v + a": lambda a, b, v: v + a,
    "z = a - v": lambda a, b, v: a - v,
    "z = v - a": lambda a, b, v: v - a,
    "z = v * a": lambda a, b, v: v * a,
    "z = -a": lambda a, b, v: -a,
    "z = torch.add(a, b)": lambda a, b, v: a + b,
    "z = torch.abs(a)": lambda a, b, v: np.abs(a),
    "z = torch.eq(a, b)": lambda a, b, v: a == b,
    "z = torch.ne(a, v)": lambda a, b, v: a != v,
}
REAL: dict[str, Callable[[Array, Array, Any], Array]] = {
    "r:div(a, v)": lambda a, b, v: a / v,
    "r:copy(a):cdiv(b)": lambda a, b, v: a / b,
    "z = a / v": lambda a, b, v: a / v,
    "r:ceil(a)": lambda a, b, v: np.ceil(a),
    "r:copy(a):floor()": lambda a, b, v: np.floor(a),
    "torch.trunc(r, a)": lambda a, b, v: np.trunc(a),
    "r:cinv(a)": lambda a, b, v: 1 / a,
    "r:round(a)": lambda a, b, v: np.trunc(a + np.copysign(a.dtype.type(0.5), a)),
    "r:copy(a):round()": lambda a, b, v: np.trunc(a + np.copysign(a.dtype.type(0.5), a)),
    "r:cmax(a, b)": lambda a, b, v: np.where(a > b, a, b),
    "r:copy(a):cmin(b)": lambda a, b, v: np.where(a < b, a, b),
    "r:clamp(a, -1, 2)": lambda a, b, v: np.minimum(2, np.maximum(-1, a)),
    "r:copy(a):clamp(-1, 2)": lambda a, b, v: np.minimum(2, np.maximum(-1, a)),
    "r:addcmul(a, b, b)": lambda a, b, v: a + b * b,
    "r:addcmul(a, v, b, a)": lambda a, b, v: a + b * v * a,
    "r:copy(a):addcmul(b, b)": lambda a, b, v: a + b * b,
    "r:copy(a):addcmul(v, b, b)": lambda a, b, v: a + b * v * b,
    "r:lerp(a, b, v)": lambda a, b, v: a + (b - a) * v,
    "r:copy(a):lerp(b, v)": lambda a, b, v: a + (b - a) * v,
}
TENSORS = ("Double", "Float", "Long", "Int", "Short", "Char", "Byte")


@pytest.mark.parametrize("kind", TENSORS)
def test_every_form_gives_the_same_bits(runtime: Runtime, kind: str) -> None:
    number_type = types.BY_NAME[kind]
    dtype = np.dtype(str(number_type.dtype).removeprefix("torch."))
    rng = np.random.default_rng(1)
    real = number_type.is_floating
    a, b = (rng.normal(size=(2, N)) * 50 if real else rng.integers(0, 100, (2, N))).astype(dtype)
    a[:5], b[:5] = (0, 1, 0, 7, 7), (0, 0, 1, 7, 7)
    v = dtype.type(-1.7 if real else 7)
    for name, values in (("a", a), ("b", b), ("r", a), ("m", np.zeros(N, np.uint8))):
        runtime.globals[name] = torch.tensor(values)
    runtime.globals["v"] = -1.7 if real else 7
    for call, compute in {**ANY, **(REAL if real else {})}.items():
        runtime.execute(f"for i = 1, 3 do {call} end")
        found = runtime.globals[next(name for name in "zmr" if call.startswith(name) or f"({name}," in call)]
        with np.errstate(all="ignore"):
            expected = compute(a, b, v).astype(np.uint8 if found.dtype == torch.uint8 else dtype)
        assert np.array_equal(found.numpy(), expected, equal_nan=real), call


def test_casts_overlaps_and_errors(runtime: Runtime) -> None:
    """Each call gives the original's result, or its error."""
    assert runtime.execute(
        """
        local n = 5000
        local long, byte = torch.range(1, n):long(), torch.ByteTensor(n):fill(250)
        local x, y = torch.range(1, n), torch.range(1, n)
        local t, r = torch.zeros(50, 100):t(), torch.Tensor(3)
        local float, nan = torch.FloatTensor(n):fill(1), torch.Tensor(n):fill(0 / 0)
        local half = torch.Tensor(n):fill(-0.5 + 2 ^ -54)
        for i = 1, 3 do
           long:add(1.9)                         -- as C casts it
           byte:add(300 + 6)                     -- modulo 256
           x:narrow(1, 1, n - 1):add(x:narrow(1, 2, n - 1), 1)      -- over its own source
           t:add(1)
           r:resize(3)
           r:add(y, 1)                           -- gets the source's size
           float:mul(1e39)                       -- is infinite in float
           nan:cmax(nan, 5)
           y:clamp(3, 2):copy(x):copy(torch.range(1, n))            -- bounds in the wrong order
           half:round()
        end
        local function fails(f, ...) return not pcall(f, ...) end
        return long[n], byte[1], x[1], x[n - 1], x[n], t:sum(), r:size(1), r[n], float[1], nan:sum(), 1 / half[1],
           fails(x.add, x, torch.range(1, n - 1)), fails(x.add, x, float), fails(x.cmul, x, 'a')
        """
    ) == (
        5003,
        (250 + 3 * 50) % 256,
        7,
        5001,
        5000,
        15000,
        5000,
        5001,
        float("inf"),
        25000,
        float("-inf"),
        True,
        True,
        True,
    )


def test_a_tensor_that_moves_and_one_on_others_memory(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        local n = 5000
        local x, other = torch.zeros(n), torch.ones(2 * n)
        for i = 1, 3 do x:add(1) end
        local half = other:narrow(1, n + 1, n)
        for i = 1, 3 do half:add(x) end                       -- 1 + 3 * 3
        x:resize(2 * n):fill(2)
        for i = 1, 3 do other:cmul(x) end
        x:set(other)
        for i = 1, 3 do x:add(1) end
        return other[1], other[2 * n], x:sum()
        """
    ) == (8 + 3, 80 + 3, 5000 * (11 + 83))
