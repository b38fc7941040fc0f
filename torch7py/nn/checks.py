"""Checks of layers' tensors, with their error messages."""

from __future__ import annotations

from typing import Any

import torch

from torch7py.nn.arguments import check_gradient, size_text
from torch7py.nn.object import TorchObject
from torch7py.ops import types
from torch7py.ops.errors import TorchError
from torch7py.ops.tracing import numbers_known

__all__ = [
    "any_true",
    "as_rows",
    "check_flag",
    "check_shape",
    "check_type",
    "fit",
    "no_nan",
    "number",
    "spread",
    "truthy",
    "weights_of",
]


def check_type(layer: TorchObject, what: str, tensor: torch.Tensor, like: torch.Tensor) -> None:
    """Refuse a tensor of another number type: Torch7 mixes none."""
    if tensor.dtype != like.dtype:
        actual, wanted = types.of_layer(tensor).tensor, types.of_layer(like).tensor
        raise TorchError(f"{layer.class_name}: {what} is a {actual}, not a {wanted}")


def fit(layer: TorchObject, what: str, tensor: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """``tensor`` in the shape of ``like``: it must have its type and as many elements.

    Tensors of other shapes fit each other in Torch7 when they have as many elements, which are taken in order.
    """
    check_type(layer, what, tensor, like)
    if tensor.shape == like.shape:
        return tensor
    if tensor.numel() != like.numel():
        raise TorchError(
            f"{layer.class_name}: {what} has {tensor.numel()} elements ({size_text(tensor)}), "
            f"not {like.numel()} ({size_text(like)})"
        )
    check_gradient(layer, tensor, like.shape)
    return tensor.reshape(like.shape)


def check_shape(layer: TorchObject, what: str, tensor: torch.Tensor, like: torch.Tensor) -> None:
    """Refuse a tensor that has not the very shape of another."""
    if tensor.shape != like.shape:
        raise TorchError(f"{layer.class_name}: {what} is {size_text(tensor)}, not {size_text(like)}")


def no_nan(layer: TorchObject, target: torch.Tensor) -> torch.Tensor:
    """A target that is compared with numbers, and so must not hold NaN, which equals none."""
    if numbers_known() and any_true(target.isnan()):
        raise TorchError(f"{layer.class_name}: the target holds NaN")
    return target


def spread(layer: TorchObject, parameter: torch.Tensor, input: torch.Tensor) -> torch.Tensor:
    """A parameter in a shape that broadcasts over the input as Torch7's ``expandAs`` had it.

    With as many elements as the input it takes the input's shape. With as many dimensions, sizes of 1 are
    repeated. Otherwise there is one element for each in an example of the batch, the first dimension.
    """
    check_type(layer, "the input", input, parameter)
    if parameter.numel() == input.numel():
        return parameter.view(input.shape)
    if parameter.dim() == input.dim():
        if all(p in (1, n) for p, n in zip(parameter.shape, input.shape, strict=True)):
            return parameter
    elif input.dim() > 1 and parameter.numel() == input[0].numel():
        return parameter.view(1, *input.shape[1:])
    raise TorchError(
        f"{layer.class_name}: an input of {size_text(input)} does not fit parameters of {size_text(parameter)}"
    )


def as_rows(tensor: torch.Tensor) -> torch.Tensor:
    """A batch: a vector becomes the one row of a matrix, anything else stays."""
    return tensor.unsqueeze(0) if tensor.dim() == 1 else tensor


def any_true(mask: torch.Tensor) -> bool:
    """Whether a mask has a true element; False on the meta device, where there are no elements to look at."""
    return not mask.is_meta and bool(mask.any())


def number(layer: str, what: str, value: Any) -> float:
    """A constructor's argument that must be a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TorchError(f"{layer}: {what} must be a number")
    return value


def check_flag(layer: str, what: str, value: Any) -> bool:
    """A constructor's argument that must be true or false."""
    if not isinstance(value, bool):
        raise TorchError(f"{layer}: {what} must be true or false")
    return value


def truthy(value: Any) -> bool:
    """Whether a value counts as true in Lua: all but nil and false do."""
    return value is not None and value is not False


def weights_of(layer: str, weights: torch.Tensor | None) -> torch.Tensor | None:
    """A criterion's argument that must be a vector or nil."""
    if weights is not None and (not isinstance(weights, torch.Tensor) or weights.dim() != 1):
        raise TorchError(f"{layer}: weights must be a vector")
    return weights
