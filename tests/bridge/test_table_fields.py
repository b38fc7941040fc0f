"""Fields that hold tables, around methods in Lua that Python calls: both sides have the same, whoever changed it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.module_proxies import ModuleProxies

PROGRAM = """
require 'nn'
local Act, parent = torch.class('nn.Act', 'nn.Module')
function Act:__init(f) parent.__init(self) self.f = f end
function Act:updateOutput(input) if self.f then self.f(input) end self.output = input return self.output end
act = nn.Act()
net = nn.Sequential():add(act)
pair = nn.ConcatTable():add(nn.Identity()):add(nn.MulConstant(2))
nested = nn.ConcatTable():add(nn.ConcatTable():add(nn.Identity()):add(nn.Identity())):add(nn.Identity())
x = torch.Tensor{1, 2, 3}
"""


@pytest.fixture
def torch7() -> Iterator[Runtime]:
    with Runtime() as runtime:
        runtime.execute(PROGRAM)
        runtime.execute("pair:forward(x) nested:forward(x) held, inner = pair.output, nested.output[1]")
        yield runtime


def output(runtime: Runtime, name: str) -> Any:
    return runtime.globals[name].output


def test_what_the_method_does_to_another_module(torch7: Runtime) -> None:
    torch7.execute(
        "act.f = function() held[1] = torch.ones(1) table.insert(held, torch.zeros(2)) end net:forward(x)"
    )
    found = output(torch7, "pair")
    assert [t.tolist() for t in found] == [[1], [2, 4, 6], [0, 0]]
    torch7.execute("act.f = function() table.remove(held) held[2] = nil end net:forward(x)")
    assert [t.tolist() for t in output(torch7, "pair")] == [[1]]


def test_a_table_in_a_table(torch7: Runtime) -> None:
    torch7.execute("act.f = function() inner[2] = torch.ones(1) end net:forward(x)")
    assert [t.tolist() for t in output(torch7, "nested")[0]] == [[1, 2, 3], [1]]


def test_another_table(torch7: Runtime) -> None:
    torch7.execute("act.f = function() pair.output = {x, name = 'a'} end net:forward(x) pair.output = held")
    torch7.execute("act.f = nil net:forward(x)")
    assert len(output(torch7, "pair")) == 2
    torch7.execute("act.f = function() pair.output = nil end net:forward(x)")
    assert output(torch7, "pair") is None


def test_there_and_back(torch7: Runtime) -> None:
    """What was there before comes back, with another exchange of the same table between."""
    torch7.execute("a, b = held[1], torch.ones(2)")
    torch7.execute("act.f = function() held[1] = b end net:forward(x)")
    torch7.execute("nn.JoinTable(1):forward(held)")
    torch7.execute("act.f = function() held[1] = a end net:forward(x)")
    assert output(torch7, "pair")[0].tolist() == [1, 2, 3]
    # handed over as an argument while it is another
    torch7.execute("held[1] = b nn.JoinTable(1):forward(held) act.f = nil held[1] = a net:forward(x)")
    torch7.execute("act.f = function() seen = held[1] end net:forward(x)")
    assert torch7.globals["seen"].tolist() == [1, 2, 3]


def test_what_python_has_changed(torch7: Runtime) -> None:
    """The method sees what the container did before it called: other tensors, more of them, another list."""
    torch7.execute(
        """
        both = nn.Sequential():add(pair):add(nn.SelectTable(1)):add(act)
        act.f = function() count, first = #held, held[1][1] same = held == pair.output end
        both:forward(torch.Tensor{5})
        """
    )
    assert (torch7.globals["count"], torch7.globals["first"], torch7.globals["same"]) == (2, 5, True)
    pair = torch7.globals["pair"]
    pair.output.append(torch.ones(1, dtype=torch.float64))
    torch7.execute("net:forward(x)")
    assert torch7.globals["count"] == 3
    pair.__dict__["output"] = [torch.full((1,), 9.0, dtype=torch.float64)]
    torch7.execute("net:forward(x) now = pair.output[1][1]")
    assert torch7.globals["now"] == 9


def test_a_new_table_that_is_filled_between_calls(torch7: Runtime) -> None:
    """A container in Lua that collects what its children give in a table that is new in the call."""
    torch7.execute(
        """
        local Collect, parent = torch.class('nn.Collect', 'nn.Container')
        function Collect:updateOutput(input)
           self.output = {}
           for i = 1, #self.modules do self.output[i] = {self.modules[i]:forward(input), i} end
           return self.output
        end
        local m = nn.Collect():add(nn.MulConstant(2)):add(act):add(nn.MulConstant(3))
        counts, sums = {}, {}
        for turn = 1, 2 do
           local found = m:forward(x * turn)
           counts[turn] = #found
           for i = 1, #found do table.insert(sums, found[i][1]:sum() * found[i][2]) end
        end
        """
    )
    assert torch7.execute("return unpack(counts)") == (3, 3)
    assert torch7.execute("return unpack(sums)") == (12, 12, 54, 24, 24, 108)


def test_small_tensors_of_lua(torch7: Runtime) -> None:
    """A tensor that Python has not heard of yet."""
    torch7.execute("act.f = function(x) held[2] = x + 1 end net:forward(x)")
    assert output(torch7, "pair")[1].tolist() == [2, 3, 4]
    torch7.execute("act.f = function(x) held[2]:fill(7) end net:forward(x)")
    assert output(torch7, "pair")[1].tolist() == [7, 7, 7]


def test_only_what_has_changed_is_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    plain = ModuleProxies.set_field

    def count(self: ModuleProxies, handle: int, name: str, mask: int, value: Any) -> None:
        names.append(name)
        plain(self, handle, name, mask, value)

    monkeypatch.setattr(ModuleProxies, "set_field", count)
    with Runtime() as runtime:
        runtime.execute(PROGRAM)
        runtime.execute(
            """all = {}
            for i = 1, 70 do
               all[i] = nn.ConcatTable():add(nn.Identity()):add(nn.Identity())
               all[i]:forward(x)
               all[i].mine = all[i].output[1]
            end
            net:forward(x)"""
        )
        names.clear()
        runtime.execute("net:forward(x)")
        assert names == ["output"]  # of the layer in Lua
        names.clear()
        runtime.execute("act.f = function() all[65].output[2] = torch.ones(1) end net:forward(x)")
        assert sorted(names) == ["output", "output"]
        assert runtime.globals["all"][64].output[1].tolist() == [1]


def test_only_the_tree_of_the_call_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a tree that is as it was: what lies beside it is handed over when no call from Lua is left."""
    looked_at = []
    plain = ModuleProxies.changed_fields

    def count(self: ModuleProxies, *given: Any) -> tuple[int, ...]:
        looked_at.append(len(given) // 3)
        return plain(self, *given)

    monkeypatch.setattr(ModuleProxies, "changed_fields", count)
    with Runtime() as runtime:
        runtime.execute(PROGRAM)
        runtime.execute(
            """beside, first, seen = nn.ConcatTable():add(nn.Identity()):add(nn.Identity()), nn.Act(), {}
            beside:forward(x) held = beside.output
            tree = nn.Sequential():add(pair):add(nn.ParallelTable():add(first):add(nn.Identity()))
            tree:add(nn.CAddTable()):add(act)
            other = nn.Sequential():add(nn.Act())
            tree:forward(x) inner = pair.output
            first.f = function() inner[2] = x * 3 beside.output[1] = x * 4 end
            act.f = function(sum) table.insert(seen, {sum[1], #pair.output, held[1][1], other:forward(x)[1]}) end
            for i = 1, 3 do
               tree:forward(x * i)
               table.insert(seen[i], pair.output[1][1])
            end"""
        )
        # ParallelTable had its input before the first layer put another entry there
        assert runtime.execute("return #seen") == 3
        for number in range(1, 4):
            found = runtime.execute(f"return unpack(seen[{number}])")
            assert found == (number + 2 * number, 2, 4, 1, number)
        looked_at.clear()
        runtime.execute("tree:forward(x)")
        assert max(looked_at) < 4  # of a dozen fields with tables
        assert runtime.globals["pair"].output[1].tolist() == [3, 6, 9]
        assert runtime.globals["beside"].output[0].tolist() == [4, 8, 12]


# What a layer in Lua gives, what the script then does to it, and what is there then.
FORMS = {
    "list": ("{y}", "o[2] = t", "o[2]"),
    "removed": ("{y, 1, 2, 3}", "o[4] = nil", "#o + t - 3"),
    "map": ("{a = y}", "o.n = t", "o.n"),
    "map in a list": ("{y, {}}", "o[2].n = t", "o[2].n"),
    "list in a map": ("{a = y, k = {1}}", "o.k[2] = t", "o.k[2]"),
    "long": ("many(y, 60)", "o[61] = t", "o[61]"),
    "long, of numbers": ("many(7, 60)", "o[60] = t", "o[60]"),
    "keys that are not texts": ("{[true] = 1, [-2] = y}", "o[true] = t", "o[true]"),
}


@pytest.mark.parametrize("form", FORMS)
def test_tables_of_other_trees_keep_what_the_script_did_to_them(torch7: Runtime, form: str) -> None:
    """Between calls, and to outputs that a layer gave or that the script set itself."""
    made, done, seen = FORMS[form]
    torch7.execute(
        f"""
        function many(value, n) local t = {{}} for i = 1, n do t[i] = value end return t end
        local function make(y) return {made} end
        local Give, parent = torch.class('nn.Give', 'nn.Module')
        function Give:updateOutput(y) self.output = make(y) return self.output end
        function Give:updateGradInput(y, g) self.gradInput = y return y end
        outs, found = {{}}, {{}}
        local steps = {{}}
        for t = 1, 4 do
           steps[t] = nn.Give()
           local o = steps[t]:forward(x)
           if t > 2 then o = make(x) steps[t].output = o end
           {done}
           outs[t] = o
        end
        for t = 4, 1, -1 do
           steps[t]:backward(x, x)
           net:forward(x)
           local o = outs[t]
           found[#found + 1] = {seen}
           assert(steps[t].output == o)
        end
        """
    )
    assert torch7.execute("return unpack(found)") == (4, 3, 2, 1)


@pytest.mark.parametrize("loop", ["t[1] = t", "t.a = {t}", "t[1] = {b = {t}}", "t[1], t[2] = t, {t}"])
def test_a_table_that_lies_within_itself(torch7: Runtime, loop: str) -> None:
    """Whether it has changed is found out in every call, of whatever module."""
    torch7.execute(f"local t = {{}} {loop} pair.gradInput = t held = t")
    for _ in range(2):
        assert torch7.execute("net:forward(x) pair:forward(x) return pair.gradInput == held") is True
        torch7.execute("copy = pair:clone() copy:forward(x)")
    assert torch7.execute("held.more = 1 pair:forward(x) return pair.gradInput.more") == 1
    assert torch7.execute("return torch.type(pair:clearState().gradInput), net:forward(x):nElement()") == (
        "table",
        3,
    )


def test_clear_state_leaves_a_table_a_table(torch7: Runtime) -> None:
    torch7.execute("one = nn.Identity() one.gradInput, one.output = {a = x}, {x}")
    assert torch7.execute("one:clearState() return torch.type(one.gradInput), torch.type(one.output)") == (
        "table",
        "table",
    )


def test_every_entry_goes_to_python(torch7: Runtime) -> None:
    """Where Lua keeps a number among the names depends on what came first and what has gone."""
    generator = Random(7)
    keys: list[Any] = [1, 2, 3, 4, 7, 50, "a", "b", "c", "d"]
    for start in ("{}", "{a = 0, b = 0, c = 0}", "{[3] = 0, [2] = 0, [1] = 0}", "{nil, 0, 0}"):
        for _ in range(60):
            chosen = generator.choices(keys, k=generator.randrange(1, 12))
            lines = [f"t[{key!r}] = {generator.choice(['nil', '1', '2', '3'])}" for key in chosen]
            torch7.execute("\n".join([f"t = {start}", *lines, "n = 0 for _ in next, t do n = n + 1 end"]))
            table, count = torch7.globals["t"], torch7.globals["n"]
            entries = dict(enumerate(table, 1)) if isinstance(table, list) else table
            assert len([value for value in entries.values() if value is not None]) == count, lines
