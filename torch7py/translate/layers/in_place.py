"""Layers that write their result over what they are given: ``nn.ReLU(true)``.

A page has a new tensor for it. That is the same as long as nobody else looks at the old one; who does sees in Torch7
what the layer has left there, and gives it gradients that do not go back through the layer.
"""

from __future__ import annotations

from torch7py.translate.facts import layers as facts
from torch7py.translate.layers.registry import Layer, NotNative

__all__ = [
    "KEPT_INPUT",
    "changes_input",
    "in_place",
    "is_written_over",
    "may_keep_input",
    "refuse_shared_input",
]

KEPT_INPUT = "in Torch7 that layer writes over its input, which others are given, too"
# Layers whose gradients are told by the sign of what they leave behind, as by that of what they were given.
_BY_SIGN = {"nn.ReLU", "nn.LeakyReLU"}


def in_place(layer: Layer) -> bool:
    """Whether a layer writes its result over its input."""
    if layer.module is not None:
        return bool(getattr(layer.module, "inplace", False))
    if layer.name == "nn.LeakyReLU" and layer.args.get("negval") == "True":
        return True
    names = ("p",) if layer.name == "nn.ReLU" else ("inplace", "ip")
    return any(layer.args.get(name) not in ("None", "False") for name in names)


def may_keep_input(layer: Layer) -> bool:
    """Whether such a layer's gradients can be told when others see its result in the place of its input."""
    if layer.name == "nn.LeakyReLU":
        slope = layer.args.get("negval", "0.01")
        return slope == "True" or (layer.args.is_literal("negval") and layer.args.value("negval", 0.01) > 0)
    return layer.name in _BY_SIGN


def changes_input(layer: Layer) -> bool:
    """Whether a layer, or one in it, writes over what it is given."""
    if in_place(layer):
        return True
    if layer.name == "nn.Sequential":
        for child in layer.children:
            if changes_input(child):
                return True
            if not facts.shares_memory(child.name):
                return False
        return False
    tables = ("nn.ConcatTable", "nn.Concat", "nn.DepthConcat", "nn.ParallelTable")
    return layer.name in tables and any(map(changes_input, layer.children))


def refuse_shared_input(layer: Layer) -> None:
    """Refuse branches of which one writes over what the others are given, too."""
    for child in layer.children if len(layer.children) > 1 else ():
        if changes_input(child):
            raise NotNative(f"{layer.name} with a layer that writes over what its other branches are given")


def is_written_over(model: Layer, places: list[int]) -> bool:
    """Whether a layer writes over what a part of a model gave it: ``places`` from 0, outermost first."""
    around: list[tuple[Layer, int]] = []
    for index in places:
        if not 0 <= index < len(model.children):
            return False
        around.append((model, index))
        model = model.children[index]
    for container, index in reversed(around):
        if container.name != "nn.Sequential":
            return False
        for following in container.children[index + 1 :]:
            if changes_input(following):
                return True
            if not facts.shares_memory(following.name):
                return False
    return False
