"""Bilinear: what the golden cases leave out."""

from __future__ import annotations

import pytest
import torch

from tests.nn.faces import assert_faces_agree, values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.nn.bilinear import Bilinear


@pytest.mark.parametrize("bias", [True, False])
def test_values_and_gradients(bias: bool) -> None:
    layer = Bilinear(3, 4, 2, bias)
    first, second = values(5, 3), values(5, 4, start=1)
    output = assert_faces_agree(layer, [first, second])
    for row in range(5):
        for k in range(2):
            expected = first[row] @ layer.weight.data[k] @ second[row]
            if bias:
                expected = expected + layer.bias.data[k]
            torch.testing.assert_close(output[row, k], expected, rtol=1e-12, atol=1e-14)


def test_the_weight_gradient_forgets_the_scale() -> None:
    layer = Bilinear(3, 4, 2)
    x, g = [values(5, 3), values(5, 4)], values(5, 2, start=2)
    found = []
    for scale in (1, 3):
        layer.zeroGradParameters()
        layer.accGradParameters(x, g, scale)
        found.append([b.clone() for b in layer.torch7_parameters()[1]])  # type: ignore[index]
    assert torch.equal(found[0][0], found[1][0])
    torch.testing.assert_close(found[1][1], 3 * found[0][1])


def test_text_and_first_values(runtime: Runtime) -> None:
    text, weight, bias, expected_weight, expected_bias = lua(
        runtime,
        """
        torch.manualSeed(4)
        local m = nn.Bilinear(4, 3, 2)
        torch.manualSeed(4)
        local weight = torch.Tensor(2, 4, 3):uniform(-1/2, 1/2)
        return tostring(m), m.weight, m.bias, weight, torch.Tensor(2):uniform(-1/2, 1/2)
        """,
    )
    assert text == "nn.Bilinear(4x3 -> 2) "
    assert torch.equal(weight, expected_weight)
    assert torch.equal(bias, expected_bias)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("nn.Bilinear(3, 4, 0)", "nn.Bilinear: the sizes must be positive integers"),
        (
            "nn.Bilinear(3, 4, 2):forward(torch.ones(3))",
            "nn.Bilinear: the input must be a table of two tensors",
        ),
        (
            "nn.Bilinear(3, 4, 2):forward{torch.ones(2, 3), torch.ones(1, 4)}",
            "nn.Bilinear: the inputs must be matrices of as many rows, not 2x3 and 1x4",
        ),
        (
            "nn.Bilinear(3, 4, 2):forward{torch.ones(2, 3), torch.ones(2, 3)}",
            "nn.Bilinear: input 2 of 2x3 must have 4 columns",
        ),
        (
            "nn.Bilinear(3, 4, 2):backward({torch.ones(2, 3), torch.ones(2, 4)}, torch.ones(2, 3))",
            "nn.Bilinear: gradOutput has 6 elements (2x3), not 4 (2x2)",
        ),
        (
            (
                "nn.Bilinear(3, 4, 2):accGradParameters({torch.ones(2, 3), torch.ones(2, 4)}, "
                "torch.ones(2, 2), -1)"
            ),
            "nn.Bilinear: scale must not be negative",
        ),
    ],
)
def test_errors(runtime: Runtime, code: str, expected: str) -> None:
    assert lua_error(runtime, code) == expected
