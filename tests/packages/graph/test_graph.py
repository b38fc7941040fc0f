"""The graph package, and drawings of graphs."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime

SVG = "{http://www.w3.org/2000/svg}"

# a -> b, c; b, c -> d; a -> d
DIAMOND = """
require 'graph'
g = graph.Graph()
a, b, c, d = graph.Node('a'), graph.Node('b'), graph.Node('c'), graph.Node('d')
for _, ends in ipairs{{a, b}, {a, c}, {b, d}, {c, d}, {a, d}} do g:add(graph.Edge(ends[1], ends[2])) end
function names(nodes)
   local found = {}
   for i, node in ipairs(nodes) do found[i] = node:label() end
   return table.concat(found, ' ')
end
"""


@pytest.fixture
def diamond(runtime: Runtime) -> Runtime:
    runtime.execute(DIAMOND)
    return runtime


@pytest.fixture(autouse=True)
def without_graphviz(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")


def test_what_is_in_a_graph(diamond: Runtime) -> None:
    assert diamond.execute("return #g.nodes, #g.edges, #a.children, #d.children") == (4, 5, 3, 0)
    assert diamond.execute("return names(g:roots()), names(g:leaves()), g:hasCycle()") == ("a", "d", False)


def test_sorted(diamond: Runtime) -> None:
    diamond.execute("sorted = g:topsort()")
    order = diamond.execute("return names(sorted)").split()
    assert sorted(order) == ["a", "b", "c", "d"]
    assert all(order.index(s) < order.index(t) for s, t in ("ab", "ac", "bd", "cd", "ad"))


def test_a_cycle(diamond: Runtime) -> None:
    assert diamond.execute("g:add(graph.Edge(d, a)) return g:hasCycle()") is True
    with pytest.raises(LuaError, match=r"^t\.lua:1: "):
        diamond.execute("g:topsort()", "=t.lua")


def test_turned_around(diamond: Runtime) -> None:
    diamond.execute("r = g:reverse()")
    assert diamond.execute("return names(r:roots()), names(r:leaves()), #r.edges") == ("d", "a", 5)
    assert diamond.execute("return names(g:roots())") == "a"


def test_walks(diamond: Runtime) -> None:
    diamond.execute(
        "deep, wide = {}, {} a:dfs(function(n) table.insert(deep, n) end) a:bfs(function(n) table.insert(wide, n) end)"
    )
    assert sorted(diamond.execute("return names(deep)").split()) == ["a", "b", "c", "d"]
    assert diamond.execute("return names(wide)").split()[0] == "a"
    assert sorted(diamond.execute("return names(wide)").split()) == ["a", "b", "c", "d"]


def test_in_the_language_of_graphviz(diamond: Runtime) -> None:
    text = diamond.execute("return g:todot('The title')")
    assert text.startswith("digraph G {")
    assert 'label="The title"' in text
    assert len(re.findall(r"^n\d+\[label=", text, re.M)) == 4
    assert len(re.findall(r"^n\d+ -> n\d+;$", text, re.M)) == 5


def texts(node: ElementTree.Element) -> str:
    return " ".join(node.itertext())


def part(node: ElementTree.Element, kind: str) -> ElementTree.Element:
    found = node.find(f"{SVG}{kind}")
    assert found is not None
    return found


def number(node: ElementTree.Element, attribute: str) -> float:
    return float(node.attrib[attribute])


def test_a_drawing(diamond: Runtime, tmp_path: Path) -> None:
    diamond.execute(f"graph.dot(g, 'The <title>', '{tmp_path}/made')")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["made.dot", "made.svg"]
    drawing = ElementTree.parse(tmp_path / "made.svg").getroot()
    boxes = drawing.findall(f"{SVG}g")
    assert sorted(texts(box).split()[-1] for box in boxes) == ["a", "b", "c", "d"]
    assert len([p for p in drawing.findall(f"{SVG}path") if p.get("marker-end")]) == 5
    assert part(drawing, "text").text == "The <title>"
    # Each node lies below those from which an edge leads to it, and no two cover each other.
    place = {}
    for box in boxes:
        rect = part(box, "rect")
        x, y, width, height = (number(rect, key) for key in ("x", "y", "width", "height"))
        place[texts(box).split()[-1]] = (x, y, x + width, y + height)
        assert x >= 0
        assert x + width <= number(drawing, "width")
        assert y + height <= number(drawing, "height")
    assert all(place[s][3] < place[t][1] for s, t in ("ab", "ac", "bd", "cd", "ad"))
    assert place["b"][2] < place["c"][0] or place["c"][2] < place["b"][0]


def test_a_drawing_of_a_model(runtime: Runtime, tmp_path: Path) -> None:
    runtime.execute(
        f"""
        require 'nngraph'
        local i = nn.Identity()()
        local h = nn.Linear(3, 2)(i):annotate{{name = 'hidden', graphAttributes = {{color = 'blue'}}}}
        m = nn.gModule({{i}}, {{nn.CAddTable()({{nn.Tanh()(h), nn.Sigmoid()(h)}})}})
        graph.dot(m.fg, 'model', '{tmp_path}/model')
        text = m.fg:todot()
        """
    )
    drawing = ElementTree.parse(tmp_path / "model.svg").getroot()
    shown = [texts(box) for box in drawing.findall(f"{SVG}g")]
    for module in ("nn.Linear(3 -> 2)", "nn.Tanh", "nn.Sigmoid", "nn.CAddTable", "nn.Identity"):
        assert sum(module in text for text in shown) == 1
    hidden = next(box for box in drawing.findall(f"{SVG}g") if "hidden" in texts(box))
    assert part(hidden, "rect").get("stroke") == "blue"
    assert "color=blue" in runtime.globals["text"]
    edges = re.findall(r"n(\d+) -> n(\d+);", runtime.globals["text"])
    assert len(edges) == len([p for p in drawing.findall(f"{SVG}path") if p.get("marker-end")]) == 7


def test_the_drawing_of_a_failure(runtime: Runtime, tmp_path: Path) -> None:
    runtime.execute(
        f"""
        require 'nngraph'
        nngraph.setDebug(true)
        local i = nn.Identity()()
        m = nn.gModule({{i}}, {{nn.Linear(4, 2)(nn.Tanh()(i))}})
        m.name = '{tmp_path}/wrong'
        ok, err = pcall(m.forward, m, torch.ones(1, 3))
        """
    )
    ok, message = runtime.execute("return ok, err")
    assert not ok
    assert "nn.Linear: the input has 3 columns, not 4" in message
    drawing = ElementTree.parse(tmp_path / "wrong.svg").getroot()
    red = [box for box in drawing.findall(f"{SVG}g") if part(box, "rect").get("fill") == "red"]
    assert [("nn.Linear" in texts(box)) for box in red] == [True]


def test_another_format_without_graphviz(diamond: Runtime, tmp_path: Path) -> None:
    with pytest.raises(LuaError, match=r"^t\.lua:1: .*(png|Graphviz)"):
        diamond.execute(f"graph.graphvizFile(g, 'dot', '{tmp_path}/made.png')", "=t.lua")
    diamond.execute(f"graph.graphvizFile(g, 'dot', '{tmp_path}/made.svg')")
    assert ElementTree.parse(tmp_path / "made.svg").getroot().tag == f"{SVG}svg"


def test_a_layout(diamond: Runtime) -> None:
    places = diamond.execute("return graph.graphvizLayout(g, 'dot')")
    assert tuple(places.shape) == (4, 2)
    assert places.min() >= 0
    assert places.max() <= 1
