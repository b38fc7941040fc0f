"""Losses of yes-or-no answers: what the golden cases leave out."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from tests.nn.criterion_faces import assert_criterion
from tests.nn.faces import values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.nn.criterion_binary import (
    BCECriterion,
    DistKLDivCriterion,
    MarginCriterion,
    MultiLabelSoftMarginCriterion,
    SoftMarginCriterion,
)


def probabilities(*sizes: int, start: float = 0.3) -> torch.Tensor:
    return values(*sizes, start=start).abs() * 0.9 + 0.05


def signs(*sizes: int) -> torch.Tensor:
    return values(*sizes, start=2).sign()


WEIGHTS = torch.tensor([0.5, 1.0, 2.0, 4.0], dtype=torch.float64)


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("shape", [(4,), (3, 4)])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_binary_cross_entropy(average: bool, shape: tuple[int, ...], weights: torch.Tensor | None) -> None:
    reduction = "mean" if average else "sum"
    x, t = probabilities(*shape), probabilities(*shape, start=2)
    found = assert_criterion(BCECriterion(weights, average), x, t, rtol=1e-9)
    expected = F.binary_cross_entropy(x, t, weights, reduction=reduction).item()
    assert found == pytest.approx(expected, rel=1e-10)  # the original adds 1e-12 to a probability

    x = 3 * values(*shape)
    found = assert_criterion(MultiLabelSoftMarginCriterion(weights, average), x, t)
    expected = F.binary_cross_entropy(x.sigmoid(), t, weights, reduction=reduction).item()
    assert found == pytest.approx(expected, rel=1e-13)


def test_weights_lie_along_the_columns_of_the_target() -> None:
    x, t = probabilities(2, 4), probabilities(2, 4, start=2)
    for criterion in (BCECriterion(WEIGHTS), MultiLabelSoftMarginCriterion(WEIGHTS)):
        loss = criterion.updateOutput(x, t)
        assert criterion.updateOutput(x.view(8), t) == loss
        assert criterion.updateGradInput(x.view(8), t).shape == (8,)


def test_certain_answers(runtime: Runtime) -> None:
    right, wrong = lua(
        runtime,
        """
        local c, x = nn.BCECriterion(), torch.Tensor{0, 1}
        return c:forward(x, x), c:forward(x, torch.Tensor{1, 0})
        """,
    )
    assert right == pytest.approx(0, abs=1e-11)
    assert wrong == pytest.approx(-math.log(1e-12), rel=1e-6)


def test_large_scores(runtime: Runtime) -> None:
    found = lua(
        runtime,
        """
        local x, t = torch.Tensor{1e4, -1e4}, torch.Tensor{1, 0}
        local c, s = nn.MultiLabelSoftMarginCriterion(), nn.SoftMarginCriterion()
        return {c:forward(x, t), c:forward(x, 1 - t), s:forward(x, t * 2 - 1), s:backward(x, t * 2 - 1):norm()}
        """.replace("1 - t", "-t + 1"),
    )
    assert found == [0, 1e4, 0, 0]


@pytest.mark.parametrize("average", [True, False])
def test_kullback_leibler(average: bool) -> None:
    criterion = DistKLDivCriterion()
    criterion.sizeAverage = average
    x = torch.log_softmax(values(3, 4), 1)
    t = torch.softmax(values(3, 4, start=2), 1)
    found = assert_criterion(criterion, x, t)
    assert found == pytest.approx(F.kl_div(x, t, reduction="sum").item() / (12 if average else 1), rel=1e-12)


def test_a_target_of_zero_counts_nothing(runtime: Runtime) -> None:
    loss, gradient = lua(
        runtime,
        "local c, x, t = nn.DistKLDivCriterion(), torch.Tensor{-1, -9}, torch.Tensor{1, 0} return "
        "c:forward(x, t), c:backward(x, t)",
    )
    assert loss == 0.5
    assert gradient.tolist() == [-0.5, 0]


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("margin", [1, 0.3])
def test_margins(average: bool, margin: float) -> None:
    x, t = values(3, 4), signs(3, 4)
    criterion = MarginCriterion(margin)
    criterion.sizeAverage = average
    found = assert_criterion(criterion, x, t)
    each = [max(0, margin - a * b) for a, b in zip(x.flatten().tolist(), t.flatten().tolist(), strict=True)]
    assert found == pytest.approx(sum(each) / (12 if average else 1), rel=1e-13)

    soft = SoftMarginCriterion()
    soft.sizeAverage = average
    found = assert_criterion(soft, x, t)
    each = [
        math.log1p(math.exp(-a * b)) for a, b in zip(x.flatten().tolist(), t.flatten().tolist(), strict=True)
    ]
    assert found == pytest.approx(sum(each) / (12 if average else 1), rel=1e-13)


def test_number_of_weights(runtime: Runtime) -> None:
    assert lua(runtime, "return #nn.BCECriterion(torch.ones(3)), #nn.BCECriterion()") == (3, 0)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("nn.BCECriterion(torch.ones(2, 2))", "nn.BCECriterion: weights must be a vector"),
        (
            "nn.BCECriterion():forward(torch.Tensor{0.5, 1.5}, torch.ones(2))",
            "nn.BCECriterion: the input must be from 0 to 1",
        ),
        (
            "nn.BCECriterion(torch.ones(3)):forward(torch.rand(2, 2), torch.ones(2, 2))",
            "nn.BCECriterion: 3 weights do not fit a target of 2x2",
        ),
        (
            "nn.BCECriterion():forward(torch.rand(2), torch.ones(3))",
            "nn.BCECriterion: the target has 3 elements (3), not 2 (2)",
        ),
        (
            "nn.DistKLDivCriterion():forward(torch.rand(2, 2), torch.rand(4))",
            "nn.DistKLDivCriterion: the target is 4, not 2x2",
        ),
        ("nn.MarginCriterion('a')", "nn.MarginCriterion: the margin must be a number"),
    ],
)
def test_errors(runtime: Runtime, code: str, expected: str) -> None:
    assert lua_error(runtime, code) == expected


def test_not_a_number_is_no_probability(runtime: Runtime) -> None:
    message = lua_error(runtime, "nn.BCECriterion():forward(torch.Tensor{0/0}, torch.ones(1))")
    assert message == "nn.BCECriterion: the input must be from 0 to 1"
