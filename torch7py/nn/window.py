"""The base of layers over sequences, images and volumes, most of which slide a window over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from operator import attrgetter
from typing import Any, ClassVar, TypeVar

import torch

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import check_type
from torch7py.ops.errors import TorchError

__all__ = ["Gridded", "Sizes", "Window", "Windowed", "text_of"]

Sizes = Sequence[int]
KEPT = 32  # how much a window remembers

T = TypeVar("T")


def text_of(numbers: Sequence[Any], between: str = ",") -> str:
    """Numbers as the texts of layers show them."""
    return between.join(map(str, numbers))


class Gridded(Module):
    """A layer whose examples are planes of one, two or three dimensions: ``(planes, *grid)``.

    A batch has one dimension more, ``(batch, planes, *grid)``. ``grid`` says what an example's dimensions after the
    planes are called, in their order.
    """

    traced = False
    grid: ClassVar[str] = "HW"

    def as_batch(
        self, tensor: torch.Tensor, planes: int | None = None, what: str = "the input"
    ) -> torch.Tensor:
        """A tensor as a batch, with its rank and, if it is given, its number of planes checked."""
        dims = len(self.grid) + 1
        if tensor.dim() not in (dims, dims + 1) or tensor.numel() == 0:
            raise TorchError(
                f"{self.class_name}: {what} must have {dims} dimensions, or {dims + 1} for a batch, "
                f"not {size_text(tensor)}"
            )
        batch = tensor if tensor.dim() > dims else tensor.unsqueeze(0)
        if planes is not None and batch.shape[1] != planes:
            raise TorchError(
                f"{self.class_name}: {what} of {size_text(tensor)} has {batch.shape[1]} planes, not {planes}"
            )
        return batch

    def like_input(self, batch: torch.Tensor, input: torch.Tensor) -> torch.Tensor:
        """A batch of results in the input's rank."""
        return batch if input.dim() == len(self.grid) + 2 else batch.squeeze(0)

    def gradient_batch(
        self, gradOutput: torch.Tensor, input: torch.Tensor, shape: Sequence[int], exact: bool = True
    ) -> torch.Tensor:
        """gradOutput as a batch of this shape, the output's; it is one where the input is one.

        ``exact``: whether it must have that shape, not only as many elements.
        """
        if not isinstance(gradOutput, torch.Tensor):
            raise TorchError(f"{self.class_name}: gradOutput must be a tensor")
        check_type(self, "gradOutput", gradOutput, input)
        batched = input.dim() == len(shape)
        expected = torch.Size(shape if batched else shape[1:])
        if gradOutput.shape == expected:
            return gradOutput if batched else gradOutput.unsqueeze(0)
        if not exact and gradOutput.numel() == expected.numel():
            return gradOutput.reshape(tuple(shape))
        raise TorchError(
            f"{self.class_name}: gradOutput is {size_text(gradOutput)}, the output {text_of(expected, 'x')}"
        )

    def too_small(self, input: torch.Tensor, least: Sequence[int]) -> TorchError:
        """The error of an input in which not one window fits."""
        return TorchError(
            f"{self.class_name}: the input of {size_text(input)} is too small, "
            f"its planes must be at least {text_of(least, 'x')}"
        )


@dataclass(frozen=True)
class Window:
    """Sizes, step, padding and dilation of a window, a number for each dimension of the grid."""

    kernel: Sizes
    step: Sizes
    pad: Sizes
    dilation: Sizes
    known: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    def remember(self, key: Any, make: Callable[[], T]) -> T:
        """What ``make`` gave for this key before, or gives now: what follows from the window and some sizes."""
        value: T | None = self.known.get(key)
        if value is None:
            if len(self.known) > KEPT:
                self.known.clear()
            value = self.known[key] = make()
        return value

    @cached_property
    def extents(self) -> tuple[int, ...]:
        """How far the window reaches."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @cached_property
    def plain(self) -> bool:
        """Whether it moves on by one single element."""
        return not any(self.pad) and all(k == 1 == d for k, d in zip(self.kernel, self.step, strict=True))


NUMBERS = ("k", "d", "pad", "dilation", "adj")
_READERS: dict[type, Callable[[Any], tuple[Any, ...]]] = {}  # by class: the function that reads its settings


@cache
def _values(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """The function that reads these attributes."""
    read = attrgetter(*names)
    return read if len(names) > 1 else lambda layer: (read(layer),)


class Windowed(Gridded):
    """A layer with a window: fields such as ``kW``, ``kH``, ``dW``, ``dH``, ``padW``, ``padH``, one for each
    dimension of the grid."""

    transient: ClassVar[tuple[str, ...]] = (*Gridded.transient, "_window")

    def along(self, field: str) -> tuple[int, ...]:
        """The values of one such field, in the order of the grid's dimensions."""
        return tuple(map(int, _values(tuple([field + axis for axis in self.grid]))(self)))

    def check_window(self) -> None:
        """Refuse windows and steps without extent."""
        for letter, what in (("k", "kernel"), ("d", "step")):
            if min(self.along(letter)) < 1:
                sizes = text_of(self.along(letter), "x")
                raise TorchError(f"{self.class_name}: the {what} must be at least 1, not {sizes}")

    def dilation(self) -> tuple[int, ...]:
        return (1,) * len(self.grid)

    def settings(self) -> tuple[Any, ...]:
        """The values of all fields that say how the window lies: what follows from them holds while they are equal."""
        cls = type(self)
        read = _READERS.get(cls)
        if read is None:
            known = cls.all_fields()
            read = _values(tuple(name for axis in cls.grid for n in NUMBERS if (name := n + axis) in known))
            _READERS[cls] = read
        return read(self)

    def window(self) -> Window:
        settings = self.settings()
        held: tuple[tuple[Any, ...], Window] | None = self.__dict__.get("_window")
        if held is None or held[0] != settings:
            window = Window(self.along("k"), self.along("d"), self.along("pad"), self.dilation())
            held = self.__dict__["_window"] = settings, window
        return held[1]
