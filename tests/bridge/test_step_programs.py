"""Models run in Lua as lists of instructions: the original's numbers on random graphs, and what scripts see of a run.

``golden/random_graphs.txt.gz`` has what ``random_graphs.lua`` printed in the original.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.looks import looks
from tests.random_programs import wrong_lines
from torch7py.bridge.errors import LuaError
from torch7py.bridge.module_proxies import ModuleProxies
from torch7py.bridge.runtime import Runtime
from torch7py.bridge.step_programs import without_steps_in_lua
from torch7py.nn.activation import Tanh
from torch7py.nn.selecting import Select
from torch7py.nn.step_program import StepProgram

GRAPHS = Path(__file__).parent / "random_graphs.lua"
AT_ONCE = 30
MODEL = """
    require 'nngraph'
    torch.manualSeed(1)
    local a, b = nn.Identity()(), nn.Identity()()
    linear = nn.Linear(3, 2)
    sum = nn.CAddTable()({linear(a), nn.Tanh()(b)})
    m = nn.gModule({a, b}, {nn.Sigmoid()(sum)})
    x, y, g = torch.randn(4, 3), torch.randn(4, 2), torch.ones(4, 2)
"""


@pytest.mark.parametrize("first", [1, 31])
def test_random_graphs_give_the_originals_numbers(
    first: int, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert wrong_lines(GRAPHS, range(first, first + AT_ONCE), capfdbinary) == []


@pytest.mark.slow
@pytest.mark.parametrize("steps", ["1", "0"])
@pytest.mark.parametrize("first", range(61, 390, AT_ONCE))
def test_more_random_graphs(
    first: int, steps: str, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH7PY_SMALL_STEPS", steps)
    assert wrong_lines(GRAPHS, range(first, first + AT_ONCE), capfdbinary) == []


@pytest.fixture
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        if runtime.engine == "lua51":
            pytest.skip("plain Lua reaches no memory; the random graphs run there too")
        runtime.execute(MODEL)
        yield runtime


def runs_in_python(runtime: Runtime, name: str = "m") -> int:
    """How often a graph's own methods have run."""
    count: int = runtime.globals[name].__dict__.get("_runs", 0)
    return count


def sigmoid_of_sum(runtime: Runtime) -> torch.Tensor:
    """What the model gives, by PyTorch."""
    x, y, linear = (runtime.globals[name] for name in ("x", "y", "linear"))
    return torch.sigmoid(x @ linear.weight.t() + linear.bias + torch.tanh(y)).detach()


def test_lua_runs_a_graph_without_python(rt: Runtime) -> None:
    rt.execute("for _ = 1, 3 do out = m:forward({x, y}) grads = m:backward({x, y}, g) end")
    torch.testing.assert_close(rt.globals["out"], sigmoid_of_sum(rt))
    assert runs_in_python(rt) == 0


def test_gradients_are_those_of_autograd(rt: Runtime) -> None:
    rt.execute("m:zeroGradParameters() m:forward({x, y}) grads = m:backward({x, y}, g, 0.5)")
    x, y = (rt.globals[name].clone().requires_grad_() for name in ("x", "y"))
    linear = rt.globals["linear"]
    weight, bias = (
        linear.weight.detach().clone().requires_grad_(),
        linear.bias.detach().clone().requires_grad_(),
    )
    torch.sigmoid(x @ weight.t() + bias + torch.tanh(y)).sum().backward()
    torch.testing.assert_close(rt.execute("return grads[1], grads[2]"), (x.grad, y.grad))
    torch.testing.assert_close(linear.weight.grad, weight.grad * 0.5)
    torch.testing.assert_close(linear.bias.grad, bias.grad * 0.5)


