"""The number types of Torch7 and their PyTorch counterparts: one table for the whole project.

Torch7 had separate types for tensors on a GPU: a ``torch.CudaTensor`` has the numbers of a FloatTensor. Here the
device does not determine the type (``--device cuda`` puts all tensors on the GPU, ``--cuda-as cpu`` none), so a tensor
of a CUDA type carries its type as a *label*. One without a label has the type of its dtype, which costs ordinary
tensors nothing. A label belongs to a tensor object and not to its memory: code that derives a tensor from another and
returns it has to label it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

__all__ = [
    "BY_CODE",
    "BY_DTYPE",
    "BY_NAME",
    "CUDA",
    "CUDA_TYPES",
    "DOUBLE",
    "FLOAT",
    "LONG",
    "NUMBER_TYPES",
    "NumberType",
    "label",
    "label_all",
    "named",
    "of",
    "of_layer",
]


@dataclass(frozen=True)
class NumberType:
    """One element type: Torch7's word for it, PyTorch's dtype and the C type behind both.

    ``name`` is the stem of Torch7's class names: ``"Double"`` for ``torch.DoubleTensor`` and
    ``torch.DoubleStorage``. ``code`` is a small number that never changes within a process, the one
    under which handles carry the type; a CUDA type's is ``CUDA`` more than that of the type with the same numbers.
    """

    name: str
    dtype: torch.dtype
    ctype: str
    size: int
    code: int

    @property
    def tensor(self) -> str:
        return f"torch.{self.name}Tensor"

    @property
    def storage(self) -> str:
        return f"torch.{self.name}Storage"

    @property
    def is_floating(self) -> bool:
        return self.dtype.is_floating_point

    @property
    def is_cuda(self) -> bool:
        return self.code >= CUDA

    @property
    def host(self) -> NumberType:
        """The type with the same numbers that is not a CUDA type."""
        return BY_CODE[self.code - CUDA] if self.is_cuda else self

    @property
    def cuda(self) -> NumberType:
        """The CUDA type with the same numbers."""
        return BY_CODE[self.code % CUDA + CUDA]

    def __reduce__(self) -> tuple[Any, ...]:
        return _named, (self.name,)  # copies and pickles are the type itself

    def cast(self, number: float) -> float:
        """A Lua number as C on x86-64 casts it to this type: cut towards 0 and converted to 32 bits, 64 for a Long, of
        which the type takes the low ones. What they do not hold, a NaN too, becomes the least that they do.

        A floating type keeps the number, unless it is too great: then it becomes infinite.
        """
        if self.is_floating:
            if abs(number) <= torch.finfo(self.dtype).max:
                return number
            return torch.tensor(number, dtype=torch.float64).to(self.dtype).item()
        limit = 2**63 if self.size == 8 else 2**31
        whole = int(number) if -limit - 1 < number < limit else -limit
        half = 0 if self.dtype == torch.uint8 else 1 << (8 * self.size - 1)
        return (whole + half & (1 << 8 * self.size) - 1) - half


NUMBER_TYPES = (
    NumberType("Double", torch.float64, "double", 8, 0),
    NumberType("Float", torch.float32, "float", 4, 1),
    NumberType("Long", torch.int64, "int64_t", 8, 2),
    NumberType("Int", torch.int32, "int32_t", 4, 3),
    NumberType("Short", torch.int16, "int16_t", 2, 4),
    NumberType("Char", torch.int8, "int8_t", 1, 5),
    NumberType("Byte", torch.uint8, "uint8_t", 1, 6),
    NumberType("Half", torch.float16, "uint16_t", 2, 7),
)

CUDA = 32

CUDA_TYPES = tuple(
    NumberType("Cuda" + ("" if t.name == "Float" else t.name), t.dtype, t.ctype, t.size, t.code + CUDA)
    for t in NUMBER_TYPES
)

# A type that layers can have from Python only: Lua has no tensors of it, so that ``of`` does not know it.
BFLOAT16 = NumberType("BFloat16", torch.bfloat16, "uint16_t", 2, 8)

BY_DTYPE = {t.dtype: t for t in NUMBER_TYPES}
BY_NAME = {t.name: t for t in NUMBER_TYPES + CUDA_TYPES}
BY_CODE = {t.code: t for t in NUMBER_TYPES + CUDA_TYPES}
DOUBLE, FLOAT, LONG = BY_NAME["Double"], BY_NAME["Float"], BY_NAME["Long"]
CUDA_FLOAT = BY_NAME["Cuda"]


def _named(name: str) -> NumberType:
    return BY_NAME[name]


def of(tensor: torch.Tensor) -> NumberType:
    """The number type of a tensor; a dtype Torch7 does not have (bool, complex) is a TypeError."""
    labelled: NumberType | None = getattr(tensor, "torch7_type", None)
    if labelled is not None and labelled.dtype == tensor.dtype:
        return labelled
    number_type = BY_DTYPE.get(tensor.dtype)
    if number_type is None:
        raise TypeError(f"Torch7 has no tensor type for {tensor.dtype}")
    return number_type


def of_layer(tensor: torch.Tensor) -> NumberType:
    """``of`` for a parameter or buffer of a layer, whose type may be one that only Python has."""
    return BFLOAT16 if tensor.dtype == torch.bfloat16 else of(tensor)


def named(name: str) -> NumberType:
    """The type of tensors of this name (``torch.DoubleTensor``), also one that only Python has."""
    stem = name.removeprefix("torch.").removesuffix("Tensor")
    return BFLOAT16 if stem == BFLOAT16.name else BY_NAME[stem]


def label(tensor: torch.Tensor, number_type: NumberType) -> torch.Tensor:
    """Label a tensor with a type of its dtype, and return the tensor."""
    if number_type.is_cuda or getattr(tensor, "torch7_type", None) is not None:
        tensor.torch7_type = number_type  # type: ignore[attr-defined]
    return tensor


def label_all(value: Any) -> Any:
    """Label the tensors in nested lists, tuples and dicts as CUDA tensors."""
    if isinstance(value, torch.Tensor):
        if value.dtype in BY_DTYPE:
            label(value, BY_DTYPE[value.dtype].cuda)
    elif isinstance(value, (list, tuple)):
        for item in value:
            label_all(item)
    elif isinstance(value, dict):
        for item in value.values():
            label_all(item)
    return value
