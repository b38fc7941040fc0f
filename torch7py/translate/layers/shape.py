"""The same elements in other shapes, parts of a tensor, and a dimension down to one number."""

from __future__ import annotations

import math
import re
from typing import Any

from torch7py.translate.layers.registry import (
    Args,
    Expr,
    Native,
    NotNative,
    Use,
    Value,
    fields,
    items,
    native,
    structure,
)
from torch7py.translate.layers.registry import Layer as Layer
from torch7py.translate.layers.writer import Writer


@structure("nn.Identity", "nn.Contiguous", "nn.PrintSize", "nn.CopyGrad")
def identity(layer: Layer, x: Value, w: Writer) -> Value:
    return x


@native("nn.Copy", live=lambda m: {"outtype": str(m.output.dtype), "intype": str(m.gradInput.dtype)})
def copy(args: Args) -> Native:
    """Only the number type may change."""
    kinds = {"Float": "float32", "Double": "float64", "Long": "int64", "Int": "int32", "Byte": "uint8"}
    target = args.value("outtype") if args.is_literal("outtype") else args.outtype
    for short, dtype in kinds.items():
        if target in (f"torch.{short}Tensor", f"torch.{dtype}"):
            return Native(call=f"{{(x)}}.to(torch.{dtype})", over_time=True)
    if target in ("", None, "None"):
        return Native(call="{(x)}.to(torch.get_default_dtype(), copy=True)", over_time=True)
    if str(target).startswith("torch.Cuda"):
        return Native(call="{(x)}.cuda()", over_time=True)
    raise NotNative(f"nn.Copy to {target}")


# -- View, Reshape and their kin ----------------------------------------------------------------------------------


def _whole(sizes: list[str]) -> int | None:
    """The number of elements, where all sizes are written out, as products too, and none is -1."""
    factors = [factor.strip() for size in sizes for factor in size.split("*")]
    if all(factor.isdigit() for factor in factors):
        return math.prod(map(int, factors))
    return None


def batch_of(use: Use, sizes: list[str], per_example: bool) -> str:
    """The examples of a batch in another shape: ``per_example`` says that what an example has stays together."""
    x, lead = use.tensor, use.lead
    if per_example and use.ndim == 1 and sizes == ["1"]:
        return f"{x.operand}.unsqueeze(-1)"
    if per_example and len(sizes) == 1:
        return x.text if use.ndim == 2 else f"{x.operand}.flatten({1 + lead})"
    if per_example and use.ndim == 2:
        return f"{x.operand}.unflatten(-1, ({', '.join(sizes)}))"
    if per_example and (lead or "-1" in sizes):
        return f"{x.operand}.flatten({1 + lead}).unflatten(-1, ({', '.join(sizes)}))"
    if lead:
        x = use.writer.named(x)
        return f"{x}.reshape(len({x}), -1, {', '.join(sizes)})"
    return f"{x.operand}.reshape(-1, {', '.join(sizes)})"


def _alone(use: Use) -> int:
    """How many dimensions of an example end here, where it may be one or several; 0 where that is not so."""
    dims = use.writer.example or (3 if use.writer.images else 0)
    return dims if dims > 1 and use.shape is None and use.ndim in (dims, dims + 1) and not use.lead else 0


def _is_row(use: Use) -> bool:
    """Whether a vector comes, or a vector and a batch of such in turn."""
    example = use.writer.example
    return bool(example) and (use.ndim == 1 or (example == 1 and use.ndim is None and use.shape is None))


def _flattened(use: Use, dims: int) -> Expr:
    return Expr(f"{use.tensor.operand}.flatten({-dims})", ndim=1 if use.ndim == dims else -1)


def _view(module: Any) -> dict[str, Any]:
    return {"sizes": list(module.size.sizes()), "numInputDims": module.numInputDims}


