"""nn.Dropout over a whole sequence (see stages.py).

Step by step each Dropout draws its mask in turn, so the random numbers are spread over all Dropouts in each step. A
single Dropout draws all masks at once. Several draw them in turn before the first is used; the sizes must then be
known and are those of the last sequence.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

from torch7py.nn.dropout import Dropout
from torch7py.ops import state
from torch7py.rnn.dropout import LazyDropout
from torch7py.rnn.stages import Stage, StepByStep, alias

__all__ = ["DropoutStage", "Masks"]

T = torch.Tensor


class DropoutStage(Stage):
    """nn.Dropout, with a mask for each step."""

    def __init__(self, module: Any) -> None:
        lazy = isinstance(module, LazyDropout) and module.lazy  # one mask for some of the steps
        if module.inplace or module.gradInput is None or lazy:
            raise StepByStep
        self.module, self.wide = module, alias(module)
        self.draws: bool = module.draws()
        self.masks: Masks

    def expected(self, x: T) -> tuple[int, ...]:
        """The shape of a step's mask for such an input of the first Dropout, before this Dropout is reached."""
        known: T = self.module.noise
        if not known.numel():
            raise StepByStep
        shape = (x.shape[1], *known.shape[1:]) if known.dim() > 1 and x.dim() > 2 else tuple(known.shape)
        return tuple(self.module.mask_shape(shape))

    def output(self, x: T) -> T:
        if self.draws:
            self.noise = self.masks.of(self, x)
            self.wide.keep("noise", self.noise.expand_as(x))
            self.result: T = x * self.wide.noise.data
        else:
            self.result = self.wide.updateOutput(x)
        return self.result

    def show(self, steps: int) -> None:
        # In training the layer itself serves the first step, in evaluation every one.
        step = 0 if self.module.training else -1
        self.module.keep("output", self.result[step])
        if self.draws:
            self.module.keep("noise", self.noise[step])
            if isinstance(self.module, LazyDropout):
                self.module.flag = False

    def grad_input(self, x: T, gradient: T) -> T:
        self.of_input = Dropout.grad_input(self.wide, x, gradient)
        return self.of_input

    def show_gradient(self) -> None:
        self.module.keep("gradInput", self.of_input[0])


class Masks:
    """The masks of all Dropouts in a sequence."""

    def __init__(self, stages: list[Any]) -> None:
        self.stages = [stage for stage in stages if isinstance(stage, DropoutStage) and stage.draws]
        for stage in self.stages:
            stage.masks = self
        self.generator = state.current().generator
        self.before: bytes | None = None  # the generator before anything was drawn
        self.drawn: dict[DropoutStage, T] = {}

    def of(self, stage: DropoutStage, x: T) -> T:
        """The masks of all steps for a stage."""
        shape = stage.module.mask_shape(x.shape[1:])
        if self.before is None:
            self._draw(stage, shape, x)
        masks = self.drawn[stage]
        if masks.shape[1:] != shape or masks.dtype != x.dtype:
            raise StepByStep
        return masks

    def _draw(self, first: DropoutStage, shape: tuple[int, ...], x: T) -> None:
        steps = len(x)
        if len(self.stages) == 1:
            self.before = self.generator.get_state()
            self.drawn = {first: first.module.draw((steps, *shape), x)}
            return
        shapes = {stage: shape if stage is first else stage.expected(x) for stage in self.stages}
        self.before = self.generator.get_state()
        by_step = [[stage.module.draw(shapes[stage], x) for stage in self.stages] for _ in range(steps)]
        for stage, masks in zip(self.stages, zip(*by_step, strict=True), strict=True):
            self.drawn[stage] = torch.stack(masks)

    def give_back(self) -> None:
        """Undo the draws."""
        if self.before is not None:
            self.generator.set_state(self.before)

    @contextlib.contextmanager
    def again(self) -> Iterator[None]:
        """While the same masks are drawn again."""
        now = self.generator.get_state() if self.before is not None else b""
        self.give_back()
        try:
            yield
        finally:
            if self.before is not None:
                self.generator.set_state(now)
