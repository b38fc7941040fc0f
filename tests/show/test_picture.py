"""The page of a model, read by a parser of HTML that is not ours, and seen by a browser."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import torch

from tests.html.pages import CHROMIUM, checked_page, parsed, seen_by_browser
from tests.show.made import made
from torch7py import nn
from torch7py.nn.base import Module
from torch7py.nn.graph import Node
from torch7py.show.drawing import model_drawing
from torch7py.show.measure import measure
from torch7py.show.picture import Shown, model_fragment, model_page
from torch7py.show.structure import model_of


def network() -> nn.Sequential:
    branches = nn.Concat(2).add(nn.Linear(4, 3)).add(nn.Sequential(nn.Linear(4, 2), nn.Tanh()))
    return nn.Sequential(nn.Linear(6, 4), nn.ReLU(), branches)


def graph() -> Module:
    first, second = Node(nn.Identity()), Node(nn.Linear(3, 4))
    third = Node(nn.CMulTable(), first, Node(nn.Sigmoid(), second))
    model: Module = made(
        "nn.gModule", [first, second], [Node(nn.Sequential(nn.Linear(4, 4), nn.Tanh()), third), third]
    )
    return model


def test_a_page_without_an_input() -> None:
    root = checked_page(model_page("model.t7", [Shown(model_of(network()))]))
    said = root.one("main").text
    assert "With --input and the sizes of an input" in root.one("footer").text
    assert not root.all(class_="time")
    assert f"{6 * 4 + 4 + 4 * 3 + 3 + 4 * 2 + 2:,} parameters" in said
    boxes = [box.all(class_="title")[0].text for box in root.all("details")]
    assert boxes == ["nn.Sequential", "3nn.Concateach is given the input", "2nn.Sequential"]
    assert all("open" in box.attributes for box in root.all("details"))


def test_a_page_with_sizes_and_times() -> None:
    model = model_of(network())
    shown = Shown(model, measure(model, torch.ones(5, 6, dtype=torch.double)))
    root = checked_page(model_page("model.t7", [shown]))
    edges = [edge.text for edge in root.all(class_="edge")]
    assert edges == ["input 5×6", "5×4", "5×4", "5×3", "5×2", "5×2", "output 5×5"]
    assert len(root.all(class_="time")) == len(root.all(class_="part"))
    (slowest,) = [panel for panel in root.all(class_="panel") if "time goes" in panel.text]
    assert {link.attributes["href"] for link in slowest.all("a")} == {
        f"#{part.attributes['id']}" for part in root.all(class_="part")
    }


def test_every_text_of_a_model_is_escaped() -> None:
    evil = '"><script>alert(1)</script><!--'
    model = nn.Sequential(nn.Linear(2, 2), nn.PrintSize(evil))
    model[0].__dict__["_class_name"] = evil
    shown = Shown(model_of(model, evil), measure(model_of(model), torch.ones(1, 2, dtype=torch.double)), evil)
    for text in (model_page(evil, [shown], [evil]), model_page(evil, [Shown(model_of(model, evil))] * 1)):
        root = checked_page(text)
        assert root.one("h1").text == evil
        assert evil in root.all(class_="part")[1].text
    assert ET.fromstring(model_drawing(shown.model).split("\n", 1)[1]).tag.endswith("svg")
    parsed(model_fragment(shown))


def test_shared_weights_are_marked_at_each_of_their_layers() -> None:
    one, other = nn.Linear(3, 3), nn.Linear(3, 3)
    other.weight.data = one.weight.data
    root = checked_page(model_page("m.t7", [Shown(model_of(nn.Sequential(one, other, one)))]))
    ties = [tied.text for tied in root.all(class_="tied")]
    assert ties == ["shared: weight ①", "shared: weight ①", "the same object as nn.Linear 1"]


def test_a_failed_layer_is_shown() -> None:
    model = model_of(nn.Sequential(nn.Linear(3, 4), nn.Linear(5, 2)))
    root = checked_page(
        model_page("m.t7", [Shown(model, measure(model, torch.ones(1, 3, dtype=torch.double)))])
    )
    (failed,) = root.all(class_="failed")
    assert "2" in failed.text
    assert "nn.Linear" in root.one(class_="notice").text


def test_a_graph_is_drawn_and_told() -> None:
    model = model_of(graph())
    shown = Shown(model, measure(model, [torch.ones(2, 4).double(), torch.ones(2, 3).double()]))
    root = checked_page(model_page("m.t7", [shown]))
    drawing = root.one("svg")
    nodes = ["nn.Identity", "nn.Linear", "nn.Sigmoid", "nn.CMulTable", "nn.Sequential", "input", "output"]
    texts = " ".join(text.text for text in drawing.all("text"))
    assert all(name in texts for name in nodes)
    takes = [part.text for part in root.all(class_="taken")]
    names = {part.class_name: part.name for part in model.root.parts}
    assert sorted(takes) == sorted(
        [
            "takes the input2×4 → 2×4",
            "takes the input2×3 → 2×4",
            f"takes {names['nn.Linear']}2×4 → 2×4",
            f"takes {names['nn.Identity']}, {names['nn.Sigmoid']}{{2 × 2×4}} → 2×4",
            f"takes {names['nn.CMulTable']}2×4 → 2×4",
        ]
    )


def test_many_layers_are_folded() -> None:
    outer = nn.Sequential()
    for _ in range(30):
        outer.add(nn.Sequential(*(nn.Tanh() for _ in range(10))))
    boxes = checked_page(model_page("m.t7", [Shown(model_of(outer))])).all("details")
    assert 5 < sum("open" in box.attributes for box in boxes) < 20


def test_the_drawing_is_a_file_of_xml() -> None:
    model = model_of(graph())
    for measured in (None, measure(model, [torch.ones(2, 4).double(), torch.ones(2, 3).double()])):
        text = model_drawing(model, measured)
        root = ET.fromstring(text.split("\n", 1)[1])
        width, height = (float(root.attrib[name]) for name in ("width", "height"))
        for rect in root.iter("{http://www.w3.org/2000/svg}rect"):
            if rect.attrib["width"] != "100%":
                assert 0 <= float(rect.attrib["x"]) <= width - float(rect.attrib["width"])
                assert 0 <= float(rect.attrib["y"]) <= height - float(rect.attrib["height"])
        assert "".join(root.itertext()).count("nn.Linear") == 2


@pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed; what a page holds is tested without it"
)
def test_in_a_browser_without_scripts(tmp_path: Path) -> None:
    model, other = model_of(network(), "first"), model_of(graph(), "second")
    shown = [
        Shown(model, measure(model, torch.ones(5, 6, dtype=torch.double))),
        Shown(other, measure(other, [torch.ones(2, 4).double(), torch.ones(2, 3).double()])),
    ]
    path = tmp_path / "model.html"
    path.write_text(model_page("a_long_name_of_a_file_without_any_spaces_that_a_phone_must_break.t7", shown))
    for seen in seen_by_browser(path):
        assert seen["needed"] <= seen["width"], "wider than the screen"
        assert seen["small"] == 0
        for text in ("nn.Linear", "4 → 3", "5×4", "Where the time goes".upper(), "each is given the input"):
            assert text in seen["text"]
