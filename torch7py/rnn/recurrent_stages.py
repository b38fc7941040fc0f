"""Stages for modules that have steps of their own (see stages.py)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from torch7py.nn.activation import Identity, Sigmoid, Tanh
from torch7py.nn.container import ParallelTable, Sequential
from torch7py.nn.dropout import Dropout
from torch7py.nn.linear import Linear
from torch7py.nn.shape import Collapse, Contiguous, Reshape, Squeeze, Unsqueeze, View
from torch7py.nn.table import JoinTable
from torch7py.nn.table_math import CAddTable, CMulTable
from torch7py.ops.errors import TorchError
from torch7py.rnn.branches import ShapeStage
from torch7py.rnn.cell import Cell, rows
from torch7py.rnn.dropout import LazyDropout
from torch7py.rnn.dropout_stage import DropoutStage
from torch7py.rnn.fast_lstm import FastLSTM
from torch7py.rnn.gru import GRU
from torch7py.rnn.layer_chains import JoinedLinear, StepChain, WideChain, layers_of
from torch7py.rnn.lstm import LSTM
from torch7py.rnn.masking import is_zero
from torch7py.rnn.mufuru import MuFuRu
from torch7py.rnn.recurrence import Recurrence
from torch7py.rnn.recurrent import Recurrent
from torch7py.rnn.sequence_kernels import SequenceKernel, StepLoop, sequence_kernel
from torch7py.rnn.stages import (
    MASKS,
    MergeStage,
    PassStage,
    Stage,
    StepByStep,
    alias,
    marked,
)
from torch7py.rnn.steps import joined

__all__ = ["STAGES", "GatedStage", "SimpleStage", "fill_steps"]

T = torch.Tensor
SQUASHING: dict[type, Callable[..., T]] = {Sigmoid: torch.sigmoid, Tanh: torch.tanh}


class GatedStage(Stage):
    """A gated network, run by a sequence kernel.

    With masks (``maskZero``, ``trimZero``) a row of zeros resets the state of its example and gets no gradient.
    """

    def __init__(self, module: Any) -> None:
        cell = module.step_module
        self.masker = None
        if type(cell) in MASKS and cell.nInputDim == 1 and not marked(cell):
            self.masker, cell = cell, cell.inner_module
        if not isinstance(cell, Cell) or not cell.intact():
            raise StepByStep
        self.module, self.cell = module, cell
        self.kernel: SequenceKernel

    def batches(self, x: T) -> T:
        """The steps as ``(steps, batch, size)``, also those of a single example."""
        return x.unsqueeze(1) if x.dim() == 2 else x

    def output(self, x: T) -> T:
        module = self.module
        module.check(x[0])
        if x.dim() == 2 and self.cell.batches_only:
            raise StepByStep
        batches = self.batches(x)
        state = module.state_list(module.step - 1, x[0])
        if any(part is None or part.numel() != batches.shape[1] * module.outputSize for part in state):
            raise StepByStep
        first = [rows(part.data) for part in state]
        self.masks = None if self.masker is None else is_zero(batches).unsqueeze(2)
        self.single = x.dim() == 2
        self.kernel = sequence_kernel(self.cell, batches, first, self.masks, module.training)
        return self.kernel.output.squeeze(1) if self.single else self.kernel.output

    def show(self, steps: int) -> None:
        if self.masker is not None and self.masks is not None:
            self.masker.show_mask(not self.single, self.masks[0 if self.module.training else -1].flatten())
        self.cell.hide_inside()
        self.cell.__dict__["_replay"] = self.module.look_into_steps
        first, states = self.module.step, self.kernel.states()
        self.module.keep_steps([self._shown(state) for state in states])
        if any(part is None for state in states for part in state):
            cells, single = self.kernel.cells, self.single
            self.module.await_cells(
                range(first, first + steps),
                lambda: [cell.squeeze(0) if single else cell for cell in cells()],
            )

    def after(self) -> list[T]:
        """The gradient of the state after the last step: the one that a script has set, else zeros."""
        gradients = self.module.grad_state_list(self.module.step - 1)
        pairs = list(zip(gradients, self.kernel.first, strict=True))
        if any(part is None or part.numel() != first.numel() for part, first in pairs):
            raise TorchError(
                f"{self.module.class_name}: the gradient of the hidden state does not have its size"
            )
        return [part.data.reshape(first.shape) for part, first in pairs]

    def grad_input(self, x: T, gradient: T) -> T:
        return self.kernel.backward(self.batches(x), self.batches(gradient), self.after()).view(x.shape)

    def _shown(self, parts: list[Any]) -> list[Any]:
        return [part if part is None else part.squeeze(0) for part in parts] if self.single else parts

    def show_gradient(self) -> None:
        self.cell.__dict__["_replay"] = self.module.look_into_steps
        first = self.module.step - self.kernel.output.shape[0]
        self.module.hand_state_back(first, self._shown(self.kernel.initial_state_gradients()))
        self.module.expect_totals(range(first, self.module.step))

    def show_steps(self, x: T, of_input: T | None) -> None:
        """Set the results of the clones for the steps, even if their inner values are unknown."""
        states, first = self.kernel.states(), self.module.step - self.kernel.output.shape[0]
        cells = None if all(part is not None for state in states for part in state) else self.kernel.cells()
        of_states = None if of_input is None else self.kernel.state_gradients()
        for number, state in enumerate(states):
            parts = [cells[number] if part is None and cells is not None else part for part in state]
            output, gradient = self._shown(parts), None
            if of_input is not None and of_states is not None:
                gradient = [of_input[number], *self._shown(of_states[number])]
            self.module.show_step(first + number, output if len(output) > 1 else output[0], gradient)
        if self.masker is None:
            self._show_inside(x, first)

    def _show_inside(self, x: T, first: int) -> None:
        """Let the clones' cells know of their steps what the kernel does."""
        kernel, batches = self.kernel, self.batches(x)
        steps, rows_of_step = batches.shape[:2]
        saved: list[T] = []
        before: list[T] = []
        if isinstance(kernel, StepLoop):
            saved = [part.view(steps, rows_of_step, -1) for part in kernel.saved]
            before = [part.view(steps, rows_of_step, -1) for part in kernel.before()]
        for number in range(steps):
            cell = self.module.getStepModule(first + number)
            if isinstance(cell, Cell):  # and no tree that a script has changed
                operands = self._shown([part[number] for part in (batches, *before)])
                cell.take_run([part[number] for part in saved] or None, operands)

    def settle(self, of_input: T, gradient: T, number: int) -> None:
        fill_steps(self.module, of_input, gradient, number)
        if self.kernel.has_state_gradients():
            self._fill(gradient, number)

    def fill(self, of_input: T, gradient: T) -> None:
        fill_steps(self.module, of_input, gradient)
        self._fill(gradient)

    def _fill(self, gradient: T, start: int = 0) -> None:
        module, gradients = self.module, self.batches(gradient)
        first, of_states = module.step - len(gradients), self.kernel.state_gradients()
        for number in range(start, len(gradients)):
            later = of_states[number + 1]
            total = [gradients[number] + later[0], *later[1:]]
            module.keep_total(
                first + number, self._shown(total) if len(total) > 1 else self._shown(total)[0], None
            )
            if number:
                module.set_grad_state_list(first + number - 1, self._shown(of_states[number]))

    def acc_grad(self, x: T, scale: float) -> None:
        self.kernel.acc_grad(self.batches(x), scale)


