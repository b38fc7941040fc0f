"""The softmax layers: what the golden cases leave out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.nn.faces import assert_faces_agree, values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.nn.softmax import LogSoftMax, SoftMax, SoftMin, SpatialLogSoftMax, SpatialSoftMax

# A layer, whether it takes the input's negative, whether it gives logarithms.
LAYERS: list[tuple[Callable[[], Any], bool, bool]] = [
    (SoftMax, False, False),
    (SoftMin, True, False),
    (LogSoftMax, False, True),
    (SpatialSoftMax, False, False),
    (SpatialLogSoftMax, False, True),
]


@pytest.mark.parametrize(("make", "negative", "logarithm"), LAYERS)
@pytest.mark.parametrize(
    ("shape", "along"), [((5,), 0), ((3, 4), 1), ((3, 2, 4), 0), ((2, 3, 4, 2), 1), ((1, 1), 1)]
)
def test_values_and_gradients(
    make: Callable[[], Any], negative: bool, logarithm: bool, shape: tuple[int, ...], along: int
) -> None:
    x = 5 * values(*shape)
    output = assert_faces_agree(make(), x)
    powers = (-x if negative else x).exp()
    expected = powers / powers.sum(along, keepdim=True)
    torch.testing.assert_close(output.exp() if logarithm else output, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize(("make", "negative", "logarithm"), LAYERS)
def test_results_have_no_gaps(make: Callable[[], Any], negative: bool, logarithm: bool) -> None:
    output = make().updateOutput(values(4, 3).t())
    assert output.is_contiguous()
    torch.testing.assert_close(output, make().updateOutput(values(4, 3).t().contiguous()), rtol=1e-14, atol=0)


def test_large_numbers(runtime: Runtime) -> None:
    found = lua(
        runtime,
        "return nn.LogSoftMax():forward(torch.Tensor{1e5, 1e5, 0}), "
        "nn.SoftMax():forward(torch.Tensor{1e5, 0})",
    )
    assert found[0].tolist() == [-torch.log(torch.tensor(2.0).double()).item()] * 2 + [
        -1e5 - torch.log(torch.tensor(2.0).double()).item()
    ]
    assert found[1].tolist() == [1, 0]


@pytest.mark.parametrize("layer", ["SoftMax", "SoftMin", "LogSoftMax", "SpatialSoftMax", "SpatialLogSoftMax"])
def test_errors(runtime: Runtime, layer: str) -> None:
    name = f"nn.{layer}"
    shape = f"{name}: the input must have 1 to 4 dimensions"
    assert lua_error(runtime, f"{name}():forward(torch.ones(1, 2, 3, 4, 5))") == shape
    assert lua_error(runtime, f"{name}():forward(torch.Tensor())") == shape
    without = f"{name}: a backward without a forward"
    assert lua_error(runtime, f"{name}():backward(torch.ones(2), torch.ones(2))") == without
    size = f"{name}: gradOutput has 3 elements (3), not 2 (2)"
    code = f"local m = {name}() m:forward(torch.ones(2)) m:backward(torch.ones(2), torch.ones(3))"
    assert lua_error(runtime, code) == size


def test_classes_stand_beside_each_other(runtime: Runtime) -> None:
    found = lua(
        runtime,
        "return torch.isTypeOf(nn.SoftMin(), 'nn.SoftMax'), torch.isTypeOf(nn.SpatialLogSoftMax(),"
        " 'nn.LogSoftMax')",
    )
    assert found == (False, False)
