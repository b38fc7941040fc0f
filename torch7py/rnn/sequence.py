"""Sequence, the base of the layers that take a whole sequence as one tensor (SeqLSTM, SeqLSTMP, SeqGRU).

The products with the input, and all gradients of parameters, are one product over all steps; a step computes only what
needs the step before.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import argument_text
from torch7py.nn.base import Module
from torch7py.nn.copying import TensorMap
from torch7py.nn.linear_gradients import gradient_of_rows
from torch7py.nn.object import names
from torch7py.ops.errors import TorchError
from torch7py.ops.random import normal_
from torch7py.rnn.masking import is_zero
from torch7py.rnn.sequencer import MODES

__all__ = ["Sequence"]

T = torch.Tensor


class Sequence(Module):
    """The base: what goes in and out, and the state before the first step.

    A subclass has ``weight`` ``(inputs + outputs, gates * hidden)``, first the rows of the input, and a ``bias``. It
    names its state, output first, in ``state_names``; ``state_sizes`` are their sizes. It brings

    - ``step(gates, state)``: the new state from the sums of the input, which become the values of the gates in place;
    - ``step_grad(gradients, state, new, gates, room)``: the gradients of the state before; those of the sums go to
      ``room``;
    - ``acc_recurrent(before, gates, room)``: accumulate the gradients of the parameters that ``before``, the outputs
      before each step, goes through.
    """

    traced = False
    lua_methods = names("resetStates maskZero")
    fields: ClassVar[tuple[str, ...]] = (
        "_remember",
        "batchfirst",
        "maskzero",
        "gates",
        "h0",
        "grad_h0",
        "grad_x",
        "_output",
        "userPrevOutput",
        "gradPrevOutput",
        "userGradPrevOutput",
    )
    spare: ClassVar[dict[str, Any]] = dict.fromkeys(
        ("gates", "buffer1", "buffer2", "buffer3", "grad_a_buffer", "grad_x"), ()
    )
    gate_count: ClassVar[int]
    state_names: ClassVar[tuple[str, ...]]  # as fields: h0 and grad_h0 belong to "h"
    kept_in: ClassVar[tuple[str, ...]] = ("_output", "cell")  # the fields with the states of all steps
    user_names: ClassVar[tuple[str, ...]] = ("userPrevOutput", "userPrevCell")
    user_gradients: ClassVar[tuple[str, ...]] = ("gradPrevOutput", "userNextGradCell")

    _remember: str
    batchfirst: bool
    maskzero: bool

    @property
    def inputs(self) -> int:
        raise NotImplementedError

    @property
    def outputs(self) -> int:
        raise NotImplementedError

    @property
    def hidden(self) -> int:
        return self.outputs

    @property
    def state_sizes(self) -> tuple[int, ...]:
        return (self.outputs, self.hidden)[: len(self.state_names)]

    def prepare(self) -> None:
        """The last part of a constructor: parameters and state."""
        self.add_parameter("weight", self.new(self.inputs + self.outputs, self.gate_count * self.hidden))
        self.add_parameter("bias", self.new(self.gate_count * self.hidden))
        self._start()
        gradients = [self.get_field(f"grad_{name}0") for name in reversed(self.state_names)]
        self.__dict__["gradInput"] = [*gradients, self.grad_x]
        self.reset()

    def _start(self) -> None:
        self.__dict__.update(_remember="neither", batchfirst=False, maskzero=False, _recompute=True)
        for name in self.state_names:
            self.keep(f"{name}0", self.new())
            self.keep(f"grad_{name}0", self.new())
        self.keep("grad_x", self.new())

    def prepare_blank(self) -> None:
        super().prepare_blank()
        self._start()

    def reset(self, stdv: float | None = None) -> Any:
        """``m:reset([std])``: weights from ``normal(0, std)``, by default 1 / sqrt(inputs + outputs); biases 0, those
        of the second gate 1."""
        self.bias.data.zero_()
        self.bias.data[self.outputs : 2 * self.outputs] = 1
        self._draw(stdv)
        return self

    def _draw(self, stdv: float | None) -> None:
        normal_(self.weight.data, 0, 1 / math.sqrt(self.outputs + self.inputs) if stdv is None else stdv)

    # -- memory -------------------------------------------------------------------------------------------

    def remember(self, remember: str | None = None) -> Any:
        """``m:remember([mode])``: begin with the state that the last call ended with (see ``nn.Sequencer``)."""
        mode = "both" if remember is None else remember
        if mode not in MODES:
            raise TorchError(f"remember: '{mode}' is none of {', '.join(MODES)}")
        self.__dict__["_remember"] = mode
        return self

    def remembers(self) -> bool:
        return self._remember in ("both", "train" if self.training else "eval")

    def forget(self) -> Any:
        """``m:forget()``: let the next call begin with zeros. A backward of the last one is not possible any more."""
        self.__dict__.pop("_first", None)
        for name in self.state_names:
            self.keep(f"{name}0", self.get_field(f"{name}0").new_empty(0))
        return self

    def resetStates(self) -> None:
        """``m:resetStates()``: the same."""
        self.forget()

    def set_training(self) -> None:
        if not self.training:
            self.forget()
        super().set_training()

    def set_evaluate(self) -> None:
        if self.training:
            self.forget()
        super().set_evaluate()

    def maskZero(self) -> None:
        """``m:maskZero()``: output and state become 0 where a step's input is 0."""
        self.__dict__["maskzero"] = True

    # -- sizes --------------------------------------------------------------------------------------------

    def _sizes_of(self, input: Any, gradOutput: Any = None) -> tuple[list[T | None], T, T | None]:
        """What a call is given of the state, output first; the input and the gradient with the steps as first
        dimension. Checked."""
        initial: list[T | None] = [None] * len(self.state_names)
        x = input
        if isinstance(input, list) and 2 <= len(input) <= 1 + len(initial):
            *states, x = input
            initial[: len(states)] = reversed(states)
        if not isinstance(x, torch.Tensor) or x.dim() != 3:
            raise TorchError(
                f"{self.class_name}: the input must be a tensor of 3 dimensions, or a table of a state and such a "
                f"tensor, not {argument_text(x)}"
            )
        if self.batchfirst:
            x = x.transpose(0, 1)
            gradOutput = None if gradOutput is None else gradOutput.transpose(0, 1)
        steps, batch = x.shape[:2]
        checked: list[tuple[str, Any, tuple[int, ...]]] = [
            ("input", x, (steps, batch, self.inputs)),
            ("gradOutput", gradOutput, (steps, batch, self.outputs)),
        ]
        checked += [
            (f"{name}0", tensor, (batch, size))
            for name, tensor, size in zip(self.state_names, initial, self.state_sizes, strict=True)
        ]
        for what, tensor, size in checked:
            if tensor is not None and (not isinstance(tensor, torch.Tensor) or tensor.shape != size):
                raise TorchError(
                    f"{self.class_name}: {what} does not have the size {'x'.join(map(str, size))}, but "
                    f"{argument_text(tensor)}"
                )
        return initial, x, gradOutput

    def _states_before(self, initial: list[T | None], x: T) -> list[T]:
        """The state before the first step: given, put in by a script, remembered, or zeros."""
        batch, states = x.shape[1], []
        for number, (name, size) in enumerate(zip(self.state_names, self.state_sizes, strict=True)):
            state, field = initial[number], f"{name}0"
            if state is None:
                user = self.__dict__.get(self.user_names[number])
                known, last = self.get_field(field), self._last_states(number)
                if user is not None:
                    state = user.data.clone()
                elif known.numel() == 0 or not self.remembers() or last is None or last.numel() == 0:
                    state = x.new_zeros((batch, size))
                else:
                    state = last.data.clone()
                if state.shape != (batch, size):
                    raise TorchError(
                        f"{self.class_name}: the state is one of {'x'.join(map(str, state.shape))}, the input is a "
                        f"batch of {batch}"
                    )
                self.keep(field, state)
            states.append(state.data)
        return states

    def _last_states(self, number: int) -> T | None:
        """A state after the last step of the last call, None where there was none."""
        last = self.get_field(self.kept_in[number])
        return last if last is None or last.numel() == 0 else last[-1]

    # -- PyTorch's face -----------------------------------------------------------------------------------

    def forward(self, input: Any) -> T:
        """From Python: from the states given, else from zeros; differentiable."""
        states, x, _ = self._sizes_of(input)
        batch = x.shape[1]
        state = [
            x.new_zeros((batch, size)) if part is None else part
            for part, size in zip(states, self.state_sizes, strict=True)
        ]
        outputs = []
        for step in x:
            state = self.next_state(step, state)
            if self.maskzero:
                mask = is_zero(step).unsqueeze(1)
                state = [part.masked_fill(mask, 0) for part in state]
            outputs.append(state[0])
        return torch.stack(outputs, 1 if self.batchfirst else 0)

    def next_state(self, x: T, state: list[T]) -> list[T]:
        """One step, differentiable."""
        raise NotImplementedError

    # -- forward ------------------------------------------------------------------------------------------

    def step(self, gates: T, state: list[T]) -> list[T]:
        raise NotImplementedError

    def updateOutput(self, input: Any) -> Any:
        states, x, _ = self._sizes_of(input)
        x = x.data
        first = self._states_before(states, x)
        masks = is_zero(x).unsqueeze(2) if self.maskzero else None
        attributes = self.__dict__
        for name in self.user_names:
            attributes.pop(name, None)
        attributes.update(
            _first=first, _masks=masks, _given=[part is not None for part in states], _recompute=True
        )
        output = self.compute(x, first, masks)
        if self.batchfirst:
            self.keep("_output", output)
            return self.keep("output", output.transpose(0, 1))
        return self.hold_output(self.keep("output", output, is_result=True))

    def hold_output(self, output: T) -> T:
        """Let all that goes back read the outputs here: of other tensors in this memory ``keep`` knows nothing."""
        self.__dict__["_output"] = output
        states = self.__dict__.get("_states")
        if states is not None:
            states[0] = output
        return output

    def compute(self, x: T, first: list[T], masks: T | None) -> T:
        """The outputs of all steps; leaves what a backward needs."""
        state, steps = first, x.shape[:2]
        weight, bias = self.weight.data, self.bias.data
        rows = x.reshape(-1, self.inputs)
        gates = torch.addmm(bias, rows, weight[: self.inputs]).view(*steps, -1)
        self.begin(x)
        states = []
        for number in range(len(x)):
            state = self.step(gates[number], state)
            if masks is not None:
                for part in (*state, gates[number]):
                    part.masked_fill_(masks[number], 0)
            states.append(state)
        joined = [torch.stack(parts) for parts in zip(*states, strict=True)]
        self.__dict__["_states"] = joined
        self.keep("gates", gates)
        self.show_states(joined)
        return joined[0]

    def begin(self, x: T) -> None:
        """Called before the first step."""

    def show_states(self, states: list[T]) -> None:
        """Keep the states of all steps where scripts look for them."""

    # -- backward -----------------------------------------------------------------------------------------

    def step_grad(self, gradients: list[T], state: list[T], new: list[T], gates: T, room: T) -> list[T]:
        raise NotImplementedError

    def acc_recurrent(self, before: T, gates: T, room: T) -> None:
        raise NotImplementedError

    def output_gradient(self, step: int, gradient: T) -> T:
        """The gradient of the output of a step, as that of the hidden state that it comes from."""
        return gradient

    def _backward(self, input: Any, gradOutput: Any, scale: float) -> None:
        """Both halves at once; they cannot be had one without the other."""
        self.__dict__["_recompute"] = False
        if scale != 1:
            raise TorchError(f"{self.class_name}: the scale of a backward must be 1")
        _, x, gradient = self._sizes_of(input, gradOutput)
        output = self.__dict__.get("_output")
        if self.__dict__.get("_first") is None or gradient is None:
            raise TorchError(f"{self.class_name}: backward without a forward, or without gradOutput")
        if output is None or output.shape != gradient.shape:
            raise TorchError(f"{self.class_name}: backward of another input than the last forward's")
        later = []
        for name, part in zip(self.user_gradients, self.__dict__["_first"], strict=False):
            user = self.__dict__.pop(name, None)
            later.append(torch.zeros_like(part) if user is None else user.data.clone())
        self._give(*self.compute_back(x.data, gradient.data, later))

    def compute_back(self, x: T, gradient: T, later: list[T]) -> tuple[T, list[T]]:
        """The gradients of the input and of the states before step 1; accumulates those of the parameters."""
        states, gates, masks = self.__dict__["_states"], self.gates.data, self.__dict__["_masks"]
        before = [
            torch.cat([first.unsqueeze(0), part[:-1]])
            for first, part in zip(self.__dict__["_first"], states, strict=True)
        ]
        room = torch.empty_like(gates)
        self.begin_back(gradient)
        for step in range(len(x) - 1, -1, -1):
            total = gradient[step] + later[0]
            if masks is not None:
                total.masked_fill_(masks[step], 0)
            at = [part[step] for part in before], [part[step] for part in states]
            later = self.step_grad(
                [self.output_gradient(step, total), *later[1:]], *at, gates[step], room[step]
            )
        steps = room.flatten(0, 1)
        weight, bias = self.gradient("weight"), self.gradient("bias")
        rows = x.reshape(len(steps), self.inputs)
        if weight is not None:
            weight[: self.inputs].addmm_(rows.t(), steps)
            self.acc_recurrent(before[0].flatten(0, 1), gates.flatten(0, 1), steps)
        if bias is not None:
            bias.add_(steps.sum(0))
        return gradient_of_rows(steps, self.weight.data[: self.inputs].t()).view(x.shape), later

    def begin_back(self, gradient: T) -> None:
        """Called before the last step goes back."""

    def _give(self, of_input: T, of_state: list[T]) -> None:
        self.keep("grad_x", of_input.transpose(0, 1) if self.batchfirst else of_input, is_result=True)
        states: list[T] = []
        for name, user, part in zip(self.state_names, self.user_names, of_state, strict=True):
            shown = self.keep(f"grad_{name}0", part)
            self.__dict__[user.replace("user", "userGrad")] = shown
        for name, is_input in zip(self.state_names, self.__dict__["_given"], strict=True):
            if is_input:
                states.insert(0, self.get_field(f"grad_{name}0"))
        self.__dict__["gradInput"] = [*states, self.grad_x] if states else self.grad_x

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        if self.__dict__["_recompute"]:
            self.backward(input, gradOutput, 1)
        return self.gradInput

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        if self.__dict__["_recompute"]:
            self.backward(input, gradOutput, scale)

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        self._backward(input, gradOutput, scale)
        return self.gradInput

    # -- state --------------------------------------------------------------------------------------------

    def clearState(self) -> Module:
        for name in ("_states", "_first", "_masks", "gates", "_output"):
            self.__dict__.pop(name, None)
        for name in self.state_names:
            self.keep(f"grad_{name}0", self.new())
        self.keep("grad_x", self.new())
        self.keep("output", self.new())
        self.keep("gradInput", self.new())
        return self

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        for name in ("_states", "_first", "_masks"):
            self.__dict__.pop(name, None)
        super().convert(convert, type_name, seen)
        output = self.__dict__.get("_output")
        if output is not None:
            self.keep("_output", convert(output))
