"""Recurrent layers over a whole sequence, which is one tensor with a time axis in Torch7 too."""

from __future__ import annotations

from typing import Any

import torch

from torch7py.translate.layers.recurrent import GRU_NOTE, ONE_BIAS, coupled, gates, kept_state, remembers
from torch7py.translate.layers.registry import Expr, Layer, Native, NotNative, Value, structure
from torch7py.translate.layers.writer import Writer


def _seq_sizes(module: Any) -> dict[str, Any]:
    names = ("inputsize", "hiddensize", "outputsize", "batchfirst", "maskzero")
    fields = {name: value for name in names if (value := module.get_field(name)) is not None}
    return fields | {"remember": module.__dict__["_remember"]}


SEQ_GATES = (0, 1, 3, 2)  # PyTorch's order of a SeqLSTM's (input, forget, output, cell)


def _seq_weights(suffix: str) -> dict[str, Any]:
    def from_input(m: Any) -> torch.Tensor:
        return gates(m.weight[: int(m.inputsize)].t(), SEQ_GATES)

    def from_output(m: Any) -> torch.Tensor:
        return gates(m.weight[int(m.inputsize) :].t(), SEQ_GATES)

    return {
        f"weight_ih{suffix}": from_input,
        f"weight_hh{suffix}": from_output,
        f"bias_ih{suffix}": lambda m: gates(m.bias, SEQ_GATES),
    }


def run_sequence(layer: Layer, native: Native, x: Value, w: Writer, state: str) -> Value:
    """A child over the time axis that a tensor has itself."""
    if isinstance(x, tuple):
        raise NotNative(f"{layer.name} with a given state")
    if w.depth:
        raise NotNative(f"{layer.name} in a Sequencer")
    if x.lead:
        x = Expr(x.text, x.ndim, 0, x.heavy, x.binds)
    for name in native.helpers:
        w.helpers[name] = None
    me = w.child(layer, native)
    if x.heavy:
        x = w.named(x)
    target = w.fresh(ndim=3)
    mode = remembers(layer.args)
    if "coupled" in layer.args:
        if mode:
            raise NotNative(f"{layer.name} that hands its state over and remembers it")
        return coupled(w, me, x, target, once=True, batch_first=layer.args.get("batchfirst") == "True")
    if mode:
        kept, start = kept_state(w, mode)
        new = w.fresh("state")
        w.emit(f"{me}({x}, {start})", target, new)
        w.emit(f"{kept} = {state.format(new.text)}")
    else:
        w.emit(f"{me}({x})", target, extra=", _")
    return target


PAIR = "tuple(s.detach() for s in {})"


@structure("nn.SeqLSTM", live=_seq_sizes)
def seq_lstm(layer: Layer, x: Value, w: Writer) -> Value:
    args = layer.args
    sizes = f"{args.inputsize}, {args.get('outputsize', args.get('hiddensize'))}"
    batch_first = ", batch_first=True" if args.get("batchfirst", "False") == "True" else ""
    masked = args.get("maskzero", "False") == "True"
    suffix = "" if masked else "_l0"
    native = Native(
        make=f"{'MaskedLSTM' if masked else 'nn.LSTM'}({sizes}{batch_first})",
        weights=_seq_weights(suffix),
        constants={f"bias_hh{suffix}": lambda m: torch.zeros_like(m.bias)},
        setup=(ONE_BIAS.format("nn.SeqLSTM").replace("_l0", suffix), "init_seq_lstm({self})"),
        helpers=("MaskedLSTM", "init_seq_lstm") if masked else ("init_seq_lstm",),
        name="lstm",
    )
    return run_sequence(layer, native, x, w, PAIR)


@structure("nn.SeqLSTMP", live=_seq_sizes)
def seq_lstm_projected(layer: Layer, x: Value, w: Writer) -> Value:
    args = layer.args
    if args.get("maskzero", "False") == "True":
        raise NotNative("nn.SeqLSTMP with a mask")
    batch_first = ", batch_first=True" if args.get("batchfirst", "False") == "True" else ""
    native = Native(
        make=f"nn.LSTM({args.inputsize}, {args.hiddensize}, proj_size={args.outputsize}{batch_first})",
        weights=_seq_weights("_l0") | {"weight_hr_l0": lambda m: m.weightO.t()},
        constants={"bias_hh_l0": lambda m: torch.zeros_like(m.bias)},
        setup=(ONE_BIAS.format("nn.SeqLSTMP"), "init_seq_lstm({self})"),
        helpers=("init_seq_lstm",),
        name="lstm",
    )
    return run_sequence(layer, native, x, w, PAIR)


def _seq_gru(module: Any) -> dict[str, Any]:
    fields = {"inputSize": module.inputs, "outputSize": module.outputs}
    return fields | {
        "batchfirst": module.batchfirst,
        "maskzero": module.maskzero,
        "remember": module.__dict__["_remember"],
    }


@structure("nn.SeqGRU", live=_seq_gru)
def seq_gru(layer: Layer, x: Value, w: Writer) -> Value:
    args = layer.args
    if args.get("maskzero", "False") == "True":
        raise NotNative("nn.SeqGRU with a mask")
    batch_first = ", batch_first=True" if args.get("batchfirst", "False") == "True" else ""

    def rows(of_input: bool, new: bool) -> Any:
        def take(m: Any) -> torch.Tensor:
            weight: torch.Tensor = (m.weight[: m.inputs] if of_input else m.weight[m.inputs :]).t()
            return weight[2 * m.outputs :] if new else weight[: 2 * m.outputs]

        return take

    native = Native(
        make=f"GRU({args.inputSize}, {args.outputSize}{batch_first})",
        weights={
            "gates_from_input.weight": rows(True, False),
            "gates_from_input.bias": lambda m: m.bias[: 2 * m.outputs],
            "gates_from_output.weight": rows(False, False),
            "from_input.weight": rows(True, True),
            "from_input.bias": lambda m: m.bias[2 * m.outputs :],
            "from_kept.weight": rows(False, True),
        },
        setup=("init_seq_gru({self})",),
        helpers=("GRU", "init_seq_gru"),
        name="gru",
        comment=GRU_NOTE,
    )
    return run_sequence(layer, native, x, w, "{}.detach()")


@structure("nn.SeqBRNN", live=lambda m: {"module": m.whole})
def seq_brnn(layer: Layer, x: Value, w: Writer) -> Value:
    if not layer.slots:
        raise NotNative("nn.SeqBRNN from a script")
    return w.apply(layer.slot("module"), x)
