"""Graphs of nngraph: a function that builds one becomes a class.

The statements that make nodes are written twice: in the constructor as the layers with weights, and in ``forward`` as
what is computed, a node being its value there. What only counts or chooses (sizes, loops, conditions) is written
where the one or the other needs it. A function that makes part of a graph out of nodes becomes a class of its own.
A graph among other statements takes those that make its nodes.

A graph of which this cannot be proved is made when the page runs, of nodes as in the program: its statements stay
where they are, in plain calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from torch7py.translate import tree, tree_queries
from torch7py.translate.kinds import Type
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.graphs.claims import called_outside
from torch7py.translate.native.graphs.methods import Methods
from torch7py.translate.native.graphs.parts import GraphClass, camel, declared
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Block, Call, Expression, Index, Name, Statement, String
from torch7py.translate.tree_queries import LOOPS, base_name

__all__ = ["Graphs"]


class Graphs(Methods):
    def __init__(self, translator: Translation) -> None:
        super().__init__(translator)
        self.mode = ""
        self.at: GraphClass = None  # type: ignore[assignment]
        self.loops = []
        self.chosen = 0
        self.target = None
        self.parts = {}
        # Graphs that methods give which do something else, too.
        self.returned: dict[Statement, tree.Function] = {}
        self.members: dict[Statement, Statement] = {}  # statements that make nodes -> the one with the graph
        self.builders: set[tree.Function] = set()  # the functions that do nothing but build a graph
        self.declined: dict[int, Problem] = {}  # where a graph is made of which no class could be, and why
        self.made: set[int] = set()  # where one is made that has a class
        self.plain_parts: set[tree.Function] = set()
        self.wanted = set[int]()  # where one is made whose nodes the program asks for, which classes have not
        self.named = any(node.key_name == "annotations" for node in tree.every(translator.program, Index))
        if "nn.gModule" in translator.layer_names:
            self._find_in(translator.program, None)
            in_class = {*self.members, *self.members.values(), *self.returned, *self.builders}
            self.plain_parts = called_outside(
                translator.program, translator.types, self.gives_nodes, in_class
            )

    def of_field(self, node: Index) -> Py | None:
        name = self.owner_field(node) if self.mode else ""
        return atom(name) if name else None

    def of_node(self, node: Index) -> Py | None:
        if self.t.kind(node.base) != "graph node" or not isinstance(node.key, String):
            return None
        if self.nodes_are_kept:
            raise Undecided("T7-221", node.line, "a node of a graph that has no class")
        base = self.t.value(node.base)
        if node.key.value in ("data", "annotations", "module"):
            return base
        if node.key.value == "name":
            return atom(f'getattr({base}, "name", None)')
        raise Problem("T7-225", node.line, f"{node.key.value} of a node of a graph")

    def nodes_of(self, node: Index) -> Py:
        """``net.forwardnodes``: where all graphs are classes, a loop over them is one over the layers."""
        if self.nodes_are_kept and node.key_name == "forwardnodes":
            raise Undecided("T7-221", node.line, "the nodes of a graph that has no class")
        if node not in self._gone_through:
            self.wanted |= self._looked_at
            raise Problem("T7-221", node.line, "nodes of a graph, which its class has not")
        return atom(f"{self.t.value(node.base).at(code.ATOM)}.modules()")

    @cached_property
    def _gone_through(self) -> set[Expression]:
        """What loops go through, item by item."""
        loops = tree.every(self.t.program, tree.GenericFor)
        calls = [value for loop in loops for value in loop.values if isinstance(value, Call)]
        return {argument for call in calls for argument in call.arguments}

    @cached_property
    def _asked_for_nodes(self) -> list[Index]:
        names = ("forwardnodes", "backwardnodes")
        return [node for node in tree.every(self.t.program, Index) if node.key_name in names]

    @cached_property
    def _looked_at(self) -> set[int]:
        """Where the graphs are made of which it is known that the program looks at their nodes."""
        home, graphs = self.t.surroundings.home, [*filter(self.makes_graph, tree.every(self.t.program, Call))]
        layers = [layer for node in self._asked_for_nodes for layer in self.t.type(node.base).find().layers]
        return {home[layer.call].span.start for layer in layers if layer.call in graphs}

    @cached_property
    def nodes_are_kept(self) -> bool:
        """Whether graphs of which the program looks at the nodes are made of nodes in the page.

        Of a module that may be a graph the library has the nodes, where it is made of such.
        """
        if not self._gone_through.issuperset(self._asked_for_nodes):
            return self._looked_at <= self.t.plain_graphs
        return bool(self._looked_at) and self._looked_at <= self.t.plain_graphs

    # Graphs among other statements

    def _find_in(self, block: Block, function: tree.Function | None) -> None:
        for number, statement in enumerate(block.statements):
            defined = _definition(statement)
            if defined is not None and self._is_builder(defined[1]):
                self.builders.add(defined[1])
            for inner in _inner(statement):
                if isinstance(inner, tree.Function):
                    self._find_returned(inner)
                    self._find_in(inner.body, inner)
                else:
                    self._find_in(inner, None)
            if self.assigns_graph(statement):
                for before in block.statements[:number]:
                    if before not in self.members and self._is_member(before):
                        self.members[before] = statement

    def assigns_graph(self, node: Statement) -> bool:
        """Whether a statement makes a graph out of those before it."""
        if node in self.returned:
            return True
        if not isinstance(node, tree.Assignment) or len(node.values) != 1:
            return False
        return self.makes_graph(node.values[0]) and not self.t.is_plain_graph(node)

    def _find_returned(self, function: tree.Function) -> None:
        """The graph at the end of a method that does something else, too."""
        last = self._graph_at_end(function)
        if last is not None and function in self.t.classes.owners and not self._only_builds(function):
            self.returned[last] = function

    def _graph_at_end(self, function: tree.Function) -> tree.Return | None:
        """The ``return nn.gModule(...)`` of a function, unless that graph is known to have no class."""
        last = function.body.statements[-1] if function.body.statements else None
        if not isinstance(last, tree.Return) or len(last.values) != 1 or not self.makes_graph(last.values[0]):
            return None
        return None if self.t.is_plain_graph(last) else last

    def _is_builder(self, function: tree.Function) -> bool:
        """Whether a function becomes a class: one that gives a graph, of methods one that does nothing else."""
        if self._graph_at_end(function) is None or self.gives_nodes(function):
            return False
        return function not in self.t.classes.owners or self._only_builds(function)

    def _is_member(self, node: Statement) -> bool:
        if self.is_control(node):
            inside = self.inside(node)
            return bool(inside) and all(self._is_member(inner) for inner in inside)
        if any(isinstance(n, tree.Function) for n in tree.walk(node)):
            return False
        return self.makes_nodes(node)

    def handles(self, node: Statement) -> bool:
        """A function that builds a graph or a part of one, or a statement of a graph among others."""
        if self.mode:
            return False
        if node in self.members:
            for inner in tree.walk(node):  # what is said inside it
                if isinstance(inner, Statement) and inner is not node:
                    for comment in (*inner.around.outside, *inner.around.inside):
                        self.t.comment(comment)
            return True
        if self.assigns_graph(node):
            assert isinstance(node, (tree.Assignment, tree.Return))
            with self._may_decline(node):
                self._among_others(node)
            return True
        definition = _definition(node)
        if definition is None:
            return False
        target, function = definition
        if self.gives_nodes(function):
            return function not in self.plain_parts  # written with the graph that it is a part of
        last = self._graph_at_end(function)
        if function not in self.builders or last is None:
            return False
        if not isinstance(target, Name):
            return False  # it is written as other functions in tables are
        with self._may_decline(last):
            self._function(self.t.names.of(target), function, last)
        return True

    @contextmanager
    def _may_decline(self, graph: Statement) -> Iterator[None]:
        """Note that a graph could not be written as a class: the page is written again without that."""
        try:
            yield
            self.made.add(graph.span.start)
        except Problem as problem:
            if problem.code != "T7-230":  # what layers write over, they do in a graph of another form, too
                problem.file = self.t.file
                self.declined[graph.span.start] = problem
            raise

    def method(self, name: str, function: tree.Function) -> bool:
        last = self._graph_at_end(function)
        if function not in self.builders or last is None:
            return False
        t = self.t
        put_back = t.checkpoint()
        try:
            with self._may_decline(last):
                self._function(name, function, last)
        except Problem:  # as any other method then, of which each statement says what is wrong with it
            put_back()
            return False
        return True

    def _only_builds(self, function: tree.Function) -> bool:
        """Whether a method only looks at fields of its object."""
        nodes = list(tree.walk(function.body))
        looked_at = {n.base for n in nodes if isinstance(n, Index) and isinstance(n.key, String)}
        stored = {base_name(x) for n in nodes if isinstance(n, tree.Assign) for x in n.targets}
        named = [n for n in nodes if isinstance(n, Name) and self.is_self(n)]
        return not any(isinstance(n, tree.Function) for n in nodes) and all(
            n in looked_at and n not in stored for n in named
        )

    def _function(self, name: str, function: tree.Function, last: tree.Return) -> None:
        """The class of a graph, and the function that makes one."""
        t = self.t
        scope = t.scopes.of_function[function]
        cls = GraphClass(t.models.written.class_name(camel(name)), scope, function.body)
        self._find_inputs(cls, last.values[0])
        parameters = self._parameters(function)
        outer = sorted((v for v in self.outer(scope) if self.is_plain(v)), key=declared)
        parameters_without_self = [text for text in parameters if text != "self"]
        everything = [*(t.names.of_variable(v) for v in outer), *parameters_without_self]
        if "self" in everything:
            raise Problem("T7-221", function.line, "a graph made of the fields of an object")
        arguments = [text.partition("=")[0] for text in everything]
        arguments += self.take_fields(cls, self.fields_in(function.body.statements))
        t.top.append(self.write(cls, [*everything, *cls.fields.values()]))
        if t.lines and t.lines[-1] and not t.lines[-1].lstrip().startswith("#"):
            t.emit("")
        t.emit(f"def {name}({', '.join(parameters)}):")
        t.emit(f"    return {cls.name}({', '.join(arguments)})")
        t.emit("")

    def _parameters(self, function: tree.Function) -> list[str]:
        if function.vararg:
            raise Problem("T7-221", function.line, "a graph of a function with any number of arguments")
        parameters = []
        for parameter in function.parameters:
            missing = self.t.training.may_be_missing(function, parameter)
            parameters.append(f"{self.t.names.of(parameter)}=None" if missing else self.t.names.of(parameter))
        return parameters

    def _find_inputs(self, cls: GraphClass, graph: Expression) -> None:
        of_name = self.t.scopes.of_name
        assert isinstance(graph, Call)
        if len(graph.arguments) != 2:
            raise Problem("T7-221", graph.line, "nn.gModule without inputs and outputs")
        inputs = graph.arguments[0]
        if isinstance(inputs, tree.Table):
            for item in inputs.fields:
                node = self.source(item.value)
                if isinstance(item.value, Name):
                    name = self.t.names.of(item.value)
                    cls.input_variables.add(of_name[item.value])
                elif node is not None:
                    name = self.t.names.fresh("x", cls.scope)
                else:
                    raise Problem("T7-221", item.line, "an input of a graph that is in no variable")
                cls.inputs.append(name)
                if node is not None:
                    if node in cls.sources:
                        raise Problem("T7-221", item.line, "a node that is two inputs of a graph")
                    cls.sources[node] = name
        elif isinstance(inputs, Name):
            cls.all_inputs = self.t.names.of(inputs)
            cls.input_variables.add(of_name[inputs])
            cls.only_input = self.has_one(of_name[inputs], inputs.line)
        else:
            raise Problem("T7-221", inputs.line, "the inputs of a graph are not plain to see")
        outputs = graph.arguments[1]
        if isinstance(outputs, Name) and self.has_one(of_name[outputs], outputs.line):
            raise Problem("T7-221", outputs.line, "a list with one output, which a graph gives by itself")

    def takes_several(self, inputs: Expression) -> bool:
        if isinstance(inputs, Name):
            return not self.has_one(self.t.scopes.of_name[inputs], inputs.line)
        return not (isinstance(inputs, tree.Table) and len(inputs.fields) == 1)

    def takes_values(self, module_type: Type) -> bool | None:
        """Whether a module is a graph that is given several values, one by one; None where it is no graph.

        A graph that has no class takes a table, too.
        """
        layers = [layer for layer in module_type.find().layers if not self.t.is_plain_graph(layer.call)]
        if not layers or any(layer.name != "nn.gModule" for layer in layers):
            return None
        several = set()
        for layer in layers:
            inputs = layer.call.arguments[0] if layer.call.arguments else None
            several.add(inputs is None or self.takes_several(inputs))
        return several.pop() if len(several) == 1 else None

    def has_one(self, variable: Variable, line: int) -> bool:
        """Whether a list has one entry: a graph is given, or gives, that by itself."""
        places = [
            call.arguments[0]
            for call in tree.every(self.t.program, Call)
            if self.t.path(call.callee) == "table.insert" and call.arguments
        ]
        places += [
            target.base
            for node in tree.every(self.t.program, tree.Assign)
            for target in node.targets
            if isinstance(target, tree.Index)
        ]
        filled = [n for n in places if isinstance(n, Name) and self.t.scopes.of_name[n] is variable]
        home, parents = self.t.surroundings.home, self.t.surroundings.parents
        begin = variable.declaration
        outside = set(parents[home[begin]]) if begin in home else set()
        around = [[s for s in parents[home[n]] if s not in outside] for n in filled]
        if any(isinstance(s, LOOPS) for ancestors in around for s in ancestors):
            return False
        values = [v for _, v in self.t.training.assigned_to(variable)]
        certain = sum(len(v.fields) for v in values if isinstance(v, tree.Table)) + around.count([])
        if certain < 2 and any(around):
            raise Problem("T7-221", line, "a list of nodes that may be one, which a graph has by itself")
        return certain == 1

    def _among_others(self, node: tree.Assignment | tree.Return) -> None:
        """A graph in the middle of a function or of the program, or at the end of a method."""
        t = self.t
        if isinstance(node, tree.Return):
            name = re.split(r"\W", self.returned[node].name or "graph")[-1]
        else:
            targets = tree_queries.targets(node)
            if len(targets) != 1:
                raise Problem("T7-221", node.line, "a graph and other values in one assignment")
            name = t.target(targets[0])
        body = [statement for statement, owner in self.members.items() if owner is node]
        block = Block((*body, tree.Return(node.span, tree.Around(), node.values)), None, ())
        class_name = t.models.written.class_name(camel(name.rpartition(".")[2]))
        local_names = self._names_bound_in(body)
        sites = [
            n for s in (*body, *node.values) for n in tree.walk(s) if isinstance(n, Call) and self.is_site(n)
        ]
        parts = {n: f for n in sites for f in t.types.function_called(n) if self.gives_nodes(f)}
        calls = [n for n in sites if n not in parts]
        modules = dict.fromkeys(t.names.of(c.callee) for c in calls if isinstance(c.callee, Name))
        named = t.models.written.names_in([c.callee for c in calls])
        if "self" in named.values():
            raise Problem("T7-221", node.line, "a graph made of the fields of an object")
        fields = self.fields_in([*body, *node.values])
        sizes = []
        for function in dict.fromkeys(parts.values()):
            object_fields = self.fields_of_object(function)
            outer = [v for v in self.outer(t.scopes.of_function[function]) if self.is_plain(v)]
            sizes += [v for v in outer if not (object_fields and v.name == "self")]
            fields += object_fields
        of_parts = map(t.names.of_variable, sorted(dict.fromkeys(sizes), key=declared))
        known = {
            *local_names,
            *modules,
            *(n for n, text in named.items() if text.startswith(("self.", "self["))),
        }
        names = [n for n in dict.fromkeys([*named, *of_parts]) if n not in known]
        arguments = [*names, *modules]
        while True:
            cls = GraphClass(class_name, t.scope, block, silent=True)
            self._find_inputs(cls, node.values[0])
            of_object = self.take_fields(cls, fields)
            lines = self.write(cls, [*arguments, *cls.fields.values()])
            more = [n for n in cls.kept if n not in arguments and n not in cls.fields.values()]
            if not more:
                break
            if "self" in more:
                raise Problem("T7-221", node.line, "a graph made of the fields of an object")
            arguments += more
        t.top.append(lines)
        construction = f"{class_name}({', '.join([*arguments, *of_object])})"
        t.emit(f"return {construction}" if isinstance(node, tree.Return) else f"{name} = {construction}")

    def _names_bound_in(self, body: list[Statement]) -> set[str]:
        """The names that the statements of a graph make themselves."""
        names: set[str] = set()
        for statement in body:
            for node in tree.walk(statement):
                if isinstance(node, tree.Local):
                    names |= {self.t.names.of(name) for name in node.names}
                elif isinstance(node, tree.NumericFor):
                    names.add(self.t.names.of(node.variable))
        return names


def _inner(statement: Statement) -> list[tree.Function | Block]:
    """The functions and blocks directly in a statement."""
    bodies: list[tree.Function | Block] = []
    stack: list[Any] = list(tree.children(statement))
    while stack:
        node = stack.pop()
        if isinstance(node, (tree.Function, Block)):
            bodies.append(node)
        else:
            stack.extend(tree.children(node))
    return bodies


def _definition(node: Statement) -> tuple[Expression, tree.Function] | None:
    """What a statement gives a function to, if that is what it does."""
    if isinstance(node, tree.LocalFunction):
        return node.name, node.function
    if isinstance(node, tree.FunctionStatement):
        return node.target, node.function
    if isinstance(node, tree.Assignment) and len(node.values) == 1:
        value = node.values[0]
        if isinstance(value, tree.Function):
            return (node.names[0] if isinstance(node, tree.Local) else node.targets[0]), value
    return None
