"""What LSTM and GRU have in common: a hidden state that each step passes to the next."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from torch7py.nn.base import Module
from torch7py.nn.container import Sequential
from torch7py.nn.object import names
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.rnn.abstract import AbstractRecurrent, add_gradients
from torch7py.rnn.cell import Cell

__all__ = ["Gated", "first_not_none"]


def first_not_none(*values: Any) -> Any:
    """The first that is not None."""
    return next((value for value in values if value is not None), None)


class Gated(AbstractRecurrent):
    """A module whose step is ``{x, state...}`` -> output and new state.

    A subclass names its state: ``state_list`` and ``grad_state_list`` are what ``getHiddenState`` and
    ``getGradHiddenState`` give, as lists; the first of them belongs to the output.
    """

    fields: ClassVar[tuple[str, ...]] = (
        "inputSize",
        "outputSize",
        "zeroTensor",
        "p",
        "mono",
        "userPrevOutput",
        "userNextGradOutput",
        "userGradPrevOutput",
        "gradPrevOutput",
    )
    lua_methods = names("buildModel")
    # Tensors that a script puts in: the state before step 1, output first, and the gradient of the last state.
    user_states: ClassVar[tuple[str, ...]] = ("userPrevOutput",)
    user_gradients: ClassVar[tuple[str, ...]] = ("userNextGradOutput", "gradPrevOutput")

    inputSize: int
    outputSize: int
    p: float
    mono: bool

    def prepare_blank(self) -> None:
        super().prepare_blank()
        self.__dict__.update(p=0, mono=False)
        self.keep("zeroTensor", self.new())

    def prepare(
        self, inputSize: int, outputSize: int | None, rho: int | None, p: float | None, mono: bool
    ) -> None:
        """The first part of a constructor."""
        AbstractRecurrent.__init__(self, 9999 if rho is None else rho)
        p = 0 if p is None else p
        if not 0 <= p < 1:
            raise TorchError(f"{self.class_name}: p must be at least 0 and below 1")
        outputs = inputSize if outputSize is None else outputSize
        self.__dict__.update(inputSize=int(inputSize), outputSize=int(outputs), p=p, mono=mono)
        self.keep("zeroTensor", self.new())

    def buildModel(self) -> Any:
        """``m:buildModel()``: the module of one step."""
        raise NotImplementedError

    def restored(self) -> None:
        super().restored()
        tree = self.__dict__.get("recurrentModule")
        if type(tree) is Sequential and self._fits(tree) and not self.rebuilt():
            generator = state.current().generator
            before = generator.get_state()
            twin = self.__class__.__new__(self.__class__)
            twin.__dict__.update(self.__dict__)  # which building gives its new parts
            built = twin.buildModel()
            generator.set_state(before)
            if isinstance(built, Cell):
                built.recognize(tree)

    def _fits(self, tree: Sequential) -> bool:
        """Whether the sizes that a file tells may be those of its parameters: of others nothing is built."""
        sizes = (self.inputSize, self.outputSize)
        if not all(isinstance(size, int) and size > 0 for size in sizes):
            return False
        return math.prod(sizes) <= sum(p.numel() for p in tree.parameters())

    def rebuilt(self) -> bool:
        """Whether a script overrides how a part is built, or parts drop out: the kernel would not compute the same."""
        return self.p != 0 or any(name.startswith("build") for name in self.__dict__.get("_marked", ()))

    # -- PyTorch's face -----------------------------------------------------------------------------------

    def unroll(self, inputs: list[Any]) -> list[Any]:
        outputs: list[torch.Tensor] = []
        state: list[torch.Tensor] = []
        for x in inputs:
            self.check(x)
            if not state:
                state = self.first_state(x.new_zeros((*x.shape[:-1], self.outputSize)))
            result = self.step_module([x, *state])
            state = result if isinstance(result, list) else [result]
            outputs.append(state[0])
        return outputs

    def forward(self, input: Any) -> Any:
        """From Python: a sequence ``(steps, batch, inputSize)`` or a list of steps; or one step. From a state of 0."""
        if isinstance(input, torch.Tensor) and input.dim() == 3:
            return torch.stack(self.unroll(list(input)))
        return super().forward(input)

    def first_state(self, zero: torch.Tensor) -> list[torch.Tensor]:
        """The state before step 1."""
        return [zero]

    # -- steps --------------------------------------------------------------------------------------------

    def check(self, input: Any) -> None:
        if (
            not isinstance(input, torch.Tensor)
            or not 1 <= input.dim() <= 2
            or input.shape[-1] != self.inputSize
        ):
            raise TorchError(
                f"{self.class_name}: a step's input must be ({self.inputSize}) or (batch, {self.inputSize})"
            )

    def zero_for(self, input: torch.Tensor | None) -> torch.Tensor:
        """Zeros of the size of an output for this input; without an input, of the last size."""
        if input is None:
            return self.__dict__["zeroTensor"]
        return self.keep("zeroTensor", input.new_zeros((*input.shape[:-1], self.outputSize)))

    def state_list(self, step: int, input: torch.Tensor | None) -> list[torch.Tensor]:
        return self.getHiddenState(step, input)

    def grad_state_list(self, step: int) -> list[torch.Tensor]:
        return self.getGradHiddenState(step)

    def set_grad_state_list(self, step: int, gradients: list[torch.Tensor]) -> None:
        self.setGradHiddenState(step, gradients)

    def output_of(self, result: Any) -> Any:
        """Store the state that a step returned; returns the output."""
        return result

    def updateOutput(self, input: Any) -> Any:
        self.check(input)
        state = self.state_list(self.step - 1, input)
        output = self.output_of(self.module_forward().updateOutput([input, *state]))
        return self.advance(input, output)

    def of_output(self, total: Any) -> Any:
        return total[0] if isinstance(total, list) else total

    def step_input(self, step: int, input: Any) -> Any:
        state = self.state_list(step - 1, None)
        if any(part is None for part in state):
            raise TorchError(
                f"{self.class_name}: the state after step {step - 1} is not kept (rho is {self.rho})"
            )
        return [input, *state]

    def step_gradient(self, step: int, gradOutput: Any) -> Any:
        later, *others = self.grad_state_list(step)
        if later is None or any(part is None for part in others):
            raise TorchError(f"{self.class_name}: going back through step {step} before the step after it")
        total = add_gradients(self, later, gradOutput)
        return [total, *others] if others else total

    def hand_back(self, step: int, gradient: Any) -> Any:
        of_input, *state = gradient
        self.hand_state_back(step, state)
        return of_input

    def hand_state_back(self, step: int, state: list[torch.Tensor]) -> None:
        """Store the gradient of the state before a step."""
        self.set_grad_state_list(step - 1, state)
        for user, part in zip(self.user_states, state, strict=True):
            if self.__dict__.get(user) is not None:
                self.__dict__[user.replace("user", "userGrad")] = part

    def step_number(self, step: int | None, now: int) -> int:
        """The number of a step: counted back from ``now`` if negative, the last step by default."""
        if step is None:
            return now - 1
        return now - int(step) - 1 if step < 0 else int(step)

    # -- state --------------------------------------------------------------------------------------------

    def clearState(self) -> Module:
        self.clear("zeroTensor")
        for name in (*self.user_states, *self.user_gradients):
            self.__dict__.pop(name, None)
        return super().clearState()
