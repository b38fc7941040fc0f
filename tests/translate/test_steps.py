"""Training steps as programs write them (steps/): wholly native, and equal to the original in all that they print.

And the near misses of each: steps that look like these, and compute something else.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from torch7py import LuaError
from torch7py.translate.native.program import Native, translate_script
from torch7py.translate.verify import Different
from torch7py.translate.verify_script import verify_script

STEPS = Path(__file__).parent / "steps"
PROGRAMS = sorted(path.stem for path in STEPS.glob("*.lua"))

# What each page has that is its own.
LINES = {
    "accumulated": "nn.utils.clip_grad_value_(net.parameters(), 0.2)",
    "adversarial_manual": "gradFake = torch.autograd.grad(lossG, fake_leaf)[0]",
    "adversarial_old_output": "p.data.add_(p.grad, alpha=-0.5)",
    "adversarial_optim": "df_dg = torch.autograd.grad(errG, netD.last_input, retain_graph=True)[0]",
    "by_hand": "code.backward(gdec)",
    "dream": "dx = torch.autograd.grad(act, img_leaf, act)[0]",
    "fast_gradient_sign": "dx = torch.autograd.grad(loss, x_leaf)[0]",
    "flat_vectors": "params, gradParams = flatten_parameters(net.parameters())",
    "frozen_layer": "net[0].requires_grad_(False)",
    "falling_rate": 'optimizer.param_groups[0]["lr"] *= 0.97',
    "momentum_raised": "optimizer = SGD(net.parameters(), lr=0.1, momentum=0.5, weight_decay=1e-3)",
    "unit_tests": "tester.assertError(function2)",
    "trainer_with_fields": "self.memory.step()",
    "regularized_in_fields": "costs = self.memory.step(cost)",
    "agent_in_a_table": 'f = agent["optimizer"].step(feval)',
    "plain_functions": "fx = optimizer.step(lambda: bowl(x))",
    "optimized_image": "optimizer = Adam([img], lr=0.5)",
    "penalty": "optimizer = torch.optim.SGD([parameters], lr=0.1, momentum=0.5, dampening=0.5)",
    "q_learning": "q.backward(targets)",
    "reinforce": "logp.backward(grad)",
    "saliency": "saliency = torch.autograd.grad(out, x_leaf, gradOutput)[0].clone().abs_()",
    "shared_branches": "model = nn.Sequential(Siamese(left, right), CSubTable(), nn.Linear(3, 1))",
    "surgery": "net.insert(2, nn.Dropout(0))",
    "table_gradients": "torch.autograd.backward(out, [*g])",
    "two_criterions": "out.backward(g1 * 0.3 + g2 * 0.7)",
}


def translated(name: str) -> Native:
    return translate_script(STEPS.joinpath(f"{name}.lua").read_bytes(), f"{name}.lua")


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", PROGRAMS)
def test_step(name: str) -> None:
    page = translated(name)
    assert [str(problem) for problem in page.problems] == []
    assert page.native == page.statements
    comparison = verify_script(page, STEPS / f"{name}.lua")
    assert comparison.lines > 0
    assert comparison.layers > 0
    assert comparison.largest < 1e-9
    if name in LINES:
        assert LINES[name] in [line.strip() for line in page.code.splitlines()]


START = """require 'nn'
local net = nn.Sequential():add(nn.Linear(4, 3)):add(nn.Tanh())
local other = nn.Linear(4, 3)
local mse = nn.MSECriterion()
local x, y = torch.randn(5, 4), torch.randn(5, 3)
"""
NEAR_MISSES = [
    # the first output is overwritten by the second call
    ("local a = net:forward(x)\nlocal b = net:forward(x * 2)\nprint((a - b):norm())", "T7-230"),
    ("local a = net:forward(x)\nfor i = 1, 3 do\n   print(a:norm())\n   net:forward(x * i)\nend", "T7-230"),
    ("local all = {}\nfor i = 1, 3 do all[i] = net:forward(x * i) end\nprint(all[1]:norm())", "T7-230"),
    ("local all = {}\nfor i = 1, 3 do table.insert(all, net:forward(x * i)) end\nprint(all[1]:norm())", "T7-230"),
    (("local last = x\nfor i = 1, 3 do\n   local h = net:forward(x * i)\n   print((h - last):norm())\n"
     "   last = h\nend"), "T7-230"),
    (("local function f() return net:forward(x * 2):norm() end\n"
     "local a = net:forward(x)\nprint(f(), a:norm())"), "T7-230"),
    # so is the first gradient, of a criterion and of a module
    (("local a, b = net:forward(x), other:forward(x)\nlocal g = mse:backward(a, y)\n"
     "local h = mse:backward(b, y)\nnet:backward(x, g)\nother:backward(x, h)"), "T7-226"),
    (("local a = net:forward(x)\nlocal d = net:updateGradInput(x, a)\nlocal e = net:updateGradInput(x, y)\n"
     "print((d - e):norm())"), "T7-226"),
    # another input has gone through the module since, itself or through a part or a function
    ("local a = net:forward(x)\nnet:forward(x * 2)\nnet:backward(x, mse:backward(y, y))", "T7-226"),
    (("local whole = nn.Sequential():add(net):add(nn.Linear(3, 3))\nlocal a = whole:forward(x)\n"
     "print(mse:forward(a, y), net:forward(x * 2):norm())\nwhole:backward(x, mse:backward(a, y))"), "T7-226"),
    # the input or the output is not what it was
    (("local a = net:forward(x)\nlocal l = mse:forward(a, y)\nx:add(1)\nnet:backward(x, mse:backward(a, y))\n"
     "print(l)"), "T7-226"),
    (("local a = net:forward(x)\nlocal l = mse:forward(a, y)\nlocal g = mse:backward(a, y)\na:clamp(0, 1)\n"
     "net:backward(x, g)\nprint(l)"), "T7-226"),
    # the mode is another one
    (
        (
            "local a = net:forward(x)\nlocal l = mse:forward(a, y)\nnet:evaluate()\n"
            "net:backward(x, mse:backward(a, y))\nprint(l)"
        ),
        "T7-226",
    ),
    # weights are shared and their gradients are not
    (("local twin = net:clone('weight', 'bias')\nlocal a = twin:forward(x)\n"
     "twin:backward(x, mse:backward(a, y))\nprint(twin:get(1).gradWeight:norm())"), "T7-202"),
    # a copy of modules by way of their bytes, and bytes that come from elsewhere
    ("local kept = torch.deserialize(torch.serialize({net}))\nprint(kept[1]:forward(x):norm())", "T7-222"),
    ("local text = torch.serialize(x)\nprint(torch.deserialize(text):norm())", "T7-201"),
    # dropouts switched off beside a layer that has another mode, and in a network that is in no list
    (("local function off(part)\n   if type(part) == 'table' and part.__typename == nil then\n"
      "      for i = 1, #part do part[i]:apply(off) end\n"
      "   elseif string.match(part.__typename, 'Dropout') then part.train = false end\nend\n"
      "net:add(nn.Dropout()):add(nn.BatchNormalization(3))\noff({net})\nprint(net:forward(x):norm())"), "T7-308"),
    (("local function off(part)\n   if type(part) == 'table' and part.__typename == nil then\n"
      "      for i = 1, #part do part[i]:apply(off) end\n"
      "   elseif string.match(part.__typename, 'Dropout') then part.train = false end\nend\n"
      "net:add(nn.Dropout())\noff(net)\nprint(net:forward(x):norm())"), "T7-308"),
    # a vector of a part, after which the whole is flattened
    (("local w, g = other:getParameters()\nlocal function whole()\n   local made = nn.Sequential()\n"
      "   made:add(other):add(nn.Tanh())\n   made:getParameters():uniform(-1, 1)\n   return made\nend\n"
      "local all = whole()\nw:add(-0.1, g)\nprint(w:norm())"), "T7-227"),
    # weights that stay, but for their decay
    (("local _, g = net:getParameters()\nlocal w = _\nnet:get(1).accGradParameters = function() end\n"
     "g:add(0.1, w)"), "T7-228"),
]  # fmt: skip


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("program", "code"), NEAR_MISSES)
def test_near_misses_are_refused_or_go_call_by_call(program: str, code: str, tmp_path: Path) -> None:
    """Call by call an error is allowed, another number never."""
    page = translate_script((START + program).encode(), "step.lua")
    assert code in {problem.code for problem in (*page.problems, *page.reasons)}
    if not page.problems:
        path = tmp_path / "step.lua"
        path.write_text(START + program)
        fails = ""
        try:
            assert verify_script(page, path).largest < 1e-9
        except (Different, LuaError) as error:
            fails = str(error)
        assert re.search("^$|fails: (ValueError|NotInPage): |inconsistent tensor size", fails)


@pytest.mark.parametrize(
    "program",
    [
        # one of two branches, and a variable that is given something else in between
        "local a\nif x[1][1] > 0 then a = net:forward(x) else a = net:forward(x * 2) end\nprint(a:norm())",
        "local a = net:forward(x)\nprint(a:norm())\na = net:forward(x * 2)\nprint(a:norm())",
        "local same, h = nn.Linear(4, 4), x\nfor i = 1, 2 do h = same:forward(h):clone() end\nprint(h:norm())",
        "local a = net:forward(x):clone()\nlocal b = net:forward(x * 2)\nprint((a - b):norm())",
        # a gradient cleared, and one read from the module after that
        (
            "local a = net:forward(x)\nnet:zeroGradParameters()\nnet:backward(x, a)\nnet:zeroGradParameters()\n"
            "print(net.gradInput:norm(), net:get(1).gradWeight:norm())"
        ),
        # a gradient copied before the next call
        (
            "local a = net:forward(x)\nlocal d = net:updateGradInput(x, a):clone()\n"
            "local e = net:updateGradInput(x, y)\nprint((d - e):norm())"
        ),
        # half a pass twice, and the other half with a scale
        (
            "local a = net:forward(x)\nnet:zeroGradParameters()\nlocal d = net:updateGradInput(x, y)\n"
            "net:accGradParameters(x, y, 0.5)\nnet:accGradParameters(x, y)\n"
            "print(d:norm(), net:get(1).gradWeight:norm(), net:get(1).gradBias:norm())"
        ),
    ],
)
def test_what_is_no_near_miss(program: str, tmp_path: Path) -> None:
    page = translate_script((START + program).encode(), "step.lua")
    path = tmp_path / "step.lua"
    path.write_text(START + program)
    assert [str(problem) for problem in page.problems] == []
    assert verify_script(page, path).largest < 1e-9
