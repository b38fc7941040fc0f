"""The instructions for a SequencerCriterion (see sequence_lines.py)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from torch7py.nn import linear_lines
from torch7py.nn import step_lines as lines
from torch7py.nn.checks import truthy
from torch7py.nn.criterion import MSECriterion
from torch7py.nn.criterion_class import ClassNLLCriterion
from torch7py.nn.step_program import Leaf, StepProgram, Unfit, Value
from torch7py.rnn import generation
from torch7py.rnn.criterion import SequencerCriterion
from torch7py.rnn.joint_lines import check_steps
from torch7py.rnn.steps import rebound

__all__ = ["ListedCriterion"]

T = torch.Tensor


class ListedCriterion:
    """A SequencerCriterion of a list."""

    def __init__(self, p: StepProgram, module: SequencerCriterion, input: Value, target: Value) -> None:
        self.p, self.module, self.targets = p, module, target
        is_pair = isinstance(input, list) and isinstance(target, list) and len(input) == len(target)
        if not is_pair or not input or generation.current_year() != generation.LATEST:
            raise Unfit
        check_steps(input)
        check_steps(target)
        criterion: Any = module._modules["criterion"]
        if type(criterion) not in (ClassNLLCriterion, MSECriterion):
            raise Unfit
        x, self.inputs, self.steps = input[0].tensor, input, len(input)
        p.take(criterion, holder=module)
        p.keep(module._modules, "criterion", criterion)
        p.settings(module, "sizeAverage")
        p.settings(criterion, "sizeAverage", "weights", "ignoreIndex")
        p.number_type(x)
        self.is_mean = truthy(criterion.sizeAverage)
        self.mean_of = self.steps if module.sizeAverage else 1
        self.losses = torch.zeros(self.steps, dtype=x.dtype)
        if type(criterion) is ClassNLLCriterion:
            self._of_classes(criterion)
        else:
            self._of_squares()
        p.number = p.static(self.losses).slot, self.steps, self.mean_of

    def _slots(self) -> Iterator[tuple[int, int, int]]:
        """Of each step, where the loss, the input and the target are."""
        for loss, x, target in zip(self.losses, self.inputs, self.targets, strict=True):
            yield self.p.static(loss).slot, x.slot, target.slot

    def _of_classes(self, criterion: Any) -> None:
        x, classes = self.inputs[0].tensor, self.targets[0].tensor
        if x.dim() != 2 or classes.shape != x.shape[:1] or classes.dtype not in linear_lines.INDEX_TYPES:
            raise Unfit
        rows, columns = x.shape
        ignored = criterion.__dict__.get("ignoreIndex")
        if criterion.weights is not None or (ignored is not None and 1 <= ignored <= columns):
            raise Unfit
        self.back_of = self._back_of_classes
        for loss, scores, target in self._slots():
            self.p.indices.append((target, rows, columns))
            self.p.line("class_loss", loss, scores, target, rows, columns, rows if self.is_mean else 1)

    def _of_squares(self) -> None:
        x, target = self.inputs[0].tensor, self.targets[0].tensor
        if target.shape != x.shape or target.dtype is not x.dtype:
            raise Unfit
        self.back_of = self._back_of_squares
        for slots in self._slots():
            self.p.line("square_loss", *slots, x.numel(), x.numel() if self.is_mean else 1, work=x.numel())

    def _back_of_classes(self, o: Leaf, x: Leaf, target: Leaf) -> None:
        rows, columns = x.tensor.shape
        share = torch.tensor(-1 / rows if self.is_mean else -1, dtype=self.losses.dtype) / self.mean_of
        self.p.line("of_class_loss", o.slot, target.slot, rows, columns, share.item())

    def _back_of_squares(self, o: Leaf, x: Leaf, target: Leaf) -> None:
        lines.flat(self.p, "subtract", (o, x, target))
        count = x.tensor.numel() if self.is_mean else 1
        lines.flat(self.p, "times", (o, o), 2 / (count * self.mean_of))

    def holds(self) -> bool:
        return True

    def back(self, g: Value) -> list[Leaf]:
        """Write the gradient, in one piece for all steps."""
        gradient = torch.zeros(self.steps, *self.inputs[0].tensor.shape, dtype=self.losses.dtype)
        steps = list(gradient.unbind())
        if not self.p.is_survey:
            steps = rebound(self.module.__dict__.setdefault("_given", []), gradient)
        parts = [self.p.static(step) for step in steps]
        for part, x, target in zip(parts, self.inputs, self.targets, strict=True):
            self.p.written.add(part.slot)
            self.back_of(part, x, target)
        return parts

    def accumulate(self) -> None:
        """It has no parameters."""

    def show(self, tensor_of: dict[int, T], went_back: bool, accumulated: bool) -> None:
        output = sum(self.losses.tolist()) / self.mean_of
        self.module.__dict__.update(_wide=None, output=output)
