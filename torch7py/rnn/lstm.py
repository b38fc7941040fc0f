"""Long short-term memory without peepholes: FastLSTM."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from torch7py.nn.container import Container
from torch7py.nn.linear import Linear
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.rnn.recurrent import AbstractRecurrent

__all__ = ["FastLSTM", "FastLSTMCell", "LinearNoBias"]


@layer("nn.LinearNoBias", package="rnn")
class LinearNoBias(Linear):
    """``nn.LinearNoBias(inputSize, outputSize)``: ``y = W x``."""

    def __init__(self, inputSize: int, outputSize: int) -> None:
        super().__init__(inputSize, outputSize, False)


class FastLSTMCell(Container):
    """One step of a FastLSTM: ``{x, h, c}`` -> ``{h', c'}``.

    ``i, g, f, o = split(Wi x + b + Wo h)``; ``c' = sigmoid(f) c + sigmoid(i) tanh(g)``;
    ``h' = sigmoid(o) tanh(c')``.

    Shapes: x ``(inputSize)`` or ``(batch, inputSize)``; h and c likewise with outputSize.
    """

    torch7_name = "nn.Sequential"
    transient = (*Container.transient, "_saved", "_gate_gradients")

    def __init__(self, i2g: Linear, o2g: Linear) -> None:
        super().__init__()
        self._modules.update(i2g=i2g, o2g=o2g)
        self.__dict__["output"] = []
        self.__dict__["gradInput"] = []

    @property
    def i2g(self) -> Linear:
        return self._modules["i2g"]  # type: ignore[return-value]

    @property
    def o2g(self) -> Linear:
        return self._modules["o2g"]  # type: ignore[return-value]

    def set_child_list(self, children: list[Any]) -> None:
        if len(children) != 2:
            raise TorchError("an LSTM cell has the two modules i2g and o2g")
        self._modules.update(i2g=children[0], o2g=children[1])

    def forward(self, input: list[torch.Tensor]) -> list[torch.Tensor]:
        x, h, c = input
        gates = F.linear(x, self.i2g.weight, self.i2g.bias) + F.linear(h, self.o2g.weight)
        i, g, f, o = gates.chunk(4, -1)
        cell = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return [torch.sigmoid(o) * torch.tanh(cell), cell]

    # Kernels: the elementwise part is one pass over the four gates side by side.

    def updateOutput(self, input: list[torch.Tensor]) -> Any:
        x, h, c = (t.data for t in input)
        size = c.shape[-1]
        if x.dim() == 1:
            x, h, c = x.unsqueeze(0), h.unsqueeze(0), c.unsqueeze(0)
        gates = torch.addmm(self.i2g.bias.data, x, self.i2g.weight.data.t())
        gates.addmm_(h, self.o2g.weight.data.t())
        hidden = torch.tanh(gates[:, size : 2 * size])
        gates.sigmoid_()
        gates[:, size : 2 * size] = hidden
        i, g, f, o = gates.chunk(4, 1)
        cell = torch.addcmul(f * c, i, g)
        squashed = torch.tanh(cell)
        output = o * squashed
        self.__dict__["_saved"] = (gates, squashed)
        shape = input[2].shape
        values = (output.view(shape), cell.view(shape))
        return self.keep_list(
            "output", [self.keep(f"_{name}", v) for name, v in zip("hc", values, strict=True)]
        )

    def updateGradInput(self, input: list[torch.Tensor], gradOutput: list[torch.Tensor]) -> Any:
        gates, squashed = self.__dict__["_saved"]
        i, g, f, o = gates.chunk(4, 1)
        cell_before = input[2].data.view(squashed.shape)
        d_output, d_cell = (t.data.view(squashed.shape) for t in gradOutput)
        d_cell = torch.addcmul(d_cell, d_output * o, 1 - squashed * squashed)
        gradient = torch.empty_like(gates)
        di, dg, df, do = gradient.chunk(4, 1)
        torch.mul(d_cell, g, out=di)
        torch.mul(d_cell, i, out=dg)
        torch.mul(d_cell, cell_before, out=df)
        torch.mul(d_output, squashed, out=do)
        slope = gates * (1 - gates)
        slope[:, g.shape[1] : 2 * g.shape[1]] = 1 - g * g
        gradient.mul_(slope)
        self.__dict__["_gate_gradients"] = gradient
        values = (gradient @ self.i2g.weight.data, gradient @ self.o2g.weight.data, d_cell * f)
        kept = [
            self.keep(f"_grad{n}", v.view(t.shape))
            for n, (v, t) in enumerate(zip(values, input, strict=True))
        ]
        return self.keep_list("gradInput", kept)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        gradient = self.__dict__["_gate_gradients"]
        x, h = (t.data.view(gradient.shape[0], -1) for t in input[:2])
        self.i2g.accGradParameters(x, gradient, scale)
        self.o2g.accGradParameters(h, gradient, scale)

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        self.updateGradInput(input, gradOutput)
        self.accGradParameters(input, gradOutput, scale)
        return self.gradInput


@layer("nn.FastLSTM", package="rnn")
class FastLSTM(AbstractRecurrent):
    """``nn.FastLSTM(inputSize[, outputSize, rho])``: an LSTM whose four gates are one product.

    Shapes of a step: ``(inputSize)`` -> ``(outputSize)``, or ``(batch, inputSize)`` -> ``(batch, outputSize)``.
    The gates stand in the order input, hidden, forget, output. Output and cell before step 1 are 0.
    ``usenngraph`` and ``bn`` of the class are not supported yet.
    """

    fields = ("inputSize", "outputSize", "cell", "cells", "gradCells", "zeroTensor", "p", "mono", "affine")
    links = ("i2g", "o2g")

    def __init__(
        self,
        inputSize: int,
        outputSize: int | None = None,
        rho: int | None = None,
        eps: float | None = None,
        momentum: float | None = None,
        affine: bool = True,
        p: float | None = None,
        mono: bool = False,
    ) -> None:
        if p:
            raise TorchError("nn.FastLSTM: dropout inside the gates (p) is not supported yet")
        super().__init__(9999 if rho is None else rho)
        outputs = int(inputSize if outputSize is None else outputSize)
        self.__dict__.update(inputSize=int(inputSize), outputSize=outputs, affine=affine, p=0, mono=mono)
        i2g = Linear(int(inputSize), 4 * outputs)
        o2g = LinearNoBias(outputs, 4 * outputs)
        self.set_step_module(FastLSTMCell(i2g, o2g))

    def _forget_steps(self) -> None:
        super()._forget_steps()
        self.__dict__.update(cells={}, gradCells={}, _grad_outputs={}, _grad_hidden_outputs={})

    @property
    def i2g(self) -> Linear:
        return self.step_module.i2g

    @property
    def o2g(self) -> Linear:
        return self.step_module.o2g

    def get_field(self, name: str) -> Any:
        if name in self.links:
            return getattr(self, name)
        return super().get_field(name)

    def set_field(self, name: str, value: Any) -> Any:
        if name in self.links:
            for clone in self.sharedClones:
                clone._modules[name] = value
            return value
        return super().set_field(name, value)

    # -- forward ------------------------------------------------------------------------------------------

    def forward(self, input: Any) -> Any:
        """From Python: a sequence ``(steps, batch, inputSize)``, started from zeros; or one step."""
        if input.dim() < 3:
            zero = input.new_zeros((*input.shape[:-1], self.outputSize))
            return self.step_module([input, zero, zero])[0]
        h = c = input.new_zeros((input.shape[1], self.outputSize))
        outputs = []
        for x in input:
            h, c = self.step_module([x, h, c])
            outputs.append(h)
        return torch.stack(outputs)

    def _hidden(self, step: int, input: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Output and cell after a step; zeros after step 0 unless they were set."""
        outputs, cells = self.outputs, self.__dict__["cells"]
        if step in outputs and step in cells:
            return outputs[step], cells[step]
        if step != 0 or input is None:
            raise TorchError(f"nn.FastLSTM has no hidden state of step {step}")
        zero = input.new_zeros((*input.shape[:-1], self.outputSize))
        return outputs.get(0, zero), cells.get(0, zero)

    def updateOutput(self, input: torch.Tensor) -> Any:
        if not 1 <= input.dim() <= 2 or input.shape[-1] != self.inputSize:
            raise TorchError(
                f"{self.class_name}: a step's input must be ({self.inputSize}) or (batch, {self.inputSize})"
            )
        before = self._hidden(self.step - 1, input)
        if self.training:
            self.recycle()
            module = self.getStepModule(self.step)
        else:
            module = self.step_module
        output, cell = module.updateOutput([input, *before])
        self.__dict__["cells"][self.step] = cell
        self.__dict__["cell"] = cell
        return self._advance(output)

    # -- backward -----------------------------------------------------------------------------------------

    def step_grad_input(self, step: int, input: torch.Tensor, gradOutput: torch.Tensor) -> Any:
        module = self.getStepModule(step)
        from_next, d_cell = self._grad_hidden(step, gradOutput)
        d_output = gradOutput if from_next is None else gradOutput + from_next
        self.__dict__["_grad_outputs"][step] = (d_output, d_cell)
        gradients = module.updateGradInput([input, *self._hidden(step - 1, input)], [d_output, d_cell])
        self.setGradHiddenState(step - 1, gradients[1:])
        return gradients[0]

    def _grad_hidden(self, step: int, like: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor]:
        """What later steps add to this step's gradients: of the output (None for nothing) and of the cell."""
        given = self.__dict__["gradCells"].get(step)
        return self.__dict__["_grad_hidden_outputs"].get(step) if given is not None else None, (
            torch.zeros_like(like) if given is None else given
        )

    def step_acc_grad(self, step: int, input: Any, gradOutput: Any, scale: float) -> None:
        module = self.getStepModule(step)
        gradients = list(self.__dict__["_grad_outputs"][step])
        module.accGradParameters([input, *self._hidden(step - 1, input)], gradients, scale)

    # -- hidden state -------------------------------------------------------------------------------------

    def _step_number(self, step: int | None, now: int) -> int:
        if step is None:
            return now - 1
        return now - int(step) - 1 if step < 0 else int(step)

    def getHiddenState(self, step: int | None = None, input: Any = None) -> Any:
        """``m:getHiddenState([step])``: ``{output, cell}`` after a step, by default the last."""
        return list(self._hidden(self._step_number(step, self.step), input))

    def setHiddenState(self, step: int | None, hiddenState: Any) -> None:
        """``m:setHiddenState(step, {output, cell})``"""
        if not isinstance(hiddenState, list) or len(hiddenState) != 2:
            raise TorchError(f"{self.class_name}:setHiddenState expects the table {{output, cell}}")
        number = self._step_number(step, self.step)
        self.outputs[number], self.__dict__["cells"][number] = hiddenState

    def getGradHiddenState(self, step: int | None = None) -> Any:
        """``m:getGradHiddenState([step])``: ``{gradOutput, gradCell}`` that a step hands to the one before."""
        number = self._step_number(step, self.step if self._grad_step is None else self._grad_step)
        d_cell = self.__dict__["gradCells"].get(number)
        return None if d_cell is None else [self.__dict__["_grad_hidden_outputs"][number], d_cell]

    def setGradHiddenState(self, step: int | None, gradHiddenState: Any) -> None:
        """``m:setGradHiddenState(step, {gradOutput, gradCell})``"""
        number = self._step_number(step, self.step if self._grad_step is None else self._grad_step)
        hidden = self.__dict__["_grad_hidden_outputs"]
        hidden[number], self.__dict__["gradCells"][number] = gradHiddenState

    def describe(self) -> str:
        return f"{self.class_name}({self.inputSize} -> {self.outputSize})"
