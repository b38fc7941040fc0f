"""Recurrent layers and sequencers: a time axis in the place of a table of steps."""

from __future__ import annotations

from typing import Any

import torch

from torch7py.translate.layers.registry import (
    Args,
    Expr,
    Layer,
    Native,
    NotNative,
    Value,
    items,
    structure,
)
from torch7py.translate.writer import Writer


def remembers(layer: Layer) -> bool:
    """Whether a sequence starts in the state that the last one ended in."""
    mode = layer.args.value("remember", "neither")
    if mode not in ("neither", "both"):
        raise NotNative(f"{layer.name} that remembers in '{mode}' only")
    return bool(mode == "both")


def _sequencer(module: Any) -> dict[str, Any]:
    return {"module": module.child_list()[0], "remember": module.__dict__["_remember"]}


@structure("nn.Sequencer", live=_sequencer)
def sequencer(layer: Layer, x: Value, w: Writer) -> Value:
    steps = w.steps(x, layer)
    kept, w.remembers = w.remembers, remembers(layer)
    w.depth += 1
    try:
        return w.apply(layer.slot("module"), steps)
    finally:
        w.depth -= 1
        w.remembers = kept


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


def check(layer: Layer) -> None:
    """What is inside a recurrent layer must be what its class has."""
    if layer.args.get("p", "0") not in ("0", "0.0"):
        raise NotNative(f"{layer.name} with dropout inside")
    if layer.module is not None:
        if layer.module.__dict__.get("bn"):
            raise NotNative(f"{layer.name} with batch normalization inside")
        if layer.module.step_module.torch7_name in ("nn.MaskZero", "nn.TrimZero"):
            raise NotNative(f"{layer.name} with a mask inside")
    elif "maskZero" in layer.args:
        raise NotNative(f"{layer.name} with a mask inside")


ONE_BIAS = "{{self}}.bias_hh_l0.requires_grad_(False).zero_()  # {} has one bias"


def fast_weights(module: Any) -> dict[str, torch.Tensor]:
    found = {
        "weight_ih_l0": module.i2g.weight,
        "weight_hh_l0": module.o2g.weight,
        "bias_ih_l0": module.i2g.bias,
    }
    return {name: gates(value, FAST_GATES) for name, value in found.items()}


def _of(name: str) -> Any:
    return lambda module: fast_weights(module)[name]


