"""Table layers: taken apart and put together as tuples, arithmetic on their entries, products of two."""

from __future__ import annotations

from typing import Any

from torch7py.translate.layers.registry import (
    Args,
    Expr,
    Layer,
    Native,
    NotNative,
    Use,
    Value,
    fields,
    native,
    structure,
)
from torch7py.translate.layers.writer import Writer


@structure("nn.SelectTable", live=fields("index"))
def select_table(layer: Layer, x: Value, w: Writer) -> Value:
    if not layer.args.is_literal("index"):
        return _selected(layer, x, w)
    index = layer.args.value("index")
    if not isinstance(index, int):
        raise NotNative("nn.SelectTable by a key")
    number = index if index < 0 else index - 1
    if isinstance(x, tuple):
        return x[number]
    if x.lead > w.depth:
        inner = ":, " * w.depth
        return Expr(f"{x.operand}[{inner}{number}]", x.ndim, x.lead - 1, x.heavy)
    shape = layer.shape_in
    if isinstance(shape, list) and not w.depth:
        return w.entries(x, len(shape), layer)[number]
    return Expr(f"{x.operand}[{number}]", lead=x.lead)


def _selected(layer: Layer, x: Value, w: Writer) -> Value:
    """The entry at a place that the program computes, counted from 1, or from -1 back from the end."""
    place = layer.args.index if layer.args.index.isidentifier() else f"({layer.args.index})"
    number = f"{place} - ({place} > 0)"
    if isinstance(x, Expr) and not x.lead and not w.depth:
        return Expr(f"{x.operand}[{number}]")
    if isinstance(x, tuple) and all(isinstance(entry, Expr) for entry in x):
        return Expr(f"({', '.join(str(entry) for entry in x)})[{number}]")
    raise NotNative(f"nn.SelectTable by a number that is computed: {layer.args.index}")


@structure("nn.NarrowTable", live=fields("offset", "length"))
def narrow_table(layer: Layer, x: Value, w: Writer) -> Value:
    start = layer.args.value("offset") - 1
    stop = start + layer.args.value("length", 1)
    if isinstance(x, tuple):
        return x[start:stop]
    if x.lead > w.depth:
        return Expr(f"{x.operand}[{':, ' * w.depth}{start}:{stop}]", x.ndim, x.lead, x.heavy)
    if isinstance(layer.shape_in, list):
        return w.entries(x, None, layer)[start:stop]
    return Expr(f"{x.operand}[{start}:{stop}]", lead=x.lead)


def leaves(x: Value, shape: Any, w: Writer, layer: Layer) -> list[Expr]:
    if isinstance(x, tuple):
        parts: tuple[Value, ...] = x
    elif isinstance(shape, list):
        parts = w.entries(x, len(shape), layer)
    else:
        return [x]
    shapes = shape if isinstance(shape, list) else [None] * len(parts)
    return [leaf for part, inner in zip(parts, shapes, strict=True) for leaf in leaves(part, inner, w, layer)]


@structure("nn.FlattenTable")
def flatten_table(layer: Layer, x: Value, w: Writer) -> Value:
    if isinstance(x, Expr) and not isinstance(layer.shape_in, list):
        raise NotNative("nn.FlattenTable: the nesting of its input is not known")
    return tuple(leaves(x, layer.shape_in, w, layer))


@structure("nn.ZipTable")
def zip_table(layer: Layer, x: Value, w: Writer) -> Value:
    if w.depth == 0 and isinstance(x, tuple) and all(isinstance(p, Expr) and p.lead for p in x):
        return (
            x  # tables of steps, which become steps of tables: both are a tuple of tensors with a time axis
        )
    of_program = w.depth == 0 and layer.module is None and layer.shape_in is None
    if of_program and isinstance(x, tuple) and all(isinstance(part, Expr) for part in x):
        return tuple(w.steps(part, layer) for part in x)  # tables of tables are of steps
    rows = []
    outer = w.entries(x, None, layer)
    for number, part in enumerate(outer):
        shape = layer.shape_in[number] if isinstance(layer.shape_in, list) else None
        rows.append(w.entries(part, len(shape) if shape else None, layer))
    return tuple(zip(*rows, strict=True))


@structure("nn.ZipTableOneToMany")
def zip_one_to_many(layer: Layer, x: Value, w: Writer) -> Value:
    one, many = w.entries(x, 2, layer)
    shape = layer.shape_in[1] if isinstance(layer.shape_in, list) else None
    one = w.reused(one, 2)
    return tuple((one, other) for other in w.entries(many, len(shape) if shape else None, layer))


