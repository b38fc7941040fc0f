"""What a script changes in a model is seen at the next call, also after calls that found nothing changed."""

from __future__ import annotations

from typing import Any

import pytest

from torch7py.bridge.module_proxies import ModuleProxies
from torch7py.bridge.runtime import Runtime
from torch7py.nn.container import Container

MODELS = {
    "sequential": "nn.Sequential():add(nn.Sequential():add(inner):add(nn.Identity()))",
    "graph": "(function() local x = nn.Identity()() return nn.gModule({x}, {nn.Identity()(inner(x))}) end)()",
    "graph in a table": "nn.Sequential():add(nn.ConcatTable():add((function() local x = nn.Identity()() "
    "return nn.gModule({x}, {inner(x)}) end)())):add(nn.SelectTable(1))",
    "a copy": "nn.Sequential():add(nn.Sequential():add(inner):add(nn.Identity())):clone()",
    "sequencer": "(function() require 'rnn' return nn.Sequential():add(nn.Unsqueeze(1)):add(nn.Sequencer(inner))"
    ":add(nn.Squeeze()) end)()",
    "a script's class": "(function() local c = torch.class('Box', 'nn.Sequential') return Box():add(inner) end)()",
}
# What is done to the model `m`, whose only layer that counts is `inner` (x + 1): it adds 10 instead, or 11.
CHANGES = {
    "a method of the layer": "inner.updateOutput = ten",
    "of the layer, by rawset": "rawset(inner, 'updateOutput', ten)",
    "of the class": "nn.AddConstant.updateOutput = ten",
    "of the class, by rawset": "rawset(torch.getmetatable('nn.AddConstant'), 'updateOutput', ten)",
    "of the class, by its metatable": "torch.getmetatable('nn.AddConstant').updateOutput = ten",
    "another class": "torch.class('Ten', 'nn.AddConstant').updateOutput = ten torch.setmetatable(inner, 'Ten')",
    "another metatable": "local c = torch.class('Ten', 'nn.AddConstant') c.updateOutput = ten setmetatable(inner, c)",
    "a field": "inner.constant_scalar = 10",
}


@pytest.fixture
def rt(runtime: Runtime) -> Runtime:
    runtime.execute(
        """
        require 'nngraph'
        function ten(self, x) self.output = x + 10 return self.output end
        x = torch.zeros(2)
        function calls(n) for _ = 1, n do y = m:forward(x) m:backward(x, x) m:training() end return y[1] end
        inner = nn.AddConstant(1)
        """
    )
    return runtime


def find_inner(rt: Runtime) -> None:
    rt.execute("inner = m:findModules('nn.AddConstant')[1]")


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_a_layer_does(rt: Runtime, model: str, change: str) -> None:
    rt.execute(f"m = {model}")
    find_inner(rt)
    assert rt.execute("return calls(4)") == 1
    rt.execute(change)
    assert rt.execute("return calls(1)") == 10
    assert rt.execute("return calls(4)") == 10


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_methods_come_change_and_go(rt: Runtime, model: str) -> None:
    rt.execute(f"m = {model}")
    find_inner(rt)
    found = []
    for change in (
        "",
        "inner.updateOutput = ten",
        "inner.updateOutput = function(self, x) self.output = x + 20 return self.output end",
        "inner.updateOutput = nil",
        "nn.AddConstant.updateOutput = ten",
        "nn.AddConstant.updateOutput = function(self, x) self.output = x + 30 return self.output end",
    ):
        rt.execute(change)
        first = rt.execute("return calls(1)")
        assert first == rt.execute("return calls(4)")
        found.append(first)
    assert found == [1, 10, 20, 1, 10, 30]


def test_lists_of_modules(rt: Runtime) -> None:
    rt.execute("m = nn.Sequential():add(nn.Sequential():add(inner)):add(nn.Identity())")
    found = [rt.execute("return calls(4)")]
    for change in (
        "table.insert(m.modules[1].modules, nn.AddConstant(5))",
        "m.modules[1].modules[2] = nn.MulConstant(7)",
        "m.modules[1].modules[2] = nil",
        "m.modules[1].modules = {nn.AddConstant(2), nn.AddConstant(3)}",
        "m:get(1):remove(1)",
        "m:get(1):insert(nn.AddConstant(8), 1)",
        "m.modules[2] = nn.Sequential():add(nn.AddConstant(100))",
        "m.modules[2].modules[1] = nn.AddConstant(200)",
    ):
        rt.execute(change)
        found += [rt.execute("return calls(1)"), rt.execute("return calls(4)")]
    assert found == [1, 6, 6, 7, 7, 1, 1, 5, 5, 3, 3, 11, 11, 111, 111, 211, 211]


