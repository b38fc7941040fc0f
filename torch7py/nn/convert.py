"""Copy: into another tensor type. Convert: into another order of dimensions."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.activation import Identity
from torch7py.nn.arguments import dims_of, gradient_of, size_text
from torch7py.nn.base import Module
from torch7py.nn.container import Sequential
from torch7py.nn.copying import TensorMap
from torch7py.nn.map_table import Growing
from torch7py.nn.registry import layer
from torch7py.nn.selecting import Select
from torch7py.nn.shape import Reshape, Transpose
from torch7py.ops import state, types
from torch7py.ops.errors import TorchError

__all__ = ["Convert", "Copy"]

ANY = "b*"


@layer("nn.Copy", keeps_rank=True, takes="any", gives="same")
class Copy(Module):
    """``nn.Copy([inputType, outputType, forceCopy, dontCast])``: the input in another type, such as
    ``'torch.FloatTensor'``; the gradient goes back to the input's.

    Any shape. Types left out are the default tensor type. With two equal types the input itself is the output
    unless forceCopy. With dontCast the layer's ``type()`` changes nothing.
    """

    resizes_as_grad_output = True
    traced = False
    fields: ClassVar[tuple[str, ...]] = ("dontCast",)
    dontCast: bool | None = None
    copies_input = True
    transfers = True  # False: the input itself is the output

    def __init__(
        self,
        intype: str | None = None,
        outtype: str | None = None,
        forceCopy: bool = False,
        dontCast: bool | None = None,
    ) -> None:
        super().__init__()
        self.dontCast = dontCast
        default = state.current().default_type
        source, target = (default if name is None else _type_named(name) for name in (intype, outtype))
        self._hold("gradInput", source)
        self._hold("output", target)
        self.transfers = forceCopy or source is not target

    def _hold(self, name: str, number_type: types.NumberType) -> None:
        """Start a field with an empty tensor of the type that it is to have, whatever the network's is around it."""
        held: Any = self.keep(name, self.new().to(number_type.dtype))
        held.torch7_type = number_type

    def restored(self) -> None:
        super().restored()
        for name in ("output", "gradInput"):
            held = self.__dict__.get(name)
            if isinstance(held, torch.Tensor):
                held.torch7_type = types.of(held)  # type: ignore[attr-defined]

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input.to(self.output.dtype, copy=True) if self.transfers else input

    def updateOutput(self, input: torch.Tensor) -> torch.Tensor:
        kept: torch.Tensor = super().updateOutput(input)
        return kept if self.transfers else input

    def updateGradInput(self, input: torch.Tensor, gradOutput: torch.Tensor) -> Any:
        kept = super().updateGradInput(input, gradOutput)
        return kept if self.transfers or kept is None else gradOutput

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        gradient = gradient_of(self, gradOutput, input.shape)
        return gradient.to(self.gradInput.dtype, copy=True) if self.transfers else gradient

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        if not self.dontCast:
            super().convert(convert, type_name, seen)


def _type_named(name: str) -> types.NumberType:
    number_type = types.BY_NAME.get(name.removeprefix("torch.").removesuffix("Tensor"))
    if number_type is None:
        raise TorchError(f"nn.Copy: unknown tensor type '{name}'")
    return number_type


