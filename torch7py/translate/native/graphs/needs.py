"""Which statements the constructor of a graph's class needs, and which its ``forward``."""

from __future__ import annotations

import re

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.native.graphs.fields import Fields
from torch7py.translate.native.graphs.parts import GraphClass, Part, declared
from torch7py.translate.native.problem import Problem
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Name, Statement
from torch7py.translate.tree_queries import base_name

__all__ = ["Needs"]


class Needs(Fields):
    parts: dict[tree.Function, Part]

    # Forward

    def in_forward(self, node: Statement) -> bool:
        if self.is_control(node):
            return any(self.in_forward(inner) for inner in self.inside(node))
        if self.makes_nodes(node):
            return self._forward_writes(node)
        if isinstance(node, tree.Assignment) and node.values:
            return any(variable in self.at.wanted for variable in self._assigned(node))
        return False

    def _assigned(self, node: tree.Assignment) -> list[Variable]:
        names = [name for target in node.targets if (name := base_name(target)) is not None]
        return [self.t.scopes.of_name[name] for name in names]

    def _forward_writes(self, node: Statement) -> bool:
        if isinstance(node, (tree.LocalFunction, tree.FunctionStatement)):
            return False
        if isinstance(node, tree.Assignment) and (
            not node.values or any(isinstance(v, tree.Function) for v in node.values)
        ):
            return False
        return not self._makes_input(node)

    def _makes_input(self, node: Statement) -> bool:
        """``local x = nn.Identity()()`` of an input, or its place in the list of inputs."""
        inputs = self.at.input_variables
        if isinstance(node, tree.Assignment):
            among = [variable in inputs for variable in self._assigned(node)]
            if any(among) and not all(among) and not self.beside_inputs(node):
                raise Problem("T7-221", node.line, "inputs of a graph and other values in one assignment")
            if not all(among):
                return False
            return all(self._is_bare_input(value) for value in node.values)
        if isinstance(node, tree.Run) and isinstance(node.call, Call) and node.call.arguments:
            name = base_name(node.call.arguments[0])
            if name is not None and self.t.scopes.of_name[name] in inputs and self.at.all_inputs:
                if not self._is_bare_input(node.call.arguments[-1]):
                    raise Problem(
                        "T7-221", node.line, "an input of a graph in a list that is not nn.Identity"
                    )
                return True
        return False

    def beside_inputs(self, node: tree.Assignment) -> list[tuple[Expression, Expression]]:
        """What an assignment of inputs does not leave as it is, with its values: ``local inputs, outputs = {}, {}``."""
        if len(node.targets) != len(node.values):
            return []
        assignments: list[tuple[Expression, Expression]] = []
        for target, value in zip(node.targets, node.values, strict=True):
            is_input = isinstance(target, Name) and self.t.scopes.of_name[target] in self.at.input_variables
            if not is_input or not self._is_bare_input(value):
                assignments.append((target, value))
        return assignments

    def _is_bare_input(self, value: Expression) -> bool:
        value = self.source(value) or value
        if isinstance(value, tree.Table):
            return all(self._is_bare_input(item.value) for item in value.fields)
        return (
            isinstance(value, Call)
            and not value.arguments
            and isinstance(value.callee, Call)
            and facts.is_identity(self.t.path(value.callee.callee))
        )

    # The constructor

    def in_init(self, node: Statement) -> bool:
        if self.is_control(node):
            return any(self.in_init(inner) for inner in self.inside(node))
        if self.makes_nodes(node):
            sites = self.at.sites
            return any(sites[call].children for call in self.ordered_nodes(node) if call in sites)
        if isinstance(node, tree.Assignment):
            return bool(node.values) and self._init_needs(node)
        return True

    def _init_needs(self, node: tree.Assignment) -> bool:
        """Whether a size is used by the constructor (or kept by it), and not only by ``forward``."""
        wanted = self.at.wanted
        return any(v not in wanted or self._constructor_reads(v) for v in self._assigned(node))

    def _constructor_reads(self, variable: Variable) -> bool:
        reads = set(variable.reads)
        for call, site in self.at.sites.items():
            where: list[Expression] = [call.callee] if site.function is None else list(call.arguments)
            if any(n in reads for e in where for n in tree.walk(e)):
                return True
        return False

    # Sizes

    def keep(self, cls: GraphClass, forward: list[str]) -> bool:
        """Find which sizes ``forward`` uses; whether it must be written again because of one."""
        text = "\n".join(re.sub(r"  # .*", "", line) for line in forward)
        cls.kept.clear()
        outer = [v for v in self.outer(cls.scope) if self.is_plain(v)]
        body = cls.body.statements
        nodes = {self.t.names.of_variable(v) for v in cls.scope.variables if self.is_value(v)}
        for variable in sorted({*cls.scope.variables, *outer}, key=declared):
            name = self.t.names.of_variable(variable)
            if name == "self" or self.is_value(variable) or not _uses(text, name):
                continue
            if name in nodes:  # which the text may mean, and does where the graph does not read the size
                for read in variable.reads:
                    if any(s.span.start <= read.span.start < s.span.end for s in body):
                        raise Problem("T7-221", read.line, f"{name}, which is a size and a node of a graph")
                continue
            if variable in cls.wanted or variable.kind == "loop":
                continue
            if self._is_settled(cls, variable):
                cls.kept[name] = None
            else:
                cls.wanted.add(variable)
                return True
        cls.kept.update((name, None) for name in cls.fields.values() if _uses(text, name))
        return False

    def _is_settled(self, cls: GraphClass, variable: Variable) -> bool:
        """Whether a size has one value from before the first node on, as far as the graph goes."""
        if variable.scope is not cls.scope:
            return True
        first = min((call.span.start for call in cls.sites), default=0)
        return not variable.in_loop and all(name.span.start < first for name in variable.writes)

    def kept_late(self, cls: GraphClass) -> set[str]:
        """The kept sizes that the function itself works out."""
        if cls.silent:
            return set()
        names = self.t.names
        return {names.of_variable(v) for v in cls.scope.variables if v.kind != "parameter" or v.writes}


def _uses(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(name)}\b(?!=)", text) is not None
