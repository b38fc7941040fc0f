"""Steps of small models and criterions that Lua takes itself: the numbers of PyTorch, and the same methods called.

A program with random layers and calls runs twice, once with such steps and once without.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from tests.golden_cases import Case, identify, supported, value
from torch7py.bridge.runtime import Runtime
from torch7py.nn.container import Sequential
from torch7py.nn.linear import Linear

LAYERS = (
    "nn.Linear",
    "nn.Linear",
    "nn.Tanh()",
    "nn.Sigmoid()",
    "nn.ReLU()",
    "nn.SoftMax()",
    "nn.LogSoftMax()",
)
MODEL = "require 'nn' torch.manualSeed(1) m = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()) x = torch.randn(3)"


def runtime_with(small: bool, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    monkeypatch.setenv("TORCH7PY_SMALL_STEPS", "1" if small else "0")
    return Runtime(seed=3)


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Runtime, Runtime]]:
    with runtime_with(True, monkeypatch) as small, runtime_with(False, monkeypatch) as plain:
        yield small, plain


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    with runtime_with(True, monkeypatch) as runtime:
        if runtime.engine == "lua51":
            pytest.skip(
                "plain Lua reaches no memory and leaves all steps to PyTorch: the programs below run there too"
            )
        yield runtime


def model(draw: random.Random, columns: int) -> tuple[str, int]:
    """The Lua expression of a model that takes so many columns, and how many it gives."""
    text = "nn.Sequential()"
    for _ in range(draw.randint(1, 4)):
        layer = draw.choice(LAYERS)
        if layer == "nn.Linear":
            width = draw.randint(1, 5)
            layer, columns = f"nn.Linear({columns}, {width}, {draw.choice(('true', 'false'))})", width
        elif draw.random() < 0.15:
            layer, columns = model(draw, columns)
        text += f":add({layer})"
    return text, columns


def program(draw: random.Random) -> str:
    """A program that returns a list of what it saw."""
    columns, number = draw.randint(1, 5), draw.choice(("Double", "Float"))
    text, width = model(draw, columns)
    classes = draw.random() < 0.5
    criterion = "nn.ClassNLLCriterion" if classes else draw.choice(("nn.MSECriterion", "nn.AbsCriterion"))
    size_average = draw.choice(("nil, true", "nil, false")) if classes else draw.choice(("true", "false"))
    lines = [
        "require 'nn'",
        f"torch.setdefaulttensortype('torch.{number}Tensor')",
        "torch.manualSeed(7)",
        f"local m, c = {text}, {criterion}({size_average})",
        "local seen, x, t = {}",
        "local function see(value)",
        "   if type(value) ~= 'number' and value:nElement() == 0 then value = -1 end",
        "   if type(value) ~= 'number' then value = value:double():dot(torch.range(1, value:nElement()):double()) end",
        "   seen[#seen + 1] = value",
        "end",
    ]

    def fresh() -> str:
        rows = draw.choice((0, 0, 0, 1, 3))
        shape, column = draw.choice((("", ""), (", 2", ":select(2, 2)")))
        target = f"torch.Tensor({max(rows, 1)}{shape}):random(1, {width}){column}"
        if not classes:
            target = f"torch.randn({rows}, {width})" if rows else f"torch.randn({width})"
        elif not rows:
            target = draw.choice(
                (str(draw.randint(1, width)), target, f"torch.LongTensor{{{draw.randint(1, width)}}}")
            )
        sizes = f"{rows}, {columns}" if rows else f"{columns}"
        return f"x, t = torch.randn({sizes}), {target}"

    steps = [
        lambda: fresh() + " m:forward(x)",
        lambda: "m:zeroGradParameters()",
        lambda: "m:updateParameters(0.1)",
        lambda: "see(c.output) see(m.output) see(c.gradInput) see(m.gradInput)",
        lambda: "see((m:parameters() or {})[1] or 0)",
        lambda: "local _, g = m:parameters() see((g or {})[#(g or {})] or 0)",
        lambda: "m.modules[1].output:fill(0.5)",
        lambda: "m.modules[#m.modules].threshold = 0.2 c.sizeAverage = not c.sizeAverage",
        lambda: "if m.modules[1].weight then m.modules[1].weight[1][1] = 0.3 end",
        lambda: (
            f"m:backward(x, m:forward(x):clone():fill({draw.randint(1, 3)}), {draw.choice(('0.5', '2'))})"
        ),
        lambda: "m:training() m:evaluate()",
        lambda: "see(m:updateGradInput(x, m:forward(x))) m:accGradParameters(x, m.output, 0.5)",
        lambda: "see((m:clone():forward(x) - m:forward(x)):abs():max())",
        lambda: "m:clearState()  m:forward(x)",
        lambda: "m = torch.deserialize(torch.serialize(m)) see(m:forward(x))",
        lambda: "m.modules[1].output = m.modules[1].output:clone() m:forward(x)",
        lambda: "m = m:clone() c = c:clone()",
        lambda: "m:get(1):forward(x)",
        lambda: "collectgarbage()",
        lambda: "x[x:dim() == 1 and 1 or {1, 1}] = 0.7",
        lambda: "m.modules[1].gradInput = torch.Tensor()",
        lambda: "local p = m:getParameters()",
        lambda: "m:forward(x:clone():resizeAs(x)) see(m.output)",
    ]
    step = "see(c:forward(m:forward(x), t)) m:backward(x, c:backward(m.output, t))"
    lines.append(fresh())
    lines += [f"do {step if draw.random() < 0.6 else draw.choice(steps)()} end" for _ in range(40)]
    return "\n".join([*lines, "return seen"])


@pytest.mark.sampled(10)
@pytest.mark.parametrize("seed", range(400))
def test_random_programs(seed: int, two: tuple[Runtime, Runtime]) -> None:
    text = program(random.Random(seed))
    ours, theirs = (runtime.execute(text).plain() for runtime in two)
    tolerance = 1e-11 if "DoubleTensor" in text else 1e-3  # some programs run away
    assert len(ours) == len(theirs) > 10
    torch.testing.assert_close(torch.tensor(ours), torch.tensor(theirs), rtol=tolerance, atol=tolerance)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where PyTorch computes a Linear."""
    found: list[str] = []
    forward = Linear.forward

    def noted(self: Linear, input: Any) -> Any:
        found.append("forward")
        return forward(self, input)

    monkeypatch.setattr(Linear, "forward", noted)
    return found


