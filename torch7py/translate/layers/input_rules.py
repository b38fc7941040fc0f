"""What a layer says about its input's sizes, given what the layer after it takes.

Most is told by the facts of the register: the axes of an example, and what a container does with its modules. Layers
whose arguments decide have rules of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from torch7py.nn.facts import Facts
from torch7py.translate.facts.layers import facts_of
from torch7py.translate.input_sizes import Shape, Sizes, Wanted
from torch7py.translate.layers.registry import Layer
from torch7py.translate.registering import registering

__all__ = ["wanted"]

Rule: TypeAlias = "Callable[[Layer, Wanted, Sizes], Wanted]"

_RULES: dict[str, Rule] = {}
rule = registering(_RULES)


def wanted(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    """What a layer takes, when its output goes to something that takes ``after``. By default the same."""
    handler = _RULES.get(layer.name)
    if handler is not None:
        return handler(layer, after, sizes)
    facts = facts_of(layer.name)
    if facts is None:
        return after
    container = _CONTAINERS.get(facts.parts)
    if container is not None:
        return container(layer, after, sizes)
    if facts.items:
        return _items(layer, facts.items, after, sizes)
    if facts.example != "any":
        return _example(layer, facts, after, sizes)
    if facts.parts == "built" and (layer.children or layer.slots):
        return _wrapper(layer, after, sizes)
    if facts.takes == "table" and facts.gives == "tensor":
        part = after if isinstance(after, Shape) and len(after.sizes) > 1 else None
        return [part, part]
    return after


def _example(layer: Layer, facts: Facts, after: Wanted, sizes: Sizes) -> Wanted:
    """A batch of examples. Planes of images that no argument tells are as many as are wanted of them."""
    axes = facts.example.split()
    dims = []
    for at, axis in enumerate(axes, 1):
        if len(axis) > 1:
            size = _number(layer, axis)
            if size is None:
                return after
        elif axis == "C":
            alike = isinstance(after, Shape) and len(after.sizes) == len(axes) + 1
            size = after.sizes[at] if alike and isinstance(after, Shape) else 4
        else:
            size = sizes.side
        dims.append(size)
    if facts.takes == "sequence":
        return Shape((sizes.steps, sizes.batch, *dims))
    return Shape((sizes.batch, *dims))


def _number(layer: Layer, argument: str) -> int | None:
    """A size that the layer says; None where it does not."""
    text = layer.args.texts.get(argument, "")
    return int(text) if text.isdigit() and int(text) > 0 else None


def _items(layer: Layer, argument: str, after: Wanted, sizes: Sizes) -> Wanted:
    leading: tuple[int, ...] = (sizes.batch, sizes.steps)
    if isinstance(after, Shape) and len(after.sizes) > 1:
        leading = after.sizes[:-1]
    elif isinstance(after, list):  # of steps, taken of one tensor
        leading = (sizes.steps, sizes.batch)
    return Shape(leading, _number(layer, argument) or 1)


# -- containers --------------------------------------------------------------------------------------------------------


def _sequential(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    for child in reversed(layer.children):
        after = wanted(child, after, sizes)
    return after


def _branches(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    parts = after if isinstance(after, list) else []
    return _known(
        wanted(child, parts[n] if n < len(parts) else None, sizes) for n, child in enumerate(layer.children)
    )


def _entries(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    parts = after if isinstance(after, list) else []
    return [
        wanted(child, parts[n] if n < len(parts) else None, sizes) for n, child in enumerate(layer.children)
    ]


def _slices(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    part = _known(wanted(child, None, sizes) for child in layer.children)
    if not isinstance(part, Shape):
        return None
    at = layer.args.value("inputDimension", 1) - 1
    if not 0 <= at <= len(part.sizes):
        return None
    return Shape((*part.sizes[:at], len(layer.children), *part.sizes[at:]), part.whole)


def _per_entry(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    """The same for each entry, or for each step of a sequence; a step that is repeated for the one that there is."""
    inner = layer.slots.get("module") or layer.slots.get("forward")
    part = wanted(inner if inner is not None else layer.child(0), None, sizes)
    facts = facts_of(layer.name)
    if facts is not None and facts.takes == "table":
        return [part] * 2
    if facts is not None and facts.takes != "steps":
        return part
    if isinstance(part, Shape) and part.whole:  # an item of each sequence at each step
        part = Shape((sizes.batch,), part.whole)
    return [part] * sizes.steps


def _known(options: Iterator[Wanted]) -> Wanted:
    """The one of several wishes for the same value that says most."""
    best: Wanted = None
    for option in options:
        if best is None or (isinstance(option, list) and not isinstance(best, list)):
            best = option
    return best


def _inner(layer: Layer) -> Layer:
    return layer.slots["module"] if "module" in layer.slots else layer.child(0)


def _wrapper(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    return wanted(_inner(layer), after, sizes)


def _graph(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    """What the graph's first node takes, from its last to its first."""
    nodes = layer.nodes
    users: list[list[int]] = [[] for _ in nodes]
    for number, node in enumerate(nodes):
        for source in node.sources:
            users[source].append(number)

    takes: dict[int, Wanted] = {}  # what the layer of a node takes

    def output(number: int) -> Wanted:
        """What becomes of a node's value."""
        wishes: list[Wanted] = []
        parts: dict[int, Wanted] = {}
        for user in users[number]:
            node = nodes[user]
            wish = takes[user]
            if node.layer is None and node.select is not None:
                parts[node.select] = wish
            elif len(node.sources) > 1:
                at = node.sources.index(number)
                wishes.append(wish[at] if isinstance(wish, list) and at < len(wish) else None)
            else:
                wishes.append(wish)
        if parts:
            return [parts.get(n) for n in range(max(parts) + 1)]
        return _known(iter(wishes))

    for number in reversed(range(len(nodes))):
        node = nodes[number]
        after_it = output(number) if users[number] else after
        takes[number] = after_it if node.layer is None else wanted(node.layer, after_it, sizes)
    return takes[0]


