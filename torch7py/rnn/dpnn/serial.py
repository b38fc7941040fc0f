"""Serial: how a model is saved."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.base import Module
from torch7py.nn.copying import aliased_copy, is_clone
from torch7py.nn.decorator import Decorator
from torch7py.nn.dpnn_methods import Training
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.ops import types
from torch7py.ops.errors import TorchError

__all__ = ["Serial"]


@layer("nn.Serial", package="dpnn")
class Serial(Decorator):
    """``nn.Serial(module[, tensortype])``: does what the module does, and saves less of it.

    Shapes: the module's. ``mediumSerial()`` leaves outputs and gradients of inputs empty in what is saved,
    ``lightSerial()`` gradients of parameters too, ``heavySerial()`` nothing. With tensortype, such as
    ``'torch.FloatTensor'``, what is saved is of that type. The model itself stays as it is; a clone of it is like what
    is saved and read again.
    """

    fields: ClassVar[tuple[str, ...]] = ("tensortype",)
    converted_first = ("output", "gradInput")
    lua_methods = names(dpnn_slimmed="slimmed")
    tensortype: str | None = None

    def __init__(self, module: Module, tensortype: str | None = None) -> None:
        super().__init__(module)
        self.tensortype = tensortype
        if tensortype is not None:
            self._check_type()

    def _check_type(self) -> None:
        name = str(self.tensortype)
        if name.removeprefix("torch.").removesuffix("Tensor") not in types.BY_NAME:
            raise TorchError(f"{self.class_name}: unknown tensor type '{name}'")

    def slimmed(self) -> Serial:
        """A copy on the same memory, as it is to be saved."""
        if "_slimmed" in self.__dict__:
            raise TorchError(
                f"{self.class_name} cannot be saved or cloned: what it holds leads back to it (the original's stack "
                "overflows)"
            )
        copied: Serial = aliased_copy(self)
        copied.slim()
        copied.__dict__["_slimmed"] = True  # saving what it holds must not come back to it
        return copied

    def slim(self) -> None:
        """Empty what the modules name in ``dpnn_serialEmpty``, and take the type that is asked for."""
        for part in self.modules():
            if isinstance(part, Training):
                named = part.dpnn_serialEmpty or ()
                for name in named.values() if isinstance(named, dict) else named:
                    value = part.get_field(name)
                    if isinstance(value, torch.Tensor):
                        part.set_field(name, types.label(value.data.new_empty(0), types.of(value)))
                    elif isinstance(value, (list, dict)):
                        part.set_field(name, [])
        if self.tensortype is not None:
            self._check_type()
            self.torch7_type(self.tensortype)

    def __deepcopy__(self, memo: dict[Any, Any]) -> Serial:
        copied = super().__deepcopy__(memo)
        if is_clone(memo):
            copied.slim()
        return copied

    def saved_fields(self) -> dict[str, Any]:
        return Decorator.saved_fields(self.slimmed())
