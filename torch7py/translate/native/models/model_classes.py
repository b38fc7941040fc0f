"""Classes that a page has for its models: what they are called, are given, and leave out."""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterator
from contextlib import contextmanager
from functools import cached_property

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.kind_rules import keeps_rank
from torch7py.translate.layers import Layer, NotNative
from torch7py.translate.layers.as_modules import only_weight
from torch7py.translate.layers.helpers import HELPERS
from torch7py.translate.layers.shapes import walk
from torch7py.translate.model import ClassSource, write_model
from torch7py.translate.native import code
from torch7py.translate.native.analysis.builders import Builder, Builders
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.layer_names import LayerNames
from torch7py.translate.native.models.hoisted_arguments import changes_or_draws, set_apart
from torch7py.translate.native.models.inputs import Inputs, takes_items
from torch7py.translate.native.models.sequences import Sequences
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name

__all__ = ["WrittenClasses"]

# Functions that PyTorch has as modules too, with the same arguments.
_FUNCTION_MODULES = {
    **{f"max_pool{n}d": f"MaxPool{n}d" for n in (2, 3)},
    **{f"avg_pool{n}d": f"AvgPool{n}d" for n in (2, 3)},
    **{f"adaptive_{kind.lower()}_pool2d": f"Adaptive{kind}Pool2d" for kind in ("Max", "Avg")},
    "leaky_relu": "LeakyReLU",
    "elu": "ELU",
    "hardtanh": "Hardtanh",
    "softplus": "Softplus",
    "threshold": "Threshold",
    "relu6": "ReLU6",
    "hardshrink": "Hardshrink",
    "softshrink": "Softshrink",
    "tanhshrink": "Tanhshrink",
    "interpolate": "Upsample",
}


