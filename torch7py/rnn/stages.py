"""Stages: the parts of a module, each of which runs all steps of a sequence (``FusedSequence`` has them in order).

A stage has no arithmetic of its own: a layer's stage runs an alias of the layer, with the same parameters and other
results; a gated network's stage runs the parts of its Cell. Every stage passes the next one a tensor whose dimension 1
are the steps.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch

from torch7py.nn.arguments import axis
from torch7py.nn.base import Module
from torch7py.nn.table import JoinTable
from torch7py.rnn.masking import MaskZero, TrimZero, is_zero

__all__ = [
    "MASKS",
    "IntoMask",
    "IntoTrim",
    "MergeStage",
    "OutOfMask",
    "OutOfTrim",
    "PassStage",
    "RowStage",
    "Stage",
    "StepByStep",
    "alias",
    "computes_rows",
    "marked",
    "memory_of",
    "of_step",
]

T = torch.Tensor
MASKS = (MaskZero, TrimZero)


class StepByStep(Exception):
    """The sequence must run step by step."""


class Stage:
    """A part of a module, which runs all steps of a sequence at once.

    ``x``, gradients and results are tensors with the steps as first dimension, or tables of such tensors. A stage keeps
    what it computed; ``show`` and ``show_gradient`` then set the modules' fields as so many single steps would have.
    """

    module: Any

    def output(self, x: Any) -> Any:
        """Run the steps forward."""
        raise NotImplementedError

    def passed_on(self, x: Any) -> Any:
        """What the next stage gets, if that is memory of ``x``; None if the stage computes something."""
        return None

    def show(self, steps: int) -> None:
        """Set the fields that a forward sets."""
        raise NotImplementedError

    def grad_input(self, x: Any, gradient: Any) -> Any:
        """Run the steps back; returns the gradient of ``x``."""
        raise NotImplementedError

    def show_gradient(self) -> None:
        """Set the fields that a backward sets."""
        raise NotImplementedError

    def fill(self, of_input: Any, gradient: Any) -> None:
        """Fill the module's tables of gradients by step, if it has such tables."""

    def acc_grad(self, x: Any, scale: float) -> None:
        """Accumulate the gradients of the parameters, if there are any."""


def marked(module: Any) -> bool:
    """Whether a script overrides a method of the module, or another language runs it."""
    return "_marked" in module.__dict__ or "_elsewhere" in module.__dict__


def alias(module: Any) -> Any:
    """A second object for a layer, with the same parameters, gradients and settings, and with results of its own."""
    copy = module.__class__.__new__(module.__class__)
    attributes = module.__dict__.copy()
    for name in module.transient:
        attributes.pop(name, None)
    attributes.update(_own={}, gradInput=torch.empty(0))
    if isinstance(module, Module):
        attributes["output"] = torch.empty(0)
    copy.__dict__.update(attributes)
    return copy


def memory_of(tensor: T) -> int:
    """The address of a tensor's storage."""
    return tensor.untyped_storage().data_ptr()


def of_step(value: Any, step: int) -> Any:
    """One step of a tensor, or of each tensor in a table."""
    return [part[step] for part in value] if isinstance(value, list) else value[step]


def computes_rows(module: Any) -> bool:
    """Whether the layer may take all steps as one batch."""
    return (
        module.rows_alone is not None
        and not getattr(module, "inplace", False)
        and module.gradInput is not None
    )


