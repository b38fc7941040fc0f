"""IndexLinear: a linear layer for inputs given as keys and values, its gradient kept as rows of the keys seen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import argument_text, rows, size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import check_type, fit, truthy
from torch7py.nn.copying import TensorMap
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.ops.random import uniform_

__all__ = ["IndexLinear"]

# The columns in front of the weights where values are normalized: the largest magnitude of a key, its inverse, a
# factor on the key's learning rate (always 1 here), the key's own bias.
LARGEST, INVERSE, RATE, BIAS, NORMALIZED = 0, 1, 2, 3, 4


@dataclass(frozen=True)
class Elements:
    """All elements of an input: each one's row of the weight and example, 0-based, and its value."""

    rows: torch.Tensor
    values: torch.Tensor
    examples: torch.Tensor
    sizes: torch.Tensor
    single: bool


@layer("nn.IndexLinear", takes="table", parameters="weight:2~constant(0) bias:1~constant(0)")
class IndexLinear(Module):
    """``nn.IndexLinear(inputSize, outputSize[, doGradInput, keysOffset, weight, bias, normalize])``.

    ``y = sum_i value_i W[key_i] + b``, W being ``(inputSize, outputSize)``. Shapes: ``{keys (n), values (n)}`` ->
    ``(outputSize)``; a batch is ``{{keys, ...}, {values, ...}}`` or, one after the other, ``{keys, values, sizes}`` ->
    ``(batch, outputSize)``. Keys are whole numbers from ``1 - keysOffset`` on, that is from 1 by default. With
    ``doGradInput`` gradInput has all keys and their gradients in the form of the input, else it is empty.

    With ``normalize`` each value is divided by the largest magnitude that its key had in training (after
    ``m:training()``; beyond it in evaluation it becomes 1 or -1), and a learned bias of its key is added; these are
    in 4 columns in front of the weights. All parameters are 0 at first; ``reset`` draws them.

    The gradient of the weight is ``running``, a table of the keys and the gradients of each backward since
    ``zeroGradParameters``, and ``updateParameters`` goes over them one after the other, so that ``weightDecay`` (0, a
    field) takes its share of a weight once an element. ``gradWeight`` holds their gradients after
    ``updateParameters``. Source: nn's ``IndexLinear``, of 2017.
    """

    traced = False
    new_lists = ("gradInput",)
    fields: ClassVar[tuple[str, ...]] = (
        "normalize",
        "inputSize",
        "outputSize",
        "gradWeightBuffer",
        "valuesBuffer",
        "normalizedValues",
        "running",
        "sizesCache",
        "cumSumSizesCache",
        "weightDecay",
        "doGradInput",
        "offset",
    )
    spare: ClassVar[dict[str, Any]] = {"sizesCache": [], "cumSumSizesCache": []}

    def __init__(
        self,
        inputSize: int | None = None,
        outputSize: int | None = None,
        doGradInput: bool = False,
        keysOffset: int | None = None,
        weight: torch.Tensor | None = None,
        bias: torch.Tensor | None = None,
        normalize: bool = False,
    ) -> None:
        super().__init__()
        self.normalize = NORMALIZED if truthy(normalize) else 0
        if weight is None:
            if inputSize is None or outputSize is None:
                raise TorchError(
                    "nn.IndexLinear: inputSize and outputSize are wanted where there is no weight"
                )
            weight = self.new(int(inputSize), int(outputSize) + self.normalize)
        if weight.dim() != 2 or weight.shape[1] <= self.normalize:
            raise TorchError(
                f"nn.IndexLinear: a weight of {size_text(weight)} is no matrix of the wanted columns"
            )
        self.inputSize, self.outputSize = weight.shape[0], weight.shape[1] - self.normalize
        self._set_parameter("weight", weight)
        self._gradients["weight"] = self.new()
        self.add_parameter("bias", self.new(self.outputSize))
        if bias is not None:
            self._set_parameter("bias", bias)
        for name in ("gradWeightBuffer", "valuesBuffer", "normalizedValues"):
            self.__dict__[name] = self.new()
        self.weightDecay = 0
        self.doGradInput = truthy(doGradInput)
        self.offset = -1 if keysOffset is None else int(keysOffset) - 1
        self._forget_gradients()

    def reset(self, stdv: float | None = None) -> None:
        """``m:reset([stdv])``: weights from ``uniform(-s, s)``, ``s = 1 / sqrt(columns)``, a bias of a millionth."""
        bound = 1 / math.sqrt(self.weight.shape[1]) if stdv is None else stdv * math.sqrt(3)
        uniform_(self.weight.data, -bound, bound)
        uniform_(self.bias.data, -bound, bound).mul_(0.000001)
        self.weight.data[:, : self.normalize] = 0

    def _forget_gradients(self) -> None:
        self.__dict__["running"] = {"cumSumSizes": [], "keys": [], "gradWeight": [], "counter": 1}

    def torch7_parameters(self) -> Any:
        """``m:parameters()``: the gradient of the weight is the table of what each backward gave."""
        return [self.weight, self.bias], [self.running, self.gradient("bias")]

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        super().convert(convert, type_name, seen)
        self.running["gradWeight"][:] = [convert(tensor) for tensor in self.running["gradWeight"]]

    # -- the input ----------------------------------------------------------------------------------------

    def _elements(self, input: Any) -> Elements:
        if not isinstance(input, list) or len(input) not in (2, 3):
            raise TorchError(f"{self.class_name}: the input must be a table of keys and values, and of sizes")
        keys, values = input[:2]
        single = len(input) == 2 and isinstance(keys, torch.Tensor)
        if len(input) == 3:
            sizes = torch.tensor([input[2]]) if isinstance(input[2], (int, float)) else input[2]
            if not isinstance(sizes, torch.Tensor):
                raise TorchError(f"{self.class_name}: the sizes must be a tensor or a number")
        else:
            key_list, value_list = ([keys], [values]) if single else (keys, values)
            if not isinstance(key_list, list) or not isinstance(value_list, list) or not key_list:
                raise TorchError(f"{self.class_name}: keys and values must be tensors, or tables of tensors")
            for key, value in zip(key_list, value_list, strict=False):
                self._check_pair(key, value)
            if len(key_list) != len(value_list):
                raise TorchError(f"{self.class_name}: {len(key_list)} keys, {len(value_list)} values")
            keys, values = torch.cat(key_list), torch.cat(value_list)
            sizes = torch.tensor([len(key) for key in key_list])
        self._check_pair(keys, values)
        check_type(self, "a value", values, self.weight)
        sizes = sizes.long().to(values.device)
        if int(sizes.sum()) != len(values):
            raise TorchError(
                f"{self.class_name}: the sizes add up to {int(sizes.sum())}, not to {len(values)}"
            )
        examples = torch.arange(len(sizes), device=values.device).repeat_interleave(sizes)
        positions = rows(self, keys.detach().long() + self.offset + 1, self.weight.shape[0]).to(values.device)
        return Elements(positions, values, examples, sizes, single)

    def _check_pair(self, keys: Any, values: Any) -> None:
        for tensor in (keys, values):
            if not isinstance(tensor, torch.Tensor) or tensor.dim() != 1:
                raise TorchError(
                    f"{self.class_name}: keys and values must be vectors, not {argument_text(tensor)}"
                )
        if len(keys) != len(values):
            raise TorchError(f"{self.class_name}: {len(keys)} keys, {len(values)} values")

    def _distinct_rows(self, rows: torch.Tensor) -> Iterator[torch.Tensor]:
        """Positions of elements, so that no two of one group have the same key: what is done to a key's row in
        one after the other is done to all rows of a group at once."""
        order = torch.sort(rows, stable=True).indices
        sorted_rows = rows[order]
        starts = torch.ones_like(sorted_rows, dtype=torch.bool)
        starts[1:] = sorted_rows[1:] != sorted_rows[:-1]
        positions = torch.arange(len(order), device=order.device)
        first = torch.cummax(torch.where(starts, positions, 0), 0).values
        rank = positions - first
        for number in range(int(rank.max()) + 1 if len(rank) else 0):
            yield order[rank == number]

    def _learn_scale(self, elements: Elements) -> torch.Tensor:
        """The normalized values; in training the largest magnitudes are learned on the way, element by element."""
        weight, values = self.weight.data, elements.values.detach()
        scaled = torch.empty_like(values)
        learns = self.training and "_mode_set" in self.__dict__
        for group in self._distinct_rows(elements.rows):
            row, value = elements.rows[group], values[group]
            magnitude = value.abs()
            if learns:
                larger = row[magnitude > weight[row, LARGEST]]
                largest = magnitude[magnitude > weight[row, LARGEST]]
                weight[larger, LARGEST] = largest
                weight[larger, INVERSE] = 1 / largest
                weight[row, RATE] = 1
            beyond = magnitude > weight[row, LARGEST]
            scaled[group] = torch.where(beyond, value.sign(), value * weight[row, INVERSE])
        return scaled

    # -- forward ------------------------------------------------------------------------------------------

    def forward(self, input: Any) -> torch.Tensor:
        elements = self._elements(input)
        values = elements.values
        if self.normalize:
            values = self._learn_scale(elements) + self.weight[elements.rows, BIAS]
            self.__dict__["normalizedValues"] = values.detach()
        parts = self.weight[elements.rows, self.normalize :] * values.unsqueeze(1)
        output = (
            parts.new_zeros(len(elements.sizes), self.outputSize).index_add(0, elements.examples, parts)
            + self.bias
        )
        return output[0] if elements.single else output

    def _values_of(self, elements: Elements) -> torch.Tensor:
        """The values that the last forward multiplied the weights with."""
        if not self.normalize:
            return elements.values.detach()
        seen: torch.Tensor = self.normalizedValues
        if len(seen) != len(elements.values):
            raise TorchError(f"{self.class_name}: a backward without the forward of its input")
        return seen

    # -- backward -----------------------------------------------------------------------------------------

    def _rows_of_gradient(self, elements: Elements, gradOutput: torch.Tensor) -> torch.Tensor:
        """gradOutput with a row for each example."""
        return fit(
            self, "gradOutput", gradOutput, self.weight.data.new_empty((len(elements.sizes), self.outputSize))
        )

    def updateGradInput(self, input: Any, gradOutput: torch.Tensor) -> Any:
        if self.gradInput is None:
            return None
        if not self.doGradInput:
            return self.keep_list("gradInput", [])
        if self.normalize:
            raise TorchError(f"{self.class_name}: with normalize there is no gradient of the input")
        elements = self._elements(input)
        gradient = self._rows_of_gradient(elements, gradOutput) @ self.weight.data.t()
        keys = torch.arange(1, self.inputSize + 1, device=gradient.device)
        if len(input) == 3:
            return self.keep_list("gradInput", [keys.repeat(len(gradient), 1), gradient])
        if elements.single:
            return self.keep_list("gradInput", [keys, gradient[0]])
        lists = [[keys.clone() for _ in gradient], [row.clone() for row in gradient]]
        return self.keep_list("gradInput", lists)

    def accGradParameters(self, input: Any, gradOutput: torch.Tensor, scale: float = 1) -> None:
        elements = self._elements(input)
        gradient = self._rows_of_gradient(elements, gradOutput) * scale
        gradients = gradient[elements.examples]
        of_weights = gradients * self._values_of(elements).unsqueeze(1)
        running = self.running
        number = running["counter"] - 1
        if self.normalize:
            of_weights = torch.cat([gradients, of_weights], 1)
        for name, tensor in (
            ("keys", elements.rows - self.offset),
            ("cumSumSizes", elements.sizes.cumsum(0)),
            ("gradWeight", of_weights),
        ):
            running[name][number : number + 1] = [tensor]
        running["counter"] += 1
        bias = self.gradient("bias")
        if bias is not None:
            bias.add_(gradient.sum(0))

    def _move(
        self,
        rows: torch.Tensor,
        for_bias: torch.Tensor | None,
        for_weights: torch.Tensor,
        rate: float,
        late: bool,
    ) -> None:
        """Take one step for each element, in their order. ``late``: by accUpdateGradParameters."""
        weight, decay = self.weight.data, self.weightDecay or 0
        if not self.normalize and not decay:
            weight.index_add_(0, rows, for_weights, alpha=-rate)
            return
        # The original adds what it should take away where there is one output.
        sign = -1 if self.normalize and self.outputSize == 1 else 1
        for group in self._distinct_rows(rows):
            row = rows[group]
            weights, step = weight[row, self.normalize :], for_weights[group] * rate
            share = torch.full_like(weights[:, :1], decay)
            if self.normalize:
                key_rate = weight[row, RATE].unsqueeze(1)
                assert for_bias is not None
                weight[row, BIAS] -= (for_bias[group] * weights * rate * key_rate).sum(1)
                step, share = step * key_rate, share * key_rate
            weight[row, self.normalize :] = weights - weights * share * sign - step
        if late and self.normalize and self.outputSize == 1:  # as in the original, for one output alone
            weight[rows, RATE] = 0

    def accUpdateGradParameters(self, input: Any, gradOutput: torch.Tensor, lr: float) -> None:
        elements = self._elements(input)
        gradient = self._rows_of_gradient(elements, gradOutput)
        gradients = gradient[elements.examples]
        self.bias.data.sub_(gradient.sum(0), alpha=lr)
        for_bias = gradients if self.normalize else None
        for_weights = gradients * self._values_of(elements).unsqueeze(1)
        self._move(elements.rows, for_bias, for_weights, lr, late=True)

    def sharedAccUpdateGradParameters(self, input: Any, gradOutput: torch.Tensor, lr: float) -> None:
        self.accUpdateGradParameters(input, gradOutput, lr)

    def updateParameters(self, learningRate: float) -> None:
        count = self.running["counter"] - 1
        gradients = self.running["gradWeight"][:count]
        bias = self.gradient("bias")
        if not gradients:  # the original leaves the bias, too
            return
        if bias is not None:
            self.bias.data.sub_(bias, alpha=learningRate)
        for keys, gradient in zip(self.running["keys"], gradients, strict=False):
            for_bias = gradient[:, : self.outputSize] if self.normalize else None
            for_weights = gradient[:, -self.outputSize :]
            self._move(keys + self.offset, for_bias, for_weights, learningRate, late=False)
        self._gradients["weight"] = gradients[0] if count == 1 else torch.cat(gradients)

    def zeroGradParameters(self) -> None:
        bias = self.gradient("bias")
        if bias is not None:
            bias.zero_()
        self.running["counter"] = 1

    def clearState(self) -> Module:
        self._forget_gradients()
        self.__dict__["normalizedValues"] = self.new()
        return super().clearState()
