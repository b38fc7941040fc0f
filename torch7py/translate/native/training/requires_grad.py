"""What may have a graph behind it: outputs of modules, and what is made of them."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.interfaces.training import Explicit
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.training.forwards import Forwards
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Block, Call, Expression, Invoke, Name, Statement
from torch7py.translate.tree_queries import base_name

__all__ = ["Reach"]


_PLAIN = {"number", "string", "boolean", "module", "criterion"}


class Reach:
    def __init__(self, t: Translation, explicit: Explicit, forwards: Forwards) -> None:
        self.explicit, self.t, self.calls = explicit, t, forwards
        self.graphical: set[Variable] = set()
        self._functions: set[tree.Function] = set()  # whose results are being looked at
        self._finding = False
        self._givers: set[tree.Function] = set()  # that may give a graph
        # That give none as long as so many variables may hold one.
        self._barren: dict[tree.Function, int] = {}

    def find(self) -> None:
        """The variables that may hold what a module gave, or what was made of that."""
        before, self._finding = -1, True
        while before != len(self.graphical):
            before = len(self.graphical)
            for statement in self.t.training.flow.block_of:
                self._learn(statement)
        self._finding = False
        self._givers.clear()  # later some calls may be known for backward passes
        self._barren.clear()

    def _may_hold(self, target: Expression) -> None:
        name = base_name(target)
        if name is not None and self.t.kind(target) not in _PLAIN:
            self.graphical.add(self.t.scopes.of_name[name])

    def _learn(self, statement: Statement) -> None:
        targets: tuple[Expression, ...] = ()
        if isinstance(statement, (tree.Local, tree.GenericFor)):
            targets = statement.names
        elif isinstance(statement, tree.Assign):
            targets = statement.targets
        if isinstance(statement, (tree.Assignment, tree.GenericFor)) and any(
            self.has_graph(value) for value in statement.values
        ):
            for target in targets:
                self._may_hold(target)
        for node in tree.direct_nodes(statement):
            if isinstance(node, (Call, Invoke)):
                self._learn_of_call(node, statement)

    def _learn_of_call(self, node: Call | Invoke, statement: Statement) -> None:
        graph_arguments = [argument for argument in node.arguments if self.has_graph(argument)]
        if not graph_arguments:
            return
        for function in self.t.types.function_called(node):
            for parameter, argument in self.t.types.bound_arguments(function, node):
                if argument in graph_arguments:
                    self._may_hold(parameter)
        if isinstance(node, Invoke):
            if self.t.kind(node.receiver) == "tensor" and not self._is_cut(node, statement):
                self._may_hold(node.receiver)
        elif self.t.path(node.callee) == "table.insert":
            self._may_hold(node.arguments[0])

    def _is_cut(self, node: Invoke, statement: Statement) -> bool:
        """Whether a copy into a tensor of an outer function is written as one of values (truncated_bptt.py)."""
        scope = self.t.surroundings.owner[statement]
        if scope not in self.explicit.scopes or node.method != "copy" or not isinstance(node.receiver, Name):
            return False
        alone = isinstance(statement, tree.Run) and statement.call is node
        return alone and (self.t.scopes.of_name[node.receiver].scope or self.t.scopes.main) is not scope

    def has_graph(self, value: tree.Node | Block) -> bool:
        """Whether an expression may give something with a graph behind it."""
        if isinstance(value, Expression) and self.t.kind(value) in _PLAIN - {"module", "criterion"}:
            return False
        if isinstance(value, Name):
            return self.t.scopes.of_name[value] in self.graphical
        if isinstance(value, tree.Function):
            return False
        if isinstance(value, (Call, Invoke)):
            if self.t.user_passes.is_backward(value):
                return False
            if self.calls.is_forward(value):
                return True
            functions = self.t.types.function_called(value)
            if functions:
                return any(self._gives_graph(function) for function in functions)
        return any(self.has_graph(child) for child in tree.children(value))

    def _gives_graph(self, function: tree.Function) -> bool:
        """Whether a function may give a graph; each that it calls is looked at once."""
        if function in self._givers:
            return True
        known = self._barren.get(function) == len(self.graphical)
        if function in self._functions or known:
            return False
        first = not self._functions
        self._functions.add(function)
        scope = self.t.scopes.of_function[function]
        returns = [s for s in self.t.surroundings.statements_of(scope) if isinstance(s, tree.Return)]
        gives_graph = any(self.has_graph(v) for s in returns for v in s.values)
        if gives_graph and self._finding:
            self._givers.add(function)
        if first:
            if not gives_graph and self._finding:  # nor does any of those that it may call
                self._barren.update(dict.fromkeys(self._functions, len(self.graphical)))
            self._functions.clear()
        return gives_graph
