"""The instructions for a SequencerCriterion (see sequence_lines.py)."""

from __future__ import annotations

from typing import Any

import torch

from torch7py.nn import step_lines as lines
from torch7py.nn.checks import truthy
from torch7py.nn.criterion_class import ClassNLLCriterion
from torch7py.nn.step_program import Leaf, StepProgram, Unfit, Value
from torch7py.rnn.criterion import SequencerCriterion
from torch7py.rnn.joint_lines import check_steps
from torch7py.rnn.steps import rebound

__all__ = ["ListedCriterion"]

T = torch.Tensor


class ListedCriterion:
    """A SequencerCriterion of a list: the losses of classes."""

    def __init__(self, p: StepProgram, module: SequencerCriterion, input: Value, target: Value) -> None:
        self.module = module
        if (
            not isinstance(input, list)
            or not isinstance(target, list)
            or len(input) != len(target)
            or not input
        ):
            raise Unfit
        check_steps(p, input)
        check_steps(p, target)
        x, classes = input[0].tensor, target[0].tensor
        criterion: Any = module._modules["criterion"]
        if type(criterion) is not ClassNLLCriterion or x.dim() != 2 or classes.dtype not in lines.INDEX_TYPES:
            raise Unfit
        self.steps, (rows, columns) = len(input), x.shape
        ignored = criterion.__dict__.get("ignoreIndex")
        if (
            classes.shape != (rows,)
            or criterion.weights is not None
            or (ignored is not None and 1 <= ignored <= columns)
        ):
            raise Unfit
        p.take(criterion)
        p.keep(module._modules, "criterion", criterion)
        p.settings(module, "sizeAverage")
        p.settings(criterion, "sizeAverage", "weights", "ignoreIndex")
        p.number_type(x)
        self.share = rows if truthy(criterion.sizeAverage) else 1
        self.mean_of = self.steps if module.sizeAverage else 1
        self.p, self.shape = p, x.shape
        self.losses = torch.zeros(self.steps, dtype=x.dtype)
        self.targets = target
        for step, (scores, targets) in enumerate(zip(input, target, strict=True)):
            p.indices.append((targets.slot, rows, columns))
            slots = (p.static(self.losses[step]).slot, scores.slot, targets.slot)
            p.line("class_loss", *slots, rows, columns, self.share)
        p.number = p.static(self.losses).slot, self.steps, self.mean_of

    def holds(self) -> bool:
        return True

    def back(self, g: Value) -> list[Leaf]:
        """Write the gradient, in one piece for all steps."""
        p, shape = self.p, self.shape
        share = (torch.tensor(-1 / self.share, dtype=self.losses.dtype) / self.mean_of).item()
        gradient = torch.zeros(self.steps, *shape, dtype=self.losses.dtype)
        steps = list(gradient.unbind())
        if not p.is_survey:
            steps = rebound(self.module.__dict__.setdefault("_given", []), gradient)
        parts = [p.static(step) for step in steps]
        for part, targets in zip(parts, self.targets, strict=True):
            p.written.add(part.slot)
            p.line("of_class_loss", part.slot, targets.slot, *shape, share)
        return parts

    def accumulate(self) -> None:
        """It has no parameters."""

    def show(self, tensor_of: dict[int, T], went_back: bool, accumulated: bool) -> None:
        output = sum(self.losses.tolist()) / self.mean_of
        self.module.__dict__.update(_wide=None, output=output)
