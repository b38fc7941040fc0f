"""``torch7py.load`` and ``torch7py.save`` as a program meets them that imports nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import torch7py
from tests import python_process
from tests.t7.golden_files import unpack
from torch7py import T7Function, T7Object, Table

PROGRAM = """
import sys, torch, torch7py
model = torch7py.load(sys.argv[1])
model = model["model"] if isinstance(model, torch7py.Table) else model
assert isinstance(model, torch.nn.Module)
print(model.class_name, len(list(model.parameters())), "lupa" in sys.modules)
"""


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("nn_gmodule", "nn.gModule 8 False"),
        ("nn_mlp", "nn.Sequential 4 False"),
        ("nn_bisequencer", "nn.BiSequencer 6 False"),
    ],
)
def test_a_model_comes_alive_without_another_import(tmp_path: Path, name: str, printed: str) -> None:
    path = unpack(tmp_path, f"{name}.binary.t7")
    result = python_process.run(["-c", PROGRAM, path])
    assert (result.stdout, result.stderr) == (printed + "\n", "")


def test_a_graph_runs_trains_and_is_saved_with_what_its_nodes_have_now(tmp_path: Path) -> None:
    model = torch7py.load(unpack(tmp_path, "nn_gmodule_fwd.binary.t7"))
    model = model["model"] if isinstance(model, Table) else model
    pair = torch7py.load(unpack(tmp_path, "nn_gmodule_eval_io.binary.t7"))
    input = pair["input"].array()
    model.zero_grad()  # what the file has for gradients is whatever was in them
    first = model(input)
    loss = sum(part.square().sum() for part in (first if isinstance(first, list) else [first]))
    loss.backward()
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    model.torch7_forward(input)
    torch7py.save(model, tmp_path / "again.t7")
    again = torch7py.load(tmp_path / "again.t7")
    for one, other in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)
    for number in range(len(model.ordered_nodes)):
        ours, theirs = model.node_value(number, "input"), again.node_value(number, "input")
        assert len(ours) == len(theirs)
        assert all(
            torch.equal(a, b) for a, b in zip(ours, theirs, strict=True) if isinstance(a, torch.Tensor)
        )
    outputs, wanted = again(input), model(input)
    for one, other in zip(outputs, wanted, strict=True) if isinstance(wanted, list) else [(outputs, wanted)]:
        assert torch.equal(one, other)
    model.clearState()
    torch7py.save(model, tmp_path / "clear.t7")
    cleared = torch7py.load(tmp_path / "clear.t7")
    assert all(cleared.node_value(number, "input") is None for number in range(len(cleared.ordered_nodes)))


def test_an_object_of_an_unknown_class_has_fields(tmp_path: Path) -> None:
    found = torch7py.load(unpack(tmp_path, "class_custom.binary.t7"))
    objects = (
        [value for value in found.values() if isinstance(value, T7Object)]
        if isinstance(found, Table)
        else [found]
    )
    assert objects
    for obj in objects:
        assert obj.class_name.startswith("oracle.")
        assert isinstance(obj.fields, Table)
        with pytest.raises(torch7py.T7Error, match="not known here"):
            obj()


def test_a_function_is_kept_and_not_run(tmp_path: Path) -> None:
    found = torch7py.load(unpack(tmp_path, "function_upvalues.binary.t7"))
    functions = (
        [found] if isinstance(found, T7Function) else [v for v in found.values() if isinstance(v, T7Function)]
    )
    assert functions
    with pytest.raises(torch7py.T7Error, match="cannot be called"):
        functions[0]()
