"""The instructions for layers that take the rows of all steps as one batch (see sequence_lines.py)."""

from __future__ import annotations

import torch

from torch7py.nn import linear_lines
from torch7py.nn import step_lines as lines
from torch7py.nn.linear import LookupTable
from torch7py.nn.softmax import LogSoftMax, SoftMax
from torch7py.nn.step_program import Leaf, StepProgram, Unfit, Value
from torch7py.rnn.joint_lines import joint, shape_of
from torch7py.rnn.stages import RowStage, StepByStep

__all__ = ["accumulate", "back", "forward"]

# Layers whose gradient is computed step by step where that of the output comes from outside: the others have it copied
# into one piece.
BY_STEPS = {LogSoftMax: "of_log_softmax", SoftMax: "of_softmax"}


def forward(p: StepProgram, stage: RowStage, x: Value) -> Leaf:
    wide, layer = stage.wide, type(stage.module)
    if layer not in lines.FORWARD:
        raise Unfit
    own = {"output": stage.module.new(), "gradInput": stage.module.new()}
    wide.__dict__.update(_own=dict(own), **own)
    known = len(p.kept)
    if layer is LookupTable:
        if not isinstance(x, list) or x[0].tensor.dim() != 1:
            raise Unfit
        result = p.note(wide, x, linear_lines.look_up(p, wide, x))
    else:
        steps = joint(p, x)
        try:
            batch = p.part(steps, stage.rows(steps.tensor.detach()))
        except StepByStep:
            raise Unfit from None
        result = p.note(wide, batch, lines.FORWARD[layer](p, wide, batch))
    if not isinstance(result, Leaf):
        raise Unfit
    for attributes, name, value in p.kept[known:]:
        if attributes is wide.__dict__ and name not in own:
            p.keep(stage.module.__dict__, name, value)
    tensor, shape = result.tensor.detach(), shape_of(x)
    stage.result = tensor if len(shape) <= stage.batch_rank else tensor.view(*shape[:2], *tensor.shape[1:])
    return p.static(stage.result)


def back(p: StepProgram, stage: RowStage, x: Value, g: Value) -> Leaf:
    wide, layer = stage.wide, type(stage.module)
    output = p.output_of(wide)
    if layer in BY_STEPS and isinstance(g, list) and any(step.root is not None for step in g):
        o = p.room(wide, "gradInput", output.tensor.shape)
        rows, columns = g[0].tensor.numel() // g[0].tensor.shape[-1], g[0].tensor.shape[-1]
        parts = (value.tensor.detach().view(len(g), rows, columns) for value in (o, output))
        for step, of_input, result in zip(g, *parts, strict=True):
            slots = (p.part(o, of_input).slot, step.slot, p.part(output, result).slot)
            p.line(BY_STEPS[layer], *slots, rows, columns, work=lines.work_of(rows, columns))
    else:
        slopes = joint(p, g)
        gradient = p.part(slopes, slopes.tensor.detach().reshape(output.tensor.shape))
        p.note_gradient(wide, gradient)
        stage.gradient = gradient.tensor.detach()
        if layer is LookupTable:  # indices have none
            zeros = stage.module.grad_input(torch.stack([step.tensor for step in x]), gradient.tensor)
            if not zeros.numel() or stage.module.gradInput is None:
                raise Unfit
            o = p.static(zeros)
            lines.clear(p, o)
        else:
            o = lines.BACKWARD[layer](p, wide, p.input_of(wide), gradient)
    stage.of_input = o.tensor.detach().view(shape_of(x))
    return p.static(stage.of_input)


def accumulate(p: StepProgram, stage: RowStage) -> None:
    wide, layer = stage.wide, type(stage.module)
    if layer is LookupTable:
        linear_lines.add_rows(p, wide, p.input_of(wide), p.gradient_of(wide))
    elif layer in lines.GRADIENTS:
        lines.GRADIENTS[layer](p, wide, p.input_of(wide), p.gradient_of(wide))
