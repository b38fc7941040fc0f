"""All parameters of a model in one piece of memory (``getParameters``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from torch7py.ops import memory, types
from torch7py.ops.errors import TorchError

__all__ = ["flatten", "flatten_both"]


def flatten(tensors: Sequence[torch.Tensor], empty: torch.Tensor) -> torch.Tensor:
    """Move tensors to one new flat tensor, of which they become views, and return it.

    Elements that several tensors share are shared afterwards too and stand in the result once; elements of
    their storages that no tensor uses are left out. The order is that of first use: storage by storage, and
    within a storage by position. ``empty`` is returned for no tensors.
    """
    if not tensors:
        return empty
    number_type, device = types.of(tensors[0]), tensors[0].device
    if any(types.of(t) is not number_type for t in tensors):
        raise TorchError("getParameters: the parameters are of several types")

    starts: dict[int, int] = {}
    contents: list[torch.Tensor] = []
    total = 0
    for tensor in tensors:
        storage = memory.storage_of(tensor)
        if storage.pointer() not in starts:
            starts[storage.pointer()] = total
            contents.append(storage.tensor())
            total += len(storage)
    joined = torch.cat(contents) if len(contents) > 1 else contents[0].clone()

    used = torch.zeros(total, dtype=torch.bool, device=device)
    offsets: list[int] = []
    for tensor in tensors:
        start = starts[memory.storage_of(tensor).pointer()] + int(tensor.storage_offset())
        used.as_strided(tensor.shape, tensor.stride(), start).fill_(True)
        offsets.append(start)
    if bool(used.all()):
        flat = joined
    else:
        position = used.long().cumsum(0) - 1
        flat = joined[used]
        moved = []
        for tensor, start in zip(tensors, offsets, strict=True):
            here = position.as_strided(tensor.shape, tensor.stride(), start)
            first = int(position[start])
            if int(here.max()) - first + 1 != _extent(tensor):
                raise TorchError("getParameters: cannot gather a tensor with gaps")
            moved.append(first)
        offsets = moved
    for tensor, start in zip(tensors, offsets, strict=True):
        tensor.data = flat.as_strided(tensor.shape, tensor.stride(), start)
    return types.label(flat, number_type)


def _extent(tensor: torch.Tensor) -> int:
    """The elements of its storage that a tensor spans, from its first to its last."""
    return 1 + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride(), strict=True))


def flatten_both(
    parameters: Sequence[torch.Tensor],
    gradients: Sequence[torch.Tensor],
    empty: Callable[[], torch.Tensor],
    alike: bool = True,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Flatten parameters and gradients; ``alike``: an error where a parameter and its gradient have other offsets.

    nn looks at that, dpnn does not.
    """
    if not all(isinstance(gradient, torch.Tensor) for gradient in gradients):
        raise TorchError("getParameters: the gradient of a parameter is a table")
    flat, flat_gradients = flatten(parameters, empty()), flatten(gradients, empty())
    if not alike:
        return flat, flat_gradients
    if flat.numel() != flat_gradients.numel():
        raise TorchError("getParameters: parameters and gradients are not shared alike")
    for number, (p, g) in enumerate(zip(parameters, gradients, strict=True), 1):
        if p.storage_offset() != g.storage_offset():
            raise TorchError(f"getParameters: parameter {number} is not aligned with its gradient")
    return flat, flat_gradients
