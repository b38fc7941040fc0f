"""The instructions for a Sequencer: all steps of a sequence as one piece, in memory that stays.

The modules look after a run as if a ``FusedSequence`` had run: its stages hold this memory, and it shows them when
somebody may look. Lists of instructions are described in ``nn/step_program.py``.
"""

from __future__ import annotations

from typing import Any

import torch

from torch7py.nn import step_lines as lines
from torch7py.nn.step_program import Leaf, StepProgram, Unfit, Value
from torch7py.rnn import gate_lines, row_lines, simple_lines
from torch7py.rnn.criterion import SequencerCriterion
from torch7py.rnn.criterion_lines import ListedCriterion
from torch7py.rnn.fused_sequence import FusedSequence
from torch7py.rnn.generation import LATEST
from torch7py.rnn.joint_lines import check_steps, shape_of
from torch7py.rnn.recurrent_stages import GatedStage, RecurrentStage
from torch7py.rnn.sequencer import Sequencer
from torch7py.rnn.stages import RowStage, StepByStep
from torch7py.rnn.step_memory import StepMemory
from torch7py.rnn.steps import alike, together

__all__ = ["ListedSequence"]

T = torch.Tensor
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
        parts = list(self.stepper.modules())
        self.counting = [part for part in parts if isinstance(part, StepMemory)]
        # What a Recurrent runs its first step by, and the others, are no children of it.
        inside = [
            step for part in self.counting for step in (part.__dict__.get("initialModule"), part.step_module)
        ]
        behind = [part for step in inside if step is not None for part in step.modules()]
        if (
            self.run.inner
            or not all(type(stage) in LINES for stage in self.run.stages)
            or any(part.__dict__["_generation"] != LATEST for part in self.counting)
            or not self._may_run()
        ):
            raise Unfit
        known = {id(part): part for part in parts}
        for key, part in {**known, **{id(part): part for part in behind}}.items():
            p.take(part, may_catch_up=True, moves=key in known)
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
            x = LINES[type(stage)].forward(p, stage, x)
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
        check_steps(g)
        if shape_of(g) != shape_of(self.values[-1]):
            raise Unfit
        gradient: Value = g
        self.gradients: list[Any] = [gradient]
        for stage, x in zip(reversed(self.run.stages), reversed(self.values[:-1]), strict=True):
            gradient = LINES[type(stage)].back(p, stage, x, gradient)
            self.gradients.insert(0, gradient)
        if p.is_survey:
            return [p.static(part) for part in gradient.tensor.unbind()]
        of_inputs = self.stepper.last_steps("gradInputs", gradient.tensor.unbind())
        return [self._written(tensor) for tensor in of_inputs]

    def accumulate(self) -> None:
        for stage in reversed(self.run.stages):
            LINES[type(stage)].accumulate(self.p, stage)

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


# By the class of a stage, modules of functions: forward (program, stage, x) -> output, back (program, stage, x, g) ->
# gradient, accumulate (program, stage).
LINES: dict[type, Any] = {RowStage: row_lines, GatedStage: gate_lines, RecurrentStage: simple_lines}


# -- what takes sequences -------------------------------------------------------------------------------------


def _sequencer(p: StepProgram, m: Sequencer, x: Value) -> Value:
    if not isinstance(x, list) or len(x) < 2 or not isinstance(x[0], Leaf) or not x[0].tensor.dim():
        raise Unfit
    check_steps(x)
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
