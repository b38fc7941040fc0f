"""Layers of the package inn that are nn's: ``inn.SpatialMaxPooling(2, 2)`` is ``nn.SpatialMaxPooling(2, 2):ceil()``."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.tree import Call, Index, Name, String

__all__ = ["OtherNames"]

# Of layers of inn: nn's name, and what is called on it.
NAMES = {
    "SpatialMaxPooling": ("SpatialMaxPooling", ":ceil()"),
    "SpatialAveragePooling": ("SpatialAveragePooling", ":ceil()"),
    "SpatialCrossResponseNormalization": ("SpatialCrossMapLRN", ""),
}


class OtherNames(Rewriting):
    def written(self) -> bytes:
        if "nn" in {name.name for name in tree.every(self.program, Name) if not self._is_global(name)}:
            return self.source
        edits: list[tuple[int, int, str]] = []
        for call in tree.every(self.program, Call):
            callee = call.callee
            if not (
                isinstance(callee, Index) and isinstance(callee.base, Name) and callee.base.name == "inn"
            ):
                continue
            key = callee.key_name
            if key in NAMES and self._is_package(callee.base):
                name, after = NAMES[key]
                edits.append((callee.span.start, callee.span.end, f"nn.{name}"))
                edits.append((call.span.end, call.span.end, after))
        self.edited(edits)
        return self.source

    def _is_global(self, name: Name) -> bool:
        variable = self.scopes.of_name[name]
        return variable.is_global and not variable.writes

    def _is_package(self, name: Name) -> bool:
        """Whether a name is the global table of the package, or a variable that holds what its ``require`` gives."""
        if self._is_global(name):
            return True
        variable = self.scopes.of_name[name]
        written = [
            statement.values[0]
            for statement in tree.every(self.program, tree.Local)
            if len(statement.names) == len(statement.values) == 1
            and self.scopes.of_name[statement.names[0]] is variable
        ]
        value = written[0] if len(written) == 1 and not variable.writes else None
        return (
            isinstance(value, Call)
            and isinstance(value.callee, Name)
            and value.callee.name == "require"
            and [argument.value for argument in value.arguments if isinstance(argument, String)] == ["inn"]
        )
