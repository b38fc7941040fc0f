"""Losses of differences: what the golden cases leave out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.nn.criterion_faces import assert_criterion
from tests.nn.faces import values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.nn.criterion import (
    AbsCriterion,
    L1Cost,
    MSECriterion,
    SmoothL1Criterion,
    SpatialAutoCropMSECriterion,
    WeightedMSECriterion,
)

Function = Callable[[float], float]

LOSSES: list[tuple[Callable[..., Any], Function]] = [
    (MSECriterion, lambda d: d * d),
    (AbsCriterion, abs),
    (SmoothL1Criterion, lambda d: d * d / 2 if abs(d) < 1 else abs(d) - 0.5),
]


@pytest.mark.parametrize(("make", "loss"), LOSSES)
@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 1, 3)])
def test_values_and_gradients(
    make: Callable[..., Any], loss: Function, average: bool, shape: tuple[int, ...]
) -> None:
    x, t = 2 * values(*shape), values(*shape, start=2)
    found = assert_criterion(make(average), x, t)
    each = [loss(difference) for difference in (x - t).flatten().tolist()]
    assert found == pytest.approx(sum(each) / (len(each) if average else 1), rel=1e-13)


@pytest.mark.parametrize(("make", "loss"), LOSSES)
def test_shapes_need_not_be_the_same(make: Callable[..., Any], loss: Function) -> None:
    x, t = values(3, 4), values(12, start=2)
    criterion = make()
    assert criterion.updateOutput(x, t) == make().updateOutput(x, t.view(3, 4))
    assert criterion.updateGradInput(x, t).shape == (3, 4)


def test_the_size_average_can_change(runtime: Runtime) -> None:
    found = lua(
        runtime,
        """
        local c, x, t = nn.MSECriterion(), torch.Tensor{1, 3}, torch.zeros(2)
        local mean = c:forward(x, t)
        c.sizeAverage = false
        return mean, c:forward(x, t), c:backward(x, t)
        """,
    )
    assert found[:2] == (5, 10)
    assert found[2].tolist() == [2, 6]


def test_slope_of_the_absolute_difference_at_zero(runtime: Runtime) -> None:
    gradient = lua(
        runtime, "return nn.AbsCriterion(false):backward(torch.Tensor{2, 2, 2}, torch.Tensor{1, 2, 3})"
    )
    assert gradient.tolist() == [1, 1, -1]


@pytest.mark.parametrize("target", ["", ", nil", ", 7"])
def test_l1_cost_needs_no_target(runtime: Runtime, target: str) -> None:
    loss, gradient, again = lua(
        runtime,
        f"local c, x = nn.L1Cost(), torch.Tensor{{-2, 0, 3}} return c:forward(x{target}), "
        f"c:backward(x{target}), (c(x{target}))",
    )
    assert loss == again == 5
    assert gradient.tolist() == [-1, 0, 1]
    assert_criterion(L1Cost(), values(3, 4), None)


@pytest.mark.parametrize("weight", [(3,), (2, 3)])
def test_weighted_mse_weights_the_target_alone(weight: tuple[int, ...]) -> None:
    w, x, t = values(*weight, start=3), values(2, 3), values(2, 3, start=2)
    found = assert_criterion(WeightedMSECriterion(w), x, t)
    assert found == pytest.approx((x - w * t).square().mean().item(), rel=1e-13)


def test_weighted_mse_keeps_a_copy_of_its_weight(runtime: Runtime) -> None:
    loss, kind, size = lua(
        runtime,
        """
        local w = torch.ones(2)
        local c = nn.WeightedMSECriterion(w)
        w:fill(9)
        local loss = c:forward(torch.zeros(2), torch.ones(2))
        c:float()
        c.weight = torch.ones(2):float()
        return loss, torch.type(c.weight), c:forward(torch.zeros(2):float(), torch.ones(2):float())
        """,
    )
    assert (loss, kind, size) == (1, "torch.FloatTensor", 1)


@pytest.mark.parametrize(("target", "top", "left"), [((2, 5, 6), 1, 1), ((2, 3, 4), 0, 0), ((2, 4, 4), 0, 0)])
def test_auto_crop(target: tuple[int, ...], top: int, left: int) -> None:
    x, t = values(2, 3, 4), values(*target, start=2)
    criterion = SpatialAutoCropMSECriterion()
    for batch in (False, True):
        given, wanted = (x.unsqueeze(0), t.unsqueeze(0)) if batch else (x, t)
        expected = (x - t[:, top : top + 3, left : left + 4]).square().mean().item()
        assert criterion.updateOutput(given, wanted) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            "nn.MSECriterion():forward(torch.ones(3), torch.ones(2))",
            "nn.MSECriterion: the target has 2 elements (2), not 3 (3)",
        ),
        (
            "nn.AbsCriterion():backward(torch.ones(3), torch.ones(2))",
            "nn.AbsCriterion: the target has 2 elements (2), not 3 (3)",
        ),
        (
            "nn.MSECriterion():forward(torch.ones(3), torch.ones(3):float())",
            "nn.MSECriterion: the target is a torch.FloatTensor, not a torch.DoubleTensor",
        ),
        (
            "nn.WeightedMSECriterion(torch.ones(2)):forward(torch.ones(2, 3), torch.ones(2, 3))",
            "nn.WeightedMSECriterion: the weight has 2 elements (2), not 3 (3)",
        ),
        (
            "nn.SpatialAutoCropMSECriterion():forward(torch.ones(1, 3, 3), torch.ones(1, 2, 3))",
            "nn.SpatialAutoCropMSECriterion: the target of 1x2x3 is smaller than the input of 1x3x3",
        ),
        (
            "nn.SpatialAutoCropMSECriterion():backward(torch.ones(1, 3, 3), torch.ones(1, 4, 4))",
            "nn.SpatialAutoCropMSECriterion: the target is 1x4x4, not 1x3x3",
        ),
    ],
)
def test_errors(runtime: Runtime, code: str, expected: str) -> None:
    assert lua_error(runtime, code) == expected


def test_a_criterion_does_not_tell_its_type(runtime: Runtime) -> None:
    asked = lua_error(runtime, "nn.MSECriterion():type()")
    assert asked == "nn.MSECriterion: argument #1 ('type') of type is missing"
    assert lua(runtime, "return nn.Linear(2, 2):type()") == "torch.DoubleTensor"