@structure("nn.FastLSTM", live=_sizes)
def fast_lstm(layer: Layer, x: Value, w: Writer) -> Value:
    check(layer)
    native = Native(
        make=f"nn.LSTM({layer.args.inputSize}, {outputs_of(layer.args)})",
        weights={name: _of(name) for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0")},
        constants={"bias_hh_l0": lambda m: torch.zeros_like(m.i2g.bias)},
        setup=(ONE_BIAS.format("nn.FastLSTM"),),
        name="lstm",
    )
    return run(layer, native, x, w)


# What the parameters of an LSTM are, in the order of parameters(): of the forget, input, hidden and output gates.
GATES = ("f", "i", "z", "o")


def _lstm_parts(module: Any) -> dict[str, torch.Tensor]:
    """The weights from input and output (xf, hf, ...), biases (bf) and peepholes (cf) of an LSTM."""
    given = list(module.torch7_parameters()[0])
    peepholes = len(given) == 15
    found = {}
    for gate in GATES:
        for part in "xbhc":
            if part != "c" or (peepholes and gate != "z"):
                found[part + gate] = given.pop(0)
    return found


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
    check(layer)
    sizes = f"{layer.args.inputSize}, {outputs_of(layer.args)}"
    if layer.args.get("cell2gate", "True") == "False":
        native = Native(
            make=f"nn.LSTM({sizes})",
            weights={
                "weight_ih_l0": _joined("x", "ifzo"),
                "weight_hh_l0": _joined("h", "ifzo"),
                "bias_ih_l0": _joined("b", "ifzo"),
            },
            constants={"bias_hh_l0": lambda m: torch.zeros_like(_joined("b", "ifzo")(m))},
            setup=(ONE_BIAS.format("nn.LSTM"),),
            name="lstm",
        )
    else:
        native = Native(
            make=f"PeepholeLSTM({sizes})",
            weights={
                "from_input.weight": _joined("x", "ifzo"),
                "from_input.bias": _joined("b", "ifzo"),
                "from_output.weight": _joined("h", "ifzo"),
                "peepholes": _peepholes,
            },
            helpers=("PeepholeLSTM",),
            name="lstm",
        )
    return run(layer, native, x, w)


GRU_NOTE = "resets before its product, unlike PyTorch's"


def _gru_part(number: int) -> Any:
    return lambda module: module.torch7_parameters()[0][number]


@structure("nn.GRU", live=_sizes)
def gru(layer: Layer, x: Value, w: Writer) -> Value:
    check(layer)
    entries = (
        "gates_from_input.weight",
        "gates_from_input.bias",
        "gates_from_output.weight",
        "from_input.weight",
        "from_input.bias",
        "from_kept.weight",
    )
    native = Native(
        make=f"GRU({layer.args.inputSize}, {outputs_of(layer.args)})",
        weights={entry: _gru_part(number) for number, entry in enumerate(entries)},
        helpers=("GRU",),
        name="gru",
        comment=GRU_NOTE,
    )
    return run(layer, native, x, w, "{}.detach()")


# -- layers over a whole sequence ----------------------------------------------------------------------------------


def _seq_sizes(module: Any) -> dict[str, Any]:
    names = ("inputsize", "hiddensize", "outputsize", "batchfirst", "maskzero")
    found = {name: value for name in names if (value := module.get_field(name)) is not None}
    return found | {"remember": module.__dict__["_remember"]}


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
    if remembers(layer):
        kept, new = w.attribute("state"), w.fresh("state")
        w.emit(f"{me}({x}, {kept})", target, new)
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
        setup=(ONE_BIAS.format("nn.SeqLSTM").replace("_l0", suffix),),
        helpers=("MaskedLSTM",) if masked else (),
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
        setup=(ONE_BIAS.format("nn.SeqLSTMP"),),
        name="lstm",
    )
    return run_sequence(layer, native, x, w, PAIR)


def _seq_gru(module: Any) -> dict[str, Any]:
    found = {"inputSize": module.inputs, "outputSize": module.outputs}
    return found | {
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
        helpers=("GRU",),
        name="gru",
        comment=GRU_NOTE,
    )
    return run_sequence(layer, native, x, w, "{}.detach()")


@structure("nn.SeqBRNN", live=lambda m: {"module": m.whole})
def seq_brnn(layer: Layer, x: Value, w: Writer) -> Value:
    if not layer.slots:
        raise NotNative("nn.SeqBRNN from a script")
    return w.apply(layer.slot("module"), x)


# -- networks of given modules ---------------------------------------------------------------------------------------


PARTS = ("start", "input", "feedback", "transfer", "merge")


@structure("nn.Recurrent", live=lambda m: {name: m._modules[f"{name}Module"] for name in PARTS})
def recurrent(layer: Layer, x: Value, w: Writer) -> Value:
    """Step 1 is transfer(start(input(x))), a later one transfer(merge(input(x), feedback(h)))."""
    parts = layer.slots
    if w.depth > 1 or isinstance(x, tuple):
        raise NotNative("nn.Recurrent in a Sequencer of a Sequencer, or of tables")
    single = w.depth == 0
    inputs = w.apply(parts["input"], x)
    if not isinstance(inputs, Expr):
        raise NotNative("nn.Recurrent whose input module gives a table")

    def first(step: Value) -> Expr:
        return w.as_expr(w.apply(parts["transfer"], w.apply(parts["start"], step)))

    def later(step: Value, h: Expr) -> Expr:
        both = (step, w.apply(parts["feedback"], h))
        return w.as_expr(w.apply(parts["transfer"], w.apply(parts["merge"], both)))

    if single:
        step = w.named(inputs, "x")
        kept = w.attribute("state")
        h = w.fresh("h")
        w.branches(
            (f"if {kept} is None:", lambda: w.emit(f"{h} = {first(step)}")),
            ("else:", lambda: w.emit(f"{h} = {later(step, Expr(kept))}")),
            declares=h,
        )
        w.emit(f"{kept} = {h}")
        return h
    inputs = w.named(inputs)
    step = w.fresh("step", ndim=inputs.ndim)
    outputs, h = w.fresh("outputs"), w.fresh("h", ndim=inputs.ndim)
    w.depth -= 1
    try:
        if w.remembers:
            kept = w.attribute("state")
            w.emit(kept, h)
            w.emit("[]", outputs)

            def body() -> None:
                w.branches(
                    (f"if {h} is None:", lambda: w.emit(f"{h} = {first(step)}")),
                    ("else:", lambda: w.emit(f"{h} = {later(step, h)}")),
                )
                w.emit(f"{outputs}.append({h})")

            w.loop(f"for {step} in {inputs}:", body)
            w.emit(f"{kept} = {h}.detach()")
        else:
            start = Expr(f"{inputs}[0]", ndim=inputs.ndim)
            w.emit(first(start).text, h)
            w.emit(f"[{h}]", outputs)

            def rest() -> None:
                w.emit(f"{h} = {later(step, h)}")
                w.emit(f"{outputs}.append({h})")

            w.loop(f"for {step} in {inputs}[1:]:", rest)
    finally:
        w.depth += 1
    return Expr(f"torch.stack({outputs})", h.ndim, 1)


