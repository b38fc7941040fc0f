"""Layers that take a whole sequence as one tensor: SeqLSTM, SeqLSTMP, SeqGRU.

The products with the input, and all gradients of parameters, are one product over all steps; a step computes only what
needs the step before.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from torch7py.nn.base import Module
from torch7py.nn.copying import TensorMap
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.ops.random import normal_
from torch7py.rnn.fast_lstm import FastLSTM
from torch7py.rnn.gru import GRU
from torch7py.rnn.masking import is_zero
from torch7py.rnn.sequencer import MODES

__all__ = ["SeqGRU", "SeqLSTM", "SeqLSTMP", "Sequence"]

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
        self.reset()

    def _start(self) -> None:
        self.__dict__.update(_remember="neither", batchfirst=False, maskzero=False, _recompute=True)
        for name in self.state_names:
            self.keep(f"{name}0", self.new())
            self.keep(f"grad_{name}0", self.new())

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
        """``m:forget()``: let the next call begin with zeros."""
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
        given: list[T | None] = [None] * len(self.state_names)
        x = input
        if isinstance(input, list) and 2 <= len(input) <= 1 + len(given):
            *states, x = input
            given[: len(states)] = reversed(states)
        if not isinstance(x, torch.Tensor) or x.dim() != 3:
            raise TorchError(
                f"{self.class_name}: the input is a tensor of 3 dimensions, or a table of a state and such a tensor"
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
            for name, tensor, size in zip(self.state_names, given, self.state_sizes, strict=True)
        ]
        for what, tensor, size in checked:
            if tensor is not None and (not isinstance(tensor, torch.Tensor) or tensor.shape != size):
                raise TorchError(
                    f"{self.class_name}: {what} does not have the size {'x'.join(map(str, size))}"
                )
        return given, x, gradOutput

    def _states_before(self, given: list[T | None], x: T) -> list[T]:
        """The state before the first step: given, put in by a script, remembered, or zeros."""
        batch, states = x.shape[1], []
        for number, (name, size) in enumerate(zip(self.state_names, self.state_sizes, strict=True)):
            state, field = given[number], f"{name}0"
            if state is None:
                user = self.__dict__.get(self.user_names[number])
                known, last = self.get_field(field), self.get_field(self.kept_in[number])
                if user is not None:
                    state = user.data.clone()
                elif known.numel() == 0 or not self.remembers() or last is None or last.numel() == 0:
                    state = x.new_zeros((batch, size))
                else:
                    state = last.data[-1].clone()
                if state.shape != (batch, size):
                    raise TorchError(
                        f"{self.class_name}: the state is one of {'x'.join(map(str, state.shape))}, the input is a "
                        f"batch of {batch}"
                    )
                self.keep(field, state)
            states.append(state.data)
        return states

    # -- PyTorch's face -----------------------------------------------------------------------------------

    def forward(self, input: Any) -> T:
        """From Python: from the states given, else from zeros; differentiable."""
        given, x, _ = self._sizes_of(input)
        batch = x.shape[1]
        state = [
            x.new_zeros((batch, size)) if part is None else part
            for part, size in zip(given, self.state_sizes, strict=True)
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
        given, x, _ = self._sizes_of(input)
        x = x.data
        state = first = self._states_before(given, x)
        steps, batch = x.shape[:2]
        weight, bias = self.weight.data, self.bias.data
        rows = x.reshape(steps * batch, self.inputs)
        gates = torch.addmm(bias, rows, weight[: self.inputs]).view(steps, batch, -1)
        masks = is_zero(x).unsqueeze(2) if self.maskzero else None
        self.begin(x)
        states = []
        for number in range(steps):
            state = self.step(gates[number], state)
            if masks is not None:
                for part in (*state, gates[number]):
                    part.masked_fill_(masks[number], 0)
            states.append(state)
        joined = [torch.stack(parts) for parts in zip(*states, strict=True)]
        attributes = self.__dict__
        for name in self.user_names:
            attributes.pop(name, None)
        attributes.update(
            _first=first,
            _states=joined,
            _masks=masks,
            _given=[part is not None for part in given],
            _recompute=True,
        )
        self.keep("gates", gates)
        self.keep("_output", joined[0])
        self.show_states(joined)
        return self.keep("output", joined[0].transpose(0, 1) if self.batchfirst else joined[0])

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
        states = self.__dict__.get("_states")
        if states is None or gradient is None:
            raise TorchError(f"{self.class_name}: backward without a forward, or without gradOutput")
        if states[0].shape != gradient.shape:
            raise TorchError(f"{self.class_name}: backward of another input than the last forward's")
        x, gradient, gates, masks = x.data, gradient.data, self.gates.data, self.__dict__["_masks"]
        before = [
            torch.cat([first.unsqueeze(0), part[:-1]])
            for first, part in zip(self.__dict__["_first"], states, strict=True)
        ]
        room = torch.empty_like(gates)
        later = []
        for name, part in zip(self.user_gradients, self.__dict__["_first"], strict=False):
            user = self.__dict__.pop(name, None)
            later.append(torch.zeros_like(part) if user is None else user.data.clone())
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
        self._give(x, steps, later)

    def begin_back(self, gradient: T) -> None:
        """Called before the last step goes back."""

    def _give(self, x: T, room: T, of_state: list[T]) -> None:
        of_input = (room @ self.weight.data[: self.inputs].t()).view(x.shape)
        self.keep("grad_x", of_input.transpose(0, 1) if self.batchfirst else of_input)
        given: list[T] = []
        for name, user, part in zip(self.state_names, self.user_names, of_state, strict=True):
            shown = self.keep(f"grad_{name}0", part)
            self.__dict__[user.replace("user", "userGrad")] = shown
        for name, was_given in zip(self.state_names, self.__dict__["_given"], strict=True):
            if was_given:
                given.insert(0, self.get_field(f"grad_{name}0"))
        self.__dict__["gradInput"] = [*given, self.grad_x] if given else self.grad_x

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        if self.__dict__["_recompute"]:
            self._backward(input, gradOutput, 1)
        return self.gradInput

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        if self.__dict__["_recompute"]:
            self._backward(input, gradOutput, scale)

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


class LSTMSequence(Sequence):
    """What SeqLSTM and SeqLSTMP share: gates in the order input, forget, output, and the values of the cell."""

    gate_count = 4
    state_names = ("h", "c")
    lua_methods = names("adapter gradAdapter toFastLSTM")
    virtual = (*Sequence.virtual, "adapter", "gradAdapter")
    fields: ClassVar[tuple[str, ...]] = (
        "inputsize",
        "hiddensize",
        "outputsize",
        "cell",
        "c0",
        "grad_c0",
        "userPrevCell",
        "userNextGradCell",
        "userGradPrevCell",
    )

    inputsize: int
    outputsize: int

    @property
    def inputs(self) -> int:
        return int(self.inputsize)

    @property
    def outputs(self) -> int:
        return int(self.outputsize)

    @property
    def hidden(self) -> int:
        hidden = self.__dict__.get("hiddensize")
        return self.outputs if hidden is None else int(hidden)

    def output_of(self, hidden: T) -> T:
        """The output from the hidden state of a step."""
        return hidden

    def next_state(self, x: T, state: list[T]) -> list[T]:
        h, c = state
        sums = x @ self.weight[: self.inputs] + h @ self.weight[self.inputs :] + self.bias
        i, f, o, g = sums.chunk(4, 1)
        cell = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return [self.output_of(torch.sigmoid(o) * torch.tanh(cell)), cell]

    def step(self, gates: T, state: list[T]) -> list[T]:
        h, c = state
        size = self.hidden
        gates.addmm_(h, self.weight.data[self.inputs :])
        gates[:, : 3 * size].sigmoid_()
        gates[:, 3 * size :].tanh_()
        i, f, o, g = gates.chunk(4, 1)
        cell = torch.addcmul(f * c, i, g)
        return [self.adapted(o * torch.tanh(cell)), cell]

    def adapted(self, hidden: T) -> T:
        return hidden

    def show_states(self, states: list[T]) -> None:
        self.keep("cell", states[1])

    def step_grad(self, gradients: list[T], state: list[T], new: list[T], gates: T, room: T) -> list[T]:
        of_hidden, of_cell = gradients
        i, f, o, g = gates.chunk(4, 1)
        squashed = torch.tanh(new[1])
        of_cell = torch.addcmul(of_cell, of_hidden, torch.addcmul(o, o * squashed, squashed, value=-1))
        by_i, by_f, by_o, by_g = room.chunk(4, 1)
        torch.mul((i - i * i) * g, of_cell, out=by_i)
        torch.mul((f - f * f) * state[1], of_cell, out=by_f)
        torch.mul((o - o * o) * squashed, of_hidden, out=by_o)
        torch.mul(torch.addcmul(i, i * g, g, value=-1), of_cell, out=by_g)
        return [room @ self.weight.data[self.inputs :].t(), of_cell * f]

    def acc_recurrent(self, before: T, gates: T, room: T) -> None:
        buffer: Any = self.gradient("weight")
        buffer[self.inputs :].addmm_(before.t(), room)

    def updateOutput(self, input: Any) -> Any:
        if not {"adapter", "gradAdapter"}.isdisjoint(self.__dict__.get("_marked", ())):
            raise TorchError(
                f"{self.class_name}: a script's own adapter of the hidden state is not supported"
            )
        return super().updateOutput(input)

    def adapter(self, step: int) -> None:
        """``m:adapter(step)``: what makes the output of a step's hidden state; done inside."""

    def gradAdapter(self, scale: float, step: int) -> None:
        """``m:gradAdapter(scale, step)``: its backward; done inside."""

    def clearState(self) -> Module:
        self.__dict__.pop("cell", None)
        return super().clearState()


