"""Parts of a tensor by number, and numbers as vectors: what the golden cases leave out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.nn.faces import assert_faces_agree, values
from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.nn.selecting import Index, MaskedSelect, Narrow, OneHot, Select


@pytest.mark.parametrize(
    ("make", "given", "expected"),
    [
        (lambda: Select(1, 2), values(5, 2), lambda x: x[1]),
        (lambda: Select(2, -1), values(3, 4, 2), lambda x: x[:, 3]),
        (lambda: Select(-2, 1), values(3, 4, 2), lambda x: x[:, 0]),
        (lambda: Narrow(1, 2), values(4, 3), lambda x: x[1:2]),
        (lambda: Narrow(2, 2, -1), values(3, 5), lambda x: x[:, 1:]),
        (lambda: Narrow(2, 2, -2), values(3, 5), lambda x: x[:, 1:4]),
        (lambda: Narrow(1, -1, 2), values(5), lambda x: x[:3]),
    ],
)
def test_slices(
    make: Callable[[], Any], given: torch.Tensor, expected: Callable[[torch.Tensor], Any]
) -> None:
    output = assert_faces_agree(make(), given)
    assert torch.equal(output, expected(given))
    assert output.is_contiguous()


@pytest.mark.parametrize("layer", ["nn.Select(1, 1)", "nn.Narrow(1, 1, 2)"])
def test_the_output_is_a_copy(runtime: Runtime, layer: str) -> None:
    maximum = runtime.execute(
        f"require 'nn' local x = torch.ones(2, 3) local y = {layer}:forward(x) y:fill(7) return x:max()"
    )
    assert maximum == 1


def test_index_along_an_inner_dimension() -> None:
    given = [values(2, 4), torch.tensor([4, 1, 4])]
    layer = Index(2)
    output = assert_faces_agree(layer, given)
    assert torch.equal(output, given[0][:, [3, 0, 3]])
    gradient = layer.backward(given, torch.ones(2, 3, dtype=torch.float64))
    assert gradient[0].tolist() == [[1, 0, 0, 2], [1, 0, 0, 2]]
    assert gradient[1].tolist() == [0, 0, 0]


def test_masked_select() -> None:
    mask = torch.tensor([[1, 0, 1], [0, 0, 1]], dtype=torch.uint8)
    layer = MaskedSelect()
    output = assert_faces_agree(layer, [values(2, 3), mask])
    assert torch.equal(output, values(2, 3)[mask.bool()])
    gradient = layer.backward([values(2, 3), mask], torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))
    assert gradient[0].tolist() == [[1, 0, 2], [0, 0, 3]]
    assert gradient[1].dtype == torch.uint8
    assert not gradient[1].any()


def test_masked_select_in_lua(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m, x = nn.MaskedSelect(), torch.Tensor{{1, 2}, {3, 4}}
        local mask = torch.ByteTensor{{0, 1}, {1, 0}}
        local y = m:forward{x, mask}
        local g = m:backward({x, mask}, y * 10)
        return y[1], y[2], g[1][1][2], g[1][2][2], torch.type(g[2]), m:float():forward{x:float(), mask}[1]
        """
    ) == (2, 3, 20, 0, "torch.ByteTensor", 2)


@pytest.mark.parametrize("dtype", [torch.int64, torch.float64, torch.float32])
def test_one_hot(dtype: torch.dtype) -> None:
    given = torch.tensor([[1, 3], [2, 4]], dtype=dtype)
    layer = OneHot(4)
    output = layer.updateOutput(given)
    assert output.dtype == torch.float64
    assert torch.equal(output, torch.eye(4, dtype=torch.float64)[given.long() - 1])
    gradient = layer.backward(given, output)
    assert gradient.shape == (2, 2)
    assert not gradient.any()


def test_one_hot_of_a_number(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m = nn.OneHot(3)
        local y = m:forward(2)
        return y:dim(), y[1], y[2], y[3], m:updateGradInput(2, y)
        """
    ) == (1, 0, 1, 0, 0)


@pytest.mark.one_runtime
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("nn.Select(3, 1):forward(x)", "nn.Select: no dimension 3 in an input of 2 dimensions"),
        ("nn.Select(1, 3):forward(x)", "nn.Select: index 3 out of range 1 to 2"),
        ("nn.Select(1, -3):forward(x)", "nn.Select: index -3 out of range 1 to 2"),
        ("nn.Select(1, 0):forward(x)", "nn.Select: index 0 out of range 1 to 2"),
        ("nn.Select(1)", r"nn.Select: argument #2 \('index'\) is missing"),
        ("nn.Select(1, 1):backward(x, x)", "nn.Select: gradOutput is 2x3, the output 1x3"),
        ("nn.Narrow(1, 2, 2):forward(x)", "nn.Narrow: 2 slices from number 2 on, there are 2"),
        ("nn.Narrow(1, 1, 0):forward(x)", "nn.Narrow: 0 slices from number 1 on"),
        ("nn.Narrow(1)", r"nn.Narrow: argument #2 \('offset'\) is missing"),
        ("nn.Narrow(2, 1, 2):backward(x, x)", "nn.Narrow: gradOutput is 2x3, the output 2x2"),
        ("nn.Index(1):forward{x, torch.LongTensor{3}}", "nn.Index: index 3 out of range 1 to 2"),
        ("nn.Index(1):forward{x, torch.LongTensor{0}}", "nn.Index: index 0 out of range 1 to 2"),
        ("nn.Index(1):forward{x, torch.LongTensor(1, 1)}", "nn.Index: the indices must be a vector, not 1x1"),
        ("nn.Index(1):forward(x)", "nn.Index: the input must be a table of 2"),
        ("nn.MaskedSelect():forward{x, torch.ByteTensor(4)}", "nn.MaskedSelect: cannot view 4 as 2x3"),
        ("nn.OneHot(2):forward(torch.Tensor{3})", "nn.OneHot: index 3 out of range 1 to 2"),
        ("nn.OneHot(2):forward(0)", "nn.OneHot: index 0 out of range 1 to 2"),
        ("nn.OneHot()", r"nn.OneHot: argument #1 \('outputSize'\) is missing"),
    ],
)
def test_bad_input(runtime: Runtime, code: str, message: str) -> None:
    with pytest.raises(LuaError, match=rf"^test.lua:2: {message}"):
        runtime.execute(f"require 'nn' local x = torch.ones(2, 3)\nlocal r = {code}", "@test.lua")
