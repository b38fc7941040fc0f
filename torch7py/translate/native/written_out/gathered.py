"""A field that is a list until it is made a tensor: the list is a variable of its own."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.written_out.rewriting import Rewriting
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Assign, Block, Call, Expression, Index, Invoke, Name, Statement, String

__all__ = ["Gathered"]


class Gathered(Rewriting):
    """``data.x = {}``, ``data.x[#data.x + 1] = ...`` and ``data.x = torch.Tensor(data.x)``, all in one block."""

    def written(self) -> bytes:
        edits: list[tuple[int, int, str]] = []
        for block in self.blocks():
            for at, statement in enumerate(block.statements):
                start = _begins(statement)
                if start is not None:
                    edits += self._of(block, at, start)
        self.edited(edits)
        return self.source

    def _of(self, block: Block, at: int, start: Index) -> list[tuple[int, int, str]]:
        statements = block.statements[at:]
        ends = (n for n, s in enumerate(statements) if n and self._makes_tensor(s, start))
        end = next(ends, None)
        if end is None:
            return []
        inside = statements[: end + 1]
        nodes = [node for statement in inside for node in tree.walk(statement)]
        fields = [node for node in nodes if isinstance(node, Index) and self._is_same(node, start)]
        last = inside[-1]
        assert isinstance(last, Assign)
        (target,) = last.targets
        known = {node.base for node in nodes if isinstance(node, Index) and isinstance(node.key, String)}
        variable = self._base(start)
        if (
            variable.is_global
            or variable.captured
            or any(name not in known for name in self._uses(nodes, start))
        ):
            return []
        if any(isinstance(node, (tree.Return, tree.Goto)) for node in nodes):
            return []
        assert isinstance(start.key, String)
        name = self.fresh(start.key.value)
        edits = [(node.place.start, node.place.end, name) for node in fields if node not in (start, target)]
        return [*edits, (start.place.start, start.place.end, f"local {name}")]

    def _base(self, index: Index) -> Variable:
        assert isinstance(index.base, Name)
        return self.scopes.of_name[index.base]

    def _uses(self, nodes: list[tree.Node | Block], start: Index) -> list[Name]:
        variable = self._base(start)
        return [
            node for node in nodes if isinstance(node, Name) and self.scopes.of_name.get(node) is variable
        ]

    def _is_same(self, node: Expression, start: Index) -> bool:
        if not (isinstance(node, Index) and isinstance(node.base, Name) and isinstance(node.key, String)):
            return False
        assert isinstance(start.key, String)
        return node.key.value == start.key.value and self._base(node) is self._base(start)

    def _makes_tensor(self, statement: Statement, start: Index) -> bool:
        """``data.x = torch.Tensor(data.x)``, perhaps of another type."""
        if not isinstance(statement, Assign) or len(statement.targets) != 1 or len(statement.values) != 1:
            return False
        value = statement.values[0]
        while isinstance(value, Invoke) and not value.arguments:
            value = value.receiver
        if not isinstance(value, Call) or len(value.arguments) != 1:
            return False
        callee = self.text(value.callee)
        made = callee.startswith("torch.") and callee.endswith("Tensor")
        return (
            made and self._is_same(statement.targets[0], start) and self._is_same(value.arguments[0], start)
        )


def _begins(statement: Statement) -> Index | None:
    """``data.x = {}``"""
    if not isinstance(statement, Assign) or len(statement.targets) != 1 or len(statement.values) != 1:
        return None
    target, value = statement.targets[0], statement.values[0]
    named = isinstance(target, Index) and isinstance(target.base, Name) and isinstance(target.key, String)
    empty = isinstance(value, tree.Table) and not value.fields
    return target if named and empty and isinstance(target, Index) else None