def test_python_is_not_called(small: Runtime, calls: list[str]) -> None:
    small.execute(
        f"""
        {MODEL} g = torch.ones(4)
        for i = 1, 100 do m:zeroGradParameters() m:forward(x) m:backward(x, g) m:updateParameters(0.1) end"""
    )
    assert not calls


def test_python_sees_what_lua_computed(small: Runtime) -> None:
    small.execute(
        f"{MODEL} c = nn.MSECriterion() for i = 1, 9 do l = c:forward(m:forward(x), x:sum() * m.output) end"
    )
    criterion, m, x = (small.globals[name] for name in "cmx")
    with torch.no_grad():
        wanted = torch.tanh(torch.nn.functional.linear(x, m[0].weight, m[0].bias))
        torch.testing.assert_close(m.output, wanted)
        assert criterion.output == small.globals["l"]
        assert criterion.output == pytest.approx(((1 - x.sum()) * wanted).square().mean().item())


def test_a_method_of_a_script_is_called_from_then_on(small: Runtime) -> None:
    """In the module, in its class and in a base class, of the model and of a layer inside."""
    counts = small.execute(
        f"""
        {MODEL}
        local counts = {{}}
        local function count(owner, name, is_class)
           for i = 1, 5 do m:forward(x) m:backward(x, m.output) end
           local n, own, old = 0, is_class and owner[name] or nil, owner[name]
           owner[name] = function(...) n = n + 1 return old(...) end
           for i = 1, 5 do m:forward(x) m:backward(x, m.output) end
           owner[name] = own
           counts[#counts + 1] = n
           for i = 1, 5 do m:forward(x) m:backward(x, m.output) end
           counts[#counts + 1] = n
        end
        count(m, 'updateOutput') count(m.modules[1], 'updateOutput') count(m.modules[2], 'updateGradInput')
        count(nn.Linear, 'updateOutput', true) count(nn.Sequential, 'backward', true) count(nn.Module, 'forward', true)
        return counts"""
    ).plain()
    assert counts == [5] * 12


