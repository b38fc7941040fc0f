"""Kernels that run all steps of a gated network: step by step (``StepLoop``), or by oneDNN in one call.

A kernel takes batches ``(steps, rows, size)`` and the states before step 1 as rows. Its constructor runs the steps
forward; ``backward`` then returns the gradient of the input and keeps the gradients of the states.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

import torch

from torch7py.ops.errors import NotKnown, TorchError
from torch7py.rnn import onednn
from torch7py.rnn.cell import Cell
from torch7py.rnn.fast_lstm import FastLSTMCell, forget_second
from torch7py.rnn.steps import joined

__all__ = ["OneDNNKernel", "SequenceKernel", "StepLoop", "onednn_kernel", "sequence_kernel"]

T = torch.Tensor
CACHED = (
    1 << 15
)  # elements: what is computed for several steps at once should stay in the cache until it is used


class SequenceKernel(Protocol):
    """One forward of a sequence, and its backward."""

    output: T  # of all steps
    first: list[T]

    def states(self) -> list[list[T | None]]:
        """The states after each step; None where it is known only when somebody asks (``cells``)."""

    def cells(self) -> T:
        """The second state after all steps."""

    def backward(self, x: T, gradients: T, later: list[T]) -> T: ...
    def initial_state_gradients(self) -> list[T]:
        """The gradients of the states before step 1, after ``backward``."""

    def state_gradients(self) -> list[list[T]]:
        """The gradients of the states before each step, and of the states after the last one."""

    def has_state_gradients(self) -> bool:
        """Whether ``state_gradients`` is free: nothing has to be computed again."""

    def acc_grad(self, x: T, scale: float) -> None: ...


class StepLoop:
    """Runs the parts of a Cell: those without state for all steps at once, the others step by step.

    With masks a row of zeros resets the state of its example and gets no gradient.
    """

    def __init__(self, cell: Cell, x: T, first: list[T], masks: T | None = None) -> None:
        self.cell, self.first, self.masks = cell, first, masks
        size = x.shape[:2]
        cell.note_run()
        of_input = [part.view(*size, -1) for part in cell.from_input(x.flatten(0, 1))]
        state, results, kept = first, [], []
        for number, step in enumerate(zip(*of_input, strict=True)):
            state, saved = cell.step_output(list(step), state)
            state = self.masked(number, state)
            results.append(state)
            kept.append(saved)
        self.results = [torch.stack(parts) for parts in zip(*results, strict=True)]
        self.saved = [joined(parts).flatten(0, 1) for parts in zip(*kept, strict=True)]
        self.output = self.results[0]
        # What the parameters' gradients go by, where it is not what is in memory by then.
        self.operands = [x.flatten(0, 1).clone(), self.before()[0]] if cell.copies_operands else []

    def masked(self, step: int, parts: list[T]) -> list[T]:
        """The state of a step, with zeros in masked rows."""
        return parts if self.masks is None else [part.masked_fill(self.masks[step], 0) for part in parts]

    def states(self) -> list[list[T | None]]:
        return [list(step) for step in zip(*self.results, strict=True)]

    def cells(self) -> T:
        return self.results[1]

    def before(self) -> list[T]:
        """The states before all steps, as rows."""
        pairs = zip(self.first, self.results, strict=True)
        return [torch.cat([first, result[:-1].flatten(0, 1)]) for first, result in pairs]

    def backward(self, x: T, gradients: T, later: list[T]) -> T:
        size = gradients.shape[:2]
        self.before_steps = self.before()
        self.of_gates = self.cell.room(size[0] * size[1], gradients)
        of_states = [later]
        factors: list[T] = []
        ready = len(gradients)  # the first step that there are factors for
        block = max(1, CACHED // max(part[: size[1]].numel() for part in self.of_gates))
        for step in range(len(gradients) - 1, -1, -1):
            if step < ready:
                ready = max(0, step + 1 - block)
                part = slice(ready * size[1], (step + 1) * size[1])
                factors = self.cell.factors(
                    [s[part] for s in self.before_steps], [s[part] for s in self.saved]
                )
            total = self.masked(step, [gradients[step] + later[0], *later[1:]])
            at, rows_of_step = step - ready, slice(step * size[1], (step + 1) * size[1])
            rows_at = slice(at * size[1], (at + 1) * size[1])
            room = [gates[rows_of_step] for gates in self.of_gates]
            later = self.cell.step_grad(total, [factor[rows_at] for factor in factors], room)
            of_states.append(later)
        self.of_states = of_states[::-1]
        return self.cell.grad_of_input(self.of_gates)

    def initial_state_gradients(self) -> list[T]:
        return self.of_states[0]

    def state_gradients(self) -> list[list[T]]:
        return self.of_states

    def has_state_gradients(self) -> bool:
        return True

    def acc_grad(self, x: T, scale: float) -> None:
        rows, before = self.operands or (x.flatten(0, 1), self.before_steps[0])
        state = [before, *self.before_steps[1:]]
        self.cell.acc_grad(rows, state, self.of_gates, self.saved, scale)


class Parametric(Protocol):
    """An object with the parameters of an LSTM without peepholes: a Cell, or a layer for whole sequences."""

    copies_operands: ClassVar[bool]

    def lstm_parameters(self) -> list[T] | None: ...
    def acc_lstm(self, gradients: list[T], scale: float) -> None: ...


class KernelInputs:
    """Copies of a kernel's inputs, with which a StepLoop can repeat what the kernel computed."""

    def __init__(self, x: T, first: list[T], parameters: list[T]) -> None:
        self.parameters = parameters
        self.x, *self.first = (part.clone(memory_format=torch.contiguous_format) for part in (x, *first))

    def loop(self) -> StepLoop:
        return StepLoop(FastLSTMCell.of_parameters(self.parameters), self.x, self.first)

    def cells(self) -> T:
        """The cells after all steps."""
        return self.loop().results[1]

    def gates(self) -> T:
        """The gates of all steps, in the order input, hidden, forget, output."""
        return self.loop().saved[0].view(*self.x.shape[:2], -1)


