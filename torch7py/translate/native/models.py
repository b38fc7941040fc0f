"""Modules and criterions: how a program makes them, and what it calls on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torch7py.nn import all as nn_classes  # noqa: F401  (registers the classes)
from torch7py.rnn import all as rnn_classes  # noqa: F401
from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.layers import Args, Layer, NotNative, bind, natives
from torch7py.translate.library import is_criterion
from torch7py.translate.model import ClassSource, write_model
from torch7py.translate.native import code, devices
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.graphs import graph_inputs
from torch7py.translate.native.losses import LABELS, loss_function, loss_module
from torch7py.translate.native.problem import Problem
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Block, Call, Expression, Index, Invoke, Name, Statement

if TYPE_CHECKING:
    from torch7py.translate.native.translator import Translator

__all__ = ["Models"]

# Layers that PyTorch has as modules of the same meaning, beside those of the table that are children themselves.
_AS_MODULES = {
    "nn.Tanh": "nn.Tanh()",
    "nn.Sigmoid": "nn.Sigmoid()",
    "nn.ReLU": "nn.ReLU()",
    "nn.LogSoftMax": "nn.LogSoftmax(dim=-1)",
    "nn.SoftMax": "nn.Softmax(dim=-1)",
    "nn.LogSigmoid": "nn.LogSigmoid()",
    "nn.Identity": "nn.Identity()",
    "nn.SoftSign": "nn.Softsign()",
}


@dataclass(eq=False)
class Builder:
    """A variable that is given a new module, and the statements of the same block that add to it."""

    variable: Variable
    statement: Statement
    value: Expression
    adds: list[tree.Run] = field(default_factory=list)
    dynamic: bool = False
    inlined: bool = False
    comments: list[tree.Comment] = field(default_factory=list)  # on the lines of its statements

    @property
    def last(self) -> Statement:
        return self.adds[-1] if self.adds else self.statement


class Models:
    def __init__(self, translator: Translator) -> None:
        self.t = translator
        self._block_of: dict[Statement, int] = {}
        self.builders: list[Builder] = []
        self._of_variable: dict[Variable, list[Builder]] = {}
        self.by_statement: dict[Statement, Builder] = {}
        self.by_add: dict[Statement, Builder] = {}
        self.classes: list[ClassSource] = []
        self.made: list[tuple[Layer, str]] = []  # every leaf made as a plain module
        self.class_names: set[str] = set()
        self.comment_on: dict[int, tree.Comment] = {}
        self.used_comments: set[tree.Comment] = set()
        self.owners: dict[Builder, Builder] = {}  # of those that are parts
        self.layers: list[Layer] = []
        self.places: dict[int, int] = {}  # id of a layer -> where the program makes it
        self.helpers: dict[str, None] = {}
        self.assigned_data = False
        self.forgets = any(
            isinstance(node, Invoke) and node.method == "forget" for node in tree.walk(translator.program)
        )
        self._find(translator.program)
        self._judge()
        for statement in [*self.by_statement, *self.by_add]:
            around = statement.around
            for comment in [*around.inside, *([around.trailing] if around.trailing else [])]:
                self.comment_on[comment.line] = comment

    # Builders

    def _find(self, block: Block) -> None:
        t = self.t
        for statement in block.statements:
            self._block_of[statement] = id(block)
            if isinstance(statement, (tree.Local, tree.Assign)) and len(statement.values) == 1:
                targets = statement.names if isinstance(statement, tree.Local) else statement.targets
                value, target = statement.values[0], targets[0]
                if len(targets) == 1 and isinstance(target, Name) and self.is_construction(value):
                    builder = Builder(t.scopes.of_name[target], statement, value)
                    self.builders.append(builder)
                    self._of_variable.setdefault(builder.variable, []).append(builder)
                    self.by_statement[statement] = builder
            elif isinstance(statement, tree.Run):
                root = _root(statement.call)
                if isinstance(root, Name) and _only_adds(statement.call):
                    found = self.builder_at(root)
                    if found is not None:
                        if any(s is found.statement for s in block.statements):
                            found.adds.append(statement)
                            self.by_add[statement] = found
                        else:
                            found.dynamic = True
            for child in tree.blocks(statement):
                self._find(child)

    def _judge(self) -> None:
        """Which builders are only parts of another one."""
        for builder in self.builders:
            variable = builder.variable
            inside = {n for add in builder.adds if isinstance(n := _root(add.call), Name)}
            own = [name for name in variable.reads if self.builder_at(name) is builder]
            others = [name for name in own if name not in inside]
            if builder.dynamic or variable.captured or len(others) != 1 or not self._is_straight(variable):
                continue
            for owner in self.builders:
                if owner is builder or owner.dynamic:
                    continue
                expressions = [owner.value, *(add.call for add in owner.adds)]
                if any(n is others[0] for e in expressions for n in tree.walk(e)) and self._as_part(
                    owner, others[0]
                ):
                    builder.inlined = True
                    self.owners[builder] = owner

    def builder_at(self, name: Name) -> Builder | None:
        """What a variable holds where it is read: the last that was built before."""
        found = self._of_variable.get(self.t.scopes.of_name[name], [])
        before = [builder for builder in found if builder.statement.place.end <= name.place.start]
        return before[-1] if before else None

    def _is_straight(self, variable: Variable) -> bool:
        """Whether a variable is given what it holds in one block, one after the other."""
        if len(variable.writes) <= 1:
            return True
        statements = [builder.statement for builder in self._of_variable[variable]]
        blocks = {self._block_of[statement] for statement in statements}
        made = len(statements) - (0 if variable.is_global else 1)
        return len(blocks) == 1 and len(variable.writes) == made

    def _as_part(self, owner: Builder, name: Name) -> bool:
        """Whether a name stands for a module in a construction (and is not the receiver of a method)."""
        for expression in [owner.value, *(add.call for add in owner.adds)]:
            for node in tree.walk(expression):
                if isinstance(node, (Call, Invoke)) and any(a is name for a in node.arguments):
                    return isinstance(node, Invoke) or self.is_construction(node)
        return False

    def is_construction(self, node: Expression) -> bool:
        while isinstance(node, Invoke) and node.method == "add":
            node = node.receiver
        if not isinstance(node, Call):
            return False
        path = self.t.path(node.callee) or ""
        return path.startswith(("nn.", "cudnn.", "rnn.")) and path not in self.t.types.classes

    def layer(self, node: Expression) -> Layer:
        """A construction as a tree of layers."""
        t = self.t
        if isinstance(node, tree.Paren):
            return self.layer(node.inner)
        if isinstance(node, Invoke) and node.method == "add":
            if not node.arguments:
                raise Problem("T7-222", node.line, "add without a module")
            layer = self.layer(node.receiver)
            layer.children.append(self.layer(node.arguments[0]))
            return layer
        if isinstance(node, Name):
            builder = self.builder_at(node)
            if builder is not None and builder.inlined:
                return self.whole(builder)
            raise Problem(
                "T7-222", node.line, f"{node.name}, a module from elsewhere, as a part of another one"
            )
        if isinstance(node, Call) and self.is_construction(node):
            path = "nn." + (t.path(node.callee) or "").split(".", 1)[1]
            return self._construct(path, node)
        raise Problem("T7-222", node.line, "a part of a module that is not made in place")

    def _construct(self, path: str, node: Call) -> Layer:
        t = self.t
        modules: dict[int, Layer] = {}
        texts = []
        for index, argument in enumerate(node.arguments):
            if t.kind(argument) in ("module", "criterion"):
                modules[index] = self.layer(argument)
                texts.append(f"\0{index}")
            else:
                texts.append(self._argument(argument))
        try:
            args = bind(path, texts)
        except NotNative as problem:
            raise Problem(problem.code, node.line, str(problem)) from problem
        slots = {name: modules[int(text[1:])] for name, text in args.texts.items() if text.startswith("\0")}
        rest = {name: text for name, text in args.texts.items() if "\0" not in text}
        source = self.source(node.line)
        if path == "nn.Recurrence" and "recurrentModule" in slots:
            slots = {"module": slots["recurrentModule"]}
        if path == "nn.Recurrent":
            slots = self._recurrent_parts(node, rest, slots)
        elif path in ("nn.BiSequencer", "nn.BiSequencerLM") and "forward" in slots:
            first = slots["forward"]
            slots.setdefault("backward", Layer(first.name, first.args, source=first.source))
            slots.setdefault("merge", Layer("nn.JoinTable", bind("nn.JoinTable", ["1", "1"])))
        layer = Layer(path, Args(rest), slots=slots, source=source)
        self.places[id(layer)] = node.place.start
        self.layers.append(layer)  # keeps its id its own
        return layer

    def _recurrent_parts(
        self, node: Call, given: dict[str, str], slots: dict[str, Layer]
    ) -> dict[str, Layer]:
        """The modules of a Recurrent: a size as its start is an nn.Add, and two have defaults."""
        parts = dict(slots)
        if "start" not in parts:
            line = node.arguments[0].line
            source = self.source(line) if line != node.line else ""
            parts["start"] = Layer("nn.Add", bind("nn.Add", [given.get("start", "None")]), source=source)
        parts.setdefault("transfer", Layer("nn.Sigmoid"))
        parts.setdefault("merge", Layer("nn.CAddTable"))
        return parts

    # Comments

    def source(self, line: int) -> str:
        """What is said at a layer: the program's own comment on the line that makes it, else where that is."""
        comment = self.comment_on.get(line)
        if comment is not None and not comment.long:
            self.used_comments.add(comment)
            return comment.text.strip()
        return f"{self.t.file}:{line}"

    def keeps_comments(self, node: Statement) -> bool:
        """Whether the comments on a statement's lines go with the layers that it makes."""
        builder = self.by_statement.get(node) or self.by_add.get(node)
        return builder is not None and not builder.dynamic

    def unused_comments(self, node: Statement, around: tree.Around) -> list[tree.Comment]:
        """The comments in a statement that are to be written before it."""
        builder = self.by_statement.get(node) or self.by_add.get(node)
        if builder is None or builder.dynamic:
            return list(around.inside)
        found = [*around.inside, *([around.trailing] if around.trailing else [])]
        owner = self.owners.get(builder, builder)
        owner.comments += found
        if builder.inlined or node is not builder.last:
            return []
        return [comment for comment in owner.comments if comment not in self.used_comments]

    def _argument(self, node: Expression) -> str:
        if self.t.kind(node) == "number" and self.t.whole(node):
            return str(self.t.expressions.whole_number(node))
        return self.t.value(node).text

    def whole(self, builder: Builder) -> Layer:
        layer = self.layer(builder.value)
        for add in builder.adds:
            self._add_all(layer, add.call)
        return layer

    def _add_all(self, layer: Layer, call: Expression) -> None:
        if isinstance(call, Invoke):
            self._add_all(layer, call.receiver)
            if not call.arguments:
                raise Problem("T7-222", call.line, "add without a module")
            layer.children.append(self.layer(call.arguments[0]))

    # Statements

    def handles(self, node: Statement) -> bool:
        builder = self.by_statement.get(node) or self.by_add.get(node)
        if builder is None or builder.dynamic:
            return False
        if builder.inlined or node is not builder.last:
            return True
        t = self.t
        name = t.names.of_variable(builder.variable)
        if isinstance(builder.value, Call) and t.kind(builder.value) == "criterion":
            self._criterion(builder.variable, name, builder.value)
            return True
        names = self._free_names(builder)
        try:
            layer = self.whole(builder)
        except Problem:
            try:
                t.emit(f"{name} = {self._from_parts(builder)}")
            except Problem:
                t.failed += self._written_with(builder, node)
                raise
            return True
        t.emit(f"{name} = {self.make(layer, name, names, node.line)}")
        return True

    def _written_with(self, builder: Builder, node: Statement) -> list[Statement]:
        """The statements, beside the one that is written, that are written with it: they are lost with it too."""
        found: list[Statement] = []
        for other in self.builders:
            owner, steps = other, 0
            while owner is not builder and owner in self.owners and steps < len(self.builders):
                owner, steps = self.owners[owner], steps + 1
            if owner is builder:
                found += [s for s in (other.statement, *other.adds) if s is not node]
        return found

    def _from_parts(self, builder: Builder) -> str:
        """A container of modules that have their own names: ``nn.Sequential(encoder, decoder)``."""
        parts: list[Expression] = []

        def collect(node: Expression) -> Expression:
            while isinstance(node, Invoke) and node.method == "add":
                parts.insert(0, node.arguments[0])
                node = node.receiver
            return node

        found: list[Expression] = []
        for add in builder.adds:
            parts.clear()
            collect(add.call)
            found += parts
        parts.clear()
        root = collect(builder.value)
        found = [*parts, *found]
        return self._sequence(root, found).text

    def _sequence(self, root: Expression, parts: list[Expression]) -> Py:
        path = self.t.path(root.callee) if isinstance(root, Call) else None
        if path != "nn.Sequential":
            raise Problem("T7-222", root.line, f"{path} of modules from elsewhere")
        return atom(f"nn.Sequential({', '.join(self._part(part) for part in parts)})")

    def _part(self, node: Expression) -> str:
        """A part that has a name of its own, or one that is made here, as nothing else names it."""
        builder = self.builder_at(node) if isinstance(node, Name) else None
        if builder is None or not builder.inlined:
            return self.t.value(node).text
        name = self.t.names.of_variable(builder.variable)
        return self.make(self.whole(builder), name, self._free_names(builder), node.line)

    def make(self, layer: Layer, name: str, names: list[str], line: int) -> str:
        """The expression that makes a module."""
        plain = self.plain(layer)
        if plain is not None:
            return plain
        return self.of_class(layer, name, names, line)

    def plain(self, layer: Layer) -> str | None:
        """A layer, or a Sequential of them, as PyTorch's own modules."""
        if layer.name == "nn.Sequential":
            parts = [self.plain(child) for child in layer.children]
            if None in parts or not parts:
                return None
            return f"nn.Sequential({', '.join(str(part) for part in parts)})"
        if layer.name == "nn.Sequencer":
            inner = layer.slots.get("module")
            return self.plain(inner) if inner is not None and self._pointwise(inner) else None
        text = _AS_MODULES.get(layer.name)
        if text is None:
            rule = natives.get(layer.name)
            if rule is None or layer.slots:
                return None
            try:
                native = rule(layer.args)
            except NotNative:
                return None
            if (
                not native.make
                or native.call != "{self}({x})"
                or native.setup
                or native.unpack
                or native.helpers
            ):
                return None
            text = native.make
        self.made.append((layer, text))
        return text

    def _pointwise(self, layer: Layer) -> bool:
        """Whether a layer does the same with a time axis in front."""
        rule = natives.get(layer.name)
        if rule is None:
            return False
        try:
            return rule(layer.args).over_time
        except NotNative:
            return False

    def of_class(self, layer: Layer, name: str, names: list[str], line: int) -> str:
        """A class for the layer, at the module's level, and the expression that makes one."""
        cls_name = self.class_name(name)
        try:
            cls = write_model(layer, cls_name)
        except NotNative as problem:
            raise Problem(problem.code, line, str(problem)) from problem
        if cls.lines[1].strip() == '"""Translated from Torch7."""':
            del cls.lines[1:3]
        if not self.forgets:
            cls.lines[:] = _without_method(cls.lines, "forget")
        parameters = [n for n in names if any(re.search(rf"\b{n}\b", text) for text in cls.lines)]
        cls.lines[:] = _with_parameters(cls.lines, parameters)
        for helper in cls.helpers:
            self.helpers[helper] = None
        if self.t.training.steps_by_hand and cls.writer.attributes:
            cls.lines += [
                "",
                "    def detach(self):",
                '        """Cut what was kept of the last step off from its graph."""',
            ]
            cls.lines += [f"        self.{name} = self.{name}.detach()" for name in cls.writer.attributes]
        self.classes.append(cls)
        self.t.top.append(cls.lines)
        return f"{cls_name}({', '.join(parameters)})"

    def class_name(self, name: str) -> str:
        base = name[:1].upper() + name[1:]
        found, number = base, 1
        while found in self.class_names:
            number += 1
            found = f"{base}{number}"
        self.class_names.add(found)
        return found

    def _free_names(self, builder: Builder) -> list[str]:
        expressions = [builder.value, *(add.call for add in builder.adds)]
        for inner in self.builders:
            if inner.inlined:
                expressions += [inner.value, *(add.call for add in inner.adds)]
        return self.names_in(expressions)

    def names_in(self, expressions: list[Expression]) -> list[str]:
        """The variables in constructor arguments that a class of the module's level does not see."""
        t = self.t
        found: dict[str, None] = {}
        for expression in expressions:
            for node in tree.walk(expression):
                if isinstance(node, Name) and t.kind(node) not in ("module", "criterion"):
                    variable = t.scopes.of_name[node]
                    if variable in t.module_level or (variable.is_global and not variable.writes):
                        continue
                    found[t.names.of(node)] = None
        return list(found)

    def _criterion(self, variable: Variable, name: str, value: Call) -> None:
        t = self.t
        layer = self.layer(value)
        module = loss_module(layer)
        if module is not None:
            t.emit(f"{name} = {module}")
            return
        comment = self.comment_on.get(value.line)
        lines = loss_function(layer, name, value.line)
        if comment is not None and not comment.long:
            self.used_comments.add(comment)
            lines[0] = f"{lines[0].partition('  #')[0]}  # {comment.text.strip()}"
        if self.names_in([value]):
            for line in lines:
                t.emit(line)
            return
        t.top.append(lines)
        t.module_level.add(variable)

    # Calls

    def call(self, node: Call | Invoke) -> Py | None:
        t = self.t
        if isinstance(node, Call):
            if self.is_construction(node):
                return self._constructed(node)
            if t.kind(node.callee) in ("module", "criterion") and t.path(node.callee) is None:
                return self.forward(node.callee, node.arguments, node.line)
            return None
        if node.method == "add" and self.is_construction(node):
            return self._constructed(node)
        kind = t.kind(node.receiver)
        if kind not in ("module", "criterion") or t.types.function_called(node):
            return None
        method, receiver = node.method, node.receiver
        if method in ("forward", "updateOutput"):
            return self.forward(receiver, node.arguments, node.line)
        base = t.value(receiver).at(code.ATOM)
        if method in ("training", "evaluate"):
            return atom(f"{base}.{'train' if method == 'training' else 'eval'}()")
        if method == "clone":
            if node.arguments:
                return atom(base)  # shares its weights
            t.imports.add("copy")
            return atom(f"copy.deepcopy({base})")
        if method in ("cuda", "cl"):
            return devices.moved(t, receiver, method)
        if method in ("float", "double"):
            return atom(f"{base}.{method}()")
        if method == "get":
            return atom(f"{base}[{t.expressions.position(node.arguments[0])}]")
        if method == "zeroGradParameters":
            return atom(f"{base}.zero_grad({'set_to_none=False' if t.training.flat else ''})")
        if method == "updateParameters":
            return atom(f"torch.optim.SGD({base}.parameters(), lr={t.value(node.arguments[0])}).step()")
        if method in ("forget", "remember", "clearState") and method == "forget":
            return atom(f"{base}.forget()")
        raise Problem("T7-202", node.line, f"the method {method} of a {kind}")

    def _constructed(self, node: Expression) -> Py:
        """A construction in the middle of an expression."""
        root = node
        while isinstance(root, Invoke):
            root = root.receiver
        try:
            layer = self.layer(node)
        except Problem:
            parts: list[Expression] = []
            while isinstance(node, Invoke):
                parts.insert(0, node.arguments[0])
                node = node.receiver
            if not parts:
                raise
            return self._sequence(node, parts)
        if is_criterion(layer.name):
            module = loss_module(layer)
            if module is None:
                raise Problem("T7-224", node.line, f"{layer.name} in the middle of an expression")
            return atom(module)
        inner = layer
        while inner.slots.get("module") is not None:
            inner = inner.slot("module")
        hint = inner.name.split(".")[1]
        return atom(self.make(layer, hint, self.names_in([node]), node.line))

    def forward(self, receiver: Expression, arguments: tuple[Expression, ...], line: int) -> Py:
        t = self.t
        base = t.value(receiver).at(code.ATOM)
        found = t.type(receiver)
        if len(arguments) < (2 if found.kind == "criterion" else 1):
            raise Problem("T7-221", line, "a module called without an input, as for a graph")
        if found.kind == "criterion":
            prediction, target = arguments[0], arguments[1]
            return atom(f"{base}({self.given(prediction)}, {self.target(found, target, line)})")
        several = graph_inputs(found)
        if several is not None:
            return atom(f"{base}({self.spread(receiver, self._graph_arguments(arguments[0], several))})")
        return atom(f"{base}({self.input(found, arguments[0])})")

    def _graph_arguments(self, given: Expression, several: bool) -> list[str]:
        """What a graph is given: the entries of a table, one by one."""
        t = self.t
        if not several:
            return [self.given(given)]
        if not isinstance(given, tree.Table):
            return [f"*{t.value(given).at(code.ATOM)}"]
        texts = []
        for item in given.fields:
            if t.calls.is_unpacked(item.value):
                texts.append(f"*{t.calls.unpacked(item.value)}")
            else:
                texts.append(t.value(item.value).text)
        return texts

    def spread(self, module: Expression, values: list[str]) -> str:
        """The arguments of a module in a graph: a graph takes several, other modules a tuple."""
        if len(values) == 1 or graph_inputs(self.t.type(module)):
            return ", ".join(values)
        return f"({', '.join(values)})"

    def given(self, node: Expression) -> str:
        if isinstance(node, tree.Table):
            return f"({', '.join(self.t.value(item.value).text for item in node.fields)})"
        if isinstance(node, (Call, Invoke)):
            return self.t.calls.value(node, keep=True).text
        return self.t.value(node).text

    def input(self, module: Type, node: Expression) -> str:
        """The input of a module: steps as one tensor, other tables as tuples."""
        t = self.t
        if t.kind(node) != "table":
            text = self.given(node)
            if takes_items(module) and not self.is_items(node):
                return f"{t.value(node).at(code.ATOM)}.long()"
            return text
        if input_kind(module) == "steps" and not t.type(node).has("steps"):
            stacked = f"torch.stack({t.value(node)})"
            return f"{stacked}.long()" if takes_items(module) and not self._holds_items(node) else stacked
        return self.given(node)

    def _holds_items(self, node: Expression) -> bool:
        """Whether a table holds tensors of a whole type."""
        element = self.t.type(node).of_elements()
        if element.find().tensor_type in ("Long", "Int") or element.has("whole") or element.has("places"):
            return True
        return self.is_items(Index(node.place, node, tree.Number(node.place, 1, "1"), False))

    def target(self, criterion: Type, node: Expression, line: int) -> str:
        """The target of a criterion: classes count from 0 in PyTorch."""
        t = self.t
        names = {layer.name for layer in criterion.find().layers}
        if criterion.find().classes and not names:
            return self.given(node)  # the program's own takes what it is given
        labels = {name in LABELS for name in names}
        if len(labels) != 1:
            raise Problem("T7-224", line, "a criterion of which is not known how it counts classes")
        if not labels.pop():
            return self.given(node)
        value = t.value(node)
        if t.kind(node) == "number":
            return f"torch.tensor({t.expressions.position(node)})"
        if not self.is_long(node):
            value = atom(f"{value.at(code.ATOM)}.long()")
        return f"{value.at(code.ADD)} - 1"

    def is_items(self, node: Expression, seen: frozenset[object] = frozenset()) -> bool:
        """Whether a tensor holds whole numbers of a whole type, by how the program makes it."""
        t = self.t
        if isinstance(node, tree.Paren):
            return self.is_items(node.inner, seen)
        if self.is_long(node) or t.type(node).has("whole"):
            return True
        if isinstance(node, Invoke) and t.kind(node.receiver) == "tensor":
            return node.method in _SAME_ITEMS and self.is_items(node.receiver, seen)
        if isinstance(node, tree.Binary) and node.operator in ("+", "-"):
            sides = (node.left, node.right)
            return all(t.whole(s) if t.kind(s) == "number" else self.is_items(s, seen) for s in sides)
        if isinstance(node, Index) and t.kind(node.base) == "tensor":
            return self.is_items(node.base, seen)
        if isinstance(node, Index) and t.kind(node.base) == "table":
            values = t.tables.values_of(node.base)
            return bool(values) and node not in seen and all(self.is_items(v, seen | {node}) for v in values)
        if isinstance(node, Name):
            variable = t.scopes.of_name[node]
            sources = [s for s in t.wholes.sources(variable) if not isinstance(s, bool)]
            if variable in seen:
                return True
            return bool(sources) and all(self.is_items(s, seen | {variable}) for s in sources)
        return False

    def is_long(self, node: Expression) -> bool:
        found = self.t.type(node)
        return found.find().tensor_type in ("Long", "Int") or found.has("places")

    def statement(self, node: Call | Invoke) -> bool:
        t = self.t
        if (
            isinstance(node, Invoke)
            and node.method == "add"
            and t.kind(node.receiver) == "module"
            and isinstance(node.receiver, Name)
        ):
            t.emit(f"{t.value(node.receiver)}.append({t.value(node.arguments[0])})")
            return True
        return False

    def field(self, node: Index) -> Py | None:
        """``model.weight`` and other fields of modules."""
        t = self.t
        if t.kind(node.base) not in ("module", "criterion") or not isinstance(node.key, tree.String):
            return None
        if t.type(node.base).find().classes:
            return None
        name = node.key.value
        base = t.value(node.base).at(code.ATOM)
        if name in ("weight", "bias"):
            return atom(f"{base}.{name}.data" if self.assigned_data else f"{base}.{name}")
        if name in ("gradWeight", "gradBias"):
            return atom(f"{base}.{'weight' if name == 'gradWeight' else 'bias'}.grad")
        if name in (
            "forwardnodes",
            "backwardnodes",
        ):  # for the layers in them and what they are annotated with
            return atom(f"{base}.modules()")
        raise Problem("T7-225", node.line, f"the field {name} of a module")

    def is_parameter(self, node: Expression) -> bool:
        """Whether an expression is a weight of a layer, or a part of one."""
        while True:
            if isinstance(node, tree.Paren):
                node = node.inner
            elif isinstance(node, Index) and self.t.kind(node.base) == "tensor":
                node = node.base
            elif isinstance(node, Invoke) and self.t.kind(node.receiver) == "tensor":
                node = node.receiver
            else:
                break
        if not isinstance(node, Index) or self.t.type(node.base).find().classes:
            return False
        return self.t.kind(node.base) == "module"

    @contextmanager
    def changed(self, node: Expression) -> Iterator[None]:
        """While what is written changes this expression in place: a weight by its data, which autograd does not see."""
        before, self.assigned_data = self.assigned_data, self.assigned_data or self.is_parameter(node)
        try:
            yield
        finally:
            self.assigned_data = before


