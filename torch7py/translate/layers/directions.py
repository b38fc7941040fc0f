"""Sequences in both directions."""

from __future__ import annotations

from typing import Any

import torch

from torch7py.translate.layers.recurrent import by_input, check, fast_weights, outputs_of, run
from torch7py.translate.layers.registry import Expr, Layer, Native, NotNative, Value, structure
from torch7py.translate.layers.writer import Writer
from torch7py.translate.patching import altered


def _directions(module: Any) -> dict[str, Any]:
    attributes = module.__dict__
    return {
        "forward": attributes["forwardModule"],
        "backward": attributes["backwardModule"],
        "merge": attributes["mergeModule"],
    }


def _both_ways(layer: Layer) -> bool:
    """Whether two FastLSTMs are joined as PyTorch's bidirectional LSTM joins them."""
    first, last, merge = (layer.slots.get(name) for name in ("forward", "backward", "merge"))
    if first is None or first.name != "nn.FastLSTM" or layer.module is None or merge is None:
        return False
    same = last is not None and last.name == "nn.FastLSTM" and last.args == first.args and last is not first
    joins = merge.name == "nn.JoinTable" and merge.args.texts == {"dimension": "1", "nInputDims": "1"}
    return same and joins


@structure("nn.BiSequencer", live=_directions)
def bi_sequencer(layer: Layer, x: Value, w: Writer) -> Value:
    steps = w.steps(x, layer)
    if "forward" not in layer.slots or "merge" not in layer.slots or "backward" not in layer.slots:
        raise NotNative("nn.BiSequencer without all of its three modules")
    with altered(w, depth=w.depth + 1):
        if _both_ways(layer):
            first = layer.slot("forward")
            check(first)
            names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0")
            native = Native(
                make=f"nn.LSTM({first.args.inputSize}, {outputs_of(first.args)}, bidirectional=True)",
                weights={name: _fast_weight("forwardModule", name) for name in names}
                | {f"{name}_reverse": _fast_weight("backwardModule", name) for name in names},
                constants={
                    "bias_hh_l0": lambda m: torch.zeros_like(m.forwardModule.i2g.bias),
                    "bias_hh_l0_reverse": lambda m: torch.zeros_like(m.backwardModule.i2g.bias),
                },
                setup=(
                    "for bias in ({self}.bias_hh_l0, {self}.bias_hh_l0_reverse):  # nn.FastLSTM has one bias",
                    "    bias.requires_grad_(False).zero_()",
                    *by_input(first.args, "weight_ih_l0_reverse", "bias_ih_l0_reverse"),
                ),
                name="lstm",
                comment="of two nn.FastLSTM",
            )
            return run(Layer(layer.name, first.args, module=layer.module), native, steps, w)
        steps = w.named(w.as_expr(steps))
        ahead = w.name_all(w.apply(layer.slot("forward"), steps))
        flipped = Expr(f"{steps}.flip(0)", steps.ndim, steps.lead)
        back = w.as_expr(w.apply(layer.slot("backward"), flipped))
        behind = Expr(f"{back.operand}.flip(0)", back.ndim, back.lead, back.heavy)
        return w.apply(layer.slot("merge"), (ahead, behind))


def _fast_weight(direction: str, name: str) -> Any:
    return lambda module: fast_weights(getattr(module, direction))[name]


@structure("nn.BiSequencerLM", live=_directions)
def bi_sequencer_lm(layer: Layer, x: Value, w: Writer) -> Value:
    """Output t sees the inputs before t from one side and those after t from the other; zeros at the ends."""
    steps = w.named(w.as_expr(w.steps(x, layer)))
    if "forward" not in layer.slots or "merge" not in layer.slots or "backward" not in layer.slots:
        raise NotNative("nn.BiSequencerLM without all of its three modules")
    with altered(w, depth=w.depth + 1):
        before = Expr(f"{steps}[:-1]", steps.ndim, steps.lead)
        after = Expr(f"{steps}[1:].flip(0)", steps.ndim, steps.lead)
        ahead = w.named(w.as_expr(w.apply(layer.slot("forward"), before)))
        back = w.as_expr(w.apply(layer.slot("backward"), after))
        behind = w.named(Expr(f"{back.operand}.flip(0)", back.ndim, back.lead))
        parts = (
            Expr(f"torch.cat((torch.zeros_like({ahead}[:1]), {ahead}))", ahead.ndim, ahead.lead),
            Expr(f"torch.cat(({behind}, torch.zeros_like({behind}[:1])))", behind.ndim, behind.lead),
        )
        return w.apply(layer.slot("merge"), parts)