_CONTAINERS: dict[str, Rule] = {
    "chain": _sequential,
    "branches": _branches,
    "entries": _entries,
    "slices": _slices,
    "each": _per_entry,
    "one": _wrapper,
    "graph": _graph,
}


# -- layers whose arguments decide -------------------------------------------------------------------------------------


@rule("nn.PReLU")
def _planes(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    planes = _number(layer, "nOutputPlane")
    return after if planes is None else Shape((sizes.batch, planes))


@rule("nn.OneHot")
def _classes(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    return Shape((sizes.batch,), _number(layer, "outputSize") or 1)


@rule("nn.Bilinear")
def _bilinear(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    return [Shape((sizes.batch, _number(layer, name) or 1)) for name in ("inputSize1", "inputSize2")]


@rule("nn.CReLU")
def _doubled(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    dims = _number(layer, "nInputDims") or 1
    rank = len(after.sizes) if isinstance(after, Shape) else 0
    return after if rank == dims + 1 else Shape((sizes.batch, 4, *[sizes.side] * (dims - 1)))


@rule("nn.SpatialConvolutionMap", "nn.SpatialFullConvolutionMap")
def _mapped(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    starts = [int(text) for text in re.findall(r"\[(\d+), \d+\]", layer.args.get("conMatrix", ""))]
    return Shape((sizes.batch, max(starts, default=1), sizes.side, sizes.side))


@rule("nn.CAdd", "nn.CMul")
def _broadcast_weights(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    """Weights of these sizes, repeated along those that are 1."""
    weight_sizes = [int(size) for size in re.findall(r"\d+", layer.args.get("sizes", ""))]
    if len(weight_sizes) == 1:
        return Shape((sizes.batch, weight_sizes[0]))
    free = [sizes.batch] + [sizes.side] * len(weight_sizes)
    return Shape(tuple(size if size > 1 else free[n] for n, size in enumerate(weight_sizes)))


@rule("nn.Recurrent")
def _recurrent(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    return wanted(layer.slots["input"], None, sizes) if "input" in layer.slots else None


@rule("nn.Recurrence")
def _recurrence(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    """The module takes the input and its last output."""
    inputs = wanted(_inner(layer), None, sizes)
    return inputs[0] if isinstance(inputs, list) and inputs else None


# -- shapes ------------------------------------------------------------------------------------------------------------


@rule("nn.View", "nn.Reshape")
def _reshape(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    """As many elements for each example, in one row: what a batch is viewed as may be any shape."""
    count = 1
    for size in re.findall(r"-?\d+", layer.args.get("sizes", "")):
        count *= int(size) if int(size) > 0 else 1
    if isinstance(after, Shape) and len(after.sizes) > 1:
        count = 1
        for size in after.sizes[1:]:
            count *= size
        return Shape((after.sizes[0], count), after.whole)
    return Shape((sizes.batch, count)) if count > 1 else after


@rule("nn.Transpose")
def _transpose(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    if not isinstance(after, Shape):
        return after
    shape = list(after.sizes)
    for a, b in reversed(layer.args.value("permutations", [])):
        if max(a, b) > len(shape):
            return None
        shape[a - 1], shape[b - 1] = shape[b - 1], shape[a - 1]
    return Shape(tuple(shape), after.whole)


@rule("nn.SplitTable")
def _split(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    if not isinstance(after, list) or not after or not isinstance(after[0], Shape):
        return None
    part = after[0]
    at = layer.args.value("dimension", 1)
    inner = layer.args.texts.get("nInputDims")
    at = at - 1 if at > 0 else len(part.sizes) + 1 + at
    if inner is not None and inner.isdigit() and len(part.sizes) == int(inner):
        at += 1
    if not 0 <= at <= len(part.sizes):
        return None
    return Shape((*part.sizes[:at], len(after), *part.sizes[at:]), part.whole)


@rule("nn.Unsqueeze")
def _unsqueeze(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    at = layer.args.value("pos", 1) - 1
    if not isinstance(after, Shape) or not 0 <= at < len(after.sizes):
        return None
    return Shape(after.sizes[:at] + after.sizes[at + 1 :], after.whole)


# -- tables ------------------------------------------------------------------------------------------------------------


@rule("nn.JoinTable")
def _join(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    """Two parts that make up what is wanted."""
    if not isinstance(after, Shape):
        return [None, None]
    at = layer.args.value("dimension", 1)
    inner = layer.args.texts.get("nInputDims")
    at = at - 1 if at > 0 else len(after.sizes) + at
    if inner is not None and inner.isdigit() and len(after.sizes) == int(inner) + 1:
        at += 1
    if not 0 <= at < len(after.sizes) or after.sizes[at] < 2:
        return None
    first = after.sizes[at] // 2
    return [
        Shape((*after.sizes[:at], part, *after.sizes[at + 1 :]), after.whole)
        for part in (first, after.sizes[at] - first)
    ]


@rule("nn.SelectTable")
def _select_table(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    at = layer.args.texts.get("index", "")
    if not re.fullmatch(r"-?[1-9]\d*", at):
        return None
    count = max(abs(int(at)), 2)
    parts: list[Wanted] = [None] * count
    parts[int(at) - 1 if int(at) > 0 else int(at)] = after
    return parts


@rule("nn.MixtureTable")
def _mixture(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    experts = after if isinstance(after, Shape) else None
    return [Shape((sizes.batch, 2)), [experts, experts]]
