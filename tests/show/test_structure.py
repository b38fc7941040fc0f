"""What a model is made of: numbers known from arithmetic."""

from __future__ import annotations

from tests.show.made import made
from torch7py import nn
from torch7py.nn.graph import Node
from torch7py.show.structure import model_of


def test_parameters_are_counted_once() -> None:
    one, other = nn.Linear(3, 4), nn.Linear(3, 4)
    other.weight.data = one.weight.data
    model = model_of(nn.Sequential(one, nn.Tanh(), nn.Sequential(other, one)), "m")
    assert model.root.parameters == 3 * 4 + 4 + 4
    assert model.bytes == 8 * (3 * 4 + 4 + 4)
    ((first, second),) = model.shared
    assert [(part.path, tensor.name) for part, tensor in (first, second)] == [
        ("1", "weight"),
        ("3.1", "weight"),
    ]
    again = model.root.parts[2].parts[1]
    assert again.same_as is model.root.parts[0]
    assert [part.path for part in model.root.walk()] == ["", "1", "2", "3", "3.1", "3.2"]


def test_texts_and_families() -> None:
    model = model_of(
        nn.Sequential(nn.SpatialConvolution(3, 8, 5, 5), nn.ReLU(), nn.View(-1), nn.LookupTable(7, 2))
    )
    assert [(p.arguments, p.family) for p in model.root.parts] == [
        ("3 -> 8, 5x5", "convolution"),
        ("", "activation"),
        ("-1", "other"),
        ("weight: 7x2", "linear"),
    ]


def test_parts_have_the_names_of_their_fields() -> None:
    recurrent = made("nn.Recurrent", 4, nn.Linear(3, 4), nn.Linear(4, 4), nn.Tanh(), 5)
    model = model_of(made("nn.Sequencer", recurrent))
    (part,) = model.root.parts
    assert (part.name, part.class_name) == ("module", "nn.Recurrent")
    assert [inner.name for inner in part.parts] == [
        "startModule",
        "inputModule",
        "feedbackModule",
        "transferModule",
        "mergeModule",
    ]
    assert model.root.parameters == 4 + (3 * 4 + 4) + (4 * 4 + 4)


def test_a_graph_has_its_modules() -> None:
    first = Node(nn.Linear(3, 4))
    last = Node(nn.CMulTable(), Node(nn.Tanh(), first), Node(nn.Sigmoid(), first))
    model = model_of(made("nn.gModule", [first], [last]))
    assert [part.class_name for part in model.root.parts] == [
        "nn.Linear",
        "nn.Tanh",
        "nn.Sigmoid",
        "nn.CMulTable",
    ]
    assert model.root.arrangement == "graph"
