"""Stands for a layer whose class is not known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch7py.nn.base import Module
from torch7py.nn.object import TorchObject
from torch7py.ops.errors import TorchError

__all__ = ["UnknownLayer"]


class UnknownLayer(Module):
    """A layer of a class that is not known here, as it was saved.

    All its fields can be read (``get_field``), changed and saved again, its parameters and the modules inside it are
    PyTorch's too. Only running it is an error.
    """

    def prepare_blank(self) -> None:
        self.__dict__["_listed"] = None

    def begin_restore(self, fields: Mapping[str, Any]) -> None:
        children = fields.get("modules")
        if isinstance(children, list) and all(isinstance(child, TorchObject) for child in children):
            self.set_child_list(children)
        super().begin_restore(fields)

    def end_restore(self) -> None:
        extras = self.__dict__["_saved_form"].extras
        for name, value in list(extras.items()):
            if isinstance(value, TorchObject):
                self._modules[f"field {name}"] = value
        super().end_restore()

    def child_list(self) -> list[TorchObject] | None:
        names: list[str] | None = self.__dict__["_listed"]
        return None if names is None else [self._modules[name] for name in names]  # type: ignore[misc]

    def set_child_list(self, children: list[Any]) -> None:
        for name in self.__dict__["_listed"] or ():
            del self._modules[name]
        names = self.__dict__["_listed"] = [str(number) for number in range(len(children))]
        self._modules.update(zip(names, children, strict=True))

    def known_fields(self) -> list[str]:
        fields = super().known_fields()
        return fields if self.__dict__["_listed"] is None else [*fields, "modules"]

    def _refuse(self) -> TorchError:
        return TorchError(
            f"the class {self.class_name} is not known here: the layer can be read and saved, not run"
        )

    def forward(self, input: Any) -> Any:
        raise self._refuse()

    def updateOutput(self, input: Any) -> Any:
        raise self._refuse()

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        raise self._refuse()

    def torch7_parameters(self) -> Any:
        pairs = super().torch7_parameters()
        parameters, gradients = ([], []) if pairs is None else pairs
        for child in self._modules.values():
            if isinstance(child, Module):
                pair = child.parameter_pairs()
                parameters, gradients = parameters + pair[0], gradients + pair[1]
        return (parameters, gradients) if parameters else None
