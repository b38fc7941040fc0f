"""Containers around one module: Decorator, Bottle, DontCast, GPU."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import as_shape, gradient_of, size_text
from torch7py.nn.base import Module
from torch7py.nn.container import Container
from torch7py.nn.copying import TensorMap
from torch7py.nn.registry import layer
from torch7py.nn.trace import leaves_of
from torch7py.ops import devices, types
from torch7py.ops.convert import to_type
from torch7py.ops.errors import TorchError

__all__ = ["GPU", "Bottle", "Decorator", "DontCast", "parameters_of"]


@layer("nn.Decorator", parts="one")
class Decorator(Container):
    """``nn.Decorator(module)``: a container of one module that does what the module does.

    Shapes: the module's.
    """

    def __init__(self, module: Module) -> None:
        super().__init__()
        self.add(module)

    @property
    def inner_module(self) -> Any:
        """The decorated module."""
        children = self.child_list()
        if len(children) != 1:
            raise TorchError(f"{self.class_name} holds one module, not {len(children)}")
        return children[0]

    def forward(self, input: Any) -> Any:
        return self.inner_module(input)

    def updateOutput(self, input: Any) -> Any:
        return self.set_output(self.inner_module.updateOutput(input))

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        return self.set_grad_input(self.inner_module.updateGradInput(input, gradOutput))

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        self.inner_module.accGradParameters(input, gradOutput, scale)

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        self.inner_module.accUpdateGradParameters(input, gradOutput, lr)

    def sharedAccUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        self.inner_module.sharedAccUpdateGradParameters(input, gradOutput, lr)

    def title(self) -> str:
        """What stands before the module in the text of the decorator."""
        return self.class_name

    def describe(self) -> str:
        return f"{self.title()} @ {self.inner_module.describe()}"


@layer("nn.Bottle")
class Bottle(Decorator):
    """``nn.Bottle(module[, nInputDim, nOutputDim])``: all dimensions but the last as one batch for the module.

    Shapes: with more than nInputDim (2) dimensions the first ones become one, so that nInputDim are left; the
    module's output, of nOutputDim (nInputDim) dimensions, gets them back. Other inputs go to the module as they are.
    """

    fields: ClassVar[tuple[str, ...]] = ("nInputDim", "nOutputDim", "dimDelta", "inShape", "outShape")

    def __init__(self, module: Module, nInputDim: int = 2, nOutputDim: int | None = None) -> None:
        super().__init__(module)
        self.nInputDim = nInputDim
        self.nOutputDim = nInputDim if nOutputDim is None else nOutputDim
        self.dimDelta = self.nInputDim - self.nOutputDim
        self.inShape = self.new(int(self.nInputDim))
        self.outShape = self.new(int(self.nOutputDim))

    def _batch(self, input: torch.Tensor) -> tuple[int, ...]:
        """The dimensions before the one that the module sees as the batch; none when it takes the input as it is."""
        return tuple(input.shape[: max(0, input.dim() - int(self.nInputDim))])

    def _packed(self, input: torch.Tensor) -> torch.Tensor:
        batch = self._batch(input)
        if not batch:
            return input
        first, *rest = input.shape[len(batch) :]
        return input.reshape(math.prod(batch) * first, *rest)

    def _unpacked(self, input: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        batch = self._batch(input)
        if not batch:
            return output
        if not isinstance(output, torch.Tensor) or output.dim() != self.nOutputDim:
            sizes = size_text(output) if isinstance(output, torch.Tensor) else "no tensor"
            raise TorchError(f"{self.class_name}: the module gave {sizes}, not {self.nOutputDim} dimensions")
        first, *rest = output.shape
        return as_shape(self, output, (*batch, first // math.prod(batch), *rest))

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return self._unpacked(input, self.inner_module(self._packed(input)))

    def updateOutput(self, input: torch.Tensor) -> torch.Tensor:
        output = self.inner_module.updateOutput(self._packed(input))
        return self.keep("output", self._unpacked(input, output).data)

    def _gradient(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        if not self._batch(input):
            return gradOutput
        return gradient_of(self, gradOutput, self.inner_module.output.shape)

    def updateGradInput(self, input: torch.Tensor, gradOutput: torch.Tensor) -> Any:
        packed, gradient = self._packed(input), self._gradient(input, gradOutput)
        result = self.inner_module.updateGradInput(packed, gradient)
        if result is None:
            return self.set_grad_input(None)
        return self.keep("gradInput", result.data.reshape(input.shape))

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        super().accGradParameters(self._packed(input), self._gradient(input, gradOutput), scale)


@layer("nn.DontCast")
class DontCast(Decorator):
    """``nn.DontCast(module[, castin, castout, moduleType])``: a module whose type stays when ``type()`` asks for
    another.

    With castin inputs are converted to the module's type, moduleType, and gradInput back; castout (castin) does
    that with outputs and gradOutput. moduleType left out is found in the module's output or parameters.

    Shapes: the module's.
    """

    fields: ClassVar[tuple[str, ...]] = ("castin", "castout", "moduleType")
    copies_input = True
    castin: bool | None = None
    castout: bool | None = None

    def __init__(
        self,
        module: Module,
        castin: bool | None = None,
        castout: bool | None = None,
        moduleType: str | None = None,
    ) -> None:
        super().__init__(module)
        self.castin = castin
        self.castout = castin if castout is None else castout
        self.moduleType = moduleType
        if (self.castin or self.castout) and moduleType is None:
            tensor = next(itertools.chain(leaves_of(module.output), parameters_of(module)), None)
            if tensor is None:
                raise TorchError(f"{self.class_name}: the module's type does not show, give it as argument 4")
            self.moduleType = types.of(tensor).tensor

    def _inward(self, value: Any, cast: bool | None) -> Any:
        if not cast:
            return value
        stem = str(self.moduleType).removeprefix("torch.").removesuffix("Tensor")
        if stem not in types.BY_NAME:
            raise TorchError(f"{self.class_name}: unknown tensor type '{self.moduleType}'")
        return _cast(value, types.BY_NAME[stem])

    def _outward(self, name: str, value: Any, cast: bool | None) -> Any:
        if not cast or value is None:
            self.__dict__[name] = value
            return value
        number_type = types.of(next(leaves_of(self.get_field(name)), self.new()))
        result = _cast(value, number_type)
        if isinstance(result, list):
            return self.keep_list(name, result)
        kept = self.keep(name, result.data.clone())
        return types.label(kept, number_type)

    def forward(self, input: Any) -> Any:
        output = self.inner_module(self._inward(input, self.castin))
        return _cast(output, self.number_type) if self.castout else output

    def updateOutput(self, input: Any) -> Any:
        output = self.inner_module.updateOutput(self._inward(input, self.castin))
        return self._outward("output", output, self.castout)

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        input, gradOutput = self._inward(input, self.castin), self._inward(gradOutput, self.castout)
        gradient = self.inner_module.updateGradInput(input, gradOutput)
        return self._outward("gradInput", gradient, self.castin)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        input, gradOutput = self._inward(input, self.castin), self._inward(gradOutput, self.castout)
        self.inner_module.accGradParameters(input, gradOutput, scale)

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        input, gradOutput = self._inward(input, self.castin), self._inward(gradOutput, self.castout)
        self.inner_module.accUpdateGradParameters(input, gradOutput, lr)

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        """Only what the decorator itself gives out takes the new type."""
        if type_name is None:
            return
        number_type = types.named(type_name)
        for name, cast in (("output", self.castout), ("gradInput", self.castin)):
            if cast:
                self.__dict__[name] = _cast(self.get_field(name), number_type)


def _cast(value: Any, number_type: types.NumberType) -> Any:
    """The tensors of a value in another type."""
    if isinstance(value, list):
        return [_cast(item, number_type) for item in value]
    return to_type(value, number_type)


def parameters_of(module: Module) -> Iterator[torch.Tensor]:
    """The parameters of a module as Lua counts them."""
    yield from module.parameter_pairs()[0]


@layer("nn.GPU")
class GPU(Decorator):
    """``nn.GPU(module, device[, outdevice])``: a module on the GPU of this number, its output on another's.

    Its tensors go there when it becomes a module of a CUDA type. Where one device stands in for all, the numbers are
    kept and shown and change nothing.

    Shapes: the module's.
    """

    torch7_parent = "nn.Container"

    gives: ClassVar[dict[str, str]] = {"reset": ""}
    fields: ClassVar[tuple[str, ...]] = ("device", "outdevice")
    transient = (*Decorator.transient, "_moved")

    def __init__(self, module: Module, device: int, outdevice: int | None = None) -> None:
        if not isinstance(device, (int, float)):
            raise TorchError("nn.GPU: the device must be a number")
        super().__init__(module)
        self.device = device
        self.outdevice = device if outdevice is None else outdevice

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        with devices.on(self.device):
            super().convert(convert, type_name, seen)

    def forward(self, input: Any) -> Any:
        with devices.on(self.device):
            output = self.inner_module(devices.move(input, devices.at(self.device)))
        return devices.move(output, devices.at(self.outdevice))

    def updateOutput(self, input: Any) -> Any:
        self.__dict__["_moved"] = input, devices.move(input, devices.at(self.device))
        with devices.on(self.device):
            output = self.inner_module.updateOutput(self._there(input))
        return self.set_output(devices.move(output, devices.at(self.outdevice)))

    def _there(self, input: Any) -> Any:
        """The input on the module's device: at backward the same as at forward, as layers know it by its memory."""
        last, moved = self.__dict__.get("_moved", (None, None))
        return moved if last is input else devices.move(input, devices.at(self.device))

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        with devices.on(self.device):
            gradient = devices.move(gradOutput, devices.at(self.device))
            grad_input = self.inner_module.updateGradInput(self._there(input), gradient)
        return self.set_grad_input(_beside(grad_input, input))

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        with devices.on(self.device):
            gradient = devices.move(gradOutput, devices.at(self.device))
            self.inner_module.accGradParameters(self._there(input), gradient, scale)

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        raise TorchError(f"{self.class_name} has no accUpdateGradParameters")

    def sharedAccUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        raise TorchError(f"{self.class_name} has no sharedAccUpdateGradParameters")

    def title(self) -> str:
        return f"{self.class_name}({self.device})"


def _beside(value: Any, other: Any) -> Any:
    """Tensors on the devices of others."""
    if isinstance(value, (list, tuple)) and isinstance(other, (list, tuple)):
        return [_beside(*pair) for pair in zip(value, other, strict=True)]
    return devices.move(value, other.device) if isinstance(other, torch.Tensor) else value
