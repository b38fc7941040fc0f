"""The Python functions behind ``nn.utils``, which is in ``utils.lua``."""

from __future__ import annotations

import torch

from torch7py.nn.copying import TypeMap, memo_of
from torch7py.nn.flat_parameters import flatten
from torch7py.ops import state, types
from torch7py.ops.errors import TorchError
from torch7py.ops.registry import Fields
from torch7py.packages.registry import function

__all__ = ["convert", "flatten_all"]


@function("nn.utils.convert")
def convert(tensor: torch.Tensor, name: str, cache: Fields | None = None) -> torch.Tensor:
    """Convert a tensor to another type; ``cache`` maps storages to their converted ones, which are shared."""
    stem = name.removeprefix("torch.").removesuffix("Tensor")
    if stem not in types.BY_NAME:
        raise TorchError(f"unknown tensor type '{name}'")
    return TypeMap(types.BY_NAME[stem], memo_of(cache))(tensor)


@function("nn.utils.flatten")
def flatten_all(tensors: list[torch.Tensor]) -> torch.Tensor:
    """All elements of some tensors in one vector, of which the tensors become views."""
    current = state.current()
    empty = torch.empty(0, dtype=current.default_type.dtype, device=current.device)
    return flatten(tensors, empty)