@layer("nn.SeqLSTM", package="rnn")
class SeqLSTM(LSTMSequence):
    """``nn.SeqLSTM(inputsize, hiddensize[, outputsize])``: an LSTM without peepholes over a whole sequence.

    ``i, f, o = sigmoid(split(x Wx + h Wh + b))``, ``g = tanh`` of the fourth part; ``c' = f c + i g``;
    ``h' = o tanh(c')``. ``weight`` is Wx over Wh. ``outputsize`` is hiddensize unless a class derived from this one
    maps one to the other.

    Shapes: ``(steps, batch, inputsize)`` -> ``(steps, batch, outputsize)``, with ``batchfirst`` the batch first; or a
    table ``{h0, x}`` or ``{c0, h0, x}`` with the state before step 1. With ``maskzero`` output and state become 0
    where a step's input is 0. A backward is one piece: ``updateGradInput`` accumulates too, and scale must be 1.
    """

    def __init__(self, inputsize: int, hiddensize: int, outputsize: int | None = None) -> None:
        super().__init__()
        outputs = hiddensize if outputsize is None else outputsize
        self.__dict__.update(inputsize=int(inputsize), hiddensize=int(hiddensize), outputsize=int(outputs))
        self.prepare()

    def toFastLSTM(self) -> Any:
        """``m:toFastLSTM()``: a FastLSTM with copies of these parameters and gradients."""
        made = FastLSTM(self.inputs, self.outputs)
        parameters, gradients = made.torch7_parameters()
        buffers = [(parameters, self.weight.data, self.bias.data)]
        if self.gradient("weight") is not None:
            buffers.append((gradients, self.gradient("weight"), self.gradient("bias")))
        for (of_input, bias, of_output), weight, own_bias in buffers:
            for target, source in ((of_input, weight[: self.inputs]), (of_output, weight[self.inputs :])):
                i, f, o, g = source.chunk(4, 1)
                target.data.copy_(torch.cat([i, g, f, o], 1).t())
            i, f, o, g = own_bias.chunk(4)
            bias.data.copy_(torch.cat([i, g, f, o]))
        return made


