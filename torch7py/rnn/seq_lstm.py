"""SeqLSTM, and SeqLSTMP with a projection: an LSTM without peepholes over a whole sequence."""

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
from torch7py.rnn.sequence import Sequence
from torch7py.rnn.sequence_kernels import OneDNNKernel, onednn_kernel

__all__ = ["SeqLSTM", "SeqLSTMP"]

T = torch.Tensor


def hidden_third(gates: T) -> T:
    """A copy whose rows are in the order input, forget, hidden, output instead of input, forget, output, hidden; and
    the other way round."""
    i, f, o, g = gates.chunk(4)
    return torch.cat([i, f, g, o])


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

    spare: ClassVar[dict[str, Any]] = {"cell": ()}

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


@layer(
    "nn.SeqLSTM",
    package="rnn",
    keeps_rank=True,
    keeps="remembered",
    example="inputsize",
    parameters="weight:2~normal(1/sqrt(inputsize+hiddensize)) bias:1~computed()",
    takes="sequence",
)
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

    # In float oneDNN computes all steps in one call (sequence_kernels.py); gates and cells are computed when read.

    transient = (*LSTMSequence.transient, "_whole")
    copies_operands: ClassVar[bool] = False
    computed: ClassVar[tuple[str, ...]] = ("gates", "cell")

    def compute(self, x: T, first: list[T], masks: T | None) -> T:
        whole = self.__dict__["_whole"] = onednn_kernel(self, x, first, masks, self.training)
        if whole is None:
            return super().compute(x, first, masks)
        for name in ("_states", *self.computed):
            self.__dict__.pop(name, None)
        return whole.output

    def hold_output(self, output: T) -> T:
        whole: OneDNNKernel | None = self.__dict__.get("_whole")
        if whole is not None:
            whole.output = output
        return super().hold_output(output)

    def compute_back(self, x: T, gradient: T, later: list[T]) -> tuple[T, list[T]]:
        whole: OneDNNKernel | None = self.__dict__.get("_whole")
        if whole is None:
            return super().compute_back(x, gradient, later)
        of_input = whole.backward(x, gradient, later)
        whole.acc_grad(x, 1)
        return of_input, whole.initial_state_gradients()

    def lstm_parameters(self) -> list[T] | None:
        if self.outputs != self.hidden:
            return None
        weight, bias = self.weight.data, self.bias.data
        return [hidden_third(part) for part in (weight[: self.inputs].t(), weight[self.inputs :].t(), bias)]

    def acc_lstm(self, gradients: list[T], scale: float) -> None:
        of_input, of_output, of_bias = gradients
        weight, bias = self.gradient("weight"), self.gradient("bias")
        if weight is not None:
            both = torch.cat([of_input.t(), of_output.t()])
            i, f, g, o = both.chunk(4, 1)
            weight.add_(torch.cat([i, f, o, g], 1), alpha=scale)
        if bias is not None:
            bias.add_(hidden_third(of_bias), alpha=scale)

    def _compute_fields(self) -> None:
        whole: OneDNNKernel | None = self.__dict__.get("_whole")
        missing = [name for name in self.computed if name not in self.__dict__]
        if whole is None or not missing:
            return
        i, g, f, o = whole.before.gates().chunk(4, 2)
        fields = {"gates": torch.cat([i, f, o, g], 2), "cell": whole.cells()}
        self.__dict__["_states"] = [whole.output, fields["cell"]]
        for name in missing:
            self.keep(name, fields[name])

    def get_field(self, name: str) -> Any:
        if name in self.computed:
            self._compute_fields()
        return super().get_field(name)

    def _last_states(self, number: int) -> T | None:
        whole: OneDNNKernel | None = self.__dict__.get("_whole")
        if whole is not None and self.kept_in[number] not in self.__dict__:
            return whole.kernel.cell
        return super()._last_states(number)

    def __deepcopy__(self, memo: dict[Any, Any]) -> Any:
        self._compute_fields()
        return super().__deepcopy__(memo)

    def __getstate__(self) -> dict[str, Any]:
        self._compute_fields()
        return super().__getstate__()

    def clearState(self) -> Module:
        self.__dict__.pop("_whole", None)
        return super().clearState()

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        self._compute_fields()
        self.__dict__.pop("_whole", None)
        super().convert(convert, type_name, seen)

    def toFastLSTM(self) -> Any:
        """``m:toFastLSTM()``: a FastLSTM with copies of these parameters and gradients."""
        lstm = FastLSTM(self.inputs, self.outputs)
        parameters, gradients = lstm.torch7_parameters()
        buffers = [(parameters, self.weight.data, self.bias.data)]
        if self.gradient("weight") is not None:
            buffers.append((gradients, self.gradient("weight"), self.gradient("bias")))
        for (of_input, bias, of_output), weight, has_bias in buffers:
            for target, source in ((of_input, weight[: self.inputs]), (of_output, weight[self.inputs :])):
                i, f, o, g = source.chunk(4, 1)
                target.data.copy_(torch.cat([i, g, f, o], 1).t())
            i, f, o, g = has_bias.chunk(4)
            bias.data.copy_(torch.cat([i, g, f, o]))
        return lstm


@layer(
    "nn.SeqLSTMP",
    package="rnn",
    keeps_rank=True,
    keeps="remembered",
    example="inputsize",
    parameters="weightO:2~normal(1/sqrt(hiddensize+outputsize))"
    " weight:2~normal(1/sqrt(inputsize+hiddensize)) bias:1~computed()",
    takes="sequence",
)
class SeqLSTMP(LSTMSequence):
    """``nn.SeqLSTMP(inputsize, hiddensize, outputsize)``: a SeqLSTM whose output is a projection of its hidden state.

    ``h' = (o tanh(c')) weightO``, and it is this that goes to the next step (Sak et al., Long Short-Term Memory
    Recurrent Neural Network Architectures for Large Scale Acoustic Modeling, 2014).

    Shapes: those of ``nn.SeqLSTM``; cells are of hiddensize.
    """

    torch7_parent = "nn.SeqLSTM"

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
        names = ("weight", "bias", "weightO")
        gradients = [self.gradient(name) for name in names]
        return [self.get_field(name) for name in names], [g for g in gradients if g is not None]

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