def test_a_hook_is_called(small: Runtime) -> None:
    small.execute(f"{MODEL} for i = 1, 9 do m:forward(x) end")
    seen: list[int] = []
    with small.globals["m"][0].register_forward_hook(lambda *_: seen.append(1)):
        small.globals["m"][0](small.globals["x"])
        small.execute("for i = 1, 9 do m:forward(x) end")
    assert seen


def test_as_many_results_as_in_the_original(small: Runtime) -> None:
    small.execute(f"{MODEL} t = x.new(4):fill(1) a, b = nn.MSECriterion(), nn.ClassNLLCriterion()")
    small.execute(
        "for i = 1, 9 do a:forward(m:forward(x), t) b:forward(m:forward(x), 2) m:backward(x, t) end"
    )
    wanted = {
        "m:forward(x)": 1,
        "m:updateOutput(x)": 1,
        "m:backward(x, t)": 1,
        "m:backward(x, t, 2)": 1,
        "m:updateGradInput(x, t)": 1,
        "m:accGradParameters(x, t)": 0,
        "m:zeroGradParameters()": 0,
        "m:updateParameters(1)": 0,
        "a:forward(m.output, t)": 1,
        "a:updateOutput(m.output, t)": 1,
        "a:backward(m.output, t)": 1,
        "b:forward(m.output, 2)": 2,
        "b:updateOutput(m.output, 2)": 2,
        "b:updateGradInput(m.output, 2)": 1,
    }
    assert {call: small.execute(f"return (select('#', {call}))") for call in wanted} == wanted


def test_halves_of_a_backward_in_any_order(two: tuple[Runtime, Runtime]) -> None:
    """Parameters' gradients before there is a gradInput, and after a forward of another size."""
    found = [
        runtime.execute(
            f"""
            {MODEL} local seen = {{}}
            local function try(...)
               local ok, value = pcall(...)
               seen[#seen + 1] = ok and (value and value:sum() or 0) or value
            end
            for turn = 1, 3 do
               m:forward(x)
               try(m.accGradParameters, m, x, torch.ones(4))
               m:forward(torch.ones(2, 3))
               try(m.accGradParameters, m, torch.ones(2, 3), torch.ones(2, 4))
               try(m.updateGradInput, m, torch.ones(2, 3), torch.ones(2, 4))
               try(m.accGradParameters, m, torch.ones(2, 3), torch.ones(2, 4))
               try(function() return m.modules[1].gradWeight end)
               m:clearState()
            end
            return seen"""
        ).plain()
        for runtime in two
    ]
    assert [type(item) for item in found[0]] == [type(item) for item in found[1]]
    for ours, theirs in zip(*found, strict=True):
        assert ours == (theirs if isinstance(ours, str) else pytest.approx(theirs, rel=1e-12))


def test_copies_give_the_same_numbers(small: Runtime) -> None:
    """To the bit, whatever ran before on each, as all are computed in one way."""
    small.execute(
        f"""
        {MODEL} local y = m:forward(x):clone()
        local same = {{m:clone(), torch.deserialize(torch.serialize(m)), m}}
        for _, other in ipairs(same) do
           for turn = 1, 3 do assert((other:forward(x) - y):abs():max() == 0) end
        end
        m.modules[1].output = torch.zeros(4)
        assert((m:forward(x) - y):abs():max() == 0)"""
    )


def test_an_error_says_what_it_says_elsewhere(two: tuple[Runtime, Runtime]) -> None:
    messages = []
    for runtime in two:
        runtime.execute(f"{MODEL} c = nn.ClassNLLCriterion() for i = 1, 9 do c:forward(m:forward(x), 2) end")
        messages.append(
            [
                runtime.execute(f"return select(2, pcall(function() {call} end))")
                for call in (
                    "m:forward(torch.randn(4))",
                    "m:forward({})",
                    "c:forward(m.output, 9)",
                    "m:backward(x)",
                )
            ]
        )
    assert messages[0] == messages[1]


