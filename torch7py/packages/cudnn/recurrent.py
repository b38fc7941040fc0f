"""cudnn's recurrent layers: several layers of cells over a whole sequence, all their weights in one vector.

cuDNN's order is that of ``torch.nn.LSTM`` and its kin: first the matrices of each layer and direction, those of the
input and then those of the hidden state, gate by gate; then, in the same order, the vectors of both biases. Layer 1 has
the rows of the input, later ones those of the hidden states of both directions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import torch

from torch7py.nn.base import Module
from torch7py.nn.checks import number, truthy
from torch7py.nn.copying import TensorMap
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.nn.trace import Trace
from torch7py.ops import state, types
from torch7py.ops.errors import TorchError
from torch7py.ops.random import dropout_mask, uniform_
from torch7py.ops.support import unsupported
from torch7py.packages.cudnn import packed_sequences

__all__ = ["BGRU", "BLSTM", "GRU", "LSTM", "RNN", "RNNReLU", "RNNTanh"]

T = torch.Tensor

# Of each mode: the number of gates, whether there is a cell, PyTorch's kernel.
MODES: dict[str, tuple[int, bool, Callable[..., Any]]] = {
    "CUDNN_LSTM": (4, True, torch.lstm),
    "CUDNN_GRU": (3, False, torch.gru),
    "CUDNN_RNN_RELU": (1, False, torch.rnn_relu),
    "CUDNN_RNN_TANH": (1, False, torch.rnn_tanh),
}


_INPUT_MODES = ("CUDNN_LINEAR_INPUT", "CUDNN_SKIP_INPUT")


@layer(
    "cudnn.RNN",
    draws=True,
    differs_in_training=True,
    begins_training=True,
    parameters="weight:1~uniform(1/sqrt(hiddenSize))",
    keeps_rank=True,
    takes="sequence",
    gradient_reads_output=True,
)
class RNN(Module):
    """``cudnn.RNN(inputSize, hiddenSize, numLayers[, batchFirst, dropout, rememberStates])``: layers of
    ``h' = relu(W x + b + R h + c)`` over a sequence.

    Shapes: ``(steps, batch, inputSize)`` -> ``(steps, batch, hiddenSize)``, twice hiddenSize in two directions; with
    batchFirst the batch first. Or a table of sequences of several lengths, the longest first, as
    ``packPaddedSequence`` gives: ``{(sum of lengths, inputSize), batch sizes of the steps}`` ->
    ``(sum of lengths, hiddenSize)``.

    ``weight`` is all weights and biases in one vector, drawn from ``uniform(-s, s)``, ``s = 1 / sqrt(hiddenSize)``.
    ``hiddenInput`` and ``cellInput``, of ``(numLayers, batch, hiddenSize)``, set by a script, are the states before
    step 1, zeros otherwise; ``hiddenOutput`` and ``cellOutput`` those after the last. With rememberStates a call begins
    with the states that the last one ended with, until ``resetStates()``. ``gradHiddenOutput`` and ``gradCellOutput``
    are taken into account, ``gradHiddenInput`` and ``gradCellInput`` result. ``dropout`` is applied between the
    layers. A backward needs training mode. The tensors are CudaTensors from the start. With ``inputMode =
    'CUDNN_SKIP_INPUT'`` the first layer has no W: its input, of the hidden size, goes to each gate as it is. After a
    change of ``mode``, ``inputMode``, ``numDirections`` or a size ``reset()`` gives the weight its size.
    """

    first_mode: ClassVar[str] = "CUDNN_RNN_RELU"
    directions: ClassVar[int] = 1
    parameter_fields = ("weight",)
    fields: ClassVar[tuple[str, ...]] = (
        "datatype",
        "inputSize",
        "hiddenSize",
        "seqLength",
        "miniBatch",
        "numLayers",
        "bidirectional",
        "numDirections",
        "inputMode",
        "mode",
        "dropout",
        "seed",
        "batchFirst",
        "rememberStates",
        "sync",
        "inputPacked",
        "hiddenInput",
        "cellInput",
        "hiddenOutput",
        "cellOutput",
        "gradHiddenOutput",
        "gradCellOutput",
        "gradHiddenInput",
        "gradCellInput",
    )
    spare: ClassVar[dict[str, Any]] = {"reserve": ()}
    transient = (*Module.transient, "_steps", "_masks")
    lua_methods = names(
        """resetStates setSync weights biases packPaddedSequence padPackedSequence clearDesc resetDropoutDescriptor
        resetRNNDescriptor resetWeightDescriptor resetInputDescriptor resetOutputDescriptor resetHiddenDescriptors
        resetCellDescriptors createDescriptors createDropoutDescriptors createFilterDescriptors createRNNDescriptors
        createTensorDescriptors"""
    )

    inputSize: int
    hiddenSize: int
    numLayers: int

    def __init__(
        self,
        inputSize: int,
        hiddenSize: int,
        numLayers: int,
        batchFirst: bool = False,
        dropout: float | bool = 0,
        rememberStates: bool = False,
    ) -> None:
        super().__init__()
        name = self.torch7_name
        dropout = 0 if dropout is False else dropout
        for what, value in (("inputSize", inputSize), ("hiddenSize", hiddenSize), ("numLayers", numLayers)):
            if number(name, what, value) < 1:
                raise TorchError(f"{name}: {what} must be at least 1, not {value:g}")
            self.__dict__[what] = int(value)
        if not 0 <= number(name, "dropout", dropout) <= 1:
            raise TorchError(f"{name}: dropout must be from 0 to 1, not {dropout:g}")
        self._start()
        self.__dict__.update(
            batchFirst=truthy(batchFirst), dropout=dropout, rememberStates=truthy(rememberStates)
        )
        self.__dict__["_type"] = types.BY_NAME["Cuda"].tensor
        for field in (
            "output",
            "gradInput",
            "hiddenOutput",
            "cellOutput",
            "gradHiddenInput",
            "gradCellInput",
        ):
            self.keep(field, self.new())
        self.add_parameter("weight", self.new(self._count()))
        self.set_training()
        self.reset()

    def _start(self) -> None:
        both = self.directions == 2
        self.__dict__.update(
            datatype="CUDNN_DATA_FLOAT",
            seqLength=1,
            miniBatch=1,
            bidirectional="CUDNN_BIDIRECTIONAL" if both else "CUDNN_UNIDIRECTIONAL",
            numDirections=self.directions,
            inputMode="CUDNN_LINEAR_INPUT",
            mode=self.first_mode,
            seed=0x01234567,
            sync=True,
            inputPacked=False,
            _steps=None,
            _masks=[],
        )

    def prepare_blank(self) -> None:
        super().prepare_blank()
        self._start()

    def restored(self) -> None:
        self._check_mode()
        sizes = [
            self.__dict__.get(name) for name in ("inputSize", "hiddenSize", "numLayers", "numDirections")
        ]
        if not all(isinstance(size, int) and size >= 1 for size in sizes) or int(self.numDirections) > 2:
            raise TorchError(f"{self.class_name}: its sizes are {sizes}")
        # A file may claim any number of layers: each takes an element at least, and elements are counted in memory.
        if self.weight is not None and not self.weight.is_contiguous():
            raise TorchError(f"{self.class_name}: a weight that is not one piece of memory")
        held = 0 if self.weight is None else self.weight.numel()
        if held < self.numLayers or held != self._count():
            raise TorchError(f"{self.class_name}: a weight of {held} elements does not fit the sizes {sizes}")

    def _check_mode(self) -> None:
        if self.mode not in MODES or self.inputMode not in _INPUT_MODES:
            raise TorchError(
                f"{self.class_name}: the mode {self.mode!r} with {self.inputMode!r} is not known"
            )
        if self._skips() and self.inputSize != self.hiddenSize:
            raise TorchError(
                f"{self.class_name}: {self.inputMode} is for inputs of the hidden size {self.hiddenSize}, "
                f"not of {self.inputSize}"
            )

    def _skips(self) -> bool:
        """Whether the input goes to each gate of the first layer as it is, without a matrix."""
        return bool(self.inputMode == "CUDNN_SKIP_INPUT")

    # -- the weight ---------------------------------------------------------------------------------------

    def _sizes(self) -> list[tuple[int, ...]]:
        """Of all matrices, layer by layer and direction by direction, for the input and for the hidden state; then of
        all vectors."""
        gates, hidden, directions = MODES[self.mode][0], self.hiddenSize, int(self.numDirections)
        matrices: list[tuple[int, ...]] = []
        for number_of_layer in range(self.numLayers):
            columns = hidden * directions if number_of_layer else self.inputSize
            first = (0, columns) if self._skips() and not number_of_layer else (gates * hidden, columns)
            matrices += [first, (gates * hidden, hidden)] * directions
        return matrices + [(gates * hidden,)] * len(matrices)

    def _count(self) -> int:
        return sum(math.prod(sizes) for sizes in self._sizes())

    def _parts(self, weight: T) -> list[T]:
        """All matrices and vectors as views of the weight."""
        if weight.numel() != self._count():
            raise TorchError(
                f"{self.class_name}: the weight has {weight.numel()} elements, with these settings it needs "
                f"{self._count()}: reset() gives it its size"
            )
        parts, at = [], 0
        for sizes in self._sizes():
            count = math.prod(sizes)
            parts.append(weight[at : at + count].view(sizes))
            at += count
        return parts

    def reset(self, stdv: float | None = None) -> Any:
        """``m:reset([stdv])``: also the size of the weight anew, after a change of mode or directions."""
        self._check_mode()
        gradient = self.gradient("weight")
        if self.weight.numel() != self._count():
            self.weight.data = self.weight.data.new_empty(self._count())
            if gradient is not None:
                gradient.data = gradient.data.new_empty(self._count())
        if gradient is not None:
            gradient.zero_()
        bound = 1 / math.sqrt(self.hiddenSize) if stdv is None else stdv
        uniform_(self.weight.data, -bound, bound)
        return self

    def _gates(self, parts: list[T]) -> list[list[T]]:
        """Matrices or vectors gate by gate, those of the hidden state after those of the input, a list a layer."""
        count = MODES[self.mode][0]
        pairs = zip(parts[::2], parts[1::2], strict=True)
        return [[gate.reshape(-1) for part in pair for gate in part.chunk(count)] for pair in pairs]

    def weights(self) -> list[list[T]]:
        """``m:weights()``: for each layer and direction the matrices of the gates, as vectors in the weight."""
        parts = self._parts(self.weight.data)
        return self._gates(parts[: len(parts) // 2])

    def biases(self) -> list[list[T]]:
        """``m:biases()``: the same for the biases."""
        parts = self._parts(self.weight.data)
        return self._gates(parts[len(parts) // 2 :])

    # -- one call -----------------------------------------------------------------------------------------

    def _compute(self, input: Any, hidden: T, cell: T, masks: list[T]) -> list[T]:
        """Output and last states, from steps first or packed; an empty list of masks gets new ones."""
        _, has_cell, kernel = MODES[self.mode]
        directions, count = int(self.numDirections), self.numLayers
        parts = self._parts(self.weight)
        half = len(parts) // 2
        both = directions == 2
        packed = isinstance(input, list)
        value = input[0] if packed else input
        last_hidden, last_cell = [], []
        for at in range(count):
            rows = slice(at * directions, (at + 1) * directions)
            layer_weights: list[T] = []
            for direction in range(directions):
                first = 2 * (at * directions + direction)
                layer_weights += parts[first : first + 2] + parts[half + first : half + first + 2]
                if self._skips() and not at:
                    gates, like = MODES[self.mode][0], layer_weights[-3]
                    layer_weights[-4] = torch.eye(
                        self.hiddenSize, dtype=like.dtype, device=like.device
                    ).repeat(gates, 1)
            states: Any = (hidden[rows], cell[rows]) if has_cell else hidden[rows]
            if packed:
                value, *after = kernel(
                    value, input[1], states, layer_weights, True, 1, 0.0, self.training, both
                )
            else:
                value, *after = kernel(value, states, layer_weights, True, 1, 0.0, self.training, both, False)
            last_hidden.append(after[0])
            last_cell += after[1:]
            if at < count - 1 and self.dropout > 0 and self.training:
                if at == len(masks):
                    generator = state.current().generator
                    mask = dropout_mask(generator, value.shape, self.dropout, value.dtype).to(value.device)
                    masks.append(mask / (1 - self.dropout) if self.dropout < 1 else mask)
                value = value * masks[at]
        return [value, torch.cat(last_hidden), torch.cat(last_cell) if last_cell else torch.zeros_like(cell)]

    def _sequence(self, input: Any) -> Any:
        """The input with steps first, or packed with the sizes of the batches as a tensor."""
        name = self.class_name
        if isinstance(input, list):
            value, sizes = packed_sequences.checked(name, input, self.inputSize)
            return [value, torch.tensor(sizes)]
        if not isinstance(input, T) or input.dim() != 3 or input.shape[2] != self.inputSize:
            raise TorchError(f"{name}: the input must have 3 dimensions, the last of {self.inputSize}")
        return input.transpose(0, 1) if self.batchFirst else input

    def _noted_sequence(self, input: Any) -> Any:
        """The same, and the fields have its sizes."""
        value = self._sequence(input)
        packed = isinstance(value, list)
        steps, batch = (len(value[1]), int(value[1][0])) if packed else value.shape[:2]
        self.__dict__.update(seqLength=steps, miniBatch=batch, inputPacked=packed)
        return value

    def _first(self, name: str, sequence: Any) -> T:
        """The state before step 1."""
        packed = isinstance(sequence, list)
        like = sequence[0] if packed else sequence
        sizes = self._state_sizes(int(sequence[1][0]) if packed else sequence.shape[1])
        held = self.__dict__.get(name)
        if held is None:
            begin: T = like.new_zeros(sizes)
            return begin
        if not isinstance(held, T) or tuple(held.shape) != sizes:
            actual = "x".join(map(str, held.shape)) if isinstance(held, T) else "no tensor"
            raise TorchError(f"{self.class_name}: {name} is {actual}, not {'x'.join(map(str, sizes))}")
        return held.data

    def _states_like(self, trace: Trace) -> list[Any]:
        """The states before step 1; zeros are those of a call."""
        held = [self.__dict__.get(name) for name in ("hiddenInput", "cellInput")]
        return [
            used if present is None else present for present, used in zip(held, trace.input[1:], strict=True)
        ]

    def _state_sizes(self, batch: int | None = None) -> tuple[int, ...]:
        """The sizes of a state, for the last batch or one of so many examples."""
        count = self.miniBatch if batch is None else batch
        return (self.numLayers * int(self.numDirections), count, self.hiddenSize)

    def _shown(self, value: T, input: Any) -> T:
        return value.transpose(0, 1) if self.batchFirst and not isinstance(input, list) else value

    def forward(self, input: Any) -> T:
        value = self._sequence(input)
        states = self._first("hiddenInput", value), self._first("cellInput", value)
        return self._shown(self._compute(value, *states, masks=[])[0], input)

    def _trace_of(self, input: Any, fresh_masks: bool) -> Trace:
        value = self._noted_sequence(input)
        tensor, batches = (value[0], value[1]) if isinstance(value, list) else (value, None)
        inputs = [tensor, self._first("hiddenInput", value), self._first("cellInput", value)]
        if fresh_masks:
            self.__dict__["_masks"] = []

        def run(parts: list[Any]) -> list[T]:
            x = parts[0] if batches is None else [parts[0], batches]
            return self._compute(x, parts[1], parts[2], self.__dict__["_masks"])

        return Trace(self, run, inputs)

    def updateOutput(self, input: Any) -> T:
        self._noted_sequence(input)
        if truthy(self.rememberStates):
            fits = tuple(self.hiddenOutput.shape) == self._state_sizes()
            for before, after in (("hiddenInput", self.hiddenOutput), ("cellInput", self.cellOutput)):
                self.__dict__[before] = self._labelled(after.data.clone()) if fits else None
        trace = self.__dict__["_steps"] = self._trace_of(input, fresh_masks=True)
        output, hidden, cell = trace.output
        self.keep("hiddenOutput", hidden.data)
        self.keep("cellOutput", cell.data)
        return self.keep("output", self._shown(output.data, input))

    def _back(self, input: Any, gradOutput: T, select: Callable[[Trace], list[T]]) -> list[T | None]:
        name = self.class_name
        if not self.training:
            raise TorchError(f"{name}: a backward needs training mode")
        value = self._noted_sequence(input)
        tensor = value[0] if isinstance(value, list) else value
        trace: Trace | None = self.__dict__["_steps"]
        if trace is None or not trace.is_of(self, [tensor, *self._states_like(trace)]):
            trace = self.__dict__["_steps"] = self._trace_of(input, fresh_masks=not self.__dict__["_masks"])
        output, hidden, cell = trace.output
        if not isinstance(gradOutput, T) or gradOutput.shape != self._shown(output, input).shape:
            raise TorchError(f"{name}: the size of gradOutput is not that of the output")
        gradients = [self._shown(gradOutput, input)]
        for field, like in (("gradHiddenOutput", hidden), ("gradCellOutput", cell)):
            held = self.__dict__.get(field)
            if held is not None and (not isinstance(held, T) or held.shape != like.shape):
                raise TorchError(f"{name}: the size of {field} is not that of the state")
            gradients.append(torch.zeros_like(like.data) if held is None else held)
        return trace.gradients(select(trace), gradients)

    def updateGradInput(self, input: Any, gradOutput: T) -> Any:
        if self.gradInput is None:
            return None
        gradients = self._back(input, gradOutput, lambda trace: trace.input)
        value = self._sequence(input)
        sizes = self._state_sizes()
        tensor = value[0] if isinstance(value, list) else value
        parts = [
            part if part is not None else tensor.new_zeros(like)
            for part, like in zip(gradients, (tensor.shape, sizes, sizes), strict=True)
        ]
        self.keep("gradHiddenInput", parts[1].data)
        self.keep("gradCellInput", parts[2].data)
        return self.keep("gradInput", self._shown(parts[0].data, input))

    def accGradParameters(self, input: Any, gradOutput: T, scale: float = 1) -> None:
        buffer = self.gradient("weight")
        if buffer is None:
            return
        gradient = self._back(input, gradOutput, lambda trace: list(trace.parameters.values()))[0]
        if gradient is not None:
            buffer.add_(gradient, alpha=scale)

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        self.updateGradInput(input, gradOutput)
        self.accGradParameters(input, gradOutput, scale)
        return self.gradInput

    # -- states -------------------------------------------------------------------------------------------

    def resetStates(self) -> None:
        """``m:resetStates()``: begin the next call with zeros."""
        for name in ("hiddenInput", "cellInput", "gradHiddenOutput", "gradCellOutput"):
            self.__dict__[name] = None
        self.hiddenOutput.zero_()
        self.cellOutput.zero_()

    def clearState(self) -> Any:
        self.__dict__.update(_steps=None, _masks=[])
        return super().clearState()

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        self.__dict__.update(_steps=None, _masks=[])
        super().convert(convert, type_name, seen)

    # -- sequences of several lengths ---------------------------------------------------------------------

    def packPaddedSequence(self, input: T, lengths: list[float], batchFirst: bool = False) -> list[Any]:
        """``m:packPaddedSequence(input, lengths[, batchFirst])``: the input without the steps beyond the lengths,
        which must not grow, as ``{tensor, batch sizes of the steps}``."""
        rows, sizes = packed_sequences.packed(input.transpose(0, 1) if truthy(batchFirst) else input, lengths)
        return [types.label(rows, types.of(input)), sizes]

    def padPackedSequence(self, seq: list[Any], batchFirst: bool = False) -> tuple[T, list[int]]:
        """``m:padPackedSequence(packed[, batchFirst])``: the tensor with zeros beyond the lengths, and the lengths."""
        data, sizes = seq
        padded, lengths = packed_sequences.padded(data, sizes)
        return types.label(padded.transpose(0, 1) if truthy(batchFirst) else padded, types.of(data)), lengths

    # -- what is cuDNN's own ------------------------------------------------------------------------------

    def setSync(self, sync: bool) -> None:
        """``m:setSync(flag)``: without effect on results."""
        self.sync = sync

    def clearDesc(self, *arguments: Any) -> None:
        """``m:clearDesc()`` and the ``reset...Descriptor`` methods: there are no descriptors."""

    resetDropoutDescriptor = resetRNNDescriptor = resetWeightDescriptor = resetInputDescriptor = clearDesc
    resetOutputDescriptor = resetHiddenDescriptors = resetCellDescriptors = clearDesc

    def createDescriptors(self, *arguments: Any) -> None:
        """``m:create...Descriptors(...)``: an error, as nothing can be done with a descriptor here."""
        raise TorchError(
            f"{self.class_name}: there are no descriptors of cuDNN's here; weights() and biases() give the parameters"
        )

    createDropoutDescriptors = createFilterDescriptors = createRNNDescriptors = createDescriptors
    createTensorDescriptors = createDescriptors


for _what in ("Dropout", "Filter", "RNN", "Tensor"):
    unsupported(f"cudnn.RNN:create{_what}Descriptors", "an error: there are no descriptors of cuDNN's")


def _kind(name: str, mode: str, what: str, directions: int = 1) -> type[RNN]:
    """A class of another cell; one of two directions remembers no states."""
    remembers = ", rememberStates" if directions == 1 else ""
    attributes: dict[str, Any] = {
        "__module__": __name__,
        "__doc__": f"``cudnn.{name}(inputSize, hiddenSize, numLayers[, batchFirst, dropout{remembers}])``: {what}.\n\n"
        "    All else as in ``cudnn.RNN``.\n    ",
        "first_mode": mode,
        "directions": directions,
    }
    if directions == 2:

        def __init__(
            self: RNN,
            inputSize: int,
            hiddenSize: int,
            numLayers: int,
            batchFirst: bool = False,
            dropout: float = 0,
        ) -> None:
            RNN.__init__(self, inputSize, hiddenSize, numLayers, batchFirst, dropout)

        attributes["__init__"] = __init__
    return layer(f"cudnn.{name}")(type(name, (RNN,), attributes))


LSTM = _kind(
    "LSTM", "CUDNN_LSTM", "LSTM cells without peepholes; gates in the order input, forget, cell, output"
)
GRU = _kind("GRU", "CUDNN_GRU", "gated recurrent units; gates in the order reset, update, new")
RNNReLU = _kind("RNNReLU", "CUDNN_RNN_RELU", "the cells of ``cudnn.RNN``")
RNNTanh = _kind("RNNTanh", "CUDNN_RNN_TANH", "tanh in the place of relu")
BLSTM = _kind("BLSTM", "CUDNN_LSTM", "``cudnn.LSTM`` in both directions", 2)
BGRU = _kind("BGRU", "CUDNN_GRU", "``cudnn.GRU`` in both directions", 2)
