"""What the operations on tensors and modules say of kinds: each takes types and says whether there was news."""

from __future__ import annotations

from collections.abc import Sequence

from torch7py.translate import library, tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.facts.methods import COMPARISONS, ELEMENTWISE, gives_last
from torch7py.translate.kinds import Description, Type, all_parts, unify, widen
from torch7py.translate.layers.as_modules import weight_rank
from torch7py.translate.tree import Expression, Index, Invoke
from torch7py.translate.tree_queries import may_be_more
from torch7py.translate.types import Types

__all__ = [
    "HELD",
    "SECOND",
    "counted",
    "equal_kinds",
    "index_tensor",
    "keeps_rank",
    "module_field",
    "output_kind",
    "same_rank",
    "same_value",
    "squeezed",
    "tensor_method",
    "tensor_of",
]

SECOND = "two dimensions or more"  # of a tensor of which no more may be known


def counted(type_: Type) -> bool:
    return type_.kind is None and type_.be("number")


def equal_kinds(left: Type, right: Type) -> bool:
    """What is compared with a number or a text is one, but for what a file gives and has methods."""
    for a, b in ((left, right), (right, left)):
        is_open = a.kind is None and not (a.has("loaded") and a.has("has methods"))
        if is_open and b.kind in ("number", "string", "boolean") and not a.has("module"):
            return a.be(b.kind)
    return False


def same_value(result: Type, source: Type) -> bool:
    news = result.be_like(source) if source.find().kinds else result.be("number")
    return news | same_rank(result, source)


def same_rank(result: Type, source: Type) -> bool:
    if source.has(SECOND) and not result.has(SECOND):
        return result.mark(SECOND)
    if any(result.be_rank(rank) for rank in source.find().ranks):
        return True  # where it had another one, as the argument of a function elsewhere, none is known
    if result.rank is not None and not source.find().ranks and source.kind == "tensor":
        return source.be_rank(result.rank)
    return False


def _along(dimension: Sequence[Expression], result: Type) -> bool:
    """What a dimension that an operation names tells of its result, which keeps it."""
    second = any(isinstance(d, tree.Number) and d.value >= 2 for d in dimension)
    return second and result.mark(SECOND)


def tensor_of(only: Type, result: Type) -> bool:
    if only.kind == "number":
        return result.be_rank(1)
    if only.kind == "table":
        element = only.of_elements()
        if element.kind in ("number", "string"):
            return result.be_rank(1)
        if element.kind == "table":
            return result.be_rank(2) if element.of_elements().kind == "number" else False
        if element.kind is None:
            return element.be("number")
    return False


def index_tensor(base: Type, node: Index, result: Type, types: Types) -> bool:
    key = node.key
    if isinstance(key, tree.Table):
        # {i, {}, {a, b}}: a number drops a dimension, a table keeps it
        if base.rank is None:
            kept = any(types.kind(item.value) == "table" for item in key.fields)
            return kept and result.be("tensor")
        dropped = sum(1 for item in key.fields if types.kind(item.value) != "table")
        rank = base.rank - dropped
        return result.be("number") if rank == 0 else result.be("tensor") | result.be_rank(rank)
    if types.kind(key) == "tensor":
        return result.be("tensor") | result.be_rank(1)
    if base.rank is None:
        if result.kind == "number":
            return base.be_rank(1)
        if result.kind == "tensor" and result.rank is not None:
            return base.be_rank(result.rank + 1)
        return False
    if base.rank == 1:
        return result.be("number") | result.mark("element")
    return result.be("tensor") | result.be_rank(base.rank - 1)


SIZES_OF_CONVOLUTIONS = {"kW", "kH", "dW", "dH", "padW", "padH", "nInputPlane", "nOutputPlane"}


HELD = "held by a module"  # of the list of its parts, which is PyTorch's own


def module_field(name: str | None, result: Type, base: Type) -> bool:
    if name in ("weight", "gradWeight"):
        ranks = {weight_rank(layer.name) for layer in base.find().layers}
        rank = ranks.pop() if len(ranks) == 1 else None
        return result.be("tensor") | (False if rank is None else result.be_rank(rank))
    if name in ("bias", "gradBias", "running_mean", "running_var"):
        return result.be("tensor") | result.be_rank(1)
    if name in ("output", "gradInput") and base.kind == "module":
        shape = output_kind(base, Type())
        if shape == "tensor":
            return result.be("tensor")
        if shape is not None:
            return result.be_list("tensor", shape)
    if name == "gradInput" and base.kind == "criterion":
        taken = {facts.takes(layer.name) for layer in base.find().layers}
        return result.be("tensor") if taken == {"tensor"} else False
    if name == "output" and base.kind == "criterion":
        return result.be("number") | result.mark("loss")
    if name in ("forwardnodes", "backwardnodes"):
        return result.be_list("graph node")
    if name == "modules":
        return result.be_list(None, HELD) | result.of_elements().be_any_layer()
    if name in ("affine", "eps", "momentum"):
        return result.be("boolean" if name == "affine" else "number")
    if name in SIZES_OF_CONVOLUTIONS:
        return result.be("number") | result.mark("whole")
    return False