class WrittenClasses:
    def __init__(
        self,
        t: Translation,
        builders: Builders,
        sequences: Sequences,
        inputs: Inputs,
        layer_names: LayerNames,
    ) -> None:
        self.t, self.builders, self.sequences, self.inputs = t, builders, sequences, inputs
        self.layer_names = layer_names
        self.classes: list[ClassSource] = []
        self.class_names: set[str] = set()
        self.used: list[ClassSource] = []  # the class of each module, in their order
        self.asked_as: dict[str, str] = {}  # the name that a class was made for
        self._entries: str | None = None
        self._input_ranks: frozenset[int | None] | None = None
        called = {node.method for node in tree.every(self.t.program, Invoke)}
        self.forgets, self.evaluates = "forget" in called, "evaluate" in called

    def of_class(self, layer: Layer, name: str, names: dict[str, str], line: int) -> str:
        """A class for the layer, at the module's level, and the expression that makes one."""
        if "self" in names:
            raise Problem("T7-222", line, "a module made by the methods of another object")
        for part in walk(layer):
            for key, text in part.args.texts.items():
                for parameter, argument in names.items():
                    if argument != parameter:
                        text = re.sub(rf"(?<![\w.]){re.escape(argument)}(?![\w(])", parameter, text)
                part.args.texts[key] = text
        cls_name = self.class_name(name)
        try:
            over_time = None
            if self.sequences.takes_whole(layer):
                over_time = self.sequences.kept(layer)
            cls = self._written(layer, cls_name, over_time)
            forward = "\n".join(cls.lines).partition("def forward(")[2]
            apart = set_apart(
                layer,
                lambda text: changes_or_draws(text) and text in forward,
                lambda argument: _unlike(argument, names),
            )
            names.update([(name, _given(text, names)) for name, text in apart])
            if any(changes_or_draws(text) for text in names.values()):
                cls = self._written(layer, cls_name, over_time)
        except NotNative as problem:
            raise Problem(problem.code, line, str(problem)) from problem
        if cls.lines[1].strip() == '"""Translated from Torch7."""':
            del cls.lines[1:3]
        module = _of_function(cls.lines)
        if module is not None:
            self.class_names.discard(cls_name)
            self.layer_names.note(layer, module)
            for part in walk(layer):
                part.args.texts = {key: _given(text, names) for key, text in part.args.texts.items()}
            return _given(module, names)
        if not self.forgets:
            cls.lines[:] = _without_method(cls.lines, "forget")
        if not self.evaluates:
            cls.lines[:] = _without_method(cls.lines, "train")
        parameters = [n for n in names if any(re.search(rf"\b{n}\b", text) for text in cls.lines)]
        cls.lines[:] = _with_parameters(cls.lines, parameters)
        for helper in cls.helpers:
            self.t.helpers[helper] = None
        if self.t.training.steps_by_hand and cls.writer.attributes:
            cls.lines += [
                "",
                "    def detach(self):",
                '        """Cut what was kept of the last step off from its graph."""',
            ]
            cls.lines += [f"        self.{name} = self.{name}.detach()" for name in cls.writer.attributes]
        same = self._same(cls, name)
        if same is not None:
            self.class_names.discard(cls_name)
            cls, cls_name = same, same.name
        else:
            self.classes.append(cls)
            self.asked_as[cls.name] = name
            self.t.top.append(cls.lines)
        self.used.append(cls)
        self.layer_names.note(layer, cls_name)
        return f"{cls_name}({', '.join(names[parameter] for parameter in parameters)})"

    def _written(self, layer: Layer, name: str, over_time: str | None) -> ClassSource:
        behind = self.sequences.construction_calls.get(id(layer)) in self._behind
        ranks = frozenset({None}) if behind else self._ranks()
        if self.t.objects and (field := only_weight(layer)):
            layer.label = field
        run_alone = self.sequences.construction_calls.get(id(layer)) in self._run_alone
        any_dtype = self._integer_entries() if run_alone or not self._hands_on_numbers else "all"
        return write_model(layer, name, any_dtype=any_dtype, over_time=over_time, ranks=ranks)

    @cached_property
    def _hands_on_numbers(self) -> bool:
        """Whether a module may hand an input that is of no whole type on to modules in it."""
        return bool(self._integer_entries()) or any(
            self.t.kind(node.arguments[0]) == "tensor"
            and not takes_items(self.t.type(node.receiver))
            and not self.inputs.is_items(node.arguments[0])
            for node in self._forwards()
        )

    @cached_property
    def _run_alone(self) -> set[Call | None]:
        """The calls that make modules which are run by themselves, not as a part of another."""
        receivers = [self.t.type(node.receiver) for node in self._forwards()]
        return {layer.call for module in receivers for layer in module.find().layers}

    @cached_property
    def _behind(self) -> set[Call]:
        """The calls that make modules which are given what may have other dimensions than the input of their chain."""
        entry_calls: set[Call] = set()
        behind: set[Call] = set()
        waiting = [(self.t.type(node.receiver), entry_calls) for node in self._forwards()]
        while waiting:
            module, calls = waiting.pop()
            for layer in module.find().layers:
                if layer.call not in calls:
                    calls.add(layer.call)
                    place = calls
                    for child in layer.children:
                        waiting.append((child, place))
                        if facts.is_chain(layer.name) and not keeps_rank(child):
                            place = behind
        return behind - entry_calls

    def _ranks(self) -> frozenset[int | None]:
        """How many dimensions the tensors have that modules of the program are given; None of what is not known."""
        if self._input_ranks is None:
            types = self.t.types
            inputs = [
                node.arguments[0] for node in self._forwards() if self.t.kind(node.receiver) == "module"
            ]
            self._input_ranks = frozenset(types.of(x).rank for x in inputs if types.kind(x) != "table")
        return self._input_ranks

    def _forwards(self) -> list[Invoke]:
        return [
            node
            for node in tree.every(self.t.program, Invoke)
            if node.method in ("forward", "updateOutput") and node.arguments
        ]

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Forget the classes that are written inside, if that ends with a problem."""
        helpers, names = dict(self.t.helpers), set(self.class_names)
        classes, used, top = len(self.classes), len(self.used), len(self.t.top)
        try:
            yield
        except Problem:
            del self.classes[classes:], self.used[used:], self.t.top[top:]
            self.class_names = names
            self.t.helpers.clear()
            self.t.helpers.update(helpers)
            raise

    def _same(self, cls: ClassSource, name: str) -> ClassSource | None:
        """A class of this page that was asked for by the same name, and differs in nothing but where that was."""
        return next(
            (
                other
                for other in self.classes
                if self.asked_as[other.name] == name
                and any(other.lines is lines for lines in self.t.top)
                and _without_places(other.lines) == _without_places(cls.lines)
            ),
            None,
        )

    def _integer_entries(self) -> str:
        """Whether a table of inputs has whole numbers as the program has them: where no entry is of a whole type."""
        if self._entries is None:
            inputs = [node.arguments[0] for node in self._forwards()]
            are_whole = [self._has_items(node) for node in inputs if self.t.kind(node) == "table"]
            self._entries = "" if all(are_whole) else "entries"
        return self._entries

    def _has_items(self, node: Expression) -> bool:
        """Whether some entry of a table of inputs is of a whole type."""
        sources = self.t.integers.sources(self.t.scopes.of_name[node]) if isinstance(node, Name) else [node]
        entries = [
            item.value for source in sources if isinstance(source, tree.Table) for item in source.fields
        ]
        return any(map(self.inputs.is_items, entries)) if entries else self.inputs.holds_items(node)

    def class_name(self, name: str) -> str:
        name = name.rpartition(".")[2].strip("_")  # of a variable of several files
        base = name[:1].upper() + name[1:] or "Net"
        taken = {*self.t.names.chosen.values(), *self.t.classes.names.values(), *HELPERS, "F"}
        if base in taken:  # `D = D()` would hide the class
            base += "Net"
        candidate, number = base, 1
        while candidate in self.class_names:
            number += 1
            candidate = f"{base}{number}"
        self.class_names.add(candidate)
        return candidate

    def names_in(self, expressions: list[Expression]) -> dict[str, str]:
        """The variables in constructor arguments that a class of the module's level does not see, and what it is given.

        A field of the object whose method makes the module is a parameter of the field's name. ``self`` is among them
        where the object itself is needed.
        """
        t = self.t
        arguments: dict[str, str] = {}
        fields: dict[str, str] = {}
        seen: set[Builder] = set()
        waiting: list[tree.Node | tree.Block] = list(reversed(expressions))
        while waiting:
            node = waiting.pop()
            if isinstance(node, Index) and isinstance(node.key, tree.String) and self._is_self(node.base):
                if t.objects or t.kind(node) not in ("module", "criterion"):
                    text = t.value(node).text
                    of_table = not text.startswith("self.")  # self["size"], of a table with functions
                    fields[text] = (
                        code.attribute_name(node.key.value) if of_table else text.removeprefix("self.")
                    )
                continue
            if isinstance(node, Index) and t.kind(node.base) == "module" and t.kind(node) == "number":
                fields[t.value(node).text] = code.attribute_name(str(getattr(node.key, "value", "size")))
                continue
            waiting += reversed(list(tree.children(node)))
            if isinstance(node, Call):
                waiting += self.sequences.variables(node)
            inner = self.builders.builder_at(node) if isinstance(node, Name) else None
            if inner is not None and inner.inlined and inner not in seen:
                seen.add(inner)
                waiting += [inner.value, *(add.call for add in inner.adds)]
            if isinstance(node, Name) and (t.objects or t.kind(node) not in ("module", "criterion")):
                variable = t.scopes.of_name[node]
                if variable in t.module_level or (variable.is_global and not variable.writes):
                    continue
                if variable in t.types.packages:
                    continue
                if "." not in t.names.of(node):  # else it is in another file, which the page imports
                    arguments[t.names.of(node)] = t.names.of(node)
        for argument, parameter in fields.items():
            while parameter in arguments:
                parameter += "_"
            arguments[parameter] = argument
        return arguments

    def _is_self(self, node: Expression) -> bool:
        return isinstance(node, Name) and self.t.names.of(node) == "self"


def _unlike(name: str, others: Container[str]) -> str:
    """A name that is none of the others."""
    while name in others:
        name += "_"
    return name


def _of_function(lines: list[str]) -> str | None:
    """PyTorch's module for a class whose ``forward`` only calls the function of the same meaning."""
    if len(lines) != 3 or lines[1].strip() != "def forward(self, x):":
        return None
    if lines[2].strip() == "return x":
        return "nn.Identity()"
    text = lines[2].strip().removeprefix("return ")
    call = _call_of(text)
    name = (ast.get_source_segment(text, call.func) or "").removeprefix("F.") if call is not None else ""
    if call is None or name not in _FUNCTION_MODULES:
        return None
    first, *others = (ast.get_source_segment(text, part) or "" for part in (*call.args, *call.keywords))
    names = [node.id for node in ast.walk(call) if isinstance(node, ast.Name)]
    is_of_input = first == "x" and names.count("x") == 1
    return f"nn.{_FUNCTION_MODULES[name]}({', '.join(others)})" if is_of_input else None