@native("nn.View", live=_view)
def view(args: Args) -> Native:
    sizes = items(args.sizes)
    dims = args.value("numInputDims") if "numInputDims" in args else None
    if "resized" in args:  # by the program, as it goes
        more = "" if dims is None else f", dims={dims}"
        return Native(
            make=f"ResizedView({', '.join(sizes)}{more})", helpers=("ResizedView",), name="view", ndim=-1
        )

    def call(use: Use) -> Expr:
        shape = use.shape
        ndim = len(sizes)
        single = f"{use.tensor.operand}.reshape({', '.join(sizes)})"
        if dims is not None:
            batch = use.ndim is None or use.ndim > dims
            if len(sizes) == 1 and dims > 1 and not use.lead and use.ndim in (None, dims, dims + 1):
                # of one example, or of several
                return Expr(f"{use.tensor.operand}.flatten({-dims})", ndim=ndim + batch)
            if batch and use.ndim is not None and use.ndim > dims + 1:
                return Expr(f"{use.tensor.operand}.reshape(-1, {', '.join(sizes)})", ndim=ndim + 1)
            return Expr(batch_of(use, sizes, True) if batch else single, ndim=ndim + batch)
        count = _whole(sizes)
        if count is None:  # with a -1, or not known: an example is not told from a batch
            if use.lead:
                return Expr(f"{use.tensor.operand}.flatten({use.lead}).unflatten(-1, ({', '.join(sizes)}))")
            # Planes of one example or of several.
            if "-1" not in sizes and shape is None and use.ndim in (3, 4):
                x = use.writer.named(use.tensor).text
                return Expr(f"{x}.reshape(*{x}.shape[:-3], {', '.join(sizes)})", ndim=-1)
            if "-1" not in sizes and shape is None and use.ndim is None:
                use.writer.helpers["viewed"] = None
                return Expr(f"viewed({use.tensor}, {', '.join(sizes)})", ndim=-1)
            return Expr(single, ndim=ndim)
        if shape is not None and math.prod(shape) == count and shape[0] != 1:
            if use.lead:
                single = f"{use.tensor.operand}.flatten({use.lead}).unflatten(-1, ({', '.join(sizes)}))"
            return Expr(single, ndim=ndim)
        if len(sizes) == 1 and (dims_alone := _alone(use)):
            return _flattened(use, dims_alone)
        if len(sizes) == 1 and _is_row(use):
            return use.tensor
        kept = shape is not None and math.prod(shape[1:]) == count
        return Expr(batch_of(use, sizes, kept or bool(use.lead)), ndim=ndim + 1)

    return Native(call=call, over_time=True)


def _reshape(module: Any) -> dict[str, Any]:
    return {"sizes": list(module.size.sizes()), "batchMode": module.batchMode}


@native("nn.Reshape", live=_reshape)
def reshape(args: Args) -> Native:
    sizes = items(args.sizes)
    mode = args.value("batchMode") if "batchMode" in args else None
    if sizes and sizes[-1] in ("True", "False"):
        mode = sizes.pop() == "True"

    def call(use: Use) -> Expr:
        shape, batch = use.shape, mode
        if batch is None and len(sizes) == 1 and (dims := _alone(use)):
            return _flattened(use, dims)
        if batch is None and len(sizes) == 1 and _is_row(use):
            return use.tensor
        if batch is None:
            count = _whole(sizes)
            batch = shape is None or math.prod(shape) != count or shape[0] == 1
        if batch:
            x = use.tensor
            rows = (
                f"{x.operand}.chunk({sizes[0]}, dim={1 + use.lead})"
                if len(sizes) == 2 and use.ndim in (2, None)
                else ""
            )
            return Expr(batch_of(use, sizes, True), ndim=len(sizes) + 1, rows=rows)
        if use.lead:
            return Expr(f"{use.tensor.operand}.flatten({use.lead}).unflatten(-1, ({', '.join(sizes)}))")
        return Expr(f"{use.tensor.operand}.reshape({', '.join(sizes)})", ndim=len(sizes))

    return Native(call=call, over_time=True)


@native("nn.Collapse", live=fields("nInputDim"))
def collapse(args: Args) -> Native:
    dims = args.value("nInputDim")

    def call(use: Use) -> Expr:
        batch = use.ndim is None or use.ndim > dims
        start = use.lead + batch
        return Expr(f"{use.tensor.operand}.flatten({start or ''})", ndim=1 + batch)

    return Native(call=call, over_time=True)


@native("nn.Squeeze", live=fields("dim", "numInputDims"))
def squeeze(args: Args) -> Native:
    dim, dims = args.value("dim"), args.value("numInputDims")

    def call(use: Use) -> Expr:
        x = use.tensor.operand
        if dim is not None:
            return Expr(f"{x}.squeeze({use.axis(dim, dims)})")
        shape = use.shape
        if shape is None:
            if use.lead or dims is not None:
                raise NotNative("nn.Squeeze of all dimensions: which they are is not known")
            return Expr(f"{x}.squeeze()")
        batch = dims is not None and len(shape) == dims + 1
        ones = [axis - len(shape) for axis, size in enumerate(shape) if size == 1 and (axis or not batch)]
        if len(ones) == len(shape):
            ones = ones[1:]
        return Expr(f"{x}.squeeze({ones[0] if len(ones) == 1 else tuple(ones)})" if ones else x)

    return Native(call=call, over_time=True, ndim=-1)


