"""The rnn package since January 2016: each backward goes back one step, the last step first."""

from __future__ import annotations

from typing import Any, ClassVar

from torch7py.nn.copying import TensorMap
from torch7py.nn.sequence_methods import other_generation
from torch7py.ops.errors import TorchError
from torch7py.rnn.stepped_module import SteppedModule

__all__ = ["EVALUATION", "Generation2016", "compact"]

EVALUATION = 0  # the place of all steps in evaluation, which one module serves


def compact(table: dict[int, Any]) -> dict[int, Any]:
    """Renumber a table by step from 1."""
    first = EVALUATION if EVALUATION in table else EVALUATION + 1
    return dict(enumerate(map(table.__getitem__, sorted(table)), first))


def move_buffers(rnn: SteppedModule, old: int) -> None:
    """Let what an old step was shown in show the one at hand."""
    buffers = rnn.places.pop(old, None)
    if buffers is not None and old >= rnn.first_clone:
        rnn.places[rnn.step] = buffers


class Generation2016:
    """What differs between the generations, as data and as the procedures behind the methods of their names."""

    year: ClassVar[int] = 2016
    recurrent_rho: ClassVar[int] = 99999  # nn.Recurrent's default
    wraps_plain_modules: ClassVar[bool] = True  # a Sequencer makes a Recursor of what has no steps
    text_has_sizes: ClassVar[bool] = True  # nn.LSTM(4 -> 5)
    gates_have_dropout: ClassVar[bool] = True  # the gates of nn.LSTM hold nn.Dropout
    linear_says_no_bias: ClassVar[bool] = True  # nn.LinearNoBias(4 -> 3) without bias
    replaces_dropout: ClassVar[bool] = True  # nn.Dropout(0.5, busy)
    equal_lengths: ClassVar[bool] = True  # SequencerCriterion wants as many targets as inputs
    goes_back_once: ClassVar[bool] = True  # a step goes back once after its forward
    keeps_grad_input: ClassVar[bool] = True  # after a sequence gradInput is that of its first step
    absent: ClassVar[frozenset[str]] = frozenset()  # fields that its modules do not have
    reused: ClassVar[tuple[str, ...]] = ("_gradOutputs",)  # tables whose entries serve later steps
    sums_last: ClassVar[bool] = True  # the last step's gradient goes through _gradOutputs too
    conversion_forgets: ClassVar[bool] = True  # nn.LSTM:type() forgets
    hidden_gradients: ClassVar[str] = "gradOutputs"  # the field with what a step adds to the one before it

    # -- what is kept of the steps (step_memory.py) ---------------------------------------------------------------

    def start(self, rnn: SteppedModule) -> None:
        """Set the fields of a new module."""

    def clear(self, rnn: SteppedModule) -> None:
        """Forget what is kept of past steps."""

    def reach(self, rnn: SteppedModule) -> int:
        """How many steps back the step is whose clone the next one takes over."""
        attributes = rnn.__dict__
        known: int | None = attributes["nSharedClone"]
        return max(attributes["rho"] + 1, len(attributes["sharedClones"]) if known is None else known)

    def recycle(self, rnn: SteppedModule, offset: int) -> None:
        """Let the present step take over the clone, and the tables' tensors, of the oldest one."""
        attributes = rnn.__dict__
        clones, totals, step = attributes["sharedClones"], attributes["_gradOutputs"], attributes["step"]
        if attributes["nSharedClone"] is None:
            attributes["nSharedClone"] = len(clones)
        old = step - self.reach(rnn)
        if step not in clones:
            for table in (clones, totals):
                table.pop(step, None)
                if old in table:
                    table[step] = table.pop(old)
            move_buffers(rnn, old)
        attributes["_totals"].pop(old, None)
        attributes["outputs"].pop(old - 1, None)
        attributes["gradInputs"].pop(old - 1, None)

    def restart(self, rnn: SteppedModule) -> None:
        """Begin again from step 1, with the clones of the last steps."""
        attributes = rnn.__dict__
        kept = {name: compact(attributes[name]) for name in ("sharedClones", "_gradOutputs")}
        kept["_places"] = compact(rnn.places)
        rnn._clear_steps()
        attributes.update(kept)

    def convert(self, rnn: SteppedModule, convert: TensorMap) -> None:
        """Convert the tensors of steps that are not in fields."""

    def expect_input(self, rnn: SteppedModule, step: int) -> None:
        """A step has run whose input is stored when it is read."""

    def expect_back(self, rnn: SteppedModule, of_input: Any) -> None:
        """As many steps have gone back; their gradients are stored when they are read."""

    def note_back(self, rnn: SteppedModule, first: int, of_input: Any, gradients: Any) -> None:
        """Store the gradients of inputs and outputs of the steps from ``first`` on."""
        for step, part in enumerate(of_input, first):
            rnn.gradInputs[step] = rnn.placed(step, "gradInputs", part)

    def note_scales(self, rnn: SteppedModule, steps: range, scale: float) -> None:
        """Store the factor with which steps have accumulated gradients."""

    # -- one step -----------------------------------------------------------------------------------------

    def after_forward(self, rnn: SteppedModule, input: Any) -> None:
        """A step has run forward; ``step`` is still its number."""

    def update_grad_input(self, rnn: SteppedModule, input: Any, gradOutput: Any) -> Any:
        attributes = rnn.__dict__
        if attributes.get("updateGradInputStep") is None:
            attributes["updateGradInputStep"] = rnn.step
        step = attributes["updateGradInputStep"] - 1
        if rnn.first_step_back is not None and step < rnn.first_step_back:
            raise TorchError(f"{rnn.class_name}: backward without a forward of its step")
        result = rnn._updateGradInput(input, gradOutput)
        attributes["updateGradInputStep"] = step
        rnn.gradInputs[step] = result
        return rnn.set_grad_input(result)

    def acc_grad_parameters(self, rnn: SteppedModule, input: Any, gradOutput: Any, scale: float) -> None:
        attributes = rnn.__dict__
        if attributes.get("accGradParametersStep") is None:
            attributes["accGradParametersStep"] = rnn.step
        step = attributes["accGradParametersStep"] - 1
        reached = attributes.get("updateGradInputStep")
        first = rnn.first_step_back
        if reached is None or (first is not None and (step < first or reached > step)):
            raise TorchError(f"{rnn.class_name}: accGradParameters without the updateGradInput of its step")
        rnn._accGradParameters(input, gradOutput, scale)
        attributes["accGradParametersStep"] = step

    def backward(self, rnn: SteppedModule, input: Any, gradOutput: Any, scale: float) -> Any:
        rnn.updateGradInput(input, gradOutput)
        rnn.accGradParameters(input, gradOutput, scale)
        return rnn.gradInput

    def update_parameters(self, rnn: SteppedModule, learning_rate: float) -> None:
        rnn.update_children(learning_rate)

    # -- through time: of the other generation ------------------------------------------------------------

    def backward_through_time(self, rnn: SteppedModule, step: int | None, rho: int | None) -> Any:
        raise other_generation("backwardThroughTime", 2015)

    def grad_input_through_time(self, rnn: SteppedModule, step: int | None, rho: int | None) -> Any:
        raise other_generation("updateGradInputThroughTime", 2015)

    def acc_through_time(self, rnn: SteppedModule, step: int | None, rho: int | None) -> None:
        raise other_generation("accGradParametersThroughTime", 2015)

    def update_through_time(
        self, rnn: SteppedModule, learning_rate: float, step: int | None, rho: int | None
    ) -> None:
        raise other_generation("accUpdateGradParametersThroughTime", 2015)

    # -- a whole sequence ---------------------------------------------------------------------------------

    def sequence_grad_input(self, rnn: SteppedModule, inputs: Any, gradients: Any) -> list[Any]:
        """Go back through a sequence that ``rnn`` has just seen; returns the gradient of each input."""
        of_inputs = [rnn.updateGradInput(inputs[t], gradients[t]) for t in range(len(inputs) - 1, -1, -1)]
        return of_inputs[::-1]

    def sequence_acc_grad(self, rnn: SteppedModule, inputs: Any, gradients: Any, scale: float) -> None:
        for t in range(len(inputs) - 1, -1, -1):
            rnn.accGradParameters(inputs[t], gradients[t], scale)