class RowStage(Stage):
    """A layer that computes each row of a batch independently."""

    def __init__(self, module: Any) -> None:
        if not computes_rows(module):
            raise StepByStep
        self.module = module
        self.wide = alias(module)
        self.shown: Callable[[T, int], T] = (
            operator.getitem
        )  # the part of a step, the first (0) or the last (-1)
        self.batch_rank, self.highest_rank = module.rows_alone

    def rows(self, x: T) -> T:
        """All steps as one batch."""
        if x.dim() - 1 > self.highest_rank:
            raise StepByStep
        return x.flatten(0, 1) if x.dim() > self.batch_rank else x

    def output(self, x: T) -> T:
        batch = self.rows(x)
        result: T = self.wide.updateOutput(batch)
        self.result = result if batch is x else result.view(*x.shape[:2], *result.shape[1:])
        return self.result

    def show(self, steps: int) -> None:
        # In training the layer itself serves the first step, in evaluation every one.
        self.module.keep("output", self.shown(self.result, 0 if self.module.training else -1))

    def grad_input(self, x: T, gradient: T) -> T:
        batch = self.rows(x)
        self.gradient = gradient.reshape(self.wide.output.shape)
        result: T = self.wide.updateGradInput(batch, self.gradient)
        if result.numel() != x.numel():  # an index has no gradient: in 2015 an empty one
            result = result.new_empty((len(x), 0))
        self.of_input = result if batch is x or not result.numel() else result.view(x.shape)
        return self.of_input

    def show_gradient(self) -> None:
        self.module.keep("gradInput", self.shown(self.of_input, 0))

    def acc_grad(self, x: T, scale: float) -> None:
        self.wide.accGradParameters(self.rows(x), self.gradient, scale)

    def accumulate_with(self, gradient: T) -> None:
        """Use another gradient for the parameters than for the input."""
        self.gradient = gradient.reshape(self.gradient.shape)


class PassStage(Stage):
    """nn.Identity, for tensors and tables."""

    def __init__(self, module: Any) -> None:
        self.module = module

    def output(self, x: Any) -> Any:
        self.result = x
        return x

    def passed_on(self, x: Any) -> Any:
        return x

    def show(self, steps: int) -> None:
        self.module.__dict__["output"] = of_step(self.result, 0 if self.module.training else -1)

    def grad_input(self, x: Any, gradient: Any) -> Any:
        self.gradient = gradient
        return gradient

    def show_gradient(self) -> None:
        self.module.__dict__["gradInput"] = of_step(self.gradient, 0)


class MergeStage(Stage):
    """A layer that computes a tensor from a table of tensors, row by row, if the steps of a sequence are tables."""

    def __init__(self, module: Any) -> None:
        if getattr(module, "inplace", False) or module.gradInput is None:
            raise StepByStep
        self.module = module
        self.wide = alias(module)

    def output(self, x: Any) -> T:
        if not isinstance(x, list) or any(part.dtype != self.module.new().dtype for part in x):
            raise StepByStep
        shapes = [list(part.shape) for part in x]
        if type(self.module) is JoinTable:
            if any(len(shape) != len(shapes[0]) for shape in shapes):
                raise StepByStep
            # The steps are dimension 1 here; all are counted.
            dim = 1 + axis(self.module, self.module.dimension, x[0][0], self.module.nInputDims)
            self.wide.__dict__.update(dimension=dim + 1, nInputDims=None)
            for shape in shapes:
                shape[dim] = 0
        if any(shape != shapes[0] for shape in shapes):
            raise StepByStep
        self.result: T = self.wide.updateOutput(x)
        return self.result

    def show(self, steps: int) -> None:
        self.module.keep_output(self.result[0 if self.module.training else -1])

    def grad_input(self, x: Any, gradient: T) -> Any:
        self.of_input = list(self.wide.updateGradInput(x, gradient))
        return self.of_input

    def show_gradient(self) -> None:
        self.module.keep_grad_input([part[0] for part in self.of_input])


class IntoMask(Stage):
    """The entry of a masked module: passes its input on and remembers which rows are zeros."""

    def __init__(self, module: Any) -> None:
        self.module = module

    def output(self, x: T) -> T:
        self.single = x.dim() - 1 == self.module.nInputDim
        # More dimensions in a single example: the module inside would take the first for the batch.
        if x.dim() - 2 != self.module.nInputDim and not (self.single and self.module.nInputDim == 1):
            raise StepByStep
        self.masks = is_zero(x.reshape(len(x), 1 if self.single else x.shape[1], -1))
        return x

    def passed_on(self, x: T) -> T | None:
        return x

    def masked(self, steps: T) -> T:
        """Set the rows to zero that are zeros in the input."""
        mask = self.masks.squeeze(1) if self.single else self.masks
        return steps.masked_fill(mask.view(*mask.shape, *[1] * (steps.dim() - mask.dim())), 0)

    def show(self, steps: int) -> None:
        self.module.show_mask(not self.single, self.masks[0 if self.module.training else -1])

    def grad_input(self, x: T, gradient: T) -> T:
        return gradient

    def show_gradient(self) -> None:
        """The module's gradInput is that of the module inside."""


