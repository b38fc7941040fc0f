"""Losses of classes: what the golden cases leave out."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.nn.criterion_faces import assert_criterion
from tests.nn.faces import values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.nn.criterion_class import (
    ClassNLLCriterion,
    ClassSimplexCriterion,
    CrossEntropyCriterion,
    MultiLabelMarginCriterion,
    MultiMarginCriterion,
    SpatialClassNLLCriterion,
    simplex,
)

WEIGHTS = torch.tensor([0.5, 1.0, 2.0, 4.0], dtype=torch.float64)
TARGET = torch.tensor([3, 1, 4])


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("target", [TARGET, TARGET.double(), TARGET.int()])
def test_class_nll_and_cross_entropy(
    weights: torch.Tensor | None, average: bool, target: torch.Tensor
) -> None:
    x = 2 * values(3, 4)
    expected = F.cross_entropy(x, TARGET - 1, weights, reduction="mean" if average else "sum").item()
    assert assert_criterion(CrossEntropyCriterion(weights, average), x, target) == pytest.approx(
        expected, rel=1e-12
    )
    scores = torch.log_softmax(x, 1)
    assert assert_criterion(ClassNLLCriterion(weights, average), scores, target) == pytest.approx(
        expected, rel=1e-12
    )


@pytest.mark.parametrize("target", [3, torch.tensor([3]), torch.tensor([3.0])])
@pytest.mark.parametrize("make", [ClassNLLCriterion, CrossEntropyCriterion])
def test_a_single_example(make: Any, target: Any) -> None:
    x = values(4)
    expected = F.cross_entropy(x, torch.tensor(2)).item()
    given = x if make is CrossEntropyCriterion else torch.log_softmax(x, 0)
    assert assert_criterion(make(WEIGHTS), given, target) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("shape", [(1, 4), (4, 1, 1), (1, 1, 4)])
def test_cross_entropy_drops_sizes_of_one(shape: tuple[int, ...]) -> None:
    x = values(4)
    expected = F.cross_entropy(x, torch.tensor(1)).item()
    found = assert_criterion(CrossEntropyCriterion(), x.view(shape), torch.tensor([[2]]))
    assert found == pytest.approx(expected, rel=1e-12)


def test_ignored_targets(runtime: Runtime) -> None:
    loss, weight, gradient = lua(
        runtime,
        """
        local c, x, t = nn.ClassNLLCriterion(nil, true, 9), torch.Tensor{{-1, -2}, {-3, -4}}, torch.Tensor{9, 2}
        local loss, weight = c:forward(x, t)
        return loss, weight, c:backward(x, t)
        """,
    )
    assert (loss, weight) == (4, 1)
    assert gradient.tolist() == [[0, 0], [0, -1]]


def test_nothing_but_ignored_targets(runtime: Runtime) -> None:
    loss, weight, gradient = lua(
        runtime,
        """
        local c, x, t = nn.ClassNLLCriterion(), torch.ones(2, 2), torch.Tensor(2):fill(-100)
        local loss, weight = c:forward(x, t)
        return loss, weight, c:backward(x, t):norm()
        """,
    )
    assert (loss, weight, gradient) == (0, 0, 0)


def test_an_impossible_score_of_no_weight(runtime: Runtime) -> None:
    loss = lua(
        runtime,
        """
        local c = nn.ClassNLLCriterion(torch.Tensor{0, 1})
        return (c:forward(torch.Tensor{{-math.huge, 0}, {0, -2}}, torch.Tensor{1, 2}))
        """,
    )
    assert loss == 2


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("average", [True, False])
def test_spatial_class_nll(weights: torch.Tensor | None, average: bool) -> None:
    x = torch.log_softmax(values(2, 4, 3, 2), 1)
    target = torch.arange(12).view(2, 3, 2) % 4 + 1
    found = assert_criterion(SpatialClassNLLCriterion(weights, average), x, target)
    expected = F.nll_loss(x, target - 1, weights, reduction="mean" if average else "sum").item()
    assert found == pytest.approx(expected, rel=1e-12)


def test_total_weight_and_number_of_weights(runtime: Runtime) -> None:
    found = lua(
        runtime,
        """
        local c = nn.SpatialClassNLLCriterion(torch.Tensor{2, 3})
        local loss, weight = c:forward(torch.zeros(1, 2, 1, 2), torch.Tensor{{{1, 2}}})
        return loss, weight, #c, #nn.ClassNLLCriterion()
        """,
    )
    assert found == (0, 5, 2, 0)


def test_cross_entropy_and_its_parts(runtime: Runtime) -> None:
    """sizeAverage may be set on it or on nll; the last change counts."""
    found = lua(
        runtime,
        """
        local c, x, t = nn.CrossEntropyCriterion(), torch.zeros(2, 4), torch.Tensor{1, 2}
        local mean = c:forward(x, t)
        c.nll.sizeAverage = false
        local sum = c:forward(x, t)
        c.sizeAverage = false
        c:forward(x, t)
        c.sizeAverage = true
        return {sum / mean, c:forward(x, t) / mean}, torch.type(c.lsm), torch.type(c.nll)
        """,
    )
    assert found == ([2, 1], "nn.LogSoftMax", "nn.ClassNLLCriterion")


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("margin", [1, 0.2])
def test_multi_margin(p: int, weights: torch.Tensor | None, average: bool, margin: float) -> None:
    criterion = MultiMarginCriterion(p, weights, margin)
    criterion.sizeAverage = average
    x = values(3, 4)
    expected = F.multi_margin_loss(x, TARGET - 1, p, margin, weights, reduction="mean" if average else "sum")
    assert assert_criterion(criterion, x, TARGET) == pytest.approx(expected.item(), rel=1e-12)
    single = F.multi_margin_loss(x[:1], TARGET[:1] - 1, p, margin, weights).item()
    assert assert_criterion(criterion, x[0], 3) == pytest.approx(single, rel=1e-12)


@pytest.mark.parametrize("average", [True, False])
def test_multi_label_margin(average: bool) -> None:
    criterion = MultiLabelMarginCriterion()
    criterion.sizeAverage = average
    x = values(3, 4)
    target = torch.tensor([[3, 1, 0, 2], [0, 2, 3, 4], [1, 2, 3, 4]])
    expected = F.multilabel_margin_loss(x, target - 1, reduction="mean" if average else "sum").item()
    assert assert_criterion(criterion, x, target) == pytest.approx(expected, rel=1e-12)
    assert criterion.isTarget.tolist() == [[1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]]
    single = F.multilabel_margin_loss(x[0], target[0] - 1).item()
    assert assert_criterion(criterion, x[0], target[0]) == pytest.approx(single, rel=1e-12)


def test_a_label_that_stands_twice_counts_twice(runtime: Runtime) -> None:
    once, twice = lua(
        runtime,
        """
        local c, x = nn.MultiLabelMarginCriterion(), torch.Tensor{0, 0.5, 0.25}
        return c:forward(x, torch.Tensor{1, 0, 0}), c:forward(x, torch.Tensor{1, 1, 0})
        """,
    )
    assert once == pytest.approx(2.75 / 3, rel=1e-15)
    assert twice == pytest.approx(2 * once, rel=1e-15)


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_simplex(n: int) -> None:
    corners = simplex(n)
    products = corners @ corners.t()
    expected = torch.full((n + 1, n + 1), -1 / n, dtype=torch.float64).fill_diagonal_(1)
    torch.testing.assert_close(products, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(corners.sum(0), torch.zeros(n, dtype=torch.float64), rtol=0, atol=1e-12)


def test_class_simplex() -> None:
    criterion, x = ClassSimplexCriterion(4), values(3, 4)
    corners = torch.cat([simplex(3), torch.zeros(4, 1, dtype=torch.float64)], 1)
    found = assert_criterion(criterion, x, TARGET)
    assert found == pytest.approx(F.mse_loss(x, corners[TARGET - 1]).item(), rel=1e-12)
    found = assert_criterion(criterion, x[0], 3)
    assert found == pytest.approx(F.mse_loss(x[0], corners[2]).item(), rel=1e-12)
    assert criterion.getTopPrediction(corners).tolist() == [1, 2, 3, 4]
    assert criterion.getTopPrediction(corners[2]).tolist() == [3]
    torch.testing.assert_close(
        criterion.getPredictions(x[0]), (corners @ x[0]).view(1, 4), rtol=1e-12, atol=1e-14
    )


NLL = "nn.ClassNLLCriterion"
SPATIAL = "nn.SpatialClassNLLCriterion"


@pytest.mark.one_runtime
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (f"{NLL}():forward(torch.ones(2, 3), torch.Tensor{{1, 4}})", f"{NLL}: target 4 out of range 1 to 3"),
        (f"{NLL}():backward(torch.ones(2, 3), torch.Tensor{{0, 1}})", f"{NLL}: target 0 out of range 1 to 3"),
        (f"{NLL}():forward(torch.ones(2, 3), torch.ones(3))", f"{NLL}: 3 targets for a batch of 2"),
        (f"{NLL}():forward(torch.ones(2, 3), 'a')", f"{NLL}: the target must be a number or a tensor"),
        (
            f"{NLL}():forward(torch.ones(1, 2, 3), torch.ones(1))",
            f"{NLL}: the input must be a vector or a matrix",
        ),
        (
            f"{NLL}(torch.ones(2)):forward(torch.ones(2, 3), torch.ones(2))",
            f"{NLL}: 2 weights for 3 classes",
        ),
        (f"{NLL}(torch.ones(2, 2))", f"{NLL}: weights must be a vector"),
        (
            f"{SPATIAL}():forward(torch.ones(1, 2, 3, 3), torch.ones(1, 3, 2))",
            f"{SPATIAL}: targets of 1x3x2 do not fit an input of 1x2x3x3",
        ),
        (
            f"{SPATIAL}():forward(torch.ones(1, 2, 1, 1), torch.Tensor{{{{{{3}}}}}})",
            f"{SPATIAL}: target 3 out of range 1 to 2",
        ),
        (
            "nn.CrossEntropyCriterion():backward(torch.ones(2, 3), torch.ones(2))",
            "nn.CrossEntropyCriterion: a backward without a forward of this input",
        ),
        ("nn.MultiMarginCriterion(3)", "nn.MultiMarginCriterion: p must be 1 or 2"),
        (
            "nn.MultiMarginCriterion():forward(torch.ones(3), 4)",
            "nn.MultiMarginCriterion: target 4 out of range 1 to 3",
        ),
        (
            "nn.MultiLabelMarginCriterion():forward(torch.ones(3), torch.Tensor{1, 4, 0})",
            "nn.MultiLabelMarginCriterion: target 4 out of range 1 to 3",
        ),
        (
            "nn.MultiLabelMarginCriterion():forward(torch.ones(3), torch.Tensor{-1, 1, 0})",
            "nn.MultiLabelMarginCriterion: target -1 out of range 1 to 3",
        ),
        (
            "nn.MultiLabelMarginCriterion():forward(torch.ones(3), torch.ones(2))",
            "nn.MultiLabelMarginCriterion: targets of 2 do not fit an input of 3",
        ),
        (
            "nn.ClassSimplexCriterion(1)",
            "nn.ClassSimplexCriterion: the number of classes must be an integer above 1",
        ),
        (
            "nn.ClassSimplexCriterion(3):forward(torch.ones(2, 3), torch.Tensor{1, 4})",
            "nn.ClassSimplexCriterion: target 4 out of range 1 to 3",
        ),
        (
            "nn.ClassSimplexCriterion(3):forward(torch.ones(2, 3), torch.Tensor{1})",
            "nn.ClassSimplexCriterion: the target has 3 elements (1x3), not 6 (2x3)",
        ),
    ],
)
def test_errors(runtime: Runtime, code: str, expected: str) -> None:
    assert lua_error(runtime, code) == expected
