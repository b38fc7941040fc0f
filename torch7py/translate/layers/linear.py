"""Linear layers and embeddings."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from torch7py.translate.layers.registry import (
    Args,
    Expr,
    Layer,
    Native,
    NotNative,
    Use,
    Value,
    native,
    natives,
    structure,
)
from torch7py.translate.layers.writer import Writer

BOTH = {"weight": "weight", "bias": "bias"}


def _sizes(module: Any) -> dict[str, Any]:
    """The sizes and the bias of a layer with a weight (outputSize, inputSize)."""
    outputs, inputs = module.weight.shape
    return {"inputSize": inputs, "outputSize": outputs, "bias": module.bias is not None}


@native("nn.Linear", live=_sizes)
def linear(args: Args) -> Native:
    plain = args.value("bias", True)
    return Native(
        make=f"nn.Linear({args.inputSize}, {args.outputSize}{'' if plain else ', bias=False'})",
        weights=BOTH if plain else {"weight": "weight"},
        over_time=True,
        heavy=True,
        name="linear",
    )


@native("nn.LinearNoBias", "nn.LinearNB", live=_sizes)
def linear_no_bias(args: Args) -> Native:
    return linear(Args({**args.texts, "bias": "False"}))


def _table(module: Any) -> dict[str, Any]:
    args = {"nIndex": module.weight.shape[0], "nOutput": module.weight.shape[1]}
    args |= {name: getattr(module, name) for name in ("paddingValue", "maxNorm", "normType")}
    return args | {"scaleGradByFreq": bool(module.shouldScaleGradByFreq)}


def _rows(use: Use) -> Expr:
    """The row numbers of item numbers, which count from 1."""
    x = use.tensor
    whole = use.writer.is_whole(x)
    ndim = None if use.ndim is None else use.ndim + 1
    return Expr(f"{use.me}({x.beside('-') if whole else x.operand + '.long()'} - 1)", ndim=ndim)


@native("nn.LookupTable", live=_table)
def lookup_table(args: Args) -> Native:
    more = ""
    padding = args.get("paddingValue", "0")
    if padding != "0":
        more += f", padding_idx={minus_one(padding)}"
    if "maxNorm" in args:
        more += f", max_norm={args.maxNorm}"
        if args.get("normType", "2") not in ("2", "2.0"):
            more += f", norm_type={args.normType}"
    if args.get("scaleGradByFreq", "False") == "True":
        more += ", scale_grad_by_freq=True"
    padded = padding != "0"
    return Native(
        make=f"{'' if padded else 'nn.'}Embedding({args.nIndex}, {args.nOutput}{more})",
        helpers=("Embedding",) if padded else (),
        call=_rows,
        weights={"weight": "weight"},
        over_time=True,
        heavy=True,
        name="lookup",
        ndim=-1,
        setup=limit(args),
        comment="items count from 1",
    )


def limit(args: Args) -> tuple[str, ...]:
    """The field of a table that says how long its rows may be, for the helper that shortens weights."""
    if "maxOutNorm" not in args:
        return ()
    return (f"{{self}}.longest = {args.maxOutNorm}  # of a column, for limit_norms",)


def minus_one(text: str) -> str:
    """A 1-based position as a 0-based one."""
    return str(int(text) - 1) if text.isdigit() else f"{text} - 1"


@native(
    "nn.Bilinear",
    live=lambda m: (
        dict(zip(("outputSize", "inputSize1", "inputSize2"), m.weight.shape, strict=True))
        | {"bias": m.bias is not None}
    ),
)
def bilinear(args: Args) -> Native:
    plain = args.get("bias", "True") == "True"

    def call(use: Use) -> str:
        a, b = (use.writer.as_expr(part) for part in use.entries(2))
        return f"{use.me}({a}, {b})"

    sizes = f"{args.inputSize1}, {args.inputSize2}, {args.outputSize}"
    return Native(
        make=f"nn.Bilinear({sizes}{'' if plain else ', bias=False'})",
        call=call,
        weights=BOTH if plain else {"weight": "weight"},
        over_time=True,
        heavy=True,
        name="bilinear",
    )


def _partial(module: Any) -> dict[str, Any]:
    whole = module.partition.numel() == module.outputsize
    args = {"inputsize": module.inputsize, "outputsize": module.outputsize, "bias": module.bias is not None}
    return args if whole else args | {"partition": module.partition}


@native("nn.PartialLinear", live=_partial)
def partial_linear(args: Args) -> Native:
    if "partition" in args:
        raise NotNative("nn.PartialLinear of which some outputs are chosen")
    plain = args.get("bias", "True") == "True"
    weights: dict[str, Any] = {"weight": lambda m: m.torch7_parameters()[0][0]}
    if plain:
        weights["bias"] = lambda m: m.bias.reshape(-1)
    return Native(
        make=f"PartialLinear({args.inputsize}, {args.outputsize}{'' if plain else ', bias=False'})",
        helpers=("PartialLinear",),
        weights=weights,
        over_time=True,
        heavy=True,
        name="linear",
    )


def _maxout(module: Any) -> dict[str, Any]:
    children = module.child_list()
    number, outputs = children[1].size.sizes()
    args = {"inputSize": children[0].weight.shape[1], "outputSize": outputs, "maxoutNumber": number}
    return args if len(children) == 3 else args | {"preprocess": "given"}


@native("nn.Maxout", live=_maxout)
def maxout(args: Args) -> Native:
    if "preprocess" in args:
        raise NotNative("nn.Maxout with a module before the maximum")
    size = f"{args.outputSize} * {args.maxoutNumber}"
    if args.is_literal("outputSize") and args.is_literal("maxoutNumber"):
        size = str(args.value("outputSize") * args.value("maxoutNumber"))
    return Native(
        make=f"nn.Linear({args.inputSize}, {size})",
        call=f"{{self}}({{x}}).unflatten(-1, ({args.maxoutNumber}, {args.outputSize})).max(-2).values",
        weights={
            "weight": lambda m: m.child_list()[0].weight,
            "bias": lambda m: m.child_list()[0].bias,
        },
        over_time=True,
        heavy=True,
        name="maxout",
    )


@native("nn.SparseLinear", live=lambda m: {"inputSize": m.weight.shape[1], "outputSize": m.weight.shape[0]})
def sparse_linear(args: Args) -> Native:
    return Native(
        make=f"SparseLinear({args.inputSize}, {args.outputSize})",
        weights=BOTH,
        helpers=("SparseLinear",),
        heavy=True,
        name="linear",
    )


def _weight_normed(module: Any) -> dict[str, Any]:
    return {
        "inputSize": module.inputSize,
        "outputSize": module.outputSize,
        "bias": module.bias is not None,
    }


@native("nn.LinearWeightNorm", live=_weight_normed)
def linear_weight_norm(args: Args) -> Native:
    plain = args.get("bias", "True") == "True"
    return Native(
        make=f"nn.utils.parametrizations.weight_norm(nn.Linear({args.inputSize}, {args.outputSize}"
        f"{'' if plain else ', bias=False'}))",
        weights={
            "parametrizations.weight.original0": lambda m: m.g.reshape(-1, 1),
            "parametrizations.weight.original1": lambda m: m.v,
        }
        | ({"bias": "bias"} if plain else {}),
        over_time=True,
        heavy=True,
        name="linear",
    )


@structure("nn.WeightNorm", live=lambda m: {"module": m.child_list()[0], "outputDim": m.outputDim})
def weight_norm(layer: Layer, x: Value, w: Writer) -> Value:
    child = layer.slot("module")
    inner = w.native(child) if child.name in natives else None
    if inner is None or set(inner.weights) - {"weight", "bias"} or layer.args.get("outputDim", "1") != "1":
        raise NotNative("nn.WeightNorm of a layer with other than a weight of rows and a bias")

    def of_inner(take: Any) -> Any:
        def inner_weight(m: Any) -> Any:
            module = m.child_list()[0]
            return getattr(module, take) if isinstance(take, str) else take(module)

        return inner_weight

    def lengths(m: Any) -> Any:
        weight = of_inner(inner.weights["weight"])(m)
        return m.g.reshape(-1, *[1] * (weight.dim() - 1))

    normed = replace(
        inner,
        make=f"weight_normed({inner.make})",
        helpers=(*inner.helpers, "weight_normed"),
        weights={
            "parametrizations.weight.original0": lengths,
            "parametrizations.weight.original1": lambda m: m.v.reshape(
                of_inner(inner.weights["weight"])(m).shape
            ),
        }
        | ({"bias": of_inner(inner.weights["bias"])} if "bias" in inner.weights else {}),
    )
    return w.call(layer, normed, x)


@native("nn.Constant", live=lambda m: {"value": m.value, "nInputDim": m.nInputDim})
def constant(args: Args) -> Native:
    dims = args.value("nInputDim")

    def call(use: Use) -> str:
        x = use.tensor
        if dims is None or (use.ndim is not None and use.ndim <= dims):
            return use.me
        return f"{use.me}.expand(len({x}), *{use.me}.shape)"

    value = args.get("value")
    if re.fullmatch(r"-?\d+(?:\.\d*)?", value or ""):  # one number is a tensor of one element
        value = f"torch.tensor([{float(value)}])"
    return Native(
        make=f"nn.Buffer({value})",
        call=call,
        constants={"": lambda m: m.value},
        name="constant",
        ndim=-1,
    )