def fill_steps(module: Any, of_input: Sequence[Any] | T, gradient: T | list[Any], start: int = 0) -> None:
    """Fill the tables of gradients for the last steps, from a step on."""
    first = module.step - len(gradient) + start
    module.generation.note_back(module, first, of_input[start:], gradient[start:])


class SimpleStage(Stage):
    """A simple recurrent net of layers that compute rows alone: ``h(t) = transfer(input(x(t)) + feedback(h(t-1)))``.

    The input layer runs all steps at once. All parameters get their gradients from all steps at once. A subclass
    finds the layers, and the output before the first step: None if the module ``starter`` computes the first step.
    """

    starter: Any
    start: Any = None  # the module of the first step
    joined_by: JoinedLinear | None = None  # where input and feedback are two parts of one layer

    def __init__(self, module: Any) -> None:
        self.module = module
        first, feedback, transfer = self.parts()
        self.input, self.feedback, self.transfer = WideChain(first), StepChain(feedback), StepChain(transfer)

    def parts(self) -> tuple[list[Any], list[Any], list[Any]]:
        """The layers of input, feedback and transfer, if the network is as its constructor built it."""
        raise NotImplementedError

    def before_first(self, x: T) -> T | None:
        """The output before the first step."""
        raise NotImplementedError

    def after_last(self) -> T | None:
        """The gradient that is added to the last output's."""
        raise NotImplementedError

    def output(self, x: T) -> T:
        before = self.before_first(x)
        if self.joined_by is not None and before is not None:
            self.joined_by.split(x[0], before)
        of_input = self.input.output(x)
        self.begins = before is None
        self.starter = alias(self.start) if self.begins else None
        self.before: list[Any] = [before]
        self.of_input = of_input
        weight = self.feedback.alone.weight if type(self.feedback.alone) is Linear else None
        self.quick = (
            type(self.transfer.alone) in SQUASHING
            and weight is not None
            and of_input.dim() == 3
            and weight.shape == (of_input.shape[2], of_input.shape[2])
            and (before is None or before.shape == of_input.shape[1:])
        )
        if self.quick:
            self._products()
        else:
            self._modules()
        return self.result

    def _products(self) -> None:
        """Run the steps of a Linear feedback and a squashing transfer: a product and a function each."""
        squash, feedback = SQUASHING[type(self.transfer.alone)], self.feedback.alone
        self.result = torch.empty_like(self.of_input)
        turned, bias = feedback.weight.data.t(), feedback.bias
        sums = self.of_input.clone() if bias is None else self.of_input + bias.data
        for total, of_input, output in zip(sums, self.of_input, self.result, strict=True):
            before = self.before[-1]
            if before is None:
                total.copy_(self.starter.updateOutput(of_input))
            else:
                total.addmm_(before, turned)
            squash(total, out=output)
            self.before.append(output)
        self.sums: Any = sums

    def _modules(self) -> None:
        """Run the steps of any feedback and transfer."""
        of_input = self.of_input
        self.sums = []
        outputs = []
        for step in range(len(of_input)):
            if self.before[step] is None:
                total = self.starter.updateOutput(of_input[step])
            else:
                total = self.feedback.output(step, self.before[step])
                if total.shape != of_input[step].shape:
                    raise StepByStep
                total = of_input[step] + total
            if total.shape != of_input[step].shape:
                raise StepByStep
            self.sums.append(total)
            outputs.append(self.transfer.output(step, total))
            if outputs[-1].shape != outputs[0].shape:
                raise StepByStep
            self.before.append(outputs[-1])
        self.result = torch.stack(outputs)

    def show(self, steps: int) -> None:
        self.module.keep_steps([[output] for output in self.result])

    def grad_input(self, x: T, gradient: T) -> T:
        module, later = self.module, self.after_last()
        if later is not None and later.shape != gradient[-1].shape:
            raise TorchError(f"{module.class_name}: the gradient of the hidden state does not have its size")
        if self.joined_by is not None:
            self.joined_by.refresh()
        of_sums: list[Any] = [None] * len(x)
        of_inputs: list[Any] = [None] * len(x)
        of_states = [later]
        gradients, slopes, room = gradient.unbind(), self._slopes(), torch.empty_like(self.result).unbind()
        for step in range(len(x) - 1, -1, -1):
            total = gradients[step] if later is None else gradients[step] + later
            if slopes is None:
                of_sums[step] = self.transfer.grad_input(step, total)
            else:
                of_sums[step] = torch.mul(total, slopes[step], out=room[step])
            if self.before[step] is None:
                of_inputs[step] = self.starter.updateGradInput(self.of_input[step], of_sums[step])
            else:
                if self.quick:
                    later = self.feedback.alone.grad_input(self.before[step], of_sums[step])
                else:
                    later = self.feedback.grad_input(step, of_sums[step])
                of_inputs[step] = of_sums[step]
                of_states.append(later)
        self.later, self.of_sums = later, of_sums
        self.of_states = of_states[::-1] if len(of_states) > len(x) else [None, *of_states[::-1]]
        return self.input.grad_input(x, joined(of_inputs))

    def _slopes(self) -> tuple[T, ...] | None:
        """The derivative of the transfer at all steps, computed from its present outputs."""
        if not self.quick:
            return None
        wide = alias(self.transfer.alone)
        wide.__dict__["output"] = self.result
        slopes: T = wide.grad_input(self.sums, torch.ones_like(self.result))
        return slopes.unbind()

    def show_steps(self, x: T, of_input: T | None) -> None:
        module, first = self.module, self.module.step - len(self.sums)
        for number, output in enumerate(self.result):
            if self.before[number] is not None:
                gradients = None if of_input is None else [of_input[number], self.of_states[number]]
                module.show_step(first + number, output, gradients)

    def settle(self, of_input: T, gradient: T, number: int) -> None:
        self.fill(of_input, gradient, number)

    def fill(self, of_input: T, gradient: T, start: int = 0) -> None:
        module = self.module
        fill_steps(module, of_input, gradient, start)
        first = module.step - len(gradient)
        for number in range(start, len(gradient)):
            later, of_output = self.of_states[number + 1], gradient[number]
            module.keep_total(first + number, of_output if later is None else of_output + later, of_output)
            if number:
                module.__dict__[module.handed_back][first + number - 1] = self.of_states[number]

    def show_gradient(self) -> None:
        self.input.show_gradient()
        module, first = self.module, self.module.step - len(self.sums)
        if not self.begins:
            module.__dict__[module.handed_back][first - 1] = self.later
        module.expect_totals(range(first, module.step if self.of_states[-1] is not None else module.step - 1))

    def acc_grad(self, x: T, scale: float) -> None:
        if self.joined_by is not None:
            self.joined_by.refresh()
        self.input.acc_grad(x, scale)
        first = 0
        if self.begins:
            self.starter.accGradParameters(self.of_input[0], self.of_sums[0], scale)
            first = 1
        if not self.quick:
            self.transfer.acc_grad(scale)
            self.feedback.acc_grad(scale)
        elif len(x) > first:
            before, gradients = joined(self.before[first:-1]), joined(self.of_sums[first:])
            self.feedback.alone.accGradParameters(before.flatten(0, 1), gradients.flatten(0, 1), scale)


