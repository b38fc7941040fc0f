"""Short names: ``local norm = torch.norm``, ``printf = utils.printf``, where a variable is called and no more."""

from __future__ import annotations

from functools import cached_property

from torch7py.packages.registry import packages
from torch7py.translate import tree
from torch7py.translate.inference.variables import AssignedValues
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Block, Call, Index, Name
from torch7py.translate.types import Types
from torch7py.translate.usage import LUA

__all__ = ["ShortNames"]

_SHORTENED = (
    "nn.",
    "cudnn.",
    "torch.",
    "string.",
    "table.",
    "paths.",
    "pl.",
)  # whose functions may have a short name
_OF_LAYERS = ("nn", "cudnn")
_NO_LIBRARIES = frozenset({"_G", "arg"})
_ANYWHERE = ("string.", "table.", "paths.", "pl.")  # of these no class of the program is one
_ALONE = frozenset(
    {"assert", "error", "ipairs", "next", "pairs", "print", "tonumber", "tostring", "type", "unpack"}
)


class ShortNames:
    """Notes in ``Types.packages`` what a variable stands for."""

    def __init__(self, types: Types, program: Block, assigned: AssignedValues) -> None:
        self.types, self.program, self.assigned = types, program, assigned

    def find(self) -> None:
        """Those that functions use before the statement, in the text, that gives the variable its value."""
        for node in tree.every(self.program, tree.Assignment):
            for target, value in zip(node.targets, node.values, strict=False):
                if not isinstance(target, Name):
                    continue
                if isinstance(value, (Index, Name)):
                    self.note(target, value, _ANYWHERE)
                if isinstance(value, Name):
                    self._note_library(target, value)

    def note(self, target: Name, value: Index | Name, packages: tuple[str, ...] = _SHORTENED) -> None:
        """``local Convolution = nn.SpatialConvolution``, as far as it is one of these packages'."""
        path = self.types.path(value) or ""
        variable = self.types.scopes.of_name[target]
        if not (path in _ALONE or path.startswith(packages)) or path in self.types.classes:
            return
        if all(name in self._called for name in variable.reads) and self._is_always(variable, path):
            self.types.packages[variable] = path

    def _note_library(self, target: Name, value: Name) -> None:
        """``local string = string``; ``backend = cudnn`` and in another branch ``nn``, whose layers are the same."""
        path = self.types.path(value)
        if path is None or not (path in packages or path in LUA - _NO_LIBRARIES):
            return
        variable = self.types.scopes.of_name[target]
        paths = [None if value is None else self.types.path(value) for value in self.assigned.to(variable)]
        is_one = all(path in _OF_LAYERS for path in paths) or set(paths) == {path}
        indexed = self._before_keys if path in LUA else self._before_dots
        if is_one and indexed.issuperset(variable.reads):
            self.types.packages[variable] = "nn" if "nn" in paths else path

    @cached_property
    def _before_keys(self) -> set[Name]:
        return {node.base for node in tree.every(self.program, Index) if isinstance(node.base, Name)}

    @cached_property
    def _before_dots(self) -> set[Name]:
        nodes = tree.every(self.program, Index)
        return {node.base for node in nodes if isinstance(node.base, Name) and node.dotted}

    @cached_property
    def _called(self) -> set[Name]:
        return {n.callee for n in tree.every(self.program, Call) if isinstance(n.callee, Name)}

    def _is_always(self, variable: Variable, path: str) -> bool:
        """Whether all that a variable is ever given is what a path names, in branches of which one is gone through."""
        values = self.assigned.to(variable)
        return bool(values) and all(value is not None and self.types.path(value) == path for value in values)