@layer("nn.Convert", takes="any", gives="any", parts="fixed", shares_memory=True)
class Convert(Growing):
    """``nn.Convert([inputShape, outputShape])``: the dimensions in another order, and the layer's tensor type.

    A shape is a word with a letter for each dimension, ``'bchw'``, ``'bf'``; b is the batch, put in front where it
    is missing. Converted are: a shape into another order of the same letters; any into ``'bf'``; ``'bt'`` and
    ``'bf'`` (with a single f) into ``'b'``; ``'b'`` into ``'bt'``. An input without the batch's dimension is a
    single example and stays one. Without shapes only the type changes.
    """

    fields: ClassVar[tuple[str, ...]] = (
        "inputShape",
        "outputShape",
        "inputBatchDim",
        "outputBatchDim",
        "nInputDim",
        "nOutputDim",
        "transposition",
        "batchMode",
    )
    copies_input = True
    cleared_by_type = True
    links: ClassVar[tuple[str, ...]] = ("converter",)
    transposition = False

    def __init__(self, inputShape: str | None = None, outputShape: str | None = None) -> None:
        super().__init__()
        if inputShape is None and outputShape is not None:
            raise TorchError("nn.Convert: an output shape without an input shape")
        source = ANY if inputShape is None else inputShape
        target = source if outputShape is None else outputShape
        self.inputShape = source if "b" in source else "b" + source
        self.outputShape = target if "b" in target else "b" + target
        if (self.inputShape == ANY) != (self.outputShape == ANY):
            raise TorchError(f"nn.Convert: both shapes or neither must be '{ANY}'")
        self.inputBatchDim = self.inputShape.index("b") + 1
        self.outputBatchDim = self.outputShape.index("b") + 1
        self.nInputDim = -1 if self.inputShape == ANY else len(self.inputShape)
        self.nOutputDim = -1 if self.outputShape == ANY else len(self.outputShape)
        self.transposition = sorted(self.inputShape) == sorted(self.outputShape)

    @property
    def converter(self) -> Any:
        """The layer that does it, made for the first input; None before."""
        return self._modules.get("0")

    def get_field(self, name: str) -> Any:
        return self.converter if name == "converter" else super().get_field(name)

    def set_field(self, name: str, value: Any) -> Any:
        if name == "converter":
            self.set_child_list([] if value is None else [value])
            return value
        return super().set_field(name, value)

    def _make(self, input: torch.Tensor) -> Module:
        source, target = self.inputShape, self.outputShape
        if self.transposition:
            return self._transposition(source, target)
        if target == "bf" and source != "bt":
            return self._features(input)
        if target == "b" and source in ("bt", "tb"):
            return Select(source.index("t") + 1, 1)
        if target == "b" and source in ("bf", "fb") and input.shape[source.index("f")] == 1:
            return Select(source.index("f") + 1, 1)
        if target == "bt" and source == "b":
            return Reshape(1)
        raise TorchError(f"nn.Convert cannot convert shape {source} to {target}")

    @staticmethod
    def _transposition(source: str, target: str) -> Module:
        letters, pairs = list(source), []
        for position, letter in enumerate(target):
            other = letters.index(letter)
            if other != position:
                letters[position], letters[other] = letters[other], letters[position]
                pairs.append([other + 1, position + 1])
        return Transpose(*pairs) if pairs else Identity()

    def _features(self, input: torch.Tensor) -> Module:
        """All dimensions but the batch's in one."""
        if len(self.inputShape) == 1:
            return Reshape(1)
        steps: list[Module] = []
        if self.inputBatchDim != 1:
            steps.append(Transpose([1, self.inputBatchDim]))
        if len(self.inputShape) > 2:
            steps.append(Reshape(input.numel() // input.shape[self.inputBatchDim - 1]))
        if len(steps) < 2:
            return steps[0] if steps else Identity()
        chain = Sequential()
        for step in steps:
            chain.add(step)
        return chain

    def _prepared(self, input: Any) -> torch.Tensor:
        """The input in the layer's type and as a batch."""
        if not isinstance(input, torch.Tensor):
            raise TorchError("nn.Convert expects a tensor")
        prepared = input.to(self.number_type.dtype)
        if not self._is_batch(input):
            prepared = prepared.unsqueeze(self.inputBatchDim - 1)
        if self.nInputDim > 0 and prepared.dim() != self.nInputDim:
            raise TorchError(
                f"nn.Convert: an input of {size_text(input)} for {self.nInputDim} dimensions, {self.inputShape}"
            )
        return prepared

    def _is_batch(self, input: torch.Tensor) -> bool:
        return dims_of(input) >= self.nInputDim

    def _like_input(self, output: torch.Tensor, input: torch.Tensor) -> torch.Tensor:
        return output if self._is_batch(input) else output.squeeze(self.outputBatchDim - 1)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        prepared = self._prepared(input)
        converter = self.converter or self._make(prepared)
        return self._like_input(converter(prepared), input)

    def updateOutput(self, input: torch.Tensor) -> torch.Tensor:
        prepared = self._prepared(input)
        self.batchMode = self._is_batch(input)
        if self.converter is None:
            converter = self._make(prepared)
            self.add(converter)
            self.show_children()
            converter.torch7_type(self._type)  # by the script's own method, if there is one
        result = self.converter.updateOutput(prepared)
        if self._is_as_it_comes(input):
            return self.set_output(result)
        return self.keep("output", self._like_input(result.data, input))

    def _is_as_it_comes(self, input: torch.Tensor) -> bool:
        """Whether the converter takes the input itself, so that its results are this layer's."""
        return self.batchMode and input.dtype == self.number_type.dtype

    def updateGradInput(self, input: torch.Tensor, gradOutput: torch.Tensor) -> Any:
        if self._is_as_it_comes(input):
            return self.set_grad_input(self.converter.updateGradInput(input, gradOutput))
        return super().updateGradInput(input, gradOutput)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        prepared = self._prepared(input)
        if self.batchMode:
            return self.converter.updateGradInput(prepared, gradOutput)
        gradient = gradient_of(self, gradOutput, self.converter.output.shape)
        result: torch.Tensor = self.converter.updateGradInput(prepared, gradient)
        return result.reshape(input.shape)

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        gradient = gradient_of(self, gradOutput, self.converter.output.shape)
        self.converter.accGradParameters(self._prepared(input), gradient, scale)

    def accUpdateGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, lr: float) -> None:
        gradient = gradient_of(self, gradOutput, self.converter.output.shape)
        self.converter.accUpdateGradParameters(self._prepared(input), gradient, lr)

    def clearState(self) -> Module:
        return self  # the results stay, as in the original