class RecurrentStage(SimpleStage):
    """nn.Recurrent, which has another module in place of the feedback at the first step."""

    def parts(self) -> tuple[list[Any], list[Any], list[Any]]:
        parts = self.module._modules
        first, later = self.module.initialModule, self.module.step_module
        if type(first) is not Sequential or type(later) is not Sequential or marked(first) or marked(later):
            raise StepByStep
        children, both = first.child_list(), later.child_list()
        as_built = (
            len(children) == 3
            and children[1] is parts["startModule"]
            and type(children[0]) is type(parts["inputModule"])
            and type(children[2]) is type(parts["transferModule"])
            and len(both) == 3
            and type(both[0]) is ParallelTable
            and both[0].child_list() == [parts["inputModule"], parts["feedbackModule"]]
            and both[1] is parts["mergeModule"]
            and both[2] is parts["transferModule"]
            and not any(map(marked, (*children, *both, *both[0].child_list())))
        )
        if not as_built:
            raise StepByStep
        check_sum(parts["mergeModule"])
        self.start = parts["startModule"]
        first, feedback, transfer = (
            layers_of(parts[name]) for name in ("inputModule", "feedbackModule", "transferModule")
        )
        return first, feedback, transfer

    def before_first(self, x: T) -> T | None:
        first, outputs = self.module.step, self.module.outputs
        if first == 1:
            return None
        if first - 1 not in outputs:
            raise StepByStep
        before: T = outputs[first - 1].data
        return before

    def after_last(self) -> T | None:
        module = self.module
        gradient: T | None = module.__dict__[module.handed_back].get(module.step - 1)
        return gradient