def test_a_module_that_feeds_itself(two: tuple[Runtime, Runtime]) -> None:
    """Input, gradient and results that are one tensor are left to PyTorch, whose results are new ones."""
    found = [
        runtime.execute(
            """
            require 'nn' torch.manualSeed(1)
            local m = nn.Sequential():add(nn.Linear(3, 3))
            m:forward(torch.randn(3)) m:backward(m.output:clone(), m.output)
            for i = 1, 6 do
               m:forward(m.output)
               m:backward(m.output, m.gradInput)
               m:backward(m.gradInput, m.output)
            end
            return m.output:sum(), m.gradInput:sum(), m.modules[1].gradWeight:sum()"""
        )
        for runtime in two
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-12)


@pytest.mark.parametrize("depth", [5, 40])
def test_containers_in_containers(depth: int, two: tuple[Runtime, Runtime]) -> None:
    """Few or too many to serve, or one that holds itself, which nothing can run."""
    found = [
        runtime.execute(
            f"""
            {MODEL}
            for i = 1, {depth} do m = nn.Sequential():add(m) end
            for i = 1, 3 do m:forward(x) m:backward(x, m.output) end
            local own = nn.Sequential()
            own.modules[1] = own
            return m.output:sum(), m.gradInput:sum(), (pcall(own.forward, own, x))"""
        )
        for runtime in two
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-12)
    assert found[0][2] is False


def test_models_go_with_their_modules(small: Runtime) -> None:
    """Also where a layer of one lives on."""
    small.execute(
        """
        require 'nn'
        kept, x = {}, torch.randn(3)
        for i = 1, 50 do
           local m = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh())
           for i = 1, 9 do m:forward(x) end
           kept[i % 3] = m.modules[1]
        end
        for _ = 1, 4 do collectgarbage() end"""
    )
    gc.collect()
    assert sum(isinstance(item, Sequential) for item in gc.get_objects()) < 5


def golden(name: str, kinds: set[str]) -> list[dict[str, Any]]:
    """The recorded cases of such classes whose input is a vector or a matrix."""
    cases = [case for case in supported(name) if case["expr"].partition("(")[0] in kinds]
    return [case for case in cases if 1 <= len(case["input"].get("size", ())) <= 2]


LAYER_KINDS = {f"nn.{kind}" for kind in "Linear Tanh Sigmoid ReLU Threshold SoftMax LogSoftMax".split()}
CRITERION_KINDS = {f"nn.{kind}Criterion" for kind in "ClassNLL MSE Abs".split()}


@pytest.mark.parametrize("recorded", golden("nn_modules", LAYER_KINDS), ids=identify)
def test_golden_modules(small: Runtime, recorded: dict[str, Any]) -> None:
    """The numbers of the original, once the layer's tensors are there for Lua to write."""
    case = Case(small, recorded)
    case.make()
    case.give(input=value(recorded["input"]), g1=value(recorded["gradOutput"]))
    small.execute("for i = 1, 4 do m:forward(input) m:backward(input, g1) end m:zeroGradParameters()")
    case.close(case.get("m:forward(input)"), "output", "output")
    case.close(case.get("m:backward(input, g1)"), "gradInput", "gradInput")
    if "gradParams" in recorded:
        found = [tensor.clone() for tensor in case.get("select(2, m:parameters())").plain()]
        case.close(found, "gradParams", "gradParams")


@pytest.mark.parametrize("recorded", golden("nn_criterions", CRITERION_KINDS), ids=identify)
def test_golden_criterions(small: Runtime, recorded: dict[str, Any]) -> None:
    case = Case(small, recorded)
    case.make()
    case.give(input=value(recorded["input"]), target=value(recorded["target"]))
    small.execute("for i = 1, 4 do m:forward(input, target) m:backward(input, target) end")
    case.close(case.get("(m:forward(input, target))"), "output", "output")
    case.close(case.get("m:backward(input, target)"), "gradInput", "gradInput")
