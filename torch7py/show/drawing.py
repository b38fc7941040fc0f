"""A model as a drawing, SVG: containers are boxes around their parts, and the graphs of nngraph are graphs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch7py.html.markup import Markup, join, tag
from torch7py.html.page import style
from torch7py.nn.gmodule import GModule
from torch7py.show.graph_layout import layout_graph
from torch7py.show.measure import Measured
from torch7py.show.structure import Model, Part
from torch7py.show.texts import arrows, seconds, share, sizes, what_it_does
from torch7py.wording import counted

__all__ = ["graph_drawing", "model_drawing"]

CHARACTER = 7.3  # the width of a character of 12 pixels in a monospaced font
SMALL = 6.1  # of 10 pixels
PADDING, GAP, LINE = 12.0, 26.0, 30.0
LONGEST = 44  # characters of a line of text


@dataclass
class _Block:
    """Something to be drawn, its size, and the middle of its upper and lower side."""

    width: float
    height: float
    draw: Callable[[float, float], list[Markup]]


def model_drawing(model: Model, measured: Measured | None = None) -> str:
    """The whole model as an SVG file."""
    block = _lined(measured, model.root, _block(model.root, measured))
    title = model.name or model.root.class_name
    said = f"{title}: {counted(model.root.parameters, 'parameter')}"
    width, height = block.width + 2 * PADDING, block.height + 2 * PADDING + 24
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        + tag(
            "svg",
            Markup(f"<style>{escape_style()}</style>"),
            tag("title", said),
            tag("rect", width="100%", height="100%", style="fill:var(--paper)"),
            _text(PADDING, PADDING + 8, said, 13),
            block.draw(PADDING, PADDING + 24),
            class_="t7",
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {width:.0f} {height:.0f}",
            width=f"{width:.0f}",
            height=f"{height:.0f}",
            role="img",
        )
        + "\n"
    )


def escape_style() -> Markup:
    """The style sheet inside a file of XML."""
    return Markup(style().replace("&", "&amp;").replace("<", "&lt;"))


def graph_drawing(part: Part, measured: Measured | None = None) -> Markup:
    """The nodes of one graph; what is inside them is not drawn."""
    block = _graph(part, measured, deep=False)
    width, height = block.width + 2 * PADDING, block.height + 2 * PADDING
    return tag(
        "svg",
        block.draw(PADDING, PADDING),
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=f"{width:.0f}",
        height=f"{height:.0f}",
        role="img",
        aria_label=f"the graph of {counted(len(part.parts), 'module')}",
    )


def _text(
    x: float, y: float, text: str, size: int = 12, class_: str | None = None, anchor: str | None = None
) -> Markup:
    return tag("text", text, x=f"{x:.1f}", y=f"{y:.1f}", font_size=size, class_=class_, text_anchor=anchor)


def _cut(text: str, length: int = LONGEST) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


def _rect(x: float, y: float, width: float, height: float, class_: str, radius: int = 5) -> Markup:
    return tag(
        "rect",
        x=f"{x:.1f}",
        y=f"{y:.1f}",
        width=f"{width:.1f}",
        height=f"{height:.1f}",
        rx=radius,
        class_=class_,
    )


def _polyline(points: Sequence[tuple[float, float]]) -> Markup:
    """A line through points from top to bottom, curved, with a tip."""
    x, y = points[0]
    text = f"M{x:.1f} {y:.1f}"
    for x2, y2 in points[1:]:
        middle = (y + y2) / 2
        text += (
            f"L{x2:.1f} {y2:.1f}"
            if abs(x - x2) < 0.5
            else f"C{x:.1f} {middle:.1f} {x2:.1f} {middle:.1f} {x2:.1f} {y2:.1f}"
        )
        x, y = x2, y2
    tip = f"M{x - 3.5:.1f} {y - 5:.1f}L{x + 3.5:.1f} {y - 5:.1f}L{x:.1f} {y:.1f}Z"
    return join(tag("path", d=text, class_="d-line"), tag("path", d=tip, class_="d-tip"))


# -- blocks ------------------------------------------------------------------------------------------------


def _block(part: Part, measured: Measured | None, note: str = "") -> _Block:
    if not part.parts:
        return _card(part, measured, note)
    if isinstance(part.module, GModule):
        return _boxed(part, measured, _graph(part, measured, deep=True))
    blocks = [(inner, _block(inner, measured)) for inner in part.parts]
    if part.arrangement in ("chain", "built", "fixed"):
        return _boxed(part, measured, _chain(measured, blocks))
    return _boxed(part, measured, _beside([_lined(measured, inner, block) for inner, block in blocks]))


def _card(part: Part, measured: Measured | None, note: str = "") -> _Block:
    """A layer: its class, what its text says, its parameters and its times."""
    package, dot, name = part.class_name.rpartition(".")
    title = _cut(f"{part.name} {package}{dot}{name}".strip())
    if part.same_as is not None:
        title = _cut(f"{title} = {part.same_as.path or 'the whole'}")
    lines = [_cut(text) for text in (arrows(part.arguments), note) if text]
    facts = []
    if part.parameters:
        facts.append(counted(part.parameters, "parameter"))
    timing = None if measured is None else measured.times.get(part.number)
    if timing is not None:
        facts.append(f"{seconds(timing.forward)} + {seconds(timing.backward)}")
    if facts:
        lines.append(", ".join(facts))
    width = max([len(title) * CHARACTER, *(len(line) * SMALL for line in lines)]) + 22
    height = 24 + 13 * len(lines)
    heat = 0.0
    if measured is not None and timing is not None and part.same_as is None:
        heat = min(1.0, timing.seconds / (measured.seconds_of_all or 1.0))

    def draw(x: float, y: float) -> list[Markup]:
        pieces = [_rect(x, y, width, height, "d-card"), _rect(x, y, 4, height, "d-tone", 2)]
        if heat:
            pieces.append(_rect(x + 4, y + height - 3, heat * (width - 5), 3, "d-heat", 1))
        pieces.append(_text(x + 12, y + 16, title))
        pieces += [_text(x + 12, y + 29 + 13 * n, line, 10, "d-soft") for n, line in enumerate(lines)]
        return [tag("g", pieces, class_=f"f-{part.family}")]

    return _Block(width, height, draw)


def _boxed(part: Part, measured: Measured | None, inner: _Block) -> _Block:
    """A container: a box with a line of text on top."""
    title = f"{part.name} {part.class_name}".strip()
    says = what_it_does(part)
    timing = None if measured is None else measured.times.get(part.number)
    notes = [says] if says else []
    if part.parameters:
        notes.append(counted(part.parameters, "parameter"))
    if timing is not None and measured is not None:
        notes.append(f"{seconds(timing.seconds)}, {share(timing.seconds, measured.seconds_of_all)}")
    line = ", ".join(notes)
    width = max(inner.width, len(title) * CHARACTER, len(line) * SMALL) + 2 * PADDING
    top = 40.0 if line else 26.0
    height = inner.height + top + PADDING

    def draw(x: float, y: float) -> list[Markup]:
        pieces = [_rect(x, y, width, height, "d-box", 7), _text(x + 10, y + 17, title)]
        if line:
            pieces.append(_text(x + 10, y + 31, line, 10, "d-soft"))
        return [*pieces, *inner.draw(x + (width - inner.width) / 2, y + top)]

    return _Block(width, height, draw)


def _chain(measured: Measured | None, blocks: Sequence[tuple[Part, _Block]]) -> _Block:
    """One below the other, with the sizes between them."""
    said = [_output(measured, part) for part, _ in blocks]
    width = max(
        max(block.width, 2 * SMALL * len(text) + 20) for (_, block), text in zip(blocks, said, strict=True)
    )
    height = sum(block.height for _, block in blocks) + LINE * (len(blocks) - 1)

    def draw(x: float, y: float) -> list[Markup]:
        pieces: list[Markup] = []
        middle = x + width / 2
        for number, (_, block) in enumerate(blocks):
            if number:
                pieces.append(_polyline([(middle, y), (middle, y + LINE)]))
                pieces.append(_text(middle + 8, y + LINE / 2 + 3, said[number - 1], 10, "d-soft"))
                y += LINE
            pieces += block.draw(middle - block.width / 2, y)
            y += block.height
        return pieces

    return _Block(width, height, draw)


def _lined(measured: Measured | None, part: Part, block: _Block) -> _Block:
    """A block with the lines into it and out of it, and the sizes at them."""
    taken = "" if measured is None else sizes(measured.inputs.get(part.number, ""))
    output = _output(measured, part)
    width = max(block.width, 2 * SMALL * max(len(taken), len(output)) + 20)

    def draw(x: float, y: float) -> list[Markup]:
        middle = x + width / 2
        below = y + LINE + block.height
        return [
            _polyline([(middle, y), (middle, y + LINE)]),
            _text(middle + 8, y + LINE / 2 + 3, taken, 10, "d-soft"),
            *block.draw(middle - block.width / 2, y + LINE),
            _polyline([(middle, below), (middle, below + LINE)]),
            _text(middle + 8, below + LINE / 2 + 3, output, 10, "d-soft"),
        ]

    return _Block(width, block.height + 2 * LINE, draw)


def _beside(blocks: Sequence[_Block]) -> _Block:
    """Side by side."""
    width = sum(block.width for block in blocks) + GAP * (len(blocks) - 1)

    def draw(x: float, y: float) -> list[Markup]:
        pieces: list[Markup] = []
        for block in blocks:
            pieces += block.draw(x, y)
            x += block.width + GAP
        return pieces

    return _Block(width, max(block.height for block in blocks), draw)


def _output(measured: Measured | None, part: Part) -> str:
    return "" if measured is None else sizes(measured.outputs.get(part.number, ""))


def _graph(part: Part, measured: Measured | None, deep: bool) -> _Block:
    graph = part.module
    assert isinstance(graph, GModule)
    inside = {id(inner.module): inner for inner in part.parts}
    nodes = graph.ordered_nodes
    blocks = []
    for number, node in enumerate(nodes):
        inner = inside.get(id(node.module))
        if inner is not None:
            note = _output(measured, inner)
            note = f"→ {note}" if note else ""
            blocks.append(_block(inner, measured, note) if deep else _card(inner, measured, note))
        else:
            blocks.append(_dot(_role(number, len(nodes), node.select, node.splits)))
    placed = layout_graph(
        [(b.width, b.height) for b in blocks], [node.sources for node in nodes], GAP, LINE + 6
    )

    def draw(x: float, y: float) -> list[Markup]:
        pieces = [_polyline([(x + px, y + py) for px, py in points]) for _, _, points in placed.edges]
        for block, (centre, top) in zip(blocks, placed.centres, strict=True):
            pieces += block.draw(x + centre - block.width / 2, y + top)
        return pieces

    return _Block(placed.width, placed.height, draw)


def _role(number: int, count: int, select: int | None, splits: int | None) -> str:
    if number == 0:
        return "input"
    if number == count - 1:
        return "output"
    if select is not None:
        return f"entry {select + 1}"
    return "split" if splits is not None else "hand on"


def _dot(text: str) -> _Block:
    """A node without a module."""
    width = len(text) * SMALL + 18

    def draw(x: float, y: float) -> list[Markup]:
        return [
            _rect(x, y, width, 20, "d-box", 10),
            _text(x + width / 2, y + 14, text, 10, "d-soft", "middle"),
        ]

    return _Block(width, 20, draw)