def check_sum(merge: Any) -> None:
    """Check that input and feedback are added, and not combined otherwise."""
    if type(merge) is not CAddTable or merge.inplace:
        raise StepByStep


class RecurrenceStage(SimpleStage):
    """nn.Recurrence around ``{input, feedback}`` and their sum, or around a Linear of both joined; then any layers."""

    def parts(self) -> tuple[list[Any], list[Any], list[Any]]:
        whole = self.module.step_module
        children = whole.child_list() if type(whole) is Sequential else []
        if len(children) < 2 or any(map(marked, (whole, *children))):
            raise StepByStep
        transfer = [layer for child in children[2:] for layer in layers_of(child)]
        if type(children[0]) is JoinTable and type(children[1]) is Linear:
            self.joined_by = JoinedLinear(*children[:2])
            first, feedback = self.joined_by.parts
            return [first], [feedback], transfer
        both = children[0].child_list() if type(children[0]) is ParallelTable else []
        if len(both) != 2:
            raise StepByStep
        check_sum(children[1])
        return layers_of(both[0]), layers_of(both[1]), transfer

    def before_first(self, x: T) -> T | None:
        module = self.module
        before = module.before_step(module.step, x[0])
        if not isinstance(before, torch.Tensor) or before.dtype != self.module.new().dtype:
            raise StepByStep
        return before.data

    def after_last(self) -> T | None:
        module = self.module
        later = module.after_step(module.step - 1)
        if not isinstance(later, torch.Tensor):
            raise TorchError(f"{module.class_name}: the gradient of the hidden state is not a tensor")
        return later.data


STAGES: dict[type, Callable[[Any], Stage]] = {
    FastLSTM: GatedStage,
    LSTM: GatedStage,
    GRU: GatedStage,
    MuFuRu: GatedStage,
    Recurrent: RecurrentStage,
    Recurrence: RecurrenceStage,
    JoinTable: MergeStage,
    CAddTable: MergeStage,
    CMulTable: MergeStage,
    Dropout: DropoutStage,
    LazyDropout: DropoutStage,
    Identity: PassStage,
    **dict.fromkeys((Collapse, Contiguous, Reshape, Squeeze, Unsqueeze, View), ShapeStage),
}
