"""Containers and wrappers: written as what is in them."""

from __future__ import annotations

from typing import Any

from torch7py.translate.facts import layers as facts
from torch7py.translate.layers.in_place import (
    KEPT_INPUT,
    in_place,
    may_keep_input,
    refuse_shared_input,
)
from torch7py.translate.layers.registry import (
    Expr,
    GraphNode,
    Layer,
    NotNative,
    Use,
    Value,
    fields,
    natives,
    structure,
)
from torch7py.translate.layers.writer import Writer
from torch7py.translate.patching import altered


@structure("nn.Sequential")
def sequential(layer: Layer, x: Value, w: Writer) -> Value:
    for child in layer.children:
        x = w.apply(child, x)
    return x


@structure("nn.ConcatTable")
def concat_table(layer: Layer, x: Value, w: Writer) -> Value:
    refuse_shared_input(layer)
    x = w.reused(x, len(layer.children))
    return tuple(w.apply(child, x) for child in layer.children)


@structure("nn.ParallelTable")
def parallel_table(layer: Layer, x: Value, w: Writer) -> Value:
    parts = w.entries(x, None if isinstance(x, tuple) else len(layer.children), layer)
    return tuple(w.apply(child, part) for child, part in zip(layer.children, parts, strict=False))


@structure("nn.Concat", live=fields("dimension"))
def concat(layer: Layer, x: Value, w: Writer) -> Value:
    refuse_shared_input(layer)
    x = w.reused(x, len(layer.children))
    parts = [w.as_expr(w.apply(child, x)) for child in layer.children]
    shaped = Layer(layer.name, shape_in=layer.child(0).shape_out)
    axis = Use(w, shaped, parts[0]).axis(layer.args.value("dimension"))
    return w.called(f"torch.cat(({', '.join(p.text for p in parts)}), dim={axis})", *parts)


@structure("nn.DepthConcat", live=fields("dimension"))
def depth_concat(layer: Layer, x: Value, w: Writer) -> Value:
    refuse_shared_input(layer)
    x = w.reused(x, len(layer.children))
    parts = [w.as_expr(w.apply(child, x)) for child in layer.children]
    axis = layer.args.value("dimension")
    if w.depth or axis is None or axis < 1:
        raise NotNative("nn.DepthConcat in a Sequencer, or along a dimension from the end")
    w.helpers["depth_concat"] = None
    return w.called(f"depth_concat(({', '.join(p.text for p in parts)}), dim={axis - 1})", *parts)


@structure("nn.Parallel", live=fields("inputDimension", "outputDimension"))
def parallel(layer: Layer, x: Value, w: Writer) -> Value:
    if isinstance(x, tuple):
        raise NotNative("nn.Parallel is given a table")
    use = Use(w, layer, x)
    axis = use.axis(layer.args.value("inputDimension"))
    count = len(layer.children)
    shape = layer.shape_in
    if isinstance(shape, tuple):
        count = min(count, shape[axis])
    parts = tuple(w.fresh(ndim=None if use.ndim is None else use.ndim - 1, lead=x.lead) for _ in range(count))
    w.emit(f"{x.operand}.unbind({axis})" if axis else x.text, *parts)
    outputs = [w.as_expr(w.apply(child, part)) for child, part in zip(layer.children, parts, strict=False)]
    shaped = Layer(layer.name, shape_in=layer.child(0).shape_out)
    out = Use(w, shaped, outputs[0]).axis(layer.args.value("outputDimension"))
    return w.called(f"torch.cat(({', '.join(p.text for p in outputs)}), dim={out})", *outputs)


@structure("nn.MapTable", live=lambda m: {"module": m.module, "shared": m.shared})
def map_table(layer: Layer, x: Value, w: Writer) -> Value:
    if layer.args.get("shared", "True") == "False":
        raise NotNative("nn.MapTable whose clones do not share their parameters")
    child = layer.slot("module") if "module" in layer.slots else layer.child(0)
    if isinstance(x, tuple):
        return tuple(w.apply(child, part) for part in x)
    if x.lead > w.depth:  # steps: the same module at each
        with altered(w, depth=w.depth + 1):
            return w.apply(child, x)
    item = w.fresh("item")
    output = w.alone(lambda: w.apply(child, item))
    if not isinstance(output, Expr):
        raise NotNative("nn.MapTable of a module that gives tables")
    return Expr(f"tuple({output.text} for {item.text} in {x.text})")


@structure("nngraph.JustElement")
def just_element(layer: Layer, x: Value, w: Writer) -> Value:
    return x[0] if isinstance(x, tuple) else w.entries(x, 1, layer)[0]


@structure("nngraph.JustTable")
def just_table(layer: Layer, x: Value, w: Writer) -> Value:
    return (x,)