def _call_of(text: str) -> ast.Call | None:
    """The call with arguments that an expression of a page is."""
    (statement,) = ast.parse(text).body
    value = statement.value if isinstance(statement, ast.Expr) else None
    return value if isinstance(value, ast.Call) and value.args else None


def _given(text: str, names: dict[str, str]) -> str:
    """An expression in which the parameters of a class that is not written are their arguments again."""
    others = [re.escape(name) for name, argument in names.items() if argument != name]
    pattern = rf"(?<![\w.])({'|'.join(others)})(?!\w|=(?!=))"
    return re.sub(pattern, lambda match: names[match[1]], text) if others else text


def _without_places(lines: list[str]) -> list[str]:
    """The lines of a class without its name, and without the places in the program that its comments name."""
    return [re.sub(r"[\w./-]+\.lua:\d+", "", line) for line in lines[1:]]


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
    out = list(lines)
    at = next((i for i, line in enumerate(lines) if line.startswith("    def __init__(self)")), None)
    if at is None:  # without children
        at = next(i for i, line in enumerate(lines) if line.startswith("    def forward"))
        out[at:at] = ["    def __init__(self):", "        super().__init__()", ""]
    out[at] = f"    def __init__(self, {', '.join(parameters)}):"
    start = next(i for i, line in enumerate(out) if line.startswith("    def forward"))
    for name in parameters:
        used = False
        for i in range(start, len(out)):
            new = re.sub(rf"(?<![\w.]){name}\b(?!=(?!=))", f"self.{name}", out[i])  # but no argument's name
            used |= new != out[i]
            out[i] = new
        if used:
            out.insert(at + 2, f"        self.{name} = {name}")
            start += 1
    return out
