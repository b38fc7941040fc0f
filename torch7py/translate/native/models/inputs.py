"""What modules and criterions are given: tables as tuples or a time axis, items and classes as whole numbers."""

from __future__ import annotations

from collections.abc import Sequence

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.kinds import Description, Type, all_parts
from torch7py.translate.layers.groups import KEEPING_ITEMS
from torch7py.translate.layers.losses import counts_from_zero, takes_class
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.models.constructions import all_layers
from torch7py.translate.native.models.origins import Origins
from torch7py.translate.native.models.overwritten_inputs import is_seen_overwritten
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name
from torch7py.translate.tree_queries import returns_of

__all__ = ["Inputs", "takes_items"]

_SAME_ITEMS = set(
    "index narrow select sub view viewAs t transpose contiguous clone expand squeeze reshape".split()
)


class Inputs:
    def __init__(self, translator: Translation, origins: Origins) -> None:
        self.t = translator
        self.origins = origins

    def forward(self, receiver: Expression, arguments: tuple[Expression, ...], line: int) -> Py:
        t = self.t
        base = t.value(receiver).at(code.ATOM)
        receiver_type = t.type(receiver)
        alone = receiver_type.kind != "criterion" or self._takes_no_target(receiver_type)
        if len(arguments) < (1 if alone else 2):
            raise Problem("T7-221", line, "a module called without an input, as for a graph")
        if receiver_type.kind == "criterion" and len(arguments) == 1:
            return atom(f"{base}({self.argument_text(arguments[0])})")
        if receiver_type.kind == "criterion":
            return self.loss(base, receiver_type, arguments[0], arguments[1], line)
        if is_seen_overwritten(t, receiver_type, arguments[0]):
            raise Problem("T7-230", line, "an input that the module's first layer writes over")
        filled = [
            layer for layer in receiver_type.find().layers if layer.children or not facts.is_chain(layer.name)
        ]
        if len({_any_takes_items([layer]) for layer in filled}) > 1:
            raise Problem("T7-222", line, "one of several modules, some of which take items and some numbers")
        several = t.graphs.takes_values(receiver_type)
        if several is None and any(facts.is_graph(layer.name) for layer in receiver_type.find().layers):
            several = self._is_built_as_graph(receiver)
            if several is not None:
                return atom(f"{base}({', '.join(self._graph_arguments(arguments[0], several))})")
        if several is not None:
            return atom(f"{base}({self.spread(receiver, self._graph_arguments(arguments[0], several))})")
        return atom(f"{base}({self.input(receiver_type, arguments[0])})")

    def loss(
        self, base: str, criterion_type: Type, prediction: Expression, target: Expression, line: int
    ) -> Py:
        prediction_text, wanted = self.argument_text(prediction), self.target(criterion_type, target, line)
        is_turned = self._is_turned(criterion_type, prediction, target)
        is_one = not is_turned and self._is_of_one_example(criterion_type, prediction, target)
        if is_turned or is_one:
            name = prediction_text
            if not prediction_text.isidentifier():
                name = self.t.fresh("prediction")
                prediction_text = f"{name} := {prediction_text}"
            if is_one:
                wanted = f"({wanted}).view({name}.shape[:-1])"
            else:
                if not wanted.endswith(".detach()"):
                    wanted = self.t.value(target).at(code.ATOM)
                wanted = f"{wanted}.view_as({name})"
        return atom(f"{base}({prediction_text}, {wanted})")

    def _is_built_as_graph(self, receiver: Expression) -> bool | None:
        """The same as ``Graphs.takes_values``, of one of several modules in a list, by the function that makes it."""
        t = self.t
        sources = t.integers.sources(t.scopes.of_name[receiver]) if isinstance(receiver, Name) else []
        source = sources[0] if len(sources) == 1 else None
        functions = t.types.function_called(source) if isinstance(source, Call) else []
        results = [node.values[0] for function in functions for node in returns_of(function) if node.values]
        graphs = {
            t.graphs.takes_several(value.arguments[0])
            for value in results
            if isinstance(value, Call) and t.path(value.callee) == "nn.gModule" and value.arguments
        }
        return graphs.pop() if len(graphs) == 1 and len(results) == 1 else None

    def _graph_arguments(self, argument: Expression, several: bool) -> list[str]:
        """What a graph is given: the entries of a table, one by one."""
        t = self.t
        if not several:
            return [self.argument_text(argument)]
        if not isinstance(argument, tree.Table):
            return [f"*{t.value(argument).at(code.ATOM)}"]
        texts = []
        for item in argument.fields:
            if t.is_unpacked(item.value):
                texts.append(f"*{t.calls.unpacked(item.value)}")
            else:
                texts.append(t.value(item.value).text)
        return texts

    def spread(self, module: Expression, values: list[str]) -> str:
        if len(values) == 1 or self.t.graphs.takes_values(self.t.type(module)):
            return ", ".join(values)
        return f"({', '.join(values)})"

    def argument_text(self, node: Expression) -> str:
        if node in self.t.expressions.instead:
            return self.t.expressions.instead[node].text
        if isinstance(node, tree.Table):
            last = node.fields[-1].value if node.fields else None
            texts = [self.t.value(item.value).text for item in node.fields if item.value is not last]
            if last is not None:
                unpacked = self.t.is_unpacked(last)
                texts.append(f"*{self.t.calls.unpacked(last)}" if unpacked else self.t.value(last).text)
            return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"
        if isinstance(node, (Call, Invoke)):
            return self.t.calls.value(node, keep=True).text
        return self.t.value(node).text

    def input(self, module: Type, node: Expression) -> str:
        t = self.t
        if t.kind(node) != "table":
            text = self.argument_text(node)
            if takes_items(module) and not self.is_items(node):
                return f"{t.value(node).at(code.ATOM)}.long()"
            return text
        if input_kind(module) == "steps" and not t.type(node).has("steps"):
            stacked = f"torch.stack({t.value(node)})"
            return f"{stacked}.long()" if takes_items(module) and not self.holds_items(node) else stacked
        return self.argument_text(node)

    def holds_items(self, node: Expression) -> bool:
        """Whether a table holds tensors of a whole type."""
        element = self.t.type(node).of_elements()
        if element.find().tensor_type in ("Long", "Int") or element.has("whole") or element.has("places"):
            return True
        return self.is_items(Index(node.span, node, tree.Number(node.span, 1, "1"), False))

    def _is_turned(self, criterion: Type, prediction: Expression, target: Expression) -> bool:
        """Whether a target has, or a vector may have, another shape than the prediction.

        Torch7 takes the elements of both in their order.
        """
        of_prediction, of_target = (self.t.type(node).rank for node in (prediction, target))
        names = {layer.name for layer in criterion.find().layers}
        may_differ = of_target == 1 if of_prediction is None else of_target not in (None, of_prediction)
        return may_differ and bool(names) and all(map(facts.compares_elements, names))

    def _is_of_one_example(self, criterion: Type, prediction: Expression, target: Expression) -> bool:
        """Whether a tensor of one class may be the target of a vector, to which PyTorch wants a number."""
        of_prediction, of_target = (self.t.type(node) for node in (prediction, target))
        names = {layer.name for layer in criterion.find().layers}
        may_be_vector = of_prediction.rank in (None, 1) and of_target.kind == "tensor"
        return (
            may_be_vector
            and of_target.has("one element")
            and bool(names)
            and all(map(counts_from_zero, names))
        )

    def target(self, criterion: Type, node: Expression, line: int) -> str:
        t = self.t
        names = {layer.name for layer in criterion.find().layers}
        if criterion.find().classes and not names:  # the program's own takes what it is given
            return self.argument_text(node) if self._has_gradient(criterion) else self._detached(node)
        labels = {counts_from_zero(name) for name in names}
        if len(labels) != 1:
            raise Problem("T7-226", line, "a criterion of which is not known how it counts classes")
        if not labels.pop():
            if (
                all(facts.target(name) == "sign" for name in names)
                and t.kind(node) != "tensor"
                and node not in t.expressions.instead
            ):
                return f"torch.{'tensor' if t.kind(node) == 'number' else 'as_tensor'}({t.value(node)})"
            if t.kind(node) == "number" and (all(map(takes_class, names)) or self._adds_up_labels(criterion)):
                return f"torch.tensor({t.value(node)})"
            text = self._detached(node)
            return text if self._are_tensors(criterion, node) else f"[torch.as_tensor(y) for y in {text}]"
        value = t.value(node)
        if t.kind(node) == "number":
            return f"torch.tensor({t.expressions.position(node)})"
        if not self.is_long(node):
            value = atom(f"{value.at(code.ATOM)}.long()")
        return f"{value.at(code.ADD)} - 1"

    def _are_tensors(self, criterion: Type, node: Expression) -> bool:
        """Whether the targets for a sum of criterions are tensors, where one of these counts classes by a tensor."""
        layers = [layer for layer in criterion.find().layers if facts.parts(layer.name) == "entries"]
        if self.t.kind(node) != "table" or not any(
            counts_from_zero(c.name) for p in layers for child in p.children for c in all_layers(child)
        ):
            return True
        if isinstance(node, tree.Table):
            return all(self.t.kind(item.value) == "tensor" for item in node.fields)
        return self.t.type(node).of_elements().kind == "tensor"

    def _adds_up_labels(self, criterion: Type) -> bool:
        """Whether a criterion gives its target to others, of which some take a class as a number."""
        layers = [layer for layer in criterion.find().layers if facts.parts(layer.name) == "branches"]
        return any(
            counts_from_zero(c.name) or takes_class(c.name)
            for m in layers
            for child in m.children
            for c in all_layers(child)
        )

    def _takes_no_target(self, criterion: Type) -> bool:
        """Whether a criterion of the program's own has no parameter for one."""
        known = [self.t.classes.layer_of(lua_class).forward for lua_class in criterion.find().classes]
        return bool(known) and all(forward is not None and len(forward.parameters) == 2 for forward in known)

    def _has_gradient(self, criterion: Type) -> bool:
        """Whether a criterion of the program's own gives gradients for both of its arguments."""
        known = [self.t.classes.layer_of(lua_class) for lua_class in criterion.find().classes]
        return all(layer.gives_both() for layer in known)

    def _detached(self, node: Expression) -> str:
        """A target, of which a criterion's gradient is none of the module's that may have made it."""
        t = self.t
        layer = t.classes.current
        if layer is not None and layer.by_hand:
            return self.argument_text(node)
        if node not in t.expressions.instead and t.kind(node) == "tensor" and self.origins.from_layers(node):
            return f"{t.value(node).at(code.ATOM)}.detach()"
        return self.argument_text(node)

    def is_items(self, node: Expression, seen: set[object] | None = None) -> bool:
        """Whether a tensor holds whole numbers of a whole type, by how the program makes it.

        ``seen``: what was looked at for the same question, and is taken for such.
        """
        t = self.t
        seen = set() if seen is None else seen
        if isinstance(node, tree.Paren):
            return self.is_items(node.inner, seen)
        type_ = t.type(node)
        if self.is_long(node) or type_.find().tensor_type == "Int" or type_.has("whole"):
            return True
        if isinstance(node, Invoke) and t.kind(node.receiver) == "tensor":
            return node.method in _SAME_ITEMS and self.is_items(node.receiver, seen)
        if isinstance(node, tree.Binary) and node.operator in ("+", "-"):
            sides = (node.left, node.right)
            return all(t.whole(s) if t.kind(s) == "number" else self.is_items(s, seen) for s in sides)
        if isinstance(node, Index) and t.kind(node.base) == "tensor":
            return self.is_items(node.base, seen)
        if isinstance(node, Index) and t.kind(node.base) == "table":
            if node in seen:
                return True
            seen.add(node)
            values = t.tables.values_of(node.base)
            return bool(values) and all(self.is_items(v, seen) for v in values)
        if isinstance(node, Name):
            variable = t.scopes.of_name[node]
            sources = [s for s in t.integers.sources(variable) if not isinstance(s, bool)]
            if variable in seen:
                return True
            seen.add(variable)
            return bool(sources) and all(self.is_items(s, seen) for s in sources)
        return False

    def is_long(self, node: Expression) -> bool:
        """Whether a tensor has the one whole type that PyTorch takes for classes."""
        type_ = self.t.type(node)
        return type_.find().tensor_type == "Long" or type_.has("places")


