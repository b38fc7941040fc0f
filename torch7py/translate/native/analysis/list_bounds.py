"""Places that may lie outside of a list: before its first item, where Python counts from its end, or behind its last.

Only where the program can have nil there: in a comparison, an assignment, an argument. Where it computes with the item,
there is one. And only where bounds are known: a place of which nothing is known is taken for one of the list.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from torch7py.translate import tree
from torch7py.translate.native.analysis.intervals import KNOWN, Intervals
from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.native.analysis.tables import Tables
from torch7py.translate.tree import Binary, Expression, Index, Name, Number, Unary
from torch7py.translate.tree_queries import bare, same_expression

__all__ = ["ListBounds"]

_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "~=": "~="}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "~=", "~=": "=="}


class ListBounds:
    def __init__(self, known: Known, tables: Tables, intervals: Intervals) -> None:
        self.t, self.tables, self.intervals = known, tables, intervals

    def may_be_nil(self, node: Index) -> bool:
        """Whether what a program reads from a list may be nil because of its place."""
        if node in self._items or (_is_last(node) and self._is_kept_unasked(node)):
            return False
        return self.may_be_before(node) or self._may_be_behind(node)

    def _is_kept_unasked(self, node: Index) -> bool:
        """``local x = t[#t]``, where nothing asks whether there is an x: an empty list is an error of the page."""
        variable = self._kept.get(node)
        if variable is None:
            return False
        return not any(read in self._asked for read in self.t.scopes.of_name[variable].reads)

    @cached_property
    def _kept(self) -> dict[Expression, Name]:
        """The variable that a value is kept in."""
        return {
            bare(value): name
            for statement in tree.every(self.t.program, tree.Local)
            for name, value in zip(statement.names, statement.values, strict=False)
        }

    @cached_property
    def _asked(self) -> set[Expression]:
        """Expressions of which a program asks whether they are nil."""
        expressions: set[Expression] = set()
        for node in tree.walk(self.t.program):
            if isinstance(node, Binary) and node.operator in ("and", "or", "==", "~="):
                expressions |= {bare(node.left), bare(node.right)}
            elif isinstance(node, Unary) and node.operator == "not":
                expressions.add(bare(node.operand))
            elif isinstance(node, tree.If):
                expressions |= {bare(condition) for condition, _ in node.branches}
            elif isinstance(node, (tree.While, tree.Repeat)):
                expressions.add(bare(node.condition))
        return expressions

    def may_be_before(self, node: Index) -> bool:
        """Whether a place may be before the first."""
        return KNOWN < self._least(node) < 1

    def _least(self, node: Index) -> float:
        """The least that a place can be, with the conditions that it stands under."""
        variable, more = _sum(node.key)
        least = self.intervals.of(node.key)[0] - more  # of the variable
        for condition, truth in self._conditions.get(node, []) + self._around(node):
            if self._is_written(variable, condition.span.end, node.span.start):
                continue
            for operator, left, right in _comparisons(condition, truth):
                if not isinstance(right, Number) or not same_expression(left, variable):
                    continue
                if operator in (">", ">=", "=="):
                    least = max(least, right.value + (operator == ">"))
                elif operator == "~=" and right.value == least:
                    least += 1
        return least + more

    def _is_written(self, variable: Expression, start: int, end: int) -> bool:
        writes = self.t.scopes.of_name[variable].writes if isinstance(variable, Name) else ()
        return any(start < name.span.start < end for name in writes)

    def _may_be_behind(self, node: Index) -> bool:
        """``t[i + 1]`` in a loop to ``#t``, or a place behind the last of a list that is what it was made as."""
        length = self.tables.length(self.t.type(node.base))
        if length is not None and length < self.intervals.of(node.key)[1] <= -KNOWN:
            return True
        if isinstance(node.key, Number) and node.key.value > self.tables.shortest(self.t.type(node.base)):
            return True
        variable, more = _sum(node.key)
        if more > 0 and isinstance(variable, Unary) and variable.operator == "#":
            return same_expression(bare(variable.operand), bare(node.base))
        if more <= 0 or not isinstance(variable, Name):
            return False
        uses = self.tables.uses
        loop = uses.loop_of.get(self.t.scopes.of_name[variable])
        if isinstance(loop, tree.GenericFor):
            source = loop.values[0]
            over = isinstance(source, tree.Call) and self.t.path(source.callee) in ("ipairs", "pairs")
            first = self.t.scopes.of_name[loop.names[0]] is self.t.scopes.of_name[variable]
            if not (over and first and isinstance(source, tree.Call) and source.arguments):
                return False
            table = source.arguments[0]
        elif isinstance(loop, tree.NumericFor) and isinstance(loop.stop, Unary) and loop.stop.operator == "#":
            table = loop.stop.operand
        else:
            return False
        guarded = any(
            isinstance(n, Name) and uses.is_same(n, variable)
            for condition, _ in self._conditions.get(node, []) + self._around(node)
            for n in tree.walk(condition)
        )
        return uses.is_same(table, node.base) and not guarded

    def may_be_new(self, target: Index) -> bool:
        """Whether a store may be behind the last item of a list: at a place that nothing says to be in it.

        That is said by the number of items, by a loop over them or to the end of the loop that filled the list, and by
        who has read an item of a list at the same place, and not asked whether it is there. Rows of a grid are taken to
        be filled before, if they are not made empty by the same name.
        """
        if isinstance(target.base, Index) and not isinstance(target.base.key, tree.String):
            return any(self._are_same(row, target.base) for row in self._emptied)
        tables, type_ = self.tables, self.t.type(target.base)
        length = tables.filled_length(type_)
        least = tables.least(type_) if length is None else length
        if self.intervals.of(target.key)[1] <= least or tables.has_item(target):
            return False
        read = (r for r in self._read if r not in self._asked)
        if any(r.span.start < target.span.start and same_expression(r, target) for r in read):
            return False
        variable = bare(target.key)
        loop = (
            tables.uses.loop_of.get(self.t.scopes.of_name[variable]) if isinstance(variable, Name) else None
        )
        return not (isinstance(loop, tree.NumericFor) and tables.is_filled_to(type_, loop.stop))

    def _are_same(self, one: Expression, other: Expression) -> bool:
        """Whether two expressions are the same text, of the same variables."""
        names = zip(*([n for n in tree.walk(x) if isinstance(n, Name)] for x in (one, other)), strict=False)
        return same_expression(one, other) and all(self.tables.uses.is_same(*pair) for pair in names)

    @cached_property
    def _emptied(self) -> list[Index]:
        """The places that the program puts empty tables into: ``rows[i] = {}``, ``rows = {[0] = {}}``."""
        places: list[Expression] = []
        for node in tree.every(self.t.program, tree.Assignment):
            for target, value in zip(node.targets, node.values, strict=False):
                if isinstance(value, tree.Table):
                    places += [target] if not value.fields else _empty_items(target, value)
        return [place for place in places if isinstance(place, Index)]

    @cached_property
    def _read(self) -> list[Index]:
        """The items that the program reads."""
        stored = {target for node in tree.every(self.t.program, tree.Assign) for target in node.targets}
        return [node for node in tree.every(self.t.program, Index) if node not in stored]

    def _around(self, node: Index) -> list[tuple[Expression, bool]]:
        """The conditions of the branches that an expression stands in, outermost first."""
        conditions: list[tuple[Expression, bool]] = []
        around = self.t.surroundings.chain(node) if node in self.t.surroundings.home else []
        blocks = {id(self.t.surroundings.block_of[statement]) for statement in around}
        for statement in around:
            if isinstance(statement, tree.While) and id(statement.body) in blocks:
                conditions.append((statement.condition, True))
            if isinstance(statement, tree.If):
                before: list[tuple[Expression, bool]] = []
                for condition, body in statement.branches:
                    if id(body) in blocks:
                        conditions += [*before, (condition, True)]
                    before.append((condition, False))
                if statement.otherwise is not None and id(statement.otherwise) in blocks:
                    conditions += before
        return conditions

    @cached_property
    def _conditions(self) -> dict[Index, list[tuple[Expression, bool]]]:
        """What stands before expressions in ``a and b`` and ``a or b``."""
        conditions: dict[Index, list[tuple[Expression, bool]]] = {}
        for node in tree.every(self.t.program, Binary):
            if node.operator in ("and", "or"):
                for inner in tree.walk(node.right):
                    if isinstance(inner, Index):
                        conditions.setdefault(inner, []).append((node.left, node.operator == "and"))
        return conditions

    @cached_property
    def _items(self) -> set[Expression]:
        """Expressions that are computed with, indexed or called: nil would be an error there."""
        expressions: set[Expression] = set()
        for node in tree.walk(self.t.program):
            if isinstance(node, Binary) and node.operator not in ("and", "or", "==", "~="):
                expressions |= {bare(node.left), bare(node.right)}
            elif isinstance(node, Unary) and node.operator != "not":
                expressions.add(bare(node.operand))
            elif isinstance(node, Index):
                expressions.add(bare(node.base))
            elif isinstance(node, tree.Invoke):
                expressions.add(bare(node.receiver))
            elif isinstance(node, tree.Call):
                expressions.add(bare(node.callee))
        return expressions


def _empty_items(target: Expression, table: tree.Table) -> Iterator[Index]:
    """Where a variable has empty tables in it that it was made with."""
    position = 0
    for item in table.fields:
        position += item.key is None
        key = Number(item.value.span, position, str(position)) if item.key is None else item.key
        if isinstance(item.value, tree.Table) and not item.value.fields:
            yield Index(item.value.span, target, key, False)


def _is_last(node: Index) -> bool:
    """``t[#t]``"""
    key = bare(node.key)
    return (
        isinstance(key, Unary) and key.operator == "#" and same_expression(bare(key.operand), bare(node.base))
    )


def _sum(key: Expression) -> tuple[Expression, float]:
    """``i - 1`` as what a number is added to, and the number."""
    key = bare(key)
    if isinstance(key, Binary) and key.operator in ("+", "-") and isinstance(key.right, Number):
        return key.left, key.right.value if key.operator == "+" else -key.right.value
    return key, 0


def _comparisons(condition: Expression, truth: bool) -> list[tuple[str, Expression, Expression]]:
    """The comparisons that hold where a condition is true, or false."""
    condition = bare(condition)
    if isinstance(condition, Unary) and condition.operator == "not":
        return _comparisons(condition.operand, not truth)
    if not isinstance(condition, Binary):
        return []
    operator, left, right = condition.operator, condition.left, condition.right
    if operator in ("and", "or"):
        return _comparisons(left, truth) + _comparisons(right, truth) if (operator == "and") == truth else []
    if operator not in _TURNED:
        return []
    operator = operator if truth else _OPPOSITE[operator]
    left, right = bare(left), bare(right)
    return [(operator, left, right), (_TURNED[operator], right, left)]
