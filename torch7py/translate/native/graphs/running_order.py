"""In which order a graph runs its layers: Torch7 keeps them in that order, whichever the program made first.

The statements of the graph are followed here with nodes as values. What cannot be followed, such as a condition on
an argument, leaves the order unknown. A loop of unknown length is followed for a few lengths, which must agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TypeAlias

from torch7py.translate import tree
from torch7py.translate.native.graphs.needs import Needs
from torch7py.translate.native.graphs.parts import Child, GraphClass, Site
from torch7py.translate.patching import altered
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Block, Call, Expression, Index, Invoke, Name, Statement
from torch7py.translate.tree_queries import bare

__all__ = ["UnknownOrder", "running_order"]

_LENGTHS = (2, 3, 4)  # for which a loop of unknown length is followed
_LARGEST = 2  # a number that a condition in such a loop may compare with, so that all that can happen is seen
_LONGEST = 64  # turns of a loop that are followed

# Where a layer is: an attribute of the class, its number there, and so on in the class that this is of.
Path: TypeAlias = tuple[tuple[Child, int], ...]


class UnknownOrder(Exception):
    """The order cannot be told, or no order of a class's attributes is that of the graph."""


@dataclass(eq=False)
class _Node:
    sources: list[_Node]
    layers: list[Path]


@dataclass(eq=False)
class _List:
    items: list[_Value] = field(default_factory=list)


_Value: TypeAlias = "_Node | _List | float | bool | None"  # None: something else, of which nothing is known


def running_order(graphs: Needs, cls: GraphClass) -> list[Child]:
    """The attributes of the class of a graph, or of a part of one, in the order in which it runs them.

    Raises UnknownOrder.
    """
    orders = []
    for length in _LENGTHS:
        following = _Following(graphs, length)
        following.values.update((variable, _Node([], [])) for variable in cls.given)
        outputs = following.block(cls.body, cls.sites, ())
        if outputs is None:
            raise UnknownOrder
        paths = _layers_in_order(outputs)
        if len(paths) != following.made:  # a layer that leads to no output is not in the graph
            raise UnknownOrder
        orders.append(_arranged(paths, graphs, cls.sites))
        if not following.assumes:
            break
    if any(order != orders[0] for order in orders):
        raise UnknownOrder
    return orders[0]


def _layers_in_order(outputs: Sequence[_Value]) -> list[Path]:
    """The layers of the nodes that lead to the outputs: each after those that it takes from, the first source first."""
    paths: list[Path] = []
    entered: set[_Node] = set()
    waiting: list[tuple[_Node, bool]] = [(node, False) for node in reversed(_nodes(outputs))]
    while waiting:
        node, is_ready = waiting.pop()
        if is_ready:
            paths += node.layers
        elif node not in entered:
            entered.add(node)
            waiting += [(node, True), *((source, False) for source in reversed(node.sources))]
    return paths


def _arranged(paths: Iterable[Path], graphs: Needs, sites: Mapping[Call, Site]) -> list[Child]:
    """The attributes of a class whose order gives this order of layers."""
    functions = {child: site.function for site in sites.values() for child in site.children}
    order: list[Child] = []
    for child, group in groupby(paths, key=lambda path: path[0][0]):
        if child in order:
            raise UnknownOrder
        order.append(child)
        last, function = -1, functions[child]
        for turn, of_turn in groupby(group, key=lambda path: path[0][1]):
            if turn <= last:
                raise UnknownOrder
            last = turn
            if function is not None:
                part = graphs.parts[function].cls
                inner = _arranged([path[1:] for path in of_turn], graphs, part.sites)
                if inner != part.attributes:
                    raise UnknownOrder
    return order


def _nodes(values: Sequence[_Value]) -> list[_Node]:
    """The nodes that are given as such, or as one list."""
    nodes = []
    for value in values:
        for item in value.items if isinstance(value, _List) else [value]:
            if not isinstance(item, _Node):
                raise UnknownOrder
            nodes.append(item)
    return nodes


