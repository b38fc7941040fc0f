"""Whether a table that was made empty may have something in it at a later place of the program."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property

from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.native.analysis.table_uses import TableUses
from torch7py.translate.tree import Expression, Function, Index, Name

__all__ = ["Emptiness"]


class Emptiness:
    def __init__(self, uses: TableUses) -> None:
        self.t, self.uses = uses.t, uses
        self._reached: dict[Function, set[Function]] = {}

    def is_lost(
        self, table_type: Type, base: Expression, start: int, end: int, but: Collection[Index]
    ) -> bool:
        """Whether a table may get items, or its name another table, between two places.

        ``but``: stores that are known. Tables of other names are of its type where the two meet somewhere.
        """
        if any(self._names(target, base) for target in self._assigned(start, end)):
            return True
        stores = [(x.span.start, x.base) for _, x in self.uses.stores.get(table_type, []) if x not in but]
        stores += [(at, x) for at, x in self.uses.filled_by if self.t.type(x).owner() is table_type]
        if any(start < at < end and self.uses.is_same(other, base) for at, other in stores):
            return True
        others = [(at, other) for at, other in stores if not self.uses.is_same(other, base)]
        shared = self._is_shared(base)
        if others and (shared or self._is_handed_on(base, start, end)):
            if any(start < at < end for at, _ in others):
                return True
            stores = others
        return shared and self._is_reached([at for at, _ in stores], start, end)

    def runs_again(self, inner: Sequence[tree.Block]) -> bool:
        """Whether one of the blocks is a function's: what stands in it may run more than once."""
        return any(id(block) in self._bodies for block in inner)

    # What the program does between two places

    def _assigned(self, start: int, end: int) -> Iterator[Expression]:
        at = bisect_left(self._assignments, start, key=lambda target: target.span.start)
        while at < len(self._assignments) and self._assignments[at].span.start < end:
            yield self._assignments[at]
            at += 1

    def _names(self, target: Expression, base: Expression) -> bool:
        """Whether an expression is another one, or what that is a field of."""
        while not self.uses.is_same(target, base):
            if not isinstance(base, Index):
                return False
            base = base.base
        return True

    def _is_shared(self, base: Expression) -> bool:
        """Whether a table can be had in several functions: by a field, or a variable that is not one function's own."""
        if not isinstance(base, Name):
            return True
        variable = self.t.scopes.of_name[base]
        return variable.is_global or variable.captured

    def _is_handed_on(self, base: Expression, start: int, end: int) -> bool:
        """Whether something else is given the table between two places."""
        at = bisect_left(self._assigned_values, start, key=lambda value: value.span.start)
        while at < len(self._assigned_values) and self._assigned_values[at].span.start < end:
            if self.uses.is_same(self._assigned_values[at], base):
                return True
            at += 1
        return False

    def _is_reached(self, stores: list[int], start: int, end: int) -> bool:
        """Whether a call between two places may come to one of these stores elsewhere."""
        inside = [at for at in stores if any(f.span.start < at < f.span.end for f in self._functions)]
        if not inside:
            return False
        for call in self._calls:
            if start < call.span.start < end:
                functions = self._called(call)
                if functions is None or any(
                    f.span.start < at < f.span.end for f in functions for at in inside
                ):
                    return True
        return False

    def _called(self, call: tree.Call | tree.Invoke) -> set[Function] | None:
        """The functions that a call may run, with those that they call; None where any may be."""
        functions = self.t.types.function_called(call)
        if not functions and isinstance(call, tree.Call):
            known = self.t.path(call.callee) is not None or not isinstance(call.callee, (Name, Index))
            return set() if known else None
        reached: set[Function] = set()
        waiting = list(functions)
        while waiting:
            function = waiting.pop()
            if function not in reached:
                reached.add(function)
                for inner in tree.those(function.body, tree.Call, tree.Invoke):
                    if isinstance(inner, (tree.Call, tree.Invoke)):
                        waiting += self.t.types.function_called(inner)
        return reached

    # The program

    @cached_property
    def _assignments(self) -> list[Expression]:
        """What is assigned to, in the order of the source."""
        targets = [target for node in tree.every(self.t.program, tree.Assign) for target in node.targets]
        return sorted(targets, key=lambda target: target.span.start)

    @cached_property
    def _assigned_values(self) -> list[Expression]:
        """What is assigned, put into a table or handed to a function, in the order of the source."""
        values: list[Expression] = []
        for node in tree.walk(self.t.program):
            if isinstance(node, (tree.Assignment, tree.Return)):
                values += node.values
            elif isinstance(node, tree.Table):
                values += [item.value for item in node.fields]
            elif isinstance(node, (tree.Call, tree.Invoke)):
                values += node.arguments
        return sorted((x for x in values if isinstance(x, (Name, Index))), key=lambda x: x.span.start)

    @cached_property
    def _calls(self) -> list[tree.Call | tree.Invoke]:
        return [*tree.every(self.t.program, tree.Call), *tree.every(self.t.program, tree.Invoke)]

    @cached_property
    def _functions(self) -> list[Function]:
        return list(tree.every(self.t.program, Function))

    @cached_property
    def _bodies(self) -> set[int]:
        return {id(function.body) for function in self._functions}
