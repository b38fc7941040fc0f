"""Elementwise functions."""

from __future__ import annotations

from torch7py.translate.layers.registry import Args, Native, Use, native


def function(name: str, call: str, binds: str = "") -> None:
    """Register a layer that is a call of a function, or an operation."""
    native(name)(lambda args: Native(call=call, binds=binds, over_time=True))


function("nn.Tanh", "torch.tanh({x})")
function("nn.Sigmoid", "torch.sigmoid({x})")
function("nn.LogSigmoid", "F.logsigmoid({x})")


def _classes(use: Use) -> int:
    """The axis of the classes: of a vector or a batch of them the last, of images the third last."""
    return -3 if use.ndim in (3, 4) else -1


@native("nn.LogSoftMax")
def log_soft_max(args: Args) -> Native:
    return Native(call=lambda use: f"F.log_softmax({use.tensor}, dim={_classes(use)})", over_time=True)
