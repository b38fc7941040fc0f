"""The loop for losses of classes, against the definition and against the way without it."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from torch7py.kernels import available
from torch7py.nn.criterion_class import ClassNLLCriterion
from torch7py.ops import class_loss
from torch7py.ops.errors import TorchError

TARGETS = [torch.int64, torch.int32, torch.uint8, torch.float64, torch.float32, torch.int16]

pytestmark = pytest.mark.skipif(not available(), reason="kernels need LuaJIT 2.1")


@pytest.mark.parametrize("mean", [True, False])
@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_by_the_definition(dtype: torch.dtype, kind: torch.dtype, mean: bool) -> None:
    scores = torch.randn(6, 4, dtype=dtype)
    targets = [1, 4, 2, 2, 3, 4]
    criterion = ClassNLLCriterion(None, mean)
    for _ in range(2):  # the second call writes where the first one has
        loss, weight = criterion.updateOutput(scores, torch.tensor(targets).to(kind))
        gradient = criterion.updateGradInput(scores, torch.tensor(targets).to(kind))
        share = 6 if mean else 1
        wanted = -sum(scores[row, target - 1].item() for row, target in enumerate(targets)) / share
        assert loss == pytest.approx(wanted, rel=1e-12, abs=1e-12 if dtype is torch.float64 else 2e-6)
        assert criterion.output_tensor.tolist() == [loss]
        assert criterion.output_tensor.dtype is criterion.total_weight_tensor.dtype is dtype
        assert weight == criterion.total_weight_tensor.item() == 6
        for row, target in enumerate(targets):
            expected = [0.0] * 4
            expected[target - 1] = -1 / share
            assert gradient[row].tolist() == pytest.approx(expected, rel=1e-7, abs=0)
        scores = torch.randn(6, 4, dtype=dtype)


def test_the_same_without_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    scores, targets = torch.randn(9, 5, dtype=torch.float64), torch.randint(1, 6, (9,))
    one, other = ClassNLLCriterion(), ClassNLLCriterion()
    found = one.updateOutput(scores, targets)[0], one.updateGradInput(scores, targets)
    groups = one.losses_of_groups(scores, targets, 3)
    monkeypatch.setattr(class_loss, "available", lambda: False)
    assert other.updateOutput(scores, targets)[0] == pytest.approx(found[0], rel=1e-14)
    assert torch.equal(other.updateGradInput(scores, targets), found[1])
    assert other.losses_of_groups(scores, targets, 3) == pytest.approx(groups, rel=1e-14)


def test_groups_are_what_each_alone_gives() -> None:
    scores, targets = torch.randn(12, 5), torch.randint(1, 6, (12,))
    criterion = ClassNLLCriterion()
    groups = criterion.losses_of_groups(scores, targets, 4)
    each = [
        ClassNLLCriterion().updateOutput(scores[i : i + 3], targets[i : i + 3])[0] for i in range(0, 12, 3)
    ]
    assert groups == each
    assert criterion.output_tensor.tolist() == each[-1:]


@pytest.mark.parametrize("wrong", [0, 6, -3, 2**40])
@pytest.mark.parametrize("kind", [torch.int64, torch.float64])
def test_a_target_that_is_no_class(wrong: int, kind: torch.dtype) -> None:
    scores, targets = torch.randn(3, 5), torch.tensor([1, wrong, 2]).to(kind)
    criterion = ClassNLLCriterion()
    for half in (criterion.updateOutput, criterion.updateGradInput):
        with pytest.raises(TorchError, match=f"target {wrong} out of range 1 to 5"):
            half(scores, targets)


# A total that nobody has written yet, scores and targets out of a file: LuaJIT would take the first for a nil.
@pytest.mark.parametrize("bits", [-1, 0x7FFFFFFF_FFFFFFFF, -0x2_7FFF_FFFF_FFFF])
def test_memory_of_any_bits(bits: int) -> None:
    strange = torch.tensor([bits] * 3).view(torch.float64)
    targets = torch.tensor([1, 2, 1])
    for _ in range(80):  # interpreted and compiled
        gradient = torch.ones(3, 2, dtype=torch.float64)
        assert class_loss.spread(gradient, targets, strange[:1])
        assert gradient.tolist() == [[0, 0]] * 3
        assert not class_loss.spread(gradient, strange, None)
        losses, total = torch.zeros(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
        assert class_loss.add_up(strange[:, None], torch.ones(3, dtype=torch.int64), True, losses, total) != 0
        assert losses.isnan().all()


def test_an_ignored_target() -> None:
    scores, targets = torch.randn(3, 5), torch.tensor([1, -7, 2])
    criterion: Any = ClassNLLCriterion(None, True, -7)
    loss, weight = criterion.updateOutput(scores, targets)
    assert weight == 2
    assert loss == pytest.approx(-(scores[0, 0] + scores[2, 1]).item() / 2, rel=1e-6)
    assert criterion.updateGradInput(scores, targets)[1].tolist() == [0] * 5


def test_scores_with_gaps_and_infinite_ones() -> None:
    scores = torch.randn(5, 6, dtype=torch.float64).t()
    targets = torch.tensor([1, 2, 3, 4, 5, 1])
    loss, _ = ClassNLLCriterion().updateOutput(scores, targets)
    assert loss == pytest.approx(-scores[range(6), targets - 1].mean().item(), rel=1e-14)
    endless = torch.full((2, 3), -math.inf)
    assert ClassNLLCriterion().updateOutput(endless, torch.tensor([1, 2]))[0] == math.inf
