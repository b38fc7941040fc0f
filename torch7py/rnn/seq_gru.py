"""SeqGRU: gated recurrent units over a whole sequence."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.rnn.gru import GRU
from torch7py.rnn.sequence import Sequence

__all__ = ["SeqGRU"]

T = torch.Tensor


@layer(
    "nn.SeqGRU",
    package="rnn",
    keeps_rank=True,
    keeps="remembered",
    example="inputSize",
    parameters="weight:2~normal(1/sqrt(inputSize+outputSize)) bias:1~computed()",
    takes="sequence",
    gradient_reads_output=True,
)
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
    spare: ClassVar[dict[str, Any]] = {"seqLength": 1, "miniBatch": 1}

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
        gru, size = GRU(self.inputs, self.outputs), 2 * self.outputs
        parameters, gradients = gru.torch7_parameters()
        buffers = [(parameters, self.weight.data, self.bias.data)]
        if self.gradient("weight") is not None:
            buffers.append((gradients, self.gradient("weight"), self.gradient("bias")))
        for targets, weight, bias in buffers:
            x, h = weight[: self.inputs].t(), weight[self.inputs :].t()
            sources = (x[:size], bias[:size], h[:size], x[size:], bias[size:], h[size:])
            for target, source in zip(targets, sources, strict=True):
                target.data.copy_(source)
        return gru