@native("nn.Unsqueeze", live=fields("pos", "numInputDims"))
def unsqueeze(args: Args) -> Native:
    pos, dims = args.value("pos"), args.value("numInputDims")

    def call(use: Use) -> Expr:
        position = pos - 1 + use.lead if dims is None or use.ndim == dims else pos - dims - 2
        return Expr(
            f"{use.tensor.operand}.unsqueeze({position})", ndim=None if use.ndim is None else use.ndim + 1
        )

    return Native(call=call, over_time=True)


@native("nn.Transpose", live=lambda m: {"permutations": m.permutations, "numInputDims": m.numInputDims})
def transpose(args: Args) -> Native:
    written = args.value("permutations", ())
    pairs = [tuple(pair) for pair in written if isinstance(pair, (tuple, list))]
    if len(pairs) != len(written) or any(len(pair) != 2 for pair in pairs):
        raise NotNative(f"the form depends on the dimensions, which are no pairs: {args.permutations}")
    dims = args.value("numInputDims")

    def call(use: Use) -> str:
        text = use.tensor.operand
        for a, b in pairs:
            axes = [use.axis(d, dims) for d in (a, b)]
            text += f".transpose({axes[0]}, {axes[1]})"
        return text

    return Native(call=call, over_time=True)


@native("nn.Replicate", live=fields("dim", "ndim", nf="nfeatures"))
def replicate(args: Args) -> Native:
    dim, dims = args.value("dim", 1), args.value("ndim")

    def call(use: Use) -> Expr:
        x, ndim = use.tensor, use.ndim
        batch = dims is not None and (ndim is None or ndim > dims)
        position = dim - 1 + batch + use.lead
        if ndim is None:
            return Expr(f"torch.stack([{x}] * {args.nf}, dim={position})")
        sizes = ["-1"] * (ndim + use.lead)
        sizes.insert(position, args.nf)
        return Expr(f"{x.operand}.unsqueeze({position}).expand({', '.join(sizes)})", ndim=ndim + 1)

    return Native(call=call, over_time=True)


@native("nn.Padding", live=fields("dim", "pad", "nInputDim", "value", "index"))
def padding(args: Args) -> Native:
    dim, dims = args.value("dim"), args.value("nInputDim")
    index, filling = args.value("index", 1), args.get("value", "0")
    is_known = args.is_literal("pad")
    pad = args.value("pad") if is_known or index != 1 else 0

    def call(use: Use) -> str:
        ndim = use.ndim
        if ndim is None and dims is None:
            raise NotNative("nn.Padding: the number of dimensions of its input is not known")
        total = ndim if ndim is not None else dims + 1
        axis = dim - 1 + (dims is not None and total != dims) - total
        x = use.tensor
        if index == 1:
            own: list[Any] = [0, pad] if pad > 0 else [-pad, 0]
            if not is_known:
                text = args.pad if re.fullmatch(r"-?[\w.]+", args.pad) else f"({args.pad})"
                own = [f"max({text[1:] if text[0] == '-' else f'-{text}'}, 0)", f"max({text}, 0)"]
            sides = [0, 0] * (-axis - 1) + own
            more = "" if filling == "0" else f", value={filling}"
            return f"F.pad({x}, ({', '.join(map(str, sides))}){more})"
        use.writer.helpers["pad_inside"] = None
        at = 1 - index if pad > 0 else index - 1
        return f"pad_inside({x}, {axis}, {at}, {abs(pad)}, {filling})"

    return Native(call=call, over_time=True)


@native("nn.Convert", live=fields("inputShape", "outputShape"))
def convert(args: Args) -> Native:
    source, target = args.value("inputShape", "b*"), args.value("outputShape", "b*")
    source, target = (s if "b" in s else "b" + s for s in (source, target))

    def call(use: Use) -> str:
        x = use.tensor
        if use.ndim is not None and "*" not in source and use.ndim < len(source):
            raise NotNative("nn.Convert of a single example")
        if source == target:
            return x.text
        if sorted(source) == sorted(target):
            if len(source) == 2:
                return f"{x.operand}.t()"
            return f"{x.operand}.permute({', '.join(str(source.index(c)) for c in target)})"
        if target == "bf" and source != "bt":
            text = x.operand
            if source.index("b"):
                text += f".transpose(0, {source.index('b')})"
            return f"{text}.unsqueeze(-1)" if len(source) == 1 else f"{text}.flatten(1)"
        if target == "b" and len(source) == 2:
            return f"{x.operand}.select({1 - source.index('b')}, 0)"
        if target == "bt" and source == "b":
            return f"{x.operand}.unsqueeze(1)"
        raise NotNative(f"nn.Convert of {source} to {target}")

    return Native(call=call, ndim=-1)