class OneDNNKernel:
    """oneDNN's LSTM (onednn.py).

    It returns neither the cells of the steps nor the gradients of the states between them: a StepLoop computes these
    from copies of the inputs when they are read. ``output`` belongs to the caller. The StepLoop also runs the
    backward if what it goes by was written to since the forward, or if the forward was not in training.
    """

    def __init__(self, cell: Parametric, x: T, first: list[T], parameters: list[T], training: bool) -> None:
        self.cell, self.first = cell, first
        self.before = KernelInputs(x, first, parameters)
        self.kernel = onednn.LSTM(self.before.x, self.before.first, parameters, training)
        self.output = self.kernel.output.clone()
        self.cells = self.before.cells
        self.back: StepLoop | None = None  # that went back in the place of the kernel
        self.of_parameters: list[T] = []

    def states(self) -> list[list[T | None]]:
        states: list[list[T | None]] = [[output, None] for output in self.output.unbind()]
        states[-1][1] = self.kernel.cell
        return states

    def backward(self, x: T, gradients: T, later: list[T]) -> T:
        parameters, before = self.cell.lstm_parameters(), self.before
        if parameters is None:
            raise TorchError("an LSTM has lost a parameter between forward and backward")
        then = [self.kernel.output, before.x, *before.first]
        now = [self.output, x, *self.first]
        if self.cell.copies_operands:
            now[:3] = then[:3]
        same = all(one is other or torch.equal(one, other) for one, other in zip(now, then, strict=True))
        if not self.kernel.goes_back or not same:
            output, x, *first = now
            self.back = self._go_back(output, first, x, gradients, later, parameters)
            return self.back_of_input.view(x.shape)
        self.back, self.parameters = None, parameters
        self.gradients, self.later = gradients.contiguous(), [part.clone() for part in later]
        of_input, self.of_first, self.of_parameters = self.kernel.backward(
            before.x, self.gradients, self.later, parameters
        )
        return of_input

    def _go_back(
        self, output: T, first: list[T], x: T, gradients: T, later: list[T], parameters: list[T]
    ) -> StepLoop:
        """Run the backward step by step, with these outputs, first states and parameters."""
        loop = self.before.loop()
        loop.results[0], loop.first, loop.cell = output, first, FastLSTMCell.of_parameters(parameters)
        self.back_of_input = loop.backward(x, gradients, later)
        return loop

    def initial_state_gradients(self) -> list[T]:
        return self.of_first if self.back is None else self.back.initial_state_gradients()

    def has_state_gradients(self) -> bool:
        return self.back is not None

    def state_gradients(self) -> list[list[T]]:
        if self.back is not None:
            return self.back.state_gradients()
        before = self.before
        loop = self._go_back(
            self.kernel.output, before.first, before.x, self.gradients, self.later, self.parameters
        )
        # Every step has its share in the bias's gradient, so that tells whether these are the same gradients.
        of_gates = loop.of_gates[0]
        then, now = self.of_parameters[2], forget_second(of_gates.sum(0))
        if not torch.allclose(now, then, rtol=0, atol=1e-5 * float(of_gates.abs().sum(0).max())):
            raise NotKnown(
                "the gradients inside the last sequence are not known any more, for its gradOutput has been "
                "written to since"
            )
        return loop.state_gradients()

    def acc_grad(self, x: T, scale: float) -> None:
        gradients = self.of_parameters
        if self.back is not None:
            outputs = self.back.before_steps[0]
            x = self.before.x if self.cell.copies_operands else x
            gradients = FastLSTMCell.lstm_gradients(x.flatten(0, 1), outputs, self.back.of_gates[0])
        self.cell.acc_lstm(gradients, scale)


def onednn_kernel(
    owner: Parametric, x: T, first: list[T], masks: T | None, training: bool
) -> OneDNNKernel | None:
    """Run all steps forward by oneDNN; None if it does not compute what the network does."""
    if onednn.fits(x, *first) and (masks is None or not masks.any()):
        parameters = owner.lstm_parameters()
        if parameters is not None and onednn.fits(*parameters):
            return OneDNNKernel(owner, x, first, parameters, training)
    return None


def sequence_kernel(cell: Cell, x: T, first: list[T], masks: T | None, training: bool) -> SequenceKernel:
    """Run all steps forward, by oneDNN where it computes what the cell does."""
    return onednn_kernel(cell, x, first, masks, training) or StepLoop(cell, x, first, masks)
