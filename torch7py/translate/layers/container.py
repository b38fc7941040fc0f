"""Containers: written as what is in them."""

from __future__ import annotations

from torch7py.translate.layers.registry import Layer, Value, structure
from torch7py.translate.writer import Writer


@structure("nn.Sequential")
def sequential(layer: Layer, x: Value, w: Writer) -> Value:
    for child in layer.children:
        x = w.apply(child, x)
    return x