_SAME_ITEMS = set(
    "index narrow select sub view viewAs t transpose contiguous clone expand squeeze reshape".split()
)


def takes_items(module: Type, depth: int = 0) -> bool:
    """Whether the first layer of a module looks up items by their numbers."""
    layers = module.find().layers
    if not layers or depth > 30:
        return False
    return any(
        layer.name.startswith("nn.LookupTable")
        or (layer.name == "nn.Sequencer" and any(takes_items(slot, depth + 1) for slot in layer.slots))
        or (
            layer.name == "nn.Sequential"
            and bool(layer.children)
            and takes_items(layer.children[0], depth + 1)
        )
        for layer in layers
    )


def input_kind(module: Type, depth: int = 0) -> str | None:
    """Whether a module takes "steps", a "tuple" or a "tensor"."""
    kinds: set[str | None] = set()
    for layer in module.find().layers:
        if layer.name in ("nn.Sequencer", "nn.BiSequencer", "nn.BiSequencerLM"):
            kinds.add("steps")
        elif layer.name == "nn.Sequential" and layer.children and depth < 30:
            kinds.add(input_kind(layer.children[0], depth + 1))
        elif layer.name.endswith("Table"):
            kinds.add("tuple")
        else:
            kinds.add("tensor")
    return kinds.pop() if len(kinds) == 1 else None


