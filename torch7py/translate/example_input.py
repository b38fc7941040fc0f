"""An input that a model takes, found by what its first layers say about sizes.

From the last layer to the first: each says what its input must be like, given what the next one takes. Sides of
images are not said by any layer; they are tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import torch

from torch7py.bridge.errors import LuaError
from torch7py.nn.error_location import explain
from torch7py.nn.trace import leaves_of
from torch7py.ops.errors import Torch7Error
from torch7py.translate.facts import layers as facts
from torch7py.translate.input_sizes import Shape, Sizes, Wanted, make
from torch7py.translate.layers.input_rules import wanted
from torch7py.translate.layers.registry import Layer, NotNative

__all__ = ["criterion_example", "dtype_of", "example_of", "refusal", "repeats"]

# How a model refuses an input.
_REFUSALS = (Torch7Error, RuntimeError, ValueError, IndexError)

# Sides to try, the usual ones first.
SIDES = (
    32,
    28,
    16,
    8,
    64,
    20,
    24,
    48,
    40,
    36,
    60,
    96,
    100,
    128,
    224,
    227,
    231,
    256,
    299,
    12,
    10,
    6,
    4,
    84,
    512,
)


def example_of(model: Any, layer: Layer, sizes: Sizes | None = None) -> Any:
    """An input that the model runs with, as nested lists of tensors; None where none was found.

    A batch is tried first, then one example; the shape of a saved ``gradInput``, which is the input's, before both.
    """
    sizes = sizes or Sizes()
    dtype = dtype_of(model)
    options = list(_options(layer, sizes))
    saved = _saved(model.get_field("gradInput"), options[0] if options else None)
    batch = _first_that_runs(model, [*([] if saved is None else [saved]), *options], dtype)
    return batch if batch is not None else _first_that_runs(model, map(_without_batch, options), dtype)


def _first_that_runs(model: Any, options: Iterable[Wanted], dtype: torch.dtype) -> Any:
    """The first input that the model takes and gives as many examples for, or else one that it takes at all."""
    tried: list[Wanted] = []
    fallback = None
    for option in options:
        if option in tried:
            continue
        tried.append(option)
        input = make(option, dtype)
        output = _trial(model, input)
        if output is not None and _leading(output) == _leading(input):
            return input
        if output is not None and fallback is None:  # a view of -1 rows takes any size that can be divided
            fallback = input
    return fallback


def _leading(value: Any) -> int:
    """The first size of a value's first tensor; 0 for a single number."""
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return int(value.shape[0]) if isinstance(value, torch.Tensor) and value.dim() else 0


def _options(layer: Layer, sizes: Sizes) -> Iterator[Wanted]:
    """What the layers say, for each side that an image may have."""
    for side in SIDES:
        try:
            input_shape = wanted(layer, None, replace(sizes, side=side))
        except NotNative:  # an argument that is not known
            return
        yield Shape((sizes.batch, 7)) if input_shape is None else input_shape


def _without_batch(shape: Wanted) -> Wanted:
    if isinstance(shape, list):
        return [_without_batch(part) for part in shape]
    if shape is None or len(shape.sizes) < 2:
        return shape
    return replace(shape, sizes=shape.sizes[1:])


def _saved(gradient: Any, like: Wanted) -> Wanted:
    """The shape of a saved gradient; None where there is none, or where the input is of another kind."""
    if isinstance(gradient, torch.Tensor):
        whole = like.whole if isinstance(like, Shape) else 0
        return None if isinstance(like, list) or not gradient.numel() else Shape(tuple(gradient.shape), whole)
    if isinstance(gradient, (list, tuple)) and isinstance(like, list) and len(gradient) == len(like):
        parts = [_saved(item, part) for item, part in zip(gradient, like, strict=True)]
        return None if None in parts else parts
    return None


def dtype_of(model: Any) -> torch.dtype:
    """Of a model's weights; Torch7's default where it has none."""
    for parameter in model.parameters():
        if parameter.is_floating_point():
            dtype: torch.dtype = parameter.dtype
            return dtype
    return torch.float64


def refusal(model: Any, input: Any) -> str:
    """Why a model does not take an input, empty where it does. The model stays as it is."""
    try:
        _run(model, input)
    except _REFUSALS as error:
        return str(error) if isinstance(error, LuaError) else str(explain(error, model))
    return ""


def repeats(model: Any, input: Any) -> bool:
    """Whether a model, in evaluation, gives the same of an input each time; also where it does not take it."""
    first, second = ([], []) if input is None else (_leaves(_trial(model, input)) for _ in range(2))
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def _leaves(value: Any) -> list[torch.Tensor]:
    return [] if value is None else list(leaves_of(value))


def _trial(model: Any, input: Any) -> Any:
    """What a copy of a model gives in evaluation; None where it does not take the input."""
    try:
        return _run(model, input)
    except _REFUSALS:
        return None


def _run(model: Any, input: Any) -> Any:
    trial = model.clone()
    trial.set_evaluate()
    if hasattr(trial, "forget"):
        trial.forget()
    with torch.no_grad():
        return trial.torch7_forward(input)


# -- criterions --------------------------------------------------------------------------------------------------------


def criterion_example(criterion: Any, layer: Layer) -> tuple[Any, Any] | None:
    """A prediction and a target for a criterion, in double; None where it is not known what it takes."""
    sizes = Sizes()
    if facts.takes(layer.name) == "steps":
        inner = layer.slots.get("criterion") or (layer.children[0] if layer.children else None)
        example = None if inner is None else criterion_example(inner.module, inner)
        if example is None:
            return None
        x, y = example
        scales = [1 - n / 10 for n in range(sizes.steps)]  # probabilities stay what they are
        return [x * s for s in scales], [y] * sizes.steps if facts.target(layer.name) == "steps" else y
    kind = facts.target(layer.name) if facts.takes(layer.name) == "tensor" else ""
    weights = criterion.get_field("weights") if kind == "class" else None
    classes = 7 if weights is None else weights.numel()
    x = make(Shape((sizes.batch, classes)), torch.float64)
    other = make(Shape((sizes.batch, classes)), torch.float64, seed=2)
    if kind == "shares":
        example = x.log_softmax(-1), other.softmax(-1)
    elif kind == "class":
        example = x, make(Shape((sizes.batch,), classes), torch.float64)
    elif kind == "values":
        example = x, other
    elif kind == "truths":
        example = x.sigmoid(), (other > 0).double()
    else:
        return None
    try:
        criterion.clone().torch7_forward(*example)
    except _REFUSALS:  # it wants more of them than what they are
        return None
    return example
