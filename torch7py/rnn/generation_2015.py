"""The rnn package as of October 2015: a backward only records, ``backwardThroughTime`` goes back through time.

``updateParameters`` does so itself when nobody has since the last forward, and then the gradients go straight into
the parameters; the gradient buffers stay as they are.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.copying import TensorMap, map_tensors
from torch7py.ops.errors import TorchError
from torch7py.ops.quirks import disregard
from torch7py.rnn.generation_2016 import Generation2016, compact, move_buffers
from torch7py.rnn.stepped_module import SteppedModule
from torch7py.rnn.steps import unstack_steps

__all__ = ["Generation2015"]


def copied(value: Any, deep: bool) -> Any:
    """A value as it is now; unless ``deep``, later changes of its tensors are seen."""
    if isinstance(value, list):
        return [copied(item, deep) for item in value]
    return value.data.clone() if deep else value.data


class Generation2015(Generation2016):
    """The interface of 2015."""

    year: ClassVar[int] = 2015
    recurrent_rho: ClassVar[int] = 5
    wraps_plain_modules: ClassVar[bool] = False
    text_has_sizes: ClassVar[bool] = False
    gates_have_dropout: ClassVar[bool] = False
    linear_says_no_bias: ClassVar[bool] = False
    replaces_dropout: ClassVar[bool] = False
    equal_lengths: ClassVar[bool] = False
    goes_back_once: ClassVar[bool] = False
    keeps_grad_input: ClassVar[bool] = False
    absent: ClassVar[frozenset[str]] = frozenset(
        "nSharedClone updateGradInputStep accGradParametersStep".split()
    )
    reused: ClassVar[tuple[str, ...]] = ("_gradOutputs", "gradOutputs", "inputs")
    sums_last: ClassVar[bool] = False
    conversion_forgets: ClassVar[bool] = False
    hidden_gradients: ClassVar[str] = "_gradHidden"  # gradOutputs holds what was recorded

    # -- what is kept of the steps, and one step ----------------------------------------------------------

    def start(self, rnn: SteppedModule) -> None:
        rnn.__dict__.update(
            fastBackward=True, copyInputs=True, copyGradOutputs=True, gradParametersAccumulated=False
        )

    def clear(self, rnn: SteppedModule) -> None:
        rnn.__dict__.update(inputs={}, scales={})

    def reach(self, rnn: SteppedModule) -> int:
        attributes = rnn.__dict__
        return max(attributes["rho"] + 1, len(attributes["sharedClones"]))

    def recycle(self, rnn: SteppedModule, offset: int) -> None:
        attributes = rnn.__dict__
        step, rho = attributes["step"], attributes["rho"] + 1
        clones, outputs, inputs = attributes["sharedClones"], attributes["outputs"], attributes["inputs"]
        old = step - max(rho, len(clones))
        if old > offset and old in clones:
            clones[step] = clones.pop(old)
            move_buffers(rnn, old)
        old = step - max(rho, len(outputs))
        if old > offset:
            outputs.pop(old - 1, None)
        old = step - max(rho, len(inputs))
        if old > 0:
            for table in (inputs, attributes["gradOutputs"], attributes["_gradOutputs"]):
                if old in table:
                    table[step] = table.pop(old)
            for name in ("scales", "_totals"):
                attributes[name].pop(old, None)

    def restart(self, rnn: SteppedModule) -> None:
        attributes = rnn.__dict__
        names = ("outputs", "sharedClones", "inputs", "gradOutputs", "_gradOutputs")
        kept = {name: compact(attributes[name]) for name in names}
        kept["_places"] = compact(rnn.places)
        kept.update((name, attributes[name]) for name in ("gradInputs", *rnn.state_tables[1:]))
        rnn._clear_steps()
        attributes.update(kept)

    def convert(self, rnn: SteppedModule, convert: TensorMap) -> None:
        map_tensors(rnn.__dict__["_gradHidden"], convert)

    def expect_input(self, rnn: SteppedModule, step: int) -> None:
        rnn.inputs.setdefault(step, None)

    def expect_back(self, rnn: SteppedModule, of_input: Any) -> None:
        rnn.gradOutputs.update(dict.fromkeys(range(rnn.step - len(of_input), rnn.step)))
        rnn.__dict__["gradInputs"] = dict(enumerate(rnn.last_steps("gradInputs", unstack_steps(of_input)), 1))

    def note_back(self, rnn: SteppedModule, first: int, of_input: Any, gradients: Any) -> None:
        rnn.gradOutputs.update(enumerate(gradients, first))

    def note_scales(self, rnn: SteppedModule, steps: range, scale: float) -> None:
        rnn.scales.update(dict.fromkeys(steps, scale))

    def after_forward(self, rnn: SteppedModule, input: Any) -> None:
        if rnn.training:
            rnn.inputs[rnn.step] = copied(input, rnn.copyInputs)
        rnn.__dict__["gradParametersAccumulated"] = False

    def update_grad_input(self, rnn: SteppedModule, input: Any, gradOutput: Any) -> None:
        if rnn.step < 2:
            raise TorchError(f"{rnn.class_name}: backward without a forward of its step")
        rnn.gradOutputs[rnn.step - 1] = copied(gradOutput, rnn.copyGradOutputs)

    def acc_grad_parameters(self, rnn: SteppedModule, input: Any, gradOutput: Any, scale: float) -> None:
        rnn.scales[rnn.step - 1] = scale

    def update_parameters(self, rnn: SteppedModule, learning_rate: float) -> None:
        if rnn.gradParametersAccumulated:
            rnn.update_children(learning_rate)
        else:
            rnn.backwardUpdateThroughTime(learning_rate)

    # -- through time -------------------------------------------------------------------------------------

    @staticmethod
    def _steps(rnn: SteppedModule, step: int | None, rho: int | None) -> range:
        """The steps to go back through, the last first. Whoever gives a step and a number of steps has them
        disregarded, as they were."""
        if step is not None or rho is not None:
            disregard("argument of backwardThroughTime", "2015-10-27")
        rnn.look_into_steps()
        last = rnn.step - 1
        if last < 1:
            raise TorchError(f"{rnn.class_name}: going back through time without a forward")
        return range(last, last - min(rnn.rho, last), -1)

    @staticmethod
    def _recorded(rnn: SteppedModule, step: int) -> tuple[Any, Any]:
        """Input and gradOutput of a step."""
        if rnn.gradOutputs.get(step) is None or rnn.inputs.get(step) is None:
            raise TorchError(f"{rnn.class_name}: going back through step {step}, which had no backward")
        return rnn.inputs[step], rnn.gradOutputs[step]

    def backward_through_time(self, rnn: SteppedModule, step: int | None, rho: int | None) -> Any:
        if not rnn.fastBackward:
            result = rnn.updateGradInputThroughTime(step, rho)
            rnn.accGradParametersThroughTime(step, rho)
            return result
        result = self._back(rnn, self._steps(rnn, step, rho), accumulate=True)
        if rnn.marks_fast_backward:
            rnn.__dict__["gradParametersAccumulated"] = True
        return result

    def grad_input_through_time(self, rnn: SteppedModule, step: int | None, rho: int | None) -> Any:
        return self._back(rnn, self._steps(rnn, step, rho), accumulate=False)

    def _back(self, rnn: SteppedModule, steps: range, accumulate: bool) -> Any:
        rnn.__dict__["_gradHidden"].clear()
        gradients: list[torch.Tensor] = []
        for step in steps:
            input, gradient = self._recorded(rnn, step)
            gradients.append(rnn.step_grad_input(step, input, gradient))
            if accumulate:
                rnn.step_acc_grad(step, input, gradient, rnn.scales.get(step, 1))
        rnn.__dict__["gradInputs"] = dict(enumerate(reversed(gradients), 1))
        return gradients[-1]

    def acc_through_time(self, rnn: SteppedModule, step: int | None, rho: int | None) -> None:
        for number in self._steps(rnn, step, rho):
            input, gradient = self._recorded(rnn, number)
            rnn.step_acc_grad(number, input, gradient, rnn.scales.get(number, 1))
        rnn.__dict__["gradParametersAccumulated"] = True

    def update_through_time(
        self, rnn: SteppedModule, learning_rate: float, step: int | None, rho: int | None
    ) -> None:
        for number in self._steps(rnn, step, rho):
            input, gradient = self._recorded(rnn, number)
            rnn.step_acc_update(number, input, gradient, learning_rate * rnn.scales.get(number, 1))

    # -- a whole sequence ---------------------------------------------------------------------------------

    @staticmethod
    def _for_all_steps(rnn: SteppedModule, inputs: Any, record: Any) -> None:
        """Record for each step of the sequence, as if its forward had just been done."""
        first = rnn.step - len(inputs)
        for t in range(len(inputs)):
            rnn.__dict__["step"] = first + t + 1
            record(t)

    def sequence_grad_input(self, rnn: SteppedModule, inputs: Any, gradients: Any) -> list[Any]:
        self._for_all_steps(rnn, inputs, lambda t: rnn.updateGradInput(inputs[t], gradients[t]))
        rnn.updateGradInputThroughTime()
        gradients_of_inputs = list(rnn.gradInputs.values())
        if len(gradients_of_inputs) != len(inputs):
            raise TorchError(
                f"{rnn.class_name} went back {len(gradients_of_inputs)} steps of {len(inputs)} (is rho too low?)"
            )
        return gradients_of_inputs

    def sequence_acc_grad(self, rnn: SteppedModule, inputs: Any, gradients: Any, scale: float) -> None:
        self._for_all_steps(rnn, inputs, lambda t: rnn.accGradParameters(inputs[t], gradients[t], scale))
        rnn.accGradParametersThroughTime()
