"""Variables that get the items of lists: ``local a, b = unpack(t)``, which are nil where a list has fewer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.facts.layers import FORWARD
from torch7py.translate.inference import tuples
from torch7py.translate.kinds import Type
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Invoke, Name
from torch7py.translate.tree_queries import returns_of

__all__ = ["Unpacking"]


class Unpacking:
    def __init__(self, translator: Translation) -> None:
        self.t = translator

    def tables(self, call: Expression) -> list[Expression]:
        t = self.t
        if isinstance(call, Call) and t.is_unpacked(call):
            return [] if len(call.arguments) != 1 else [call.arguments[0]]
        functions = t.types.function_called(call) if isinstance(call, (Call, Invoke)) else []
        if not functions or not all(t.calls.gives_list(function) for function in functions):
            return []
        return [r.values[0].arguments[0] for f in functions for r in returns_of(f)]  # type: ignore[attr-defined]

    def items(self, values: str, tables: Sequence[Expression], targets: Sequence[Expression]) -> str:
        wanted = len(targets)
        if all(self._has_as_many(table, wanted) for table in tables):
            return values
        more = ["None"] * self._lacking(tables, wanted)
        return f"({', '.join([f'*{values}', *more]) if more else f'*{values},'})[:{wanted}]"

    @cached_property
    def perhaps_nil(self) -> set[Variable]:
        variables: set[Variable] = set()
        for node in tree.every(self.t.program, tree.Assignment):
            if len(node.values) != 1 or len(node.targets) < 2:
                continue
            tables = self.tables(node.values[0])
            if not all(self._has_as_many(table, len(node.targets)) for table in tables):
                for target in node.targets[len(node.targets) - self._lacking(tables, len(node.targets)) :]:
                    if isinstance(target, Name):
                        variables.add(self.t.scopes.of_name[target])
        return variables

    def _has_as_many(self, table: Expression, wanted: int) -> bool:
        """Whether a list has as many items as are wanted, or is one that the program is given from outside.

        Of such a list, the inputs of a layer say, the page takes it that it has what is asked for.
        """
        t, table_type = self.t, self.t.type(table)
        if table_type.has(tuples.MARK) or table_type.kind != "table":
            return True
        length = t.tables.filled_length(table_type)
        if length is not None:
            return wanted == length
        return not t.tables.uses.constructors.get(table_type.find()) and self._computed(table) in (
            None,
            wanted,
        )

    def _lacking(self, tables: Sequence[Expression], wanted: int) -> int:
        """How many of the items that are wanted such a list may lack."""
        least = [self._computed(table) or self.t.tables.least(self.t.type(table)) for table in tables]
        return max(wanted - min(least), 0)

    def _computed(self, table: Expression) -> int | None:
        """How many outputs of a module a list is of; None where that is not known."""
        if isinstance(table, Name):
            sources = self.t.integers.sources(self.t.scopes.of_name[table])
            table = sources[0] if len(sources) == 1 and not isinstance(sources[0], bool) else table
        if not isinstance(table, Invoke) or table.method not in FORWARD:
            return None
        return _outputs(self.t.type(table.receiver)) if self.t.kind(table.receiver) == "module" else None


def _outputs(module: Type) -> int | None:
    """How many outputs a module gives that were put together one by one."""
    type_ = module.find()
    layer = type_.layers[0] if len(type_.layers) == 1 and not type_.classes else None
    if layer is None or layer.in_turn:
        return None
    if facts.is_graph(layer.name):
        output_table = layer.call.arguments[-1] if len(layer.call.arguments) == 2 else None
        return len(output_table.fields) if isinstance(output_table, tree.Table) else None
    if facts.is_chain(layer.name):
        return _outputs(layer.children[-1]) if layer.children else None
    return len(layer.children) or None if facts.gives(layer.name) == "table" else None
