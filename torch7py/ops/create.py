"""New tensors and storages."""

from __future__ import annotations

import torch

from torch7py.ops import memory, state, types
from torch7py.ops.registry import Form, operation

__all__: list[str] = []

T = torch.Tensor


@operation("__new", "code:int sizes:sizes=None", Form.FUNCTION)
def _new(code: int, sizes: tuple[int, ...] | None = None) -> T:
    """``torch.DoubleTensor(sizes...)``; ``code`` is the number type's. The elements are 0."""
    shape = memory.clean_sizes(sizes) if sizes else (0,)
    return torch.zeros(shape, dtype=types.NUMBER_TYPES[code].dtype, device=state.current().device)