def test_parameters_move_in_lua(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    rt.execute("m:forward({x, y}) m:backward({x, y}, g)")
    linear = rt.globals["linear"]
    rt.execute(
        "m:zeroGradParameters() m:forward({x, y}) m:backward({x, y}, g)"
    )  # which asks Python once more
    wanted = [p.detach() - 0.1 * p.grad for p in (linear.weight, linear.bias)]
    asked = looks(monkeypatch)
    rt.execute("m:updateParameters(0.1)")
    torch.testing.assert_close([linear.weight.detach(), linear.bias.detach()], wanted)
    rt.execute("m:zeroGradParameters()")
    assert not linear.weight.grad.any()
    assert not linear.bias.grad.any()
    rt.execute("for _ = 1, 9 do m:forward({x, y}) m:backward({x, y}, g) m:updateParameters(0.1) end")
    assert len(asked) <= 3  # once for each entry into Lua


def test_shared_parameters_move_once_for_each_module(rt: Runtime) -> None:
    """The numbers are the original's."""
    found = rt.execute(
        """
        local a = nn.Identity()()
        local one, two = nn.Linear(2, 2), nn.Linear(2, 2)
        two:share(one, 'weight', 'bias', 'gradWeight', 'gradBias')
        local s = nn.gModule({a}, {two(nn.Tanh()(one(a)))})
        one.weight:copy(torch.Tensor {{1, 2}, {3, 4}})
        one.bias:fill(0.5)
        local z, h = torch.Tensor {{0.1, -0.2}}, torch.ones(1, 2)
        for _ = 1, 4 do s:zeroGradParameters() s:forward(z) s:backward(z, h) s:updateParameters(0.1) end
        return one.weight:sum(), one.weight[1][2], one.bias:sum(), one.gradWeight:sum()
        """
    )
    assert found == pytest.approx(
        (12.366711766700, 2.849837945156, -3.626294274642, -3.931483543032), rel=1e-10
    )


def test_nodes_show_what_they_were_given(rt: Runtime) -> None:
    assert rt.execute(
        """
        m:forward({x, y})
        m:backward({x, y}, g)
        local data = sum.data
        local first, tanh = data.input[1], data.input[2]
        local given = rawequal(m.forwardnodes[1].data.input[1], x)
        return torch.type(first), tanh:dist(torch.tanh(y)), #data.gradOutput, given
        """
    ) == ("torch.DoubleTensor", 0, 1, True)


def test_python_goes_on_after_a_run_of_luas(rt: Runtime) -> None:
    rt.execute("m:forward({x, y})")
    model, x, y, g = (rt.globals[name] for name in "mxyg")
    found = model.backward([x, y], g)
    rt.execute("m:forward({x, y}) grads = m:backward({x, y}, g)")
    torch.testing.assert_close(found, list(rt.execute("return grads[1], grads[2]")))


@pytest.mark.parametrize(
    "change",
    [
        "x, y, g = torch.randn(2, 3), torch.randn(2, 2), torch.ones(2, 2)",
        "x = torch.randn(3, 4):t()",
        "linear.weight = torch.randn(2, 3)",
        "linear.weight:resize(1):resize(2, 3):uniform()",
        "linear.output = torch.Tensor()",
        "linear.output:resize(100):zero()",
        "m:float() m:double()",
        "m = m:clone() linear = m.modules[2]",
        "m:clearState()",
        "linear:reset(3)",
    ],
)
def test_changes_between_runs_count(rt: Runtime, change: str) -> None:
    rt.execute("for _ = 1, 2 do m:forward({x, y}) m:backward({x, y}, g) end")
    rt.execute(f"{change} out = m:forward({{x, y}}) m:backward({{x, y}}, g)")
    torch.testing.assert_close(rt.globals["out"], sigmoid_of_sum(rt))


def test_methods_that_a_script_sets_are_called(rt: Runtime) -> None:
    assert (
        rt.execute(
            """
            m:forward({x, y})
            local tanh = sum.children[2].data.module
            function tanh:updateOutput(input) self.output = input * 0 return self.output end
            return m:forward({x, y}):dist(torch.sigmoid(linear:forward(x)))
            """
        )
        < 1e-12
    )


def test_hooks_are_called(rt: Runtime) -> None:
    rt.execute("m:forward({x, y})")
    model = rt.globals["m"]
    called: list[Any] = []
    next(iter(model.children())).register_forward_hook(lambda *arguments: called.append(arguments))
    rt.execute("m:forward({x, y})")
    assert runs_in_python(rt) == 1


def test_a_module_may_take_the_place_of_another(rt: Runtime) -> None:
    assert rt.execute(
        """
        m:forward({x, y})
        sum.children[2].data.module = nn.MulConstant(0)
        return m:forward({x, y}):dist(torch.sigmoid(linear:forward(x)))
        """
    ) == pytest.approx(0, abs=1e-12)


def test_indices_are_looked_at(rt: Runtime) -> None:
    rt.execute(
        """
        local a = nn.Identity()()
        words = nn.gModule({a}, {nn.Tanh()(nn.LookupTable(5, 2)(a))})
        words:forward(torch.LongTensor {1, 5})
        """
    )
    for index in (0, 6):
        with pytest.raises(LuaError, match=r"index|range"):
            rt.execute(f"words:forward(torch.LongTensor {{1, {index}}})")


@pytest.mark.parametrize("kind", ["Int", "Long"])
def test_zeros_fill_as_much_memory_as_there_is(
    rt: Runtime, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gradient of indices has their type, whose numbers may be smaller than those of the model."""
    seen = []
    line = StepProgram.line

    def looked_at(self: StepProgram, name: str, *numbers: int, **rest: Any) -> None:
        if name == "clear":
            seen.append((numbers[1], self.slots[numbers[0]].nbytes))
        line(self, name, *numbers, **rest)

    monkeypatch.setattr(StepProgram, "line", looked_at)
    rt.execute(
        f"""
        local words = nn.Sequential():add(nn.LookupTable(5, 2)):add(nn.Linear(2, 2)):add(nn.Tanh())
        local indices = torch.{kind}Tensor {{1, 5, 2}}
        for _ = 1, 3 do
           words:forward(indices)
           words:backward(indices, torch.ones(3, 2))
        end
        """
    )
    assert seen
    assert all(written == room for written, room in seen)


LAYER = """
    local scripted = torch.class('Scripted', 'nn.Module')
    function scripted:updateOutput(x)
       self.output = self.wide and torch.cat(x, x, 2) or x * 2
       if self.fails then error('it fails') end
       return self.output
    end
    function scripted:updateGradInput(x, g)
       self.gradInput = self.wide and g:narrow(2, 1, 2) + g:narrow(2, 3, 2) or g * 2
       if self.fails_back then error('it fails too') end
       if self.short then self.gradInput = self.gradInput:narrow(1, 1, 1) end
       return self.gradInput
    end
    local a = nn.Identity()()
    layer = Scripted()
    s = nn.gModule({a}, {nn.Sigmoid()(layer(nn.Tanh()(a)))})
    s:forward(y)
    for _ = 1, 4 do s:forward(y) s:backward(y, g) end
"""


def test_layers_of_a_script_are_called(rt: Runtime) -> None:
    rt.execute(LAYER)
    before = runs_in_python(rt, "s")
    rt.execute("out = s:forward(y) back = s:backward(y, g)")
    assert runs_in_python(rt, "s") == before
    y = rt.globals["y"].clone().requires_grad_()
    expected = torch.sigmoid(torch.tanh(y) * 2)
    expected.sum().backward()
    torch.testing.assert_close(rt.globals["out"], expected.detach())
    torch.testing.assert_close(rt.globals["back"], y.grad)


def test_a_layer_of_a_script_may_give_something_else(rt: Runtime) -> None:
    rt.execute(LAYER)
    rt.execute("layer.wide = true out = s:forward(y) back = s:backward(y, torch.ones(4, 4))")
    y = rt.globals["y"].clone().requires_grad_()
    half = torch.tanh(y)
    expected = torch.sigmoid(torch.cat([half, half], 1))
    expected.sum().backward()
    torch.testing.assert_close(rt.globals["out"], expected.detach())
    torch.testing.assert_close(rt.globals["back"], y.grad)


def test_so_may_its_gradient(rt: Runtime) -> None:
    rt.execute(LAYER)
    with pytest.raises(LuaError, match="gradOutput"):
        rt.execute("layer.short = true s:forward(y) s:backward(y, g)")
    rt.execute("layer.short = nil out = s:forward(y) back = s:backward(y, g)")
    torch.testing.assert_close(rt.globals["out"], torch.sigmoid(torch.tanh(rt.globals["y"]) * 2))


WORDS = """
    local rows = torch.class('Rows', 'nn.Module')
    function rows:updateOutput(x)
       self.output = torch.eye(3):index(1, x:long())
       return self.output
    end
    local a, b = nn.Identity()(), nn.Identity()()
    of_words = nn.Linear(3, 2)
    t = nn.gModule({a, b}, {nn.Tanh()(nn.CAddTable()({of_words(Rows()(a)), b}))})
    words, before, g2 = torch.DoubleTensor {1, 3}, torch.ones(2, 2), torch.ones(2, 2)
    for _ = 1, 4 do t:forward({words, before}) t:backward({words, before}, g2) end
"""


def test_a_layer_of_a_script_may_lack_a_gradient(rt: Runtime) -> None:
    rt.execute(WORDS)
    before = runs_in_python(rt, "t")
    given = rt.execute(
        """
        t:training()
        t:zeroGradParameters()
        t:forward({words, before})
        return unpack(t:backward({words, before}, g2))
        """
    )
    assert runs_in_python(rt, "t") == before
    linear = rt.globals["of_words"]
    weight = linear.weight.detach().clone().requires_grad_()
    state = torch.ones(2, 2, dtype=torch.float64, requires_grad=True)
    torch.tanh(weight[:, [0, 2]].t() + linear.bias.detach() + state).sum().backward()
    torch.testing.assert_close(given[1], state.grad)
    torch.testing.assert_close(linear.weight.grad, weight.grad)
    assert given[0].numel() == 0  # that of nn.Module, as in the original


def test_a_layer_may_get_a_gradient_later(rt: Runtime) -> None:
    rt.execute(WORDS)
    given = rt.execute(
        """
        function Rows:updateGradInput(x, g)
           self.gradInput = x * 2
           return self.gradInput
        end
        return t:backward({words, before}, g2)[1]:sum()
        """
    )
    assert given == 8


def test_errors_of_a_script_pass(rt: Runtime) -> None:
    rt.execute(LAYER)
    with pytest.raises(LuaError, match="it fails"):
        rt.execute("layer.fails = true s:forward(y)")
    with pytest.raises(LuaError, match="it fails too"):
        rt.execute("layer.fails = false layer.fails_back = true s:forward(y) s:backward(y, g)")
    rt.execute("layer.fails_back = false out = s:forward(y)")
    torch.testing.assert_close(rt.globals["out"], torch.sigmoid(torch.tanh(rt.globals["y"]) * 2))


def test_a_graph_may_take_its_own_output(rt: Runtime) -> None:
    rt.execute(
        """
        local a = nn.Identity()()
        h = nn.gModule({a}, {nn.Tanh()(nn.AddConstant(1)(a))})
        state = torch.zeros(2)
        for _ = 1, 5 do state = h:forward(state) end
        """
    )
    expected = torch.zeros(2, dtype=torch.float64)
    for _ in range(5):
        expected = torch.tanh(expected + 1)
    torch.testing.assert_close(rt.globals["state"], expected)


def test_tables_that_a_model_gives_stay_the_same(rt: Runtime) -> None:
    assert rt.execute(
        """
        local a = nn.Identity()()
        local t = nn.gModule({a}, {nn.Tanh()(a), nn.Identity()({a, nn.Sigmoid()(a)})})
        local first = t:forward(x)
        local inner = first[2]
        local other = x * 2
        local second = t:forward(other)
        local same = rawequal(first, second) and rawequal(inner, second[2]) and rawequal(t.output, second)
        return same, rawequal(inner[1], other)
        """
    ) == (True, True)


def test_large_models_are_left_to_pytorch(rt: Runtime) -> None:
    rt.execute(
        """
        local a = nn.Identity()()
        large = nn.gModule({a}, {nn.Sigmoid()(nn.Linear(100, 1000)(a))})
        for _ = 1, 3 do large:forward(torch.randn(100, 100)) end
        """
    )
    assert runs_in_python(rt, "large") == 3


@pytest.mark.parametrize(("dimension", "index"), [(1, 2), (2, -1), (-1, 3)])
def test_slices(rt: Runtime, dimension: int, index: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an input from outside, whose memory is another each time."""
    rt.execute(f"s = nn.Sequential():add(nn.Select({dimension}, {index})):add(nn.Tanh())")
    monkeypatch.setattr(Select, "updateOutput", None)
    monkeypatch.setattr(Select, "updateGradInput", None)
    for _ in range(2):
        rt.execute(
            "x = torch.randn(4, 3) out = s:forward(x):clone() back = s:backward(x, torch.ones(out:size()))"
        )
        x = rt.globals["x"].clone().requires_grad_()
        expected = x.select(dimension - (dimension > 0), index - (index > 0)).tanh()
        expected.sum().backward()
        torch.testing.assert_close(rt.globals["out"], expected.detach())
        torch.testing.assert_close(rt.globals["back"], x.grad)


def test_a_model_of_very_many_modules_runs_some_times_before_its_list_is_written(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be made for one run."""
    rt.execute(
        """
        many = nn.Sequential()
        for _ = 1, 1100 do many:add(nn.Tanh()) end
        out = many:forward(x)
        """
    )
    expected = rt.globals["out"].clone()
    asked = looks(monkeypatch)
    rt.execute("for _ = 1, 5 do many:forward(x) end")
    assert asked == []
    rt.execute("for _ = 1, 10 do out = many:forward(x) end collectgarbage()")
    calls: list[str] = []
    monkeypatch.setattr(Tanh, "updateOutput", lambda *_: calls.append("in Python"))
    rt.execute("out = many:forward(x)")
    assert calls == []
    torch.testing.assert_close(rt.globals["out"], expected)


def test_tools_that_watch_layers_see_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lua takes no steps itself where Python's own methods are to be seen."""
    seen: list[str] = []
    method = ModuleProxies.method

    def watched(proxies: ModuleProxies, class_name: str, name: str) -> Any:
        call = method(proxies, class_name, name)

        def noted(*arguments: Any) -> Any:
            seen.append(name)
            return call(*arguments)

        return noted

    for owner, name, value in [(ModuleProxies, "method", watched), *without_steps_in_lua()]:
        monkeypatch.setattr(owner, name, value)
    with Runtime(seed=1) as runtime:
        runtime.execute("""
            require 'nngraph'
            local x = nn.Identity()()
            local g = nn.gModule({x}, {nn.CAddTable()({nn.Tanh()(x), nn.Sigmoid()(x)})})
            local m = nn.Sequential():add(nn.Linear(2, 2)):add(nn.Tanh())
            for i = 1, 20 do g:forward(torch.ones(2)) m:forward(torch.ones(2)) end
        """)
    assert seen.count("forward") == 40


def test_reading_late_shows_what_reading_at_once_does(runtime, capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever runs come between a run and the look at its fields, or the file that they are saved to."""
    runtime.run(GRAPHS.with_name("late_reads.lua"))
    assert capfd.readouterr().out == ""
