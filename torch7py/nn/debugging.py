"""Layers to watch a model with: NaN stops at the first one, Profile and PrintSize print."""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import dims_of
from torch7py.nn.base import Module
from torch7py.nn.decorator import Decorator, parameters_of
from torch7py.nn.registry import layer
from torch7py.nn.shape import long_storage
from torch7py.nn.trace import leaves_of
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.ops.program_output import say
from torch7py.ops.timer import Timer
from torch7py.ops.tracing import in_transform

__all__ = ["NaN", "PrintSize", "Profile"]


@layer("nn.NaN")
class NaN(Decorator):
    """``nn.NaN(module[, id])``: an error as soon as an output or a gradient of the module holds a NaN.

    The id, in the text of the error, is by default the number of such layers made so far.

    Shapes: the module's.
    """

    fields: ClassVar[tuple[str, ...]] = ("id",)

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
            self._refuse("parameters" if _has_nan(list(parameters_of(self))) else "output")
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
    """Whether the sum of a tensor is NaN, which infinities of both signs give, too."""
    return any(bool(leaf.sum().isnan()) for leaf in leaves_of(value) if leaf.is_floating_point())


@layer("nn.Profile")
class Profile(Decorator):
    """``nn.Profile(module[, print_interval, name])``: prints how long the module takes.

    One line after every print_interval (100) forwards, one after as many backwards: the seconds of all of them
    together. The name is by default the module's class.

    Shapes: the module's.
    """

    fields: ClassVar[tuple[str, ...]] = (
        "print_interval",
        "name",
        "numFwds",
        "numBwds",
        "summedFwdTime",
        "summedBwdTime",
        "timer",
    )
    links: ClassVar[tuple[str, ...]] = ("module",)
    unsaved = ("timer",)  # of a class that cannot be written

    def prepare_blank(self) -> None:
        super().prepare_blank()
        self.timer = Timer()

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
            say(f"{self.name} took {seconds:.3f} seconds for {number} {what} passes")
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


@layer("nn.PrintSize", keeps_rank=True, takes="any", gives="same", shares_memory=True)
class PrintSize(Module):
    """``nn.PrintSize([prefix])``: the input, whose size is printed, as is gradOutput's in the backward.

    A table is printed as it is.

    Any shape.
    """

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("prefix",)

    def __init__(self, prefix: str = "PrintSize") -> None:
        super().__init__()
        self.prefix = prefix

    def _print(self, what: str, value: Any) -> None:
        if torch.compiler.is_compiling() or in_transform():
            return
        if isinstance(value, torch.Tensor):
            value = long_storage(*value.shape[: dims_of(value)])
        say(f"{self.prefix}:{what}\n", "missing size" if value is None else value)

    def forward(self, input: Any) -> Any:
        self._print("input", input)
        return input

    def updateOutput(self, input: Any) -> Any:
        self.__dict__["output"] = self.forward(input)
        return input

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        self._print("gradOutput", gradOutput)
        self.__dict__["gradInput"] = gradOutput
        return gradOutput
