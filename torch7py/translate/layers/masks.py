"""Layers that take rows of zeros for no data."""

from __future__ import annotations

from typing import Any

import torch

from torch7py.translate.facts import layers as facts
from torch7py.translate.layers.linear import limit
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


@structure("nn.MaskZero", live=lambda m: {"module": m.child_list()[0], "nInputDim": m.nInputDim})
def mask_zero(layer: Layer, x: Value, w: Writer) -> Value:
    """Rows of zeros give zeros, and no gradient; the parameters' gradient does not know of the mask."""
    if isinstance(x, tuple) or layer.args.get("nInputDim") != "1":
        raise NotNative("nn.MaskZero of other than vectors")
    child = layer.slot("module")
    if child.name == "nn.Sequential" and child.children and _is_by_rows(child, w):
        # Inside, the gradients are of what the mask has left; so they are for the last layer if it has no weights.
        if w.native(child.child(-1)).weights:
            raise NotNative("nn.MaskZero of several layers, the last with weights")
        x = w.named(x)
        y = w.as_expr(w.apply(child, x))
        return Expr(f"{y.operand}.masked_fill(({x} == 0).all(-1, keepdim=True), 0)", y.ndim, y.lead)
    by_rows = child.name in natives and w.native(child).over_time
    if w.depth and not by_rows and not facts.carries(child.name):
        raise NotNative("nn.MaskZero, in a Sequencer, of a layer that looks at other rows")
    x = w.named(x)
    mask = w.fresh("mask")
    w.emit(f"({x} == 0).all(-1, keepdim=True)", mask)
    y = w.named(w.as_expr(w.apply(child, Expr(f"torch.where({mask}, {x}.detach(), {x})", x.ndim, x.lead))))
    if w.depth and not by_rows:  # what it keeps from step to step is not masked, its gradient is
        return Expr(f"{y}.masked_fill({mask}, 0)", y.ndim, y.lead)
    return Expr(f"{y} - {y}.detach() * {mask}", y.ndim, y.lead, binds="-")


def _is_by_rows(layer: Layer, w: Writer) -> bool:
    """Whether each row of what a layer, or a chain of layers, gives depends on that row of its input alone."""
    if layer.name == "nn.Sequential":
        return all(_is_by_rows(child, w) for child in layer.children)
    return layer.name in natives and w.native(layer).over_time


def _masked_table(module: Any) -> dict[str, Any]:
    return {"nIndex": module.weight.shape[0] - 1, "nOutput": module.weight.shape[1]}


def _without_first(module: Any) -> torch.Tensor:
    """The rows of a table whose first is zeros."""
    return torch.cat([torch.zeros_like(module.weight[:1]), module.weight[1:]])


@structure("nn.TrimZero", live=lambda m: {"module": m.child_list()[0], "nInputDim": m.nInputDim})
def trim_zero(layer: Layer, x: Value, w: Writer) -> Value:
    """Rows of zeros give zeros, as if they were not there."""
    child = layer.slot("module")
    if isinstance(x, tuple) or layer.args.get("nInputDim") != "1" or w.depth or child.name not in natives:
        raise NotNative("nn.TrimZero of other than vectors, or of more than one layer")
    if not w.native(child).over_time:
        raise NotNative("nn.TrimZero of a layer that looks at other rows")
    x = w.named(x)
    y = w.as_expr(w.apply(child, x))
    return Expr(f"{y.operand}.masked_fill(({x} == 0).all(-1, keepdim=True), 0)", y.ndim)


@native("nn.LookupTableMaskZero", live=_masked_table)
def masked_lookup_table(args: Args) -> Native:
    def call(use: Use) -> str:
        x = use.tensor
        return f"{use.me}({x})" if use.writer.is_whole(x) else f"{use.me}({x.operand}.long())"

    size = str(int(args.nIndex) + 1) if args.nIndex.isdigit() else f"{args.nIndex} + 1"
    return Native(
        make=f"nn.Embedding({size}, {args.nOutput}, padding_idx=0)",
        call=call,
        weights={"weight": _without_first},
        over_time=True,
        heavy=True,
        name="lookup",
        ndim=-1,
        setup=limit(args),
        comment="item 0 is zeros",
    )
