"""Hand-written backward passes: taken for ``loss.backward()`` only where they are that."""

from __future__ import annotations

import re

import pytest

from torch7py.translate.native.program import Native, translate_script

BEFORE = """
require 'nn'
local model, criterion = nn.Linear(3, 2), nn.MSECriterion()
local x, y = torch.randn(4, 3), torch.randn(4, 2)
local output = model:forward(x)
local loss = criterion:forward(output, y)
model:zeroGradParameters()
"""
AFTER = "\nmodel:updateParameters(0.1)\nprint(loss)\n"


def translated(backward: str) -> Native:
    return translate_script((BEFORE + backward + AFTER).encode(), "step.lua")


@pytest.mark.parametrize(
    "backward",
    [
        "model:backward(x, criterion:backward(output, y))",
        "local g = criterion:backward(output, y)\nmodel:backward(x, g)",
        "criterion:backward(output, y)\nmodel:backward(x, criterion.gradInput)",
        "local g = criterion:backward(output, y):clone()\nmodel:backward(x, g, 1)",
    ],
)
def test_the_backward_pass_of_the_loss(backward: str) -> None:
    page = translated(backward)
    assert page.problems == []
    assert page.code.count("loss.backward()") == 1


@pytest.mark.parametrize(
    ("backward", "reason"),
    [
        ("model:backward(x, torch.randn(4, 2))", "not that of a criterion"),
        ("local g = torch.randn(4, 2)\nmodel:backward(x, g)", "not that of a criterion"),
        ("model:backward(x, output)", "not that of a criterion"),
        ("model:backward(x, criterion:backward(output, y), 0.5)", "with a scale"),
        ("model:updateGradInput(x, criterion:backward(output, y))", "half a backward pass, updateGradInput"),
        (
            "model:accGradParameters(x, criterion:backward(output, y))",
            "half a backward pass, accGradParameters",
        ),
        ("local g = criterion:backward(output, y)\ng:mul(2)\nmodel:backward(x, g)", "changed by mul"),
        ("local g = criterion:backward(output, y)\ng:add(g, 2)\nmodel:backward(x, g)", "changed by add"),
        ("local g = criterion:backward(output, y) * 2\nmodel:backward(x, g)", r"with \* on its way"),
        ("local g = -criterion:backward(output, y)\nmodel:backward(x, g)", "sign changed"),
        ("local g = criterion:backward(output, y)\ng = torch.randn(4, 2)\nmodel:backward(x, g)", "replaced"),
        ("local g = criterion:backward(output, y)\ng[1] = output[1]\nmodel:backward(x, g)", "replaced"),
    ],
)
def test_another_backward_pass_is_not_taken_for_it(backward: str, reason: str) -> None:
    page = translated(backward)
    assert {problem.code for problem in page.problems} == {"T7-226"}
    assert any(re.search(reason, problem.reason) for problem in page.problems)
    assert 'raise NotImplementedError("T7-226' in page.code
