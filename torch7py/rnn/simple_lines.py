"""The instructions for all steps of a Recurrent with a Linear feedback (see sequence_lines.py)."""

from __future__ import annotations

from typing import Any

import torch

from torch7py.nn import step_lines as lines
from torch7py.nn.activation import Sigmoid, Tanh
from torch7py.nn.arithmetic import Add
from torch7py.nn.checks import truthy
from torch7py.nn.linear import Linear
from torch7py.nn.step_program import Leaf, StepProgram, Unfit, Value
from torch7py.rnn import row_lines
from torch7py.rnn.joint_lines import joint, shape_of
from torch7py.rnn.stages import RowStage, alias

__all__ = ["accumulate", "back", "forward"]

SQUASHING = {Sigmoid: "sigmoid", Tanh: "tanh"}


def forward(p: StepProgram, stage: Any, x: Value) -> Leaf:
    """``h(1) = f(a(1) + start)``, ``h(t) = f(a(t) + W h(t-1) + b)``, where ``a`` is what the input's layers give."""
    start, linear, transfer = stage.start, stage.feedback.alone, stage.transfer.alone
    if type(start) is not Add or type(linear) is not Linear or type(transfer) not in SQUASHING:
        raise Unfit
    p.keep(stage.module.__dict__, "initialModule", stage.module.__dict__["initialModule"])
    p.keep(stage.module.__dict__, "recurrentModule", stage.module.step_module)
    stage.listed_inputs = []
    for part in stage.input.stages:
        stage.listed_inputs.append(x)
        x = row_lines.forward(p, part, x) if type(part) is RowStage else joint(p, x)
        if type(part) is not RowStage:
            part.output(x.tensor)
    of_input = joint(p, x)
    tensor = of_input.tensor.detach()
    first, weight, bias = (
        p.parameter(start, "bias"),
        p.parameter(linear, "weight"),
        p.parameter(linear, "bias"),
    )
    if first is None or weight is None or truthy(start.scalar) or tensor.dim() != 3:
        raise Unfit
    size = tensor.shape[2]
    if first.tensor.shape != (size,) or weight.tensor.shape != (size, size):
        raise Unfit
    p.settings(start, "scalar")
    s, go = p.static, lines.flat
    sums, result = torch.zeros_like(tensor), torch.zeros_like(tensor)
    lines.copy(p, s(sums[0]), first)
    if bias is not None:
        lines.copy(p, s(sums[1:]), bias)
    else:
        lines.clear(p, s(sums[1:]))
    go(p, "add", (s(sums), s(sums), of_input))
    for step in range(len(tensor)):
        total = s(sums[step])
        if step:
            before = s(result[step - 1])
            lines.product(p, total, before, weight, lines.ADDED, of=(before.tensor, weight.tensor.t()))
        go(p, SQUASHING[type(transfer)], (s(result[step]), total))
    stage.begins, stage.quick, stage.starter = True, True, alias(start)
    stage.before, stage.of_input, stage.sums, stage.result = [None, *result], tensor, sums, result
    stage.input.inputs = [None, *(value.tensor for value in stage.listed_inputs[1:])]
    return s(result)


def back(p: StepProgram, stage: Any, x: Value, g: Value) -> Leaf:
    weight = p.parameter(stage.feedback.alone, "weight")
    if weight is None:
        raise Unfit
    s, go = p.static, lines.flat
    if isinstance(g, Leaf):
        g = [s(step) for step in g.tensor.detach().unbind()]
    of_sums, later = torch.zeros_like(stage.result), torch.zeros_like(stage.result)
    total = s(torch.zeros_like(stage.result[0]))
    name = "of_" + SQUASHING[type(stage.transfer.alone)]
    for step in reversed(range(len(g))):
        slope = g[step]
        if step + 1 < len(g):
            go(p, "add", (total, slope, s(later[step + 1])))
            slope = total
        go(p, name, (s(of_sums[step]), slope, s(stage.result[step])))
        if step:
            lines.product(p, s(later[step]), s(of_sums[step]), weight, lines.OVER)
    stage.listed_sums, stage.of_sums, stage.later = of_sums, list(of_sums), None
    stage.of_states = [None, *later[1:], None]
    gradient = s(of_sums)
    for part, value in zip(reversed(stage.input.stages), reversed(stage.listed_inputs), strict=True):
        if type(part) is RowStage:
            gradient = row_lines.back(p, part, value, gradient)
        else:
            part.grad_input(None, gradient.tensor)
    return s(gradient.tensor.detach().view(shape_of(x)))


def accumulate(p: StepProgram, stage: Any) -> None:
    for part in reversed(stage.input.stages):
        if type(part) is RowStage:
            row_lines.accumulate(p, part)
    s, linear = p.static, stage.feedback.alone
    of_sums = stage.listed_sums
    first = p.gradient(stage.start, "bias")
    if first is not None:
        lines.sum_up(p, first, s(of_sums[0]))
    weight, bias = p.gradient(linear, "weight"), p.gradient(linear, "bias")
    slopes, before = s(of_sums[1:].flatten(0, 1)), s(stage.result[:-1].flatten(0, 1))
    if weight is not None:
        lines.product(p, weight, slopes, before, lines.SCALED, of=(slopes.tensor.t(), before.tensor))
    if linear.bias is not None and bias is not None:
        lines.sum_up(p, bias, slopes)
