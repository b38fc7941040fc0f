"""torchx: nested tables, the queue, and the index of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError


@pytest.fixture
def rt() -> Runtime:
    return Runtime()


def test_nested_tables(rt: Runtime) -> None:
    made = "require 'torchx' local nest = {torch.range(1, 6):view(3, 2), {a = torch.range(7, 9)}} "
    assert rt.execute(made + "return torchx.recursiveBatchSize(nest), torchx.recursiveSum(nest)") == (3, 45)
    assert rt.execute(made + "local s = torchx.recursiveSize(nest, 1) return s[1][1], #s[2].a") == (2, 0)
    assert rt.execute(made + "local s = torchx.recursiveSub(nest, 2, 3) return s[1][1][1], s[2].a[2]") == (
        3,
        9,
    )
    text = """local to = {torch.Tensor()}
    local got = torchx.recursiveIndex(to, nest, 1, torch.LongTensor{3, 3})
    return rawequal(got[1], to[1]), got[1][2][1], got[2].a[1]"""
    assert rt.execute(made + text) == (True, 5, 9)
    with pytest.raises(LuaError, match="nested tables of tensors expected, not a number"):
        rt.execute("require 'torchx' torchx.recursiveSub(3, 1, 2)")


def test_a_queue_is_first_in_first_out(rt: Runtime) -> None:
    text = """require 'torchx'
    local queue = torchx.Queue()
    queue:put(1) queue:put(2)
    local first = queue:get()
    queue:put(3)
    return first, queue:get(), queue:get(), queue:empty(), pcall(queue.get, queue)"""
    first, second, third, empty, ok, message = rt.execute(text)
    assert (first, second, third, empty, ok) == (1, 2, 3, True, False)
    assert "Queue is empty" in message


def test_the_files_under_a_folder(rt: Runtime, tmp_path: Path) -> None:
    for name in ("b/2.png", "b/1.JPG", "a/target1.png", "a/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    text = f"require 'torchx' local index = paths.indexdir('{tmp_path}'%s) "
    names = """local names = {}
    for i = 1, index:size() do names[i] = index:filename(i) end
    return table.concat(names, ' ')"""
    found = rt.execute(text % "" + names)
    assert found == " ".join(f"{tmp_path}/{name}" for name in ("a/target1.png", "b/1.JPG", "b/2.png"))
    assert rt.execute(text % ", {'png'}, nil, 'TARGET*'" + names) == f"{tmp_path}/b/2.png"
    assert rt.execute(text % ", 'txt'" + "return index.tensor:type()") == "torch.CharTensor"
    with pytest.raises(LuaError, match="Could not find any files"):
        rt.execute(text % ", 'gif'")


def test_find(rt: Runtime) -> None:
    """The documented answers: a tensor's elements one row after the other, or the places in each row of a matrix."""
    text = """require 'torchx'
    function shown(found)
       local parts = {}
       for i, x in ipairs(found) do parts[i] = type(x) == 'table' and '{' .. shown(x) .. '}' or tostring(x) end
       return table.concat(parts, ' ')
    end
    local x = torch.Tensor{{1, 2, 3, 4, 5}, {5, 6, 0.6, 0, 2}}
    return shown(torch.find(torch.IntTensor{1, 2, 3, 1, 1, 2}, 1)), shown(torch.find(x, 2)),
       shown(torch.find(x:t(), 2)), shown(torch.find(x, 2, 2)), shown(torch.find(x:t(), 2, 2)), #torch.find(x, 9)"""
    assert rt.execute(text) == ("1 4 5", "2 10", "3 10", "{2} {5}", "{} {1} {} {} {2}", 0)
    with pytest.raises(LuaError, match="only rows of a matrix"):
        rt.execute("torch.find(torch.Tensor(2, 2), 1, 1)")


def test_joined_grouped_and_walked(rt: Runtime) -> None:
    """Joined along a dimension, groups of equal or near numbers, functions over two nests, the branch of most mean."""
    rt.execute("""
    require 'torchx'
    local a, b = torch.randn(2, 3), torch.randn(2, 1)
    local joined = torch.concat({a, b}, 2)
    assert(joined:narrow(2, 1, 3):equal(a) and joined:narrow(2, 4, 1):equal(b))
    assert(torch.concat(torch.FloatTensor(), {a, a}):type() == 'torch.FloatTensor')
    assert(torch.FloatTensor():concat({a:float(), a:float()}, 1):size(1) == 4)
    local groups, sorted, index = torch.group(torch.Tensor {3, 1, 3, 2})
    assert(groups[3].val:size(1) == 2 and groups[1].idx[1] == 2 and sorted[4] == 3 and index:size(1) == 4)
    groups = torch.group(torch.Tensor {1, 1.5, 4}, function(first, x) return x - first < 1 end)
    assert(groups[1].val:size(1) == 2 and groups[4].idx[1] == 3)
    local x, y = {torch.ones(2), {torch.ones(1)}}, {torch.ones(2) * 2, {torch.ones(1) * 3}}
    torch.remap(x, y, function(p, q) p:add(q) end)
    assert(x[1][2] == 3 and x[2][1][1] == 4)
    local _, made = torch.remap(x, nil, function(p, q) q:resize(p:size()):copy(p) end, nil, torch.FloatTensor())
    assert(made[2][1]:type() == 'torch.FloatTensor' and made[1][1] == 3)
    -- means 5, 4; in the first branch the largest is 9
    local best, place = torch.treemax(torch.Tensor {1, 9, 5, 4, 4, 4}, {2, 3})
    assert(best == 9 and place == 2)
    """)
    with pytest.raises(LuaError, match="tensor 2 has 3 in dimension 1, not 2"):
        rt.execute("torch.concat({torch.zeros(2, 2), torch.zeros(3, 2)}, 2)")
