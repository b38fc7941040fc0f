"""Hand-written backward passes: ``loss.backward()`` where they are that, else each call by itself, or refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from torch7py import LuaError
from torch7py.translate.native.program import Native, translate_script
from torch7py.translate.verify import Different
from torch7py.translate.verify_script import verify_script

BEFORE = """
require 'nn'
local model, criterion = nn.Linear(3, 2), nn.MSECriterion()
local x, y = torch.randn(4, 3), torch.randn(4, 2)
local output = model:forward(x)
local loss = criterion:forward(output, y)
model:zeroGradParameters()
"""
AFTER = "\nmodel:updateParameters(0.1)\nprint(loss)\nprint(model.weight:norm(), model.bias:norm())\n"


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
    ("backward", "code"),
    [
        ("local g = torch.randn(4, 2)\nmodel:backward(x, g)", "output.backward(g)"),
        ("model:backward(x, output)", "output.backward(output)"),
        ("model:backward(x, criterion:backward(output, y), 0.5)", "(0.5 * loss).backward()"),
        ("model:backward(x, torch.ones(4, 2), 0.5)", "output.backward(0.5 * (torch.ones(4, 2)))"),
        (
            "local d = model:updateGradInput(x, criterion:backward(output, y))\nprint(d:norm())",
            "d = torch.autograd.grad(loss, x_leaf)[0]",
        ),
        ("model:accGradParameters(x, criterion:backward(output, y))", "loss.backward()"),
        ("local g = criterion:backward(output, y)\ng:mul(2)\nmodel:backward(x, g)", "output.backward(g)"),
        ("local g = criterion:backward(output, y)\ng:add(g, 2)\nmodel:backward(x, g)", "output.backward(g)"),
        ("local g = criterion:backward(output, y) * 2\nmodel:backward(x, g)", "output.backward(g)"),
        ("local g = -criterion:backward(output, y)\nmodel:backward(x, g)", "output.backward(g)"),
        (
            "local g = criterion:backward(output, y)\ng = torch.randn(4, 2)\nmodel:backward(x, g)",
            "output.backward(g)",
        ),
        (
            "local g = criterion:backward(output, y)\ng[1] = output[1]\nmodel:backward(x, g)",
            "output.backward(g)",
        ),
        # looked at between
        (
            "local g = criterion:backward(output, y)\nprint(g:norm())\nmodel:backward(x, g)",
            "g = torch.autograd.grad(loss, output)[0]",
        ),
        # the target changed between the criterion's two halves: it takes what is there then
        (
            "y:mul(2)\nmodel:backward(x, criterion:backward(output, y))",
            "torch.autograd.grad(criterion(leaf, y), leaf)[0]",
        ),
        # twice, with and without the gradient of the input
        (
            "model:backward(x, criterion:backward(output, y))\nmodel:backward(x, criterion:backward(output, y))",
            "loss.backward(retain_graph=True)",
        ),
        (
            (
                "local d = model:backward(x, torch.ones(4, 2)):clone()\n"
                "local e = model:backward(x, torch.ones(4, 2) * 3)\nprint(d:norm(), e:norm())"
            ),
            "gradInput = torch.autograd.grad(output, x_leaf, torch.ones(4, 2), retain_graph=True)[0]",
        ),
        # read from the module; used after the gradients were cleared
        (
            (
                "model:backward(x, criterion:backward(output, y))\nmodel:zeroGradParameters()\n"
                "print(model.gradInput:norm())"
            ),
            "gradInput = x_leaf.grad",
        ),
        (
            "model:backward(x, criterion:backward(model.output, y))\nprint(model.output:norm())",
            "output.norm()",
        ),
        # scaled, where the gradient of the input is not
        (
            "local d = model:backward(x, torch.ones(4, 2), 0.5)\nprint(d:norm())",
            "output.backward(0.5 * (torch.ones(4, 2)))",
        ),
        # in a loop around, and one behind a condition
        (
            "for i = 1, 3 do\n   model:backward(x, criterion:backward(output, y))\nend",
            "loss.backward(retain_graph=True)",
        ),
        (
            "if loss > 0 then\n   model:backward(x, criterion:backward(output, y) * 2)\nend",
            "output.backward(",
        ),
    ],
)
def test_another_backward_pass_is_written_as_what_it_is(backward: str, code: str, tmp_path) -> None:
    page = translated(backward)
    assert page.problems == []
    assert code in page.code
    path = tmp_path / "step.lua"
    path.write_text(BEFORE + backward + AFTER)
    comparison = verify_script(page, path)
    assert comparison.lines >= 2
    assert comparison.layers == 2
    assert comparison.largest < 1e-9


@pytest.mark.parametrize(
    ("backward", "reason"),
    [
        ("output:mul(2)\nmodel:backward(x, torch.ones(4, 2))", "an output that is changed"),
        ("output[1]:fill(0)\nmodel:backward(x, torch.ones(4, 2))", "an output that is changed"),
        (
            "local v = output:view(-1)\nv:zero()\nmodel:backward(x, torch.ones(4, 2))",
            "an output that is changed",
        ),
        ("x:mul(2)\nmodel:backward(x, torch.ones(4, 2))", "an input that changes"),
        ("x = x * 2\nmodel:backward(x, torch.ones(4, 2))", "an input that changes"),
        ("model:backward(y, torch.ones(4, 2))", "another input"),
        ("model:forward(x * 2)\nmodel:backward(x, torch.ones(4, 2))", "another input"),
        ("nn.Linear(3, 2):backward(x, torch.ones(4, 2))", "not seen to be run"),
        (
            "local d = model:backward(x, torch.ones(4, 2))\nmodel:backward(x, torch.zeros(4, 2))\nprint(d:norm())",
            "overwritten",
        ),
        # all layers have the outputs of the last turn only
        (
            "for i = 1, 3 do model:forward(x) end\nfor i = 1, 3 do model:backward(x, torch.ones(4, 2)) end",
            "run the module several times",
        ),
    ],
)
def test_what_is_not_known_well_enough_goes_back_call_by_call(
    backward: str, reason: str, tmp_path: Path
) -> None:
    """The page has the original's numbers then, or ends in an error, as the original may."""
    page = translated(backward)
    assert page.problems == []
    assert any(reason in problem.reason for problem in page.reasons)
    path = tmp_path / "step.lua"
    path.write_text(BEFORE + backward + AFTER)
    ends = ""
    try:
        assert verify_script(page, path).largest < 1e-9
    except (Different, LuaError) as error:
        ends = str(error)
    lines = enumerate((BEFORE + backward).split("\n"), 1)
    going_back = "|".join(str(number) for number, text in lines if ":backward(" in text)
    assert re.search(
        rf"^$|fails: (ValueError|NotInPage): .* (since|called) \(step\.lua:({going_back})\)$|invalid for input of size",
        ends,
    )


