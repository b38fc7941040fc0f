"""What the optimizers written in Python share: their arguments, their state and the function they minimize.

Every optimizer is called as ``x, {f(x), ...} = optim.name(opfunc, x[, config[, state]])``. ``opfunc(x)``
returns f(x) and df/dx. ``config`` holds the settings; ``state``, by default the same table, holds what the
optimizer keeps from call to call. Both are tables of named values, dicts in Python. ``x`` is changed in place. Those
that take one cheap step a call are written in Lua (``steps.lua``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, MutableMapping
from typing import Any

import torch

from torch7py.ops import state as program_state
from torch7py.ops import types
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.of_numbers import of_numbers
from torch7py.packages.registry import Fields

__all__ = [
    "Objective",
    "default_square_root",
    "default_zeros",
    "divide",
    "evaluate",
    "fitting",
    "settings",
    "square_root",
    "tables",
]

Objective = Callable[[torch.Tensor], Any]


def tables(config: Fields | None, state: Fields | None) -> tuple[Fields, Fields]:
    """The tables of settings and of state, either of which may be left out."""
    config = {} if config is None else config
    state = config if state is None else state
    for table in (config, state):
        if not isinstance(table, MutableMapping):
            raise ArgumentError(f"optim: settings and state are tables, not a {type(table).__name__}")
    return config, state


def settings(config: Fields, /, **defaults: Any) -> tuple[Any, ...]:
    """Values by name; one that is nil or false is its default."""
    pick = getattr(config, "pick", None)  # a script's table is read at one go
    values = map(config.get, defaults) if pick is None else pick(*defaults)
    return tuple(
        default if value is None or value is False else value
        for value, default in zip(values, defaults.values(), strict=True)
    )


def evaluate(opfunc: Objective, x: torch.Tensor, computed: bool = False) -> tuple[Any, torch.Tensor]:
    """f(x) and df/dx, which has the shape of x; it may be memory that the next call overwrites.

    ``computed``: the optimizer computes with f(x), which must be a number.
    """
    value, gradient = evaluate_as_given(opfunc, x, computed)
    return value, gradient if gradient.shape == x.shape else gradient.view(x.shape)


def evaluate_as_given(opfunc: Objective, x: torch.Tensor, computed: bool) -> tuple[Any, torch.Tensor]:
    """The same with df/dx in the shape that the function gives it."""
    if not isinstance(x, torch.Tensor):
        raise ArgumentError(f"optim: x must be a tensor, not a {type(x).__name__}")
    with torch.enable_grad():
        result = opfunc(x)
    if not isinstance(result, tuple) or len(result) < 2 or not isinstance(result[1], torch.Tensor):
        raise TorchError("optim: the function to minimize must return f(x) and the tensor df/dx")
    value, gradient = result[:2]
    if computed and (isinstance(value, (bool, str)) or not hasattr(value, "__float__")):
        raise TorchError("optim: f(x) must be a number, as steps are chosen by it")
    if gradient.numel() != x.numel():
        raise TorchError(f"optim: df/dx has {gradient.numel()} elements, x has {x.numel()}")
    if gradient.dtype != x.dtype:
        raise TorchError(f"optim: df/dx is a {types.of(gradient).tensor}, x a {types.of(x).tensor}")
    return value, gradient


def fitting(kept: Any, name: str, like: torch.Tensor) -> torch.Tensor:
    """A tensor of the state, refused where it is not of the type and size of another."""
    if not isinstance(kept, torch.Tensor) or kept.dtype != like.dtype or kept.numel() != like.numel():
        expected = f"{types.of(like).tensor} of {like.numel()} elements"
        raise TorchError(f"optim: the state's {name} is not a {expected}; it belongs to other parameters")
    return kept if kept.shape == like.shape else kept.view(like.shape)


def divide(a: float, b: float) -> float:
    """a / b where b may be 0, as in C."""
    if b:
        return a / b
    return math.nan if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1.0, b)


def default_square_root(a: float) -> float:
    """``torch.sqrt`` of a number: in digits of the default type."""
    return of_numbers(torch.sqrt)(a)


def default_zeros(count: int) -> torch.Tensor:
    """``torch.zeros(count)``: of the default type, here always in the machine's own memory."""
    return torch.zeros(count, dtype=program_state.current().default_type.dtype, device="cpu")


def square_root(a: float) -> float:
    """The square root, NaN for a negative number."""
    return math.sqrt(a) if a >= 0 else math.nan
