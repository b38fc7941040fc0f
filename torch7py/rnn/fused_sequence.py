"""A module that runs over a whole sequence at once.

The module is taken apart into *stages* (stages.py, recurrent_stages.py). A layer that computes each row alone takes the
rows of all steps as one batch. A gated network computes its products with the input, and their gradients, for all steps
at once; what depends on the step before runs in a loop, or all of it in one kernel (sequence_kernels.py).

``start`` returns None where some part has no stage: a method in Lua, a random layer that is not Dropout, steps of
different sizes, a hidden state that a script has set. The sequence then runs step by step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from torch7py.nn.base import Module
from torch7py.nn.container import Sequential
from torch7py.nn.trace import leaves_of
from torch7py.ops.tracing import numbers_known
from torch7py.rnn.branches import BRANCHES, BranchStage
from torch7py.rnn.dropout_stage import DropoutStage, Masks
from torch7py.rnn.masking import TrimZero
from torch7py.rnn.recurrent import Recursor
from torch7py.rnn.recurrent_stages import STAGES, GatedStage, SimpleStage, fill_steps
from torch7py.rnn.stages import (
    MASKS,
    IntoMask,
    IntoTrim,
    MergeStage,
    OutOfMask,
    OutOfTrim,
    PassStage,
    RowStage,
    Stage,
    StepByStep,
    marked,
)
from torch7py.rnn.steps import nearly, together, unstack_steps

__all__ = ["FusedSequence", "start"]

T = torch.Tensor
TABLES = (MergeStage, BranchStage, PassStage)  # what takes tables


class FusedSequence:
    """One pass of a sequence through the stages of a module."""

    def __init__(self, module: Any, within: Any = None) -> None:
        """``within`` is the root module of the sequence that this one is a branch of."""
        self.root = module if within is None else within
        self.stages: list[Stage] = []
        # What is around the stages, innermost first, with the numbers of its first stage and the one after its last.
        self.around: list[tuple[Any, int, int]] = []
        self._take_apart(module)
        self.inner = [run for stage in self.stages if isinstance(stage, BranchStage) for run in stage.runs]
        self.masks = Masks(self.all_stages())
        # Those of the stages, and then all modules that count steps.
        self.counting = [s for s in self.stages if isinstance(s, (GatedStage, SimpleStage))]
        self.own = [s.module for s in self.counting] + [wrapper for wrapper, *_ in self.wrappers]
        self.recurrents = self.own + [module for run in self.inner for module in run.recurrents]
        self.steps = 0
        self.went_back = self.accumulated = self.filled = False
        self.in_training = True
        self.first_states: list[tuple[dict[int, Any], int, T]] = []  # in evaluation: table, step and state
        self.inputs: list[Any] = []  # tensors; the first may be a list of them, for steps that are tables

    def _take_apart(self, module: Any) -> None:
        if marked(module):
            raise StepByStep
        first = len(self.stages)
        if type(module) is Sequential and module._modules:
            for child in module.child_list():
                self._take_apart(child)
        elif type(module) in MASKS:
            self._take_masked(module)
        elif type(module) is Recursor:
            self._take_apart(module.step_module)
        elif type(module) in BRANCHES:
            self.stages.append(
                BranchStage(module, [FusedSequence(child, self.root) for child in module.child_list()])
            )
            return
        else:
            self.stages.append(STAGES.get(type(module), RowStage)(module))
            return
        self.around.append((module, first, len(self.stages)))

    def _take_masked(self, module: Any) -> None:
        trims = type(module) is TrimZero
        into, known = IntoTrim(module) if trims else IntoMask(module), len(self.wrappers)
        self.stages.append(into)
        self._take_apart(module.inner_module)
        inside = self.stages[self.stages.index(into) + 1 :]
        if len(self.wrappers) > known:  # a Recursor keeps the masked gradient
            raise StepByStep
        if any(isinstance(stage, BranchStage) and not stage.plain() for stage in inside):
            raise StepByStep
        if isinstance(into, IntoTrim):
            if any(
                isinstance(stage, DropoutStage) for stage in inside
            ):  # its masks have as many rows as a step
                raise StepByStep
            into.by_steps = not all(type(stage) is RowStage for stage in inside)
            for stage in inside:
                if isinstance(stage, RowStage):
                    stage.shown = into.shown
            self.stages.append(OutOfTrim(into, inside[-1]))
        else:
            self.stages.append(OutOfMask(into, inside[-1]))

    def all_stages(self) -> list[Any]:
        """The stages in the order in which a step goes through them."""
        stages: list[Any] = []
        for stage in self.stages:
            inner = (
                [part for run in stage.runs for part in run.all_stages()]
                if isinstance(stage, BranchStage)
                else []
            )
            stages += [*inner, stage]
        return stages

    @property
    def wrappers(self) -> list[tuple[Any, int, int]]:
        """The Recursors around the stages."""
        return [wrapper for wrapper in self.around if type(wrapper[0]) is Recursor]

    def forward(self, input: T | list[T]) -> T:
        """Run all steps; the modules count them and set their fields as after single steps."""
        if all(isinstance(stage, PassStage) for stage in self.stages):
            raise StepByStep  # the outputs are the inputs themselves
        self._note_mode(self.root.training)
        if not self.in_training:
            self._note_first_states()
        self.compute(input)
        self.show()
        self._be_looked_into()
        return self.output

    def _note_mode(self, training: bool) -> None:
        self.in_training = training
        for run in self.inner:
            run._note_mode(training)

    def compute(self, input: Any) -> T:
        """Run all steps without setting any field of the modules."""
        self.inputs = [input]
        for stage in self.stages:
            if isinstance(self.inputs[-1], list) and not isinstance(stage, TABLES):
                raise StepByStep
            self.inputs.append(stage.output(self.inputs[-1]))
        if any(isinstance(self.inputs[end], list) for end in (-1, *(end for _, _, end in self.around))):
            raise StepByStep
        self.output: T = self.inputs[-1]
        self.steps = self.output.shape[0]
        return self.output

    def show(self) -> None:
        """Let the modules count the steps and set their outputs."""
        for stage in self.stages:
            stage.show(self.steps)
        for module, _, end in self.around:
            if type(module) is Recursor:
                module.keep_steps([[output] for output in self.inputs[end].unbind()])
            elif type(module) is Sequential:
                last = module.child_list()[-1]
                # Of a module with steps the output is the last step's, of the clone that it is in the first's.
                of_step = self.inputs[end][0 if module.training else -1]
                module.set_output(of_step if last in self.recurrents else last.output)

    def fits(self, input: T | list[T] | None, gradient: T | None) -> bool:
        """Whether these have the sizes and types of the sequence's input and output."""
        known, inputs = ([x] if isinstance(x, torch.Tensor) else x or [] for x in (self.inputs[0], input))
        pairs = [*zip(known, inputs, strict=False), (self.output, gradient)]
        return len(known) == len(inputs) and all(
            now is not None and now.shape == then.shape and now.dtype == then.dtype for then, now in pairs
        )

    def take(self, input: Any) -> None:
        """Go on with these inputs, in which the script may have written since the forward."""
        self.inputs[0] = input
        for number, stage in enumerate(self.stages):
            input = stage.passed_on(input)
            if input is None:
                break
            self.inputs[number + 1] = input

    def grad_input(self, input: Any, gradient: T) -> Any:
        self.take(input)
        self.filled = False
        self.gradients: list[Any] = [gradient]
        for stage, x in zip(reversed(self.stages), reversed(self.inputs[:-1]), strict=True):
            gradient = stage.grad_input(x, gradient)
            self.gradients.insert(0, gradient)
        self.went_back = True
        self._show_back()
        self._be_looked_into()
        return gradient

    def _show_back(self) -> None:
        """Let the modules set their gradients."""
        for stage in reversed(self.stages):
            stage.show_gradient()
        for stage, of_input in zip(self.stages, self.gradients, strict=False):
            if stage in self.counting and stage.module.generation.keeps_grad_input:
                stage.module.set_grad_input(of_input[0])
        for module, *_ in self.around:
            if type(module) is TrimZero:  # it has its own, of all rows
                continue
            if type(module) is not Recursor or module.generation.keeps_grad_input:
                module.set_grad_input(module.child_list()[0].gradInput)
        for stage, of_input in zip(self.stages, self.gradients, strict=False):
            if stage in self.counting:
                stage.module.generation.expect_back(stage.module, of_input)
        for wrapper, first, _ in self.wrappers:
            wrapper.generation.expect_back(wrapper, self.gradients[first])
        for module in self.own:
            module.went_back(self.steps)
            if module is not self.root:
                module.set_output(module.outputs[module.step - self.steps])  # where the way back has come to

    def went_back_with(self, input: T | list[T] | None, gradient: T | None) -> bool:
        """Whether these are the numbers with which the sequence went back."""
        if gradient is None or not self.fits(input, gradient):
            return False
        pairs = [
            *zip(leaves_of(self.inputs[0]), leaves_of(input), strict=True),
            (self.gradients[-1], gradient),
        ]
        return all(not numbers_known(one, other) or torch.equal(one, other) for one, other in pairs)

    def acc_grad(self, scale: float) -> None:
        for stage, x in zip(reversed(self.stages), reversed(self.inputs[:-1]), strict=True):
            stage.acc_grad(x, scale)
        for module in self.recurrents:
            module.__dict__["gradParametersAccumulated"] = True
            module.generation.note_scales(module, range(module.step - self.steps, module.step), scale)

    def settle(self, module: Any, first: int) -> None:
        """Store a module's inputs and gradients of the steps from ``first`` on, before the sequence is dropped."""
        start = max(0, first - (module.step - self.steps))
        if start >= self.steps:
            return
        for number, stage in enumerate(self.stages):
            if isinstance(stage, BranchStage):
                for run in stage.runs:
                    if module in run.recurrents:
                        run.settle(module, first)
            elif stage in self.counting and stage.module is module:
                self._settle_inputs(module, self.inputs[number], start)
                if self.went_back and not self.filled:
                    stage.settle(self.gradients[number], self.gradients[number + 1], start)
        for wrapper, begin, end in self.wrappers:
            if wrapper is module:
                self._settle_inputs(module, self.inputs[begin], start)
                if self.went_back and not self.filled:
                    of_input, gradient = (
                        unstack_steps(self.gradients[begin]),
                        unstack_steps(self.gradients[end]),
                    )
                    fill_steps(wrapper, of_input, gradient, start)

    def _settle_inputs(self, module: Any, x: Any, start: int) -> None:
        if self.in_training and module.generation.year == 2015:
            module.inputs.update(enumerate(unstack_steps(x)[start:], module.step - self.steps + start))

    def undo(self) -> None:
        """Restore the modules' counts of steps, to run the sequence again step by step."""
        self.drop()
        for module in self.recurrents:
            module.__dict__["step"] -= self.steps
        for table, step, state in self.first_states:
            table[step] = state

    def _note_first_states(self) -> None:
        """Keep the states before the first step, which in evaluation lie where every step's do."""
        for module in self.recurrents:
            step = module.step - 1
            tables = [module.__dict__[name] for name in module.state_tables]
            self.first_states += [(table, step, table[step].data) for table in tables if step in table]

    def join_states(self) -> None:
        """After single steps in evaluation, let the states of the steps before them lie where every step's do."""
        for table, step, _ in self.first_states:
            last = table[max(table)]
            for before in table:
                if before <= step:
                    table[before] = last

    # What the steps would have left is not there. Who looks at the gradients of states and inputs has the modules'
    # tables filled; who looks at the clones for the steps has these done one by one.

    def fill(self) -> None:
        """Fill the modules' tables by step as the single steps would have done."""
        for run in self.inner:
            run.fill()
        for module, x in self._with_inputs():
            self._settle_inputs(module, x, 0)
        if not self.went_back or self.filled:
            return
        self.filled = True
        for number, stage in enumerate(self.stages):
            stage.fill(*self.gradients[number : number + 2])
        for wrapper, first, end in self.wrappers:
            fill_steps(wrapper, unstack_steps(self.gradients[first]), unstack_steps(self.gradients[end]))

    def _with_inputs(self) -> list[tuple[Any, Any]]:
        """The modules that count steps, with their inputs."""
        inner = [(s.module, x) for s, x in zip(self.stages, self.inputs, strict=False) if s in self.counting]
        return inner + [(wrapper, self.inputs[first]) for wrapper, first, _ in self.wrappers]

    def _be_looked_into(self) -> None:
        for module in self.recurrents:
            module.__dict__["_run"] = self

    def drop(self) -> None:
        """Forget this sequence: nobody will read what it left out."""
        for module in self.recurrents:
            if module.__dict__.get("_run") is self:
                del module.__dict__["_run"]

    def replay(self) -> None:
        """Run the sequence again step by step, with its backward if it had one, without accumulating gradients.

        If parameters have changed since, the clones for the steps only get the known results.
        """
        names = ("step", "rho", "gradParametersAccumulated")
        before = [
            (module, {name: module.__dict__[name] for name in names if name in module.__dict__})
            for module in self.recurrents
        ]
        self.undo()
        for module in self.recurrents:  # a next sequence may be shorter
            module.__dict__["rho"] = max(module.rho, self.steps)
        again = self._again()
        for module, values in before:
            module.__dict__.update(values)
        if not again:
            self._show_known()

    def _again(self) -> bool:
        """Run the single steps; returns whether they give the same results."""
        inputs = unstack_steps(self.inputs[0])
        with self.masks.again():
            for x, output in zip(inputs, self.output, strict=True):
                if not nearly(self.root.updateOutput(x), output):
                    return False
        if self.went_back:
            self.root.generation.sequence_grad_input(self.root, inputs, list(self.gradients[-1]))
            for module in self.recurrents:
                module.went_back(self.steps)
        self.join_states()
        return True

    def _show_known(self) -> None:
        for module in self.recurrents:
            module.__dict__["step"] -= self.steps
        self.show()
        if self.went_back:
            self._show_back()
            self.fill()
        self._show_steps()

    def _show_steps(self) -> None:
        """Set the known results of the clones for the steps."""
        for run in self.inner:
            run._show_steps()
        for number, stage in enumerate(self.stages):
            if stage in self.counting:
                stage.show_steps(self.inputs[number], self.gradients[number] if self.went_back else None)
        for wrapper, first, end in self.wrappers:
            of_input = unstack_steps(self.gradients[first]) if self.went_back else [None] * self.steps
            steps = range(wrapper.step - self.steps, wrapper.step)
            for step, output, gradient in zip(steps, self.inputs[end], of_input, strict=True):
                wrapper.show_step(step, output, gradient)


def start(module: Module, steps: Sequence[Any] | T) -> tuple[FusedSequence, T] | None:
    """Run a sequence; returns the FusedSequence and its outputs, or None if it must run step by step."""
    if len(steps) < 2:
        return None
    x = together(steps)
    if x is None or (isinstance(x, torch.Tensor) and x.dim() < 2):
        return None
    run: FusedSequence | None = None
    try:
        run = FusedSequence(module)
        return run, run.forward(x)
    except StepByStep:
        if run is not None:
            run.masks.give_back()
        return None
