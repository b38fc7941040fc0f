"""Drawings of graphs without Graphviz: nodes in layers from top to bottom, as SVG; or a dot file to draw later."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from torch7py.ops.errors import TorchError
from torch7py.ops.one_writer import by_one

__all__ = ["Drawing"]

CHARACTER, LINE, MARGIN, GAP, LAYER_GAP = 7.2, 15.0, 12.0, 24.0, 42.0  # pixels
FONT = 'font-family="monospace" font-size="12"'
NAMESPACE = "http://www.w3.org/2000/svg"
ARROW = (
    '<marker id="arrow" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0 0 10 5 0 10z"/></marker>'
)
SWEEPS = 6  # how often the nodes of all layers are sorted by their neighbours' positions


class Drawing:
    """The drawing of a directed graph.

    ``labels`` are the texts of the nodes, ``edges`` pairs of their numbers, ``attributes`` Graphviz's for each node, of
    which ``color``, ``fontcolor``, ``fillcolor`` and ``tooltip`` are used in an SVG.
    """

    def __init__(
        self,
        labels: Sequence[str],
        edges: Sequence[tuple[int, int]],
        attributes: Sequence[Mapping[str, str]] = (),
        title: str | None = None,
    ) -> None:
        self.edges = list(dict.fromkeys(edges))
        self.attributes = list(attributes) or [{} for _ in labels]
        self.title = title
        self.labels = list(labels)
        # In a label \l and \n end a line.
        self.lines = [re.split(r"\n|\\n|\\l", label.rstrip()) for label in labels]
        self.sizes = [
            (CHARACTER * max(map(len, lines)) + 2 * MARGIN, LINE * len(lines) + MARGIN)
            for lines in self.lines
        ]
        self.centres = self._layout()

    # -- layout -------------------------------------------------------------------------------------------

    def _depths(self) -> list[int]:
        """The layer of each node: below all from which an edge leads to it (an edge of a cycle left out)."""
        sources: list[list[int]] = [[] for _ in self.labels]
        for start, end in self.edges:
            sources[end].append(start)
        depths = [-1] * len(self.labels)
        for first in range(len(depths)):
            path, stack = {first}, [(first, iter(sources[first]))]
            while stack:
                node, rest = stack[-1]
                waiting = next((s for s in rest if depths[s] < 0 and s not in path), None)
                if waiting is None:
                    stack.pop()
                    path.discard(node)
                    above = [depths[s] for s in sources[node] if s not in path]
                    depths[node] = max(depths[node], max(above, default=-1) + 1)
                elif depths[waiting] < 0:
                    path.add(waiting)
                    stack.append((waiting, iter(sources[waiting])))
        return depths

    def _layout(self) -> list[tuple[float, float]]:
        """The centre of each node, y downwards."""
        depths = self._depths()
        layers: list[list[int]] = [[] for _ in range(max(depths, default=-1) + 1)]
        for node, depth in enumerate(depths):
            layers[depth].append(node)
        near: list[list[int]] = [[] for _ in self.labels]
        for start, end in self.edges:
            near[start].append(end)
            near[end].append(start)
        x = self._spread(layers)
        for _ in range(SWEEPS):
            for layer in layers:
                layer.sort(
                    key=lambda node: (
                        sum(x[n] for n in near[node]) / len(near[node]) if near[node] else x[node]
                    )
                )
            x = self._spread(layers)
        y, top = [0.0] * len(self.labels), MARGIN + (LINE * 2 if self.title else 0)
        for layer in layers:
            height = max(self.sizes[node][1] for node in layer)
            for node in layer:
                y[node] = top + height / 2
            top += height + LAYER_GAP
        return list(zip(x, y, strict=True))

    def _spread(self, layers: list[list[int]]) -> list[float]:
        """The x coordinate of each node: the nodes of a layer side by side, each layer centred."""
        x = [0.0] * len(self.labels)
        widths = [sum(self.sizes[n][0] for n in layer) + GAP * (len(layer) - 1) for layer in layers]
        widest = max(widths, default=0)
        for layer, width in zip(layers, widths, strict=True):
            at = MARGIN + (widest - width) / 2
            for node in layer:
                x[node] = at + self.sizes[node][0] / 2
                at += self.sizes[node][0] + GAP
        return x

    def _paper(self) -> tuple[float, float]:
        boxes = list(zip(self.centres, self.sizes, strict=True))
        right = max((x + w / 2 for (x, _), (w, _) in boxes), default=0.0)
        bottom = max((y + h / 2 for (_, y), (_, h) in boxes), default=0.0)
        return right + MARGIN, bottom + MARGIN

    def positions(self) -> list[tuple[float, float]]:
        """The centres relative to the paper's size, y upwards."""
        width, height = self._paper()
        return [(x / width, 1 - y / height) for x, y in self.centres]

    # -- files --------------------------------------------------------------------------------------------

    @by_one
    def write(self, path: str) -> None:
        """An ``.svg`` or a ``.dot`` file."""
        kind = Path(path).suffix
        if kind == ".svg":
            text = self.svg()
        elif kind == ".dot":
            text = self.dot()
        else:
            raise TorchError(f"a drawing as '{kind}' needs Graphviz; without it there are .svg and .dot")
        Path(path).write_text(text)

    def dot(self) -> str:
        """The graph in Graphviz's language, the attributes of each node in alphabetical order."""
        lines = ["digraph G {"]
        if self.title is not None:
            lines += [f"  label={_quoted(self.title)};", "  labelloc=t;"]
        lines.append("  node [shape=oval];")
        for number, label in enumerate(self.labels, 1):
            notes = {**self.attributes[number - 1], "label": label}
            words = ", ".join(f"{key}={_word(value)}" for key, value in sorted(notes.items()))
            lines.append(f"  n{number} [{words}];")
        lines += [f"  n{start + 1} -> n{end + 1};" for start, end in self.edges]
        return "\n".join([*lines, "}"]) + "\n"

    def svg(self) -> str:
        width, height = self._paper()
        out = [
            f'<svg xmlns="{NAMESPACE}" width="{width:.0f}" height="{height:.0f}" {FONT}>',
            f"<defs>{ARROW}</defs>",
        ]
        if self.title is not None:
            out.append(
                f'<text x="{width / 2:.1f}" y="{LINE:.1f}" text-anchor="middle">{escape(self.title)}</text>'
            )
        out += [self._curve(start, end) for start, end in self.edges]
        out += [self._box(node) for node in range(len(self.labels))]
        return "\n".join([*out, "</svg>"]) + "\n"

    def _curve(self, start: int, end: int) -> str:
        (x1, y1), (x2, y2) = self.centres[start], self.centres[end]
        y1 += self.sizes[start][1] / 2
        y2 -= self.sizes[end][1] / 2
        middle = (y1 + y2) / 2
        curve = f"M{x1:.1f} {y1:.1f}C{x1:.1f} {middle:.1f} {x2:.1f} {middle:.1f} {x2:.1f} {y2:.1f}"
        return f'<path d="{curve}" fill="none" stroke="black" marker-end="url(#arrow)"/>'

    def _box(self, node: int) -> str:
        (x, y), (width, height), notes = self.centres[node], self.sizes[node], self.attributes[node]
        filled = notes.get("fillcolor", "lightgrey") if "filled" in notes.get("style", "") else "white"
        top = y - LINE * (len(self.lines[node]) - 1) / 2 + 4
        spans = "".join(
            f'<tspan x="{x:.1f}" y="{top + LINE * number:.1f}">{escape(line)}</tspan>'
            for number, line in enumerate(self.lines[node])
        )
        tip = f"<title>{escape(notes['tooltip'])}</title>" if "tooltip" in notes else ""
        return (
            f'<g id="n{node + 1}">{tip}<rect x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" '
            f'width="{width:.1f}" height="{height:.1f}" rx="{LINE:.0f}" fill="{escape(filled)}" '
            f'stroke="{escape(notes.get("color", "black"))}"/>'
            f'<text text-anchor="middle" fill="{escape(notes.get("fontcolor", "black"))}">{spans}</text></g>'
        )


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"').replace("\n", "\\n") + '"'


def _word(text: str) -> str:
    return text if re.fullmatch("[A-Za-z]+", text) else _quoted(text)