@pytest.mark.parametrize(
    ("again", "error"),
    [
        ("local function f() model:forward(x * 2) end\nf()", ""),
        ("if loss > 0 then model:forward(x * 2) end", ""),
        ("if loss > 0 then model:forward(torch.randn(3, 3)) end", "called with another input since"),
    ],
)
def test_another_input_than_the_last(again: str, error: str, tmp_path: Path) -> None:
    """Torch7 goes back through what another input left in the module: a page does, or ends in an error."""
    backward = f"{again}\nmodel:backward(x, torch.ones(4, 2))"
    page = translated(backward)
    assert page.problems == []
    path = tmp_path / "step.lua"
    path.write_text(BEFORE + backward + AFTER)
    if error:
        with pytest.raises(Different, match=error):
            verify_script(page, path)
    else:
        assert verify_script(page, path).largest < 1e-9


def test_a_module_without_gradients_in_a_branch_does_not_move(tmp_path: Path) -> None:
    """The loss goes back through one module always, through the other only where the program does."""
    source = """
require 'nn'
local first, second, criterion = nn.Linear(3, 3), nn.Linear(3, 2), nn.MSECriterion()
local x, y = torch.randn(4, 3), torch.randn(4, 2)
local function step(both)
   first:zeroGradParameters() second:zeroGradParameters()
   local h = first:forward(x)
   local output = second:forward(h)
   local loss = criterion:forward(output, y)
   local gradient = second:backward(h, criterion:backward(output, y))
   if both then first:backward(x, gradient) end
   first:updateParameters(0.1) second:updateParameters(0.1)
   return loss
end
for i = 1, 4 do print(step(i % 2 == 0)) end
"""
    page = translate_script(source.encode(), "step.lua")
    assert page.problems == []
    path = tmp_path / "step.lua"
    path.write_text(source)
    assert verify_script(page, path).largest < 1e-9
