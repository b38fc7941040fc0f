"""Places for the nodes of a graph without cycles: rows from top to bottom, few crossings, lines around other nodes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Placed", "layout_graph"]

SWEEPS = 8
LANE = 14.0  # the width of a line that passes a row


@dataclass
class Placed:
    """Centres and tops of nodes, the way of each edge as points, and the size of the whole."""

    centres: list[tuple[float, float]]
    edges: list[tuple[int, int, list[tuple[float, float]]]]
    width: float
    height: float


@dataclass
class _Vertex:
    """A node, or the place where an edge passes a row."""

    row: int
    width: float
    node: int | None
    up: list[_Vertex] = field(default_factory=list)
    down: list[_Vertex] = field(default_factory=list)
    x: float = 0.0


def layout_graph(
    sizes: Sequence[tuple[float, float]], sources: Sequence[Sequence[int]], gap_x: float, gap_y: float
) -> Placed:
    """``sources`` are the numbers of the nodes that each node takes from, which come before it."""
    rows_of = [0] * len(sizes)
    for number, taken in enumerate(sources):
        rows_of[number] = max((rows_of[source] + 1 for source in taken), default=0)
    used = [
        [target for target, taken in enumerate(sources) if number in taken] for number in range(len(sizes))
    ]
    for number in reversed(range(len(sizes))):  # what takes nothing stands right above what takes it
        if not sources[number] and used[number]:
            rows_of[number] = min(rows_of[target] for target in used[number]) - 1
    vertices = [_Vertex(rows_of[number], width, number) for number, (width, _) in enumerate(sizes)]
    rows: list[list[_Vertex]] = [[] for _ in range(max(rows_of, default=-1) + 1)]
    for vertex in vertices:
        rows[vertex.row].append(vertex)
    chains: list[tuple[int, int, list[_Vertex]]] = []
    for number, taken in enumerate(sources):
        for source in dict.fromkeys(taken):
            chain = [vertices[source]]
            for between in range(rows_of[source] + 1, rows_of[number]):
                lane = _Vertex(between, LANE, None)
                rows[between].append(lane)
                chain.append(lane)
            chain.append(vertices[number])
            for above, below in itertools.pairwise(chain):
                above.down.append(below)
                below.up.append(above)
            chains.append((source, number, chain))
    _order(rows)
    _spread(rows, gap_x)
    left = min((v.x - v.width / 2 for row in rows for v in row), default=0.0)
    right = max((v.x + v.width / 2 for row in rows for v in row), default=0.0)
    tops, y = [], 0.0
    heights = []
    for row in rows:
        height = max((sizes[v.node][1] for v in row if v.node is not None), default=0.0)
        tops.append(y)
        heights.append(height)
        y += height + gap_y
    edges = []
    for source, target, chain in chains:
        points = [(chain[0].x - left, tops[chain[0].row] + sizes[source][1])]
        for lane in chain[1:-1]:
            points += [(lane.x - left, tops[lane.row]), (lane.x - left, tops[lane.row] + heights[lane.row])]
        points.append((chain[-1].x - left, tops[chain[-1].row]))
        edges.append((source, target, points))
    centres = [(v.x - left, tops[v.row]) for v in vertices]
    return Placed(centres, edges, right - left, max(0.0, y - gap_y))


def _order(rows: list[list[_Vertex]]) -> None:
    """Put the vertices of each row in the order of the means of what they are joined to, down and up in turn."""
    position = {id(v): float(n) for row in rows for n, v in enumerate(row)}
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        for row in rows if downwards else reversed(rows):
            means = {}
            for vertex in row:
                joined = vertex.up if downwards else vertex.down
                means[id(vertex)] = (
                    sum(position[id(other)] for other in joined) / len(joined)
                    if joined
                    else position[id(vertex)]
                )
            row.sort(key=lambda vertex: means[id(vertex)])
            for number, vertex in enumerate(row):
                position[id(vertex)] = float(number)


def _spread(rows: list[list[_Vertex]], gap: float) -> None:
    """Give each vertex a place on its row, as near to what it is joined to as the others let it."""
    for row in rows:
        x = 0.0
        for vertex in row:
            vertex.x = x + vertex.width / 2
            x += vertex.width + gap
        for vertex in row:
            vertex.x -= (x - gap) / 2
    for sweep in range(SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted = []
            for vertex in row:
                joined = (vertex.up if sweep % 2 == 0 else vertex.down) or (vertex.up + vertex.down)
                wanted.append(sum(other.x for other in joined) / len(joined) if joined else vertex.x)
            _fit(row, wanted, gap)


def _fit(row: list[_Vertex], wanted: list[float], gap: float) -> None:
    """Place a row at the wanted places, moved apart where they are too near: groups of neighbours share their mean."""
    groups: list[
        list[float]
    ] = []  # of each group: the sum of its members' wishes for its left end, their number, width
    for vertex, centre in zip(row, wanted, strict=True):
        group = [centre - vertex.width / 2, 1.0, vertex.width + gap]
        while groups and groups[-1][0] / groups[-1][1] + groups[-1][2] > group[0] / group[1]:
            before = groups.pop()
            group = [before[0] + group[0] - group[1] * before[2], before[1] + group[1], before[2] + group[2]]
        groups.append(group)
    number = 0
    for total, count, _ in groups:
        x = total / count
        for vertex in row[number : number + int(count)]:
            vertex.x = x + vertex.width / 2
            x += vertex.width + gap
        number += int(count)