@structure("nn.ReverseTable")
def reverse_table(layer: Layer, x: Value, w: Writer) -> Value:
    if isinstance(x, tuple):
        return x[::-1]
    if isinstance(layer.shape_in, list) and not x.lead and len({str(s) for s in layer.shape_in}) > 1:
        return w.entries(x, None, layer)[::-1]
    steps = w.steps(x, layer)
    assert isinstance(steps, Expr)
    return Expr(f"{steps.operand}.flip({w.depth})", steps.ndim, steps.lead, steps.heavy)


@native("nn.JoinTable", live=fields("dimension", "nInputDims"))
def join_table(args: Args) -> Native:
    dim, dims = args.value("dimension"), args.value("nInputDims")

    def call(use: Use) -> Expr:
        axis = use.axis(dim, dims)
        shape = use.layer.shape_out
        ndim = len(shape) if isinstance(shape, tuple) else None
        if use.is_steps:
            x = use.tensor
            if dim == 1 and not use.writer.depth and (dims is None or use.ndim == dims):
                return Expr(f"{x.operand}.flatten(0, 1)", ndim=ndim)
            return Expr(f"torch.cat(tuple({x.text}), dim={axis if axis < 0 else dim - 1})", ndim=ndim)
        x = use.writer.as_expr(use.x)
        # What the model is given may be steps, as one tensor.
        text = f"tuple({x.text})" if use.x is x else x.text
        return Expr(f"torch.cat({text}, dim={axis})", ndim=ndim)

    return Native(call=call, over_time=True, steps=True)


@structure("nn.SplitTable", live=fields("dimension", "nInputDims"))
def split_table(layer: Layer, x: Value, w: Writer) -> Value:
    """The slices of a dimension: as steps, with that dimension in front."""
    if isinstance(x, tuple):
        raise NotNative("nn.SplitTable is given a table")
    if x.lead > w.depth:
        x = Expr(x.text, None if x.ndim is None else x.ndim + 1, w.depth, x.heavy, x.binds)
    use = Use(w, layer, x)
    dim, dims = layer.args.value("dimension"), layer.args.value("nInputDims")
    axis = use.axis(dim, dims)
    ndim = use.ndim
    if ndim == 1:
        return Expr(f"{x.operand}.unsqueeze(-1)", 1, x.lead + 1, x.heavy)
    inner = None if ndim is None else ndim - 1
    if ndim is not None and axis < 0 and ndim + axis == 0:
        axis = w.depth
    if axis == w.depth:
        return Expr(x.text, inner, x.lead + 1, x.heavy, x.binds)
    parts = x.rows if axis == w.depth + 1 and x.rows else f"{x.operand}.unbind({axis})"
    return Expr(f"{x.operand}.movedim({axis}, {w.depth})", inner, x.lead + 1, x.heavy, parts=parts)


# -- arithmetic ----------------------------------------------------------------------------------------------------


def operands(use: Use, count: int | None = None) -> list[Expr] | None:
    """The entries, those of other shapes than the first in its shape; None where their number is not known."""
    shapes = use.layer.shape_in
    if isinstance(use.x, Expr) and not isinstance(shapes, list) and count is None:
        return None
    if use.is_steps and count is None:
        return None
    parts = [use.writer.as_expr(part) for part in use.entries(count)]
    if isinstance(shapes, list) and len(shapes) == len(parts):
        first = shapes[0]
        for number, shape in enumerate(shapes):
            if shape != first:
                head = use.writer.named(parts[0])
                parts[0] = head
                parts[number] = Expr(f"{parts[number].operand}.reshape({head.text}.shape)")
    return parts


def arithmetic(name: str, operator: str, whole: str, count: int | None = None) -> None:
    """Register an operation between entries; ``whole`` is its form for a tensor of steps."""

    def call(use: Use) -> Expr:
        parts = operands(use, count)
        if parts is None:
            x = use.tensor
            if use.is_steps and whole:
                return Expr(f"{x.operand}.{whole}({use.writer.depth})", x.ndim)
            if operator == "+":
                return Expr(f"sum({x.text})")
            if operator == "*":
                factors = use.writer.named(x).text
                return Expr(f"math.prod({factors}[1:], start={factors}[0])")
            raise NotNative(f"{name}: the number of its inputs is not known")
        texts = [part.beside(operator, number > 0) for number, part in enumerate(parts)]
        return Expr(f" {operator} ".join(texts), binds=operator)

    native(name)(lambda args: Native(call=call, over_time=True, steps=True))


