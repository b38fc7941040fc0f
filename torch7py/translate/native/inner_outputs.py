"""What layers inside a layer gave: ``self.gate.output``, read where the program writes the gradients.

The layer keeps the output of its last forward; in the page the forward half gives it a name, which the backward half is
handed as it is other tensors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.native import code
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.tensors.overwriting import root_of
from torch7py.translate.native.tensors.rules import in_place
from torch7py.translate.tree import Expression, Index, Invoke, Name, Statement

if TYPE_CHECKING:
    from torch7py.translate.native.layer_fields import LayerFields

__all__ = ["InnerOutputs"]


class InnerOutputs:
    """The outputs of a layer's own modules that its backward halves read, and their names."""

    def __init__(self, layer: LayerFields) -> None:
        self.layer, self.t = layer, layer.t
        self.names: dict[str, str] = {}  # by the module's field
        for half in layer.halves:
            for node in tree.walk(half.body):
                field = self.field_of(node)
                if field is not None and field not in self.names:
                    assert isinstance(node, Index)
                    self.names[field] = self._name(field, node)

    def field_of(self, node: tree.Node | tree.Block) -> str | None:
        """The field of the module, of an expression ``self.field.output``."""
        if not (isinstance(node, Index) and isinstance(node.key, tree.String) and node.key.value == "output"):
            return None
        return self.layer.own(node.base) if self.t.kind(node.base) == "module" else None

    def name_of(self, node: tree.Node | tree.Block) -> str | None:
        """What the page calls ``self.field.output``."""
        field = self.field_of(node)
        return None if field is None else self.names[field]

    def _name(self, field: str, node: Index) -> str:
        """The name of the variable that the forward half puts the output into."""
        forward = self.layer.forward
        assert forward is not None
        calls = [
            n
            for n in tree.walk(forward.body)
            if isinstance(n, Invoke)
            and n.method in ("forward", "updateOutput")
            and self.layer.own(n.receiver) == field
        ]
        for statement in forward.body.statements:
            given = self._given(statement)
            if len(calls) == 1 and given is not None and given[1] is calls[0]:
                variable = self.t.scopes.of_name[given[0]]
                if (
                    not variable.writes
                    and not self._is_changed(forward, variable)
                    and self._is_free(given[0])
                ):
                    return self.t.names.of(given[0])
        raise Problem(
            "T7-225", node.line, "the output of a layer inside, which has no name in the forward half"
        )

    def _given(self, statement: Statement) -> tuple[Name, Expression] | None:
        """The variable of ``local h = self.net:forward(x)``."""
        if not isinstance(statement, tree.Local) or len(statement.names) != 1 or len(statement.values) != 1:
            return None
        return statement.names[0], statement.values[0]

    def _is_changed(self, function: tree.Function, variable: object) -> bool:
        """Whether a function changes what a variable holds."""
        for node in tree.walk(function.body):
            root = root_of(node) if isinstance(node, Invoke) and node.method in in_place else None
            if isinstance(root, Name) and self.t.scopes.of_name[root] is variable:
                return True
        return False

    def _is_free(self, name: Name) -> bool:
        """Whether the backward halves give no other value a name."""
        python = self.t.names.of(name)
        for half in self.layer.halves:
            renamed = {n for s in tree.walk(half.body) if isinstance(s, tree.Local) for n in self._renamed(s)}
            for node in tree.walk(half.body):
                if isinstance(node, tree.Local):
                    others = [n for n in node.names if n not in renamed and self.t.names.of(n) == python]
                    if others:
                        return False
        return True

    def _renamed(self, statement: tree.Local) -> list[Name]:
        """The variables that hold an output of a layer inside."""
        pairs = zip(statement.names, statement.values, strict=False)
        return [name for name, value in pairs if self.field_of(value) is not None]

    def statement(self, node: Statement) -> bool:
        """``local h = self.net.output``, where that is called h already; whether this was one."""
        if not isinstance(node, tree.Local) or len(node.names) != len(node.values):
            return False
        pairs = list(zip(node.names, node.values, strict=True))
        left = [(n, v) for n, v in pairs if self.name_of(v) != self.t.names.of(n)]
        if len(left) == len(pairs):
            return False
        if left:
            names = ", ".join(self.t.names.of(name) for name, _ in left)
            self.t.emit(f"{names} = {', '.join(self.t.value(v).at(code.TERNARY) for _, v in left)}")
        return True