class _Following:
    """One way through the statements of a graph."""

    def __init__(self, graphs: Needs, length: int) -> None:
        self.graphs, self.t, self.length = graphs, graphs.t, length
        self.values: dict[Variable, _Value] = {}
        self.turns: Counter[tuple[Path, Child]] = Counter()
        self.made = 0  # layers
        self.assumes = False  # the length of a loop
        self.sites: Mapping[Call, Site] = {}  # of the class whose statements are followed
        self.path: Path = ()

    # Statements

    def block(self, block: Block, sites: Mapping[Call, Site], path: Path) -> list[_Value] | None:
        """What the statements of a graph, or of a part of one, give."""
        with altered(self, sites=sites, path=path):
            for statement in block.statements:
                if isinstance(statement, tree.Return):
                    return self._returned(statement)
                self._statement(statement)
        return None

    def _returned(self, node: tree.Return) -> list[_Value]:
        (first, *more) = node.values
        if isinstance(first, Call) and not more and self.graphs.makes_graph(first):
            return [self._value(first.arguments[1])]
        return self._several(node.values)

    def _inner(self, block: Block) -> None:
        for statement in block.statements:
            self._statement(statement)

    def _statement(self, node: Statement) -> None:
        if isinstance(node, tree.Assignment):
            self._assign(node)
        elif isinstance(node, tree.Run):
            self._run(node)
        elif isinstance(node, tree.NumericFor):
            self._count(node)
        elif isinstance(node, tree.Do):
            self._inner(node.body)
        elif isinstance(node, tree.If):
            self._choose(node)
        elif isinstance(node, tree.GenericFor) and self._items_of(node) is not None:
            for number, item in enumerate(self._items_of(node) or [], start=1):
                for name, value in zip(node.names, (number, item), strict=False):
                    self._set(name, value)
                self._inner(node.body)
        elif not isinstance(
            node, (tree.LocalFunction, tree.FunctionStatement)
        ):  # followed where they are called
            self._pass_over(node)

    def _items_of(self, node: tree.GenericFor) -> list[_Value] | None:
        (source, *_) = node.values
        if not isinstance(source, Call) or self.t.path(source.callee) != "ipairs":
            return None
        value = self._value(source.arguments[0])
        return list(value.items) if isinstance(value, _List) else None

    def _pass_over(self, node: Statement) -> None:
        """Leave out a statement that may or may not run, after which nothing is known of what it changes."""
        for inner in tree.walk(node):
            if isinstance(inner, (tree.Return, tree.Break, tree.Goto)) or inner in self.sites:
                raise UnknownOrder
            if isinstance(inner, tree.Assignment):
                for target in inner.targets:
                    if not isinstance(target, Name) or isinstance(self._of(target), (_Node, _List)):
                        raise UnknownOrder
                    self._set(target, None)
            if isinstance(inner, Call) and self.t.path(inner.callee) in ("table.insert", "table.remove"):
                raise UnknownOrder

    def _assign(self, node: tree.Assignment) -> None:
        values = self._several(node.values)
        for number, target in enumerate(node.targets):
            value = values[number] if number < len(values) else None
            if isinstance(target, Name):
                self._set(target, value)
            elif isinstance(target, Index):
                self._store(target, value)

    def _store(self, target: Index, value: _Value) -> None:
        base, key = self._value(target.base), self._value(target.key)
        if not isinstance(base, _List):
            if isinstance(value, (_Node, _List)):
                raise UnknownOrder
            return
        if isinstance(key, bool) or not isinstance(key, (int, float)) or not 1 <= key <= len(base.items) + 1:
            raise UnknownOrder
        base.items[int(key) - 1 : int(key)] = [value]

    def _run(self, node: tree.Run) -> None:
        call = node.call
        if isinstance(call, Call) and self.t.path(call.callee) == "table.insert":
            into, *values = [self._value(argument) for argument in call.arguments]
            if not isinstance(into, _List) or len(values) != 1:
                raise UnknownOrder
            into.items.append(values[0])
        elif self.graphs.makes_nodes(node):
            self._value(call)

    def _count(self, node: tree.NumericFor) -> None:
        first, last = self._bound(node.start), self._bound(node.stop)
        step = 1 if node.step is None else self._bound(node.step)
        if not step or abs(last - first) > _LONGEST * abs(step):
            raise UnknownOrder
        while (first <= last) if step > 0 else (first >= last):
            self._set(node.variable, first)
            self._inner(node.body)
            first += step

    def _bound(self, node: Expression) -> float:
        """A bound of a loop, which is of the assumed length where that is not known."""
        value = self._value(node)
        node = bare(node)
        is_length = isinstance(node, tree.Unary) and node.operator == "#"
        if value is None and (is_length or isinstance(node, (Name, Index))):
            self.assumes = True
            value = self.length
            if isinstance(node, Name):
                self._set(node, value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise UnknownOrder
        return value

    def _choose(self, node: tree.If) -> None:
        for condition, block in node.branches:
            chosen = self._value(condition)
            if chosen is None or (self.assumes and self._largest_in(condition) > _LARGEST):
                self._pass_over(node)
                return
            if chosen is not False:
                self._inner(block)
                return
        if node.otherwise is not None:
            self._inner(node.otherwise)

    def _largest_in(self, condition: Expression) -> float:
        """The largest number that a condition has written out, or by the name of a constant."""
        nodes = list(tree.walk(condition))
        constants = [self._constant(n) for n in nodes if isinstance(n, Name)]
        return max((n.value for n in (*nodes, *constants) if isinstance(n, tree.Number)), default=0)

    # Values

    def _set(self, name: Expression, value: _Value) -> None:
        name = bare(name)
        assert isinstance(name, Name)
        self.values[self.t.scopes.of_name[name]] = value

    def _of(self, name: Name) -> _Value:
        variable = self.t.scopes.of_name[name]
        if variable not in self.values:
            constant = self._constant(name)
            self.values[variable] = constant.value if constant is not None else None
        return self.values[variable]

    def _constant(self, name: Name) -> tree.Number | None:
        """The number that is all that a variable ever is."""
        variable = self.t.scopes.of_name[name]
        assigned = [value for _, value in self.t.training.assigned_to(variable)]
        only = assigned[0] if len(assigned) == 1 and variable.kind != "parameter" else None
        return only if isinstance(only, tree.Number) else None

    def _several(self, nodes: Sequence[Expression]) -> list[_Value]:
        """The values of a list of expressions, of which the last may give several."""
        values = [self._value(node) for node in nodes[:-1]]
        return values + (self._all(nodes[-1]) if nodes else [])

    def _all(self, node: Expression) -> list[_Value]:
        if isinstance(node, Call) and self.t.is_unpacked(node) and len(node.arguments) == 1:
            value = self._value(node.arguments[0])
            if isinstance(value, _List):
                return list(value.items)
        if isinstance(node, Call) and node in self.sites:
            return self._site(node, self.sites[node])
        if isinstance(node, Invoke) and node.method == "split":
            whole, count = self._value(node.receiver), self._value(node.arguments[0])
            if isinstance(whole, _Node) and isinstance(count, (int, float)):
                return [_Node([whole], []) for _ in range(int(count))]
        return [self._value(node)]

    def _value(self, node: Expression) -> _Value:
        node = bare(node)
        if isinstance(node, Name):
            return self._of(node)
        if isinstance(node, (tree.Number, tree.Boolean)):
            return node.value
        if isinstance(node, tree.Table):
            if any(item.key is not None for item in node.fields):
                return self._unknown(node)
            return _List(self._several([item.value for item in node.fields]))
        if isinstance(node, Index):
            base, key = self._value(node.base), self._value(node.key)
            if isinstance(base, _List) and isinstance(key, (int, float)) and 1 <= key <= len(base.items):
                return base.items[int(key) - 1]
            return self._unknown(node)
        if isinstance(node, tree.Unary) and node.operator == "#":
            value = self._value(node.operand)
            return len(value.items) if isinstance(value, _List) else None
        if isinstance(node, tree.Binary):
            return self._computed(node)
        if isinstance(node, Call) and node in self.sites:
            return self._site(node, self.sites[node])[0]
        if isinstance(node, Invoke) and node.method == "annotate":
            return self._value(node.receiver)
        return self._unknown(node)

    def _unknown(self, node: Expression) -> _Value:
        """Something of which nothing is known, which must not be a node."""
        if self.graphs.is_node(node):
            raise UnknownOrder
        return None

    def _computed(self, node: tree.Binary) -> _Value:
        left, right = self._value(node.left), self._value(node.right)
        if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
            return self._unknown(node)
        if node.operator in ("+", "-", "*"):
            return {"+": left + right, "-": left - right, "*": left * right}[node.operator]
        compared = {
            "==": left == right,
            "~=": left != right,
            "<": left < right,
            "<=": left <= right,
            ">": left > right,
            ">=": left >= right,
        }
        return compared.get(node.operator)

    def _site(self, node: Call, site: Site) -> list[_Value]:
        if site.function is None:
            sources = _nodes([self._value(argument) for argument in node.arguments])
            layers = [(*self.path, self._place(child)) for child in site.children]
            self.made += len(layers)
            return [_Node(sources, layers)]
        (child,) = site.children
        arguments = self._several(node.arguments)
        for number, parameter in enumerate(site.function.parameters):
            self._set(parameter, arguments[number] if number < len(arguments) else None)
        part = self.graphs.parts[site.function]
        outputs = self.block(site.function.body, part.cls.sites, (*self.path, self._place(child)))
        if not outputs:
            raise UnknownOrder
        return outputs

    def _place(self, child: Child) -> tuple[Child, int]:
        number = self.turns[self.path, child]
        if number and not child.many:  # one layer at several nodes
            raise UnknownOrder
        self.turns[self.path, child] += 1
        return child, number
