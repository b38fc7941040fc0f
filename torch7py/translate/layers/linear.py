"""Linear layers and embeddings."""

from __future__ import annotations

from typing import Any

from torch7py.translate.layers.registry import Args, Expr, Native, Use, native

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


@native("nn.LinearNoBias", live=_sizes)
def linear_no_bias(args: Args) -> Native:
    return linear(Args({**args.texts, "bias": "False"}))


def _table(module: Any) -> dict[str, Any]:
    found = {"nIndex": module.weight.shape[0], "nOutput": module.weight.shape[1]}
    return found | {name: getattr(module, name) for name in ("paddingValue", "maxNorm", "normType")}


def _rows(use: Use) -> Expr:
    """The row numbers of item numbers, which count from 1."""
    x = use.tensor
    whole = use.writer.is_whole(x)
    return Expr(f"{use.me}({x.operand if whole else x.operand + '.long()'} - 1)")


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
    return Native(
        make=f"nn.Embedding({args.nIndex}, {args.nOutput}{more})",
        call=_rows,
        weights={"weight": "weight"},
        over_time=True,
        heavy=True,
        name="lookup",
        ndim=-1,
        comment="items count from 1",
    )


def minus_one(text: str) -> str:
    """A 1-based position as a 0-based one."""
    return str(int(text) - 1) if text.isdigit() else f"{text} - 1"