@structure("nn.gModule", live=lambda m: {})
def graph(layer: Layer, x: Value, w: Writer) -> Value:
    """The nodes one after the other, each value under its node's name where it has one or is used twice."""
    nodes = layer.nodes
    if not nodes:
        raise NotNative("nn.gModule: its graph is known only from a saved model")
    uses = [0] * len(nodes)
    for node in nodes:
        for source in node.sources:
            uses[source] += 1
    values: list[Value] = []
    for number, node in enumerate(nodes):
        if not node.sources:
            value = x
        elif len(node.sources) == 1:
            value = values[node.sources[0]]
        else:
            value = tuple(values[source] for source in node.sources)
        if node.layer is not None:
            if in_place(node.layer) and any(_is_shared(nodes, uses, source) for source in node.sources[:1]):
                for earlier in {
                    source for later in nodes[number:] for source in later.sources if source < number
                }:
                    values[earlier] = w.name_all(values[earlier])  # computed before it is written over
                value = _over_input(node.layer, value, w, node.name)
            else:
                value = w.apply(node.layer, value, node.name)
        elif node.select is not None:
            if isinstance(value, Expr):
                raise NotNative("nn.gModule: a node selects of a value that was not split")
            value = value[node.select]
        if node.splits is not None or (number == 0 and _selected(nodes, 0)):
            count = node.splits or _selected(nodes, number)
            names = _names_of_parts(nodes, number)
            value = w.entries(value, count, layer, names)
        elif uses[number] > 1 or (node.name and node.layer is not None and _worth_a_name(node)):
            value = w.name_all(value, node.name)
        values.append(value)
    return values[-1]


def _is_shared(nodes: list[GraphNode], uses: list[int], number: int) -> bool:
    """Whether other nodes look at a node's value, too, or at one in whose memory it lies."""
    node = nodes[number]
    if uses[number] > 1:
        return True
    lies_there = node.layer is None or facts.shares_memory(node.layer.name)
    return lies_there and any(_is_shared(nodes, uses, source) for source in node.sources)


def _over_input(layer: Layer, x: Value, w: Writer, hint: str) -> Expr:
    """A layer that writes over what other nodes are given, which they see from there on."""
    if isinstance(x, tuple) or not w.is_name(x) or not may_keep_input(layer):
        raise NotNative(f"nn.gModule: {layer.name} writes over what other nodes are given")
    output = w.named(w.as_expr(w.apply(layer, x)), hint)
    w.emit(f"{x.text}.data.copy_({output.text}.data)", comment=KEPT_INPUT)
    return output


def _selected(nodes: list[GraphNode], number: int) -> int:
    """How many entries of a node's value other nodes select."""
    return sum(1 for node in nodes if node.sources == [number] and node.select is not None)


def _names_of_parts(nodes: list[GraphNode], number: int) -> dict[int, str]:
    """The names of the entries of a split: those of the nodes that select them, or of what follows alone."""
    names = {}
    for position, node in enumerate(nodes):
        if node.sources == [number] and node.select is not None:
            name = node.name
            if not name:
                after = [n for n in nodes if n.sources == [position]]
                if len(after) == 1 and after[0].layer is not None and after[0].layer.name == "nn.Identity":
                    name = after[0].name
            names[node.select] = name
    return names


def _worth_a_name(node: GraphNode) -> bool:
    return node.layer is not None and node.layer.name != "nn.Identity"


@structure("nn.Bottle", live=lambda m: {"module": m.child_list()[0], "nInputDim": m.nInputDim})
def bottle(layer: Layer, x: Value, w: Writer) -> Value:
    """Leading dimensions as one: where the module takes any number of them, they stay."""
    child = layer.slot("module")
    if child.name in natives and w.native(child).over_time and isinstance(x, Expr):
        return w.apply(child, x)
    if isinstance(x, tuple) or w.depth:
        raise NotNative("nn.Bottle of a module that does not take any number of leading dimensions")
    dims = layer.args.value("nInputDim", 2)
    x = w.named(x)
    folded = Expr(f"{x.text}.flatten(0, {-dims})", ndim=dims)
    output = w.apply(child, folded)
    if not isinstance(output, Expr):
        raise NotNative("nn.Bottle of a module that gives a table")
    return Expr(f"{output.operand}.unflatten(0, {x.text}.shape[:{1 - dims or ''}])", heavy=output.heavy)


def _inner(module: Any) -> dict[str, Any]:
    return {"module": module.child_list()[0]}


def transparent(layer: Layer, x: Value, w: Writer) -> Value:
    """A wrapper that computes what its module does."""
    return w.apply(layer.slot("module") if layer.slots else layer.child(0), x)


for name in ("nn.Decorator", "nn.DontCast", "nn.GPU", "nn.NaN", "nn.Profile", "nn.Serial"):
    structure(name, live=_inner)(transparent)