@layer("nn.SeqLSTMP", package="rnn")
class SeqLSTMP(LSTMSequence):
    """``nn.SeqLSTMP(inputsize, hiddensize, outputsize)``: a SeqLSTM whose output is a projection of its hidden state.

    ``h' = (o tanh(c')) weightO``, and it is this that goes to the next step (Sak et al., Long Short-Term Memory
    Recurrent Neural Network Architectures for Large Scale Acoustic Modeling, 2014).

    Shapes: those of ``nn.SeqLSTM``; cells are of hiddensize.
    """

    fields = ("weightO", "gradWeightO", "_hidden")
    parameter_fields = (*LSTMSequence.parameter_fields, "weightO")

    def __init__(self, inputsize: int, hiddensize: int, outputsize: int) -> None:
        super().__init__()
        if hiddensize is None or outputsize is None:
            raise TorchError("nn.SeqLSTMP expects three sizes: of input, hidden state and output")
        self.__dict__.update(inputsize=int(inputsize), hiddensize=int(hiddensize), outputsize=int(outputsize))
        self.add_parameter("weightO", self.new(int(hiddensize), int(outputsize)))
        self.prepare()

    def _draw(self, stdv: float | None) -> None:
        for weight, first, second in (
            (self.weight, self.hidden, self.inputs),
            (self.weightO, self.outputs, self.hidden),
        ):
            normal_(weight.data, 0, 1 / math.sqrt(first + second) if stdv is None else stdv)

    def torch7_parameters(self) -> Any:
        found = ("weight", "bias", "weightO")
        gradients = [self.gradient(name) for name in found]
        return [self.get_field(name) for name in found], [g for g in gradients if g is not None]

    def output_of(self, hidden: T) -> T:
        return hidden @ self.weightO

    def begin(self, x: T) -> None:
        self.__dict__["_steps"] = []

    def adapted(self, hidden: T) -> T:
        self.__dict__["_steps"].append(hidden)
        return hidden @ self.weightO.data

    def show_states(self, states: list[T]) -> None:
        super().show_states(states)
        self.keep("_hidden", torch.stack(self.__dict__.pop("_steps")))

    def begin_back(self, gradient: T) -> None:
        self.__dict__["_of_outputs"] = torch.empty_like(gradient)

    def output_gradient(self, step: int, gradient: T) -> T:
        self.__dict__["_of_outputs"][step] = gradient
        return gradient @ self.weightO.data.t()

    def acc_recurrent(self, before: T, gates: T, room: T) -> None:
        super().acc_recurrent(before, gates, room)
        buffer, of_outputs = self.gradient("weightO"), self.__dict__.pop("_of_outputs")
        if buffer is not None:
            buffer.addmm_(self._hidden.data.flatten(0, 1).t(), of_outputs.flatten(0, 1))

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        raise TorchError(f"{self.class_name} has no accUpdateGradParameters")

    def toFastLSTM(self) -> Any:
        raise TorchError(f"{self.class_name}: a FastLSTM has no projection")

    def clearState(self) -> Module:
        self.__dict__.pop("_hidden", None)
        return super().clearState()


