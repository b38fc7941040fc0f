"""Constructions of modules as trees of layers."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from torch7py.nn import all as nn_classes  # noqa: F401  (registers the classes)
from torch7py.rnn import all as rnn_classes  # noqa: F401
from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.kinds import Description, Type, all_parts
from torch7py.translate.layers import SETTINGS, Args, Layer, NotNative, bind, modify
from torch7py.translate.layers.recurrence import with_parts
from torch7py.translate.native.analysis.builders import Builder, Builders, chain_root
from torch7py.translate.native.code import without_verb
from torch7py.translate.native.graphs.parts import snake
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.models.encoder_decoder_state import Coupling
from torch7py.translate.native.models.resized import resized
from torch7py.translate.native.models.sequences import Sequences
from torch7py.translate.native.models.single_rows import may_be_single
from torch7py.translate.native.problem import Problem
from torch7py.translate.patching import altered
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name

__all__ = ["Constructions", "all_layers"]


def all_layers(module: Type) -> list[Description]:
    return [layer for part in all_parts(module) for layer in part.layers]


OF_THEIR_OWN = ("ccn2", "fbnn", "inn")  # packages whose layers have names of their own


class Constructions:
    def __init__(self, t: Translation, builders: Builders, sequences: Sequences, coupling: Coupling) -> None:
        self.t, self.builders, self.sequences, self.coupling = t, builders, sequences, coupling
        self.layers: list[Layer] = []
        self.outside_modules: dict[str, str] | None = (
            None  # modules from elsewhere by the names in a class that may be given some
        )
        self._apart: Expression | None = None  # what is being made for a class that is given it
        self.weights: dict[int, list[str]] = {}  # of sums of criterions, by their ids
        self.places: dict[int, int] = {}  # id of a layer -> where the program makes it
        self._without_parts: dict[Builder, Layer] = {}

    def layer(self, node: Expression) -> Layer:
        t = self.t
        if isinstance(node, tree.Paren):
            return self.layer(node.inner)
        if isinstance(node, Invoke) and node.method == "add":
            if not node.arguments:
                raise Problem("T7-222", node.line, "add without a module")
            if node is not self._apart and self._is_made_elsewhere(chain_root(node)):
                return self._elsewhere(node)
            layer = self.layer(node.receiver)
            self._append(layer, node)
            return layer
        if isinstance(node, Invoke) and node.method in SETTINGS:
            layer = self.layer(node.receiver)
            self._set(layer, node)
            return layer
        if isinstance(node, Name):
            builder = self.builders.builder_at(node)
            if builder is not None and builder.inlined:
                return self.whole(builder)
            if self.outside_modules is not None:
                return self._elsewhere(node)
            raise Problem(
                "T7-222", node.line, f"{node.name}, a module from elsewhere, as a part of another one"
            )
        if isinstance(node, Call) and self.builders.is_construction(node):
            path = "nn." + (t.path(node.callee) or "").split(".", 1)[1]
            return self.construct(path, node)
        if isinstance(node, Index) and isinstance(node.key, tree.String) and self.outside_modules is not None:
            return self._elsewhere(node)
        if isinstance(node, Call) and self._is_made_elsewhere(node):
            return self._elsewhere(node)
        path = (t.path(node.callee) or "") if isinstance(node, Call) else ""
        if path.partition(".")[0] in OF_THEIR_OWN and path not in t.types.classes:
            raise Problem("T7-223", node.line, f"{path} has no native form")
        raise Problem("T7-222", node.line, "a part of a module that is not made in place")

    def _is_made_elsewhere(self, node: Expression) -> bool:
        """Whether the program's function or class makes a module, in a class that may be given some."""
        if not isinstance(node, Call) or self.outside_modules is None:
            return False
        return self.t.kind(node.callee) == "class" or bool(self.t.types.function_called(node))

    def _elsewhere(self, node: Name | Index | Call | Invoke) -> Layer:
        """A module with a name of its own, or that the program's function or class makes: the class is given it."""
        t, type_ = self.t, self.t.type(node)
        names = {layer.name for layer in all_layers(type_)}
        if t.kind(node) == "module":
            names |= {parent for parent in t.types.family(type_).parents if parent is not None}
        over_time = self.sequences.over_time(node)
        if not names or (any(map(facts.sees_sequences, names)) and not over_time):
            called = (
                node.name if isinstance(node, Name) else "a field" if isinstance(node, Index) else "a result"
            )
            raise Problem("T7-222", node.line, f"{called}, a module from elsewhere, as a part of another one")
        assert self.outside_modules is not None
        with altered(
            self, outside_modules=None, _apart=node
        ):  # what is made in it is given to a class of its own
            text = t.value(node).text
        name = text.rpartition(".")[2]
        maker = chain_root(node)
        if isinstance(maker, Call):  # each makes another one
            made = (t.path(maker.callee) or t.value(maker.callee).text).rpartition(".")[2]
            name = t.fresh(snake(without_verb(made)) or "part")
        if self.outside_modules.setdefault(name, text) != text or not name.isidentifier():
            raise Problem("T7-222", node.line, "two modules of one name as parts of another one")
        layer = Layer(f"the module {name}", label=name, passed_as=name, over_time=over_time)
        self.layers.append(layer)
        return layer

    @cached_property
    def resized(self) -> set[Call]:
        """The constructions of layers whose sizes the program sets later."""
        return resized(self.t)

    def construct(self, path: str, node: Call) -> Layer:
        """A layer of nn with the arguments of a call."""
        t = self.t
        modules: dict[int, Layer] = {}
        texts = []
        for index, argument in enumerate(node.arguments):
            if t.kind(argument) in ("module", "criterion"):
                modules[index] = self.layer(argument)
                texts.append(f"\0{index}")
            else:
                written = self._argument(argument)
                texts.append(f"int({written})" if self._is_made_whole(path, index, argument) else written)
        try:
            args = bind(path, texts)
        except NotNative as problem:
            raise Problem(problem.code, node.line, str(problem)) from problem
        slots = {name: modules[int(text[1:])] for name, text in args.texts.items() if text.startswith("\0")}
        rest = {name: text for name, text in args.texts.items() if "\0" not in text}
        source = self.builders.source(node.line)
        line = node.arguments[0].line if node.arguments else node.line
        start = self.builders.source(line) if line != node.line else ""
        slots = with_parts(path, slots, rest, lambda layer: self._copy(layer, node.line), start)
        layer = Layer(path, Args(rest), slots=slots, source=source)
        self.places[id(layer)] = node.span.start
        self.sequences.construction_calls[id(layer)] = node
        if node in self.resized:
            layer.args.texts["resized"] = "True"
        mode = self.sequences.known_mode(node) if facts.may_remember(path) else ""
        if node in self.coupling.layers:
            layer.args.texts["coupled"] = "True"
        if facts.normalizes_batches(path) and self._sees_one_row(node, facts.batch_rank(path)):
            layer.args.texts["one_row"] = "True"
        if mode:
            layer.args.texts["remember"] = mode
        self.layers.append(layer)  # keeps its id its own
        return layer

    def _is_made_whole(self, path: str, at: int, argument: Expression) -> bool:
        """Whether PyTorch takes an argument as a whole number alone, and it is one by its value only.

        As ``torch.max(labels)`` gives one, ``size / 2``, or a text.
        """
        t = self.t
        types = facts.argument_types(path, at)
        if "int" not in types and (types != {"Any"} or t.kind(argument) != "number"):
            return False
        is_number = "number" in t.type(argument).kinds or t.kind(argument) in (None, "any")
        return is_number and not t.whole(argument)

    def _sees_one_row(self, node: Call, dims: int) -> bool:
        """Whether a normalization may be trained on a batch of one example, which cudnn's takes as PyTorch's does."""
        of_cudnn = (self.t.path(node.callee) or "").startswith("cudnn.")
        return not of_cudnn and (self.t.one_row or may_be_single(self.t, dims))

    def _copy(self, layer: Layer, line: int) -> Layer:
        """Another layer of the same parts, with weights of its own."""
        if layer.passed_as:
            raise Problem("T7-222", line, f"a copy of {layer.passed_as}, a module from elsewhere")
        copy = replace(layer, children=[self._copy(child, line) for child in layer.children])
        copy.slots = {name: self._copy(slot, line) for name, slot in layer.slots.items()}
        self.places[id(copy)] = self.places.get(id(layer), 0)
        self.layers.append(copy)
        return copy

    def _set(self, layer: Layer, call: Invoke) -> None:
        if call.method == "remember":
            self._remember(layer, call, [self._argument(argument) for argument in call.arguments])
        elif not modify(layer, call.method, map(self._argument, call.arguments)):
            raise Problem("T7-202", call.line, f"the method {call.method} of {layer.name}")

    def _remember(self, layer: Layer, call: Invoke, texts: list[str]) -> None:
        """``container:remember(mode)``: of every sequencer that is in it by then."""
        if self.places.get(id(layer), 0) > call.span.end:
            raise Problem("T7-202", call.line, f"remember before {layer.name} is added to a part")
        if modify(layer, "remember", texts):
            return
        if layer.passed_as or facts.sees_sequences(layer.name):
            raise Problem("T7-202", call.line, f"the method remember of {layer.name}")
        for part in (*layer.children, *layer.slots.values()):
            self._remember(part, call, texts)

    def _argument(self, node: Expression) -> str:
        with altered(self.t, plain_modules=self.t.objects):
            return self._written(node)

    def _written(self, node: Expression) -> str:
        if self.t.kind(node) == "number" and self.t.whole(node):
            return str(self.t.expressions.whole_number(node))
        return self.t.value(node).text

    def whole(self, builder: Builder) -> Layer:
        """The module of a variable. One without parts is the same in all places, as an unpooling asks its pooling."""
        layer = self._without_parts.get(builder) or self.layer(builder.value)
        for add in builder.adds:
            self._add_all(layer, add.call)
        if facts.parts(layer.name) == "none":
            self._without_parts[builder] = layer
        layer.args.texts.update((name, text) for name, text in builder.sets.values() if name)
        return layer

    def _add_all(self, layer: Layer, call: Expression) -> None:
        if isinstance(call, Invoke):
            self._add_all(layer, call.receiver)
            if call.method in SETTINGS:
                self._set(layer, call)
                return
            if not call.arguments:
                raise Problem("T7-222", call.line, "add without a module")
            self._append(layer, call)

    def _append(self, layer: Layer, call: Invoke) -> None:
        """``container:add(module)``, and ``criterion:add(criterion, weight)``."""
        if layer.passed_as:
            raise Problem("T7-222", call.line, f"add to {layer.passed_as}, a module from elsewhere")
        layer.children.append(self.layer(call.arguments[0]))
        if facts.grows(layer.name) and facts.gives(layer.name) == "number":
            weights = self.weights.setdefault(id(layer), [])
            weights.append(self._argument(call.arguments[1]) if len(call.arguments) > 1 else "1")
            layer.args.texts["weights"] = f"[{', '.join(weights)}]"
