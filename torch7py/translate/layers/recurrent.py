"""Recurrent layers and sequencers: a time axis in the place of a table of steps."""

from __future__ import annotations

import ast
from typing import Any

import torch

from torch7py.translate.layers.registry import (
    Args,
    Expr,
    Layer,
    Native,
    NotNative,
    Value,
    around_zero,
    structure,
)
from torch7py.translate.layers.writer import Writer
from torch7py.translate.patching import altered

# Where a sequence starts from, by what its layer remembers: {} is the state that the last one ended in.
STARTS = {
    "both": "{}",
    "train": "{} if self.training else None",
    "eval": "None if self.training else {}",
}


def remembers(args: Args) -> str:
    """In which mode a sequence starts in the state that the last one ended in: a key of STARTS, or a choice of some.

    Nothing where each starts anew.
    """
    text = args.get("remember", "'neither'")
    modes = _choices(ast.parse(text, mode="eval").body)
    if not modes <= {*STARTS, "neither"}:
        raise NotNative(f"a sequence that remembers in {text}")
    if len(modes) > 1:
        return text
    (mode,) = modes
    return "" if mode == "neither" else str(mode)


def _choices(node: ast.expr) -> set[object]:
    """What an expression may be, of which the program chooses when it runs."""
    if isinstance(node, ast.IfExp):
        return _choices(node.body) | _choices(node.orelse)
    return {node.value if isinstance(node, ast.Constant) else None}


def kept_state(w: Writer, mode: str) -> tuple[str, str]:
    """The attribute with the state of the last sequence, and what the next one starts from."""
    kept = w.attribute("state")
    w.over_sequences.append(kept.removeprefix("self."))
    if mode in STARTS:
        return kept, STARTS[mode].format(kept)
    chosen, keeps = w.setting("remembers", mode), w.fresh("keeps")
    w.emit(f'{chosen} in ("both", "train" if self.training else "eval")', keeps)
    return kept, f"{kept} if {keeps} else None"


def _sequencer(module: Any) -> dict[str, Any]:
    return {"module": module.child_list()[0], "remember": module.__dict__["_remember"]}


@structure("nn.Sequencer", live=_sequencer)
def sequencer(layer: Layer, x: Value, w: Writer) -> Value:
    zipped = isinstance(x, tuple) and all(isinstance(part, Expr) and part.lead > w.depth for part in x)
    steps = x if zipped else w.steps(x, layer)  # steps of tables are a tuple of sequences
    with altered(w, remembers=remembers(layer.args), depth=w.depth + 1):
        return w.apply(layer.slot("module"), steps)


@structure("nn.Recursor", live=lambda m: {"module": m.step_module})
def recursor(layer: Layer, x: Value, w: Writer) -> Value:
    return w.apply(layer.slot("module"), x)


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
    for name in native.helpers:
        w.helpers[name] = None
    me = w.child(layer, native)
    sequence = w.as_expr(x)
    if sequence.heavy:
        sequence = w.named(sequence)
    target = w.fresh(lead=sequence.lead)
    if "coupled" in layer.args:
        if w.depth != 1 or w.remembers:
            raise NotNative(
                f"{layer.name} that hands its state over and remembers it, or is given single steps"
            )
        return coupled(w, me, sequence, target)
    if w.depth > 1:
        raise NotNative(f"{layer.name} in a Sequencer of a Sequencer")
    if w.depth == 0:
        kept = w.attribute("state")
        w.emit(f"{me}({sequence.operand}.unsqueeze(0), {kept})", target, extra=f", {kept}")
        return Expr(f"{target.text}.squeeze(0)", ndim=sequence.ndim)
    if w.remembers:
        kept, start = kept_state(w, w.remembers)
        new = w.fresh("state")
        w.emit(f"{me}({sequence.text}, {start})", target, new)
        w.emit(f"{kept} = {state.format(new.text)}")
    else:
        w.emit(f"{me}({sequence.text})", target, extra=", _")
    return target


def coupled(
    w: Writer, me: str, sequence: Expr, target: Expr, once: bool = False, batch_first: bool = False
) -> Expr:
    """A child that begins in a state that it may be given, and keeps the one that it ends in.

    ``once``: it is given one for each sequence.
    """
    start, end, steps = (w.attribute(name) for name in ("start", "end", "steps"))
    w.emit(f"{me}({sequence.text}, {start})", target, extra=f", {end}")
    if once:
        w.emit(f"{start} = None")
    w.emit(f"{steps} = {target}.shape[1]" if batch_first else f"{steps} = len({target})")
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