def takes_items(module: Type) -> bool:
    """Whether the first layer of a module looks up items by their numbers."""
    return _any_takes_items(module.find().layers)


def _any_takes_items(layers: Sequence[Description]) -> bool:
    waiting, seen = list(layers), set()
    while waiting:
        layer = waiting.pop()
        if layer in seen:
            continue
        seen.add(layer)
        if facts.takes_items(layer.name):
            return True
        inside = layer.slots if facts.applies_to_steps(layer.name) else []
        if facts.is_chain(layer.name):
            inside = [child for child in layer.children if not _keeps_items(child)][:1]
        waiting += [inner for part in inside for inner in part.find().layers]
    return False


def _keeps_items(module: Type) -> bool:
    """Whether a module only puts what it is given into another shape or order."""
    names = {layer.name for layer in module.find().layers}
    return bool(names) and names <= KEEPING_ITEMS


def _first_child(layer: Description) -> Sequence[Type]:
    return layer.children[:1] if facts.is_chain(layer.name) else ()


def input_kind(module: Type) -> str | None:
    """Whether a module takes "steps", a "tuple" or a "tensor"."""
    kinds: set[str] = set()
    for part in all_parts(module, _first_child):
        if not part.layers:
            return None
        for layer in part.layers:
            if not _first_child(layer):
                kinds.add({"steps": "steps", "table": "tuple"}.get(facts.takes(layer.name), "tensor"))
    return kinds.pop() if len(kinds) == 1 else None
