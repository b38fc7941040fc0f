"""How many dimensions one example has, as the first layer that takes images, sequences or vectors tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch7py.translate.layers.registry import Layer

__all__ = ["Example", "example_dims"]

_DIMS = {"nn.Temporal": 2, "nn.Spatial": 3, "nn.Volumetric": 4, "nn.Linear": 1, "nn.BatchNormalization": 1}
_LOOKUPS = ("nn.LookupTable",)
# Layers that leave the dimensions as they are.
_SAME = {
    f"nn.{name}"
    for name in """Identity Dropout ReLU Tanh Sigmoid ELU LeakyReLU PReLU MulConstant AddConstant Contiguous Copy
        WhiteNoise HardTanh Abs Square""".split()
}


@dataclass(frozen=True)
class Example:
    """The dimensions of an example: where the first layer takes it that tells, and of the model's input."""

    dims: int
    input_dims: int


def example_dims(layer: Layer, ranks: frozenset[int | None]) -> Example | None:
    """What one example is for a model that is given tensors of so many dimensions."""
    added = 0
    for part in _in_order(layer):
        if part.name.startswith(_LOOKUPS):
            added += 1
        elif part.name not in _SAME:
            dims = next((dims for prefix, dims in _DIMS.items() if part.name.startswith(prefix)), None)
            known = sorted(rank for rank in ranks if rank is not None)
            if dims is None and _may_flatten(part, known):
                return Example(known[0], known[0])
            return None if dims is None else Example(dims, dims - added)
    return None


def _may_flatten(layer: Layer, ranks: list[int]) -> bool:
    """Whether a first layer makes vectors of what is an example and of what is a batch.

    ``nn.Reshape`` takes one image of one plane for a batch.
    """
    both = len(ranks) == 2 and ranks[1] - ranks[0] == 1
    return both and (layer.name == "nn.View" or (layer.name == "nn.Reshape" and ranks[0] in (1, 2)))


def _in_order(layer: Layer) -> Iterator[Layer]:
    if layer.name != "nn.Sequential":
        yield layer
    for child in layer.children if layer.name == "nn.Sequential" else ():
        yield from _in_order(child)
