"""cat, repeatTensor, reshape, split and chunk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import assert_tensor, failure, lua, plain
from torch7py.ops import types

DOUBLE = types.DOUBLE.dtype
A = np.arange(1, 7).reshape(2, 3)
B = A + 10
PRELUDE = """
    local a = torch.range(1, 6):view(2, 3)
    local b = a + 10
    local v, e, r = torch.range(1, 2), torch.Tensor(), torch.Tensor(5)
"""


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("a, b", np.concatenate((A, B), 1)),
        ("a, b, 1", np.concatenate((A, B), 0)),
        ("a, b, 2", np.concatenate((A, B), 1)),
        ("a, b, -1", np.concatenate((A, B), 1)),
        ("a, b, 3", np.stack((A, B), 2)),
        ("{a, b, a}, 1", np.concatenate((A, B, A), 0)),
        ("{a, b}", np.concatenate((A, B), 1)),
        ("{a}", A),
        ("a:t(), b:t(), 1", np.concatenate((A.T, B.T), 0)),
        ("v, v", [1, 2, 1, 2]),
        ("v, v, 2", [[1, 1], [2, 2]]),
        ("a, v, 2", [[1, 2, 3, 1], [4, 5, 6, 2]]),
        ("{e, a, e, b}, 1", np.concatenate((A, B), 0)),
        ("e, v", [1, 2]),
        ("e, e", []),
    ],
)
def test_cat(rt: Runtime, arguments: str, expected: Any) -> None:
    assert_tensor(lua(rt, f"{PRELUDE} return torch.cat({arguments})"), expected, DOUBLE)
    for form in (f"torch.cat(r, {arguments})", f"r:cat({arguments})"):
        same, out = lua(rt, f"{PRELUDE} return rawequal(r, {form}), r")
        assert same is True
        assert_tensor(out, expected, DOUBLE)


def test_cat_as_a_method(rt: Runtime) -> None:
    assert plain(lua(rt, f"{PRELUDE} return v:cat(v), v:cat(v, 2)")) == ([1, 2, 1, 2], [[1, 1], [2, 2]])


@pytest.mark.parametrize("number_type", types.NUMBER_TYPES, ids=lambda t: t.name)
def test_of_every_type(rt: Runtime, number_type: types.NumberType) -> None:
    source = f"""
        local x = {number_type.tensor}{{{{1, 2}}, {{3, 4}}}}
        return torch.cat(x, x, 1), x:repeatTensor(1, 2), x:reshape(4), x:split(1, 2)[2], x:chunk(2)[2]"""
    results = lua(rt, source)
    assert plain(results) == (
        [[1, 2], [3, 4]] * 2,
        [[1, 2] * 2, [3, 4] * 2],
        [1, 2, 3, 4],
        [[2], [4]],
        [[3, 4]],
    )
    assert {x.dtype for x in results} == {number_type.dtype}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("a, 2, 1", np.tile(A, (2, 1))),
        ("a, 1, 3", np.tile(A, (1, 3))),
        ("a, 2, 1, 2", np.tile(A, (2, 1, 2))),
        ("a:t(), 1, 2", np.tile(A.T, (1, 2))),
        ("v, 3, 2", np.tile([1, 2], (3, 2))),
        ("v, torch.LongStorage{3, 2, 1}", np.tile([1, 2], (3, 2, 1))),
    ],
)
def test_repeat(rt: Runtime, arguments: str, expected: Any) -> None:
    receiver, _, rest = arguments.partition(", ")
    for form in (f"torch.repeatTensor({arguments})", f"{receiver}:repeatTensor({rest})"):
        assert_tensor(lua(rt, f"{PRELUDE} return {form}"), expected, DOUBLE)
    for form in (f"torch.repeatTensor(r, {arguments})", f"r:repeatTensor({arguments})"):
        assert lua(rt, f"{PRELUDE} return rawequal(r, {form})") is True
        assert_tensor(lua(rt, f"{PRELUDE} return {form}"), expected, DOUBLE)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("a, 3, 2", A.reshape(3, 2)),
        ("a, 6", A.reshape(6)),
        ("a, torch.LongStorage{1, 6}", A.reshape(1, 6)),
        ("a:t(), 2, 3", A.T.reshape(2, 3)),
    ],
)
def test_reshape(rt: Runtime, arguments: str, expected: Any) -> None:
    receiver, _, rest = arguments.partition(", ")
    for form in (f"torch.reshape({arguments})", f"{receiver}:reshape({rest})"):
        assert_tensor(lua(rt, f"{PRELUDE} return {form}"), expected, DOUBLE)
    for form in (f"torch.reshape(r, {arguments})", f"r:reshape({arguments})"):
        assert_tensor(lua(rt, f"{PRELUDE} return {form}"), expected, DOUBLE)


def test_reshape_copies(rt: Runtime) -> None:
    assert plain(lua(rt, f"{PRELUDE} local x = a:reshape(6) x[1] = 9 return a[1][1], x[1]")) == (1, 9)


@pytest.mark.parametrize(
    ("call", "sizes"),
    [
        ("x:split(2)", [(2, 4, 5), (1, 4, 5)]),
        ("x:split(3, 2)", [(3, 3, 5), (3, 1, 5)]),
        ("x:split(2, 3)", [(3, 4, 2), (3, 4, 2), (3, 4, 1)]),
        ("x:split(9)", [(3, 4, 5)]),
        ("torch.split(x, 2, 1)", [(2, 4, 5), (1, 4, 5)]),
        ("x:chunk(2, 1)", [(2, 4, 5), (1, 4, 5)]),
        ("x:chunk(2, 2)", [(3, 2, 5), (3, 2, 5)]),
        ("x:chunk(2, 3)", [(3, 4, 3), (3, 4, 2)]),
        ("x:chunk(7)", [(1, 4, 5)] * 3),
        ("x:chunk(0)", [(3, 4, 5)]),
        ("x:chunk(0, 2)", [(3, 4, 5)]),
        ("x:split(math.huge, 3)", [(3, 4, 5)]),
        ("torch.chunk(x, 3)", [(1, 4, 5)] * 3),
    ],
)
def test_split_and_chunk(rt: Runtime, call: str, sizes: list[tuple[int, ...]]) -> None:
    parts = lua(rt, f"local x = torch.rand(3, 4, 5) return {call}")
    assert [tuple(part.shape) for part in parts] == sizes


def test_parts_are_views(rt: Runtime) -> None:
    source = """
        local x = torch.zeros(3, 2)
        x:split(2)[2]:fill(1)
        x:chunk(2, 2)[1][1] = 5
        return x"""
    assert plain(lua(rt, source)) == [[5, 0], [0, 0], [1, 1]]


@pytest.mark.parametrize("name", ["split", "chunk"])
def test_a_given_table_is_emptied_and_filled(rt: Runtime, name: str) -> None:
    source = f"""
        local t, x = {{1, 2, 3, 'x'}}, torch.range(1, 4)
        local same = rawequal(t, torch.{name}(t, x, 2, 1))
        return same, #t, t[1], t[2], t[3]"""
    assert plain(lua(rt, source)) == (True, 2, [1, 2], [3, 4], None)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("torch.cat(a, b:t(), 2)", "cat: inconsistent tensor sizes along dimension 2: 2x3, 3x2"),
        ("torch.cat(a, a:float())", "invalid arguments for function 'cat'"),
        (
            "torch.cat({a, a:float()})",
            "cat: expected torch.DoubleTensor in tensor array, got torch.FloatTensor",
        ),
        ("torch.cat({})", "cat: expected at least one tensor"),
        ("torch.cat({a, 3})", "cat: expected torch.DoubleTensor in tensor array, got int"),
        ("torch.cat(a, b, 0)", "cat: invalid dimension 0"),
        ("torch.repeatTensor(a, 2)", "can not be smaller than number of dimensions of tensor"),
        ("torch.repeatTensor(a, 2, 0)", "cannot repeat 0 times"),
        ("a:reshape(5)", "reshape: 6 elements do not make 5"),
        ("a:split(0)", "split: size must be at least 1, got 0"),
        ("a:split(1, 3)", "dimension 3 out of range of 2D tensor"),
        ("a:chunk(-1)", "number of chunks must not be below 0"),
    ],
)
def test_errors(rt: Runtime, expression: str, message: str) -> None:
    prelude = " ".join(PRELUDE.split())
    assert message in failure(rt, f"{prelude} local _ = {expression}")


def test_cat_into_a_tensor(rt: Runtime) -> None:
    """One that has to grow, one with gaps, one that is among those put together."""
    a, b = torch.rand(30, 40, dtype=torch.float64), torch.rand(30, 50, dtype=torch.float64)
    expected = torch.cat([a, b], 1)
    wide = torch.zeros(30, 180, dtype=torch.float64)
    for out in (torch.zeros(3, dtype=torch.float64), wide[:, 90:], wide[:, ::2]):
        for call in ("r:cat(a, b, 2)", "r:cat({a, b}, 2)", "torch.cat(r, {a, torch.Tensor(), b})"):
            out.zero_()
            lua(rt, call, a=a, b=b, r=out)
            assert torch.equal(out, expected)
    assert torch.equal(lua(rt, "return a:cat(a, b, 2)", a=a.clone(), b=b), expected)
    assert torch.equal(lua(rt, "return a:cat({b, a}, 2)", a=a.clone(), b=b), torch.cat([b, a], 1))
    assert lua(rt, "return a:cat({torch.Tensor(), torch.Tensor()})", a=a.clone()).numel() == 0
