"""Numbers added and multiplied: what the golden cases leave out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.nn.faces import assert_faces_agree, values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.nn.arithmetic import Add, AddConstant, CAdd, CMul, Mul

SHAPES: list[tuple[Callable[[], Any], tuple[int, ...]]] = [
    (lambda: Add(4), (4,)),
    (lambda: Add(4), (3, 4)),
    (lambda: Add(6), (4, 2, 3)),
    (lambda: Add(1), (5, 1)),
    (lambda: Add(4, True), (2, 3, 2)),
    (lambda: AddConstant(2.5), (2, 3, 2)),
    (lambda: AddConstant(torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)), (3,)),
    (lambda: AddConstant(torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)), (2, 3)),
    (Mul, (4,)),
    (Mul, (2, 3, 2)),
    *[
        (lambda make=make, sizes=sizes: make(*sizes), shape)
        for make in (CAdd, CMul)
        for sizes, shape in [
            ((4,), (4,)),
            ((4,), (3, 4)),
            ((2, 3), (2, 3)),
            ((2, 3), (3, 2)),
            ((2, 3), (5, 2, 3)),
            ((1, 4), (3, 4)),
            ((3, 1), (3, 4)),
            ((1, 3, 1, 2), (2, 3, 4, 2)),
            ((6,), (5, 2, 3)),
        ]
    ],
]


@pytest.mark.parametrize(("make", "shape"), SHAPES)
def test_forward_and_gradients(make: Callable[[], Any], shape: tuple[int, ...]) -> None:
    assert assert_faces_agree(make(), values(*shape)).shape == shape


def test_repeated_parameters_act_on_their_dimension() -> None:
    x = values(2, 3, 4)
    add, multiply = CAdd(1, 3, 1), CMul(3, 4)
    output = add.updateOutput(x)
    for plane in range(3):
        assert torch.equal(output[:, plane], x[:, plane] + add.bias.data[0, plane, 0])
    output = multiply.updateOutput(x)
    for example in range(2):
        assert torch.equal(output[example], x[example] * multiply.weight.data)


def test_elements_are_taken_in_order() -> None:
    """Parameters with as many elements as the input fit it whatever the shapes."""
    x = values(3, 2)
    layer = CMul(2, 3)
    expected = [
        w * v for w, v in zip(layer.weight.data.flatten().tolist(), x.flatten().tolist(), strict=True)
    ]
    assert layer.updateOutput(x).flatten().tolist() == expected


def test_first_values_come_from_the_stream(runtime: Runtime) -> None:
    found = lua(
        runtime,
        """
        torch.manualSeed(3)
        local m = {nn.Add(4).bias, nn.Mul().weight, nn.CMul(2, 2).weight, nn.CAdd(9).bias}
        torch.manualSeed(3)
        return m, {torch.Tensor(4):uniform(-1/2, 1/2), torch.Tensor(1):uniform(-1, 1),
           torch.Tensor(2, 2):uniform(-1/2, 1/2), torch.Tensor(9):uniform(-1/3, 1/3)}
        """,
    )
    for ours, expected in zip(*found, strict=True):
        assert torch.equal(ours, expected)


def test_reset_with_a_standard_deviation(runtime: Runtime) -> None:
    ours, expected = lua(
        runtime,
        """
        local m = nn.CMul(2000)
        torch.manualSeed(3)
        m:reset(0.1)
        torch.manualSeed(3)
        return m.weight, torch.Tensor(2000):uniform(-0.1 * math.sqrt(3), 0.1 * math.sqrt(3))
        """,
    )
    assert torch.equal(ours, expected)
    assert abs(ours.std().item() - 0.1) < 0.01


def test_sizes_in_a_storage(runtime: Runtime) -> None:
    size, bias, float_type = lua(
        runtime,
        """
        local m = nn.CAdd(torch.LongStorage{2, 3})
        local size = m.size
        m:float()
        return size, m.bias, torch.type(m:forward(torch.zeros(2, 3):float()))
        """,
    )
    assert size.sizes() == (2, 3)
    assert bias.shape == (2, 3)
    assert float_type == "torch.FloatTensor"


def test_add_constant_in_place_takes_the_constant_off_again(runtime: Runtime) -> None:
    after, before, same = lua(
        runtime,
        """
        local m, x, g = nn.AddConstant(2, true), torch.Tensor{1, 2}, torch.Tensor{5, 6}
        local y = m:forward(x)
        local after = x:clone()
        local d = m:backward(x, g)
        return after, x, y:storage() == x:storage() and d:storage() == g:storage()
        """,
    )
    assert after.tolist() == [3, 4]
    assert before.tolist() == [1, 2]
    assert same


def test_gradients_accumulate_with_scale() -> None:
    layers: list[Any] = [Add(3), CMul(3), CAdd(3), Mul()]
    for layer in layers:
        x, g = values(2, 3), values(2, 3, start=2)
        (buffer,) = layer.torch7_parameters()[1]
        layer.updateOutput(x)
        layer.accGradParameters(x, g, 1)
        once = buffer.clone()
        layer.accGradParameters(x, g, 2)
        torch.testing.assert_close(buffer, 3 * once, rtol=1e-13, atol=1e-15)


@pytest.mark.one_runtime
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("nn.Add(4):forward(torch.ones(3))", "nn.Add: an input of 3 does not fit 4 numbers"),
        ("nn.Add(4):forward(torch.ones(4, 3))", "nn.Add: an input of 4x3 does not fit 4 numbers"),
        ("nn.Add('a')", "nn.Add expects sizes"),
        ("nn.CMul()", "nn.CMul expects sizes"),
        (
            "nn.CMul(1, 3):forward(torch.ones(2, 4))",
            "nn.CMul: an input of 2x4 does not fit parameters of 1x3",
        ),
        ("nn.CAdd(3):forward(torch.ones(4))", "nn.CAdd: an input of 4 does not fit parameters of 3"),
        (
            "nn.CAdd(3):forward(torch.ones(2, 3):float())",
            "nn.CAdd: the input is a torch.FloatTensor, not a torch.DoubleTensor",
        ),
        (
            "nn.Mul():forward(torch.ones(3):float())",
            "nn.Mul: the input is a torch.FloatTensor, not a torch.DoubleTensor",
        ),
        (
            "nn.Mul():backward(torch.ones(3), torch.ones(2))",
            "nn.Mul: gradOutput has 2 elements (2), not 3 (3)",
        ),
        (
            "nn.AddConstant(torch.ones(3)):forward(torch.ones(4))",
            "nn.AddConstant: an input of 4 does not fit a constant of 3",
        ),
        (
            "nn.AddConstant(torch.ones(3)):forward(torch.ones(2, 2, 3))",
            "nn.AddConstant: an input of 2x2x3 does not fit a constant of 3",
        ),
        (
            "nn.AddConstant('1'):forward(torch.ones(4))",
            "nn.AddConstant: the constant must be a number or a vector",
        ),
        ("nn.AddConstant(1, 2)", "nn.AddConstant: inplace must be true or false"),
    ],
)
def test_errors(runtime: Runtime, code: str, expected: str) -> None:
    assert lua_error(runtime, code) == expected
