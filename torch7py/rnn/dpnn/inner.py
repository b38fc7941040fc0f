"""The base of layers that work with one module inside."""

from __future__ import annotations

from typing import Any, ClassVar

from torch7py.nn.base import Module
from torch7py.ops.errors import TorchError

__all__ = ["WithModule"]


class WithModule(Module):
    """A layer whose field ``module`` holds a module, which its ``modules`` lists too."""

    links: ClassVar[tuple[str, ...]] = ("module",)
    fields: ClassVar[tuple[str, ...]] = ("modules",)

    def child_list(self) -> list[Any]:
        module = self._modules.get("module")
        return [] if module is None else [module]

    def set_child_list(self, children: list[Any]) -> None:
        if len(children) != 1:
            raise TorchError(f"{self.class_name} holds one module, not {len(children)}")
        self._modules["module"] = children[0]
