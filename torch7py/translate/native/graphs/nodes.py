"""Which expressions and statements of a program make nodes of graphs."""

from __future__ import annotations

from typing import Any

from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.scopes import Scope, Variable
from torch7py.translate.tree import Block, Call, Expression, Index, Invoke, Name, Number, Statement
from torch7py.translate.tree_queries import bare

__all__ = ["Nodes"]

_CONTROL = (tree.NumericFor, tree.GenericFor, tree.If, tree.While, tree.Repeat, tree.Do)


class Nodes:
    plain_parts: set[tree.Function]  # functions that make parts of graphs and stay functions

    def __init__(self, translator: Translation) -> None:
        self.t = translator

    def is_node(self, node: Expression) -> bool:
        return self.has_node(self.t.type(node))

    def has_node(self, type_: Type, depth: int = 0) -> bool:
        if type_.has("node"):
            return True
        if type_.kind != "table" or depth > 2:
            return False
        root = type_.find()
        inner = [*root.fields.values(), *([root.element] if root.element is not None else [])]
        return any(self.has_node(part, depth + 1) for part in inner)

    def is_value(self, variable: Variable) -> bool:
        """Whether a variable holds nodes, which are values in ``forward``."""
        return any(self.has_node(type_) for type_ in self.t.types.versions[variable][1])

    def outer(self, scope: Scope) -> set[Variable]:
        """The variables of elsewhere that a function uses, globals of the program among them.

        Those of functions in it and of the parts of graphs that these call are its own, too: it makes their classes.
        """
        if scope.function is None:
            return set(scope.upvalues)
        scopes = self._making(scope.function)
        used = {
            variable
            for inner_scope in scopes
            for variable in inner_scope.upvalues
            if variable.scope not in scopes
        }
        return used | {
            v for v in self.t.scopes.globals.values() if v.writes and not scopes.isdisjoint(v.readers)
        }

    def _making(self, function: tree.Function) -> set[Scope]:
        """The scopes of a function, of those in it, and of the parts of graphs that they call."""
        scopes: set[Scope] = set()
        waiting = [function]
        while waiting:
            inner = waiting.pop()
            scope = self.t.scopes.of_function[inner]
            if scope not in scopes:
                scopes.add(scope)
                waiting += tree.every(inner.body, tree.Function)
                called = [
                    f for call in tree.every(inner.body, Call) for f in self.t.types.function_called(call)
                ]
                waiting += [f for f in called if self.gives_nodes(f)]
        return scopes

    def is_plain(self, variable: Variable) -> bool:
        """Whether a variable of elsewhere is a value that a class must be given."""
        if variable in self.t.module_level or self.t.modules.at_module_level(variable):
            return False
        return variable.kind != "function" and not self.is_value(variable) and not self.is_part(variable)

    def makes_graph(self, node: Expression) -> bool:
        return isinstance(node, Call) and self.t.path(node.callee) == "nn.gModule"

    def gives_nodes(self, function: tree.Function) -> bool:
        """Whether a function makes a part of a graph."""
        returns = self.t.types.returns.get(function)
        return returns is not None and any(self.has_node(result) for result in returns.types)

    def is_part(self, variable: Variable) -> bool:
        """Whether a variable holds a function that makes a part of a graph: it is a class in the page."""
        functions = [f for type_ in self.t.types.versions[variable][1] for f in type_.find().functions]
        return bool(functions) and all(
            self.gives_nodes(function) and function not in self.plain_parts for function in functions
        )

    def makes_nodes(self, node: Statement) -> bool:
        """Whether a statement that is no loop or condition is about nodes."""
        if isinstance(node, tree.Assignment):
            if any(self.is_node(v) for v in [*node.values, *node.targets]):
                return True
            return any(isinstance(v, tree.Function) and self.gives_nodes(v) for v in node.values)
        if isinstance(node, tree.Run):
            call = node.call
            if isinstance(call, Call):
                return any(self.is_node(argument) for argument in call.arguments)
            return self.is_node(call.receiver)
        if isinstance(node, (tree.LocalFunction, tree.FunctionStatement)):
            return self.gives_nodes(node.function)
        if isinstance(node, tree.Return):
            return any(self.is_node(value) or self.makes_graph(value) for value in node.values)
        return False

    def source(self, node: Expression) -> Call | None:
        """The call without a source that makes a node, which a variable or an item of a list may be."""
        if isinstance(node, Name):
            values = [value for _, value in self.t.training.assigned_to(self.t.scopes.of_name[node])]
            node = values[0] if len(values) == 1 and values[0] is not None else node
        if isinstance(node, Index) and isinstance(node.key, Number):
            items = self.t.tables.items(node.base) or []
            node = items[int(node.key.value) - 1] if 1 <= node.key.value <= len(items) else node
        node = bare(node)
        while isinstance(node, Invoke) and node.method == "annotate":
            node = bare(node.receiver)
        return node if isinstance(node, Call) and not node.arguments and self.is_node(node) else None

    def is_self(self, node: Expression) -> bool:
        """Whether this is the object whose method is looked at."""
        return isinstance(node, Name) and self.t.names.of(node) == "self"

    # Statements

    def is_control(self, node: Statement) -> bool:
        return isinstance(node, _CONTROL)

    def inside(self, node: Statement) -> list[Statement]:
        """The statements directly inside one."""
        return [s for block in tree.blocks(node) for s in block.statements]

    def ordered_nodes(self, statement: Statement) -> list[tree.Node]:
        """The nodes of a statement, without inner blocks and functions, in the order in which Lua takes them."""
        nodes: list[tree.Node] = []
        stack: list[Any] = [statement]
        while stack:
            node = stack.pop()
            if isinstance(node, (Block, tree.Function)):
                continue
            nodes.append(node)
            stack.extend(reversed(list(tree.children(node))))
        nodes.sort(key=lambda node: node.span.start)  # a layer that is given a node with "-" comes after that
        return nodes
