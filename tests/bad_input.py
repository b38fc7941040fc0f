"""A valid input broken in every way that fits its kind, and what a layer that takes it nonetheless must give."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from torch7py.nn.trace import leaves_of
from torch7py.ops import types

__all__ = ["broken", "broken_targets", "expected", "labelled", "sizes"]


def labelled(value: Any, like: Any) -> Any:
    """A tensor made of another is of its Torch7 type, CudaTensor, say."""
    if isinstance(value, list):
        return [labelled(item, like) for item in value]
    like = next(leaves_of(like), None)
    if isinstance(value, torch.Tensor) and like is not None and value.dtype == like.dtype:
        return types.label(value, types.of(like))
    return value


def longer(x: torch.Tensor) -> torch.Tensor:
    return torch.cat([x, x[..., :1]], -1)


def broken_tensor(x: torch.Tensor) -> Iterator[tuple[str, Any]]:
    yield "a column more", longer(x)
    if x.dim() > 1:
        yield "a dimension less", x[0].clone()
    yield "a dimension more", torch.stack([x, x])
    yield "empty", x.new_empty(0)
    if x.dtype == torch.float64:
        yield "float", x.float()
    yield "in a table", [x]
    yield "in tables", [[x, x], x]
    yield "a text", "text"
    yield "a number", 3
    yield "nil", None
    if x.dtype == torch.int64:
        yield "an index of 0", x * 0
        yield "an index too high", x + 1000


def broken(x: Any) -> Iterator[tuple[str, Any]]:
    """What is broken, and the broken input."""
    if not isinstance(x, list):
        for what, value in broken_tensor(x):
            yield what, labelled(value, x)
        return
    yield "a tensor", torch.ones(2, 3, dtype=torch.float64)
    yield "an entry less", x[:-1]
    yield "an entry more", [*x, x[-1]]
    yield "an empty table", []
    for number, entry in enumerate(x):
        for what, value in broken(entry):
            if value is not None:  # a table cannot hold nil
                yield f"{what} at {number + 1}", [*x[:number], value, *x[number + 1 :]]


def broken_targets(target: Any) -> Iterator[tuple[str, Any]]:
    """The same for a target, which may be a number, with values that no label has."""
    if target is None:
        return
    if isinstance(target, (int, float)):
        yield from (("NaN", float("nan")), ("a text", "text"), ("nil", None), ("in a table", [target]))
        return
    yield from broken(target)
    if isinstance(target, torch.Tensor) and target.numel():
        values = {"NaN": float("nan"), "an index too high": 1000.0, "an index of 0": 0.0}
        for what, number in values.items():
            if target.is_floating_point():
                changed = target.clone()
                changed.view(-1)[0] = number
                yield what, labelled(changed, target)


def sizes(value: Any) -> str:
    if isinstance(value, list):
        return "{" + ", ".join(map(sizes, value)) + "}"
    return "x".join(map(str, value.shape)) if isinstance(value, torch.Tensor) else repr(value)


def each(function: Any, *values: Any) -> Any:
    if isinstance(values[0], list):
        return [each(function, *entries) for entries in zip(*values, strict=True)]
    return function(*values)


def expected(what: str, output: Any) -> Any:
    """What a layer that treats each element, or each example of a batch, alone gives for a broken input.

    ``output`` is what it gives for the right one; None where there is nothing to be said.
    """
    if what.startswith(
        ("float", "an entry more")
    ):  # what follows the entries that a layer needs is not looked at
        return output
    makers = {
        "a dimension less": lambda y: y[0],
        "a dimension more": lambda y: torch.stack([y, y]),
        "a column more": longer,
        "empty": lambda y: y.new_empty(0),
    }
    if what in makers:
        return each(makers[what], output)
    if what == "an entry less" and isinstance(output, list):
        return output[:-1]
    return None