class OutOfMask(Stage):
    """The exit of a masked module: sets outputs and incoming gradients to zero where the input row is zeros."""

    def __init__(self, into: IntoMask, last: Stage) -> None:
        self.into, self.last, self.module = into, last, into.module

    def output(self, x: T) -> T:
        self.result = self.into.masked(x)
        return self.result

    def show(self, steps: int) -> None:
        self.into.show(steps)
        self.module.keep_output(self.result[0 if self.module.training else -1])

    def grad_input(self, x: T, gradient: T) -> T:
        self.gradient, self.incoming = self.into.masked(gradient), gradient
        return self.gradient

    def show_gradient(self) -> None:
        self.module.__dict__["gradOutput"] = self.gradient[0]

    def acc_grad(self, x: T, scale: float) -> None:
        """The module inside accumulates with the gradient as it was given, as in ``nn.MaskZero``."""
        if isinstance(self.last, RowStage):
            self.last.accumulate_with(self.incoming)


class IntoTrim(IntoMask):
    """The entry of a trimmed module: passes on the rows of all steps that are not zeros, as one step.

    If a module inside has a state (``by_steps``), the steps are kept apart and must have equally many such rows. A
    row then is not the same example at each step. For a step of zeros alone one row of zeros is passed on, as
    ``nn.TrimZero`` does.
    """

    by_steps = False

    def output(self, x: T) -> T:
        super().output(x)
        # One row alone is masked, not left out.
        self.all = self.single or x.shape[1] == 1
        if self.all:
            self.counts = [1] * len(x)
            self.trimmed = self.masked(x)
            return self.trimmed
        kept = ~self.masks
        empty = self.masks.all(1)
        kept[:, 0] |= empty
        self.size, self.empty = x.shape[:2], bool(empty.any())
        self.places = kept.flatten().nonzero().squeeze(1)
        self.zeros = self.masks.flatten()[self.places]
        self.counts = kept.sum(1).tolist()
        if self.by_steps and len(set(self.counts)) > 1:
            raise StepByStep
        self.trimmed = self.gather(x)
        return self.trimmed

    def passed_on(self, x: T) -> None:
        return None

    def gather(self, steps: T) -> T:
        """Select the rows that are passed on."""
        rows = steps.flatten(0, 1)[self.places]
        if self.empty:
            rows[self.zeros] = 0
        return rows.view(len(steps) if self.by_steps else 1, -1, *rows.shape[1:])

    def spread(self, rows: T) -> T:
        """Put the rows back to their positions, with zeros at the others."""
        (steps, batch), rows = self.size, rows.flatten(0, 1)
        spread = rows.new_zeros(steps * batch, *rows.shape[1:])
        spread[self.places] = rows.masked_fill(self.zeros.view(-1, *[1] * (rows.dim() - 1)), 0)
        return spread.view(steps, batch, *rows.shape[1:])

    def shown(self, rows: T, number: int) -> T:
        """The rows of the first step (0) or the last (-1)."""
        if self.all or self.by_steps:
            return rows[number]
        return torch.split(rows[0], self.counts)[number]

    def show(self, steps: int) -> None:
        super().show(steps)
        self.module.__dict__["temp"] = self.shown(self.trimmed, 0 if self.module.training else -1)

    def grad_input(self, x: T, gradient: T) -> T:
        self.of_input = self.masked(gradient) if self.all else self.spread(gradient)
        return self.of_input

    def show_gradient(self) -> None:
        self.module.keep_grad_input(self.of_input[0])


class OutOfTrim(OutOfMask):
    """The exit of a trimmed module: puts the rows back to their positions, and trims the incoming gradient."""

    into: IntoTrim

    def output(self, x: T) -> T:
        self.result = self.into.masked(x) if self.into.all else self.into.spread(x)
        return self.result

    def grad_input(self, x: T, gradient: T) -> T:
        if self.into.all:
            return super().grad_input(x, gradient)
        self.gradient = self.into.gather(gradient)
        return self.gradient

    def show_gradient(self) -> None:
        self.module.__dict__["gradTemp"] = self.into.shown(self.gradient, 0)

    def acc_grad(self, x: T, scale: float) -> None:
        """Where rows are left out, the module accumulates with the others' gradient alone."""
        if self.into.all:
            super().acc_grad(x, scale)
