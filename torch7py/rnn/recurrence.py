"""Recurrence: any module of ``{input, output before}`` as a recurrent network."""

from __future__ import annotations

from typing import Any, ClassVar, TypeAlias

import torch

from torch7py.nn.base import Module
from torch7py.nn.registry import layer
from torch7py.nn.sequence_methods import Stepping, entry
from torch7py.nn.trace import leaves_of
from torch7py.ops.errors import TorchError
from torch7py.ops.memory import Storage
from torch7py.rnn.abstract import AbstractRecurrent, add_gradients
from torch7py.rnn.gated import first_not_none

__all__ = ["Recurrence"]

Sizes: TypeAlias = "tuple[int, ...] | list[Sizes]"


def sizes_of(output: Any) -> Any:
    """The size of an output as a tuple, without the batch; of a table of outputs, a list of them."""
    if isinstance(output, Storage):
        return tuple(int(n) for n in output.tensor().tolist())
    if isinstance(output, (int, float)) and not isinstance(output, bool):
        return (int(output),)
    if isinstance(output, list) and output:
        if all(isinstance(item, (int, float)) for item in output):
            return tuple(int(item) for item in output)
        return [sizes_of(item) for item in output]
    raise TorchError("nn.Recurrence: the size of the output is a number, a LongStorage or a table of them")