# Methods of tensors that give a whole number, a truth value, a tensor of as many dimensions, or of so many.
_WHOLE = frozenset("dim nDimension nElement numel storageOffset getDevice".split())
_TRUTHS = frozenset("isContiguous isSameSizeAs isSetTo isSize equal all any isTensor".split())
_OF_SAME_RANK = frozenset(COMPARISONS) | frozenset(
    """apply byte char clone cuda cumprod cumsum double expand expandAs float index int inverse long map map2 narrow
    permute renorm short sub t transpose typeAs""".split()
)
_RANKS = dict.fromkeys("addmv maskedSelect mv range".split(), 1) | dict.fromkeys(
    "addmm addr ger mm".split(), 2
)


def tensor_method(node: Invoke, receiver: Type, arguments: list[Type], results: list[Type]) -> bool:
    method, result = node.method, results[0]
    of_which = gives_last(method, [argument.kind for argument in arguments])
    if of_which:  # what is only so on the CPU is not known here
        return unify(result, arguments[-1]) if of_which == "always" else False
    if method in ("size", "stride"):
        if node.arguments:
            return result.be("number") | result.mark("whole")
        return result.be("storage")
    if method == "storage" and not node.arguments:
        return result.be("memory")
    if method == "data" and not node.arguments:
        return result.be("pointer")
    if method == "type" and node.arguments:
        return result.be("tensor") | same_rank(result, receiver)
    if method in ("type", "__tostring"):
        return result.be("string")
    if method in _WHOLE:
        return result.be("number") | result.mark("whole")
    if method in _TRUTHS:
        return result.be("boolean")
    if method in ("max", "min", "sort", "topk", "median", "mode", "kthvalue") and (
        node.arguments or method in ("sort", "topk", "median", "mode", "kthvalue")
    ):
        news = False
        widen(results, 2)
        for output in results[:2]:
            news |= output.be("tensor") | same_rank(output, receiver) | _along(node.arguments[:1], output)
        return news | results[1].mark("places")
    if (
        method in ("sum", "mean", "std", "var", "prod", "norm")
        and len(node.arguments) - (method == "norm") > 0
        and not isinstance(node.arguments[0], tree.Boolean)  # x:std(true), of all elements
    ):
        along = _along(node.arguments[method == "norm" :][:1], result)
        return result.be("tensor") | same_rank(result, receiver) | along
    if method in library.NUMBER_METHODS:
        return result.be("number")
    if method == "expandAs" and arguments:
        return result.be("tensor") | same_rank(result, arguments[0])
    if method in _OF_SAME_RANK or method in ELEMENTWISE:
        return result.be("tensor") | same_rank(result, receiver)
    if method in _RANKS:
        return result.be("tensor") | result.be_rank(_RANKS[method])
    if method == "unfold":
        return result.be("tensor") | (result.be_rank(receiver.rank + 1) if receiver.rank else False)
    if method == "select":
        news = result.be("number" if receiver.rank == 1 else "tensor")
        return news | (result.be_rank(receiver.rank - 1) if receiver.rank else False)
    if method in ("view", "reshape", "resize", "viewAs", "resizeAs", "repeatTensor"):
        news = result.be("tensor")
        if method in ("resize", "resizeAs") and not receiver.find().ranks and len(result.find().ranks) == 1:
            news |= same_rank(receiver, result)
        if method in ("viewAs", "resizeAs") and arguments:
            return news | same_rank(result, arguments[0])
        if method == "view" and len(arguments) == 1 and arguments[0].kind == "number":
            return news | result.be_rank(1)
        if (
            arguments
            and all(argument.kind == "number" for argument in arguments)
            and not may_be_more(node.arguments)
        ):
            return news | result.be_rank(len(arguments))
        return news
    if method == "squeeze":  # a number, where there is only one
        if node.arguments:
            return result.be("tensor") | _less_one(result, receiver)
        return result.mark("squeezed")
    if method == "multinomial":
        result.find().tensor_type = "Long"
        return result.be("tensor") | same_rank(result, receiver) | result.mark("places")
    if method in library.TENSOR_LISTS:
        elements = result.of_elements()
        news = result.be_list("tensor")
        return news | same_rank(elements, receiver)
    if method == "nonzero":
        result.find().tensor_type = "Long"
        return result.be("tensor") | result.be_rank(2) | result.mark("places")
    if method == "totable":
        news, inner = False, result
        for _ in range((receiver.rank or 1) - 1):
            news |= inner.be_list()
            inner = inner.of_elements()
        return news | inner.be_list("number")
    if method == "diag":  # of a matrix, or the matrix of one
        return result.be("tensor") | (receiver.rank in (1, 2) and result.be_rank(3 - receiver.rank))
    if method in library.TENSOR_METHODS:
        return unify(result, receiver)
    return False