arithmetic("nn.CAddTable", "+", "sum")
arithmetic("nn.CMulTable", "*", "prod")
arithmetic("nn.CSubTable", "-", "", 2)
arithmetic("nn.CDivTable", "/", "", 2)


def extreme(name: str, function: str) -> None:
    def call(use: Use) -> Expr:
        parts = operands(use)
        if parts is None:
            if use.is_steps:
                kind = "max" if function == "torch.maximum" else "min"
                return Expr(f"{use.tensor.operand}.{kind}({use.writer.depth}).values")
            return Expr(f"functools.reduce({function}, {use.writer.as_expr(use.x)})")
        text = parts[0].text
        for part in parts[1:]:
            text = f"{function}({text}, {part.text})"
        return Expr(text)

    native(name)(lambda args: Native(call=call, over_time=True, steps=True))


extreme("nn.CMaxTable", "torch.maximum")
extreme("nn.CMinTable", "torch.minimum")


@structure("nn.CAddTensorTable")
def add_tensor_table(layer: Layer, x: Value, w: Writer) -> Value:
    one, many = w.entries(x, 2, layer)
    shape = layer.shape_in[1] if isinstance(layer.shape_in, list) else None
    vector = w.named(w.as_expr(one))
    parts = w.entries(many, len(shape) if shape else None, layer)
    return tuple(Expr(f"{w.as_expr(part).beside('+')} + {vector}", binds="+") for part in parts)


@native("nn.MixtureTable", live=fields("dim"))
def mixture_table(args: Args) -> Native:
    def call(use: Use) -> str:
        gater, experts = use.entries(2)
        shapes = use.layer.shape_in
        gate = use.writer.as_expr(gater)
        batched = use.ndim is None or use.ndim == 2
        if isinstance(experts, tuple) or (isinstance(shapes, list) and isinstance(shapes[1], list)):
            text = use.writer.as_expr(experts).text
            experts_text = f"torch.stack({text}, dim={int(batched)})"
            inner = shapes[1][0] if isinstance(shapes, list) and shapes[1] else None
            ndim = len(inner) + 1 if inner else None
        else:
            experts_text = use.writer.as_expr(experts).text
            ndim = len(shapes[1]) if isinstance(shapes, list) and isinstance(shapes[1], tuple) else None
        if ndim is None and args.get("dim", "") == "":
            use.writer.helpers["mixture"] = None
            return f"mixture({gate.text}, {use.writer.as_expr(experts).text})"
        if ndim is None:
            raise NotNative("nn.MixtureTable: the shape of the experts is not known")
        dim = args.value("dim", 1 + batched) - 1
        weights = gate.operand
        for axis in range(ndim):
            if axis != dim and not (batched and axis == 0):
                weights += f".unsqueeze({axis})"
        return f"({weights} * {experts_text}).sum({dim})"

    return Native(call=call)


# -- products and distances of two -------------------------------------------------------------------------------------


def pair(use: Use) -> tuple[Expr, Expr]:
    a, b = (use.writer.as_expr(part) for part in use.entries(2))
    return a, b


@native("nn.MM", live=fields("transA", "transB"))
def matrix_product(args: Args) -> Native:
    def call(use: Use) -> Expr:
        a, b = pair(use)
        left = a.operand + ".mT" if args.value("transA", False) else a.beside("@")
        right = b.operand + ".mT" if args.value("transB", False) else b.beside("@", True)
        return Expr(f"{left} @ {right}", binds="@")

    return Native(call=call, over_time=True)


@native("nn.MV", live=fields("trans"))
def matrix_vector(args: Args) -> Native:
    def call(use: Use) -> Expr:
        a, b = pair(use)
        left = a.operand + ".mT" if args.value("trans", False) else a.beside("@")
        if use.ndim == 2 and not use.lead:
            return Expr(f"{left} @ {b.beside('@', True)}", binds="@")
        return Expr(f"({left} @ {b.operand}.unsqueeze(-1)).squeeze(-1)")

    return Native(call=call, over_time=True, ndim=-1)


@native("nn.DotProduct")
def dot_product(args: Args) -> Native:
    def call(use: Use) -> str:
        a, b = pair(use)
        return use.numbers(f"({a.operand} * {b.operand}).sum(-1)")

    return Native(call=call, over_time=True, ndim=1)
