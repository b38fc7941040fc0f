"""A class of a graph: its constructor and its ``forward``, from the same statements."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property

from torch7py.translate import tree
from torch7py.translate.layers.in_place import KEPT_INPUT
from torch7py.translate.layers.registry import Expr, Layer, NotNative, Value
from torch7py.translate.layers.writer import Writer
from torch7py.translate.naming import TOKEN
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, add_constant, atom
from torch7py.translate.native.graphs.needs import Needs
from torch7py.translate.native.graphs.order_matters import order_matters
from torch7py.translate.native.graphs.parts import Child, GraphClass, Part, Site, camel, declared
from torch7py.translate.native.graphs.running_order import UnknownOrder, running_order
from torch7py.translate.native.graphs.sites import annotation, function_of
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.quoting import comment
from torch7py.translate.scopes import Variable
from torch7py.translate.templates import Template
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement, String

__all__ = ["Methods"]

_BINDS = {code.ADD: "+", code.MULTIPLY: "*", code.POWER: "**"}
_LEVELS = {"+": code.ADD, "-": code.ADD, "*": code.MULTIPLY, "/": code.MULTIPLY, "@": code.MULTIPLY}

_PARTS = Template("return {NODE:split(COUNT)}")


class Methods(Needs):
    mode: str  # "init" or "forward" while a class is written
    named: bool  # whether the program asks for what nodes are annotated with
    target: Variable | None  # what the node of this statement is assigned to

    @cached_property
    def order_matters(self) -> bool:
        return order_matters(self.t)

    def write(self, cls: GraphClass, parameters: list[str]) -> list[str]:
        """The lines of a class."""
        t = self.t
        saved = (self.at, self.mode, self.loops, self.chosen, t.scope, t.lines, t.depth)
        self.at, self.loops, self.chosen, t.scope = cls, [], 0, cls.scope
        try:
            self.find_sites(cls.body)
            forward = self._method("forward")
            while self.keep(cls, forward):
                forward = self._method("forward")
            if cls.body.opening is not None:
                cls.waiting.append(cls.body.opening)
            self._order_children(cls)
            lists = self._lists(cls)
            init = self._method("init")
            for comment in [*cls.waiting, *cls.body.closing] if not cls.silent else ():
                t.comment(comment)
        finally:
            self.at, self.mode, self.loops, self.chosen, t.scope, t.lines, t.depth = saved
        late = self.kept_late(cls)
        arguments = f"*{cls.all_inputs}" if cls.all_inputs else ", ".join(cls.inputs)
        if cls.only_input:
            arguments = t.names.fresh("x", cls.scope)
            forward = [re.sub(rf"\b{re.escape(cls.all_inputs)}\[0\]", arguments, line) for line in forward]
            if any(re.search(rf"\b{re.escape(cls.all_inputs)}\b", line) for line in forward):
                raise Problem(
                    "T7-221",
                    cls.body.statements[-1].line,
                    "a list with one input, which a graph is given by itself",
                )
        return [
            f"class {cls.name}(nn.Module):",
            f"    def __init__({', '.join(['self', *parameters])}):",
            "        super().__init__()",
            *(f"        self.{name} = {name}" for name in cls.kept if name not in late),
            *lists,
            *init,
            *(f"        self.{name} = {name}" for name in cls.kept if name in late),
            "",
            f"    def forward(self, {arguments}):",
            *(f"        {iterator} = iter(self.{name})" for name, iterator in cls.iterators.items()),
            *(_with_kept(line, list(cls.kept)) for line in forward),
        ]

    def _method(self, mode: str) -> list[str]:
        self.mode = mode
        self.t.lines, self.t.depth = [], 2
        self.t.statements(self.at.body.statements)
        lines = self.t.lines
        while lines and not lines[-1].strip():
            lines.pop()
        return lines

    def _order_children(self, cls: GraphClass) -> None:
        """Have a class's attributes in the order of the graph, where the program asks for it."""
        natural = [c for c in cls.children if c.many] + [c for c in cls.children if not c.many]
        order = cls.attributes = natural
        if not self.order_matters:
            return
        last = cls.body.statements[-1]
        is_part = not (isinstance(last, tree.Return) and any(map(self.makes_graph, last.values)))
        try:
            order = running_order(self, cls)
            if order != natural and any(child.chosen for child in order):
                raise UnknownOrder
        except UnknownOrder:
            if not is_part:  # which counts in the graph that it is a part of
                raise Problem(
                    "T7-221", last.line, "a graph whose layers the program asks for by their order"
                ) from None
        if order != natural:
            cls.attributes, cls.order = order, [*order]

    def _lists(self, cls: GraphClass) -> list[str]:
        """What makes the empty lists of layers."""
        self.t.lines, self.t.depth = [], 2
        for child in cls.children:
            if child.many:
                self.t.emit(f"{self._in_init(child)} = nn.ModuleList()")
                self._place(child)
        return self.t.lines

    def _in_init(self, child: Child) -> str:
        """What the constructor calls a layer, which is a variable until the attributes before it are there."""
        waits = child in self.at.order[1:]
        return child.name if waits else f"self.{child.name}"

    def _place(self, child: Child) -> None:
        """Note that a layer is made: it becomes an attribute with those that waited for it, if it need not wait."""
        order = self.at.order
        self.at.made.add(child)
        while order and order[0] in self.at.made:
            first = order.pop(0)
            if first is not child:
                self.t.emit(f"self.{first.name} = {first.name}  # where the graph runs it")

    def part(self, function: tree.Function, line: int) -> Part:
        """The class of a function that makes nodes of nodes."""
        cached = self.parts.get(function)
        if cached is not None:
            return cached
        t = self.t
        scope = t.scopes.of_function[function]
        if function.vararg:
            raise Problem("T7-221", line, "a function of any number of arguments that makes nodes")
        last = function.body.statements[-1]
        if not isinstance(last, tree.Return) or not last.values:
            raise Problem("T7-221", line, "a function that gives nodes not at its end")
        if len(last.values) > 1 and not all(self.is_node(value) for value in last.values):
            raise Problem("T7-221", line, "a function that gives nodes and something else")
        of_parameters = [t.scopes.of_name[p] for p in function.parameters]
        nodes = [v for v in of_parameters if self.is_value(v)]
        sizes = [v for v in of_parameters if v not in nodes]
        outer = sorted(self.outer(scope), key=declared)
        node_upvalues = [v for v in outer if self.is_value(v)]
        fields = self.fields_of_object(function)
        size_upvalues = [v for v in outer if self.is_plain(v) and not (fields and v.name == "self")]
        name = t.models.written.class_name(camel(function.name or "part"))
        gives = len(last.values)
        cls = GraphClass(name, scope, function.body)
        part = self.parts[function] = Part(cls, sizes, nodes, size_upvalues, node_upvalues, gives)
        cls.given = [*nodes, *node_upvalues]
        cls.inputs = [t.names.of_variable(v) for v in cls.given]
        self.take_fields(cls, fields)
        first: dict[str, Index] = {}  # of each field one place
        for node in fields:
            assert isinstance(node.key, String)
            first.setdefault(cls.fields[node.key.value], node)
        part.fields = [*first.values()]
        parameters = [t.names.of_variable(v) for v in [*sizes, *size_upvalues]]
        t.top.append(self.write(cls, [*parameters, *first]))
        return part

    # Statements while a class is written

    def statement(self, node: Statement) -> None:
        t = self.t
        forward = self.mode == "forward"
        if not (self.in_forward(node) if forward else self.in_init(node)):
            if not forward and not self.in_forward(node):
                self._collect(node)
            return
        if not forward and t.depth == 2:
            for comment in self.at.waiting:
                t.comment(comment)
            self.at.waiting.clear()
        show = not self.at.silent and forward == (self.makes_nodes(node) or self._is_shared(node))
        for comment in node.around.before if show else ():
            t.comment(comment)
        before = len(t.lines)
        if self.makes_nodes(node):
            (self._forward if forward else self._init)(node)
        elif isinstance(node, (tree.NumericFor, tree.GenericFor)):
            self.loops.append(node)
            if (
                isinstance(node, tree.NumericFor)
                and forward
                and any(c.loops == (node,) for c in self.at.children)
            ):
                t.counting.add(t.scopes.of_name[node.variable])  # which layer it is
            t.write(node)
            t.counting.clear()
            self.loops.pop()
        else:
            t.write(node)
        if show and node.around.trailing is not None and len(t.lines) > before:
            t.trail(before, node.around.trailing)

    def _is_shared(self, node: Statement) -> bool:
        """Whether both methods have a loop or a condition."""
        return self.is_control(node) and self.in_forward(node)

    def _collect(self, node: Statement) -> None:
        """Keep the comments of a statement that is written nowhere."""
        if self.at.silent:
            return
        around = node.around
        comments = [*around.before, *around.inside, *([around.trailing] if around.trailing else [])]
        self.at.waiting += comments
        for block in tree.blocks(node) if self.is_control(node) else ():
            self.at.waiting += [block.opening] if block.opening else []
            for inner in block.statements:
                self._collect(inner)
            self.at.waiting += block.closing

    # The constructor

    def _init(self, node: Statement) -> None:
        t = self.t
        for call in self.ordered_nodes(node):
            site = self.at.sites.get(call) if isinstance(call, Call) else None
            if site is None or not isinstance(call, Call) or not site.children:
                continue
            if site.function is not None:
                self._write_construction(
                    site.children[0], self._part_construction(call, self.parts[site.function]), ()
                )
            elif site.layer is not None:
                writer = Writer()
                writer.apply(t.models.constructions.layer(call.callee), self.stand_in(call))
                for child, module in zip(site.children, writer.children, strict=True):
                    t.models.plain_modules.append((module.layer, module.make))
                    self._write_construction(child, module.make, module.native.setup)
            else:
                self._write_construction(site.children[0], t.value(call.callee).text, ())
            self._annotate(node, call, site)

    def _annotate(self, node: Statement, call: Call, site: Site) -> None:
        """Give a layer the name of its node, where the program asks for such names."""
        for expression in self.ordered_nodes(node) if self.named else ():
            if (
                isinstance(expression, Invoke)
                and expression.method == "annotate"
                and expression.receiver is call
            ):
                name = annotation(expression)
                if name is not None and len(site.children) == 1:
                    child = site.children[0]
                    last = "[-1]" if child.many else ""
                    self.t.emit(f"{self._in_init(child)}{last}.name = {self.t.value(name)}")

    def _write_construction(self, child: Child, make: str, setup: tuple[str, ...]) -> None:
        t = self.t
        me = self._in_init(child)
        if make != me:  # a layer that the program has in a variable
            t.emit(f"{me}.append({make})" if child.many else f"{me} = {make}")
        for line in setup:
            t.emit(line.replace("{self}", f"{me}[-1]" if child.many else me))
        if not child.many:
            self._place(child)

    def _part_construction(self, call: Call, part: Part) -> str:
        texts = []
        of_parameters = self._parameters_of(call, part)
        for variable in part.sizes:
            at = of_parameters.index(variable)
            texts.append(self.t.value(call.arguments[at]).text if at < len(call.arguments) else "None")
        texts += [self.t.names.of_variable(v) for v in part.size_upvalues]
        texts += [self.t.value(node).text for node in part.fields]
        return f"{part.name}({', '.join(texts)})"

    def _parameters_of(self, call: Call, part: Part) -> list[Variable]:
        (function,) = [f for f in self.t.types.function_called(call) if self.parts.get(f) is part]
        return [self.t.scopes.of_name[p] for p in function.parameters]

    # Forward

    def _forward(self, node: Statement) -> None:
        t = self.t
        if isinstance(node, tree.Return):
            self._return(node)
            return
        self.target = None
        if isinstance(node, tree.Assignment):
            beside = self.beside_inputs(node)
            if beside and len(beside) < len(node.targets):
                others, values = zip(*beside, strict=True)
                t.assignments.write(node, others, values, isinstance(node, tree.Local))
                return
            if len(node.targets) == 1 and isinstance(node.targets[0], Name):
                self.target = t.scopes.of_name[node.targets[0]]
            if len(node.values) == 1 and len(node.targets) > 1:
                names = ", ".join(t.target(target) for target in node.targets)
                t.emit(f"{names} = {self._split(node.values[0], len(node.targets))}")
                return
            if len(node.targets) != len(node.values):
                raise Problem("T7-221", node.line, "nodes and other values in one assignment")
            if len(node.targets) == 1 and (parts := self._all_parts(node.values[0])) is not None:
                t.emit(f"{t.target(node.targets[0])} = list({t.value(parts)})")
                return
        if isinstance(node, tree.Run) and isinstance(node.call, Invoke) and node.call.method == "annotate":
            return
        t.write(node)

    def _all_parts(self, value: Expression) -> Expression | None:
        """The node of ``{x:split(2)}``"""
        found = _PARTS.match(value)
        return found["NODE"] if found is not None and self.is_node(found["NODE"]) else None

    def _split(self, value: Expression, count: int) -> Py:
        site = self.at.sites.get(value) if isinstance(value, Call) else None
        if isinstance(value, Call) and site is not None and site.function is not None:
            part = self.parts[site.function]
            if part.gives != count:
                raise Problem("T7-221", value.line, "another number of nodes than a function gives")
            return self._part_called(value, site, part, whole=True)
        if not (isinstance(value, Invoke) and value.method == "split"):
            raise Problem("T7-221", value.line, "several nodes from one call")
        number = value.arguments[0] if value.arguments else None
        if not (isinstance(number, tree.Number) and number.value == count):
            raise Problem("T7-221", value.line, "a node split into another number than there are names")
        return self.t.value(value.receiver)

    def _return(self, node: tree.Return) -> None:
        if len(node.values) > 1:
            self.t.emit(f"return {', '.join(self.t.value(value).text for value in node.values)}")
            return
        (value,) = node.values
        if self.makes_graph(value):
            assert isinstance(value, Call)
            value = value.arguments[1]
            if isinstance(value, tree.Table):
                texts = [self.t.value(item.value).text for item in value.fields]
                self.t.emit(f"return {', '.join(texts)}")
                return
        self.t.emit(f"return {self.t.value(value)}")

    def call(self, node: Call | Invoke) -> Py | None:
        if not self.mode and isinstance(node, Invoke) and self.is_node(node.receiver):
            raise Undecided("T7-221", node.line, "a node of a graph that has no class")
        if self.mode != "forward":
            return None
        if isinstance(node, Invoke):
            if not self.is_node(node.receiver):
                return None
            if node.method == "split":
                raise Problem("T7-221", node.line, "several nodes from one call")
            return self.t.value(node.receiver) if node.method == "annotate" else None
        site = self.at.sites.get(node)
        if site is None:
            return None
        if site.function is not None:
            return self._part_called(node, site, self.parts[site.function])
        if self.t.kind(node.callee) == "criterion":
            return self._loss(node, site)
        value = self._source_value(node)
        if site.layer is None:
            values = [_text(v) for v in (value if isinstance(value, tuple) else (value,))]
            return atom(
                f"{self._child_text(site.children[0])}({self.t.models.inputs.spread(node.callee, values)})"
            )
        return self._applied(node, site, value)

    def _loss(self, node: Call, site: Site) -> Py:
        """A criterion of two nodes, which gives a tensor of one element."""
        argument = node.arguments[0] if len(node.arguments) == 1 else None
        if not isinstance(argument, tree.Table) or len(argument.fields) != 2:
            raise Problem("T7-221", node.line, "a criterion of something else than two nodes")
        base = self._child_text(site.children[0])
        prediction, target = (item.value for item in argument.fields)
        loss = self.t.models.inputs.loss(base, self.t.type(node.callee), prediction, target, node.line)
        return atom(f"{loss}.reshape(1)")

    def _applied(self, node: Call, site: Site, value: Value) -> Py:
        layer = self.t.models.constructions.layer(node.callee)  # its sizes as they are called here
        function = function_of(layer)
        if function:
            return atom(function.format(x=_text(value), p=layer.args.get("p", "0.5")))
        written_over = self.overwrites(node, layer)
        try:
            expression = self._of_layer_alone(node, layer, value)
        except Problem:
            if not isinstance(value, Expr) or value.text.isidentifier():
                raise
            name = self.t.names.fresh("x", self.at.scope)  # it is used twice
            self.t.emit(f"{name} = {value.text}")
            named = replace(value, text=name, heavy=False, binds="", parts="", rows="")
            expression = self._of_layer_alone(node, layer, named)
        text = expression.parts or expression.text
        text = re.sub("self\\.\x04(\\d+)\x05", lambda m: self._child_text(site.children[int(m[1])]), text)
        if TOKEN.search(text):
            raise Problem("T7-223", node.line, f"{layer.name} needs statements")
        if written_over:
            name = self.t.names.fresh(text.partition("(")[0].rpartition(".")[2], self.at.scope)
            self.t.emit(f"{name} = {text}")
            self.t.emit(comment(KEPT_INPUT))
            self.t.emit(f"{_text(value)}.data.copy_({name}.data)")
            return atom(name)
        return Py(text, _LEVELS.get(expression.binds, code.POWER if expression.binds else code.ATOM))

    @staticmethod
    def _of_layer_alone(node: Call, layer: Layer, value: Value) -> Expr:
        """What a layer gives of a value, as a single expression."""
        writer = Writer()
        try:
            return writer.as_expr(writer.alone(lambda: writer.apply(layer, value)))
        except NotNative as problem:
            raise Problem(problem.code, node.line, str(problem)) from problem

    def _source_value(self, node: Call) -> Value:
        if node in self.at.sources:
            return Expr(self.at.sources[node])
        if not node.arguments:
            if self.target is None or self.target not in self.at.input_variables:
                raise Problem("T7-221", node.line, "a node without a source that is no input")
            return Expr(self.t.names.of_variable(self.target))
        argument = node.arguments[0]
        if isinstance(argument, tree.Table) and len(argument.fields) == 1:
            argument = argument.fields[0].value  # a node of one source is given it by itself
        return self._value(argument)

    def _value(self, node: Expression) -> Value:
        if isinstance(node, tree.Paren):
            return self._value(node.inner)
        if isinstance(node, tree.Table):
            return tuple(self._value(item.value) for item in node.fields)
        written = self.t.value(node)
        binds = _BINDS.get(written.level, "")
        return Expr(written.text if binds else written.at(code.ATOM), binds=binds)

    def _part_called(self, node: Call, site: Site, part: Part, whole: bool = False) -> Py:
        of_parameters = self._parameters_of(node, part)
        texts = []
        for variable in part.nodes:
            at = of_parameters.index(variable)
            if at >= len(node.arguments):
                raise Problem("T7-221", node.line, "a node that is not given")
            texts.append(self.t.value(node.arguments[at]).text)
        texts += [self.t.names.of_variable(v) for v in part.node_upvalues]
        first = "" if whole or part.gives == 1 else "[0]"
        return atom(f"{self._child_text(site.children[0])}({', '.join(texts)}){first}")

    def _child_text(self, child: Child) -> str:
        if not child.many:
            return f"self.{child.name}"
        loop = child.loops[0]
        if child.indexed and isinstance(loop, tree.NumericFor) and loop.step is None:
            term, first = self.t.expressions.linear(loop.start)
            if term is None:
                shift = self.t.shifts.get(self.t.scopes.of_name[loop.variable], 0)
                index = add_constant(Py(self.t.names.of(loop.variable)), shift - first)
                return f"self.{child.name}[{index}]"
        iterators = self.at.iterators
        if child.name not in iterators:
            iterators[child.name] = self.t.names.fresh(f"{child.name}s", self.at.scope)
        return f"next({iterators[child.name]})"


def _text(value: Value) -> str:
    return Writer().as_expr(value).text


def _with_kept(line: str, names: list[str]) -> str:
    for name in names:
        line = re.sub(rf"(?<![\w.]){re.escape(name)}\b(?!=)", f"self.{name}", line)
    return line