@layer("nn.Recurrence", package="rnn", keeps="always", parts="one", takes="any", gives="any")
class Recurrence(AbstractRecurrent):
    """``nn.Recurrence(module, outputSize, nInputDim[, rho])``: ``output(t) = module{input(t), output(t-1)}``.

    ``outputSize`` is the size of an output without the batch (a number, a LongStorage or a table), or a table of such
    sizes for a table of outputs: output 0 is zeros of it, or ``userPrevOutput``. ``nInputDim`` is the number of
    dimensions of an input (of a table: of its first tensor) without the batch. rho is 9999 by default.

    Shapes of a step: what the module takes first -> what it gives.
    """

    fields: ClassVar[tuple[str, ...]] = (
        "outputSize",
        "nInputDim",
        "module",
        "typeTensor",
        "zeroTensor",
        "userPrevOutput",
        "userNextGradOutput",
        "gradPrevOutput",
    )

    nInputDim: int

    def __init__(self, recurrentModule: Any, outputSize: Any, nInputDim: int, rho: int | None = None) -> None:
        if isinstance(nInputDim, bool) or not isinstance(nInputDim, (int, float)):
            raise TorchError("nn.Recurrence expects nInputDim, a number, as argument 3")
        if not isinstance(recurrentModule, torch.nn.Module):
            raise TorchError("nn.Recurrence expects a module as argument 1")
        super().__init__(9999 if rho is None else rho)
        sizes_of(outputSize)
        self.__dict__["outputSize"] = [outputSize] if isinstance(outputSize, (int, float)) else outputSize
        self.nInputDim = int(nInputDim)
        self.__dict__["module"] = recurrentModule
        self.keep("typeTensor", self.new())
        self.set_step_module(recurrentModule)

    def prepare_blank(self) -> None:
        super().prepare_blank()
        self.keep("typeTensor", self.new())

    # -- the output before step 1 -------------------------------------------------------------------------

    def _batch(self, input: Any) -> tuple[int, ...]:
        """The size of the batch; nothing for a single example."""
        first = input
        while isinstance(first, list) and first:
            first = first[0]
        if not isinstance(first, torch.Tensor) or first.dim() - self.nInputDim not in (0, 1):
            actual = f"{first.dim()} dimensions" if isinstance(first, torch.Tensor) else "no tensor"
            raise TorchError(f"{self.class_name}: an input with {actual}, for nInputDim = {self.nInputDim}")
        return tuple(first.shape[: first.dim() - self.nInputDim])

    def zeros(self, input: Any) -> Any:
        """Zeros in the size of an output for this input."""
        batch, device = self._batch(input), next(leaves_of(input)).device

        def make(sizes: Any) -> Any:
            if isinstance(sizes, list):
                return [make(item) for item in sizes]
            return self.new(*batch, *sizes).to(device)

        return make(sizes_of(self.outputSize))

    def unroll(self, inputs: list[Any]) -> list[Any]:
        outputs: list[Any] = []
        for input in inputs:
            outputs.append(self.step_module([input, outputs[-1] if outputs else self.zeros(input)]))
        return outputs

    # -- steps --------------------------------------------------------------------------------------------

    def _before(self, step: int, input: Any = None) -> Any:
        """The output of a step, which the step after it takes."""
        attributes = self.__dict__
        output = attributes["outputs"].get(step)
        if step != 0:
            return output
        if input is not None:
            zero = self.zeros(input)
            if isinstance(zero, torch.Tensor):
                self.keep("zeroTensor", zero)
            else:
                attributes["zeroTensor"] = zero
        return first_not_none(attributes.get("userPrevOutput"), output, attributes.get("zeroTensor"))

    def after_step(self, step: int) -> Any:
        """What the step after it adds to the gradient of a step's output."""
        attributes = self.__dict__
        gradient = attributes[self.handed_back].get(step)
        if step == self.step - 1:
            return first_not_none(self.next_gradient_of_output(), gradient, attributes.get("zeroTensor"))
        return gradient

    def updateOutput(self, input: Any) -> Any:
        before = self.before_step(self.step, input)
        return self.advance(input, self.module_forward().updateOutput([input, before]))

    def before_step(self, step: int, input: Any = None) -> Any:
        """The output before a step, which must be known."""
        before = self._before(step - 1, input)
        if before is None:
            raise TorchError(
                f"{self.class_name}: the output of step {step - 1} is not kept (rho is {self.rho})"
            )
        return before

    def step_input(self, step: int, input: Any) -> Any:
        return [input, self.before_step(step)]

    def step_gradient(self, step: int, gradOutput: Any) -> Any:
        later = self.after_step(step)
        if later is None:
            raise TorchError(f"{self.class_name}: going back through step {step} before the step after it")
        return add_gradients(self, later, gradOutput)

    def hand_back(self, step: int, gradient: Any) -> Any:
        of_input, self.__dict__[self.handed_back][step - 1] = gradient[:2]
        return of_input

    # -- hidden state: the output, and that of the recurrent modules inside -----------------------------------

    def getHiddenState(self, step: int | None = None, input: Any = None) -> Any:
        """``m:getHiddenState(step)``: ``{output, states of the modules inside}`` after a step."""
        output = None if step is None else self._before(step, input)
        return [output, Stepping.getHiddenState(self, step)]

    def setHiddenState(self, step: int | None, hiddenState: Any = None) -> None:
        """``m:setHiddenState(step, {output[, states of the modules inside]})``"""
        self.outputs[self.state_number(step)] = self._first(hiddenState)
        inside = entry(hiddenState, 2)
        if inside is not None:
            Stepping.setHiddenState(self, step, inside)

    def getGradHiddenState(self, step: int | None = None) -> Any:
        """``m:getGradHiddenState(step)``: the same of the gradients that later steps add."""
        if step is None:
            return [None, Stepping.getGradHiddenState(self, step)]
        if step < self.step - 1 and step not in self.__dict__[self.handed_back]:
            self.look_at_gradients()
        return [self.after_step(step), Stepping.getGradHiddenState(self, step)]

    def setGradHiddenState(self, step: int | None, gradHiddenState: Any = None) -> None:
        """``m:setGradHiddenState(step, {gradOutput[, gradients of the modules inside]})``"""
        self.__dict__[self.handed_back][self.state_number(step)] = self._first(gradHiddenState)
        inside = entry(gradHiddenState, 2)
        if inside is not None:
            Stepping.setGradHiddenState(self, step, inside)

    def _first(self, state: Any) -> Any:
        first = entry(state, 1)
        if first is None:
            raise TorchError(f"{self.class_name}: a hidden state is a table that begins with an output")
        return first

    # -- state --------------------------------------------------------------------------------------------

    def clearState(self) -> Module:
        self.__dict__.pop("zeroTensor", None)
        return super().clearState()

    def describe(self) -> str:
        return f"{self.class_name} @ {self.step_module.describe()}"
