"""CTCCriterion: values that warp-ctc gives, all alignments counted one by one, and derivatives."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch

from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.packages.contrib.nnx.ctc import CTCCriterion

ONE = [[0.0] * 5] * 3
RISING = [[1.0, 2, 3, 4, 5], [6, 7, 8, 9, 10], [11, 12, 13, 14, 15]]
FALLING = [[-5.0, -4, -3, -2, -1], [-10, -9, -8, -7, -6], [-15, -14, -13, -12, -11]]


def scores(*examples: Any) -> torch.Tensor:
    """``(steps, batch, classes)``"""
    return torch.tensor(examples, dtype=torch.float64).transpose(0, 1).contiguous()


# The sums of warp-ctc.
KNOWN: list[tuple[Any, Any, Any, float]] = [
    (scores(ONE[:1]), [[1]], [1], 1.6094379425049),
    (scores(RISING), [[3, 3]], [3], 7.355742931366),
    (scores(FALLING), [[2, 3]], [3], 4.9388499259949),
    (scores(ONE, RISING, FALLING), [[1], [3, 3], [2, 3]], [1, 3, 3], 13.904030799866),
]


@pytest.mark.parametrize(("x", "target", "sizes", "wanted"), KNOWN)
def test_values_of_warp_ctc(x: torch.Tensor, target: Any, sizes: Any, wanted: float) -> None:
    lengths, count = torch.tensor(sizes), len(target)
    for batch_first in (False, True):
        criterion = CTCCriterion(batch_first)
        input = x.transpose(0, 1).contiguous() if batch_first else x
        assert math.isclose(criterion.torch7_forward(input, target, lengths), wanted / count, rel_tol=1e-6)
        assert math.isclose(criterion.output, wanted, rel_tol=1e-6)
        gradient = criterion.updateGradInput(input, target)
        assert gradient.shape == input.shape
        assert gradient.dtype == torch.float32
    flat = CTCCriterion()
    assert math.isclose(flat.torch7_forward(x.flatten(0, 1), target, lengths), wanted / count, rel_tol=1e-6)
    assert torch.equal(flat.updateGradInput(x.flatten(0, 1), target), gradient.transpose(0, 1).reshape(-1, 5))


def test_all_alignments() -> None:
    x = torch.randn(4, 1, 3, generator=torch.Generator().manual_seed(2)).double()
    rows = x[:, 0].log_softmax(1)
    total = 0.0
    for path in itertools.product(range(3), repeat=4):
        if [label for label, _ in itertools.groupby(path) if label] == [1, 2]:
            total += math.exp(sum(rows[step, label].item() for step, label in enumerate(path)))
    assert math.isclose(
        CTCCriterion().torch7_forward(x, [[1, 2]], torch.tensor([4])), -math.log(total), rel_tol=1e-12
    )


def test_the_gradient_is_that_of_the_sum_and_0_after_the_end() -> None:
    x, target, sizes, _ = KNOWN[3]
    criterion = CTCCriterion()
    lengths, step = torch.tensor(sizes), 2.0**-8
    criterion.torch7_forward(x, target, lengths)
    gradient = criterion.backward(x, target).double()
    assert not gradient[1:, 0].any()
    for place in ((0, 0, 1), (1, 1, 3), (2, 2, 0)):
        ends = []
        for sign in (1, -1):
            moved = x.clone()
            moved[place] += sign * step
            ends.append(CTCCriterion().torch7_forward(moved, target, lengths) * len(target))
        assert math.isclose(
            (ends[0] - ends[1]) / (2 * step), gradient[place].item(), rel_tol=1e-3, abs_tol=1e-6
        )
    leaf = x.clone().requires_grad_()
    (3 * criterion(leaf, target, lengths)).backward()
    torch.testing.assert_close(leaf.grad, gradient, rtol=1e-6, atol=1e-7)


def test_too_few_steps_count_nothing() -> None:
    criterion, x = CTCCriterion(), scores(RISING)
    assert criterion.torch7_forward(x, [[1, 1]], torch.tensor([2])) == 0
    assert not criterion.backward(x, [[1, 1]]).any()


def test_the_targets_say_of_how_many_examples_a_batch_is(runtime: Runtime) -> None:
    """The only alignment of two equal labels with three steps: label, blank, label."""
    rows = torch.arange(1, 16, dtype=torch.float64).view(3, 5)
    runtime.globals["x"] = rows.view(1, 3, 5)
    found = runtime.execute("require 'nnx' return nn.CTCCriterion():forward(x, {{3, 3}}, torch.Tensor{3})")
    chances = rows.log_softmax(1)
    assert found == pytest.approx(-(chances[0, 3] + chances[1, 0] + chances[2, 3]).item(), rel=1e-6)


def test_in_a_script(runtime: Runtime) -> None:
    loss, kind, total = lua(
        runtime,
        """
        require 'nnx'
        local c = nn.CTCCriterion()
        local x = torch.Tensor{{{0, 0, 0, 0, 0}}}
        local loss = c:forward(x, {{1}}, torch.Tensor{1})
        return loss, torch.type(c:backward(x, {{1}})), c.output
        """,
    )
    assert math.isclose(loss, math.log(5), rel_tol=1e-12)
    assert (kind, total) == ("torch.FloatTensor", loss)
    for arguments, message in (
        ("torch.ones(2, 1, 3), {{1}}", "size of each sequence"),
        ("torch.ones(2, 1, 3), {1}, torch.Tensor{2}", "a table of labels"),
        ("torch.ones(2, 1, 3), {{1}}, torch.Tensor{3}", "from 1 to 2"),
        ("torch.ones(2, 1, 3), {{3}}, torch.Tensor{2}", "labels must be from 1 to 2"),
        ("torch.ones(2, 1, 3), {{1}, {1}}, torch.Tensor{2, 2}", "the sizes must be 2 numbers from 1 to 1"),
        ("torch.ones(3, 3), {{1}, {1}}, torch.Tensor{1, 1}", "3 rows for 2"),
    ):
        assert message in lua_error(runtime, f"require 'nnx' nn.CTCCriterion():forward({arguments})")
    assert "without a forward" in lua_error(
        runtime, "require 'nnx' nn.CTCCriterion():backward(torch.ones(1, 1, 2), {{1}})"
    )
