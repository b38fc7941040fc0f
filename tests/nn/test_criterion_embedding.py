"""Losses of embeddings: what the golden cases leave out."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.nn.criterion_faces import assert_criterion
from tests.nn.faces import values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.nn.criterion_embedding import (
    CosineEmbeddingCriterion,
    DistanceRatioCriterion,
    HingeEmbeddingCriterion,
    L1HingeEmbeddingCriterion,
    MarginRankingCriterion,
)

SIGNS = torch.tensor([1.0, -1.0, -1.0, 1.0, -1.0], dtype=torch.float64)


def averaged(criterion: Any, average: bool) -> Any:
    criterion.sizeAverage = average
    return criterion


@pytest.mark.parametrize("average", [True, False])
def test_hinge_embedding(average: bool) -> None:
    x = 2 * values(5).abs()
    found = assert_criterion(averaged(HingeEmbeddingCriterion(0.8), average), x, SIGNS)
    expected = F.hinge_embedding_loss(x, SIGNS, 0.8, reduction="mean" if average else "sum").item()
    assert found == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(("target", "loss", "slope"), [(1, 0.25, 1), (-1, 0.75, -1)])
def test_hinge_embedding_of_a_number(runtime: Runtime, target: int, loss: float, slope: float) -> None:
    code = (
        f"local c, x = nn.HingeEmbeddingCriterion(), torch.Tensor{{0.25}} return c:forward(x, "
        f"{target}), c:backward(x, {target})[1]"
    )
    assert lua(runtime, code) == (loss, slope)


@pytest.mark.parametrize(("target", "margin"), [(1, 1), (-1, 1), (-1, 100)])
def test_l1_hinge_embedding(target: int, margin: float) -> None:
    first, second = values(6), values(6, start=2)
    distance = (first - second).abs().sum().item()
    found = assert_criterion(L1HingeEmbeddingCriterion(margin), [first, second], target)
    assert found == pytest.approx(distance if target == 1 else max(0, margin - distance), rel=1e-13)


def test_equal_elements_go_either_way(runtime: Runtime) -> None:
    """As many numbers are drawn as there are equal elements."""
    first, second, expected = lua(
        runtime,
        """
        local c, x, y = nn.L1HingeEmbeddingCriterion(), torch.Tensor{1, 5, 2, 3}, torch.Tensor{1, 4, 2, 3}
        torch.manualSeed(9)
        local d = c:backward({x, y}, 1)
        torch.manualSeed(9)
        local r = function() return 2 * torch.random(2) - 3 end
        return d[1], d[2], {r(), 1, r(), r()}
        """,
    )
    assert first.tolist() == expected
    assert second.tolist() == [-number for number in expected]


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("margin", [0, 0.3])
def test_cosine_embedding(average: bool, margin: float) -> None:
    first, second = values(5, 3), values(5, 3, start=2)
    criterion = averaged(CosineEmbeddingCriterion(margin), average)
    found = assert_criterion(criterion, [first, second], SIGNS, rtol=1e-9)
    expected = F.cosine_embedding_loss(first, second, SIGNS, margin, reduction="mean" if average else "sum")
    assert found == pytest.approx(expected.item(), rel=1e-10)


@pytest.mark.parametrize("target", [1, -1])
def test_cosine_embedding_of_one_pair(target: int) -> None:
    first, second = values(3), values(3, start=0.8)
    found = assert_criterion(CosineEmbeddingCriterion(), [first, second], target, rtol=1e-9)
    cosine = F.cosine_similarity(first, second, dim=0).item()
    assert found == pytest.approx(1 - cosine if target == 1 else max(0, cosine), rel=1e-10)


@pytest.mark.parametrize("average", [True, False])
def test_margin_ranking(average: bool) -> None:
    first, second = values(5), values(5, start=2)
    criterion = averaged(MarginRankingCriterion(0.5), average)
    found = assert_criterion(criterion, [first, second], SIGNS)
    expected = F.margin_ranking_loss(first, second, SIGNS, 0.5, reduction="mean" if average else "sum")
    assert found == pytest.approx(expected.item(), rel=1e-13)


def test_margin_ranking_divides_by_the_rows_of_a_matrix() -> None:
    first, second, y = values(2, 3), values(2, 3, start=2), values(2, 3, start=3).sign()
    found = assert_criterion(MarginRankingCriterion(), [first, second], y)
    expected = F.margin_ranking_loss(first, second, y, 1, reduction="sum").item() / 2
    assert found == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(
    ("first", "target", "loss", "slopes"),
    [(3, 1, 0, [0, 0]), (3, -1, 3, [1, -1]), (1, 1, 1, [-1, 1]), (2, 1, 0, [-1, 1])],
)
def test_margin_ranking_of_a_number(
    runtime: Runtime, first: float, target: int, loss: float, slopes: list[float]
) -> None:
    found, one, other = lua(
        runtime,
        f"""
        local c, x = nn.MarginRankingCriterion(), {{torch.Tensor{{{first}}}, torch.Tensor{{1}}}}
        local loss, d = c:forward(x, {target}), c:backward(x, {target})
        return loss, d[1][1], d[2][1]
        """,
    )
    assert found == loss
    assert [one, other] == slopes


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("shape", [(5,), (5, 1), (2, 3)])
def test_distance_ratio(average: bool, shape: tuple[int, ...]) -> None:
    near, far = values(*shape).abs(), values(*shape, start=2).abs()
    found = assert_criterion(DistanceRatioCriterion(average), [near, far], None)
    pairs = zip(near.flatten().tolist(), far.flatten().tolist(), strict=True)
    each = [-math.log(math.exp(-x) / (math.exp(-x) + math.exp(-y))) for x, y in pairs]
    assert found == pytest.approx(sum(each) / (shape[0] if average else 1), rel=1e-12)


def test_distance_ratio_needs_no_target(runtime: Runtime) -> None:
    loss, gradient = lua(
        runtime,
        "local c, x = nn.DistanceRatioCriterion(), {torch.ones(2), torch.ones(2)} return "
        "c:forward(x), c:backward(x)",
    )
    assert loss == pytest.approx(math.log(2), rel=1e-15)
    assert [part.tolist() for part in gradient] == [[0.25, 0.25], [-0.25, -0.25]]


@pytest.mark.one_runtime
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            "nn.HingeEmbeddingCriterion():forward(torch.ones(2), 1)",
            "the target has 1 elements (1), not 2 (2)",
        ),
        ("nn.L1HingeEmbeddingCriterion():forward(torch.ones(2), 1)", "the input must be a table of 2"),
        (
            "nn.L1HingeEmbeddingCriterion():forward({torch.ones(2), torch.ones(3)}, 1)",
            "the second input has 3 elements (3), not 2 (2)",
        ),
        (
            "nn.L1HingeEmbeddingCriterion():forward({torch.ones(2), torch.ones(2)}, torch.ones(1))",
            "the target must be a number",
        ),
        (
            "nn.CosineEmbeddingCriterion():forward({torch.ones(2, 3), torch.ones(2, 3)}, torch.ones(3))",
            "the target has 3 elements (3), not 2 (2)",
        ),
        (
            (
                "nn.CosineEmbeddingCriterion():forward({torch.ones(2, 3), torch.ones(2, 3):float()}, "
                "torch.ones(2))"
            ),
            "the second input is a torch.FloatTensor, not a torch.DoubleTensor",
        ),
        (
            "nn.MarginRankingCriterion():forward({torch.ones(1, 1), torch.ones(1, 1)}, 1)",
            "with a number as target the inputs must be vectors",
        ),
        (
            "nn.DistanceRatioCriterion():forward{torch.ones(2), torch.ones(3)}",
            "distances of 2 and 3 do not fit each other",
        ),
    ],
)
def test_errors(runtime: Runtime, code: str, expected: str) -> None:
    assert lua_error(runtime, code) == f"{code.split('(')[0]}: {expected}"
