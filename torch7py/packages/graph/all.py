"""Importing this registers the functions that ``graph.lua`` calls."""

from __future__ import annotations

from typing import Any

from torch7py.nn.graph import sorted_order
from torch7py.packages.graph import graphviz
from torch7py.packages.graph.drawing import Drawing
from torch7py.packages.registry import function

__all__ = ["draw", "order", "positions"]


def _pairs(numbers: list[float]) -> list[tuple[int, int]]:
    """Consecutive numbers, which count from 1, as pairs that count from 0."""
    indices = [int(number) - 1 for number in numbers]
    return list(zip(indices[::2], indices[1::2], strict=True))


@function("graph.order")
def order(ends: list[float]) -> list[int]:
    """The topological order of the nodes; ``ends`` lists the start and the end of each edge."""
    return [node + 1 for node in sorted_order(_pairs(ends))]


@function("graph.draw", filenames=True)
def draw(
    text: str,
    title: str | None,
    algorithm: str,
    path: str,
    labels: list[Any],
    attributes: list[Any],
    ends: list[Any],
) -> None:
    """Write a drawing, by Graphviz where it is installed."""
    if graphviz.installed(algorithm):
        graphviz.write(text, algorithm, path)
    else:
        node_attributes = [notes if isinstance(notes, dict) else {} for notes in attributes]
        Drawing(labels, _pairs(ends), node_attributes, title).write(path)


@function("graph.positions")
def positions(text: str, algorithm: str, labels: list[Any], ends: list[Any]) -> list[list[float]]:
    """The positions of the nodes, each coordinate from 0 to 1, y upwards."""
    if graphviz.installed(algorithm):
        return graphviz.positions(text, algorithm, len(labels))
    return [list(xy) for xy in Drawing(labels, _pairs(ends)).positions()]