def _root(node: Expression) -> Expression:
    while isinstance(node, Invoke) and node.method == "add":
        node = node.receiver
    return node


def _only_adds(node: Expression) -> bool:
    return isinstance(node, Invoke) and node.method == "add"


def _without_method(lines: list[str], name: str) -> list[str]:
    at = next((i for i, line in enumerate(lines) if line.startswith(f"    def {name}(")), None)
    if at is None:
        return lines
    end = next((i for i in range(at + 1, len(lines)) if lines[i].startswith("    def ")), len(lines))
    kept = lines[:at] + lines[end:]
    while kept and not kept[-1].strip():
        kept.pop()
    return kept


def _with_parameters(lines: list[str], parameters: list[str]) -> list[str]:
    """A class whose constructor takes what its texts name."""
    if not parameters:
        return lines
    at = next((i for i, line in enumerate(lines) if line.startswith("    def __init__(self)")), None)
    if at is None:
        raise Problem("T7-223", 0, "a class without children that depends on variables")
    out = list(lines)
    out[at] = f"    def __init__(self, {', '.join(parameters)}):"
    start = next(i for i, line in enumerate(out) if line.startswith("    def forward"))
    for name in parameters:
        used = False
        for i in range(start, len(out)):
            new = re.sub(rf"(?<![\w.]){name}\b", f"self.{name}", out[i])
            used |= new != out[i]
            out[i] = new
        if used:
            out.insert(at + 2, f"        self.{name} = {name}")
            start += 1
    return out