def _is_masked(layer: Layer) -> bool:
    """Whether output and state of a layer become 0 where its input, a vector of each example, is 0."""
    if layer.module is None:
        return layer.args.get("maskZero") == "1"
    step = layer.module.step_module
    return bool(step.torch7_name == "nn.MaskZero" and step.nInputDim == 1)


def check(layer: Layer, masked: bool = False) -> None:
    """What is inside a recurrent layer must be what its class has, or a mask that is accounted for."""
    if layer.args.get("p", "0") not in ("0", "0.0"):
        raise NotNative(f"{layer.name} with dropout inside")
    if layer.module is not None:
        if layer.module.__dict__.get("bn"):
            raise NotNative(f"{layer.name} with batch normalization inside")
        if not masked and layer.module.step_module.torch7_name in ("nn.MaskZero", "nn.TrimZero"):
            raise NotNative(f"{layer.name} with a mask inside")
    elif not masked and "maskZero" in layer.args:
        raise NotNative(f"{layer.name} with a mask inside")


ONE_BIAS = "{{self}}.bias_hh_l0.requires_grad_(False).zero_()  # {} has one bias"


def by_input(args: Args, *more: str) -> tuple[str, ...]:
    """Statements that draw what reads the input by its size, as Torch7 does, where PyTorch goes by the output's."""
    size = args.inputSize
    if size == outputs_of(args):
        return ()
    drawn = ", ".join(f"{{self}}.{name}" for name in ("weight_ih_l0", "bias_ih_l0", *more))
    return (
        f"for p in ({drawn}):",
        f"    nn.init.uniform_(p, {around_zero(size)})",
    )


def fast_weights(module: Any) -> dict[str, torch.Tensor]:
    weights = {
        "weight_ih_l0": module.i2g.weight,
        "weight_hh_l0": module.o2g.weight,
        "bias_ih_l0": module.i2g.bias,
    }
    return {name: gates(value, FAST_GATES) for name, value in weights.items()}


def _of(name: str) -> Any:
    return lambda module: fast_weights(module)[name]


def _masked_part(number: int) -> Any:
    """Those of a layer with a mask, by their order: the mask has changed where they are."""
    return lambda module: gates(module.torch7_parameters()[0][number], FAST_GATES)