# -- parts ---------------------------------------------------------------------------------------------------------


def position(text: str) -> str:
    """A 1-based position, or one from the end, as Python counts."""
    try:
        number = int(text)
    except ValueError:
        return f"{text} - 1"
    return str(number if number < 0 else number - 1)


@native("nn.Select", live=fields("dimension", "index"))
def select(args: Args) -> Native:
    dim = args.value("dimension")

    def call(use: Use) -> Expr:
        axis, index = use.axis(dim), position(args.index)
        x = use.tensor.operand
        ndim = None if use.ndim is None else use.ndim - 1
        if axis == 0:
            return Expr(f"{x}[{index}]", ndim=ndim)
        if axis in (1, 2):
            return Expr(f"{x}[{':, ' * axis}{index}]", ndim=ndim)
        return Expr(f"{x}[..., {index}]" if axis == -1 else f"{x}.select({axis}, {index})", ndim=ndim)

    return Native(call=call, over_time=True)


@native("nn.Narrow", live=fields("dimension", "length", offset="index"))
def narrow(args: Args) -> Native:
    dim = args.value("dimension")

    def call(use: Use) -> str:
        axis = use.axis(dim)
        length, offset = args.get("length", "1"), args.offset
        if length.startswith("-") or offset.startswith("-"):
            start, count = args.value("offset"), args.value("length", 1)
            if start < 0:
                raise NotNative("nn.Narrow with an offset from the end")
            stop = count + 1
            piece = f"{start - 1 or ''}:{stop or ''}"
            where = f"..., {piece}" if axis == -1 else ":, " * axis + piece
            if axis < -1:
                raise NotNative("nn.Narrow along a dimension from the end with a length from the end")
            return f"{use.tensor.operand}[{where}]"
        return f"{use.tensor.operand}.narrow({axis}, {position(offset)}, {length})"

    return Native(call=call, over_time=True)


@native("nn.Index", live=fields("dimension"))
def index(args: Args) -> Native:
    dim = args.value("dimension")

    def call(use: Use) -> str:
        x, numbers = (use.writer.as_expr(part) for part in use.entries(2))
        long = "" if use.writer.is_whole(numbers) else ".long()"
        return f"{x.operand}.index_select({use.axis(dim)}, {numbers.operand}{long} - 1)"

    return Native(call=call, ndim=-1)


@native("nn.MaskedSelect")
def masked_select(args: Args) -> Native:
    def call(use: Use) -> Expr:
        x, mask = (use.writer.as_expr(part) for part in use.entries(2))
        return Expr(f"{x.operand}[{mask.operand}.bool()]", ndim=1)

    return Native(call=call)


@native("nn.OneHot", live=fields("outputSize"))
def one_hot(args: Args) -> Native:
    def call(use: Use) -> str:
        x = use.tensor
        long = "" if use.writer.is_whole(x) else ".long()"
        return f"F.one_hot({x.operand}{long} - 1, {args.outputSize}).to(torch.get_default_dtype())"

    return Native(call=call, over_time=True, ndim=-1)


@native("nn.SeqReverseSequence", live=fields("dim"))
def reverse(args: Args) -> Native:
    dim = args.value("dim")
    return Native(call=lambda use: f"{use.tensor.operand}.flip({use.axis(dim)})", over_time=True)


# -- reductions ----------------------------------------------------------------------------------------------------


def _reduction(name: str, live: Any, write: Any) -> None:
    @native(name, live=live)
    def rule(args: Args) -> Native:
        dim, dims = args.value("dimension", 1), args.value("nInputDims")

        def call(use: Use) -> Expr:
            keep = args.get("squeeze", "True") == "False" or use.ndim == 1
            axis = use.axis(dim, dims)
            ndim = None if use.ndim is None else use.ndim - (not keep)
            return Expr(write(use.tensor.operand, axis, ", keepdim=True" if keep else "", args), ndim=ndim)

        return Native(call=call, over_time=True)


def _sum(x: str, axis: int, keep: str, args: Args) -> str:
    averaged = args.value("sizeAverage", False)
    return f"{x}.{'mean' if averaged else 'sum'}({axis}{keep})"


_reduction("nn.Sum", fields("dimension", "nInputDims", "sizeAverage", "squeeze"), _sum)
_reduction("nn.Mean", fields("dimension", "nInputDims", "squeeze"), lambda x, d, k, a: f"{x}.mean({d}{k})")
_reduction("nn.Max", fields("dimension", "nInputDims"), lambda x, d, k, a: f"{x}.max({d}{k}).values")
_reduction("nn.Min", fields("dimension", "nInputDims"), lambda x, d, k, a: f"{x}.min({d}{k}).values")
