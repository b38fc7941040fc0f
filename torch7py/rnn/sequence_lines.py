"""The instructions for a Sequencer: all steps of a sequence as one piece, in memory that stays.

The modules look after a run as if a ``FusedSequence`` had run: its stages hold this memory, and it shows them when
somebody may look. Lists of instructions are described in ``nn/step_program.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from torch7py.nn import step_lines as lines
from torch7py.nn.linear import LookupTable
from torch7py.nn.softmax import LogSoftMax, SoftMax
from torch7py.nn.step_program import Leaf, StepProgram, Unfit, Value
from torch7py.rnn import gate_lines
from torch7py.rnn.criterion import SequencerCriterion
from torch7py.rnn.criterion_lines import ListedCriterion
from torch7py.rnn.fused_sequence import FusedSequence
from torch7py.rnn.generation import LATEST
from torch7py.rnn.joint_lines import check_steps, joint, shape_of
from torch7py.rnn.recurrent_stages import GatedStage
from torch7py.rnn.sequencer import Sequencer
from torch7py.rnn.stages import RowStage, StepByStep
from torch7py.rnn.step_memory import StepMemory
from torch7py.rnn.steps import alike, together

__all__ = ["ListedSequence"]

T = torch.Tensor
# Layers whose gradient is computed step by step where that of the output comes from outside: the others have it copied
# into one piece.
BY_STEPS = {LogSoftMax: "of_log_softmax", SoftMax: "of_softmax"}
OF_SEQUENCER = 400_000  # nanoseconds that a Sequencer takes for its checks and fields


class ListedSequence:
    """A Sequencer of a list."""

    def __init__(self, p: StepProgram, module: Sequencer, inputs: list[Leaf]) -> None:
        self.p, self.module, self.inputs, self.steps = p, module, inputs, len(inputs)
        self.stepper = module.stepper
        try:
            self.run = FusedSequence(self.stepper)
        except StepByStep:
            raise Unfit from None
        parts = [self.stepper, *(part for part in self.stepper.modules() if part is not self.stepper)]
        self.counting = [part for part in parts if isinstance(part, StepMemory)]
        if (
            self.run.inner
            or not all(type(stage) in FORWARD for stage in self.run.stages)
            or any(part.__dict__["_generation"] != LATEST for part in self.counting)
            or not self._may_run()
        ):
            raise Unfit
        for part in parts:
            p.take(part, may_catch_up=True)
            p.settings(part, "training")
            p.listed_keys(part._modules)
            for name, child in part._modules.items():
                p.keep(part._modules, name, child)
        p.settings(module, "training", "_stepper")
        p.silent += self.counting
        p.work -= OF_SEQUENCER
        x: Any = inputs
        self.values: list[Any] = [x]
        for stage in self.run.stages:
            x = FORWARD[type(stage)](p, stage, x)
            self.values.append(x)
        if p.is_survey:
            self.outputs = [p.static(part) for part in x.tensor.unbind()]
            return
        self.run.inputs = [together(p.objects(self.inputs)), *(value.tensor for value in self.values[1:])]
        self.run.output, self.run.steps = x.tensor.detach(), self.steps
        self._show_forward()
        outputs = self.stepper.outputs
        self.outputs = [self._written(outputs[step]) for step in range(1, self.steps + 1)]

    def _written(self, tensor: T) -> Leaf:
        leaf = self.p.static(tensor)
        self.p.written.add(leaf.slot)
        return leaf

    def _may_run(self) -> bool:
        """Whether each call begins from a forgotten memory, and no script has set a state."""
        if self.module.hasMemory() or not self.module.training:
            return False
        for part in self.counting:
            attributes = part.__dict__
            states = (*getattr(part, "user_states", ()), *getattr(part, "user_gradients", ()))
            if any(attributes.get(name) is not None for name in states):
                return False
        return True

    def holds(self) -> bool:
        """Whether all is as the last run has left it."""
        if self.module.__dict__.get("_run") is not self.run or not self._may_run():
            return False
        last = self.steps
        return all(
            part.step == last + 1
            and all(
                part.__dict__[name].get(last) is None for name in (part.handed_back, *part.state_gradients)
            )
            for part in self.counting
        )

    def back(self, g: Value) -> list[Leaf]:
        """Write the way back; returns the gradients of the inputs."""
        p = self.p
        if not isinstance(g, list) or len(g) != self.steps:
            raise Unfit
        self.gradOutput = g
        check_steps(p, g)
        if shape_of(g) != shape_of(self.values[-1]):
            raise Unfit
        gradient: Value = g
        self.gradients: list[Any] = [gradient]
        for stage, x in zip(reversed(self.run.stages), reversed(self.values[:-1]), strict=True):
            gradient = BACKWARD[type(stage)](p, stage, x, gradient)
            self.gradients.insert(0, gradient)
        if p.is_survey:
            return [p.static(part) for part in gradient.tensor.unbind()]
        of_inputs = self.stepper.last_steps("gradInputs", gradient.tensor.unbind())
        return [self._written(tensor) for tensor in of_inputs]

    def accumulate(self) -> None:
        for stage in reversed(self.run.stages):
            GRADIENTS[type(stage)](self.p, stage)

    # -- what scripts see ---------------------------------------------------------------------------------

    def _show_forward(self) -> None:
        run, module, stepper = self.run, self.module, self.stepper
        run.drop()
        stepper.maxBPTTstep(self.steps)
        stepper.forget()
        run.went_back = run.accumulated = run.filled = False
        run.show()
        run._be_looked_into()
        module.__dict__["_run"] = run

    def show(self, tensor_of: dict[int, T], went_back: bool, accumulated: bool) -> None:
        """Have the modules show the last run."""
        run, p = self.run, self.p
        for stage in run.stages:
            if isinstance(stage, GatedStage):
                gate_lines.show(stage, went_back)
        run.inputs[0] = together(p.objects(self.inputs, tensor_of))
        self._show_forward()
        if not went_back:
            return
        last = alike(p.objects(self.gradOutput, tensor_of))
        run.gradients = [*(value.tensor for value in self.gradients[:-1]), last]
        for stage, gradient in zip(run.stages, run.gradients[1:], strict=True):
            if isinstance(stage, RowStage):
                stage.gradient = gradient.reshape(stage.wide.output.shape)
        run.went_back, run.accumulated = True, accumulated
        run._show_back()


# -- layers that take all steps as one batch ------------------------------------------------------------------


def _rows(p: StepProgram, stage: RowStage, x: Value) -> Leaf:
    wide, layer = stage.wide, type(stage.module)
    if layer not in lines.FORWARD:
        raise Unfit
    own = {"output": stage.module.new(), "gradInput": stage.module.new()}
    wide.__dict__.update(_own=dict(own), **own)
    known = len(p.kept)
    if layer is LookupTable:
        if not isinstance(x, list) or x[0].tensor.dim() != 1:
            raise Unfit
        result = p.note(wide, x, lines.look_up(p, wide, x))
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


def _rows_back(p: StepProgram, stage: RowStage, x: Value, g: Value) -> Leaf:
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


def _rows_gradients(p: StepProgram, stage: RowStage) -> None:
    wide, layer = stage.wide, type(stage.module)
    if layer is LookupTable:
        lines.add_rows(p, wide, p.input_of(wide), p.gradient_of(wide))
    elif layer in lines.GRADIENTS:
        lines.GRADIENTS[layer](p, wide, p.input_of(wide), p.gradient_of(wide))


# By the class of a stage: (program, stage, x) -> output, (program, stage, x, g) -> gradient, (program, stage).
FORWARD: dict[type, Callable[[StepProgram, Any, Value], Leaf]] = {
    RowStage: _rows,
    GatedStage: gate_lines.forward,
}
BACKWARD: dict[type, Callable[[StepProgram, Any, Value, Value], Leaf]] = {
    RowStage: _rows_back,
    GatedStage: gate_lines.back,
}
GRADIENTS: dict[type, Callable[[StepProgram, Any], None]] = {
    RowStage: _rows_gradients,
    GatedStage: gate_lines.accumulate,
}


# -- what takes sequences -------------------------------------------------------------------------------------


def _sequencer(p: StepProgram, m: Sequencer, x: Value) -> Value:
    if not isinstance(x, list) or len(x) < 2 or not isinstance(x[0], Leaf) or not x[0].tensor.dim():
        raise Unfit
    check_steps(p, x)
    sequence = p.sequences[id(m)] = ListedSequence(p, m, x)
    return p.passed(m, "output", sequence.outputs)


def _criterion(p: StepProgram, m: SequencerCriterion, x: Value) -> Value:
    p.sequences[id(m)] = ListedCriterion(p, m, *x)
    return []


def _back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    return p.passed(m, "gradInput", p.sequences[id(m)].back(g))


def _accumulate(p: StepProgram, m: Any, x: Value, g: Value) -> None:
    p.sequences[id(m)].accumulate()


lines.FORWARD |= {Sequencer: _sequencer, SequencerCriterion: _criterion}
lines.BACKWARD |= {Sequencer: _back, SequencerCriterion: _back}
lines.GRADIENTS |= {Sequencer: _accumulate}
