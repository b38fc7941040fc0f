"""Which shapes the layers of a live model take and give, with the dimensions that are free under a name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from torch7py.translate.input_sizes import Sizes
from torch7py.translate.layers.registry import Layer

__all__ = ["changes", "name_shapes", "shape_of", "show_shapes", "shown", "walk"]


def show_shapes(root: Layer, example: Any) -> None:
    """Run the live model on an input and write down what shapes each layer took and gave."""
    for layer, input_shape, output_shape in _run(root, example).values():
        layer.shape_in, layer.shape_out = input_shape, output_shape


def name_shapes(root: Layer, example: Any, other: Any, sizes: tuple[Sizes, Sizes]) -> None:
    """Write down the shapes with names for what differs between two inputs of these sizes."""
    second = _run(root, other)
    for key, (layer, *first) in _run(root, example).items():
        if key in second:
            _, *others = second[key]
            layer.named_in, layer.named_out = (
                _named(a, b, sizes) for a, b in zip(first, others, strict=True)
            )


def _run(root: Layer, example: Any) -> dict[int, tuple[Layer, Any, Any]]:
    """Each layer that was called, with the shapes that it took and gave the first time."""
    model: Any = root.module
    layers = {id(layer.module): layer for layer in walk(root)}
    modes = {id(part): part.training for part in model.modules()}
    shapes: dict[int, tuple[Layer, Any, Any]] = {}

    def note(module: Any, inputs: tuple[Any, ...], output: Any) -> None:
        layer = layers[id(module)]
        if id(layer) not in shapes:
            shapes[id(layer)] = layer, shape_of(inputs[0]), shape_of(output)

    hooks = [layer.module.register_forward_hook(note) for layer in layers.values()]
    try:
        model.set_evaluate()
        with torch.no_grad():
            model(example)
    finally:
        for hook in hooks:
            hook.remove()
        for part in model.modules():
            part.__dict__["training"] = modes.get(id(part), True)
    return shapes


def shape_of(value: Any) -> Any:
    """Shapes in the nesting of a value: a tuple for a tensor, a list for a table."""
    if isinstance(value, torch.Tensor):
        return tuple(value.shape)
    return [shape_of(item) for item in value] if isinstance(value, (list, tuple)) else None


def _named(a: Any, b: Any, sizes: tuple[Sizes, Sizes]) -> Any:
    """A shape as a tuple of texts; None where the two are of different form."""
    if isinstance(a, list):
        if not isinstance(b, list) or not a or not b:
            return None
        if len(a) != len(b):  # a table of steps
            return [_named(a[0], b[0], sizes)] if _size(len(a), len(b), sizes) == "time" else None
        return [_named(x, y, sizes) for x, y in zip(a, b, strict=True)]
    if not isinstance(a, tuple) or not isinstance(b, tuple) or len(a) != len(b):
        return None
    return tuple(_size(x, y, sizes) for x, y in zip(a, b, strict=True))


def _size(a: int, b: int, sizes: tuple[Sizes, Sizes]) -> str:
    """A number that is the same for both, or what it is a multiple of."""
    if a == b:
        return str(a)
    first, second = sizes
    for name, one, two in (
        ("batch", first.batch, second.batch),
        ("time", first.steps, second.steps),
        ("time*batch", first.steps * first.batch, second.steps * second.batch),
    ):
        if a % one == 0 and b % two == 0 and a // one == b // two:
            return name if a == one else f"{a // one}*{name}"
    return "n"


def shown(shape: Any, steps: bool = False) -> str:
    """Named shapes as text: ``(batch, 10)``; of a table of steps those of one tensor with time in front."""
    if isinstance(shape, tuple):
        return f"({', '.join(shape)}{',' * (len(shape) == 1)})"
    if not isinstance(shape, list) or not shape or None in shape:
        return ""
    if steps and isinstance(shape[0], tuple):
        return shown(("time", *shape[0]))
    return f"({', '.join(shown(part) for part in shape)}{',' * (len(shape) == 1)})"


def changes(layer: Layer) -> str:
    """The shape that a layer gives, as text, where it is another than what it takes, beyond the number of features."""
    input_shape, output_shape = layer.named_in, layer.named_out
    if not isinstance(output_shape, tuple) or not isinstance(input_shape, tuple):
        return ""
    if (
        len(input_shape) == len(output_shape)
        and (len(output_shape) < 3 or input_shape == output_shape)
        and input_shape[:-1] == output_shape[:-1]
    ):
        return ""
    return shown(output_shape)


def walk(root: Layer) -> Iterator[Layer]:
    """A layer and all in it, each once."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        layer = waiting.pop()
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        yield layer
        waiting += [*layer.children, *layer.slots.values()]