def test_fields_that_hold_a_module(rt: Runtime) -> None:
    rt.execute(
        "require 'rnn' m = nn.Sequential():add(nn.Unsqueeze(1)):add(nn.Sequencer(inner)):add(nn.Squeeze())"
    )
    found = [rt.execute("return calls(4)")]
    for change in (
        "m:get(2).module = nn.Recursor(nn.AddConstant(5))",
        "rawset(m:get(2), 'module', nn.Recursor(nn.AddConstant(6)))",
        "m:get(2).module.modules[1].updateOutput = ten",
        "m:get(2).module.modules[1].updateOutput = nil",
        "nn.AddConstant.updateOutput = ten",
    ):
        rt.execute(change)
        found += [rt.execute("return calls(1)"), rt.execute("return calls(4)")]
    assert found == [1, 5, 5, 6, 6, 10, 10, 6, 6, 10, 10]


def test_nodes_of_a_graph(rt: Runtime) -> None:
    rt.execute(
        "local i = nn.Identity()() local o = inner(i) m = nn.gModule({i}, {o}) node = m.outnode.children[1]"
    )
    assert rt.execute("return calls(4)") == 1
    rt.execute(
        "for _, n in ipairs(m.forwardnodes) do if n.data.module == inner then n.data.module = nn.AddConstant(4) end end"
    )
    assert rt.execute("return calls(1)") == 4
    assert rt.execute("return calls(4)") == 4


def test_records_keep_no_module(rt: Runtime) -> None:
    """A model that refers to itself is collected after calls that made a record of it."""
    rt.execute(
        """
        gone = setmetatable({}, {__mode = 'v'})
        m = nn.Sequential():add(nn.Sequential():add(inner))
        calls(4)
        m.modules[1].owner, gone[1], gone[2] = m, m, m.modules[1]
        m, inner = nil
        collectgarbage() collectgarbage()
        """
    )
    assert rt.execute("return #gone") == 0


def test_a_list_that_is_another_one_for_the_length_of_a_call(rt: Runtime) -> None:
    """A method that Python calls gives its module more children, calls the parent's method and puts the list back."""
    rt.execute(
        """
        local W, parent = torch.class('Wide', 'nn.Sequential')
        function W:evaluate()
           local own = self.modules
           self.modules = all
           parent.evaluate(self)
           self.modules = own
        end
        wide = Wide():add(nn.Linear(2, 2))
        all = {wide:get(1), nn.Linear(2, 2), nn.Linear(2, 2)}
        m = nn.Sequential():add(wide):add(nn.Tanh())
        function count() return #m:parameters() end
        """
    )
    for _ in range(3):
        assert rt.execute("for _ = 1, 4 do n = count() end return n") == 2
        rt.execute("m:evaluate()")
    assert rt.execute("return count()") == 2
    assert len(list(rt.globals["m"].parameters())) == 2


@pytest.mark.parametrize("others", [10, 300])
def test_a_call_pays_for_its_own_tree_alone(others: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many other modules hold tables, are made meanwhile, or compute in Lua beside the one that is called."""
    compared: list[int] = []
    changed_fields = ModuleProxies.changed_fields

    def counted(self: ModuleProxies, *fields: Any) -> tuple[int, ...]:
        compared.append(len(fields) // 3)
        return changed_fields(self, *fields)

    monkeypatch.setattr(ModuleProxies, "changed_fields", counted)
    with Runtime() as runtime:
        runtime.globals["others"] = others
        runtime.execute(
            """
            require 'nn'
            local Pair = torch.class('nn.Pair', 'nn.Module')
            function Pair:__init() nn.Module.__init(self) self.gradInput = {torch.Tensor(), torch.Tensor()} end
            function Pair:updateOutput(input) return self.output:resizeAs(input[1]):add(input[1], input[2]) end
            function Pair:updateGradInput(input, gradOutput)
               for i = 1, 2 do self.gradInput[i]:resizeAs(gradOutput):copy(gradOutput) end
               return self.gradInput
            end
            kept = {}
            for i = 1, others do
               kept[i] = nn.ConcatTable():add(nn.Identity()):add(nn.Identity())
               kept[i]:forward(torch.ones(2))
               assert(#kept[i].output == 2)
            end
            m = nn.Sequential():add(nn.ConcatTable():add(nn.Identity()):add(nn.Identity())):add(nn.Pair())
            x = torch.ones(2)
            for i = 1, 4 do m:forward(x) m:backward(x, x) end
            assert(m:get(1).output[2]:sum() == 2)
            """
        )
        compared.clear()
        runtime.execute("for i = 1, 10 do local c = nn.MSECriterion() m:forward(x) m:backward(x, x) end")
    assert 0 < sum(compared) <= others + 10 * 12


def test_a_large_model_is_built_in_as_many_steps_as_it_has_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Appending tells Python of the new module alone."""
    children: list[int] = []
    as_list = Container.child_list

    def counted(self: Container) -> list[Any]:
        found = as_list(self)
        children.append(len(found))
        return found

    monkeypatch.setattr(Container, "child_list", counted)
    with Runtime() as runtime:
        runtime.execute("require 'nn' m = nn.Sequential() for i = 1, 300 do m:add(nn.Identity()) end")
        assert sum(children) < 300
        assert runtime.execute("return #m.modules, m:forward(torch.ones(2)):sum()") == (300, 2)
