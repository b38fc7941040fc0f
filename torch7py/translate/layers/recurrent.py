"""Recurrent layers and sequencers: a time axis in the place of a table of steps."""

from __future__ import annotations

from typing import Any

import torch

from torch7py.translate.layers.registry import Args, Expr, Layer, Native, NotNative, Value, structure
from torch7py.translate.writer import Writer


def _sequencer(module: Any) -> dict[str, Any]:
    return {"module": module.child_list()[0], "remember": module.__dict__["_remember"]}


@structure("nn.Sequencer", live=_sequencer)
def sequencer(layer: Layer, x: Value, w: Writer) -> Value:
    steps = w.steps(x, layer)
    kept, w.remembers = w.remembers, layer.args.value("remember", "neither") not in ("neither", "eval")
    w.depth += 1
    try:
        return w.apply(layer.slots["module"], steps)
    finally:
        w.depth -= 1
        w.remembers = kept


@structure("nn.Recursor", live=lambda m: {"module": m.step_module})
def recursor(layer: Layer, x: Value, w: Writer) -> Value:
    return w.apply(layer.slots["module"], x)


# The gates in PyTorch's order (input, forget, cell, output) of a FastLSTM's (input, cell, forget, output).
FAST_GATES = (0, 2, 1, 3)


def gates(value: torch.Tensor, order: tuple[int, ...], dim: int = 0) -> torch.Tensor:
    """The parts of a weight that belong to the gates, in another order."""
    parts = value.chunk(len(order), dim)
    return torch.cat([parts[number] for number in order], dim)


def run(
    layer: Layer, native: Native, x: Value, w: Writer, state: str = "tuple(s.detach() for s in {})"
) -> Expr:
    """A recurrent child over a sequence, or over one step from the state that it was left in.

    The child is called as PyTorch's recurrent modules are: ``outputs, state = child(sequence[, state])``.
    ``state`` is how its state is cut off from the graph.
    """
    step = None if layer.module is None else layer.module.step_module
    if step is not None and step.torch7_name in ("nn.MaskZero", "nn.TrimZero"):
        raise NotNative(f"{layer.name} with a mask inside")
    for name in native.helpers:
        w.helpers[name] = None
    me = w.child(layer, native)
    sequence = w.as_expr(x)
    if sequence.heavy:
        sequence = w.named(sequence)
    target = w.fresh(lead=sequence.lead)
    if w.depth > 1:
        raise NotNative(f"{layer.name} in a Sequencer of a Sequencer")
    if w.depth == 0:
        kept = w.attribute("state")
        w.emit(f"{me}({sequence.operand}.unsqueeze(0), {kept})", target, extra=f", {kept}")
        return Expr(f"{target.text}.squeeze(0)", ndim=sequence.ndim)
    if w.remembers:
        kept = w.attribute("state")
        new = w.fresh("state")
        w.emit(f"{me}({sequence.text}, {kept})", target, new)
        w.emit(f"{kept} = {state.format(new.text)}")
    else:
        w.emit(f"{me}({sequence.text})", target, extra=", _")
    return target


def _sizes(module: Any) -> dict[str, Any]:
    return {
        name: getattr(module, name)
        for name in ("inputSize", "outputSize", "p", "mono", "eps", "momentum", "affine", "cell2gate")
        if name in module.__dict__
    }


def outputs_of(args: Args) -> str:
    """The size of the output, by default that of the input."""
    return args.get("outputSize", args.inputSize)


@structure("nn.FastLSTM", live=_sizes)
def fast_lstm(layer: Layer, x: Value, w: Writer) -> Value:
    if layer.args.get("p", "0") not in ("0", "0.0"):
        raise NotNative("nn.FastLSTM with dropout inside")
    if layer.module is not None and layer.module.__dict__.get("bn"):
        raise NotNative("nn.FastLSTM with batch normalization inside")
    native = Native(
        make=f"nn.LSTM({layer.args.inputSize}, {outputs_of(layer.args)})",
        weights={
            "weight_ih_l0": lambda m: gates(m.i2g.weight, FAST_GATES),
            "weight_hh_l0": lambda m: gates(m.o2g.weight, FAST_GATES),
            "bias_ih_l0": lambda m: gates(m.i2g.bias, FAST_GATES),
        },
        constants={"bias_hh_l0": lambda m: torch.zeros_like(m.i2g.bias)},
        setup=("{self}.bias_hh_l0.requires_grad_(False).zero_()  # nn.FastLSTM has one bias",),
        name="lstm",
        heavy=True,
    )
    return run(layer, native, x, w)
