"""The number types of Torch7 and their PyTorch counterparts: one table for the whole project."""

from __future__ import annotations

from dataclasses import dataclass

import torch

__all__ = ["BY_DTYPE", "BY_NAME", "DOUBLE", "FLOAT", "LONG", "NUMBER_TYPES", "NumberType", "of"]


INFINITY = float("inf")


@dataclass(frozen=True)
class NumberType:
    """One element type: Torch7's word for it, PyTorch's dtype and the C type behind both.

    ``name`` is the stem of Torch7's class names: ``"Double"`` for ``torch.DoubleTensor`` and
    ``torch.DoubleStorage``. ``code`` is a small number that never changes within a process, the one
    under which handles carry the type.
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

    def cast(self, number: float) -> float:
        """A Lua number as C on x86-64 casts it to this type: cut towards 0, then the low bits.

        Of a floating type only what is too great changes: it is infinite.
        """
        if self.is_floating:
            if abs(number) <= torch.finfo(self.dtype).max:
                return number
            return torch.tensor(number, dtype=torch.float64).to(self.dtype).item()
        whole = int(number) if -INFINITY < number < INFINITY else -(2**63)
        half = 0 if self.name == "Byte" else 1 << (8 * self.size - 1)
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

BY_DTYPE = {t.dtype: t for t in NUMBER_TYPES}
BY_NAME = {t.name: t for t in NUMBER_TYPES}
DOUBLE, FLOAT, LONG = BY_NAME["Double"], BY_NAME["Float"], BY_NAME["Long"]


def of(tensor: torch.Tensor) -> NumberType:
    """The number type of a tensor; a dtype Torch7 does not have (bool, complex) is a TypeError."""
    found = BY_DTYPE.get(tensor.dtype)
    if found is None:
        raise TypeError(f"Torch7 has no tensor type for {tensor.dtype}")
    return found