@structure("nn.FastLSTM", live=_sizes)
def fast_lstm(layer: Layer, x: Value, w: Writer) -> Value:
    masked = _is_masked(layer)
    check(layer, masked)
    suffix = "" if masked else "_l0"
    native = Native(
        make=f"{'MaskedLSTM' if masked else 'nn.LSTM'}({layer.args.inputSize}, {outputs_of(layer.args)})",
        weights={
            name: _masked_part(number) for number, name in enumerate(("weight_ih", "bias_ih", "weight_hh"))
        }
        if masked
        else {name: _of(name) for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0")},
        constants={f"bias_hh{suffix}": lambda m: torch.zeros_like(m.i2g.bias)},
        setup=tuple(
            line.replace("_l0", suffix) for line in (ONE_BIAS.format("nn.FastLSTM"), *by_input(layer.args))
        ),
        helpers=("MaskedLSTM",) if masked else (),
        name="lstm",
    )
    return run(layer, native, x, w)


# What the parameters of an LSTM are, in the order of parameters(): of the forget, input, hidden and output gates.
GATES = ("f", "i", "z", "o")


def _lstm_parts(module: Any) -> dict[str, torch.Tensor]:
    """The weights from input and output (xf, hf, ...), biases (bf) and peepholes (cf) of an LSTM."""
    parameters = list(module.torch7_parameters()[0])
    peepholes = len(parameters) == 15
    parts = {}
    for gate in GATES:
        for part in "xbhc":
            if part != "c" or (peepholes and gate != "z"):
                parts[part + gate] = parameters.pop(0)
    return parts


def _joined(part: str, order: str) -> Any:
    def take(module: Any) -> torch.Tensor:
        parts = _lstm_parts(module)
        return torch.cat([parts[part + gate] for gate in order])

    return take


def _peepholes(module: Any) -> torch.Tensor:
    parts = _lstm_parts(module)
    return torch.stack([parts["c" + gate].reshape(-1) for gate in "ifo"])


@structure("nn.LSTM", live=_sizes)
def lstm(layer: Layer, x: Value, w: Writer) -> Value:
    masked = _is_masked(layer)
    peepholes = layer.args.get("cell2gate", "True") != "False"
    check(layer, masked and peepholes)
    sizes = f"{layer.args.inputSize}, {outputs_of(layer.args)}"
    if not peepholes:
        native = Native(
            make=f"nn.LSTM({sizes})",
            weights={
                "weight_ih_l0": _joined("x", "ifzo"),
                "weight_hh_l0": _joined("h", "ifzo"),
                "bias_ih_l0": _joined("b", "ifzo"),
            },
            constants={"bias_hh_l0": lambda m: torch.zeros_like(_joined("b", "ifzo")(m))},
            setup=(ONE_BIAS.format("nn.LSTM"), *by_input(layer.args)),
            name="lstm",
        )
    else:
        native = Native(
            make=f"{'MaskedPeepholeLSTM' if masked else 'PeepholeLSTM'}({sizes})",
            weights={
                "from_input.weight": _joined("x", "ifzo"),
                "from_input.bias": _joined("b", "ifzo"),
                "from_output.weight": _joined("h", "ifzo"),
                "peepholes": _peepholes,
            },
            helpers=("PeepholeLSTM", "MaskedPeepholeLSTM") if masked else ("PeepholeLSTM",),
            name="lstm",
        )
    return run(layer, native, x, w)


GRU_NOTE = "resets before its product, unlike PyTorch's"


def _gru_part(number: int) -> Any:
    return lambda module: module.torch7_parameters()[0][number]


@structure("nn.GRU", live=_sizes)
def gru(layer: Layer, x: Value, w: Writer) -> Value:
    if layer.args.get("p", "0") not in ("0", "0.0"):
        return _gru_with_dropout(layer, x, w)
    masked = _is_masked(layer)
    check(layer, masked)
    entries = (
        "gates_from_input.weight",
        "gates_from_input.bias",
        "gates_from_output.weight",
        "from_input.weight",
        "from_input.bias",
        "from_kept.weight",
    )
    native = Native(
        make=f"{'MaskedGRU' if masked else 'GRU'}({layer.args.inputSize}, {outputs_of(layer.args)})",
        weights={entry: _gru_part(number) for number, entry in enumerate(entries)},
        helpers=("GRU", "MaskedGRU") if masked else ("GRU",),
        name="gru",
        comment=GRU_NOTE,
    )
    return run(layer, native, x, w, "{}.detach()")


def _apart(module: Any) -> list[torch.Tensor]:
    """The parameters of a GRU with a product of its own for each gate, as one with dropout has."""
    parameters: list[torch.Tensor] = list(module.torch7_parameters()[0])
    if len(parameters) == 9:
        return parameters
    weight, bias, output = (part.chunk(2) for part in parameters[:3])  # dropout of 0
    return [weight[0], bias[0], weight[1], bias[1], *output, *parameters[3:]]


def _apart_part(number: int) -> Any:
    return lambda module: _apart(module)[number]


def _gru_with_dropout(layer: Layer, x: Value, w: Writer) -> Value:
    p = layer.args.p
    check(Layer(layer.name, Args({**layer.args.texts, "p": "0"}), module=layer.module))
    if layer.args.get("mono", "False") != "False" or w.depth == 0 or w.remembers:
        raise NotNative("nn.GRU with dropout inside that remembers, or with one mask for all examples")
    entries = (
        "reset_from_input.weight",
        "reset_from_input.bias",
        "update_from_input.weight",
        "update_from_input.bias",
        "reset_from_output.weight",
        "update_from_output.weight",
        "from_input.weight",
        "from_input.bias",
        "from_kept.weight",
    )
    native = Native(
        make=f"DropoutGRU({layer.args.inputSize}, {outputs_of(layer.args)}, {p})",
        weights={entry: _apart_part(number) for number, entry in enumerate(entries)},
        helpers=("DropoutGRU",),
        name="gru",
        random=True,
    )
    return run(layer, native, x, w, "{}.detach()")


def _mufuru(module: Any) -> dict[str, Any]:
    return {"inputSize": module.inputSize, "outputSize": module.outputSize, "ops": list(module.ops)}


@structure("nn.MuFuRu", live=_mufuru)
def mufuru(layer: Layer, x: Value, w: Writer) -> Value:
    check(layer)
    functions = f", {layer.args.ops}" if "ops" in layer.args else ""
    entries = (
        "reset_from_input.weight",
        "reset_from_input.bias",
        "reset_from_output.weight",
        "reset_from_output.bias",
        "new.weight",
        "new.bias",
        "shares.weight",
        "shares.bias",
    )
    native = Native(
        make=f"MuFuRu({layer.args.inputSize}, {outputs_of(layer.args)}{functions})",
        weights={entry: _gru_part(number) for number, entry in enumerate(entries)},
        helpers=("MuFuRu",),
        name="mufuru",
    )
    return run(layer, native, x, w, "{}.detach()")