_REDUCED = ("sum", "mean", "prod", "std", "var", "max", "min", "norm")


def is_reduction(node: tree.Expression) -> bool:
    """``x:sum(1)``"""
    return isinstance(node, Invoke) and node.method in _REDUCED and bool(node.arguments)


def squeezed(node: Invoke, receiver: Type, result: Type) -> bool:
    """The guess for ``x:sum(1):squeeze()``: what is summed over one of several dimensions has more than one element.

    A vector's sum has one, which is a number then.
    """
    if result.kind not in (None, "tensor") or result.find().ranks or not is_reduction(node.receiver):
        return False
    if receiver.kind == "tensor" and receiver.rank == 1 and result.kind is None:
        return result.be("number")
    if receiver.kind != "tensor" or (receiver.rank or 0) < 2:
        return False
    return result.be("tensor") | _less_one(result, receiver)


def _less_one(result: Type, receiver: Type) -> bool:
    return result.be_rank(receiver.rank - 1) if receiver.rank is not None and receiver.rank > 1 else False


def output_kind(module: Type, input_type: Type) -> str | None:
    """Whether a module gives a "tensor", "steps" (a table with one for each step) or a "tuple"."""
    return _OutputKinds(input_type).of(module)


class _OutputKinds:
    """What modules give that are given the same. Each is looked at once: a variable used for several modules may seem
    to hold itself, and then nothing is known of it."""

    def __init__(self, input_type: Type) -> None:
        self.input_type = input_type
        self.known: dict[Type, str | None] = {}

    def of(self, module: Type) -> str | None:
        module = module.find()
        if module in self.known:
            return self.known[module]
        self.known[module] = None  # while it is being looked at
        self.known[module] = kind = self._of(module)
        return kind

    def _of(self, module: Type) -> str | None:
        layers = module.layers
        if module.classes and not layers:
            return "tuple" if module.of_field("output").kind == "table" else "tensor"
        # an empty container in a variable that is given a model later stands in for it
        filled = [layer for layer in layers if layer.children or not facts.is_chain(layer.name)] or layers
        kinds = {self._of_layer(layer) for layer in filled}
        return kinds.pop() if len(kinds) == 1 else None

    def _of_layer(self, layer: Description) -> str | None:
        name = layer.name
        if facts.applies_to_steps(name):
            return self._of_each_step(self.input_type.kind)
        kind = {"steps": "steps", "table": "tuple"}.get(facts.gives(name))
        if kind is not None:
            return kind
        if facts.is_graph(name):
            return graph_output(layer)
        if facts.is_chain(name):
            return self._of_chain(layer, layer.children)
        if facts.gives(name) == "same":
            return "tensor" if self.input_type.kind == "tensor" else None
        return "tensor"

    def _of_chain(self, chain: Description, children: Sequence[Type]) -> str | None:
        """What the last child gives of those whose output is not of the same kind as their input."""
        for index in range(len(children) - 1, -1, -1):
            child = children[index]
            if any(child.find() is entry.find() for entry in chain.in_turn) and child.find().layers:
                kind = self._of_last(child)
            else:
                kind = self.of(child)
            if any(facts.applies_to_steps(layer.name) for layer in child.find().layers):
                before = self._of_chain(chain, children[:index])
                return kind if before in ("same", None) else self._of_each_step(before)
            if kind != "same":
                return kind
        return "same" if chain.children else None

    @staticmethod
    def _of_each_step(input_kind: str | None) -> str:
        """What a module gives that is applied to each step: of a tensor a tensor, of a table a table."""
        return "tensor" if input_kind == "tensor" else "steps"

    def _of_last(self, child: Type) -> str | None:
        """What the last of several layers gives that are added one after the other."""
        if child.find() in self.known:
            return self.of(child)
        self.known[child.find()] = None
        kind = self._of_layer(max(child.find().layers, key=lambda one: one.call.span.start))
        del self.known[child.find()]
        return kind


def graph_output(layer: Description) -> str | None:
    """Whether a graph gives a "tensor" (it has one output) or a "tuple"; None where that is not plain to see."""
    if len(layer.call.arguments) < 2:
        return None
    outputs = layer.call.arguments[1]
    if isinstance(outputs, tree.Table):
        return "tensor" if len(outputs.fields) == 1 else "tuple"
    return "tuple"  # a list that the program fills


def keeps_rank(module: Type) -> bool:
    """Whether the output of a chain of simple layers has as many dimensions as its input."""
    return all(
        part.layers
        and all(facts.keeps_rank(layer.name) or facts.is_wrapping(layer.name) for layer in part.layers)
        for part in all_parts(module)
    )
