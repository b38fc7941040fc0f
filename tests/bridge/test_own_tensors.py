"""Tensors that Lua makes itself (header.lua): nobody must be able to tell them from others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.inner_runtime import InnerRuntime as Runtime


@pytest.fixture
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


def lua(rt: Runtime, source: str) -> Any:
    return rt.execute(source, "=test.lua")


def held(rt: Runtime) -> int:
    lua(
        rt, "for _ = 1, 5 do collectgarbage() end"
    )  # a view goes before its anchor, which goes before its base
    return len(rt.handles)


# -- they are tensors like any other ---------------------------------------------------------------------


def test_a_small_result_reaches_python_with_its_elements(rt: Runtime) -> None:
    lua(rt, "x = torch.Tensor(3):fill(2) y = x * 3 + 1 m = torch.FloatTensor(2, 3):fill(1)")
    assert torch.equal(rt.globals["y"], torch.full((3,), 7.0, dtype=torch.float64))
    assert torch.equal(rt.globals["m"], torch.ones(2, 3))


def test_what_python_writes_is_seen(rt: Runtime) -> None:
    lua(rt, "x = torch.Tensor(3):fill(2)")
    rt.globals["x"].fill_(5.0)
    assert lua(rt, "return x[1], x:sum(), (x + 1)[3]") == (5, 15, 6)
    lua(rt, "x[2] = 9")
    assert rt.globals["x"].tolist() == [5.0, 9.0, 5.0]


def test_a_view_of_a_small_result_shares_its_memory(rt: Runtime) -> None:
    lua(rt, "x = torch.Tensor(4):zero() v = x:narrow(1, 2, 2) v:fill(3) w = v:narrow(1, 2, 1) w:fill(4)")
    assert lua(rt, "return x[1], x[2], x[3], x[4]") == (0, 3, 4, 0)
    lua(rt, "x:fill(8)")
    assert lua(rt, "return w[1], v[1]") == (8, 8)
    x, v = rt.globals["x"], rt.globals["v"]
    assert v.data_ptr() == x.data_ptr() + 8


def test_identity(rt: Runtime) -> None:
    assert lua(
        rt,
        """
        local x = torch.Tensor(3)
        local t = {[x] = 'here'}
        local same = rawequal(x:add(1), x)
        torch.sort(x)                               -- Python knows it from here on
        return same, t[x], rawequal(x:add(1), x), x == x, x == x:clone(), torch.type(x), torch.isTensor(x)
        """,
    ) == (True, "here", True, True, False, "torch.DoubleTensor", True)


def test_a_pointer_stays_good(rt: Runtime) -> None:
    if rt.engine == "lua51":
        pytest.skip("no pointers in plain Lua 5.1")
    assert lua(
        rt,
        """
        local x = torch.Tensor(3):fill(1)
        local p = x:data()
        torch.sort(x)
        p[1] = 5
        x:add(1)
        return p[0], p[1], x[2]
        """,
    ) == (2, 6, 6)


def test_apply_with_a_function_that_shows_python_the_tensor(rt: Runtime) -> None:
    assert lua(
        rt,
        """
        local x = torch.Tensor(3):fill(1)
        x:apply(function(v) torch.sort(x) return v + 1 end)
        return x[1], x[2], x[3]
        """,
    ) == (2, 2, 2)


# -- views and storages that move -------------------------------------------------------------------------


def test_a_view_stays_with_its_storage_when_the_tensor_leaves(rt: Runtime) -> None:
    assert lua(
        rt,
        """
        local x = torch.Tensor(300):fill(1)
        local v = x:narrow(1, 2, 2)
        x:set(torch.Tensor(300):fill(7))
        v:add(1)
        return v[1], x[2], torch.sort(v)[1]
        """,
    ) == (2, 7, 2)


def test_a_view_sees_a_storage_that_grew(rt: Runtime) -> None:
    assert lua(
        rt,
        """
        local x = torch.Tensor(3):fill(1)
        local v = x:narrow(1, 2, 2)
        local w = v[{{2}}]
        x:resize(100000):fill(7)
        return v[1], w[1], v:sum(), torch.sort(w)[1]
        """,
    ) == (7, 7, 14, 7)


def test_a_view_of_a_weight_survives_a_conversion(rt: Runtime) -> None:
    assert lua(
        rt,
        """
        require 'nn'
        local m = nn.Linear(2, 2)
        m.weight:fill(3)
        local row = m.weight[2]
        m:float()
        m.weight:fill(4)
        m:forward(torch.FloatTensor(2):fill(1))
        return torch.type(row), row[1], m.weight[2][1]
        """,
    ) == ("torch.DoubleTensor", 3, 4)


def test_a_view_of_an_output_shows_what_comes_in_its_place(rt: Runtime) -> None:
    assert lua(
        rt,
        """
        require 'nn'
        local m = nn.Square()   -- of which no loops of Lua's overwrite the output
        local first = m:forward(torch.Tensor(3):fill(1)):narrow(1, 1, 2)
        m:forward(torch.Tensor(3):fill(5))
        return first[1], first:sum(), m.output[1]
        """,
    ) == (25, 50, 25)


def test_views_made_within_a_lua_layer(rt: Runtime) -> None:
    assert lua(
        rt,
        """
        require 'nn'
        local Half, parent = torch.class('nn.Half', 'nn.Module')
        function Half:updateOutput(input)
           self.part = input:narrow(1, 1, input:size(1) / 2)
           self.output = self.part
           return self.output
        end
        local half = nn.Half()
        local model = nn.Sequential():add(nn.MulConstant(3)):add(half)
        local a = model:forward(torch.Tensor(4):fill(1))
        local first = half.part
        local b = model:forward(torch.Tensor(6):fill(2))
        return first:size(1), first[1], half.part:size(1), half.part[3], b:sum()
        """,
    ) == (2, 6, 3, 6, 18)


# -- they come and go -------------------------------------------------------------------------------------


def test_they_leave_nothing(rt: Runtime) -> None:
    lua(rt, "x = torch.Tensor(10):fill(1) m = torch.Tensor(4, 4):fill(1)")
    before = held(rt)
    lua(
        rt,
        """
        for i = 1, 20000 do
           local y = x + i
           local v = m[2]
           local w = m:narrow(2, 1, 2):narrow(1, 2, 2)
           if i % 10 == 0 then m:resize(4, 4) torch.sort(v) torch.sort(w) torch.sort(y) end
        end
        """,
    )
    assert held(rt) <= before + 2


def test_python_hears_of_them_only_when_it_must(rt: Runtime) -> None:
    if rt.engine == "lua51":
        pytest.skip("plain Lua 5.1 makes no tensors of its own")
    lua(rt, "x = torch.Tensor(10):fill(1) torch.sort(x)")
    before = held(rt)
    lua(rt, "kept = {} for i = 1, 100 do kept[i] = (x + i):narrow(1, 1, 5) end")
    assert len(rt.handles) <= before + 200  # what a view is of, and its anchor
    lua(rt, "kept = {} for i = 1, 100 do kept[i] = x + i end")
    assert held(rt) <= before + 2


# -- the same numbers -------------------------------------------------------------------------------------

BINARY = {
    "a + b": np.add,
    "a - b": np.subtract,
    "torch.add(a, b)": np.add,
    "torch.cmul(a, b)": np.multiply,
    "torch.cdiv(a, b)": np.divide,
    "a:clone():add(b)": np.add,
    "a:clone():cdiv(b)": np.divide,
    "a:clone():csub(b)": np.subtract,
}
SCALAR = {
    "a + v": np.add,
    "a - v": np.subtract,
    "a * v": np.multiply,
    "a / v": np.divide,
    "a:clone():mul(v)": np.multiply,
    "a:clone():div(v)": np.divide,
    "a:clone():fill(v)": lambda a, v: np.full_like(a, v),
}
REVERSED = {"v + a": np.add, "v - a": np.subtract, "v * a": np.multiply}
NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6)
SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=4)


@given(data=st.data(), shape=SHAPES, dtype=st.sampled_from(["float64", "float32"]), v=NUMBERS)
def test_loops_give_the_numbers_of_numpy(data: st.DataObject, shape: list[int], dtype: str, v: float) -> None:
    """Every element to the last bit, whatever the shape and the type."""
    v = v or 0.0  # a negative zero does not reach Lua as a global
    count = int(np.prod(shape))
    draw = st.lists(NUMBERS, min_size=count, max_size=count)
    a, b = (np.array(data.draw(draw), dtype).reshape(shape) for _ in range(2))
    number = np.dtype(dtype).type(v)
    with np.errstate(all="ignore"):
        for table, expected in (
            (BINARY, lambda f: f(a, b)),
            (SCALAR, lambda f: f(a, number)),
            (REVERSED, lambda f: f(number, a)),
        ):
            for call, function in table.items():
                got = evaluate(call, a, b, v)
                np.testing.assert_array_equal(got, expected(function), strict=True, err_msg=call)


def test_a_number_beyond_the_floats_is_left_to_python(rt: Runtime) -> None:
    lua(rt, "x = torch.FloatTensor(2):fill(1)")
    by_python = lua(rt, "return torch.FloatTensor(300):fill(1):mul(1e300)[1]")
    assert lua(rt, "return x:mul(1e300)[1]") == by_python


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_picked_rows(rt: Runtime, dim: int) -> None:
    x = torch.arange(24, dtype=torch.float64).view(2, 3, 4)
    picked = torch.tensor([2, 1, 2])
    rt.globals["x"], rt.globals["i"] = x, picked
    for source in ("x", "x:transpose(1, 2)"):  # the second is not dense
        got = lua(rt, f"return {source}:index({dim}, i)")
        expected = (x if source == "x" else x.transpose(0, 1)).index_select(dim - 1, picked - 1)
        assert torch.equal(got, expected), source


SHARED: list[Runtime] = []


def evaluate(call: str, a: np.ndarray, b: np.ndarray, v: float) -> np.ndarray:
    """A call on fresh tensors, in one runtime for all examples."""
    if not SHARED:
        SHARED.append(Runtime())
    rt = SHARED[0]
    rt.globals["a"], rt.globals["b"], rt.globals["v"] = torch.tensor(a), torch.tensor(b), v
    result = rt.execute(f"return {call}", "=test.lua")
    assert isinstance(result, torch.Tensor)
    return result.numpy()


def test_empty_ones(runtime: Runtime) -> None:
    """What nothing has been put into is empty for both languages, and gets sizes with or without Python."""
    assert runtime.execute(
        """
        local e, x = torch.Tensor(), torch.Tensor{{1, 2}, {3, 4}}
        return e:dim(), e:nElement(), #e:size(), e:storage() == nil, x.new():nElement(), tostring(x.new())
        """
    ) == (0, 0, 0, True, 0, "[torch.DoubleTensor with no dimension]\n")
    assert runtime.execute(
        """
        local x = torch.Tensor{{1, 2}, {3, 4}}
        local a = x.new():resizeAs(x):copy(x):mul(2)
        local b = torch.Tensor():resizeAs(a:t()):copy(a:t())
        local c = torch.Tensor():resizeAs(torch.Tensor()):resize(3):fill(1)
        local d = a:clone():resizeAs(torch.Tensor(4)):add(1)
        local e = torch.Tensor(2):fill(7):resizeAs(torch.Tensor(3))
        local f = torch.Tensor():resizeAs(torch.zeros(300))
        return a:sum(), b[1][2], c:sum(), d[4], d:dim(), e[2], e:nElement(), f:nElement(),
               torch.Tensor():set(x):sum(), torch.cat(torch.Tensor(), x[1]):sum()
        """
    ) == (20, 6, 3, 9, 1, 7, 3, 300, 10, 3)


def test_an_empty_one_as_a_field(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m = nn.Identity()
        m.buffer, m.output = torch.Tensor(), torch.FloatTensor()
        local copy = torch.deserialize(torch.serialize(m))
        return copy.buffer:dim(), copy.output:type(), copy.output:nElement(), m:forward(torch.ones(2)):sum()
        """
    ) == (0, "torch.FloatTensor", 0, 2)
