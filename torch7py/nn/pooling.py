"""What layers that pool have in common: how many windows or parts there are, and their texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import size_text
from torch7py.nn.checks import number
from torch7py.nn.object import names
from torch7py.nn.window import Window, Windowed, text_of
from torch7py.ops.errors import TorchError
from torch7py.ops.quirks import older

__all__ = ["Parts", "Pooling", "even_parts"]

Parts = list[tuple[int, int]]


def even_parts(count: int, size: int) -> Parts:
    """From where to where the parts reach that a dimension of a plane is divided into, in whole numbers."""
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


class Pooling(Windowed):
    """What pooling in windows has in common: how many windows there are, and the texts."""

    lua_methods = names("ceil floor")
    axes: ClassVar[str] = "WH"
    ceil_mode: bool = False

    def ceil(self) -> Any:
        """``m:ceil()``: round the number of windows up, the last may reach beyond the input."""
        self.ceil_mode = True
        return self

    def floor(self) -> Any:
        """``m:floor()``: round the number of windows down."""
        self.ceil_mode = False
        return self

    def set_windows(self, **numbers: Sequence[float]) -> None:
        """Keep the constructor's arguments, given along ``axes``."""
        for field, values in numbers.items():
            for axis, argument in zip(self.axes, values, strict=True):
                setattr(self, field + axis, number(self.torch7_name, field + axis, argument))
        self.check_window()

    def windows_of(self, batch: torch.Tensor) -> list[int]:
        """The number of windows in each dimension of the grid."""
        window = self.window()
        key = ("windows", batch.shape[2:], self.ceil_mode)
        return window.remember(key, lambda: self._count_windows(batch, window))

    def _count_windows(self, batch: torch.Tensor, window: Window) -> list[int]:
        if any(pad > kernel // 2 for pad, kernel in zip(window.pad, window.kernel, strict=True)):
            raise TorchError(
                f"{self.class_name}: the padding {text_of(window.pad, 'x')} must be at most half of the kernel, "
                f"{text_of(window.kernel, 'x')}"
            )
        counts = []
        sizes = zip(batch.shape[2:], window.pad, window.extents, window.step, strict=True)
        for size, pad, extent, step in sizes:
            room = size + 2 * pad - extent
            count = (-(-room // step) if self.ceil_mode else room // step) + 1
            if any(window.pad) and (count - 1) * step >= size + pad:  # it would begin in the margin
                count -= 1
            if (count - 1) * step - pad >= size:
                raise TorchError(
                    f"{self.class_name}: in an input of {size_text(batch)} the last window would begin outside"
                )
            counts.append(count)
        if min(counts) < 1:
            raise self.too_small(batch, [e - 2 * p for e, p in zip(window.extents, window.pad, strict=True)])
        return counts

    def shown(self, field: str) -> list[Any]:
        return [getattr(self, field + axis, 0) for axis in self.axes]

    def describe(self) -> str:
        if len(self.grid) == 3 and older("volumetric text"):
            return self.class_name
        if len(self.grid) == 2 and older("pooling text"):
            pad = self.shown("pad")
            return f"{self.class_name}({text_of([*self.shown('k'), *self.shown('d'), *(pad if any(pad) else ())])})"
        text = f"{self.class_name}({text_of(self.shown('k'), 'x')}, {text_of(self.shown('d'))}"
        if any(self.shown("pad")):
            text += f", {text_of(self.shown('pad'))}"
        return text + self.further_text() + ")"

    def further_text(self) -> str:
        return ""