def _recurrence(module: Any) -> dict[str, Any]:
    size = module.outputSize
    size = size.sizes() if hasattr(size, "sizes") else size
    return {"module": module.step_module, "outputSize": size, "nInputDim": module.nInputDim}


@structure("nn.Recurrence", live=_recurrence)
def recurrence(layer: Layer, x: Value, w: Writer) -> Value:
    """h = module(x, h), from zeros."""
    dims = layer.args.get("nInputDim")
    if w.depth > 1 or isinstance(x, tuple) or dims not in ("0", "1"):
        raise NotNative("nn.Recurrence of other than vectors, or items")
    text = layer.args.outputSize
    sizes = ", ".join(items(text)) if text[0] in "[(" else text
    module = layer.slot("module")
    x = w.named(x)
    h = w.fresh("h")
    if w.depth == 0:
        kept = w.attribute("state")
        w.emit(f"{_zeros(x, '', dims, sizes)} if {kept} is None else {kept}", h)
        made = w.named(w.as_expr(w.apply(module, (x, h))))
        w.emit(f"{kept} = {made}")
        return made
    zeros = _zeros(x, "1", dims, sizes)
    kept = w.attribute("state") if w.remembers else ""
    w.emit(f"{zeros} if {kept} is None else {kept}" if kept else zeros, h)
    outputs, step = w.fresh("outputs"), w.fresh("step", ndim=x.ndim)
    w.emit("[]", outputs)

    def body() -> None:
        made = w.as_expr(w.apply(module, (step, h)))
        w.emit(f"{h} = {made}")
        w.emit(f"{outputs}.append({h})")

    before = set(w.attributes)
    w.depth -= 1
    try:
        w.loop(f"for {step} in {x}:", body)
    finally:
        w.depth += 1
    inner = [name for name in w.attributes if name not in before]
    if inner and kept:
        raise NotNative("nn.Recurrence that remembers, with a layer inside that keeps a state")
    w.emit_before_last(*(f"self.{name} = {w.attributes[name]}" for name in inner))
    if kept:
        w.emit(f"{kept} = {h}.detach()")
    return Expr(f"torch.stack({outputs})", lead=1)


def _zeros(x: Expr, first: str, dims: str, sizes: str) -> str:
    """The first state, for a batch of vectors, or of items, which are whole numbers."""
    if dims == "0":
        batch = f"{x}.shape[{first}:]" if first else f"{x}.shape"
        return f"torch.zeros(*{batch}, {sizes}, device={x}.device)"
    return f"{x}.new_zeros(*{x}.shape[{first}:-1], {sizes})"


@structure("nn.Repeater", live=lambda m: {"module": m.stepper, "rho": m.rho})
def repeater(layer: Layer, x: Value, w: Writer) -> Value:
    if isinstance(x, tuple) or w.depth:
        raise NotNative("nn.Repeater of a table, or in a Sequencer")
    x = w.named(x)
    steps = Expr(f"{x}.expand({layer.args.rho}, *{x}.shape)", x.ndim, 1)
    w.depth += 1
    try:
        return w.apply(layer.slot("module"), steps)
    finally:
        w.depth -= 1
