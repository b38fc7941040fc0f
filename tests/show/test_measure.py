"""Sizes between layers and times: sizes known from arithmetic, and times that add up."""

from __future__ import annotations

import torch

from tests.show.made import made
from torch7py import nn
from torch7py.nn.base import Module
from torch7py.nn.graph import Node
from torch7py.show.measure import Measured, measure, sizes_of
from torch7py.show.structure import Model, model_of


def by_path(model: Model, measured: Measured) -> dict[str, tuple[str, str]]:
    return {
        part.path: (measured.inputs.get(part.number, ""), measured.outputs.get(part.number, ""))
        for part in model.root.walk()
    }


def test_sizes_along_a_network() -> None:
    network = nn.Sequential(nn.SpatialConvolution(3, 8, 5, 5), nn.SpatialMaxPooling(2, 2, 2, 2), nn.View(-1))
    network.add(nn.Concat(1).add(nn.Linear(8 * 14 * 14, 5)).add(nn.Linear(8 * 14 * 14, 2)))
    model = model_of(network)
    measured = measure(model, torch.ones(3, 32, 32, dtype=torch.double))
    assert measured.error == measured.no_backward == ""
    assert by_path(model, measured) == {
        "": ("3x32x32", "7"),
        "1": ("3x32x32", "8x28x28"),
        "2": ("8x28x28", "8x14x14"),
        "3": ("8x14x14", "1568"),
        "4": ("1568", "7"),
        "4.1": ("1568", "5"),
        "4.2": ("1568", "2"),
    }
    whole = measured.times[model.root.number]
    assert measured.seconds_of_all == whole.seconds > 0
    assert all(part.number in measured.times for part in model.root.walk())
    assert sum(measured.times[part.number].seconds for part in model.root.parts) <= 1.5 * whole.seconds


def test_a_sequence_is_timed_as_it_runs_and_has_sizes_everywhere() -> None:
    model = model_of(made("nn.Sequencer", made("nn.FastLSTM", 4, 5)))
    measured = measure(model, torch.ones(6, 3, 4, dtype=torch.double))
    assert measured.error == measured.no_backward == ""
    sizes = by_path(model, measured)
    assert sizes[""] == ("6x3x4", "6x3x5")
    assert sizes["module"] == ("3x4", "3x5")
    linear = {part.path for part in model.root.walk() if part.class_name == "nn.Linear"}
    assert {sizes[path] for path in linear} == {("3x4", "3x20")}
    # the library computes it as one piece, so that only the whole has a time
    assert set(measured.times) == {model.root.number}


def test_copies_for_other_steps_count_as_the_module() -> None:
    model = model_of(
        made("nn.Sequencer", made("nn.Recursor", nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))))
    )
    network = model.root.module
    network.set_training()
    measured = measure(model, [torch.ones(3, 4, dtype=torch.double)] * 5)
    linear = next(part for part in model.root.walk() if part.class_name == "nn.Linear")
    timing = measured.times.get(linear.number)
    assert timing is None or timing.calls == 5
    assert by_path(model, measured)[linear.path] == ("3x4", "3x4")


def test_a_graph_is_timed_node_by_node_at_every_call() -> None:
    first = Node(nn.Linear(3, 4))
    last = Node(nn.CMulTable(), Node(nn.Tanh(), first), Node(nn.Sigmoid(), first))
    graph = made("nn.gModule", [first], [last])
    input = torch.ones(2, 3, dtype=torch.double)
    for _ in range(3):  # from the second on it is one function
        graph.torch7_forward(input)
    model = model_of(graph)
    measured = measure(model, input)
    assert set(measured.times) == {part.number for part in model.root.walk()}
    assert by_path(model, measured)["4"] == ("{2 × 2x4}", "2x4")


def test_an_error_names_the_layer() -> None:
    model = model_of(nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.Linear(5, 2))))
    measured = measure(model, torch.ones(1, 3, dtype=torch.double))
    assert measured.failed == model.root.parts[1].parts[0].number
    assert "nn.Linear" in measured.error
    assert measured.times == {}
    assert by_path(model, measured)["1"] == ("1x3", "1x4")


def test_the_model_is_left_as_it_was() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh())
    before = Module.updateOutput
    measure(model_of(network), torch.ones(1, 3, dtype=torch.double))
    assert Module.updateOutput is before
    assert all("_marked" not in part.__dict__ for part in network.modules())


def test_sizes_of_tables() -> None:
    a, b = torch.ones(2, 3), torch.ones(4)
    assert sizes_of([a, a, [b, a], 3]) == "{2 × 2x3, {4, 2x3}, 3}"
    assert sizes_of(None) == "nothing"
