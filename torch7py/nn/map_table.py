"""Containers that make modules as they run: MapTable, one module for every entry of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torch7py.nn.arguments import table
from torch7py.nn.base import Module
from torch7py.nn.container import Container
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError

__all__ = ["Growing", "MapTable"]

SHARED = ("weight", "bias", "gradWeight", "gradBias")


class Growing(Container):
    """The base of containers that make modules as they run: a script finds the new ones in ``modules`` at once."""

    def show_children(self) -> None:
        overrides = self.__dict__.get("_overrides")
        if overrides is not None:
            overrides.show_children(self)

    def torch7_forward(self, input: Any) -> Any:
        return self.updateOutput(input)

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        self.updateGradInput(input, gradOutput)
        self.accGradParameters(input, gradOutput, scale)
        return self.gradInput


@layer("nn.MapTable", takes="table", gives="table", parts="each")
class MapTable(Growing):
    """``nn.MapTable([module, share])``: the module applied to each entry of a table.

    Shapes: a table of the module's inputs -> a table of its outputs. Each entry has a clone of its own, made when it
    is first needed and kept in ``modules``; unless share is false they share the module's parameters.
    """

    fields: ClassVar[tuple[str, ...]] = ("sharedparams",)
    links: ClassVar[tuple[str, ...]] = ("module",)
    lua_methods = names("resize")
    new_lists = ("output", "gradInput")
    shared = True
    sharedparams: Sequence[str] = SHARED

    def __init__(self, module: Module | None = None, shared: bool = True) -> None:
        super().__init__()
        self.__dict__["shared"] = shared
        self.__dict__["sharedparams"] = list(SHARED)
        self.keep_list("output", [])
        self.keep_list("gradInput", [])
        if module is not None:
            self.add(module)

    @property
    def module(self) -> Any:
        """The one that the clones are of; None until there is one."""
        return self._modules.get("0")

    def get_field(self, name: str) -> Any:
        return self.module if name == "module" else super().get_field(name)

    def set_field(self, name: str, value: Any) -> Any:
        if name == "module":
            self.set_child_list([value, *self.child_list()[1:]] if value is not None else [])
            return value
        return super().set_field(name, value)

    def add(self, module: Module | None = None) -> MapTable:
        """``m:add(module)``: the module, if there is none yet; returns the container."""
        if self.module is not None:
            raise TorchError(f"{self.class_name} holds one module")
        super().add(module)
        return self

    def resize(self, n: int) -> None:
        """``m:resize(n)``: as many clones, counting the module itself."""
        self._modules_for(int(n))
        for child in self.children_of()[int(n) :]:
            child.clearState()
        self.set_child_list(self.child_list()[: int(n)])
        self.show_children()

    def _modules_for(self, n: int) -> list[Any]:
        """The module and clones of it, n together."""
        if self.module is None:
            raise TorchError(f"{self.class_name} holds no module")
        grows = len(self._modules) < n
        for number in range(len(self._modules), n):
            clone = self.module.clone(*self.sharedparams) if self.shared else self.module.clone()
            self._modules[str(number)] = clone
        if grows:
            self.show_children()
        return self.callees()[:n]

    def _pairs(self, input: Any) -> list[tuple[Any, Any]]:
        entries = table(self, input)
        return list(zip(self._modules_for(len(entries)), entries, strict=True))

    def _triples(self, input: Any, gradOutput: Any) -> list[tuple[Any, Any, Any]]:
        pairs = self._pairs(input)
        gradients = table(self, gradOutput, len(pairs), "gradOutput")
        return [(module, entry, g) for (module, entry), g in zip(pairs, gradients, strict=True)]

    def forward(self, input: Any) -> list[Any]:
        if self.shared and self.module is not None:
            return [self.module(entry) for entry in table(self, input)]
        return [module(entry) for module, entry in self._pairs(input)]

    def updateOutput(self, input: Any) -> Any:
        return self.keep_list("output", [module.updateOutput(entry) for module, entry in self._pairs(input)])

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        triples = self._triples(input, gradOutput)
        return self.keep_list("gradInput", [module.updateGradInput(x, g) for module, x, g in triples])

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        for module, entry, gradient in self._triples(input, gradOutput):
            module.accGradParameters(entry, gradient, scale)

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        for module, entry, gradient in self._triples(input, gradOutput):
            module.accUpdateGradParameters(entry, gradient, lr)

    # -- the clones share the module's parameters: once is enough ---------------------------------------------

    def _distinct(self) -> list[Any]:
        children = self.children_of()
        return children[:1] if self.shared else children

    def zeroGradParameters(self) -> None:
        for child in self._distinct():
            child.zeroGradParameters()

    def updateParameters(self, learningRate: float) -> None:
        for child in self._distinct():
            child.updateParameters(learningRate)

    def clearState(self) -> Module:
        for child in self.children_of()[1:]:
            child.clearState()
        self.set_child_list(self.child_list()[:1])
        self.show_children()
        self.__dict__.update(output=[], gradInput=[])
        if self.module is not None:
            self.module.clearState()
        return self

    def describe(self) -> str:
        if self.module is None:
            return f"{self.class_name} {{ }}"
        text = self.module.describe().replace("\n", "\n        ")
        return f"{self.class_name} {{\n  {text}\n}}"
