"""What layers draw for themselves: the masks of Dropout, the slopes of RReLU, the noise of WhiteNoise, samples.

The original's are noted as factors, what its input was multiplied with, and the layers of the translation take them in
the same order. Where the translation goes over all steps of a sequence at once, it takes those of one layer for all.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from torch7py.nn.dropout import Dropout
from torch7py.nn.noise import SpatialDropout, VolumetricDropout, WhiteNoise
from torch7py.nn.rectifier import RReLU
from torch7py.rnn.dpnn.reinforce import ReinforceBernoulli, ReinforceCategorical, ReinforceNormal
from torch7py.rnn.dropout import LazyDropout
from torch7py.rnn.dropout_stage import DropoutStage
from torch7py.rnn.stages import StepByStep
from torch7py.translate.patching import patched
from torch7py.translate.verify import Different

__all__ = ["Factor", "Masks", "recorded_masks"]

_NOISE = -1.0  # in the place of a probability: normal noise, which is added
_UNIFORM = -2.0  # and numbers that make a layer draw the same
_ORIGIN = "_drawn_as"  # in a layer and its copies: the number of the layer that was made


@dataclass
class Factor:
    """What one forward of a layer multiplied its input with; a Dropout's is 1 and 0, without its scale.

    Of WhiteNoise, and of samples, it is the normal or uniform numbers that they are made of.
    """

    origin: int
    p: float | None  # of a Dropout
    value: torch.Tensor


@contextlib.contextmanager
def recorded_masks() -> Iterator[list[Factor]]:
    """The factors of all layers that draw, in their order."""
    factors: list[Factor] = []
    layer_count = 0

    def wrapped(forward: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
        @functools.wraps(forward)
        def noting(self: Any, input: torch.Tensor) -> torch.Tensor:
            nonlocal layer_count
            kept = getattr(self, "lazy", False) and not self.flag  # the mask of an earlier step
            output = forward(self, input)
            if self.training and getattr(self, "p", 1) > 0 and not kept:
                if _ORIGIN not in self.__dict__:
                    self.__dict__[_ORIGIN] = layer_count
                    layer_count += 1
                noise = self.noise.detach()
                p = _NOISE if isinstance(self, WhiteNoise) else getattr(self, "p", None)
                value = noise.clone() if p is None else noise != 0
                if isinstance(self, WhiteNoise):
                    value = (noise - self.mean) / self.std
                factors.append(Factor(self.__dict__[_ORIGIN], p, value))
            return output

        return noting

    def sampling(sample: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
        @functools.wraps(sample)
        def noting(self: Any, input: Any) -> torch.Tensor:
            drawn = sample(self, input)
            if self.draws and isinstance(self, ReinforceNormal):
                mean, deviation = self.parameters_of(input)
                factors.append(Factor(-1, _NOISE, (drawn - mean) / deviation))
            elif self.draws:
                is_category = isinstance(self, ReinforceCategorical)
                factors.append(Factor(-1, _UNIFORM, drawn.clone() if is_category else 1 - drawn))
            return drawn

        return noting

    owners = [
        next(base for base in cls.__mro__ if "forward" in base.__dict__)
        for cls in (Dropout, LazyDropout, SpatialDropout, VolumetricDropout, RReLU, WhiteNoise)
    ]
    changes: list[tuple[Any, str, Any]] = [
        (cls, "forward", wrapped(cls.__dict__["forward"])) for cls in dict.fromkeys(owners)
    ]
    changes += [
        (cls, "sample", sampling(cls.__dict__["sample"]))
        for cls in (ReinforceNormal, ReinforceBernoulli, ReinforceCategorical)
    ]
    # No forward of a step is in a sequence as one piece.
    with patched([*changes, (DropoutStage, "__init__", _one_by_one)]):
        yield factors


def _one_by_one(stage: DropoutStage, module: Any) -> None:
    raise StepByStep


class Masks:
    """Stands for PyTorch's functions that draw, with the original's factors."""

    def __init__(self, factors: list[Factor], who: str = "the translation") -> None:
        self.left = list(factors)
        self.who = who

    def changes(self) -> list[tuple[Any, str, Any]]:
        """The functions that are replaced."""
        return [
            (F, "dropout", functools.partial(self._dropout, F.dropout, 0)),
            (F, "dropout2d", functools.partial(self._dropout, F.dropout2d, 2)),
            (F, "dropout3d", functools.partial(self._dropout, F.dropout3d, 3)),
            (F, "rrelu", functools.partial(self._rrelu, F.rrelu)),
        ]

    def _dropout(
        self,
        original: Callable[..., torch.Tensor],
        dims: int,
        input: torch.Tensor,
        p: float = 0.5,
        training: bool = True,
        inplace: bool = False,
    ) -> torch.Tensor:
        if not training or p == 0:
            return original(input, p, training, inplace)
        shape = (*input.shape[: input.dim() - dims], *[1] * dims)
        factor = self._take(shape, p).to(input) / (1 - p)
        return input.mul_(factor) if inplace else input * factor

    def noise(self, like: torch.Tensor) -> torch.Tensor:
        """What a layer draws next, in the place of ``torch.randn_like``."""
        return self._take(tuple(like.shape), _NOISE).to(like)

    def uniform(self, like: torch.Tensor) -> torch.Tensor:
        """What a layer draws next in the place of ``torch.rand_like``, so that it chooses the same."""
        return self._take(tuple(like.shape), _UNIFORM).to(like)

    def _rrelu(
        self,
        original: Callable[..., torch.Tensor],
        input: torch.Tensor,
        lower: float = 1 / 8,
        upper: float = 1 / 3,
        training: bool = False,
        inplace: bool = False,
    ) -> torch.Tensor:
        if not training:
            return original(input, lower, upper, training, inplace)
        factor = self._take(tuple(input.shape), None).to(input)
        return input.mul_(factor) if inplace else input * factor

    def _take(self, shape: tuple[int, ...], p: float | None) -> torch.Tensor:
        """The next factor of this shape, or the next of one layer that make it up, one for each step."""
        count = torch.Size(shape).numel()
        for number, factor in enumerate(self.left):
            if factor.p != p:
                continue
            if factor.value.numel() == count:
                return self.left.pop(number).value.view(shape)
            for axis in (0, 1):
                steps = shape[axis] if axis < len(shape) else 0
                rest = (*shape[:axis], *shape[axis + 1 :])
                if tuple(factor.value.shape) == rest and steps:
                    return torch.stack(self._of_steps(factor, steps), axis)
        raise Different(
            f"{self.who} draws a mask of {tuple(shape)} where the original draws none of its size"
        )

    def _of_steps(self, first: Factor, steps: int) -> list[torch.Tensor]:
        mine = [factor for factor in self.left if factor.origin == first.origin][:steps]
        if len(mine) < steps or any(factor.value.shape != first.value.shape for factor in mine):
            raise Different(f"{self.who} draws masks for more steps than the original")
        taken = set(map(id, mine))
        self.left = [factor for factor in self.left if id(factor) not in taken]
        return [factor.value for factor in mine]
