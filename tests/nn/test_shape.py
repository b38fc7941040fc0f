"""The layers that change a tensor's shape: what the golden cases leave out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.nn.faces import assert_faces_agree, values
from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.nn.shape import (
    Collapse,
    Contiguous,
    Padding,
    Replicate,
    Reshape,
    Squeeze,
    Transpose,
    Unsqueeze,
    View,
)
from torch7py.ops.errors import TorchError

SHAPES: list[tuple[Callable[[], Any], tuple[int, ...], tuple[int, ...]]] = [
    (lambda: View(6), (2, 3), (6,)),
    (lambda: View(3, -1), (2, 6), (3, 4)),
    (lambda: View(1, 6), (1, 6), (1, 6)),
    (lambda: View(6).setNumInputDims(2), (1, 2, 3), (1, 6)),
    (lambda: View(3, -1).setNumInputDims(2), (5, 2, 6), (5, 3, 4)),
    (lambda: View(-1).setNumInputDims(1), (2, 5, 3), (10, 3)),
    (lambda: Reshape(6, 2), (3, 4), (6, 2)),
    (lambda: Reshape(4), (1, 4), (1, 4)),
    (lambda: Reshape(4, False), (1, 4), (4,)),
    (lambda: Reshape(4, True), (4, 4), (4, 4)),
    (lambda: Reshape(3, 2, True), (1, 6), (1, 3, 2)),
    (lambda: Collapse(2), (3, 4), (12,)),
    (lambda: Collapse(1), (3, 4, 2), (3, 8)),
    (lambda: Squeeze(), (1, 1), (1,)),
    (lambda: Squeeze(2), (3, 1, 4), (3, 4)),
    (lambda: Squeeze(1), (3, 1), (3, 1)),
    (lambda: Squeeze(1), (1,), (1,)),
    (lambda: Squeeze(1, 2), (5, 1, 4), (5, 4)),
    (lambda: Squeeze(None, 2), (1, 1, 4), (1, 4)),
    (lambda: Unsqueeze(3), (2, 3), (2, 3, 1)),
    (lambda: Unsqueeze(1, 2), (5, 2, 3), (5, 1, 2, 3)),
    (lambda: Contiguous(), (2, 3), (2, 3)),
    (lambda: Transpose([1, -1]), (2, 3, 4), (4, 3, 2)),
    (lambda: Transpose([1, 2]).setNumInputDims(2), (5, 2, 3), (5, 3, 2)),
    (lambda: Replicate(3, 2), (2, 4), (2, 3, 4)),
    (lambda: Replicate(3, 3), (2, 4), (2, 4, 3)),
    (lambda: Replicate(3, 1, 1), (2, 4), (2, 3, 4)),
    (lambda: Replicate(3, 1, 2), (2, 4), (3, 2, 4)),
    (lambda: Padding(2, -2), (3, 4), (3, 6)),
    (lambda: Padding(1, 2, 2, 0.5), (3, 2, 4), (3, 4, 4)),
]


@pytest.mark.parametrize(("make", "given", "expected"), SHAPES)
def test_shapes_and_gradients(
    make: Callable[[], Any], given: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    output = assert_faces_agree(make(), values(*given))
    assert tuple(output.shape) == expected


def test_a_view_is_of_what_lies_in_one_piece() -> None:
    given = values(4, 3).t()
    with pytest.raises(TorchError, match=r"nn\.View: the input must be contiguous"):
        View(6, 2).updateOutput(given)
    assert View(6, 2)(given).flatten().tolist() == given.flatten().tolist()  # PyTorch's call


@pytest.mark.parametrize("make", [lambda: Reshape(6, 2), lambda: Contiguous()])
def test_elements_keep_their_order_whatever_the_strides(make: Callable[[], Any]) -> None:
    given = values(4, 3).t()
    output = make().updateOutput(given)
    assert output.flatten().tolist() == given.flatten().tolist()


@pytest.mark.parametrize(
    "layer", ["nn.View(6)", "nn.Reshape(6)", "nn.Collapse(2)", "nn.Squeeze()", "nn.Unsqueeze(1)"]
)
def test_the_output_is_on_the_memory_of_the_input(runtime: Runtime, layer: str) -> None:
    same = runtime.execute(
        f"require 'nn' local x = torch.ones(2, 3) local y = {layer}:forward(x) y:fill(7) return x:min()"
    )
    assert same == 7


@pytest.mark.parametrize("layer", ["nn.Transpose({1, 2})", "nn.Padding(1, 1)"])
def test_the_output_is_a_copy(runtime: Runtime, layer: str) -> None:
    maximum = runtime.execute(
        f"require 'nn' local x = torch.ones(2, 3) local y = {layer}:forward(x) y:fill(7) return x:max()"
    )
    assert maximum == 1


def test_transposed_elements() -> None:
    given = values(2, 3, 4)
    output = Transpose([1, 2], [2, 3]).updateOutput(given)
    assert torch.equal(output, given.permute(1, 2, 0))
    assert output.is_contiguous()


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (lambda: Padding(1, 2), [1, 2, 3, 0, 0]),
        (lambda: Padding(1, -2), [0, 0, 1, 2, 3]),
        (lambda: Padding(1, -1, None, 9, 2), [1, 9, 2, 3]),
        (lambda: Padding(1, 1, None, 9, 2), [1, 2, 9, 3]),
        (lambda: Padding(1, 1, None, 9, 4), [9, 1, 2, 3]),
    ],
)
def test_where_padding_stands(layer: Callable[[], Any], expected: list[float]) -> None:
    assert layer().updateOutput(torch.tensor([1.0, 2.0, 3.0])).tolist() == expected


def test_integers_pass() -> None:
    given = torch.arange(6).reshape(2, 3)
    assert View(3, 2).updateOutput(given).dtype == torch.int64
    assert Transpose([1, 2]).updateOutput(given).tolist() == given.t().tolist()


def test_unsqueeze_takes_the_first_input_for_one_example() -> None:
    layer = Unsqueeze(1)
    assert layer.updateOutput(values(2, 3)).shape == (1, 2, 3)
    assert layer.updateOutput(values(5, 2, 3)).shape == (5, 1, 2, 3)


def test_sizes_in_lua(runtime: Runtime) -> None:
    result = runtime.execute(
        """
        require 'nn'
        local v = nn.View(torch.LongStorage{2, 3})
        local before = tostring(v)
        v:resetSize(6)
        local r = nn.Reshape(torch.LongStorage{2, 3})
        return before, tostring(v), v.size[1], v.numElements, tostring(r), r.nelement, r.batchsize[3]
        """
    )
    assert result == ("nn.View(2, 3)", "nn.View(6)", 6, 6, "nn.Reshape(2x3)", 6, 3)


def test_sizes_as_strings(runtime: Runtime) -> None:
    """As options of a command line give them; torch.LongStorage{'2', 3} is one of numbers."""
    runtime.execute("require 'nn' x = torch.range(1, 6)")
    assert runtime.execute(
        "return nn.View('2', 3):forward(x)[2][1], nn.Reshape('3', '2'):forward(x)[3][1]"
    ) == (4, 5)
    with pytest.raises(LuaError, match=r"x.lua:1: nn.View: the sizes must be numbers or"):
        runtime.execute("nn.View('two')", "@x.lua")


def test_a_clone_has_sizes_of_its_own(runtime: Runtime) -> None:
    assert runtime.execute(
        "require 'nn' local v = nn.View(6) local w = v:clone() w.size[1] = 3 return v.size[1], w.size[1]"
    ) == (6, 3)


@pytest.mark.one_runtime
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("nn.View(5):forward(x)", "nn.View: cannot view 2x3 as 5"),
        ("nn.View(4, -1):forward(x)", "nn.View: cannot view 2x3 as 4x-1"),
        ("nn.View(-1):forward(torch.Tensor())", "nn.View: the input is empty"),
        ("nn.View(6):setNumInputDims(3):forward(x)", "nn.View: an input of 2 dimensions where 3 are one"),
        ("nn.View()", "nn.View: the sizes must be numbers or a LongStorage"),
        ("nn.View(-1, -1)", "nn.View: the sizes must be positive, and one may be -1"),
        ("nn.Reshape(5):forward(x)", "nn.Reshape: cannot view 2x3 as 2x5"),
        ("nn.Reshape('a')", "nn.Reshape: the sizes must be numbers"),
        ("nn.Unsqueeze(4):forward(x)", "nn.Unsqueeze: no position 4 in an input of 2 dimensions"),
        ("nn.Unsqueeze()", r"nn.Unsqueeze: argument #1 \('pos'\) is missing"),
        ("nn.Squeeze(3):forward(x)", "nn.Squeeze: no dimension 3 in an input of 2 dimensions"),
        ("nn.Transpose({1, 3}):forward(x)", "nn.Transpose: no dimension 3 in an input of 2 dimensions"),
        ("nn.Transpose(1, 2)", "nn.Transpose: each argument must be a table of two dimensions"),
        ("nn.Replicate(3, 4):forward(x)", "nn.Replicate: no new dimension 4 in an input of 2 dimensions"),
        ("nn.Replicate(3, 0)", "nn.Replicate: the dimension must be above 0"),
        ("nn.Padding(1, 1, nil, 0, 9):forward(x)", "nn.Padding: index 9 out of range 1 to 3"),
        ("nn.View(6):backward(x, torch.ones(5))", "nn.View: gradOutput is 5, the output 2x3"),
        ("nn.Transpose({1, 2}):backward(x, torch.ones(5))", "nn.Transpose: gradOutput is 5, the output 3x2"),
        ("nn.Replicate(2):backward(x, x)", "nn.Replicate: gradOutput is 2x3, the output 2x2x3"),
        ("nn.Padding(1, 1):backward(x, x)", "nn.Padding: gradOutput is 2x3, the output 3x3"),
    ],
)
def test_bad_input(runtime: Runtime, code: str, message: str) -> None:
    with pytest.raises(LuaError, match=rf"^test.lua:2: {message}"):
        runtime.execute(f"require 'nn' local x = torch.ones(2, 3)\nlocal r = {code}", "@test.lua")


@pytest.mark.parametrize(
    ("code", "size"),
    [
        ("nn.Padding(1, -0)", 4),
        ("nn.Padding(1, 1.5)", 5),
        ("nn.Narrow(1, 1.5, 2.5)", 2),
        ("nn.Sequential():add(nn.View(2, 2)):add(nn.Select(1, 2.5))", 2),
        ("nn.View(4.5)", 4),
    ],
)
def test_numbers_are_cut_to_integers_as_in_c(runtime: Runtime, code: str, size: int) -> None:
    """Programs compute sizes by divisions, and -0 of a length that is 0."""
    program = f"require 'nn' m, x = {code}, torch.range(1, 4) y = m:forward(x) return y:nElement()"
    assert runtime.execute(program) == size
    assert runtime.execute("return m:backward(x, y):nElement()") == 4


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (View(12), (3, 4)),
        (View(-1, 4), (3, 4)),
        (Unsqueeze(2), (3, 4)),
        (Squeeze(), (3, 1, 4)),
        (Collapse(1), (3, 2, 2)),
    ],
)
def test_a_view_goes_back_to_a_contiguous_gradient_alone(layer: Any, shape: tuple[int, ...]) -> None:
    """As the original's: its gradInput is a view. In PyTorch's own backward it is of no matter."""
    input = torch.arange(12, dtype=torch.float64).view(shape)
    output = layer.updateOutput(input)
    with pytest.raises(TorchError, match=r"^nn\.\w+: gradOutput must be contiguous"):
        layer.updateGradInput(input, torch.ones((*output.shape, 2), dtype=torch.float64)[..., 0])
    assert torch.equal(layer.updateGradInput(input, output.clone()), input)
    leaf = input.clone().requires_grad_()
    layer(leaf).sum().backward()  # of a gradient that is one number everywhere
    assert leaf.grad is not None
    assert torch.equal(leaf.grad, torch.ones_like(input))


def test_a_reshape_takes_any_gradient() -> None:
    input = torch.arange(12, dtype=torch.float64).view(3, 4)
    layer = Reshape(2, 6, False)
    layer.updateOutput(input)
    turned = torch.arange(12, dtype=torch.float64).view(6, 2).t()
    expected = [[0, 2, 4, 6], [8, 10, 1, 3], [5, 7, 9, 11]]
    assert layer.updateGradInput(input, turned).tolist() == expected
