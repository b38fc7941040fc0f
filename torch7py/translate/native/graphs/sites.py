"""Where a class of a graph gets its layers: each place that makes a node, and the children that it has."""

from __future__ import annotations

import re

from torch7py.translate import tree
from torch7py.translate.layers import Layer, NotNative
from torch7py.translate.layers.as_modules import FUNCTIONS
from torch7py.translate.layers.registry import Expr, Value
from torch7py.translate.layers.writer import Writer
from torch7py.translate.native.code import python_name
from torch7py.translate.native.graphs.overwriting import Overwriting
from torch7py.translate.native.graphs.parts import Child, Loop, Part, Site, snake
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Block, Call, Expression, Index, Invoke, Name, Statement, String
from torch7py.translate.tree_queries import base_name

__all__ = ["Sites", "function_of"]


def function_of(layer: Layer) -> str:
    """A layer as a function, where only what the function takes too is given."""
    return FUNCTIONS.get(layer.name, "") if set(layer.args.texts) <= {"p"} else ""


class Sites(Overwriting):
    loops: list[Loop]  # around the place that is looked at
    chosen: int  # and the number of conditions

    def part(self, function: tree.Function, line: int) -> Part:
        """The class of a function that makes nodes of nodes."""
        raise NotImplementedError

    def find_sites(self, block: Block) -> None:
        for statement in block.statements:
            if isinstance(statement, (tree.LocalFunction, tree.FunctionStatement)):
                continue
            hint = self._hint(statement)
            if isinstance(statement, tree.Assignment) and len(statement.values) > 1:
                self._refuse_mixed(statement)
            for node in self.ordered_nodes(statement):
                self._refuse_arithmetic(node)
                self._refuse_all_values(node)
                if isinstance(node, Call) and self.is_site(node):
                    site = self.at.sites[node] = self._site(node, hint)
                    if site.children:
                        self.at.lines_with_children.add(node.line)
            if isinstance(statement, (tree.NumericFor, tree.GenericFor)):
                self.loops.append(statement)
                self.find_sites(statement.body)
                self.loops.pop()
            elif isinstance(statement, tree.If):
                self.chosen += 1
                for inner in tree.blocks(statement):
                    self.find_sites(inner)
                self.chosen -= 1
            elif not isinstance(statement, (tree.Assignment, tree.Run, tree.Return)):
                for inner in tree.blocks(statement):
                    self.find_sites(inner)

    def _refuse_mixed(self, statement: tree.Assignment) -> None:
        """``x, size = inputs[1], 4``, of which the constructor needs one part and ``forward`` the other."""
        kinds = {self.is_node(v) for v in statement.values if not isinstance(v, (tree.Nil, tree.Table))}
        if len(kinds) > 1:
            raise Problem("T7-221", statement.line, "nodes and other values in one assignment")

    def _refuse_arithmetic(self, node: tree.Node) -> None:
        """``a - b`` chains nodes in nngraph."""
        if not isinstance(node, tree.Binary) or node.operator not in ("+", "-", "*", "/"):
            return
        if self.is_node(node.left) or self.is_node(node.right):
            raise Problem("T7-221", node.line, "arithmetic with nodes of a graph")

    def _refuse_all_values(self, node: tree.Node) -> None:
        """``{f(x)}`` and ``g(f(x))``, of which Lua takes all nodes that f gives."""
        last: Expression | None = None
        if isinstance(node, (Call, Invoke)) and node.arguments:
            last = node.arguments[-1]
        elif isinstance(node, tree.Table) and node.fields and node.fields[-1].key is None:
            last = node.fields[-1].value
        elif isinstance(node, tree.Return) and node.values:
            last = node.values[-1]
        if isinstance(last, Call) and self.is_site(last):
            for function in self.t.types.function_called(last):
                returned = function.body.statements[-1]
                if isinstance(returned, tree.Return) and len(returned.values) > 1:
                    raise Problem(
                        "T7-221", last.line, "all nodes that a function gives, at the end of a list"
                    )

    def is_site(self, node: Call) -> bool:
        """Whether a call makes a node: of a layer, or in a function."""
        if self.makes_graph(node) or self.t.path(node.callee) in ("table.insert", "unpack"):
            return False
        if self.t.kind(node.callee) in ("module", "criterion"):
            return self.t.kind(node.callee) == "module" or self.is_node(node)
        return any(self.gives_nodes(f) for f in self.t.types.function_called(node))

    def owner_field(self, node: Expression) -> str:
        """What the class calls a field of the object whose method makes the graph."""
        if not isinstance(node, Index) or not isinstance(node.key, String) or not self.is_self(node.base):
            return ""
        return self.at.fields.get(node.key.value, "")

    def _site(self, node: Call, hint: str) -> Site:
        first = node.line not in self.at.lines_with_children
        functions = [f for f in self.t.types.function_called(node) if self.gives_nodes(f)]
        if functions:
            if len(functions) > 1:
                raise Problem("T7-221", node.line, "one of several functions that make nodes")
            part = self.part(functions[0], node.line)
            return Site(None, [self._child(hint if first else "", snake(part.name))], functions[0])
        if self.t.kind(node.callee) == "criterion" and not isinstance(node.callee, Name):
            return Site(None, [self._child(hint if first else "", "criterion")])
        if self.t.models.builders.is_construction(node.callee):
            return self._of_layer(node, hint if first else "")
        if isinstance(node.callee, Name):
            return Site(None, [self._of_variable(node.callee)])
        field_name = self.owner_field(node.callee)
        if field_name:
            if any(self.owner_field(call.callee) == field_name for call in self.at.sites):
                raise Problem("T7-230", node.line, "a layer that stands in several places of a graph")
            return Site(None, [self._child(field_name, "", of_variable=True)])
        name = self._name_of_maker(node.callee)
        return Site(None, [self._child(hint if first and not name else "", name or "layer")])

    def _of_layer(self, node: Call, hint: str) -> Site:
        layer = self.t.models.constructions.layer(node.callee)
        if function_of(layer):
            return Site(layer, [])
        writer = Writer()
        try:
            writer.alone(lambda: writer.apply(layer, self.stand_in(node)))
        except NotNative as problem:
            raise Problem(problem.code, node.line, str(problem)) from problem
        for helper in writer.helpers:
            self.t.helpers[helper] = None
        only = len(writer.children) == 1
        names = [child.native.name or "layer" for child in writer.children]
        return Site(layer, [self._child(hint if only else "", name) for name in names])

    def _of_variable(self, name: Name) -> Child:
        """A module that the program has in a variable."""
        variable = self.t.scopes.of_name[name]
        for call in self.at.sites:
            if isinstance(call.callee, Name) and self.t.scopes.of_name[call.callee] is variable:
                # Its two outputs are one tensor in Torch7, and the second use overwrites the first.
                raise Problem("T7-230", name.line, "a layer that stands in several places of a graph")
        child = self._child(self.t.names.of(name), "", of_variable=True)
        if child.many and not variable.in_loop:
            child.loops = ()
        return child

    def stand_in(self, node: Call) -> Value:
        """A value of the form of what a site is given."""
        if node.arguments and isinstance(node.arguments[0], tree.Table):
            return tuple(Expr(f"x{number}") for number in range(len(node.arguments[0].fields)))
        return Expr("x")

    # Names

    def _child(self, hint: str, other: str, of_variable: bool = False) -> Child:
        base = hint or other
        taken = {child.name for child in self.at.children} | {"forward", "training"}
        if not of_variable:
            scope = self.at.scope
            sizes = [v for v in {*scope.variables, *self.outer(scope)} if not self.is_value(v)]
            taken |= {self.t.names.of_variable(v) for v in sizes if v.kind != "function"}
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}{number}"
        child = Child(name, tuple(self.loops), self.chosen > 0)
        self.at.children.append(child)
        return child

    def _hint(self, statement: Statement) -> str:
        """A name for the layer of a statement: what it is annotated with, or the variable that gets the node."""
        for node in self.ordered_nodes(statement):
            if isinstance(node, Invoke) and node.method == "annotate":
                name = annotation(node)
                if isinstance(name, String):
                    return python_name(re.sub(r"\W+", "_", name.value))
        if not isinstance(statement, tree.Assignment):
            return ""
        target, *more = statement.targets
        if more or not isinstance(target, Name) or len(target.name) < 2:
            return ""
        is_input = self.t.scopes.of_name[target] in self.at.input_variables
        return "" if is_input else self.t.names.of(target)

    def _name_of_maker(self, node: Expression) -> str:
        lua_class = self.t.types.class_named(node.callee) if isinstance(node, Call) else None
        if lua_class is not None:  # a layer of the program's own
            return snake(self.t.classes.names[lua_class])
        name = base_name(node.callee) if isinstance(node, Call) else None
        return "" if name is None else snake(name.name)


def annotation(node: Invoke) -> Expression | None:
    """The name in ``node:annotate{name = ...}``."""
    table = node.arguments[0] if node.arguments else None
    for item in table.fields if isinstance(table, tree.Table) else ():
        if item.key_name == "name":
            return item.value
    return None
