"""Containers around one module: Decorator, Bottle, DontCast, NaN, Profile, GPU."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Iterator
from typing import Any

import torch

from torch7py.nn.arguments import as_shape, gradient_of, size_text
from torch7py.nn.base import Module
from torch7py.nn.container import Container
from torch7py.nn.copying import TensorMap
from torch7py.nn.registry import layer
from torch7py.nn.trace import leaves_of
from torch7py.ops import state, types
from torch7py.ops.errors import TorchError
from torch7py.ops.timer import Timer

__all__ = ["GPU", "Bottle", "Decorator", "DontCast", "NaN", "Profile"]


@layer("nn.Decorator")
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

    fields = ("nInputDim", "nOutputDim", "dimDelta", "inShape", "outShape")

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
            given = size_text(output) if isinstance(output, torch.Tensor) else "no tensor"
            raise TorchError(f"{self.class_name}: the module gave {given}, not {self.nOutputDim} dimensions")
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
        found = self.inner_module.updateGradInput(packed, gradient)
        if found is None:
            return self.set_grad_input(None)
        return self.keep("gradInput", found.data.reshape(input.shape))

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        super().accGradParameters(self._packed(input), self._gradient(input, gradOutput), scale)


@layer("nn.DontCast")
class DontCast(Decorator):
    """``nn.DontCast(module[, castin, castout, moduleType])``: a module whose type stays when ``type()`` asks for
    another.

    With castin inputs are converted to the module's type, moduleType, and gradInput back; castout (castin) does
    that with outputs and gradOutput. moduleType left out is found in the module's output or parameters.
    """

    fields = ("castin", "castout", "moduleType")
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
            found = next(itertools.chain(leaves_of(module.output), _parameters_of(module)), None)
            if found is None:
                raise TorchError(f"{self.class_name}: the module's type does not show, give it as argument 4")
            self.moduleType = types.of(found).tensor

    def _inward(self, value: Any, cast: bool | None) -> Any:
        if not cast:
            return value
        stem = str(self.moduleType).removeprefix("torch.").removesuffix("Tensor")
        if stem not in types.BY_NAME:
            raise TorchError(f"{self.class_name}: unknown tensor type '{self.moduleType}'")
        return _cast(value, types.BY_NAME[stem].dtype)

    def _outward(self, name: str, value: Any, cast: bool | None) -> Any:
        if not cast or value is None:
            self.__dict__[name] = value
            return value
        dtype = next(leaves_of(self.get_field(name)), self.new()).dtype
        result = _cast(value, dtype)
        if isinstance(result, list):
            return self.keep_list(name, result)
        return self.keep(name, result.data.clone())

    def forward(self, input: Any) -> Any:
        output = self.inner_module(self._inward(input, self.castin))
        return _cast(output, self.number_type.dtype) if self.castout else output

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
        dtype = types.BY_NAME[type_name.removeprefix("torch.").removesuffix("Tensor")].dtype
        for name, cast in (("output", self.castout), ("gradInput", self.castin)):
            if cast:
                self.__dict__[name] = _cast(self.get_field(name), dtype)


def _cast(value: Any, dtype: torch.dtype) -> Any:
    """The tensors of a value in another type."""
    return [_cast(item, dtype) for item in value] if isinstance(value, list) else value.to(dtype)


def _parameters_of(module: Module) -> Iterator[torch.Tensor]:
    parameters = module.torch7_parameters()
    yield from parameters[0] if parameters else ()


@layer("nn.NaN")
class NaN(Decorator):
    """``nn.NaN(module[, id])``: an error as soon as an output or a gradient of the module holds a NaN.

    The id, in the text of the error, is by default the number of such layers made so far.
    """

    fields = ("id",)

    def __init__(self, module: Module, id: float | str | None = None) -> None:
        super().__init__(module)
        if id is None:
            id = next(state.current().packages.setdefault("nn.NaN", itertools.count(1)))
        self.id = id

    def _refuse(self, where: str) -> None:
        raise TorchError(f"NaN found in {where} of {self.describe()}")

    def updateOutput(self, input: Any) -> Any:
        super().updateOutput(input)
        if _has_nan(self.output):
            if _has_nan(input):
                self._refuse("input")
            self._refuse("parameters" if _has_nan(list(_parameters_of(self))) else "output")
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        super().updateGradInput(input, gradOutput)
        if _has_nan(self.gradInput):
            self._refuse("gradOutput" if _has_nan(gradOutput) else "gradInput")
        return self.gradInput

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        super().accGradParameters(input, gradOutput, scale)
        parameters = self.torch7_parameters()
        if parameters and _has_nan(parameters[1]):
            self._refuse("gradParameters")

    def title(self) -> str:
        return f"{self.class_name}({self.id})"


def _has_nan(value: Any) -> bool:
    return any(bool(leaf.isnan().any()) for leaf in leaves_of(value) if leaf.is_floating_point())


@layer("nn.Profile")
class Profile(Decorator):
    """``nn.Profile(module[, print_interval, name])``: prints how long the module takes.

    One line after every print_interval (100) forwards, one after as many backwards: the seconds of all of them
    together. The name is by default the module's class.
    """

    fields = ("print_interval", "name", "numFwds", "numBwds", "summedFwdTime", "summedBwdTime", "timer")
    links = ("module",)

    def __init__(self, module: Module, print_interval: int = 100, name: str | None = None) -> None:
        super().__init__(module)
        self.print_interval = print_interval
        self.name = module.class_name if name is None else name
        self.numFwds = self.numBwds = 0
        self.summedFwdTime = self.summedBwdTime = 0.0
        self.timer = Timer()

    def get_field(self, name: str) -> Any:
        return self.inner_module if name == "module" else super().get_field(name)

    def set_field(self, name: str, value: Any) -> Any:
        if name == "module":
            self.set_child_list([value])
            return value
        return super().set_field(name, value)

    def _count(self, direction: str, what: str) -> None:
        seconds = self.__dict__[f"summed{direction}Time"] + self.timer.time().real
        number = self.__dict__[f"num{direction}s"] + 1
        if number % self.print_interval == 0:
            sys.stdout.write(f"{self.name} took {seconds:.3f} seconds for {number} {what} passes\n")
            sys.stdout.flush()
            seconds, number = 0.0, 0
        self.__dict__[f"summed{direction}Time"] = seconds
        self.__dict__[f"num{direction}s"] = number

    def updateOutput(self, input: Any) -> Any:
        self.timer.reset()
        super().updateOutput(input)
        self._count("Fwd", "forward")
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        self.timer.reset()
        super().updateGradInput(input, gradOutput)
        self._count("Bwd", "backward")
        return self.gradInput


@layer("nn.GPU")
class GPU(Decorator):
    """``nn.GPU(module, device[, outdevice])``: a module for the GPU of this number, its output on another's.

    Where tensors lie is the runtime's matter, so both numbers are kept and shown and change nothing.
    """

    fields = ("device", "outdevice")

    def __init__(self, module: Module, device: int, outdevice: int | None = None) -> None:
        if not isinstance(device, (int, float)):
            raise TorchError("nn.GPU: the device must be a number")
        super().__init__(module)
        self.device = device
        self.outdevice = device if outdevice is None else outdevice

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        raise TorchError(f"{self.class_name} has no accUpdateGradParameters")

    def sharedAccUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        raise TorchError(f"{self.class_name} has no sharedAccUpdateGradParameters")

    def title(self) -> str:
        return f"{self.class_name}({self.device})"
