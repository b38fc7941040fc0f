"""Rows and elements by index, masks, and x[k] for what is no number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import assert_tensor, check_query, failure, lua, plain
from tests.together import together

TYPES = (torch.float64, torch.float32, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
X = np.arange(1, 13).reshape(3, 4)
INDEX = torch.tensor([3, 1, 3])
MASK = torch.tensor([[1, 0, 0, 1], [0, 0, 0, 0], [0, 1, 1, 0]], dtype=torch.uint8)


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


def tensor(dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.tensor(X, dtype=dtype)


@pytest.mark.parametrize("dtype", TYPES)
class TestReading:
    def test_index(self, rt: Runtime, dtype: torch.dtype) -> None:
        for form in ("x:index(1, i)", "r:index(x, 1, i)", "x.index(r, x, 1, i)"):
            found = lua(
                rt, f"local r = x.new(7) local y = {form} return y == i and r or y", x=tensor(dtype), i=INDEX
            )
            assert_tensor(found, X[[2, 0, 2]], dtype)
        assert_tensor(lua(rt, "return x:t():index(1, i)", x=tensor(dtype), i=INDEX), X.T[[2, 0, 2]], dtype)
        assert_tensor(lua(rt, "return x:index(2, i)", x=tensor(dtype), i=INDEX), X[:, [2, 0, 2]], dtype)
        assert_tensor(lua(rt, "return x[1]:index(1, i)", x=tensor(dtype), i=INDEX), [3, 1, 3], dtype)

    def test_gather(self, rt: Runtime, dtype: torch.dtype) -> None:
        index = torch.tensor([[1, 2, 3, 1], [2, 2, 1, 3]])
        check_query(
            rt, "gather", "1, i", tensor(dtype), (np.take_along_axis(X, index.numpy() - 1, 0), dtype), i=index
        )
        index = torch.tensor([[4], [1], [2]])
        check_query(rt, "gather", "2, i", tensor(dtype), ([[4], [5], [10]], dtype), i=index)

    def test_masked_select(self, rt: Runtime, dtype: torch.dtype) -> None:
        check_query(rt, "maskedSelect", "m", tensor(dtype), ([1, 4, 10, 11], dtype), m=MASK)

    def test_mask_of_another_shape(self, rt: Runtime, dtype: torch.dtype) -> None:
        source = "return x:maskedSelect(m), x[m], x:t():maskedSelect(m)"
        found = lua(rt, source, x=tensor(dtype), m=MASK.view(2, 6))
        assert plain(found) == ([1, 4, 10, 11], [1, 4, 10, 11], [1, 2, 4, 8])
        assert {x.dtype for x in found} == {dtype}

    def test_nonzero(self, rt: Runtime, dtype: torch.dtype) -> None:
        x = torch.tensor([[0, 3, 0], [1, 0, 2]], dtype=dtype)
        check_query(rt, "nonzero", "", x, ([[1, 2], [2, 1], [2, 3]], torch.int64))
        assert plain(lua(rt, "return x[2]:nonzero(), (x * 0):nonzero():dim()", x=x)) == ([[1], [3]], 0)

    def test_nonzero_of_more_elements_than_there_is_memory_for(self, rt: Runtime, dtype: torch.dtype) -> None:
        x = torch.tensor([[0], [2]], dtype=dtype)
        source = "return x[1]:view(1, 1):expand(2 ^ 20, 2 ^ 20):nonzero():dim(), x:expand(2, 2):nonzero()"
        assert plain(lua(rt, source, x=x)) == (0, [[2, 1], [2, 2]])
        source = "local large = x[2]:view(1, 1):expand(2 ^ 20, 2 ^ 20) return pcall(large.nonzero, large)"
        done, message = lua(rt, source, x=x)
        assert not done
        assert "not enough memory" in message


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("turned", [False, True])
class TestWriting:
    def run(self, rt: Runtime, dtype: torch.dtype, turned: bool, call: str, **values: Any) -> Any:
        """The tensor after a call, from memory in order or transposed."""
        x = tensor(dtype).t().contiguous().t() if turned else tensor(dtype)
        lua(rt, call, x=x, **values)
        return x.tolist()

    def test_index_copy(self, rt: Runtime, dtype: torch.dtype, turned: bool) -> None:
        src = torch.tensor([[20, 21, 22], [30, 31, 32]], dtype=dtype).t()
        found = self.run(rt, dtype, turned, "x:indexCopy(2, i, s)", i=torch.tensor([4, 1]), s=src)
        expected = X.copy()
        expected[:, [3, 0]] = src.numpy()
        assert found == expected.tolist()

    def test_index_add(self, rt: Runtime, dtype: torch.dtype, turned: bool) -> None:
        src = torch.ones(3, 4, dtype=dtype)
        found = self.run(rt, dtype, turned, "x:indexAdd(1, i, s)", i=INDEX, s=src)
        assert found == (X + np.array([[1], [0], [2]])).tolist()

    def test_index_fill(self, rt: Runtime, dtype: torch.dtype, turned: bool) -> None:
        found = self.run(rt, dtype, turned, "x:indexFill(2, i, 7.9)", i=torch.tensor([2, 3]))
        expected = X.astype(float)
        expected[:, 1:3] = 7.9 if dtype.is_floating_point else 7
        np.testing.assert_allclose(found, expected, rtol=1e-6)

    def test_scatter(self, rt: Runtime, dtype: torch.dtype, turned: bool) -> None:
        index = torch.tensor([[1, 2, 3, 1], [3, 1, 1, 2]])
        src = torch.arange(21, 29).to(dtype).view(2, 4)
        found = self.run(rt, dtype, turned, "x:scatter(1, i, s)", i=index, s=src)
        expected = X.copy()
        np.put_along_axis(expected, index.numpy() - 1, src.numpy().astype(X.dtype), 0)
        assert found == expected.tolist()

    def test_scatter_of_a_number(self, rt: Runtime, dtype: torch.dtype, turned: bool) -> None:
        found = self.run(rt, dtype, turned, "x:scatter(2, i, 99)", i=torch.tensor([[4], [1], [2]]))
        assert found == [[1, 2, 3, 99], [99, 6, 7, 8], [9, 99, 11, 12]]

    def test_masked_fill(self, rt: Runtime, dtype: torch.dtype, turned: bool) -> None:
        found = self.run(rt, dtype, turned, "x:maskedFill(m, 77)", m=MASK)
        assert found == np.where(MASK.numpy() == 1, 77, X).tolist()

    def test_masked_copy(self, rt: Runtime, dtype: torch.dtype, turned: bool) -> None:
        src = torch.tensor([[50, 51, 52], [53, 54, 55]], dtype=dtype)
        found = self.run(rt, dtype, turned, "x:maskedCopy(m, s)", m=MASK, s=src)
        assert found == [[50, 2, 3, 51], [5, 6, 7, 8], [9, 52, 53, 12]]


class TestBrackets:
    def test_mask(self, rt: Runtime) -> None:
        assert plain(lua(rt, "return x[m]", x=tensor(), m=MASK)) == [1, 4, 10, 11]
        assert lua(rt, "return x[m:zero()]:dim()", x=tensor(), m=MASK.clone()) == 0

    def test_mask_takes_a_number(self, rt: Runtime) -> None:
        x = tensor()
        lua(rt, "x[m] = -1", x=x, m=MASK)
        assert x.tolist() == [[-1, 2, 3, -1], [5, 6, 7, 8], [9, -1, -1, 12]]

    def test_mask_takes_a_tensor(self, rt: Runtime) -> None:
        x = tensor(torch.int32)
        lua(rt, "x[m] = torch.IntTensor{50, 51, 52, 53}", x=x, m=MASK)
        assert x.tolist() == [[50, 2, 3, 51], [5, 6, 7, 8], [9, 52, 53, 12]]

    def test_mask_of_a_byte_tensor_by_comparison(self, rt: Runtime) -> None:
        assert plain(lua(rt, "x[x:gt(10)] = 0 return x", x=tensor(torch.uint8)))[2] == [9, 10, 0, 0]

    def test_position(self, rt: Runtime) -> None:
        source = """
            local L = torch.LongStorage
            x[L{2, -1}] = 50
            return x[L{2, 3}], x[L{-1, -4}], x[L{2, 4}], x:t()[L{4, 2}]"""
        assert lua(rt, source, x=tensor()) == (7, 9, 50, 50)


def test_the_last_of_equal_indices_counts(rt: Runtime) -> None:
    source = "x = torch.zeros(2) x:indexCopy(1, torch.LongTensor{2, 2, 2}, torch.Tensor{1, 2, 3}) return x"
    assert plain(lua(rt, source)) == [0, 3]


def test_slices_of_another_shape(rt: Runtime) -> None:
    """The rows of the source need only have as many elements as those of the receiver."""
    source = """local x = torch.zeros(3, 2, 2)
        x:indexCopy(1, torch.LongTensor{3, 1}, torch.range(1, 8):view(2, 4))
        return x"""
    assert plain(lua(rt, source)) == [[[5, 6], [7, 8]], [[0, 0], [0, 0]], [[1, 2], [3, 4]]]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x:index(1, torch.LongTensor{4})", "index: index 4 out of range of dimension 1 of size 3"),
        ("x:index(1, torch.LongTensor{0})", "index: index 0 out of range of dimension 1 of size 3"),
        ("x:index(3, torch.LongTensor{1})", "dimension 3 out of range of 2D tensor"),
        ("x:index(1, torch.LongTensor{{1}})", "index: index is supposed to be a vector"),
        ("x:index(1, torch.IntTensor{1})", "invalid arguments for method 'index'"),
        ("x:index(1, {1})", "invalid arguments for method 'index'"),
        ("x:indexCopy(1, torch.LongTensor{1, 2}, x)", "indexCopy: 2 indices for 3 slices of the source"),
        ("x:indexAdd(1, torch.LongTensor{1}, torch.Tensor(1, 3))", "indexAdd: slices of different size: 1x3"),
        ("x:indexFill(1, torch.LongTensor{9}, 1)", "indexFill: index 9 out of range"),
        ("x:gather(1, torch.LongTensor{1})", "index tensor must have same dimensions as input tensor"),
        (
            "x:gather(1, torch.LongTensor{{1, 2}})",
            "gather: index of size 1x2 for a tensor of size 3x4, dimension 1",
        ),
        ("x:gather(1, torch.LongTensor{{1, 2, 3, 4}})", "gather: index 4 out of range"),
        ("x:scatter(2, torch.LongTensor{{5}, {1}, {1}}, 1)", "scatter: index 5 out of range"),
        ("x:maskedFill(torch.ByteTensor(5), 1)", "maskedFill: a mask of 5 elements for a tensor of 12"),
        ("x:maskedFill(torch.ByteTensor(12):fill(2), 1)", "Mask tensor can take 0 and 1 values only"),
        (
            "x:maskedCopy(torch.ByteTensor(12):fill(1), torch.Tensor(3))",
            "3 elements of src for 12 ones in the mask",
        ),
        ("x[torch.LongTensor{1}] = 3", "invalid arguments"),
        ("local v = x[torch.LongStorage{1}]", "invalid size: 1 indices for a 2D tensor"),
        ("local v = x[torch.LongStorage{1, 5}]", "index 5 is out of bounds for dimension 2 of size 4"),
        (
            "local v = x[torch.IntStorage{1, 1}]",
            "a tensor is indexed by a LongStorage, not by a torch.IntStorage",
        ),
        ("x.foo = 3", "invalid arguments"),
    ],
)
def test_errors(rt: Runtime, source: str, message: str) -> None:
    assert message in failure(rt, f"local x = torch.Tensor(3, 4) {source}")


# -- large tensors, which kernels work on ------------------------------------------------------------------

SHAPES = [(5000,), (90, 70), (70, 90), (12, 20, 40), (40, 2, 70), (3, 4, 5, 100)]
GATHERED = [(shape, dim) for shape in SHAPES for dim in range(len(shape))]


def some(shape: tuple[int, ...], dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randint(-100, 100, shape).to(dtype)


def an_index(shape: tuple[int, ...], dim: int, count: int) -> torch.Tensor:
    """Numbers from 1 in the shape, ``count`` of them along the dimension."""
    return torch.randint(1, shape[dim] + 1, (*shape[:dim], count, *shape[dim + 1 :]))


@together("dtype", TYPES)
@together(("shape", "dim"), GATHERED)
def test_gather_and_scatter_of_large_tensors(
    rt: Runtime, shape: tuple[int, ...], dim: int, dtype: torch.dtype
) -> None:
    count = shape[dim] + 3
    x, index = some(shape, dtype), an_index(shape, dim, count)
    expected = x.gather(dim, index - 1)
    for form in ("x:gather(d, i)", "x.new():gather(x, d, i)", "x.gather(x.new(7, 7), x, d, i)"):
        assert torch.equal(lua(rt, f"return {form}", x=x, i=index, d=dim + 1), expected)
    taken = some(tuple(index.shape), dtype)
    # One after the other along the dimension, so that of equal indices the last counts.
    put = x.clone()
    for j in range(count):
        put.scatter_(dim, index.narrow(dim, j, 1) - 1, taken.narrow(dim, j, 1))
    assert torch.equal(lua(rt, "return x:clone():scatter(d, i, y)", x=x, i=index, d=dim + 1, y=taken), put)
    filled = x.clone().scatter_(dim, index - 1, 7)
    assert torch.equal(lua(rt, "return x:clone():scatter(d, i, 7)", x=x, i=index, d=dim + 1), filled)


@pytest.mark.parametrize("dim", [0, 1])
def test_gather_and_scatter_by_several_threads(rt: Runtime, dim: int) -> None:
    """Of equal indices the last counts there, too."""
    shape = (300, 200)  # enough elements for several threads
    x, index = some(shape), an_index(shape, dim, shape[dim])
    put, before = x.clone(), torch.get_num_threads()
    for j in range(shape[dim]):
        put.scatter_(dim, index.narrow(dim, j, 1) - 1, x.narrow(dim, j, 1) + 1)
    torch.set_num_threads(2)
    try:
        program = "return x:gather(d, i), x:clone():scatter(d, i, x + 1), x:ge(0):nonzero()"
        gathered, scattered, places = lua(rt, program, x=x, i=index, d=dim + 1)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(gathered, x.gather(dim, index - 1))
    assert torch.equal(scattered, put)
    assert torch.equal(places, torch.nonzero(x >= 0) + 1)


@pytest.mark.parametrize("wrong", [0, -3, 71, 2**32 + 1])
def test_an_index_out_of_range_in_a_large_tensor(rt: Runtime, wrong: int) -> None:
    x, index = some((90, 70)), an_index((90, 70), 1, 70)
    index[50, 7] = wrong
    rest = some((90, 70))
    for call in ("r:gather(x, 2, i)", "r:scatter(2, i, x)", "r:scatter(2, i, 3)"):
        before = rest.clone()
        rt.globals["x"], rt.globals["i"], rt.globals["r"] = x, index, rest
        message = failure(rt, call)
        assert f"index {wrong} out of range of dimension 2 of size 70" in message
        assert torch.equal(rest, before)


def test_gather_and_scatter_within_one_storage(rt: Runtime) -> None:
    both = torch.cat([an_index((80, 80), 1, 80), an_index((80, 80), 1, 80)])
    x, index = both[:80], both[80:]
    expected = x.gather(1, index - 1)
    assert torch.equal(lua(rt, "return x:gather(2, i)", x=x, i=index), expected)
    assert torch.equal(lua(rt, "return x:gather(x, 2, i)", x=x.clone(), i=index), expected)
    scattered = x.clone().scatter_(1, index - 1, index)
    assert torch.equal(lua(rt, "return x:scatter(2, i, i)", x=x, i=index), scattered)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("part", [0.0, 0.4, 1.0])
def test_masks_of_large_tensors(rt: Runtime, dtype: torch.dtype, part: float) -> None:
    x, src = some((91, 71), dtype), some((7000,), dtype)
    mask = np.random.default_rng(0).random((91, 71)) < part
    expected = [x.numpy()[mask], x.numpy().copy(), x.numpy().copy()]
    expected[1][mask] = 7
    expected[2][mask] = src.numpy()[: mask.sum()]
    program = """local filled = x:clone()
        filled:maskedFill(m, 7)
        return x:maskedSelect(m), filled, x:clone():maskedCopy(m, s)"""
    for given in (x, x.t().contiguous().t()):  # the second one is PyTorch's
        results = lua(rt, program, x=given, m=torch.tensor(mask).byte(), s=src)
        for found, wanted in zip(results, expected, strict=True):
            assert np.array_equal(found.numpy().reshape(wanted.shape), wanted)


def test_a_mask_of_more_ones_than_elements_to_copy(rt: Runtime) -> None:
    rt.globals["x"], rt.globals["m"] = some((90, 70)), torch.ones(90, 70, dtype=torch.uint8)
    before = rt.globals["x"].clone()
    message = failure(rt, "x:maskedCopy(m, torch.Tensor(6299))")
    assert "6299 elements of src for 6300 ones" in message
    assert torch.equal(rt.globals["x"], before)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_nonzero_of_large_tensors(rt: Runtime, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    for part in (0.0, 0.4, 1.0):
        x = (some(shape).abs().add(1) * (torch.rand(shape) < part)).to(dtype)
        expected = np.argwhere(x.numpy()) + 1
        found = lua(rt, "return x:nonzero()", x=x)
        assert np.array_equal(found.numpy().reshape(-1, len(shape)), expected)
        assert found.is_contiguous()


def test_nonzero_knows_the_zeros_and_what_is_none(rt: Runtime) -> None:
    for dtype in (torch.float64, torch.float32):
        x = torch.zeros(5000, dtype=dtype)
        small = torch.finfo(dtype).smallest_normal * torch.finfo(dtype).eps
        x[:5] = torch.tensor([-0.0, small, -small, torch.nan, -torch.inf], dtype=dtype)
        assert lua(rt, "return x:nonzero()", x=x).flatten().tolist() == [2, 3, 4, 5]


def test_a_result_tensor_gets_the_rows(rt: Runtime) -> None:
    x, index = some((90, 70)), torch.randint(1, 91, (100,))
    wide = torch.zeros(100, 140, dtype=torch.float64)
    expected = x.index_select(0, index - 1)
    for out in (torch.zeros(3, dtype=torch.float64), wide[:, 70:], wide[:, ::2]):
        lua(rt, "r:index(x, 1, i)", x=x, i=index, r=out)
        assert torch.equal(out, expected)
    kept = wide.clone()
    index[3] = 91
    rt.globals["x"], rt.globals["r"] = x, wide
    assert "index 91 out of range" in failure(rt, "r:index(x, 1, i)")
    assert torch.equal(wide, kept)


def test_rows_of_a_tensor_itself_are_taken_one_after_the_other(rt: Runtime) -> None:
    x, order = some((90, 70)), torch.randint(1, 91, (90,))
    expected = x.clone()
    for at, row in enumerate(order.tolist()):
        expected[at] = expected[row - 1]
    assert torch.equal(lua(rt, "x:index(x, 1, i) return x", x=x, i=order), expected)
