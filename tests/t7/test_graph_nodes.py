"""gModules that were not read from a file have the nodes of the original in theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import torch7py
from tests.t7.golden_files import unpack
from torch7py import nn
from torch7py.bridge.runtime import Runtime
from torch7py.nn.gmodule import GModule
from torch7py.nn.graph import Node
from torch7py.ops.files import DiskFile
from torch7py.t7.objects import Object, Table
from torch7py.t7.reader import Reader

DOUBLE = torch.float64

# The graph of the golden file nn_gmodule, as a script writes it.
SCRIPT = """
    require 'nngraph'
    local a, b = nn.Identity()(), nn.Identity()()
    local sum = nn.CAddTable()({nn.Linear(3, 4)(a), nn.Linear(2, 4)(b)})
    local h = nn.Tanh()(sum)
    m = nn.gModule({a, b}, {nn.Linear(4, 2)(h):annotate {name = 'out1'}, nn.Sigmoid()(nn.Linear(4, 1)(h))})
"""


def in_python() -> GModule:
    a, b = Node(nn.Identity()), Node(nn.Identity())
    h = Node(nn.Tanh(), Node(nn.CAddTable(), Node(nn.Linear(3, 4), a), Node(nn.Linear(2, 4), b)))
    outputs = [Node(nn.Linear(4, 2), h, name="out1"), Node(nn.Sigmoid(), Node(nn.Linear(4, 1), h))]
    return GModule([a, b], outputs)


def objects(path: Path) -> Any:
    """What a file holds, its layers as objects."""
    file = DiskFile(path)
    file.binary = True
    found = Reader(file).read()
    file.close()
    return found


class Alike:
    """Two graphs compared: same classes, fields, keys and scalars, and the same sharing."""

    def __init__(self) -> None:
        self.pairs: dict[int, Any] = {}

    def check(self, one: Any, other: Any, where: str) -> None:
        if not isinstance(other, (Table, Object)):
            assert type(one) is type(other), where
            if isinstance(other, torch.Tensor):
                assert one.dtype == other.dtype, where
                assert one.shape == other.shape, where
            elif "_debugLabel" not in where:  # these name places in scripts
                assert one == other, where
            return
        if id(one) in self.pairs:
            assert self.pairs[id(one)] is other, f"{where} is shared otherwise"
            return
        self.pairs[id(one)] = other
        if isinstance(other, Object):
            assert one.class_name == other.class_name, where
            one, other = one.fields, other.fields
        plain = {key for key in other if isinstance(key, (str, int))}
        assert {key for key in one if isinstance(key, (str, int))} == plain, where
        for key in sorted(plain, key=str):
            self.check(one[key], other[key], f"{where}.{key}")
        # Objects as keys: of the same objects, met by now on other ways, or to be met as the only ones.
        keys = [key for key in one if not isinstance(key, (str, int))]
        wanted = [key for key in other if not isinstance(key, (str, int))]
        assert len(keys) == len(wanted), where
        for key in keys:
            twin = self.pairs.get(id(key))
            if twin is not None:
                assert one[key] == other[twin], where


def assert_like_the_original(path: Path, tmp_path: Path, name: str, known: tuple[str, ...] = ()) -> None:
    made, original = objects(path), objects(unpack(tmp_path, name))
    if isinstance(original, Table):
        original = original["model"]
    comparison = Alike()
    for field in ("fg", "bg", "innode", "outnode", "forwardnodes", "backwardnodes", "verbose", "nInputs"):
        comparison.check(made[field], original[field], field)
    assert set(original.fields) == set(made.fields), set(original.fields) ^ set(made.fields)
    if "output" in original.fields:
        assert made["output"] is made["outnode"]["data"]["input"]


def test_a_graph_made_in_python_is_saved_as_the_originals(tmp_path: Path) -> None:
    torch7py.save(in_python(), tmp_path / "a.t7")
    assert_like_the_original(tmp_path / "a.t7", tmp_path, "nn_gmodule.binary.t7")


@pytest.mark.parametrize("by_python", [True, False], ids=["python", "script"])
def test_a_graph_made_by_a_script_is_saved_as_the_originals(
    runtime: Runtime, tmp_path: Path, by_python: bool
) -> None:
    runtime.execute(SCRIPT)
    if by_python:
        torch7py.save(runtime.globals["m"], tmp_path / "a.t7")
    else:
        runtime.execute(f"torch.save('{tmp_path / 'a.t7'}', m)")
    assert_like_the_original(tmp_path / "a.t7", tmp_path, "nn_gmodule.binary.t7")


@pytest.mark.parametrize("by_python", [True, False], ids=["python", "script"])
def test_nodes_have_what_they_took_and_got_back(runtime: Runtime, tmp_path: Path, by_python: bool) -> None:
    runtime.execute(SCRIPT)
    runtime.execute("""
        m:training()
        local input = {torch.ones(5, 3), torch.ones(5, 2)}
        local output = m:forward(input)
        m:backward(input, {output[1]:clone(), output[2]:clone()})
    """)
    if by_python:
        torch7py.save(runtime.globals["m"], tmp_path / "a.t7")
    else:
        runtime.execute(f"torch.save('{tmp_path / 'a.t7'}', m)")
    made = objects(tmp_path / "a.t7")
    golden = objects(unpack(tmp_path, "nn_gmodule_fwd.binary.t7"))["model"]["forwardnodes"].array()
    for node, wanted in zip(made["forwardnodes"].array(), golden, strict=True):
        assert set(node["data"]) == set(wanted["data"])
        assert len(node["data"]["input"]) == len(wanted["data"]["input"])
        assert len(node["data"]["gradOutput"]) == len(wanted["data"]["gradOutput"])
    assert made["output"] is made["outnode"]["data"]["input"]


def test_read_back_it_runs_and_is_saved_the_same(tmp_path: Path) -> None:
    model = in_python()
    torch7py.save(model, tmp_path / "a.t7")
    again = torch7py.load(tmp_path / "a.t7")
    torch7py.save(again, tmp_path / "b.t7")
    assert (tmp_path / "b.t7").read_bytes() == (tmp_path / "a.t7").read_bytes()
    input = [torch.ones(5, 3, dtype=DOUBLE), torch.ones(5, 2, dtype=DOUBLE)]
    for one, other in zip(again(input), model(input), strict=True):
        assert torch.equal(one, other)


def test_a_copy_of_a_graph_that_was_read_is_saved_with_nodes_of_its_own(tmp_path: Path) -> None:
    model = torch7py.load(unpack(tmp_path, "nn_gmodule.binary.t7"))
    copied = model.clone()
    with torch.no_grad():
        for parameter in copied.parameters():
            parameter.add_(1)
    torch7py.save(copied, tmp_path / "copy.t7")
    again = torch7py.load(tmp_path / "copy.t7")
    for one, other in zip(again.parameters(), copied.parameters(), strict=True):
        assert torch.equal(one, other)
    nodes = [place.module for place in again.ordered_nodes if place.module is not None]
    assert {id(module) for module in nodes} == {id(module) for module in again.child_list()}


def test_a_script_reads_what_python_saved(runtime: Runtime, tmp_path: Path) -> None:
    model = in_python()
    torch7py.save(model, tmp_path / "a.t7")
    runtime.execute(f"""
        require 'nngraph'
        m = torch.load('{tmp_path / "a.t7"}')
        local names = {{}}
        for i, node in ipairs(m.forwardnodes) do names[i] = node.data.annotations.name or '' end
        name = table.concat(names)
        roots, leaves, ends = #m.fg:roots(), #m.fg:leaves(), #m.outnode.children
        out = m:forward {{torch.ones(5, 3), torch.ones(5, 2)}}
    """)
    assert [runtime.globals[n] for n in ("name", "roots", "leaves", "ends")] == ["out1", 1, 1, 2]
    wanted = model([torch.ones(5, 3, dtype=DOUBLE), torch.ones(5, 2, dtype=DOUBLE)])
    for one, other in zip(runtime.globals["out"], wanted, strict=True):
        assert torch.equal(one, other.detach())


def test_other_modules_put_at_its_nodes_by_a_script_are_saved(runtime: Runtime, tmp_path: Path) -> None:
    runtime.execute(SCRIPT)
    runtime.execute("m.forwardnodes[10].data.module = nn.ReLU()")
    torch7py.save(runtime.globals["m"], tmp_path / "a.t7")
    names = [node["data"].get("module") for node in objects(tmp_path / "a.t7")["forwardnodes"].array()]
    assert names[9].class_name == "nn.ReLU"


def test_a_graph_that_python_read_is_a_graph_to_a_script(runtime: Runtime, tmp_path: Path) -> None:
    path = unpack(tmp_path, "nn_gmodule.binary.t7")
    runtime.globals["m"] = torch7py.load(path)
    runtime.execute(f"""
        require 'nngraph'
        count, label = #m.forwardnodes, torch.type(m.forwardnodes[4].data.module)
        out = m:forward {{torch.ones(5, 3), torch.ones(5, 2)}}
        m:clearState()
        torch.save('{tmp_path / "again.t7"}', m)
    """)
    assert (runtime.globals["count"], runtime.globals["label"]) == (14, "nn.Identity")
    again = torch7py.load(tmp_path / "again.t7")
    input = [torch.ones(5, 3, dtype=DOUBLE), torch.ones(5, 2, dtype=DOUBLE)]
    for one, other in zip(again(input), runtime.globals["m"](input), strict=True):
        assert torch.equal(one, other)


def test_a_graph_of_before_modules_were_listed(runtime: Runtime, tmp_path: Path) -> None:
    content = objects(unpack(tmp_path, "nn_gmodule.binary.t7"))
    del content.fields["modules"]
    del content.fields["nInputs"]
    torch7py.save(content, tmp_path / "old.t7")
    old = torch7py.load(tmp_path / "old.t7")
    torch7py.save(old, tmp_path / "again.t7")
    assert (tmp_path / "again.t7").read_bytes() == (tmp_path / "old.t7").read_bytes()
    model = torch7py.load(tmp_path / "nn_gmodule.binary.t7")
    input = [torch.ones(5, 3, dtype=DOUBLE), torch.ones(5, 2, dtype=DOUBLE)]
    assert len(list(old.parameters())) == len(list(model.parameters())) == 8
    for one, other in zip(old(input), model(input), strict=True):
        assert torch.equal(one, other)
    runtime.execute(f"""
        require 'nngraph'
        m = torch.load('{tmp_path / "old.t7"}')
        out = m:forward {{torch.ones(5, 3), torch.ones(5, 2)}}
        count, listed = #m:parameters(), #m.modules
    """)
    assert (runtime.globals["count"], runtime.globals["listed"]) == (8, 9)
    for one, other in zip(runtime.globals["out"], model(input), strict=True):
        assert torch.equal(one, other.detach())
