"""The instructions for all steps of a FastLSTM (see sequence_lines.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from torch7py.nn import step_lines as lines
from torch7py.nn.step_program import SAVED, Leaf, StepProgram, Unfit, Value
from torch7py.rnn import onednn
from torch7py.rnn.cell import Cell
from torch7py.rnn.fast_lstm import FastLSTMCell
from torch7py.rnn.joint_lines import joint, shape_of
from torch7py.rnn.recurrent_stages import GatedStage
from torch7py.rnn.sequence_kernels import StepLoop

__all__ = ["accumulate", "back", "forward", "show"]

T = torch.Tensor
GATES = 4
# Nanoseconds that a multiplication of one step costs more than in oneDNN, which turns the weights once for all steps.
OF_STEP = 0.012


class ListedKernel(StepLoop):
    """The steps of a FastLSTM in the memory that a list writes to.

    The gates lie one after the other, so that a function of one is a pass over memory in one piece.
    """

    def __init__(self, cell: Cell, x: Leaf, steps: int, size: int) -> None:
        rows, dtype = len(x.tensor) // steps, x.tensor.dtype

        def room(*sizes: int) -> T:
            return torch.zeros(*sizes, rows, size, dtype=dtype)

        self.cell, self.masks, self.x = cell, None, x  # of all steps, as rows
        self.outputs, self.all_cells = room(steps + 1), room(steps + 1)  # from before the first step on
        self.gates, self.squashed = room(GATES, steps), room(steps)
        self.results = [self.outputs[1:], self.all_cells[1:]]
        self.first, self.operands = [self.outputs[0], self.all_cells[0]], []
        self.output = self.results[0]
        self.gradients_of_gates = room(GATES, steps)
        self.later = [room(steps + 1), room(steps + 1)]  # what later steps add to the gradients of the states
        self.spare = [room(), room(), room()]
        self.show(went_back=False)

    def show(self, went_back: bool) -> None:
        """Have all in the form in which a StepLoop keeps it."""
        self.saved = [_side_by_side(self.gates), self.squashed.flatten(0, 1)]
        if went_back:
            self.before_steps = [self.outputs[:-1].flatten(0, 1), self.all_cells[:-1].flatten(0, 1)]
            self.of_gates = [_side_by_side(self.gradients_of_gates)]
            self.of_states = [list(pair) for pair in zip(*self.later, strict=True)]


def _side_by_side(gates: T) -> T:
    return gates.permute(1, 2, 0, 3).flatten(2).flatten(0, 1)


def forward(p: StepProgram, stage: GatedStage, x: Value) -> Leaf:
    """``c = sigmoid(f) c + sigmoid(i) tanh(g)``, ``h = sigmoid(o) tanh(c)``, as in ``FastLSTMCell``."""
    cell: Any = stage.cell
    if type(cell) is not FastLSTMCell or stage.masker is not None or cell.__dict__["_drops"]:
        raise Unfit
    steps = joint(p, x)
    tensor, count, size = steps.tensor.detach(), p.count, stage.module.outputSize
    stage.module.check(tensor[0])
    stage.single, stage.masks = tensor.dim() == 2, None
    rows = p.part(steps, tensor.reshape(-1, tensor.shape[-1]))
    kernel = ListedKernel(cell, rows, len(tensor), size)
    stage.kernel = kernel
    of_input, of_state = _weights(p, stage)
    bias = p.parameter(cell.members["i2g"], "bias")
    if bias is None or bias.tensor.shape != (GATES * size,):
        raise Unfit
    s, go = p.static, lines.flat
    for gate, weight, offset in zip(kernel.gates, of_input, bias.tensor.detach().chunk(GATES), strict=True):
        sums = s(gate.flatten(0, 1))
        lines.copy(p, sums, s(offset))
        lines.product(p, sums, rows, weight, lines.ADDED, of=(rows.tensor, weight.tensor.t()))
    spare = s(kernel.spare[0])
    for step in range(len(tensor)):
        before, cells = s(kernel.outputs[step]), s(kernel.all_cells[step])
        i, g, f, o = gates = [s(gate[step]) for gate in kernel.gates]
        for sums, weight in zip(gates, of_state, strict=True):
            lines.product(p, sums, before, weight, lines.ADDED, of=(before.tensor, weight.tensor.t()))
        for gate, name in ((i, "sigmoid"), (g, "tanh"), (f, "sigmoid"), (o, "sigmoid")):
            go(p, name, (gate, gate))
        new, squashed = s(kernel.all_cells[step + 1]), s(kernel.squashed[step])
        go(p, "multiply", (spare, i, g))
        go(p, "multiply", (new, f, cells))
        go(p, "add", (new, new, spare))
        go(p, "tanh", (squashed, new))
        go(p, "multiply", (s(kernel.outputs[step + 1]), o, squashed))
    _compare(p, kernel, count)
    return s(kernel.output.squeeze(1) if stage.single else kernel.output)


def _weights(p: StepProgram, stage: Any) -> list[list[Leaf]]:
    """The weights of each gate, of the input and of the output before."""
    parts = []
    for name, inputs in (("i2g", stage.kernel.x.tensor.shape[1]), ("o2g", stage.module.outputSize)):
        weight = p.parameter(stage.cell.members[name], "weight")
        if weight is None or weight.tensor.shape != (GATES * stage.module.outputSize, inputs):
            raise Unfit
        parts.append([p.static(part) for part in weight.tensor.detach().chunk(GATES)])
    return parts


def back(p: StepProgram, stage: Any, x: Value, g: Value) -> Leaf:
    kernel: ListedKernel = stage.kernel
    s, go, count = p.static, lines.flat, p.count
    of_input, of_state = _weights(p, stage)
    if isinstance(g, Leaf):
        g = [s(step) for step in g.tensor.detach().unbind()]
    if stage.single:
        g = [p.part(step, step.tensor.detach().unsqueeze(0)) for step in g]
    one, two, of_output = map(s, kernel.spare)
    for step in reversed(range(len(g))):
        i, t, f, o = (s(gate[step]) for gate in kernel.gates)
        of_i, of_t, of_f, of_o = of_gates = [s(gate[step]) for gate in kernel.gradients_of_gates]
        squashed, before = s(kernel.squashed[step]), s(kernel.all_cells[step])
        of_h, of_c = (s(part[step + 1]) for part in kernel.later)
        go(p, "add", (of_output, g[step], of_h))
        go(p, "multiply", (one, of_output, squashed))
        go(p, "of_sigmoid", (of_o, one, o))
        go(p, "multiply", (one, of_output, o))
        go(p, "of_tanh", (two, one, squashed))
        go(p, "add", (two, two, of_c))  # the gradient of the cell
        go(p, "multiply", (one, two, t))
        go(p, "of_sigmoid", (of_i, one, i))
        go(p, "multiply", (one, two, i))
        go(p, "of_tanh", (of_t, one, t))
        go(p, "multiply", (one, two, before))
        go(p, "of_sigmoid", (of_f, one, f))
        go(p, "multiply", (s(kernel.later[1][step]), two, f))
        _add_products(p, s(kernel.later[0][step]), of_gates, of_state)
    _compare(p, kernel, count)
    result = torch.zeros_like(kernel.x.tensor)
    _add_products(p, s(result), [s(gate.flatten(0, 1)) for gate in kernel.gradients_of_gates], of_input)
    return s(result.view(shape_of(x)))


def _compare(p: StepProgram, kernel: ListedKernel, count: int) -> None:
    """Where oneDNN would have run all steps in one call, the lines since there were so many save none."""
    if onednn.fits(kernel.output):
        steps, rows, size = kernel.output.shape
        p.work += SAVED * (p.count - count) + OF_STEP * steps * rows * GATES * size * size


def _add_products(p: StepProgram, o: Leaf, gates: Sequence[Leaf], weights: Sequence[Leaf]) -> None:
    what = lines.OVER
    for gate, weight in zip(gates, weights, strict=True):
        lines.product(p, o, gate, weight, what)
        what = lines.ADDED


def accumulate(p: StepProgram, stage: Any) -> None:
    kernel, members, s = stage.kernel, stage.cell.members, p.static
    gates = [s(gate.flatten(0, 1)) for gate in kernel.gradients_of_gates]
    before = s(kernel.outputs[:-1].flatten(0, 1))
    for layer, rows in ((members["i2g"], kernel.x), (members["o2g"], before)):
        buffer = p.gradient(layer, "weight")
        for gate, part in zip(
            gates, () if buffer is None else buffer.tensor.detach().chunk(GATES), strict=True
        ):
            lines.product(p, s(part), gate, rows, lines.SCALED, of=(gate.tensor.t(), rows.tensor))
    bias = p.gradient(members["i2g"], "bias")
    if bias is not None:
        for gate, part in zip(gates, bias.tensor.detach().chunk(GATES), strict=True):
            lines.sum_up(p, s(part), gate)


def show(stage: Any, went_back: bool) -> None:
    """Have the kernel and the module hold what they would after a run in Python."""
    stage.kernel.show(went_back)
    first = stage.kernel.outputs[0]
    stage.module.zero_for(first[0] if stage.single else first)