@layer("nn.SeqGRU", package="rnn")
class SeqGRU(Sequence):
    """``nn.SeqGRU(inputSize, outputSize)``: gated recurrent units over a whole sequence.

    ``r, u = sigmoid(split(x Wx + h Wh + b))``; ``n = tanh(x Wxn + (r h) Whn + bn)``; ``h' = (1 - u) n + u h``.
    ``weight`` is Wx over Wh, each with the columns of r, u and n.

    Shapes: ``(steps, batch, inputSize)`` -> ``(steps, batch, outputSize)``, or a table ``{h0, x}``; all else as in
    ``nn.SeqLSTM``.
    """

    gate_count = 3
    state_names = ("h",)
    user_names = ("userPrevOutput",)
    lua_methods = names("toGRU")
    fields = ("inputSize", "outputSize")

    inputSize: int
    outputSize: int

    def __init__(self, inputSize: int, outputSize: int) -> None:
        super().__init__()
        self.__dict__.update(inputSize=int(inputSize), outputSize=int(outputSize))
        self.prepare()

    @property
    def inputs(self) -> int:
        return int(self.inputSize)

    @property
    def outputs(self) -> int:
        return int(self.outputSize)

    def next_state(self, x: T, state: list[T]) -> list[T]:
        (h,), size = state, self.outputs
        of_input = x @ self.weight[: self.inputs] + self.bias
        of_output = self.weight[self.inputs :]
        r, u = torch.sigmoid(of_input[:, : 2 * size] + h @ of_output[:, : 2 * size]).chunk(2, 1)
        n = torch.tanh(of_input[:, 2 * size :] + (r * h) @ of_output[:, 2 * size :])
        return [(1 - u) * n + u * h]

    def step(self, gates: T, state: list[T]) -> list[T]:
        (h,), size = state, self.outputs
        weight = self.weight.data[self.inputs :]
        gates[:, : 2 * size].addmm_(h, weight[:, : 2 * size]).sigmoid_()
        r, u, n = gates.chunk(3, 1)
        n.addmm_(r * h, weight[:, 2 * size :]).tanh_()
        return [torch.addcmul(torch.addcmul(n, u, n, value=-1), u, h)]

    def step_grad(self, gradients: list[T], state: list[T], new: list[T], gates: T, room: T) -> list[T]:
        (gradient,), (h,), size = gradients, state, self.outputs
        weight = self.weight.data[self.inputs :]
        r, u, n = gates.chunk(3, 1)
        by_r, by_u, by_n = room.chunk(3, 1)
        torch.mul((1 - n * n) * (1 - u), gradient, out=by_n)
        of_kept = by_n @ weight[:, 2 * size :].t()
        torch.mul((r - r * r) * h, of_kept, out=by_r)
        torch.mul((u - u * u) * (h - n), gradient, out=by_u)
        through = torch.addcmul(gradient * u, of_kept, r)
        return [through.addmm_(room[:, : 2 * size], weight[:, : 2 * size].t())]

    def acc_recurrent(self, before: T, gates: T, room: T) -> None:
        size = self.outputs
        buffer: Any = self.gradient("weight")
        buffer[self.inputs :, : 2 * size].addmm_(before.t(), room[:, : 2 * size])
        kept = before * gates[:, :size]
        buffer[self.inputs :, 2 * size :].addmm_(kept.t(), room[:, 2 * size :])

    def toGRU(self) -> Any:
        """``m:toGRU()``: a GRU with copies of these parameters and gradients."""
        made, size = GRU(self.inputs, self.outputs), 2 * self.outputs
        parameters, gradients = made.torch7_parameters()
        buffers = [(parameters, self.weight.data, self.bias.data)]
        if self.gradient("weight") is not None:
            buffers.append((gradients, self.gradient("weight"), self.gradient("bias")))
        for targets, weight, bias in buffers:
            x, h = weight[: self.inputs].t(), weight[self.inputs :].t()
            sources = (x[:size], bias[:size], h[:size], x[size:], bias[size:], h[size:])
            for target, source in zip(targets, sources, strict=True):
                target.data.copy_(source)
        return made
